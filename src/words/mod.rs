//! The model in plain English: conditions, points, decay and durations as people say them. `describe` and `diff` speak
//! with these words, and so does whatever tells why a lead is where it is, so that one thing has one wording.
//!
//! Phrases follow a "with" or a "needs": `at least 50 points of engagement and a fit of B or better`. Names of scores,
//! stages and traits stay as the model writes them; signals go by their label.

mod condition;
mod funnel;
mod pattern;
mod scoring;
mod test;
#[cfg(test)]
mod tests;

pub use scoring::{at_most, decay, inactivity, range};
pub use test::matcher;
pub(crate) use test::trait_test;

use crate::model::Model;
use crate::model::compiled::{EventPath, Field, On, ScoreId, SignalId, StageId};

/// Speaks about one model.
#[derive(Debug, Clone, Copy)]
pub struct Words<'m> {
    pub(crate) model: &'m Model,
}

impl<'m> Words<'m> {
    pub fn of(model: &'m Model) -> Self {
        Words { model }
    }

    /// The label of a signal in quotation marks.
    pub fn signal(&self, id: SignalId) -> String {
        quoted(&self.model.signals[usize::from(id)].label)
    }

    /// The event that something waits for: `“Requested a demo”`, `any activity`.
    pub fn on(&self, on: On) -> String {
        match on {
            On::Activity => "any activity".to_owned(),
            On::Signal(id) => self.signal(id),
        }
    }

    pub fn stage(&self, id: StageId) -> &'m str {
        &self.model.stages[usize::from(id)].name
    }

    pub fn score(&self, id: ScoreId) -> &'m str {
        &self.model.scores[usize::from(id)].name
    }

    /// A field of an event as the model writes it: `properties.total`.
    pub fn field(&self, field: Field) -> String {
        let steps = |first: &str, steps: &[String]| format!("{first}.{}", steps.join("."));
        match field {
            Field::Kind => "kind".to_owned(),
            Field::Name => "event".to_owned(),
            Field::Lead => "lead".to_owned(),
            Field::Path(id) => match &self.model.event_paths[usize::from(id)] {
                EventPath::Properties(path) => steps("properties", path),
                EventPath::Context(path) => steps("context", path),
                EventPath::Traits(path) => steps("traits", path),
            },
        }
    }
}

/// A number with at most six decimals, and none that say nothing.
pub fn number(value: f64) -> String {
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// `12 points`, `1 point`.
pub fn points(value: f64) -> String {
    let unit = if value.abs() == 1.0 { "point" } else { "points" };
    format!("{} {unit}", number(value))
}

/// `3 stages`, `1 stage`.
pub fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// The units in which durations are said, the longest first, in milliseconds.
const UNITS: [(&str, i64); 5] =
    [("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000), ("second", 1000), ("millisecond", 1)];

/// A duration of the model in the longest unit that holds it exactly: `14 days`, `36 hours`.
pub fn duration(ms: i64) -> String {
    match UNITS.iter().find(|(_, unit)| ms > 0 && ms % unit == 0) {
        Some((name, unit)) => counted(usize::try_from(ms / unit).unwrap_or(usize::MAX), name),
        None => "0 seconds".to_owned(),
    }
}

/// How often something is: `every 14 days`, `every day`.
pub fn every(ms: i64) -> String {
    let text = duration(ms);
    format!("every {}", text.strip_prefix("1 ").unwrap_or(&text))
}

/// `a`, `a and b`, `a, b, and c`.
pub fn and(parts: &[String]) -> String {
    joined(parts, "and")
}

/// `a`, `a or b`, `a, b, or c`.
pub fn or(parts: &[String]) -> String {
    joined(parts, "or")
}

fn joined(parts: &[String], word: &str) -> String {
    match parts {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first, second] => format!("{first} {word} {second}"),
        [before @ .., last] => format!("{}, {word} {last}", before.join(", ")),
    }
}

/// In quotation marks.
pub fn quoted(text: &str) -> String {
    format!("“{text}”")
}

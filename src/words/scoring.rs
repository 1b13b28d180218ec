//! Points, decay, caps.

use super::{Words, duration, every, number, points};
use crate::model::compiled::{AtMost, Decay, Inactivity, Points, Range};

/// `halves every 14 days`.
pub fn decay(decay: Decay) -> String {
    match decay {
        Decay::None => "does not fade".to_owned(),
        Decay::HalfLife(ms) => format!("halves {}", every(ms)),
        Decay::Lifespan { life, .. } => format!("fades evenly to 0 in {}", duration(life)),
        Decay::Window { life, .. } => format!("counts in full for {}, then not at all", duration(life)),
    }
}

/// `at most 3 in 7 days`.
pub fn at_most(at_most: AtMost) -> String {
    match (at_most.per, at_most.n) {
        (Some(ms), n) => match duration(ms).as_str() {
            "1 hour" => format!("at most {n} in an hour"),
            text => format!(
                "at most {n} in {}",
                text.strip_prefix("1 ").map_or(text.to_owned(), |unit| format!("a {unit}"))
            ),
        },
        (None, 1) => "once only".to_owned(),
        (None, n) => format!("the first {n} only"),
    }
}

/// `0 to 100`, `at least 0`, `unbounded`.
pub fn range(range: Range) -> String {
    match (range.min > Range::UNBOUNDED.min, range.max < Range::UNBOUNDED.max) {
        (true, true) => format!("{} to {}", number(range.min), number(range.max)),
        (true, false) => format!("at least {}", number(range.min)),
        (false, true) => format!("at most {}", number(range.max)),
        (false, false) => "unbounded".to_owned(),
    }
}

/// `-10 points after 30 days without activity, again every 30 days`.
pub fn inactivity(inactivity: &Inactivity) -> String {
    let every = inactivity.every.map(|ms| format!(", and again {}", every(ms))).unwrap_or_default();
    format!("{} after {} without activity{every}", points(inactivity.points), duration(inactivity.after))
}

impl Words<'_> {
    /// What an occurrence is worth: `12 points`, `properties.points (-50 to 50)`.
    pub fn worth(&self, worth: Points) -> String {
        match worth {
            Points::Fixed(value) => points(value),
            Points::From { field, scale, range: limits } => {
                let scaled = if scale == 1.0 { String::new() } else { format!(" × {}", number(scale)) };
                let limits =
                    if limits == Range::UNBOUNDED { String::new() } else { format!(" ({})", range(limits)) };
                format!("{}{scaled}{limits}", self.field(field))
            }
        }
    }
}

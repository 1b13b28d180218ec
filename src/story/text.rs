//! The story as text, for a terminal and for failing tests.

use super::words::{moment, number, signed, span};
use super::{Cause, Change, Chapter, Ending, Gain, NotFurther, Story, Told};
use crate::words::quoted;
use serde_json::Value;
use std::fmt::Write;

/// Under which the parts of a chapter stand.
const INDENT: &str = "    ";

/// The whole story.
pub fn story(story: &Story) -> String {
    let mut text = format!("The story of {}, by {} version {}\n", story.lead, story.model, story.version);
    let mut before = None;
    for chapter in &story.chapters {
        text.push('\n');
        text.push_str(&self::chapter(chapter, before));
        before = Some(chapter.at.0);
    }
    match &story.ending {
        Some(ending) => text.push_str(&self::ending(ending)),
        None => text.push_str("\nNo event of this lead was applied.\n"),
    }
    text
}

/// Writing into a String does not fail.
macro_rules! line {
    ($text:expr, $($words:tt)*) => {
        let _ = writeln!($text, $($words)*);
    };
}

fn chapter(chapter: &Chapter, before: Option<i64>) -> String {
    let mut text = String::new();
    let at = moment(chapter.at.0);
    match &chapter.cause {
        Cause::Time => {
            line!(text, "{at}  time alone");
        }
        Cause::Event(told) => event(&mut text, &at, told),
    }
    let since = before.map_or_else(String::new, |before| format!(" in {}", span(chapter.at.0 - before)));
    for change in &chapter.by_time {
        line!(text, "{INDENT}by time  {}", moved(change, &since));
    }
    for change in &chapter.traits {
        let was =
            if change.before.is_null() { String::new() } else { format!(" (was {})", plain(&change.before)) };
        let now = if change.after.is_null() { "removed".to_owned() } else { plain(&change.after) };
        line!(text, "{INDENT}trait    {} {now}{was}", change.name);
    }
    for gain in &chapter.gains {
        line!(text, "{INDENT}points   {}", gained(gain));
    }
    for change in &chapter.changes {
        line!(text, "{INDENT}score    {}", moved(change, ""));
    }
    for happened in &chapter.happened {
        let kind = match &happened.record {
            None => "note",
            Some(record) if record.get("transition").is_some() => "MOVE",
            Some(record) if record.get("alert").is_some() => "ALERT",
            Some(_) => "SLA",
        };
        line!(text, "{INDENT}{kind:8} {}", happened.what);
        if let Some(because) = &happened.because {
            line!(text, "{INDENT}         because {because}");
        }
        let credit = happened.record.as_ref().and_then(|record| record["attribution"].as_object());
        if let Some(credit) = credit.filter(|credit| !credit.is_empty()) {
            let models = credit.iter().map(|(model, channels)| format!("{model} {}", shares(channels)));
            line!(text, "{INDENT}         credit: {}", models.collect::<Vec<_>>().join("; "));
        }
    }
    text
}

fn event(text: &mut String, at: &str, told: &Told) {
    let outcome = match told.outcome {
        "applied" => String::new(),
        other => format!("  [{other}]"),
    };
    line!(text, "{at}  {}  (line {}){outcome}", told.what, told.line);
    if let Some(at) = told.happened_at {
        line!(text, "{INDENT}late     it happened at {}", moment(at.0));
    }
    if let Some(detail) = &told.detail {
        line!(text, "{INDENT}why      {detail}");
    }
    if !told.signals.is_empty() {
        line!(text, "{INDENT}signals  {}", told.signals.join(", "));
    }
    if let Some(channel) = &told.channel {
        line!(text, "{INDENT}channel  {channel}");
    }
}

/// `engagement 31.2 → 24.8 in 9d: web 20 → 13.6 (half-life 14d)`.
fn moved(change: &Change, since: &str) -> String {
    let mut text = change.score.clone();
    if change.before.number() == change.after.number() {
        let _ = write!(text, " stays {}", number(change.after.0));
    } else {
        let _ = write!(text, " {} → {}", number(change.before.0), number(change.after.0));
    }
    match (&change.grade_before, &change.grade_after) {
        (was, is) if was == is => text.extend(is.iter().map(|grade| format!(" ({grade})"))),
        (was, is) => {
            let name = |grade: &Option<String>| grade.clone().unwrap_or_else(|| "no grade".to_owned());
            let _ = write!(text, " ({} → {})", name(was), name(is));
        }
    }
    text.push_str(since);
    text.extend(change.note.iter().map(|note| format!(" ({note})")));
    let parts = change.parts.iter().map(|part| {
        let note = part.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
        match part.before.number() == part.after.number() {
            true => format!("{} stays {}{note}", part.part, number(part.after.0)),
            false => format!("{} {} → {}{note}", part.part, number(part.before.0), number(part.after.0)),
        }
    });
    let parts: Vec<String> = parts.collect();
    if !parts.is_empty() {
        let _ = write!(text, ": {}", parts.join(", "));
    }
    text
}

fn gained(gain: &Gain) -> String {
    let note = gain.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
    let points = if gain.counted { signed(gain.points.0) } else { "+0".to_owned() };
    format!("{points} {} in {}: {}{note}", gain.score, gain.group, gain.label)
}

fn ending(ending: &Ending) -> String {
    let mut text = format!("\nHow it stands at {}\n", moment(ending.at.0));
    ending.standing.iter().for_each(|standing| {
        line!(text, "{INDENT}{standing}");
    });
    if !ending.not_further.is_empty() {
        line!(text, "\nWhy it is not further");
        ending.not_further.iter().for_each(|way| text.push_str(&not_further(way)));
    }
    line!(text, "\nWhat time alone will bring");
    match ending.outlook.is_empty() {
        true => {
            line!(text, "{INDENT}nothing within five years");
        }
        false => ending.outlook.iter().for_each(|outlook| {
            line!(text, "{INDENT}{}  {}", moment(outlook.at.0), outlook.what);
        }),
    }
    text
}

fn not_further(way: &NotFurther) -> String {
    let mut text = String::new();
    let lacks = if way.lacks.is_empty() {
        "nothing, it fires with the next input".to_owned()
    } else {
        way.lacks.join("; and ")
    };
    line!(text, "{INDENT}→ {} by {}", way.to, way.transition);
    line!(text, "{INDENT}{INDENT}lacks {lacks}");
    if !way.holds.is_empty() {
        line!(text, "{INDENT}{INDENT}has   {}", way.holds.join("; and "));
    }
    // Where nothing but one signal is missing, that has been said.
    let said =
        way.lacks.len() == 1 && way.would_do.iter().all(|label| way.lacks[0].starts_with(&quoted(label)));
    if !way.would_do.is_empty() && !way.lacks.is_empty() && !said {
        const NAMED: usize = 6;
        let mut labels: Vec<String> = way.would_do.iter().take(NAMED).map(|label| quoted(label)).collect();
        labels.extend((way.would_do.len() > NAMED).then(|| format!("{} more", way.would_do.len() - NAMED)));
        line!(text, "{INDENT}{INDENT}one of these would do: {}", labels.join(", "));
    }
    text
}

/// `paid_search 50 %, email 50 %`.
fn shares(channels: &Value) -> String {
    let channels = channels.as_object().into_iter().flatten();
    let share = |weight: &Value| number(weight.as_f64().unwrap_or(0.0) * 100.0);
    let shares: Vec<String> =
        channels.map(|(channel, weight)| format!("{channel} {} %", share(weight))).collect();
    shares.join(", ")
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

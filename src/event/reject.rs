//! What a dead letter tells its reader: what is wrong, where, and what is expected. One line; of ids and addresses
//! nothing is quoted, for the dead letter carries the original anyway.

use super::capture::{MAX_DEPTH, Shape};
use super::envelope::MAX_LEAD_BYTES;
use super::json::{Problem, Scalar, Syntax};
use super::plan::Envelope;
use super::{Kind, Reason, Rejection};
use std::collections::BTreeMap;

/// Characters of a value that are quoted.
const QUOTED: usize = 60;
const KINDS: &str = "track, page, screen, identify, group or alias";
const TIME_FORMS: &str =
    "2026-03-01T12:30:00Z (RFC 3339), 2026-03-01, or the epoch in seconds or milliseconds, from 1970 to 9999";

fn rejection(reason: Reason, detail: String) -> Rejection {
    Rejection { reason, detail }
}

pub(super) fn too_large(bytes: usize, limit: usize) -> Rejection {
    let detail = format!(
        "the event has {bytes} bytes, at most {limit} are allowed (limits.event_bytes): send less with it, or raise the limit"
    );
    rejection(Reason::TooLarge, detail)
}

pub(super) fn not_utf8(at: usize) -> Rejection {
    let detail = format!("at byte offset {at} the text is not UTF-8: send JSON encoded as UTF-8");
    rejection(Reason::NotJson, detail)
}

/// `offset`: how many bytes of the record come before the text.
pub(super) fn not_json(text: &str, Syntax { at, problem }: Syntax, offset: usize) -> Rejection {
    let before = text.as_bytes()[..at.min(text.len())].trim_ascii_end();
    let found = Found::at(text, at);
    let what = usual_mistake(problem, &found, before).unwrap_or_else(|| expectation(problem, &found));
    let detail = format!("not JSON at byte offset {}: {what}", at + offset);
    rejection(Reason::NotJson, detail)
}

/// What people and their programs do most often.
fn usual_mistake(problem: Problem, found: &Found<'_>, before: &[u8]) -> Option<String> {
    let after_comma = before.ends_with(b",");
    let mistake = match (problem, found) {
        (Problem::Key, Found::Character('}')) if after_comma => {
            "the comma before `}` has nothing after it: leave it out"
        }
        (Problem::Value, Found::Character(']')) if after_comma => {
            "the comma before `]` has nothing after it: leave it out"
        }
        (Problem::Value | Problem::Key, Found::Character('\'')) => {
            "a text stands in single quotes: JSON takes double quotes only"
        }
        (
            Problem::Value | Problem::Key | Problem::CommaOrBrace | Problem::CommaOrBracket,
            Found::Character('/'),
        ) => "a comment or a stray `/`: JSON has no comments, leave it out",
        (Problem::CommaOrBrace | Problem::CommaOrBracket, Found::Text) => {
            "a comma is missing before the text that begins here, or a quote inside a text lacks its backslash"
        }
        (Problem::Value | Problem::Number, Found::Word("NaN" | "nan" | "Infinity" | "inf" | "Inf")) => {
            return Some(format!("{found} is no JSON number: send null or leave the field out"));
        }
        (
            Problem::Value,
            Found::Word("True" | "False" | "None" | "undefined" | "nil" | "NULL" | "TRUE" | "FALSE"),
        ) => return Some(format!("{found} is no JSON value: JSON writes true, false and null")),
        _ => return None,
    };
    Some(mistake.to_owned())
}

fn expectation(problem: Problem, found: &Found<'_>) -> String {
    let text = match problem {
        Problem::Value => return format!("a value is expected, not {found}"),
        Problem::Key => return format!("a field's name in double quotes is expected, not {found}"),
        Problem::Colon => return format!("`:` is expected after a field's name, not {found}"),
        Problem::CommaOrBrace => {
            return format!("`,` or `}}` is expected after a field's value, not {found}");
        }
        Problem::CommaOrBracket => {
            return format!("`,` or `]` is expected after an array's element, not {found}");
        }
        Problem::TrailingText => {
            return format!("the JSON value has ended, but {found} follows: send one event per record");
        }
        Problem::Number => return format!("a number goes on with {found} where a digit is expected"),
        Problem::Empty => "the record is empty: send one JSON object",
        Problem::UnclosedString => "the record ends inside a text: it was cut off or a quote is missing",
        Problem::ControlCharacter => {
            "a line break, tab or other control character stands in a text: write it as \\n, \\t or \\u00XX"
        }
        Problem::Escape => "a backslash in a text is followed by no JSON escape: write \\\\ for a backslash",
        Problem::LoneSurrogate => {
            "half of a character (a lone surrogate \\uD800 to \\uDFFF): a text was cut in the middle of an emoji or the like"
        }
        Problem::LeadingZero => {
            "a number begins with a needless 0: leave the 0 out, or send a text in double quotes"
        }
        Problem::NumberRange => "a number is too large: at most about 1.8e308 is possible",
    };
    text.to_owned()
}

pub(super) fn too_deep(depth: usize) -> Rejection {
    let detail = format!(
        "{depth} arrays and objects stand inside each other, at most {MAX_DEPTH} are allowed: flatten the event"
    );
    rejection(Reason::TooDeep, detail)
}

pub(super) fn not_object(text: &str) -> Rejection {
    let detail = match text.trim_ascii_start().as_bytes().first() {
        Some(b'[') => "the record is an array: send one JSON object per record, a batch's events one by one",
        _ => "the record is a single JSON value: send one JSON object per record",
    };
    rejection(Reason::NotObject, detail.to_owned())
}

/// What other senders' envelopes are known by, and what to do with them.
const FOREIGN: [(&str, &str); 6] = [
    ("batch", "it is a batch: send each event in `batch` as a record of its own"),
    ("events", "it is a batch: send each event in `events` as a record of its own"),
    ("specversion", "it is a CloudEvents envelope: send the event that is its `data`"),
    ("event_type", "it is an Amplitude event: convert it to the Segment format, with `type`"),
    ("event_name", "it is an event in another tool's format: convert it to the Segment format, with `type`"),
    ("distinct_id", "it is a PostHog or Mixpanel event: convert it to the Segment format, with `type`"),
];

/// Looks into the record once more: most records without a kind are of another tool, and whoever reads this should know.
pub(super) fn missing_kind(text: &str) -> Rejection {
    let detail = format!("neither `type` nor `action` is given: set `type` to {KINDS}");
    let keys: Option<BTreeMap<String, serde::de::IgnoredAny>> = serde_json::from_str(text).ok();
    let foreign = keys.and_then(|keys| FOREIGN.iter().find(|(key, _)| keys.contains_key(*key)));
    let detail = foreign.map_or(detail.clone(), |(_, what)| format!("{detail}; {what}"));
    rejection(Reason::UnknownKind, detail)
}

pub(super) fn unknown_kind(field: Envelope, shape: Shape, text: &str) -> Rejection {
    let detail = format!("`{}` is {}: it must be {KINDS}", field.name(), quoted(shape, text));
    rejection(Reason::UnknownKind, detail)
}

pub(super) fn missing_lead(kind: Kind) -> Rejection {
    let emails = match kind {
        Kind::Group => "`context.traits.email` or `properties.email`",
        _ => "`traits.email`, `context.traits.email` or `properties.email`",
    };
    let detail =
        format!("nobody is named: set `userId` or `anonymousId`, or send an e-mail address in {emails}");
    rejection(Reason::MissingLead, detail)
}

pub(super) fn bad_lead(field: Envelope, shape: Shape, text: &str) -> Rejection {
    let found = match shape {
        Shape::Scalar(Scalar::Plain | Scalar::Escaped) => format!("a text of {} bytes", text.len()),
        Shape::Scalar(Scalar::Number) => {
            "a number with a fraction, an exponent or too many digits".to_owned()
        }
        _ => shape_name(shape).to_owned(),
    };
    let detail = format!(
        "`{}` is {found}: it must be a text of at most {MAX_LEAD_BYTES} bytes or a whole number of at most 64 bits",
        field.name()
    );
    rejection(Reason::BadLead, detail)
}

/// `event`: what stands in the place of the name.
pub(super) fn missing_name(event: Option<Shape>) -> Rejection {
    let found = event.map_or("missing or empty", shape_name);
    let detail = format!("`event` is {found}: a track needs a name there, as a text that is not empty");
    rejection(Reason::MissingName, detail)
}

pub(super) fn bad_time(field: Envelope, shape: Shape, text: &str) -> Rejection {
    let detail =
        format!("`{}` is {}: it must be a time like {TIME_FORMS}", field.name(), quoted(shape, text));
    rejection(Reason::BadTime, detail)
}

pub(super) fn missing_time() -> Rejection {
    let detail = "no time is given and the record has no timestamp: set `timestamp`".to_owned();
    rejection(Reason::BadTime, detail)
}

pub(super) fn bad_record_time(ms: i64) -> Rejection {
    let detail = format!(
        "no time is given, and the record's own timestamp, {ms} ms, is before 1970 or after 9999: set `timestamp`"
    );
    rejection(Reason::BadTime, detail)
}

/// The event's time lies too far ahead of a record's timestamp that is no time itself.
pub(super) fn bad_clamp(ms: i64) -> Rejection {
    let detail = format!(
        "the record's own timestamp, {ms} ms, is before 1970, and the event's time lies too far ahead of it: let the producer stamp its records with the time of sending"
    );
    rejection(Reason::BadTime, detail)
}

fn shape_name(shape: Shape) -> &'static str {
    match shape {
        Shape::Scalar(Scalar::Null) => "null",
        Shape::Scalar(Scalar::True | Scalar::False) => "true or false",
        Shape::Scalar(Scalar::Number) => "a number",
        Shape::Scalar(Scalar::Plain | Scalar::Escaped) => "a text",
        Shape::Array => "an array",
        Shape::Object => "an object",
    }
}

/// A text or number as far as it fits one short line, or what else it is.
fn quoted(shape: Shape, text: &str) -> String {
    let is_text = match shape {
        Shape::Scalar(Scalar::Plain | Scalar::Escaped) => true,
        Shape::Scalar(Scalar::Number) => false,
        _ => return shape_name(shape).to_owned(),
    };
    let (head, cut) = match text.char_indices().nth(QUOTED) {
        Some((at, _)) => (&text[..at], "…"),
        None => (text, ""),
    };
    match is_text {
        true => format!("\"{}{cut}\"", head.escape_debug()),
        false => format!("the number {head}{cut}"),
    }
}

/// What stands where something else is expected: never more than one word, for it may be personal.
#[derive(Debug, PartialEq, Eq)]
enum Found<'t> {
    End,
    Text,
    Word(&'t str),
    Character(char),
}

impl<'t> Found<'t> {
    fn at(text: &'t str, at: usize) -> Found<'t> {
        const LONGEST_WORD: usize = 12;
        let rest = text.get(at..).unwrap_or_default();
        let word = rest.bytes().take(LONGEST_WORD).take_while(u8::is_ascii_alphabetic).count();
        match rest.chars().next() {
            None => Found::End,
            Some('"') => Found::Text,
            Some(character) if word == 0 => Found::Character(character),
            Some(_) => Found::Word(&rest[..word]),
        }
    }
}

impl std::fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Found::End => f.write_str("the end of the record: it was cut off"),
            Found::Text => f.write_str("a text"),
            Found::Word(word) => write!(f, "`{word}`"),
            Found::Character(character) if character.is_ascii_graphic() => write!(f, "`{character}`"),
            Found::Character(character) => write!(f, "the character U+{:04X}", u32::from(*character)),
        }
    }
}

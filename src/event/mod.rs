//! From a Kafka record's bytes to an event (SPEC §1). Pure: no Kafka, no clock.

mod capture;
mod compact;
mod envelope;
mod json;
mod plan;
mod reject;
pub mod scan;
mod string;
pub mod time;
pub mod value;

#[cfg(test)]
mod tests;

pub use value::{Number, Value};

/// The kind of an event; its number indexes `Dispatch::by_kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    Track,
    Page,
    Screen,
    Identify,
    Group,
    Alias,
}

/// Why a record is rejected; the order is the order in which records are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Reason {
    TooLarge,
    NotJson,
    TooDeep,
    NotObject,
    UnknownKind,
    MissingLead,
    BadLead,
    MissingName,
    BadTime,
}

impl Reason {
    /// All, in the order in which they are checked.
    pub const ALL: [Reason; 9] = [
        Reason::TooLarge,
        Reason::NotJson,
        Reason::TooDeep,
        Reason::NotObject,
        Reason::UnknownKind,
        Reason::MissingLead,
        Reason::BadLead,
        Reason::MissingName,
        Reason::BadTime,
    ];

    /// What records, headers and metrics call it.
    pub fn name(self) -> &'static str {
        match self {
            Reason::TooLarge => "too_large",
            Reason::NotJson => "not_json",
            Reason::TooDeep => "too_deep",
            Reason::NotObject => "not_object",
            Reason::UnknownKind => "unknown_kind",
            Reason::MissingLead => "missing_lead",
            Reason::BadLead => "bad_lead",
            Reason::MissingName => "missing_name",
            Reason::BadTime => "bad_time",
        }
    }
}

/// A record that becomes a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    pub reason: Reason,
    /// One line that tells its reader what to fix; without line breaks, at most a few hundred bytes.
    pub detail: String,
}

/// Limits of decoding (SPEC §11).
#[derive(Debug, Clone, Copy)]
pub struct EventLimits {
    /// Bytes of a record's value.
    pub event_bytes: usize,
    /// Milliseconds that an event's time may lie ahead of its record's timestamp.
    pub future_skew_ms: i64,
}

/// A valid event, borrowed from the record and the scanner.
#[derive(Debug)]
pub struct Event<'a> {
    pub kind: Kind,
    pub lead: &'a str,
    /// It carried a `userId` or a person's trait `email`.
    pub identifies: bool,
    /// The name of a track, page or screen.
    pub name: Option<&'a str>,
    /// Milliseconds since the epoch, after the clamp to the record's timestamp.
    pub time_ms: i64,
    /// The record's own timestamp, if it has one.
    pub record_time_ms: Option<i64>,
    /// The time lay too far ahead and was set to the record's timestamp.
    pub clamped: bool,
    pub message_id: Option<&'a str>,
    /// Traits of more than 1 KiB that were taken as not in the event.
    pub dropped_traits: u32,
    /// Where the fields stand: `values`, `scalar`, `number`, `kept_trait`.
    pub scan: &'a scan::Scan<'a>,
}

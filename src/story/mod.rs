//! The story of one lead: each of its events, what that brought and why, what time did in between, and at the end why
//! it is not further. As data ([`Story`]), and as text ([`text`]).
//!
//! Everything is asked of the engine: the lead is played through a partition of its own ([`walk`]), and what changed is
//! read off it before and after each input ([`chapter`]). [`because`] has the words for conditions, [`words`] those for
//! times and numbers.

pub mod because;
mod chapter;
mod ending;
pub mod text;
pub mod walk;
pub mod words;

use crate::records::{Moment, Shown};
use serde::Serialize;
use serde_json::Value;

pub use ending::standing;
pub use walk::{Teller, tell};

/// The story of one lead.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Story {
    pub lead: String,
    pub model: String,
    pub version: u64,
    /// In the order of the lead's clock.
    pub chapters: Vec<Chapter>,
    /// How it stands at the end; none if no event of it came.
    pub ending: Option<Ending>,
    /// Lines that were not of this lead.
    pub other_lines: u64,
}

/// One input of the lead: an event, or a second at which time alone brought something about.
#[derive(Debug, Clone, Serialize)]
pub struct Chapter {
    /// The lead's clock.
    pub at: Moment,
    pub cause: Cause,
    /// What time did to scores since the chapter before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by_time: Vec<Change>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub traits: Vec<TraitChange>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gains: Vec<Gain>,
    /// What the event did to scores.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Transitions, alerts and SLAs, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub happened: Vec<Happened>,
    /// The stage at the end of the chapter.
    pub stage: String,
}

/// What a chapter follows from.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Cause {
    Time,
    Event(Told),
}

/// An event as the story tells it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Told {
    /// Line of the input, from 1.
    pub line: u64,
    /// What it is, in a few words: `page /pricing`.
    pub what: String,
    /// When it happened, if that is not the lead's clock: it came late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub happened_at: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    pub outcome: &'static str,
    /// Of a rejected event what is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Labels of the signals that it matched.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signals: Vec<String>,
    /// The channel of which it was a touch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
}

/// A trait that an event changed.
#[derive(Debug, Clone, Serialize)]
pub struct TraitChange {
    pub name: String,
    /// Null: it was not known.
    pub before: Value,
    /// Null: it was removed.
    pub after: Value,
}

/// What a signal of an event brought to a group of a score.
#[derive(Debug, Clone, Serialize)]
pub struct Gain {
    pub score: String,
    pub group: String,
    pub label: String,
    /// What the model gives for it.
    pub points: Shown,
    /// By how much the signal's worth in the group has changed.
    pub adds: Shown,
    pub counted: bool,
    /// Why it does not count, or adds something else than its points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A score that changed.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    pub score: String,
    pub before: Shown,
    pub after: Shown,
    pub grade_before: Option<String>,
    pub grade_after: Option<String>,
    /// Its groups, criteria and other parts that changed.
    pub parts: Vec<PartChange>,
    /// Its range, if that cuts something off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A part of a score that changed.
#[derive(Debug, Clone, Serialize)]
pub struct PartChange {
    pub part: String,
    pub before: Shown,
    pub after: Shown,
    /// How it decays, what its range cuts off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Something that happened: a record, or what leaves none (an SLA starts, an alert is re-armed, a transition waits).
#[derive(Debug, Clone, Serialize)]
pub struct Happened {
    pub what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// The record as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Value>,
}

/// How the lead stands at the end.
#[derive(Debug, Clone, Serialize)]
pub struct Ending {
    pub at: Moment,
    /// Stage and scores with what they are made of, line by line.
    pub standing: Vec<String>,
    /// For each transition out of the stage what it lacks.
    pub not_further: Vec<NotFurther>,
    /// What time alone will bring.
    pub outlook: Vec<Outlook>,
    /// All of it as data.
    pub view: Value,
}

/// A transition that did not fire.
#[derive(Debug, Clone, Serialize)]
pub struct NotFurther {
    pub transition: String,
    pub to: String,
    /// What is still missing.
    pub lacks: Vec<String>,
    /// What holds already.
    pub holds: Vec<String>,
    /// Labels of signals of which one more, now, would do.
    pub would_do: Vec<String>,
}

/// Something that time alone will bring.
#[derive(Debug, Clone, Serialize)]
pub struct Outlook {
    pub at: Moment,
    pub what: String,
}

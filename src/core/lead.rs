//! A lead as it is worked on. Between inputs it is only its bytes (see [`super::codec`]).

use super::bits::Bits;
use super::message_ids::MessageIds;
use super::pool::{List, Pool};
use crate::model::compiled::{
    AlertId, ChannelId, ContributionId, ScoreId, SeenId, SlaId, StageId, TraitId, TransitionId,
};

/// Transitions that a lead remembers, for the story that people ask for.
pub const HISTORY: usize = 8;

/// Everything that is known of one lead. Decoded into, changed, encoded from; its buffers are reused.
#[derive(Debug, Clone, Default)]
pub struct Lead {
    /// Records that this lead has sent.
    pub seq: u64,
    /// The largest of its event times and of the due times fired for it, ms.
    pub clock: i64,
    /// The smallest event time, ms.
    pub first_seen: i64,
    /// The largest event time of an activity, ms.
    pub last_activity: Option<i64>,
    /// The clock when it entered its stage, ms.
    pub entered_at: i64,
    pub stage: StageId,
    pub identified: bool,
    /// Stages that it has been in.
    pub been_in: Bits,
    /// Transitions that fired by time since the last event.
    pub fired_by_time: Bits,
    /// `on` transitions that only `requires` holds back.
    pub pending: Bits,
    /// Facts that hold of its traits.
    pub facts: Bits,
    /// When scores were last reset.
    pub resets: Vec<Reset>,
    /// Sorted by id.
    pub held: Vec<Held>,
    /// Sorted by id.
    pub seen: Vec<SeenHeld>,
    /// Sorted by id.
    pub traits: Vec<TraitHeld>,
    /// In the order of arrival.
    pub touches: Vec<Touch>,
    /// Alerts that are disarmed or have fired, sorted by id.
    pub alerts: Vec<AlertHeld>,
    /// Running SLAs, sorted by id.
    pub slas: Vec<SlaHeld>,
    /// The message ids that arrived last.
    pub message_ids: MessageIds,
    /// The last score record that was sent.
    pub sent: Option<SentAt>,
    /// Its scores and grades, by score; empty without `sent`.
    pub sent_scores: Vec<SentScore>,
    /// The traits that it said were missing.
    pub sent_missing: Bits,
    /// The last transitions, oldest first.
    pub history: Vec<Past>,

    /// The counted occurrences that `at_most … per` looks at.
    pub times: Pool<i64>,
    /// Occurrences of lifespans and windows, by slot.
    pub slots: Pool<Slot>,
    pub sightings: Pool<Sighting>,
    /// The bytes of trait values: compact JSON.
    pub text: Pool<u8>,
    /// Where a trait's compact JSON is written before it is compared.
    pub json: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reset {
    pub score: ScoreId,
    /// Contributions with event time up to here do not count.
    pub until: i64,
}

/// What one signal has brought to one group of one score.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    pub id: ContributionId,
    /// Without decay the sum of points; with a half-life their worth at `last_at`; unused with slots.
    pub value: f64,
    /// Counted occurrences (since a reset).
    pub count: u32,
    /// The latest event time of a counted occurrence.
    pub last_at: i64,
    /// Event times of the latest counted occurrences, ascending, for `at_most … per`.
    pub times: List<i64>,
    /// For lifespans and windows, ascending.
    pub slots: List<Slot>,
}

/// Occurrences of one slot of a lifespan or window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slot {
    /// The latest of their event times.
    pub time: i64,
    pub points: f64,
    pub count: u32,
}

#[derive(Debug, Clone, Copy)]
pub struct SeenHeld {
    pub id: SeenId,
    /// Occurrences so far, at most as many as are asked for; used where times are not needed.
    pub count: u32,
    /// The sightings' values are hashes (else 0).
    pub hashed: bool,
    /// The most recent ones, oldest first; empty where a count is enough.
    pub sightings: List<Sighting>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sighting {
    pub time: i64,
    /// The hash of the distinct value, or 0.
    pub value: u64,
}

#[derive(Debug, Clone, Copy)]
pub struct TraitHeld {
    pub id: TraitId,
    /// Event time of the value.
    pub time: i64,
    /// Compact JSON; empty: removed.
    pub text: List<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Touch {
    pub channel: ChannelId,
    pub time: i64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlertHeld {
    pub id: AlertId,
    pub disarmed: bool,
    /// The clock when it last fired.
    pub fired_at: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlaHeld {
    pub id: SlaId,
    pub started_at: i64,
    /// `due` has been sent.
    pub due_sent: bool,
    /// `past_due` has been sent.
    pub past_due_sent: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SentAt {
    pub at: i64,
    pub stage: StageId,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SentScore {
    /// Rounded to 6 decimals.
    pub value: f64,
    /// Index into the score's grades.
    pub grade: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Past {
    pub transition: TransitionId,
    pub from: StageId,
    pub at: i64,
}

impl Lead {
    /// Empties it, keeping the buffers.
    pub fn clear(&mut self) {
        self.seq = 0;
        self.clock = 0;
        self.first_seen = 0;
        self.last_activity = None;
        self.entered_at = 0;
        self.stage = 0;
        self.identified = false;
        self.sent = None;
        for bits in [
            &mut self.been_in,
            &mut self.fired_by_time,
            &mut self.pending,
            &mut self.facts,
            &mut self.sent_missing,
        ] {
            bits.clear();
        }
        self.resets.clear();
        self.held.clear();
        self.seen.clear();
        self.traits.clear();
        self.touches.clear();
        self.alerts.clear();
        self.slas.clear();
        self.message_ids.clear();
        self.sent_scores.clear();
        self.history.clear();
        self.times.clear();
        self.slots.clear();
        self.sightings.clear();
        self.text.clear();
    }

    /// Contributions to this score with an event time up to here do not count.
    pub fn reset_until(&self, score: ScoreId) -> Option<i64> {
        self.resets.iter().find(|reset| reset.score == score).map(|reset| reset.until)
    }

    pub fn trait_held(&self, id: TraitId) -> Option<&TraitHeld> {
        self.traits.binary_search_by_key(&id, |held| held.id).ok().map(|at| &self.traits[at])
    }

    /// The trait's compact JSON; `None` if it is missing or removed.
    pub fn trait_text(&self, id: TraitId) -> Option<&[u8]> {
        self.trait_held(id).map(|held| self.text.get(held.text)).filter(|text| !text.is_empty())
    }

    pub fn alert(&self, id: AlertId) -> AlertHeld {
        match self.alerts.binary_search_by_key(&id, |held| held.id) {
            Ok(at) => self.alerts[at],
            Err(_) => AlertHeld { id, disarmed: false, fired_at: None },
        }
    }

    pub fn set_alert(&mut self, held: AlertHeld) {
        match self.alerts.binary_search_by_key(&held.id, |known| known.id) {
            Ok(at) => self.alerts[at] = held,
            Err(at) => self.alerts.insert(at, held),
        }
    }

    pub fn sla(&self, id: SlaId) -> Option<&SlaHeld> {
        self.slas.binary_search_by_key(&id, |held| held.id).ok().map(|at| &self.slas[at])
    }

    pub fn remember(&mut self, past: Past) {
        if self.history.len() == HISTORY {
            self.history.remove(0);
        }
        self.history.push(past);
    }
}

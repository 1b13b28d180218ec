//! The leads of one input partition: their bytes, their timers, the stream time (SPEC §7).

use super::apply::Dedup;
use super::census::Census;
use super::codec::{self, Corrupt};
use super::effects::Effects;
use super::facts::Fact;
use super::leads::{Cause, Leads};
use super::rules::{InHand, Rules};
use super::settle::Settling;
use super::tables::Tables;
use super::versions::Versions;
use crate::event::scan::{Scan, Scanner};
use crate::event::{EventLimits, Kind, Rejection, Value};
use crate::model::Model;
use crate::model::compiled::{ChannelId, SignalId};
use std::borrow::Cow;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

pub use super::effects::{Output, Topic};
pub use super::leads::{Budget, Change, Last};
pub use super::store::NEVER;

/// What one record came to: the label of a counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It matched a signal, was a touch, changed a kept trait, or identified the lead.
    Applied,
    /// Valid, but the model does not care.
    Ignored,
    /// The lead saw this message id before. Nothing changes.
    Duplicate,
    /// Spend for a channel; no input to a lead.
    Spend,
    /// A null value.
    Tombstone,
    Rejected(Rejection),
}

/// The record's own timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timestamp {
    /// Milliseconds since the epoch.
    At(i64),
    /// Kafka's −1: it has none.
    None,
    /// Offline: `receivedAt` if readable, else the event's time (SPEC §10).
    Received,
}

/// One input record.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// `None`: a tombstone.
    pub value: Option<&'a [u8]>,
    pub timestamp: Timestamp,
}

/// Limits of SPEC §11 that decide about records and leads.
#[derive(Debug, Clone)]
pub struct Limits {
    pub event: EventLimits,
    pub dedup: Dedup,
    /// How long after a due time's second, in stream time, it fires for an idle lead, ms.
    pub grace_ms: i64,
    /// How long a lead without events, due times and running SLAs is kept, ms; `None`: for ever.
    pub retention_ms: Option<i64>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            event: EventLimits { event_bytes: 262_144, future_skew_ms: 5 * 60_000 },
            dedup: Dedup { window_ms: 24 * 3_600_000, ids: 64 },
            grace_ms: 10_000,
            retention_ms: None,
        }
    }
}

/// How often leads were looked at by time, and in vain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wakes {
    pub all: u64,
    /// Nothing was due: the deadline had moved out since the lead was armed.
    pub idle: u64,
}

/// The leads of one partition.
#[derive(Debug)]
pub struct Partition {
    rules: Arc<Rules>,
    limits: Limits,
    scanner: Scanner,
    lowercase: String,
    matched: Vec<SignalId>,
    leads: Leads,
}

impl Partition {
    pub fn new(rules: Arc<Rules>, limits: Limits) -> Partition {
        let leads = Leads::new(&rules);
        Partition {
            rules,
            limits,
            scanner: Scanner::default(),
            lowercase: String::new(),
            matched: Vec::new(),
            leads,
        }
    }

    /// Notes changes from now on, so that they can be committed or taken back.
    pub fn track_changes(&mut self) {
        self.leads.changes.track();
    }

    /// Applies one record: fires what it ripens, then judges it. `wall_ms` caps the stream time (`None`: offline).
    /// Effects are appended.
    pub fn apply(&mut self, record: Record<'_>, wall_ms: Option<i64>, effects: &mut Effects) -> Outcome {
        loop {
            if let Some(outcome) = self.apply_within(record, wall_ms, &mut Budget::MAX.clone(), effects) {
                return outcome;
            }
        }
    }

    /// As [`Partition::apply`], but `None` if `budget`, leads to be looked at by time, ended among the due times that
    /// come before the record: commit or poll, then come again with the same record.
    pub fn apply_within(
        &mut self,
        record: Record<'_>,
        wall_ms: Option<i64>,
        budget: &mut Budget,
        effects: &mut Effects,
    ) -> Option<Outcome> {
        // What the clock of an idle partition has made ripe comes before the record that ends the idleness.
        if self.leads.left_over() == Some(Cause::Clock) && !self.advance(budget, effects) {
            return None;
        }
        let Some(value) = record.value else { return Some(Outcome::Tombstone) };
        let rules = &*self.rules;
        let scan = match self.scanner.scan(&rules.plan, &self.limits.event, value) {
            Ok(scan) => scan,
            Err(rejection) => return Some(Outcome::Rejected(rejection)),
        };
        if is_spend(rules, &scan) {
            note_spend(&rules.model, &scan, effects);
            return Some(Outcome::Spend);
        }
        let event = match scan.event(&self.limits.event, record_time(record.timestamp, &scan)) {
            Ok(event) => event,
            Err(rejection) => return Some(Outcome::Rejected(rejection)),
        };
        rules.matched(&scan, &mut self.lowercase, &mut self.matched);
        let activity = self.matched.iter().any(|&id| rules.model.signals[usize::from(id)].activity);
        let in_hand = InHand { event: &event, matched: &self.matched, activity };
        self.leads.event(rules, &self.limits, &in_hand, wall_ms, budget, effects)
    }

    /// Fires every due time up to `until_ms`, without grace (SPEC §10, `--until`).
    pub fn advance_until(&mut self, until_ms: i64, effects: &mut Effects) {
        let horizon = until_ms.div_euclid(1000);
        while !self.ripen(horizon, &mut Budget::MAX.clone(), effects) {}
    }

    /// The partition has stayed empty: its stream time goes on with the wall clock (SPEC §7), and what is ripe fires.
    /// `false`: `budget` ended before all of it; come again.
    pub fn advance_clock(&mut self, wall_ms: i64, budget: &mut Budget, effects: &mut Effects) -> bool {
        self.leads.stream_time = self.leads.stream_time.max(wall_ms);
        self.advance(budget, effects)
    }

    /// Fires what is ripe at the stream time. `false`: `budget` ended before all of it; come again.
    pub fn advance(&mut self, budget: &mut Budget, effects: &mut Effects) -> bool {
        self.ripen(self.leads.horizon(&self.limits), budget, effects)
    }

    fn ripen(&mut self, horizon: i64, budget: &mut Budget, effects: &mut Effects) -> bool {
        if !self.leads.has_ripe(horizon) {
            return true;
        }
        self.leads.ripen(&self.rules, &self.limits, horizon, Cause::Clock, None, budget, effects)
    }

    /// What made the due times ripe that are left over since a budget ended.
    pub fn left_over(&self) -> Option<Cause> {
        self.leads.left_over()
    }

    /// Every lead's score record as of the largest of `at_ms` and its clock, ordered by the bytes of the lead id; it
    /// changes nothing. Calls `send` for each, so that memory does not grow.
    pub fn score_records(&mut self, at_ms: i64, effects: &mut Effects, mut send: impl FnMut(&mut Effects)) {
        let store = &self.leads.store;
        let mut leads: Vec<(String, &[u8])> = store
            .all()
            .map(|bytes| {
                let mut id = String::new();
                codec::read_id(bytes, &mut id).expect("bytes in the store begin with an id");
                (id, bytes)
            })
            .collect();
        leads.sort_unstable();
        for (_, bytes) in leads {
            let hand = &mut self.leads.own;
            hand.take(&self.rules, &mut self.leads.versions, bytes);
            hand.lead.clock = hand.lead.clock.max(at_ms);
            Settling::new(&self.rules, &mut hand.lead, &hand.id, None, &mut self.leads.scratch, effects)
                .send_score_record();
            send(effects);
        }
    }

    /// The bytes of every lead: with the stream time all that a partition has to keep.
    pub fn lead_bytes(&self) -> impl Iterator<Item = &[u8]> {
        self.leads.store.all()
    }

    /// Puts a lead back whose bytes were kept; one that is there already is replaced.
    ///
    /// # Errors
    /// If the bytes are not those of a lead of this model.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), Corrupt> {
        self.leads.restore(&self.rules, &self.limits, bytes)
    }

    /// Removes a lead again whose bytes were kept once, by their beginning (see [`codec::write_prefix`]).
    pub fn restore_removed(&mut self, prefix: &[u8]) -> Result<(), Corrupt> {
        self.leads.restore_removed(prefix)
    }

    /// Takes up the name tables that were kept with the leads, before [`Partition::finish_restore`]. Returns those of the
    /// present model with their number if they have to be kept too.
    pub fn restore_versions(&mut self, kept: Vec<(u32, Tables)>) -> Option<(u32, &Tables)> {
        self.leads.versions.restore(kept, &self.rules)
    }

    /// Puts a lead back by bytes that [`Partition::finish_restore`] checks once all are there, and the second for which
    /// it was armed ([`NEVER`]: for none).
    ///
    /// # Errors
    /// If they do not begin as a lead's bytes do.
    pub fn restore_unchecked(&mut self, bytes: &[u8], armed: i64) -> Result<(), Corrupt> {
        self.leads.restore_unchecked(bytes, armed)
    }

    /// Checks the leads that were put back, and arms them: as they were if the same model did it (`same_model`), else
    /// anew.
    ///
    /// # Errors
    /// If the bytes of one are not those of a lead.
    pub fn finish_restore(&mut self, same_model: bool) -> Result<(), Corrupt> {
        self.leads.finish_restore(&self.rules, &self.limits, same_model)
    }

    /// The lead with a number, for copying all of them bit by bit: its bytes, and the second for which it is armed.
    /// `None`: no lead has this number or a later one; `Some(None)`: none has it just now.
    pub fn lead_numbered(&self, number: u32) -> Option<Option<(&[u8], i64)>> {
        let store = &self.leads.store;
        (number < store.numbers_end())
            .then(|| store.is_there(number).then(|| (store.bytes(store.get(number)), store.armed(number))))
    }

    /// As [`Partition::lead_numbered`], a copy of the bytes alone, as the present model writes them.
    pub fn lead_copied(&self, number: u32) -> Option<Option<Vec<u8>>> {
        let bytes = self
            .lead_numbered(number)?
            .and_then(|(bytes, _)| self.leads.versions.renewed(&self.rules, bytes));
        Some(bytes.map(Cow::into_owned))
    }

    /// Goes on by another version of the model, between two records. Its name tables are among [`Partition::versions`].
    pub fn change_model(&mut self, rules: Arc<Rules>) {
        self.rules = rules;
        self.leads.change_model(&self.rules, &self.limits);
    }

    /// The versions of the model that leads refer to.
    pub fn versions(&self) -> &Versions {
        &self.leads.versions
    }

    pub fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    /// The leads that changed since the last [`Partition::hand_over`].
    pub fn changed(&self) -> impl Iterator<Item = Change<'_>> {
        self.leads.changed()
    }

    /// How many leads changed since the last [`Partition::hand_over`].
    pub fn changed_count(&self) -> usize {
        self.leads.changes.len()
    }

    /// What changed is being committed; later changes belong to the next commit.
    pub fn hand_over(&mut self) {
        self.leads.changes.hand_over();
    }

    /// What was handed over is committed.
    pub fn committed(&mut self) {
        self.leads.settled();
    }

    /// Nothing since the last commit took place: goes back to the leads, the stream time and the due times left over of
    /// then (see [`Partition::restore_stream_time`]).
    pub fn roll_back(&mut self, stream_time_ms: i64, left_over_event: bool) {
        self.leads.roll_back(&self.rules, &self.limits);
        self.restore_stream_time(stream_time_ms, left_over_event);
    }

    /// Goes on from a stream time that was kept. `left_over_event`: due times were left over because of an event
    /// ([`Partition::left_over`]), which will come again; other ones that are left over come before any event.
    pub fn restore_stream_time(&mut self, stream_time_ms: i64, left_over_event: bool) {
        self.leads.stream_time = stream_time_ms;
        self.leads.go_on_from(if left_over_event { Cause::Event } else { Cause::Clock });
    }

    /// The largest min(event time, record's timestamp, wall clock) seen, ms.
    pub fn stream_time_ms(&self) -> i64 {
        self.leads.stream_time
    }

    /// Leads that were dropped after their retention.
    pub fn forgotten(&self) -> u64 {
        self.leads.forgotten
    }

    /// How many leads there are.
    pub fn len(&self) -> usize {
        self.leads.store.len()
    }

    pub fn is_empty(&self) -> bool {
        self.leads.store.is_empty()
    }

    /// How many leads are where.
    pub fn census(&self) -> &Census {
        &self.leads.census
    }

    /// The bytes of the lead with this id, as the present model writes them.
    pub fn lead(&self, id: &str) -> Option<Cow<'_, [u8]>> {
        let mut prefix = Vec::new();
        codec::write_prefix(&mut prefix, id);
        let found = self.leads.store.find(xxh3_64(&prefix), &prefix)?;
        self.leads.versions.renewed(&self.rules, self.leads.store.bytes(found))
    }

    /// What is notable of the event that was applied last ([`Outcome::Applied`] or [`Outcome::Ignored`]).
    pub fn last(&self) -> Last {
        self.leads.last
    }

    /// How many timers are armed, stale ones included, and how many leads wait for their turn although they are ripe.
    pub fn timers(&self) -> (usize, usize) {
        (self.leads.timers.len(), self.leads.late_timers())
    }

    pub fn wakes(&self) -> Wakes {
        self.leads.wakes
    }

    /// Heap bytes of the leads: blocks, entries, index, timers.
    pub fn heap_bytes(&self) -> [usize; 4] {
        let [blocks, entries, index] = self.leads.store.heap_bytes();
        [blocks, entries, index, self.leads.timers.bytes()]
    }
}

/// Spend needs no lead and no time, but a track always needs its name.
fn is_spend(rules: &Rules, scan: &Scan<'_>) -> bool {
    let named = scan.kind() != Kind::Track || scan.name().is_some();
    named && rules.model.spend.as_ref().is_some_and(|spend| spend.matcher.matches(scan))
}

fn note_spend(model: &Model, scan: &Scan<'_>, effects: &mut Effects) {
    let Some(spend) = &model.spend else { return };
    let amount = scan.number(spend.amount).filter(|&amount| amount >= 0.0);
    let (Some(Value::String(channel)), Some(amount)) = (scan.scalar(spend.channel), amount) else {
        return effects.note(Fact::UnusableSpend);
    };
    // Those that the model does not name are one: what a sender makes up must not become ever more time series.
    let channels = model.attribution.iter().flat_map(|attribution| &attribution.channels);
    let named = channels.into_iter().position(|known| known.name.eq_ignore_ascii_case(&channel));
    effects.note(Fact::Spend { channel: named.map(|at| at as ChannelId), amount });
}

fn record_time(timestamp: Timestamp, scan: &Scan<'_>) -> Option<i64> {
    match timestamp {
        Timestamp::At(ms) => Some(ms),
        Timestamp::None => None,
        Timestamp::Received => scan.received_at_ms(),
    }
}

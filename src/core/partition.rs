//! The leads of one input partition: their bytes, their timers, the stream time (SPEC §7).

use super::apply::{self, Dedup};
use super::codec::{self, Corrupt, Told};
use super::due::{Due, first_due, is_due, near_due, next_second};
use super::effects::Effects;
use super::lead::Lead;
use super::memo::Memo;
use super::rules::{InHand, Rules};
use super::settle::{Scratch, Settling};
use super::store::{NEVER, Store};
use super::timers::Timers;
use crate::event::scan::{Scan, Scanner};
use crate::event::{Event, EventLimits, Kind, Rejection};
use crate::model::compiled::SignalId;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

pub use super::effects::{Output, Topic};

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
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            event: EventLimits { event_bytes: 262_144, future_skew_ms: 5 * 60_000 },
            dedup: Dedup { window_ms: 24 * 3_600_000, ids: 64 },
            grace_ms: 10_000,
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

/// State and the buffers to work on it.
#[derive(Debug, Default)]
struct Leads {
    store: Store,
    timers: Timers,
    /// The largest min(event time, record's timestamp, wall clock) seen, ms.
    stream_time: i64,
    wakes: Wakes,
    own: Hand,
    other: Hand,
    scratch: Scratch,
    woken: Vec<u32>,
    due: Vec<(String, u32)>,
}

/// A lead taken out of the store, and the buffers for putting it back.
#[derive(Debug, Default)]
struct Hand {
    lead: Lead,
    id: String,
    told: Told,
    bytes: Vec<u8>,
}

impl Hand {
    fn take(&mut self, rules: &Rules, bytes: &[u8]) {
        let decoded = codec::decode(bytes, &rules.bounds, &mut self.lead, &mut self.told, &mut self.id);
        decoded.expect("bytes in the store were written by this model or checked when they were restored");
    }

    /// The lead's bytes as they are now.
    fn encode(&mut self, rules: &Rules) -> &[u8] {
        self.bytes.clear();
        codec::write_prefix(&mut self.bytes, &self.id);
        codec::encode(&self.lead, rules.tables, &mut self.told, &mut self.bytes);
        &self.bytes
    }
}

impl Partition {
    pub fn new(rules: Arc<Rules>, limits: Limits) -> Partition {
        Partition {
            rules,
            limits,
            scanner: Scanner::default(),
            lowercase: String::new(),
            matched: Vec::new(),
            leads: Leads::default(),
        }
    }

    /// Applies one record: fires what it ripens, then judges it. `wall_ms` caps the stream time (`None`: offline).
    /// Effects are appended.
    pub fn apply(&mut self, record: Record<'_>, wall_ms: Option<i64>, effects: &mut Effects) -> Outcome {
        let Some(value) = record.value else { return Outcome::Tombstone };
        let rules = &*self.rules;
        let scan = match self.scanner.scan(&rules.plan, &self.limits.event, value) {
            Ok(scan) => scan,
            Err(rejection) => return Outcome::Rejected(rejection),
        };
        if is_spend(rules, &scan) {
            return Outcome::Spend;
        }
        let event = match scan.event(&self.limits.event, record_time(record.timestamp, &scan)) {
            Ok(event) => event,
            Err(rejection) => return Outcome::Rejected(rejection),
        };
        rules.matched(&scan, &mut self.lowercase, &mut self.matched);
        let activity = self.matched.iter().any(|&id| rules.model.signals[usize::from(id)].activity);
        let in_hand = InHand { event: &event, matched: &self.matched, activity };
        self.leads.event(rules, &self.limits, &in_hand, wall_ms, effects)
    }

    /// Fires every due time up to `until_ms`, without grace (SPEC §10, `--until`).
    pub fn advance_until(&mut self, until_ms: i64, effects: &mut Effects) {
        self.leads.ripen(&self.rules, until_ms.div_euclid(1000), None, effects);
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
            hand.take(&self.rules, bytes);
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
        let Leads { store, timers, own, scratch, .. } = &mut self.leads;
        codec::decode(bytes, &self.rules.bounds, &mut own.lead, &mut own.told, &mut own.id)?;
        own.lead.message_ids.check()?;
        own.bytes.clear();
        codec::write_prefix(&mut own.bytes, &own.id);
        // Another spelling of the id would never be found again.
        if !bytes.starts_with(&own.bytes) {
            return Err(Corrupt("an id in another form than the usual one"));
        }
        let hash = xxh3_64(own.id.as_bytes());
        let number = match store.find(hash, &own.bytes) {
            Some(found) => {
                store.replace(found, bytes);
                store.arm(found.lead, NEVER);
                found.lead
            }
            None => store.insert(hash, bytes),
        };
        let from = next_second(&own.lead);
        arm_exactly(&self.rules, store, timers, &mut scratch.memo, number, &own.lead, from);
        Ok(())
    }

    /// Goes on from a stream time that was kept.
    pub fn restore_stream_time(&mut self, stream_time_ms: i64) {
        self.leads.stream_time = stream_time_ms;
    }

    /// The largest min(event time, record's timestamp, wall clock) seen, ms.
    pub fn stream_time_ms(&self) -> i64 {
        self.leads.stream_time
    }

    /// How many leads there are.
    pub fn len(&self) -> usize {
        self.leads.store.len()
    }

    pub fn is_empty(&self) -> bool {
        self.leads.store.is_empty()
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

fn record_time(timestamp: Timestamp, scan: &Scan<'_>) -> Option<i64> {
    match timestamp {
        Timestamp::At(ms) => Some(ms),
        Timestamp::None => None,
        Timestamp::Received => scan.received_at_ms(),
    }
}

impl Leads {
    fn event(
        &mut self,
        rules: &Rules,
        limits: &Limits,
        in_hand: &InHand<'_>,
        wall_ms: Option<i64>,
        effects: &mut Effects,
    ) -> Outcome {
        let event = in_hand.event;
        let hash = xxh3_64(event.lead.as_bytes());
        self.own.bytes.clear();
        codec::write_prefix(&mut self.own.bytes, event.lead);
        let known = self.store.find(hash, &self.own.bytes);
        if let Some(found) = known {
            self.own.take(rules, self.store.bytes(found));
            if limits.dedup.is_duplicate(&self.own.lead, event) {
                return Outcome::Duplicate;
            }
        }
        let horizon = self.move_stream_time(limits, event, wall_ms);
        if self.timers.may_be_due(horizon) {
            self.ripen(rules, horizon, known.map(|found| found.lead), effects);
        }
        match known {
            Some(found) => self.fire_own(rules, Some(found.lead), event.time_ms.div_euclid(1000), effects),
            None => {
                self.own.id.clear();
                self.own.id.push_str(event.lead);
                apply::begin(rules, &mut self.own.lead, event.time_ms);
            }
        }
        let applied = apply::apply(rules, &limits.dedup, &mut self.own.lead, in_hand);
        self.settle_own(rules, Some(*in_hand), effects);
        self.fire_own(rules, None, horizon, effects);
        let bytes = self.own.encode(rules);
        let number = match known {
            Some(found) => {
                self.store.replace(found, bytes);
                found.lead
            }
            None => self.store.insert(hash, bytes),
        };
        arm(rules, &mut self.store, &mut self.timers, &mut self.scratch.memo, number, &self.own.lead);
        if applied { Outcome::Applied } else { Outcome::Ignored }
    }

    /// Moves the stream time on and returns the last second that is ripe for idle leads.
    fn move_stream_time(&mut self, limits: &Limits, event: &Event<'_>, wall_ms: Option<i64>) -> i64 {
        let caps = [event.record_time_ms, wall_ms];
        let time = caps.into_iter().flatten().fold(event.time_ms, i64::min);
        self.stream_time = self.stream_time.max(time);
        (self.stream_time - limits.grace_ms).div_euclid(1000)
    }

    fn settle_own(&mut self, rules: &Rules, in_hand: Option<InHand<'_>>, effects: &mut Effects) -> bool {
        let Hand { lead, id, .. } = &mut self.own;
        Settling::new(rules, lead, id, in_hand, &mut self.scratch, effects).run()
    }

    /// Fires the due times up to `last` of the lead in hand. A lead in the store (`known`) that is armed for later has
    /// none: it is never armed too late.
    fn fire_own(&mut self, rules: &Rules, known: Option<u32>, last: i64, effects: &mut Effects) {
        if known.is_some_and(|number| self.store.armed(number) > last) {
            return;
        }
        let mut from = next_second(&self.own.lead);
        while let Some(due) = first_due(rules, &self.own.lead, &mut self.scratch.memo, from, last) {
            from = due.second;
            if due.certain {
                self.own.lead.clock = due.second * 1000;
                self.settle_own(rules, None, effects);
                from += 1;
            }
        }
    }

    /// Fires the due times up to the second `horizon` in order of (due, lead id), but those of the lead `own`.
    fn ripen(&mut self, rules: &Rules, horizon: i64, own: Option<u32>, effects: &mut Effects) {
        let mut woken = std::mem::take(&mut self.woken);
        while let Some(second) = self.timers.pop(horizon, &mut woken, |lead| self.store.armed(lead)) {
            for number in woken.drain(..) {
                self.wake(rules, number, second, own);
            }
            let mut due = std::mem::take(&mut self.due);
            due.sort_unstable();
            for (_, number) in due.drain(..) {
                self.fire_other(rules, number, second, effects);
            }
            self.due = due;
        }
        self.woken = woken;
    }

    /// Looks at a lead whose timer went off: due now, or armed anew.
    fn wake(&mut self, rules: &Rules, number: u32, second: i64, own: Option<u32>) {
        if self.store.armed(number) > second {
            return;
        }
        if own == Some(number) {
            // It is looked at with its own event; a timer of its own is not needed before that. Its entry is gone.
            self.store.arm(number, second);
            return;
        }
        self.wakes.all += 1;
        let Leads { store, timers, other, scratch, .. } = self;
        other.take(rules, store.bytes(store.get(number)));
        store.arm(number, NEVER);
        scratch.memo.clear();
        let due = other.lead.clock < second * 1000 && is_due(rules, &other.lead, &mut scratch.memo, second);
        if due {
            self.due.push((other.id.clone(), number));
        } else {
            self.wakes.idle += 1;
            // From here on, not from the lead's clock: a search that stopped early must come further each time.
            arm_exactly(rules, store, timers, &mut scratch.memo, number, &other.lead, second + 1);
        }
    }

    fn fire_other(&mut self, rules: &Rules, number: u32, second: i64, effects: &mut Effects) {
        let Leads { store, timers, other, scratch, .. } = self;
        other.take(rules, store.bytes(store.get(number)));
        other.lead.clock = second * 1000;
        Settling::new(rules, &mut other.lead, &other.id, None, scratch, effects).run();
        store.replace(store.get(number), other.encode(rules));
        arm_exactly(rules, store, timers, &mut scratch.memo, number, &other.lead, second + 1);
    }
}

/// Arms a lead after its own event, for a second that may be early.
fn arm(rules: &Rules, store: &mut Store, timers: &mut Timers, memo: &mut Memo, number: u32, lead: &Lead) {
    arm_by(store, timers, number, next_second(lead), |from, to| near_due(rules, lead, memo, from, to));
}

/// Arms a lead for its first due second from `from` on, exactly: time has woken it, so no event may come before that.
fn arm_exactly(
    rules: &Rules,
    store: &mut Store,
    timers: &mut Timers,
    memo: &mut Memo,
    number: u32,
    lead: &Lead,
    from: i64,
) {
    let from = from.max(next_second(lead));
    arm_by(store, timers, number, from, |from, to| first_due(rules, lead, memo, from, to));
}

/// One that is armed for an earlier second, in which nothing happens, is left: it will be looked at then.
fn arm_by(
    store: &mut Store,
    timers: &mut Timers,
    number: u32,
    from: i64,
    mut due: impl FnMut(i64, i64) -> Option<Due>,
) {
    let armed = store.armed(number);
    let armed_later = armed != NEVER && armed >= from;
    match due(from, if armed_later { armed - 1 } else { NEVER }) {
        Some(Due { second, .. }) => {
            store.arm(number, second);
            timers.insert(number, second);
        }
        None if armed_later => {}
        None => store.arm(number, NEVER),
    }
}

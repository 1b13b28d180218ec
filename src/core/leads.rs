//! The leads of a partition: an event changes one, time changes those that are due.

use super::apply;
use super::census::{Census, Mark};
use super::changes::Changes;
use super::codec::{self, Corrupt, Told};
use super::due::{Due, first_due, is_due, near_due, next_second};
use super::effects::Effects;
use super::lead::Lead;
use super::memo::Memo;
use super::partition::{Limits, Outcome, Wakes};
use super::rules::{InHand, Rules};
use super::settle::{Scratch, Settling};
use super::store::{Found, NEVER, Store};
use super::timers::Timers;
use super::versions::Versions;
use crate::event::Event;
use xxhash_rust::xxh3::xxh3_64;

/// How many leads may be looked at by time before the caller gets a turn.
pub type Budget = usize;

/// State and the buffers to work on it.
#[derive(Debug)]
pub struct Leads {
    pub store: Store,
    pub versions: Versions,
    pub changes: Changes,
    pub timers: Timers,
    /// The largest min(event time, record's timestamp, wall clock) seen, ms.
    pub stream_time: i64,
    pub wakes: Wakes,
    /// Leads dropped after their retention.
    pub forgotten: u64,
    pub census: Census,
    pub last: Last,
    pub own: Hand,
    pub scratch: Scratch,
    other: Hand,
    ripening: Ripening,
}

/// A lead taken out of the store, and the buffers for putting it back.
#[derive(Debug, Default)]
pub struct Hand {
    pub lead: Lead,
    pub id: String,
    pub told: Told,
    pub bytes: Vec<u8>,
    /// What the census has of it.
    mark: Mark,
}

/// The second whose due times are being fired; it may be left in the middle, so that a commit can fall there.
#[derive(Debug, Default)]
struct Ripening {
    second: i64,
    /// Leads whose timers went off, to be looked at.
    woken: Vec<u32>,
    /// Those that are due, the one to fire next at the end.
    due: Vec<(String, u32)>,
    /// `due` is whole and in order.
    sorted: bool,
    /// What made them ripe; none: nothing is left over.
    cause: Option<Cause>,
    /// The lead of the event in hand had an entry among the timers, and has it no more.
    own_woken: bool,
}

/// What is notable of the event that was applied last.
#[derive(Debug, Clone, Copy, Default)]
pub struct Last {
    /// Milliseconds from its time to the stream time.
    pub late_ms: i64,
    /// Its time lay too far ahead.
    pub clamped: bool,
    /// Its traits that were too large.
    pub dropped_traits: u32,
}

/// What moved the stream time on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// An event, which is applied once this is done.
    Event,
    /// The clock of a partition that stayed empty.
    Clock,
}

/// A lead that changed.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// What no other lead's bytes begin with (see [`codec::write_prefix`]).
    pub prefix: &'a [u8],
    /// Its further bytes; none: it is gone.
    pub rest: Option<&'a [u8]>,
    /// The second for which it is armed, or [`NEVER`].
    pub armed: i64,
}

impl Hand {
    #[inline]
    pub fn take(&mut self, rules: &Rules, versions: &mut Versions, bytes: &[u8]) {
        let decoded = versions.decode(rules, bytes, &mut self.lead, &mut self.told, &mut self.id);
        decoded.expect("bytes in the store were written by this process or checked when they were restored");
    }

    /// The lead's bytes as they are now.
    fn encode(&mut self, versions: &Versions) -> &[u8] {
        self.bytes.clear();
        codec::write_prefix(&mut self.bytes, &self.id);
        codec::encode(&self.lead, versions.current(), &mut self.told, &mut self.bytes);
        &self.bytes
    }
}

impl Leads {
    pub fn new(rules: &Rules) -> Leads {
        Leads {
            store: Store::default(),
            versions: Versions::new(rules),
            changes: Changes::default(),
            timers: Timers::default(),
            stream_time: 0,
            wakes: Wakes::default(),
            forgotten: 0,
            census: Census::new(&rules.model),
            last: Last::default(),
            own: Hand::default(),
            scratch: Scratch::default(),
            other: Hand::default(),
            ripening: Ripening::default(),
        }
    }

    /// Goes on by another version of the model; as [`Versions::change`]. Every lead is looked at once, for its deadlines
    /// are others now.
    pub fn change_model(&mut self, rules: &Rules, limits: &Limits) {
        self.versions.change(rules);
        self.rearm(rules, limits);
    }

    /// Counts every lead and arms it anew.
    fn rearm(&mut self, rules: &Rules, limits: &Limits) {
        let ripening = std::mem::take(&mut self.ripening);
        self.ripening.cause = ripening.cause;
        self.timers = Timers::default();
        self.census = Census::new(&rules.model);
        for number in 0..self.store.numbers_end() {
            if self.store.is_there(number) {
                self.own.take(rules, &mut self.versions, self.store.bytes(self.store.get(number)));
                self.census.add_lead(&mut self.own.mark, &self.own.lead);
                self.store.arm(number, NEVER);
                self.arm_own(rules, limits, number);
            }
        }
    }

    /// Applies an event. `None`: `budget` ended among the due times that come before it; come again with the same event.
    pub fn event(
        &mut self,
        rules: &Rules,
        limits: &Limits,
        in_hand: &InHand<'_>,
        wall_ms: Option<i64>,
        budget: &mut Budget,
        effects: &mut Effects,
    ) -> Option<Outcome> {
        let event = in_hand.event;
        self.own.bytes.clear();
        codec::write_prefix(&mut self.own.bytes, event.lead);
        let hash = xxh3_64(&self.own.bytes);
        let known = self.store.find(hash, &self.own.bytes);
        if let Some(found) = known {
            self.own.take(rules, &mut self.versions, self.store.bytes(found));
            if limits.dedup.is_duplicate(&self.own.lead, event) {
                return Some(Outcome::Duplicate);
            }
        }
        let horizon = self.move_stream_time(limits, event, wall_ms);
        let number = known.map(|found| found.lead);
        if self.has_ripe(horizon)
            && !self.ripen(rules, limits, horizon, Cause::Event, number, budget, effects)
        {
            return None;
        }
        // Time may have dropped the lead, whose retention was over.
        let known = known.filter(|found| self.store.is_there(found.lead));
        match known {
            Some(found) => {
                self.own.mark.take(&self.own.lead);
                self.fire_own(rules, Some(found.lead), event.time_ms.div_euclid(1000), effects);
            }
            None => {
                self.own.id.clear();
                self.own.id.push_str(event.lead);
                apply::begin(rules, &mut self.own.lead, event.time_ms);
            }
        }
        self.last = Last {
            late_ms: self.stream_time.saturating_sub(event.time_ms),
            clamped: event.clamped,
            dropped_traits: event.dropped_traits,
        };
        let applied = apply::apply(rules, &limits.dedup, &mut self.own.lead, in_hand);
        self.settle_own(rules, Some(*in_hand), effects);
        self.fire_own(rules, None, horizon, effects);
        self.put_own(rules, limits, hash, known);
        Some(if applied { Outcome::Applied } else { Outcome::Ignored })
    }

    fn put_own(&mut self, rules: &Rules, limits: &Limits, hash: u64, known: Option<Found>) {
        let Leads { store, versions, timers, changes, own, scratch, ripening, census, .. } = self;
        match known {
            Some(_) => census.change(&mut own.mark, &own.lead),
            None => census.add_lead(&mut own.mark, &own.lead),
        }
        let bytes = own.encode(versions);
        let number = match known {
            Some(found) => {
                changes.note(found.lead, store.bytes(found));
                store.replace(found, bytes);
                found.lead
            }
            None => {
                let number = store.insert(hash, bytes);
                changes.note(number, &[]);
                number
            }
        };
        if std::mem::take(&mut ripening.own_woken) {
            store.arm(number, NEVER);
        }
        let lead = &own.lead;
        Arming { rules, limits, store, timers, number, lead }.soon(&mut scratch.memo);
    }

    /// Moves the stream time on and returns the last second that is ripe for idle leads.
    fn move_stream_time(&mut self, limits: &Limits, event: &Event<'_>, wall_ms: Option<i64>) -> i64 {
        let caps = [event.record_time_ms, wall_ms];
        let time = caps.into_iter().flatten().fold(event.time_ms, i64::min);
        self.stream_time = self.stream_time.max(time);
        self.horizon(limits)
    }

    /// The last second that is ripe for idle leads.
    pub fn horizon(&self, limits: &Limits) -> i64 {
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

    /// Whether something may have to be fired up to a second, or is left over.
    #[inline]
    pub fn has_ripe(&self, horizon: i64) -> bool {
        self.ripening.cause.is_some() || self.timers.may_be_due(horizon)
    }

    /// Leads that were found due, or that are to be looked at, and whose turn has not come.
    pub fn late_timers(&self) -> usize {
        self.ripening.woken.len() + self.ripening.due.len()
    }

    /// What made the due times ripe that are left over.
    pub fn left_over(&self) -> Option<Cause> {
        self.ripening.cause
    }

    /// What is ripe already at the stream time was left over for this reason.
    pub fn go_on_from(&mut self, cause: Cause) {
        self.ripening.cause = Some(cause);
    }

    /// Fires the due times up to the second `horizon` in order of (due, lead id), but those of the lead `own`. `false`:
    /// `budget` ended before; some are left over.
    #[allow(clippy::too_many_arguments, reason = "one call for each of two causes")]
    pub fn ripen(
        &mut self,
        rules: &Rules,
        limits: &Limits,
        horizon: i64,
        cause: Cause,
        own: Option<u32>,
        budget: &mut Budget,
        effects: &mut Effects,
    ) -> bool {
        self.ripening.cause = Some(cause);
        loop {
            while let Some(number) = self.ripening.woken.pop() {
                if *budget == 0 {
                    self.ripening.woken.push(number);
                    return false;
                }
                *budget -= 1;
                self.wake(rules, limits, number, own);
            }
            if !std::mem::replace(&mut self.ripening.sorted, true) {
                self.ripening.due.sort_unstable_by(|one, other| other.cmp(one));
            }
            while let Some((_, number)) = self.ripening.due.pop_if(|_| *budget > 0) {
                *budget -= 1;
                self.fire_other(rules, limits, number, effects);
            }
            if !self.ripening.due.is_empty() {
                return false;
            }
            let Leads { timers, ripening, store, .. } = self;
            match timers.pop(horizon, &mut ripening.woken, |lead| store.armed(lead)) {
                Some(second) => {
                    ripening.second = second;
                    ripening.sorted = false;
                }
                None => {
                    ripening.cause = None;
                    return true;
                }
            }
        }
    }

    /// Looks at a lead whose timer went off: due now, or armed anew.
    fn wake(&mut self, rules: &Rules, limits: &Limits, number: u32, own: Option<u32>) {
        let Leads { store, versions, timers, other, scratch, ripening, changes, census, .. } = self;
        let second = ripening.second;
        if store.armed(number) > second {
            return;
        }
        if own == Some(number) {
            // It is looked at with its own event; a timer of its own is not needed before that.
            store.arm(number, second);
            ripening.own_woken = true;
            return;
        }
        self.wakes.all += 1;
        let found = store.get(number);
        other.take(rules, versions, store.bytes(found));
        store.arm(number, NEVER);
        scratch.memo.clear();
        if other.lead.clock < second * 1000 && is_due(rules, &other.lead, &mut scratch.memo, second) {
            ripening.due.push((other.id.clone(), number));
            return;
        }
        if is_over(limits, &other.lead, second)
            && first_due(rules, &other.lead, &mut scratch.memo, second + 1, NEVER).is_none()
        {
            changes.note(number, store.bytes(found));
            other.mark.take(&other.lead);
            census.remove(&other.mark);
            store.remove(found);
            if !changes.note_removed(number) {
                store.free(number);
            }
            self.forgotten += 1;
            return;
        }
        self.wakes.idle += 1;
        // From here on, not from the lead's clock: a search that stopped early must come further each time.
        let lead = &other.lead;
        Arming { rules, limits, store, timers, number, lead }.exactly(&mut scratch.memo, second + 1);
    }

    fn fire_other(&mut self, rules: &Rules, limits: &Limits, number: u32, effects: &mut Effects) {
        let Leads { store, versions, timers, other, scratch, changes, ripening, census, .. } = self;
        let second = ripening.second;
        let found = store.get(number);
        other.take(rules, versions, store.bytes(found));
        other.mark.take(&other.lead);
        other.lead.clock = second * 1000;
        Settling::new(rules, &mut other.lead, &other.id, None, scratch, effects).run();
        census.change(&mut other.mark, &other.lead);
        changes.note(number, store.bytes(found));
        store.replace(found, other.encode(versions));
        let lead = &other.lead;
        Arming { rules, limits, store, timers, number, lead }.exactly(&mut scratch.memo, second + 1);
    }

    /// Puts a lead back whose bytes were kept; one that is there already is replaced.
    pub fn restore(&mut self, rules: &Rules, limits: &Limits, bytes: &[u8]) -> Result<(), Corrupt> {
        self.check(rules, bytes)?;
        let prefix = &bytes[..codec::prefix_length(bytes)?];
        self.uncount(rules, prefix);
        self.census.add_lead(&mut self.own.mark, &self.own.lead);
        let number = self.put(prefix, bytes);
        self.store.arm(number, NEVER);
        self.arm_own(rules, limits, number);
        Ok(())
    }

    /// Takes the lead in hand, from bytes that come from elsewhere.
    fn check(&mut self, rules: &Rules, bytes: &[u8]) -> Result<bool, Corrupt> {
        let Leads { versions, own, .. } = self;
        let migrated = versions.decode(rules, bytes, &mut own.lead, &mut own.told, &mut own.id)?;
        own.lead.message_ids.check()?;
        own.bytes.clear();
        codec::write_prefix(&mut own.bytes, &own.id);
        // Another spelling of the id would never be found again.
        if bytes.starts_with(&own.bytes) {
            Ok(migrated)
        } else {
            Err(Corrupt("an id in another form than the usual one"))
        }
    }

    /// The lead that begins so, if there is one, is counted no more.
    fn uncount(&mut self, rules: &Rules, prefix: &[u8]) {
        let Leads { store, versions, other, census, .. } = self;
        if let Some(found) = store.find(xxh3_64(prefix), prefix) {
            other.take(rules, versions, store.bytes(found));
            other.mark.take(&other.lead);
            census.remove(&other.mark);
        }
    }

    /// Adds a lead or replaces its bytes; its number.
    fn put(&mut self, prefix: &[u8], bytes: &[u8]) -> u32 {
        let hash = xxh3_64(prefix);
        match self.store.find(hash, prefix) {
            Some(found) => {
                self.store.replace(found, bytes);
                found.lead
            }
            None => self.store.insert(hash, bytes),
        }
    }

    /// Puts a lead back that is looked at by [`Leads::finish_restore`] later, with the second for which it was armed.
    pub fn restore_unchecked(&mut self, bytes: &[u8], armed: i64) -> Result<(), Corrupt> {
        let prefix = &bytes[..codec::prefix_length(bytes)?];
        let number = self.put(prefix, bytes);
        self.store.arm(number, armed);
        Ok(())
    }

    /// Checks the leads that were put back, counts and arms them.
    pub fn finish_restore(
        &mut self,
        rules: &Rules,
        limits: &Limits,
        same_model: bool,
    ) -> Result<(), Corrupt> {
        self.timers = Timers::default();
        self.census = Census::new(&rules.model);
        let mut bytes = Vec::new();
        for number in 0..self.store.numbers_end() {
            if !self.store.is_there(number) {
                continue;
            }
            bytes.clear();
            bytes.extend_from_slice(self.store.bytes(self.store.get(number)));
            let migrated = self.check(rules, &bytes)?;
            self.census.add_lead(&mut self.own.mark, &self.own.lead);
            match self.store.armed(number) {
                // A retention that was not set then is no deadline yet.
                NEVER if same_model && !migrated && limits.retention_ms.is_none() => {}
                second if same_model && !migrated && second != NEVER => self.timers.insert(number, second),
                _ => {
                    self.store.arm(number, NEVER);
                    self.arm_own(rules, limits, number);
                }
            }
        }
        Ok(())
    }

    fn arm_own(&mut self, rules: &Rules, limits: &Limits, number: u32) {
        let Leads { store, timers, own, scratch, .. } = self;
        let (lead, from) = (&own.lead, next_second(&own.lead));
        Arming { rules, limits, store, timers, number, lead }.exactly(&mut scratch.memo, from);
    }

    /// Removes a lead again whose bytes were kept once.
    pub fn restore_removed(&mut self, prefix: &[u8]) -> Result<(), Corrupt> {
        if codec::prefix_length(prefix)? != prefix.len() {
            return Err(Corrupt("more than an id"));
        }
        if let Some(found) = self.store.find(xxh3_64(prefix), prefix) {
            self.store.remove(found);
            self.store.free(found.lead);
        }
        Ok(())
    }

    /// The leads that changed in the open generation.
    pub fn changed(&self) -> impl Iterator<Item = Change<'_>> {
        self.changes.open().filter_map(|(number, before)| {
            let bytes = self.store.is_there(number).then(|| self.store.bytes(self.store.get(number)));
            // New and gone again: nobody has heard of it.
            let known = bytes.or((!before.is_empty()).then_some(before))?;
            let prefix = codec::prefix_length(known).expect("bytes in the store begin with an id");
            let (prefix, rest) = known.split_at(prefix);
            Some(Change { prefix, rest: bytes.map(|_| rest), armed: self.store.armed(number) })
        })
    }

    /// What was handed over is committed.
    pub fn settled(&mut self) {
        let Leads { changes, store, .. } = self;
        changes.settled().for_each(|number| store.free(number));
    }

    /// Goes back to the leads of the last commit.
    pub fn roll_back(&mut self, rules: &Rules, limits: &Limits) {
        let ripening = std::mem::take(&mut self.ripening);
        ripening.due.iter().for_each(|&(_, number)| self.store.arm(number, ripening.second));
        let mut changes = std::mem::take(&mut self.changes);
        let mut undone = Vec::new();
        // Numbers stay what they were until all is undone: an earlier change of the same lead refers to it by number.
        changes.undone(|number, before| {
            let Leads { store, versions, other, census, .. } = &mut *self;
            if store.is_there(number) {
                other.take(rules, versions, store.bytes(store.get(number)));
                other.mark.take(&other.lead);
                census.remove(&other.mark);
            }
            if !before.is_empty() {
                other.take(rules, versions, before);
                census.add_lead(&mut other.mark, &other.lead);
            }
            match (self.store.is_there(number), before.is_empty()) {
                (true, true) => self.store.remove(self.store.get(number)),
                (true, false) => self.store.replace(self.store.get(number), before),
                (false, true) => {}
                (false, false) => {
                    let prefix = codec::prefix_length(before).expect("bytes in the store begin with an id");
                    self.store.insert_again(number, xxh3_64(&before[..prefix]), before);
                }
            }
            undone.push(number);
        });
        self.changes = changes;
        undone.sort_unstable();
        undone.dedup();
        // The wheel does not turn back.
        self.timers = Timers::default();
        let Leads { store, timers, .. } = self;
        store.numbers().filter(|&number| store.armed(number) != NEVER).for_each(|number| {
            timers.insert(number, store.armed(number));
        });
        for number in undone {
            if self.store.is_there(number) {
                self.own.take(rules, &mut self.versions, self.store.bytes(self.store.get(number)));
                self.store.arm(number, NEVER);
                self.arm_own(rules, limits, number);
            } else {
                self.store.free(number);
            }
        }
    }
}

/// Whether nothing has happened to a lead for so long that it may be dropped, if nothing is due either.
fn is_over(limits: &Limits, lead: &Lead, second: i64) -> bool {
    let retention = limits.retention_ms;
    lead.slas.is_empty()
        && retention.is_some_and(|retention| lead.clock.saturating_add(retention) <= second * 1000)
}

/// A lead that is to be looked at by time.
struct Arming<'a> {
    rules: &'a Rules,
    limits: &'a Limits,
    store: &'a mut Store,
    timers: &'a mut Timers,
    number: u32,
    lead: &'a Lead,
}

impl Arming<'_> {
    /// After its own event, for a second that may be early.
    fn soon(mut self, memo: &mut Memo) {
        let (rules, lead) = (self.rules, self.lead);
        self.by(next_second(lead), |from, to| near_due(rules, lead, memo, from, to));
    }

    /// For its first due second from `from` on, exactly: time has woken it, so no event may come before that.
    fn exactly(mut self, memo: &mut Memo, from: i64) {
        let (rules, lead) = (self.rules, self.lead);
        self.by(from.max(next_second(lead)), |from, to| first_due(rules, lead, memo, from, to));
    }

    /// One that is armed for an earlier second, in which nothing happens, is left: it will be looked at then.
    fn by(&mut self, from: i64, mut due: impl FnMut(i64, i64) -> Option<Due>) {
        let armed = self.store.armed(self.number);
        let armed_later = armed != NEVER && armed >= from;
        match due(from, if armed_later { armed - 1 } else { NEVER }) {
            Some(Due { second, .. }) => self.arm(second),
            None if armed_later => {}
            None => match self.limits.retention_ms {
                Some(retention) if self.lead.slas.is_empty() => {
                    let over = self.lead.clock.saturating_add(retention).saturating_add(999).div_euclid(1000);
                    self.arm(over.max(from));
                }
                _ => self.store.arm(self.number, NEVER),
            },
        }
    }

    fn arm(&mut self, second: i64) {
        self.store.arm(self.number, second);
        self.timers.insert(self.number, second);
    }
}

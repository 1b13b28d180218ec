//! What a signal brings to a score, and what is left of it at a later clock (SPEC §4).

use super::lead::{Held, Lead, Slot};
use crate::model::compiled::{AtMost, Contribution, ContributionId, Decay, Model, Range};

/// Counts an occurrence at event time `time`, unless `at_most` or a reset keeps it from counting.
pub fn count(lead: &mut Lead, model: &Model, id: ContributionId, points: f64, time: i64) {
    let contribution = &model.contributions[usize::from(id)];
    if lead.reset_until(contribution.score).is_some_and(|until| time <= until) {
        return;
    }
    let at = match lead.held.binary_search_by_key(&id, |held| held.id) {
        Ok(at) => at,
        Err(at) => {
            let new = Held {
                id,
                value: 0.0,
                count: 0,
                last_at: time,
                times: <_>::default(),
                slots: <_>::default(),
            };
            lead.held.insert(at, new);
            at
        }
    };
    let mut held = lead.held[at];
    if contribution.at_most.is_none_or(|at_most| may_count(lead, &mut held, at_most, time)) {
        match contribution.decay {
            Decay::None => held.value = finite(held.value + points),
            Decay::HalfLife(half_life) => add_decaying(&mut held, half_life, points, time),
            Decay::Lifespan { slot, .. } | Decay::Window { slot, .. } => {
                add_to_slot(lead, &mut held, slot, points, time)
            }
        }
        held.last_at = held.last_at.max(time);
        held.count = held.count.saturating_add(1);
    }
    lead.held[at] = held;
}

/// Whether fewer than n counted occurrences are less than `per` away (a rolling period); notes this one if so.
fn may_count(lead: &mut Lead, held: &mut Held, at_most: AtMost, time: i64) -> bool {
    let Some(per) = at_most.per else { return held.count < at_most.n };
    let times = lead.times.get(held.times);
    let near = times.iter().filter(|&&counted| (counted - time).abs() < per).count();
    if near >= at_most.n as usize {
        return false;
    }
    let place = times.partition_point(|&counted| counted <= time);
    if times.len() < at_most.n as usize {
        lead.times.insert(&mut held.times, place, time);
    } else if place > 0 {
        // Only the n latest by event time are kept: the earliest makes room.
        let times = lead.times.get_mut(held.times);
        times[..place].rotate_left(1);
        times[place - 1] = time;
    }
    true
}

/// `value` stays the sum's worth at `last_at`, so that one number serves all occurrences.
fn add_decaying(held: &mut Held, half_life: i64, points: f64, time: i64) {
    if held.count == 0 {
        held.value = points;
    } else if time >= held.last_at {
        held.value = finite(held.value * remaining(half_life, time - held.last_at) + points);
    } else {
        held.value = finite(held.value + points * remaining(half_life, held.last_at - time));
    }
}

/// A sum of points that stays a number: a lead keeps no infinity, and two of them would have no sum.
#[inline]
fn finite(points: f64) -> f64 {
    Range::UNBOUNDED.clamp(points)
}

/// 2^(−age / half-life).
#[inline]
pub fn remaining(half_life: i64, age: i64) -> f64 {
    // After 1,100 half-lives nothing is left that a float can hold.
    match age {
        ..=0 => 1.0,
        _ if age / 1_100 >= half_life => 0.0,
        _ => (-(age as f64) / half_life as f64).exp2(),
    }
}

fn add_to_slot(lead: &mut Lead, held: &mut Held, slot_ms: i64, points: f64, time: i64) {
    let number = time.div_euclid(slot_ms);
    let slots = lead.slots.get_mut(held.slots);
    // A lead that was kept by a model with narrower slots has several in one: the latest is the one to grow, for only
    // that keeps them ascending.
    let place = slots.partition_point(|slot| slot.time.div_euclid(slot_ms) <= number);
    match place.checked_sub(1).map(|at| &mut slots[at]) {
        Some(slot) if slot.time.div_euclid(slot_ms) == number => {
            slot.time = slot.time.max(time);
            slot.points = finite(slot.points + points);
            slot.count = slot.count.saturating_add(1);
        }
        _ => lead.slots.insert(&mut held.slots, place, Slot { time, points, count: 1 }),
    }
}

/// Drops slots that no later event can bring back: those whose every moment is over at the lead's clock. (A slot whose
/// latest occurrence is over may still be renewed by a late event of the same slot.)
pub fn drop_finished_slots(lead: &mut Lead, model: &Model) {
    let Lead { held, slots, clock, .. } = lead;
    held.retain_mut(|held| {
        let contribution = &model.contributions[usize::from(held.id)];
        let (Decay::Lifespan { life, slot } | Decay::Window { life, slot }) = contribution.decay else {
            return true;
        };
        let last_moment = |kept: &Slot| (kept.time.div_euclid(slot) + 1) * slot - 1;
        let finished = |kept: &Slot| *clock - last_moment(kept) >= life;
        if slots.get(held.slots).first().is_some_and(finished) {
            slots.retain(&mut held.slots, |kept| !finished(kept));
        }
        // `at_most` still needs to know what was counted.
        !held.slots.is_empty() || contribution.at_most.is_some()
    });
}

/// The sums of the positive and of the negative parts at a clock. Between events the first never grows and the second
/// never falls, which is what bounds a score over a span of time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Parts {
    pub positive: f64,
    pub negative: f64,
}

impl Parts {
    #[inline]
    fn add(&mut self, points: f64) {
        if points >= 0.0 {
            self.positive = (self.positive + points).min(f64::MAX);
        } else {
            self.negative = (self.negative + points).max(f64::MIN);
        }
    }

    /// Adds what is left of other parts that decay alike: set off against each other, for only the rest can move.
    pub fn add_left(&mut self, parts: &Parts, left: f64) {
        self.add(parts.sum() * left);
    }

    pub fn sum(&self) -> f64 {
        self.positive + self.negative
    }
}

/// Adds to `parts` what a contribution is worth at a clock that is not before the lead's.
#[inline]
pub fn add_worth(parts: &mut Parts, lead: &Lead, held: &Held, contribution: &Contribution, clock: i64) {
    match contribution.decay {
        Decay::None => parts.add(held.value),
        Decay::HalfLife(half_life) => parts.add(held.value * remaining(half_life, clock - held.last_at)),
        Decay::Lifespan { life, .. } => {
            for slot in lead.slots.get(held.slots) {
                let age = (clock - slot.time).max(0);
                if age < life {
                    parts.add(slot.points * (1.0 - age as f64 / life as f64));
                }
            }
        }
        Decay::Window { life, .. } => {
            let current = lead.slots.get(held.slots).iter().filter(|slot| clock - slot.time < life);
            current.for_each(|slot| parts.add(slot.points));
        }
    }
}

/// Counted occurrences that are not over at a clock, and the latest of their event times.
pub fn not_over(lead: &Lead, held: &Held, contribution: &Contribution, clock: i64) -> (u32, i64) {
    match contribution.decay {
        Decay::None | Decay::HalfLife(_) => (held.count, held.last_at),
        Decay::Lifespan { life, .. } | Decay::Window { life, .. } => {
            let current = lead.slots.get(held.slots).iter().filter(|slot| clock - slot.time < life);
            current.fold((0, i64::MIN), |(count, last), slot| {
                (count.saturating_add(slot.count), last.max(slot.time))
            })
        }
    }
}

/// Forgets all contributions to a score up to the clock, and those that arrive later with a time up to it.
pub fn reset(lead: &mut Lead, model: &Model, score: u16, clock: i64) {
    lead.held.retain(|held| model.contributions[usize::from(held.id)].score != score);
    match lead.resets.iter_mut().find(|reset| reset.score == score) {
        Some(reset) => reset.until = clock,
        None => lead.resets.push(super::lead::Reset { score, until: clock }),
    }
}

//! A lead that was kept by another version of the model becomes a lead of the present one: what it holds is taken over
//! by name, what has no name any more is dropped and counted.
//!
//! Nothing is sent, and neither the lead's clock nor its sequence number moves. The outcome depends on nothing but the
//! lead's bytes and the two versions, because each lead is migrated when it is next touched.

use super::apply::renew_facts;
use super::attribution;
use super::bits::Bits;
use super::contribution;
use super::judge::{Judge, Truth};
use super::lead::*;
use super::memo::Memo;
use super::pool::{List, Pool};
use super::rules::Rules;
use super::tables::{ContributionNames, Tables, TransitionNames};
use crate::model::compiled::*;
use std::collections::BTreeMap;

/// Where the numbers of an older version of the model are found in the present one; `None`: nowhere.
#[derive(Debug)]
pub struct Migration {
    stages: Vec<Option<Place>>,
    transitions: Vec<Option<TransitionId>>,
    contributions: Vec<Option<MovedContribution>>,
    seen: Vec<Option<SeenId>>,
    traits: Vec<Option<TraitId>>,
    scores: Vec<Option<ScoreId>>,
    /// By the old score.
    grades: Vec<Vec<Option<GradeId>>>,
    alerts: Vec<Option<AlertId>>,
    /// Alerts of the present model whose `when` means what it meant.
    same_alerts: Bits,
    slas: Vec<Option<SlaId>>,
    channels: Vec<Option<ChannelId>>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    stage: StageId,
    renamed: bool,
}

#[derive(Debug, Clone, Copy)]
struct MovedContribution {
    id: ContributionId,
    /// The length of its slots was another; 0: it kept a sum.
    slot_before_ms: i64,
    slot_ms: i64,
    /// Times that it keeps for `at_most … per`.
    times: usize,
}

/// What leads held that the present model does not know, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// The lead's own stage is gone: it is in the initial one now.
    pub placed_anew: u64,
    /// Stages that it has been in.
    pub stages: u64,
    /// Transitions that it remembered or that waited.
    pub transitions: u64,
    pub contributions: u64,
    pub seen: u64,
    pub traits: u64,
    pub touches: u64,
    /// Scores that it last sent or that were reset.
    pub scores: u64,
    pub grades: u64,
    pub alerts: u64,
    pub slas: u64,
}

impl Dropped {
    /// Each kind by its name, for a counter's label.
    pub fn by_kind(&self) -> [(&'static str, u64); 11] {
        [
            ("placed_anew", self.placed_anew),
            ("stages", self.stages),
            ("transitions", self.transitions),
            ("contributions", self.contributions),
            ("seen", self.seen),
            ("traits", self.traits),
            ("touches", self.touches),
            ("scores", self.scores),
            ("grades", self.grades),
            ("alerts", self.alerts),
            ("slas", self.slas),
        ]
    }
}

impl std::ops::AddAssign for Dropped {
    fn add_assign(&mut self, other: Dropped) {
        self.placed_anew += other.placed_anew;
        self.stages += other.stages;
        self.transitions += other.transitions;
        self.contributions += other.contributions;
        self.seen += other.seen;
        self.traits += other.traits;
        self.touches += other.touches;
        self.scores += other.scores;
        self.grades += other.grades;
        self.alerts += other.alerts;
        self.slas += other.slas;
    }
}

impl Migration {
    /// From the version of `old` to the present one.
    pub fn new(old: &Tables, rules: &Rules) -> Migration {
        let new = &Tables::of(&rules.model);
        let scores = matched(&old.scores, &new.scores, |score| score.name.as_str());
        let grades = old.scores.iter().zip(&scores).map(|(before, now)| match now {
            Some(now) => {
                let grades = matched(&before.grades, &new.scores[usize::from(*now)].grades, String::as_str);
                grades.into_iter().map(|grade| grade.map(|grade| grade as GradeId)).collect()
            }
            None => vec![None; before.grades.len()],
        });
        let alerts = matched(&old.alerts, &new.alerts, |alert| alert.name.as_str());
        let mut same_alerts = Bits::default();
        for (before, now) in old.alerts.iter().zip(&alerts) {
            if let Some(now) = now.map(usize::from).filter(|&now| before.when == new.alerts[now].when) {
                same_alerts.insert(now);
            }
        }
        let stages = places(old, rules);
        Migration {
            transitions: transitions(old, new, &stages, &rules.model),
            stages,
            contributions: moved_contributions(old, new),
            seen: matched(&old.seen, &new.seen, |seen| (seen.signal.as_str(), seen.distinct.as_str())),
            traits: matched(&old.traits, &new.traits, String::as_str),
            grades: grades.collect(),
            scores,
            alerts,
            same_alerts,
            slas: matched(&old.slas, &new.slas, String::as_str),
            channels: matched(old.channels(), new.channels(), String::as_str),
        }
    }

    /// Makes a lead that was decoded by the bounds of the older version one of the present model.
    pub fn apply(&self, rules: &Rules, lead: &mut Lead) -> Dropped {
        let mut dropped = Dropped::default();
        self.sent(rules, lead, &mut dropped);
        self.stage(lead, &mut dropped);
        self.transitions(&rules.model, lead, &mut dropped);
        self.contributions(&rules.model, lead, &mut dropped);
        self.seen(&rules.model, lead, &mut dropped);
        self.traits(rules, lead, &mut dropped);
        self.touches(&rules.model, lead, &mut dropped);
        self.slas(&rules.model, lead, &mut dropped);
        self.alerts(rules, lead, &mut dropped);
        dropped
    }

    fn place(&self, stage: StageId) -> Option<StageId> {
        self.stages[usize::from(stage)].map(|place| place.stage)
    }

    /// A record that named a stage or a grade by a name that is gone is as good as not sent. A score that is new was
    /// sent as 0 and without a grade: it goes out where it is anything else.
    fn sent(&self, rules: &Rules, lead: &mut Lead, dropped: &mut Dropped) {
        lead.resets.retain_mut(|reset| move_to(&self.scores, &mut reset.score, &mut dropped.scores));
        let Some(sent) = &mut lead.sent else { return };
        let mut holds = true;
        match self.stages[usize::from(sent.stage)] {
            Some(Place { stage, renamed: false }) => sent.stage = stage,
            _ => holds = false,
        }
        let mut scores = vec![SentScore { value: 0.0, grade: None }; rules.model.scores.len()];
        for (at, before) in lead.sent_scores.iter().enumerate() {
            let Some(now) = self.scores[at] else {
                dropped.scores += 1;
                continue;
            };
            let grade = before.grade.map(|grade| self.grades[at].get(usize::from(grade)).copied().flatten());
            if grade == Some(None) {
                dropped.grades += 1;
                holds = false;
            }
            scores[usize::from(now)] = SentScore { value: before.value, grade: grade.flatten() };
        }
        lead.sent_scores = scores;
        move_bits(&self.traits, &mut lead.sent_missing);
        if !holds {
            lead.sent = None;
            lead.sent_scores.clear();
            lead.sent_missing.clear();
        }
    }

    /// A lead whose stage is gone begins in the initial one at its clock, as at its first event.
    fn stage(&self, lead: &mut Lead, dropped: &mut Dropped) {
        let mut been_in = Bits::default();
        for before in lead.been_in.iter() {
            match self.place(before as StageId) {
                Some(now) => been_in.insert(usize::from(now)),
                None => dropped.stages += 1,
            }
        }
        lead.stage = self.place(lead.stage).unwrap_or_else(|| {
            dropped.placed_anew = 1;
            lead.entered_at = lead.clock;
            0
        });
        been_in.insert(usize::from(lead.stage));
        lead.been_in = been_in;
    }

    /// Those that wait must still wait for an event in the lead's stage.
    fn transitions(&self, model: &Model, lead: &mut Lead, dropped: &mut Dropped) {
        lead.history.retain_mut(|past| {
            let (Some(transition), Some(from)) =
                (self.transitions[usize::from(past.transition)], self.place(past.from))
            else {
                dropped.transitions += 1;
                return false;
            };
            (past.transition, past.from) = (transition, from);
            true
        });
        move_bits(&self.transitions, &mut lead.fired_by_time);
        dropped.transitions += move_bits(&self.transitions, &mut lead.pending);
        let waits = |id: usize| {
            let transition = &model.transitions[id];
            transition.on.is_some() && transition.from.contains(usize::from(lead.stage))
        };
        let over: Vec<usize> =
            lead.pending.iter().filter(|&id| dropped.placed_anew > 0 || !waits(id)).collect();
        over.into_iter().for_each(|id| lead.pending.set(id, false));
    }

    fn contributions(&self, model: &Model, lead: &mut Lead, dropped: &mut Dropped) {
        let Lead { held, times, slots, .. } = lead;
        held.retain_mut(|held| {
            let Some(moved) = self.contributions[usize::from(held.id)] else {
                dropped.contributions += 1;
                return false;
            };
            held.id = moved.id;
            convert(held, &moved, model.contributions[usize::from(moved.id)].decay, slots);
            match moved.times {
                0 => held.times = List::default(),
                // Of the times until now only the latest is known.
                _ if held.times.is_empty() && held.count > 0 => held.times = times.list(&[held.last_at]),
                most => keep_last(times, &mut held.times, most),
            }
            true
        });
        held.sort_unstable_by_key(|held| held.id);
    }

    /// Where times are asked for now and only a number was kept, they are put at the earliest that they can be.
    fn seen(&self, model: &Model, lead: &mut Lead, dropped: &mut Dropped) {
        let Lead { seen, sightings, first_seen, .. } = lead;
        seen.retain_mut(|seen| {
            if !move_to(&self.seen, &mut seen.id, &mut dropped.seen) {
                return false;
            }
            let rule = &model.seen[usize::from(seen.id)];
            let times = rule.timed || rule.distinct.is_some();
            if times && seen.sightings.is_empty() {
                let earliest = Sighting { time: *first_seen, value: 0 };
                seen.sightings = sightings.list(&vec![earliest; seen.count.min(rule.keep) as usize]);
                seen.count = 0;
            } else if times {
                keep_last(sightings, &mut seen.sightings, rule.keep as usize);
            } else {
                let kept = sightings.get(seen.sightings).len() as u32;
                seen.count = seen.count.saturating_add(kept).min(rule.keep);
                seen.sightings = List::default();
            }
            true
        });
        seen.sort_unstable_by_key(|seen| seen.id);
    }

    fn traits(&self, rules: &Rules, lead: &mut Lead, dropped: &mut Dropped) {
        lead.traits.retain_mut(|kept| move_to(&self.traits, &mut kept.id, &mut dropped.traits));
        lead.traits.sort_unstable_by_key(|kept| kept.id);
        lead.facts.copy_from(&rules.facts_of_nothing);
        for at in 0..lead.traits.len() {
            renew_facts(rules, lead, lead.traits[at].id);
        }
    }

    /// Touches arrive once more, in their order, so that the present gap and number hold.
    fn touches(&self, model: &Model, lead: &mut Lead, dropped: &mut Dropped) {
        for mut touch in std::mem::take(&mut lead.touches) {
            if move_to(&self.channels, &mut touch.channel, &mut dropped.touches)
                && let Some(rules) = &model.attribution
            {
                attribution::touch(lead, rules, touch.channel, touch.time);
            }
        }
    }

    /// One that runs while a lead is in a stage ends without a word if the lead is not there.
    fn slas(&self, model: &Model, lead: &mut Lead, dropped: &mut Dropped) {
        let stage = lead.stage;
        lead.slas.retain_mut(|running| {
            if !move_to(&self.slas, &mut running.id, &mut dropped.slas) {
                return false;
            }
            let sla = &model.slas[usize::from(running.id)];
            let elsewhere = matches!(sla.start, Edge::Enter(start) if start != stage
                && [Some(sla.stop), sla.cancel].contains(&Some(Edge::Leave(start))));
            dropped.slas += u64::from(elsewhere);
            !elsewhere
        });
        lead.slas.sort_unstable_by_key(|running| running.id);
    }

    /// An alert that holds only because the model is another counts as told. One that means the same and holds while it
    /// is armed waits for its cooldown, and is left to.
    fn alerts(&self, rules: &Rules, lead: &mut Lead, dropped: &mut Dropped) {
        let model = &*rules.model;
        lead.alerts.retain_mut(|held| {
            let known = move_to(&self.alerts, &mut held.id, &mut dropped.alerts);
            held.disarmed &= known && rules.timed_alerts.contains(&held.id);
            known
        });
        lead.alerts.sort_unstable_by_key(|held| held.id);
        let mut memo = Memo::default();
        for &id in &rules.timed_alerts {
            let held = lead.alert(id);
            let Some(when) = &model.alerts[usize::from(id)].when else { continue };
            let same = self.same_alerts.contains(usize::from(id)) && dropped.placed_anew == 0;
            if !held.disarmed
                && !same
                && Judge::at(model, lead, lead.clock, &mut memo).holds(when) == Truth::Yes
            {
                lead.set_alert(AlertHeld { disarmed: true, ..held });
            }
        }
    }
}

/// The place of each of `old` in `new`, by its key. No two get the same one.
fn matched<'t, T, K: Ord>(old: &'t [T], new: &'t [T], key: impl Fn(&'t T) -> K) -> Vec<Option<u16>> {
    let mut places: BTreeMap<K, u16> = new.iter().map(&key).zip(0..=u16::MAX).collect();
    old.iter().map(|one| places.remove(&key(one))).collect()
}

/// Stages by their name, else by what they were renamed to.
fn places(old: &Tables, rules: &Rules) -> Vec<Option<Place>> {
    let stages = (0..=StageId::MAX).zip(&rules.model.stages);
    let place = |name: &String| {
        let named = stages.clone().find(|(_, stage)| stage.name == *name);
        let renamed = || stages.clone().find(|(_, stage)| stage.renamed_from.contains(name));
        named
            .map(|(stage, _)| Place { stage, renamed: false })
            .or_else(|| renamed().map(|(stage, _)| Place { stage, renamed: true }))
    };
    old.stages.iter().map(place).collect()
}

/// One that leads elsewhere now is another transition: what a lead remembers of it would be no longer true.
fn transitions(
    old: &Tables,
    new: &Tables,
    stages: &[Option<Place>],
    model: &Model,
) -> Vec<Option<TransitionId>> {
    let places = matched(&old.transitions, &new.transitions, |transition| transition.name.as_str());
    let led_to = |before: &TransitionNames| {
        let at = old.stages.iter().position(|stage| *stage == before.to)?;
        stages[at].map(|place| place.stage)
    };
    let same = |id: &TransitionId, before| led_to(before) == Some(model.transitions[usize::from(*id)].to);
    let places = places.into_iter().zip(&old.transitions);
    places.map(|(id, before)| id.filter(|id| same(id, before))).collect()
}

fn moved_contributions(old: &Tables, new: &Tables) -> Vec<Option<MovedContribution>> {
    fn key(names: &ContributionNames) -> [&str; 3] {
        [&names.score, &names.group, &names.signal]
    }
    let places = matched(&old.contributions, &new.contributions, key).into_iter();
    let moved = places.zip(&old.contributions).map(|(id, before)| {
        let now = &new.contributions[usize::from(id?)];
        Some(MovedContribution {
            id: id?,
            slot_before_ms: before.slot_ms,
            slot_ms: now.slot_ms,
            times: now.times as usize,
        })
    });
    moved.collect()
}

/// Gives an index its new number; counts it as dropped and returns false if it has none.
fn move_to(places: &[Option<u16>], index: &mut u16, dropped: &mut u64) -> bool {
    match places[usize::from(*index)] {
        Some(place) => {
            *index = place;
            true
        }
        None => {
            *dropped += 1;
            false
        }
    }
}

/// As [`move_to`] for a set; returns how many are dropped.
fn move_bits(places: &[Option<u16>], bits: &mut Bits) -> u64 {
    let (mut moved, mut dropped) = (Bits::default(), 0);
    for mut index in bits.iter().map(|index| index as u16) {
        if move_to(places, &mut index, &mut dropped) {
            moved.insert(usize::from(index));
        }
    }
    *bits = moved;
    dropped
}

fn keep_last<T: Copy>(pool: &mut Pool<T>, list: &mut List<T>, most: usize) {
    let items = pool.get(*list);
    if let Some(over) = items.len().checked_sub(most).filter(|&over| over > 0) {
        let kept = items[over..].to_vec();
        *list = pool.list(&kept);
    }
}

/// From sums to slots and back. A sum becomes one slot at its latest occurrence; of slots a sum keeps what is there.
fn convert(held: &mut Held, moved: &MovedContribution, decay: Decay, slots: &mut Pool<Slot>) {
    match (moved.slot_before_ms, moved.slot_ms) {
        (0, 0) => {}
        (0, _) => {
            if held.count > 0 {
                let all = Slot { time: held.last_at, points: held.value, count: held.count };
                held.slots = slots.list(&[all]);
            }
            held.value = 0.0;
        }
        (_, 0) => {
            let half_life = if let Decay::HalfLife(half_life) = decay { Some(half_life) } else { None };
            let left = |slot: &Slot| {
                half_life
                    .map_or(1.0, |half_life| contribution::remaining(half_life, held.last_at - slot.time))
            };
            let worth = slots.get(held.slots).iter().map(|slot| slot.points * left(slot));
            held.value = Range::UNBOUNDED.clamp(worth.fold(0.0, |sum, worth| sum + worth));
            held.slots = List::default();
        }
        (before, now) if before != now => {
            let mut joined: Vec<Slot> = Vec::new();
            for slot in slots.get(held.slots) {
                match joined.last_mut().filter(|last| last.time.div_euclid(now) == slot.time.div_euclid(now))
                {
                    Some(last) => {
                        last.time = slot.time;
                        last.points = Range::UNBOUNDED.clamp(last.points + slot.points);
                        last.count = last.count.saturating_add(slot.count);
                    }
                    None => joined.push(*slot),
                }
            }
            held.slots = slots.list(&joined);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;

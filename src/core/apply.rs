//! What an event leaves with its lead before anything is judged: times, traits, contributions, sightings, a touch.

use super::attribution;
use super::contribution;
use super::lead::{Lead, SeenHeld, Sighting, TraitHeld};
use super::rules::{InHand, Rules};
use crate::event::scan::Scan;
use crate::event::{Event, Value};
use crate::model::compiled::*;
use xxhash_rust::xxh3::xxh3_64;

/// Limits of what is kept for recognising duplicates.
#[derive(Debug, Clone, Copy)]
pub struct Dedup {
    pub window_ms: i64,
    pub ids: usize,
}

impl Dedup {
    /// Whether the lead saw the event's message id before, near enough in event time.
    pub fn is_duplicate(&self, lead: &Lead, event: &Event<'_>) -> bool {
        event.message_id.is_some_and(|id| {
            lead.message_ids.contains(xxh3_64(id.as_bytes()), event.time_ms, self.window_ms)
        })
    }

    fn note(&self, lead: &mut Lead, event: &Event<'_>) {
        if let Some(id) = event.message_id {
            lead.message_ids.push(xxh3_64(id.as_bytes()), event.time_ms, self.ids);
        }
    }
}

/// A lead at its first event: in the initial stage, with nothing known.
pub fn begin(rules: &Rules, lead: &mut Lead, time: i64) {
    lead.clear();
    lead.clock = time;
    lead.first_seen = time;
    lead.entered_at = time;
    lead.been_in.insert(0);
    lead.facts.copy_from(&rules.facts_of_nothing);
}

/// Applies an event; returns whether the model cares about it (SPEC §1, `applied`).
pub fn apply(rules: &Rules, dedup: &Dedup, lead: &mut Lead, in_hand: &InHand<'_>) -> bool {
    let event = in_hand.event;
    let time = event.time_ms;
    lead.clock = lead.clock.max(time);
    lead.first_seen = lead.first_seen.min(time);
    lead.fired_by_time.clear();
    dedup.note(lead, event);
    let identified = event.identifies && !lead.identified;
    lead.identified |= identified;
    let changed = event.scan.has_kept_traits() && apply_traits(rules, lead, event);
    if in_hand.activity {
        lead.last_activity = Some(lead.last_activity.map_or(time, |last| last.max(time)));
    }
    let model = &*rules.model;
    for &signal in in_hand.matched {
        let signal = &model.signals[usize::from(signal)];
        for &id in &signal.contributions {
            let points = points(&model.contributions[usize::from(id)].points, event);
            contribution::count(lead, model, id, points, time);
        }
        for &id in &signal.seen {
            see(lead, &model.seen[usize::from(id)], id, event);
        }
    }
    if rules.has_slots {
        contribution::drop_finished_slots(lead, model);
    }
    let touched = apply_touch(rules, lead, event);
    !in_hand.matched.is_empty() || touched || changed || identified
}

/// The points that an event brings, before `at_most` is looked at.
pub fn points(points: &Points, event: &Event<'_>) -> f64 {
    match *points {
        Points::Fixed(points) => points,
        Points::From { field, scale, range } => {
            event.scan.number(field).map_or(0.0, |number| range.clamp(number * scale))
        }
    }
}

fn apply_touch(rules: &Rules, lead: &mut Lead, event: &Event<'_>) -> bool {
    let Some(attribution) = &rules.model.attribution else { return false };
    let Some(channel) = channel(attribution, event.scan) else { return false };
    attribution::touch(lead, attribution, channel, event.time_ms);
    true
}

/// The first channel that matches.
fn channel(attribution: &Attribution, scan: &Scan<'_>) -> Option<ChannelId> {
    let [by_name, by_kind] = attribution.dispatch.candidates(scan);
    let matches = |&id: &ChannelId| attribution.channels[usize::from(id)].rest.matches(scan);
    let named = by_name.iter().copied().find(matches);
    let mut earlier = by_kind.iter().copied().take_while(|&id| named.is_none_or(|named| id < named));
    earlier.find(matches).or(named)
}

/// Per trait the value with the latest event time wins, on a tie the later arrival. Returns whether a value changed.
fn apply_traits(rules: &Rules, lead: &mut Lead, event: &Event<'_>) -> bool {
    let mut changed = false;
    let mut json = std::mem::take(&mut lead.json);
    for id in 0..rules.model.traits.len() as TraitId {
        let Some(value) = event.scan.kept_trait(id) else { continue };
        json.clear();
        if value != Value::Null {
            value.write_compact(&mut json);
        }
        changed |= apply_trait(rules, lead, id, event.time_ms, &json);
    }
    lead.json = json;
    changed
}

fn apply_trait(rules: &Rules, lead: &mut Lead, id: TraitId, time: i64, json: &[u8]) -> bool {
    let place = lead.traits.binary_search_by_key(&id, |held| held.id);
    let before = match place {
        Ok(at) if lead.traits[at].time > time => return false,
        Ok(at) => lead.text.get(lead.traits[at].text),
        Err(_) => &[],
    };
    let changed = before != json;
    match place {
        Ok(at) if !changed => lead.traits[at].time = time,
        _ => {
            let held = TraitHeld { id, time, text: lead.text.list(json) };
            match place {
                Ok(at) => lead.traits[at] = held,
                Err(at) => lead.traits.insert(at, held),
            }
        }
    }
    if changed {
        renew_facts(rules, lead, id);
    }
    changed
}

/// Judges anew every test of a trait.
pub fn renew_facts(rules: &Rules, lead: &mut Lead, id: TraitId) {
    let model = &*rules.model;
    for &fact in &model.traits[usize::from(id)].facts {
        let value = lead.trait_text(id).and_then(Value::from_compact);
        let holds = model.facts[usize::from(fact)].test.holds(value.into_iter());
        lead.facts.set(usize::from(fact), holds);
    }
}

fn see(lead: &mut Lead, rule: &Seen, id: SeenId, event: &Event<'_>) {
    let value = match rule.distinct {
        None | Some(Distinct::Day) => 0,
        Some(Distinct::Field(field)) => match event.scan.scalar(field) {
            Some(value) => hash_of(&value),
            None => return,
        },
    };
    sight(lead, rule, id, event.time_ms, value);
}

/// Notes an occurrence for `seen`: only the most recent that are asked for are kept. `value` is the hash of the distinct
/// value, or 0.
pub fn sight(lead: &mut Lead, rule: &Seen, id: SeenId, time: i64, value: u64) {
    let at = match lead.seen.binary_search_by_key(&id, |seen| seen.id) {
        Ok(at) => at,
        Err(at) => {
            let hashed = matches!(rule.distinct, Some(Distinct::Field(_)));
            lead.seen.insert(at, SeenHeld { id, count: 0, hashed, sightings: <_>::default() });
            at
        }
    };
    let mut seen = lead.seen[at];
    if !rule.timed && rule.distinct.is_none() {
        seen.count = seen.count.saturating_add(1).min(rule.keep);
        lead.seen[at] = seen;
        return;
    }
    let day = |time: i64| time.div_euclid(86_400_000);
    let sightings = lead.sightings.get(seen.sightings);
    let same = sightings.iter().position(|known| match rule.distinct {
        None => false,
        Some(Distinct::Day) => day(known.time) == day(time),
        Some(Distinct::Field(_)) => known.value == value,
    });
    // A distinct value counts at its latest time.
    if let Some(same) = same {
        if sightings[same].time >= time {
            return;
        }
        lead.sightings.remove(&mut seen.sightings, same);
    }
    let place = lead.sightings.get(seen.sightings).partition_point(|known| known.time <= time);
    lead.sightings.insert(&mut seen.sightings, place, Sighting { time, value });
    if lead.sightings.get(seen.sightings).len() > rule.keep as usize {
        lead.sightings.remove(&mut seen.sightings, 0);
    }
    lead.seen[at] = seen;
}

/// Equal values of one JSON type have one hash: numbers by value.
fn hash_of(value: &Value<'_>) -> u64 {
    match value {
        Value::String(text) => xxh3_64(text.as_bytes()),
        Value::Number(number) => !xxh3_64(&(number.as_f64() + 0.0).to_le_bytes()),
        Value::Bool(value) => u64::from(*value) + 1,
        Value::Null | Value::Array(_) | Value::Object(_) => 0,
    }
}

//! What follows from a lead's events and resets alone, whatever the clock (§3, §4).

use std::collections::BTreeMap;

use serde_json::Value;

use super::lead::Seen;
use super::model::{Decay, Gain, Model, Points, ScoreKind};
use super::score::clamp;
use super::time::SECOND;

#[derive(Clone, Debug, Default)]
pub struct History {
    /// The known ones, by path.
    pub traits: BTreeMap<String, Value>,
    pub identified: bool,
    pub first_seen: i64,
    pub last_activity: Option<i64>,
    /// Counted occurrences by (score, group, index in the group's points).
    pub gained: BTreeMap<(usize, usize, usize), Vec<Gained>>,
}

/// One counted occurrence.
#[derive(Clone, Copy, Debug)]
pub struct Gained {
    pub points: f64,
    /// The event's own time.
    time: i64,
    /// When it counts as gained: the latest time in its slot.
    pub at: i64,
}

impl History {
    /// `events` in the order of their arrival; `resets`: the clock of each score's last reset.
    pub fn of(model: &Model, events: &[Seen], resets: &BTreeMap<usize, i64>) -> History {
        let mut gained = BTreeMap::new();
        for (s, score) in model.scores.iter().enumerate() {
            let ScoreKind::Own { groups, .. } = &score.kind else { continue };
            let reset = resets.get(&s).copied();
            for (g, group) in groups.iter().enumerate() {
                for (p, points) in group.points.iter().enumerate() {
                    gained.insert((s, g, p), merge_slots(counted(points, events, reset), points.decay));
                }
            }
        }
        let active = |event: &&Seen| event.signals.iter().any(|signal| model.signals[*signal].activity);
        History {
            traits: model
                .kept_traits()
                .into_iter()
                .filter_map(|path| current_trait(events, &path).map(|value| (path, value)))
                .collect(),
            identified: events.iter().any(|event| event.identifies()),
            first_seen: events.iter().map(|event| event.time).min().expect("a lead has an event"),
            last_activity: events.iter().filter(active).map(|event| event.time).max(),
            gained,
        }
    }
}

/// The value with the latest event time; on a tie the later arrival.
fn current_trait(events: &[Seen], path: &str) -> Option<Value> {
    let mut best: Option<(i64, Value)> = None;
    for event in events {
        if let Some(value) = event.trait_at(path)
            && best.as_ref().is_none_or(|(time, _)| event.time >= *time)
        {
            best = Some((event.time, value));
        }
    }
    best.map(|(_, value)| value).filter(|value| !value.is_null())
}

/// The occurrences that count, in the order of their arrival.
fn counted(points: &Points, events: &[Seen], reset: Option<i64>) -> Vec<Gained> {
    let mut counted: Vec<Gained> = Vec::new();
    for event in events {
        let is_reset = reset.is_some_and(|clock| event.time <= clock);
        if is_reset || !event.signals.contains(&points.signal) {
            continue;
        }
        if let Some(at_most) = points.at_most {
            let near = |gained: &&Gained| match points.per {
                Some(period) => (gained.time - event.time).abs() < period,
                None => true,
            };
            let mut latest = counted.clone();
            latest.sort_by_key(|gained| -gained.time);
            latest.truncate(at_most);
            if latest.iter().filter(near).count() >= at_most {
                continue;
            }
        }
        let worth = match &points.gain {
            Gain::Fixed(points) => *points,
            // Choice: no number is 0 points, also if the range does not hold 0.
            Gain::From { field, scale, range } => {
                event.number_at(field).map_or(0.0, |number| clamp(number * scale, *range))
            }
        };
        counted.push(Gained { points: worth, time: event.time, at: event.time });
    }
    counted
}

fn merge_slots(mut gained: Vec<Gained>, decay: Decay) -> Vec<Gained> {
    let (Decay::Lifespan(period) | Decay::Window(period)) = decay else { return gained };
    let width = SECOND.max((period + 89) / 90);
    let slot = |gained: &Gained| gained.time.div_euclid(width);
    let all = gained.clone();
    for one in &mut gained {
        let latest = all.iter().filter(|other| slot(other) == slot(one)).map(|other| other.time).max();
        one.at = latest.expect("its own time at least");
    }
    gained
}

//! Touches and the credit they get (§6).

use std::collections::BTreeMap;

use super::lead::Seen;
use super::model::{Attribution, Weighing};

#[derive(Clone, Debug)]
pub struct Touch {
    pub time: i64,
    pub channel: usize,
    slot: Option<i64>,
    /// Where its first event stands among the lead's events.
    arrival: usize,
}

/// The touches that are kept, by time; on a tie by arrival.
pub fn kept_touches(attribution: &Attribution, events: &[Seen]) -> Vec<Touch> {
    let mut kept: Vec<Touch> = Vec::new();
    for (arrival, event) in events.iter().enumerate() {
        let channel = attribution.channels.iter().position(|(_, matcher)| matcher.matches(event));
        let Some(channel) = channel else { continue };
        let slot = (attribution.gap > 0).then(|| event.time.div_euclid(attribution.gap));
        let same = |touch: &&mut Touch| touch.channel == channel && slot.is_some() && touch.slot == slot;
        match kept.iter_mut().find(same) {
            Some(touch) => touch.time = touch.time.min(event.time),
            None => kept.push(Touch { time: event.time, channel, slot, arrival }),
        }
        kept.sort_by_key(|touch| (touch.time, touch.arrival));
        if kept.len() > attribution.touches {
            kept.remove(1);
        }
    }
    kept
}

/// `{model: {channel: weight}}` at a clock; no touches: nothing at all.
pub fn weights(
    attribution: &Attribution,
    events: &[Seen],
    clock: i64,
) -> BTreeMap<&'static str, BTreeMap<String, f64>> {
    let inside = |touch: &Touch| attribution.window.is_none_or(|window| clock - touch.time < window);
    let touches: Vec<Touch> = kept_touches(attribution, events).into_iter().filter(inside).collect();
    if touches.is_empty() {
        return BTreeMap::new();
    }
    let model = |weighing: &Weighing| {
        let mut channels: BTreeMap<String, f64> = BTreeMap::new();
        for (touch, share) in touches.iter().zip(shares(weighing, &touches)) {
            if let Some(share) = share {
                *channels.entry(attribution.channels[touch.channel].0.clone()).or_insert(0.0) += share;
            }
        }
        channels.values_mut().for_each(|weight| *weight = (*weight * 1e4).round() / 1e4);
        (name(weighing), channels)
    };
    attribution.models.iter().map(model).collect()
}

fn name(weighing: &Weighing) -> &'static str {
    match weighing {
        Weighing::First => "first",
        Weighing::Last => "last",
        Weighing::Linear => "linear",
        Weighing::TimeDecay(_) => "time_decay",
        Weighing::Position { .. } => "position",
    }
}

/// The share of each touch; none: the model gives it none, however small.
fn shares(weighing: &Weighing, touches: &[Touch]) -> Vec<Option<f64>> {
    let count = touches.len();
    let only = |chosen: usize| (0..count).map(|at| (at == chosen).then_some(1.0)).collect();
    match weighing {
        Weighing::First => only(0),
        Weighing::Last => only(count - 1),
        Weighing::Linear => vec![Some(1.0 / count as f64); count],
        Weighing::TimeDecay(half_life) => {
            let latest = touches[count - 1].time;
            let parts: Vec<f64> =
                touches.iter().map(|t| (-((latest - t.time) as f64) / *half_life as f64).exp2()).collect();
            let sum: f64 = parts.iter().sum();
            parts.iter().map(|part| Some(part / sum)).collect()
        }
        Weighing::Position { first, last } => match count {
            1 => vec![Some(1.0)],
            2 => vec![Some(first / (first + last)), Some(last / (first + last))],
            _ => {
                let middle = (1.0 - first - last) / (count - 2) as f64;
                let share = |at| {
                    if at == 0 {
                        *first
                    } else if at == count - 1 {
                        *last
                    } else {
                        middle
                    }
                };
                (0..count).map(|at| Some(share(at))).collect()
            }
        },
    }
}

//! Touches and the credit that they get (SPEC §6).

use super::lead::{Lead, Touch};
use crate::model::compiled::{Attribution, AttributionModel, ChannelId};
use crate::records::Named;

/// Notes a touch: it joins the kept one of its channel and slot, or is added; over the limit the second earliest goes.
pub fn touch(lead: &mut Lead, rules: &Attribution, channel: ChannelId, time: i64) {
    if rules.gap > 0 {
        let slot = time.div_euclid(rules.gap);
        let same = |kept: &&mut Touch| kept.channel == channel && kept.time.div_euclid(rules.gap) == slot;
        if let Some(kept) = lead.touches.iter_mut().find(same) {
            kept.time = kept.time.min(time);
            return;
        }
    }
    lead.touches.push(Touch { channel, time });
    if lead.touches.len() > rules.touches as usize {
        let second = second_earliest(&lead.touches);
        lead.touches.remove(second);
    }
}

/// Of touches in the order of arrival, which breaks ties. With one touch kept there is none: the newcomer goes.
fn second_earliest(touches: &[Touch]) -> usize {
    let earliest = |without: Option<usize>| {
        let others = (0..touches.len()).filter(|&at| Some(at) != without);
        others.min_by_key(|&at| (touches[at].time, at)).unwrap_or(0)
    };
    earliest(Some(earliest(None)))
}

/// The weight of each channel by each model at the lead's clock; empty without touches inside the window.
pub fn credit<'a>(rules: &'a Attribution, lead: &Lead) -> Named<'a, Named<'a, f64>> {
    let mut touches: Vec<Touch> = lead.touches.clone();
    touches.retain(|touch| rules.window.is_none_or(|window| lead.clock - touch.time < window));
    touches.sort_by_key(|touch| touch.time);
    if touches.is_empty() {
        return Named::default();
    }
    let models = rules
        .models
        .iter()
        .map(|model| (model.name(), by_channel(rules, &touches, &weights(model, &touches))));
    Named(models.collect())
}

/// Calls `each` with every credit of [`credit`]: the model and the channel by their places, and the weight.
pub fn each(
    rules: &Attribution,
    credit: &Named<'_, Named<'_, f64>>,
    mut each: impl FnMut(u8, ChannelId, f64),
) {
    for (model, (_, weights)) in credit.0.iter().enumerate() {
        for (name, weight) in &weights.0 {
            if let Some(channel) = rules.channels.iter().position(|channel| channel.name == *name) {
                each(model as u8, channel as ChannelId, *weight);
            }
        }
    }
}

/// One weight per touch, `None` for touches that the model does not look at; the sum is 1.
fn weights(model: &AttributionModel, touches: &[Touch]) -> Vec<Option<f64>> {
    let count = touches.len();
    match *model {
        AttributionModel::First => (0..count).map(|at| (at == 0).then_some(1.0)).collect(),
        AttributionModel::Last => (0..count).map(|at| (at == count - 1).then_some(1.0)).collect(),
        AttributionModel::Linear => vec![Some(1.0 / count as f64); count],
        AttributionModel::TimeDecay { half_life } => {
            // Relative to the latest touch, so that old touches do not all vanish below the smallest float.
            let latest = touches[count - 1].time;
            let worth = |touch: &Touch| (-((latest - touch.time) as f64) / half_life as f64).exp2();
            let sum: f64 = touches.iter().map(worth).sum();
            touches.iter().map(|touch| Some(worth(touch) / sum)).collect()
        }
        AttributionModel::Position { first, last } => position(first, last, count),
    }
}

fn position(first: f64, last: f64, count: usize) -> Vec<Option<f64>> {
    match count {
        1 => vec![Some(1.0)],
        2 if first + last > 0.0 => vec![Some(first / (first + last)), Some(last / (first + last))],
        2 => vec![Some(0.5); 2],
        _ => {
            let mut weights = vec![Some((1.0 - first - last) / (count - 2) as f64); count];
            (weights[0], weights[count - 1]) = (Some(first), Some(last));
            weights
        }
    }
}

/// Sums per channel in the model's order, to 4 decimals.
fn by_channel<'a>(rules: &'a Attribution, touches: &[Touch], weights: &[Option<f64>]) -> Named<'a, f64> {
    let mut sums: Vec<Option<f64>> = vec![None; rules.channels.len()];
    for (touch, weight) in touches.iter().zip(weights) {
        if let Some(weight) = weight {
            *sums[usize::from(touch.channel)].get_or_insert(0.0) += weight;
        }
    }
    let named = rules.channels.iter().zip(sums);
    Named(named.filter_map(|(channel, sum)| Some((channel.name.as_str(), round4(sum?)))).collect())
}

fn round4(weight: f64) -> f64 {
    (weight * 1e4).round() / 1e4
}

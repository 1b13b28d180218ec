//! What time alone will bring if no further event comes.

use crate::core::codec::Corrupt;
use crate::core::due::{first_due, next_second};
use crate::core::effects::{Effects, Topic};
use crate::core::lead::Lead;
use crate::core::memo::Memo;
use crate::core::partition::{Limits, Partition};
use crate::core::rules::Rules;
use crate::records::Moment;
use serde::Serialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// How far a forecast looks: five years.
const AHEAD_MS: i64 = 5 * 365 * 86_400_000;

/// A record that time alone will bring.
#[derive(Debug, Serialize)]
pub struct Forecast {
    pub at: Moment,
    #[serde(skip)]
    pub topic: Topic,
    pub record: Box<RawValue>,
}

/// The first second after the largest of `now` and the lead's clock at which time alone brings something about, ms.
pub fn next_due(rules: &Rules, lead: &Lead, now: i64) -> Option<i64> {
    let mut memo = Memo::default();
    let mut from = next_second(lead).max(now.div_euclid(1000) + 1);
    while let Some(due) = first_due(rules, lead, &mut memo, from, i64::MAX) {
        if due.certain {
            return Some(due.second * 1000);
        }
        from = due.second;
    }
    None
}

/// The transitions, alerts and SLAs that the lead with these bytes will have, in order, up to and with its first
/// transition.
///
/// # Errors
/// If the bytes are not those of a lead of this model.
pub fn forecast(rules: &Arc<Rules>, bytes: &[u8], now: i64) -> Result<Vec<Forecast>, Corrupt> {
    let mut partition = Partition::new(rules.clone(), Limits::default());
    partition.restore(bytes)?;
    let mut effects = Effects::default();
    partition.advance_until(now.saturating_add(AHEAD_MS), &mut effects);
    let mut forecast = Vec::new();
    for output in effects.outputs().filter(|output| output.topic != Topic::Scores) {
        let Ok(record) = serde_json::from_slice(output.data) else { continue };
        forecast.push(Forecast { at: Moment(output.at_ms), topic: output.topic, record });
        if output.topic == Topic::Transitions {
            break;
        }
    }
    Ok(forecast)
}

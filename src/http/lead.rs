//! One lead: how it stands now, why, what it lacks, and how its scores fade.

use super::{Shared, json_of, refuse};
use crate::core::inspect::decode;
use crate::core::judge::Judge;
use crate::core::lead::Lead;
use crate::core::memo::Memo;
use crate::core::report;
use crate::core::rules::Rules;
use crate::core::settle;
use crate::model::compiled::ScoreId;
use crate::records::{Moment, Named, Raw, Shown};
use crate::shared::now_ms;
use crate::story;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Points of the curve, and how far it goes beyond now.
const POINTS: i64 = 60;
const AHEAD_MS: i64 = 30 * 86_400_000;

/// `/leads/{id}`.
pub(super) async fn lead(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    let permit = match shared.turn().await {
        Ok(permit) => permit,
        Err(refusal) => return refusal.response(),
    };
    // Keys need not be partitioned as Kafka's own clients do it, so all are asked; a look-up is quick.
    let wanted = id.clone();
    let found = shared.ask(move |mut partitions| {
        Iterator::find_map(&mut partitions, |(_, working)| {
            let now = working.leads.stream_time_ms();
            Some((working.leads.rules().clone(), working.leads.lead(&wanted)?.into_owned(), now))
        })
    });
    let found = match found.await {
        Ok(found) => found.into_iter().flatten().next(),
        Err(refusal) => return refusal.response(),
    };
    let Some((rules, bytes, stream_time)) = found else { return not_here(&shared, &id) };
    let now = shared.now(stream_time);
    let answer = tokio::task::spawn_blocking(move || describe(&rules, &bytes, now)).await;
    drop(permit);
    match answer {
        Ok(Some(answer)) => json_of(&answer),
        _ => refuse(StatusCode::INTERNAL_SERVER_ERROR, "the lead cannot be read"),
    }
}

impl Shared {
    /// The moment for which a lead is told: now, or where only events move time, the stream's.
    pub(super) fn now(&self, stream_time_ms: i64) -> i64 {
        match self.settings.clock {
            crate::config::Clock::Wall => now_ms(),
            crate::config::Clock::Events => stream_time_ms,
        }
    }
}

fn not_here(shared: &Shared, id: &str) -> Response {
    let partition = partition_of(id.as_bytes(), shared.input_partitions);
    let held = shared.lines.iter().any(|line| line.status.snapshot().contains_key(&partition));
    let message = if held {
        format!("no lead {id} is known; its key belongs to partition {partition}, which this instance holds")
    } else {
        format!(
            "this instance does not hold the lead {id}: its key belongs to partition {partition} of the input, which another \
             instance of the group holds; ask that one"
        )
    };
    let body = json!({ "error": message, "lead": id, "partition": partition, "partition_held": held });
    let mut response = json_of(&body);
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// Where Kafka's Java client puts a key: murmur2, without its sign.
fn partition_of(key: &[u8], partitions: i32) -> i32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ key.len() as u32;
    let mut words = key.chunks_exact(4);
    for word in &mut words {
        let mut word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        word = (word ^ word >> 24).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ word;
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        let word = rest.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte));
        hash = (hash ^ word).wrapping_mul(M);
    }
    hash = (hash ^ hash >> 13).wrapping_mul(M);
    hash ^= hash >> 15;
    ((hash & 0x7fff_ffff) as i32).checked_rem(partitions).unwrap_or(0)
}

/// What every answer about a lead says.
pub(super) fn summary(rules: &Rules, lead: &Lead, id: &str, now: i64) -> Value {
    let clock = now.max(lead.clock);
    let mut memo = Memo::default();
    let mut judge = Judge::at(&rules.model, lead, clock, &mut memo);
    let common = report::common(&mut judge, id, lead.seq, clock, None);
    json!({
        "lead": id,
        "stage": common.stage,
        "scores": common.scores,
        "grades": common.grades,
        "traits": common.traits,
        "last_activity": lead.last_activity.map(Moment),
        "reasons": common.reasons,
    })
}

fn describe(rules: &Arc<Rules>, bytes: &[u8], now: i64) -> Option<Value> {
    let (id, lead) = decode(rules, bytes).ok()?;
    let standing = story::standing(rules, bytes, now).ok()?;
    let model = &*rules.model;
    let clock = now.max(lead.clock);
    let mut answer = summary(rules, &lead, &id, now);
    let stage = |id: u16| model.stages[usize::from(id)].name.as_str();
    let mut memo = Memo::default();
    let judge = Judge::at(model, &lead, clock, &mut memo);
    let traits = lead.traits.iter().filter_map(|held| {
        let text = std::str::from_utf8(lead.trait_text(held.id)?).ok()?;
        Some((model.traits[usize::from(held.id)].name.as_str(), Raw(serde_json::from_str(text).ok()?)))
    });
    // What came after a transition was left by the next one, and by the present stage.
    let to = |at: usize| lead.history.get(at + 1).map_or(stage(lead.stage), |next| stage(next.from));
    let history = lead.history.iter().enumerate().map(|(at, past)| {
        let transition = &model.transitions[usize::from(past.transition)].name;
        json!({ "transition": transition, "from": stage(past.from), "to": to(at), "at": Moment(past.at) })
    });
    let slas = lead.slas.iter().map(|held| {
        let sla = &model.slas[usize::from(held.id)];
        let state = match (held.past_due_sent, held.due_sent) {
            (true, _) => "past_due",
            (false, true) => "due",
            (false, false) => "running",
        };
        json!({ "name": sla.name, "state": state, "started_at": Moment(held.started_at),
                "due_at": Moment(held.started_at + sla.due) })
    });
    let missing = settle::missing(model, &lead);
    let missing = missing.iter().map(|&id| format!("traits.{}", model.traits[usize::from(id)].name));
    let more = json!({
        "at": Moment(clock),
        "since": Moment(lead.entered_at),
        "first_seen": Moment(lead.first_seen),
        "identified": lead.identified,
        "groups": report::groups(&judge),
        "traits": Named(traits.collect()),
        "history": history.collect::<Vec<_>>(),
        "slas": slas.collect::<Vec<_>>(),
        "missing": missing.collect::<Vec<_>>(),
        "next": { "standing": standing.standing, "not_further": standing.not_further, "outlook": standing.outlook },
        "view": standing.view,
        "curve": curve(rules, &lead, clock),
    });
    if let (Value::Object(answer), Value::Object(more)) = (&mut answer, more) {
        answer.extend(more);
    }
    Some(answer)
}

/// The scores over time, as what is kept tells it: each signal counts in full from its latest occurrence on, and decays
/// from there; of earlier ones only the sum is known.
fn curve(rules: &Rules, lead: &Lead, clock: i64) -> Vec<Value> {
    let (start, end) = (lead.first_seen, clock + AHEAD_MS);
    let mut moments: Vec<i64> = (0..=POINTS).map(|at| start + (end - start) / POINTS * at).collect();
    moments.extend(lead.held.iter().map(|held| held.last_at).filter(|&at| at <= clock));
    moments.push(clock);
    moments.sort_unstable();
    moments.dedup();
    moments.into_iter().map(|at| json!({ "at": Moment(at), "scores": scores_at(rules, lead, at) })).collect()
}

fn scores_at(rules: &Rules, lead: &Lead, at: i64) -> Map<String, Value> {
    let mut then = lead.clone();
    then.held.retain(|held| held.last_at <= at);
    let mut memo = Memo::default();
    let mut judge = Judge::at(&rules.model, &then, at, &mut memo);
    let scores = rules.model.scores.iter().enumerate();
    scores.map(|(id, score)| (score.name.clone(), json!(Shown(judge.value(id as ScoreId))))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_where_java_puts_them() {
        // From the tests of Apache Kafka's own client (UtilsTest): the hashes, here without their sign.
        let hashes = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        ];
        for (key, hash) in hashes {
            assert_eq!(partition_of(key.as_bytes(), i32::MAX), (hash & 0x7fff_ffff) % i32::MAX, "{key}");
        }
    }
}

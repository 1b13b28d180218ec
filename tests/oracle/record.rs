//! What a record says (§8).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::condition::View;
use super::lead::{Lead, Seen};
use super::model::{Model, ScoreKind, trait_path};
use super::score::{round, shown};
use super::time;

const REASONS: usize = 5;

pub struct Cause<'a> {
    pub model: &'a Model,
    /// None: time.
    pub event: Option<&'a Seen>,
}

pub fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("an object is expected, not {other}"),
    }
}

/// Seconds with up to 3 decimals.
pub fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// A line of replay; `lead.seq` is the record's.
pub fn line(kind: &str, lead: &Lead, data: Map<String, Value>) -> Value {
    json!({
        "topic": format!("{kind}s"),
        "key": lead.id,
        "id": format!("{}/{}", lead.id, lead.seq),
        "type": format!("qualifyd.{kind}.v1"),
        "time": data["at"],
        "data": data,
    })
}

pub fn dead_letter(line: usize, reason: &str) -> Value {
    json!({
        "topic": "dead-letter", "key": null, "id": null, "type": null, "time": null,
        "data": { "line": line, "reason": reason },
    })
}

pub fn with_common_fields(view: &View, cause: &Cause, own: Map<String, Value>) -> Map<String, Value> {
    let model = view.model;
    let mut record = fields(json!({
        "lead": view.lead.id,
        "seq": view.lead.seq + 1,
        "at": time::write(view.clock),
        "model": { "name": model.name, "version": model.version },
        "stage": model.stages[view.lead.stage].name,
        "scores": by_score(view, |score| Some(json!(shown(view.score(score))))),
        // Choice: only scores that have grades are named.
        "grades": by_score(view, |score| model.scores[score].grades.is_some().then(|| json!(view.grade(score)))),
        "cause": cause_of(cause),
        "traits": known_traits(view),
        "reasons": reasons(view),
    }));
    let profiles = by_score(view, |score| view.winner(score).map(|winner| json!(model.scores[winner].name)));
    if !profiles.is_empty() {
        record.insert("profiles".into(), json!(profiles));
    }
    record.extend(own);
    record
}

fn by_score(view: &View, value: impl Fn(usize) -> Option<Value>) -> BTreeMap<String, Value> {
    let scores = view.model.scores.iter().enumerate();
    scores.filter_map(|(at, score)| Some((score.name.clone(), value(at)?))).collect()
}

fn cause_of(cause: &Cause) -> Map<String, Value> {
    let Some(event) = cause.event else { return fields(json!({ "kind": "time" })) };
    let mut map = fields(json!({ "kind": "event" }));
    if let Some(id) = &event.message_id {
        map.insert("message_id".into(), json!(id));
    }
    if !event.signals.is_empty() {
        let names = event.signals.iter().map(|signal| cause.model.signals[*signal].name.as_str());
        map.insert("signals".into(), names.collect());
    }
    map
}

fn known_traits(view: &View) -> Map<String, Value> {
    let known = |path: &String| Some((path.clone(), view.lead.history.traits.get(path)?.clone()));
    view.model.emit_traits.iter().filter_map(known).collect()
}

/// The largest contributions to the scores, now.
fn reasons(view: &View) -> Vec<Value> {
    let mut found: Vec<(f64, Value)> = Vec::new();
    for (at, score) in view.model.scores.iter().enumerate() {
        let ScoreKind::Own { groups, .. } = &score.kind else { continue };
        for (g, group) in groups.iter().enumerate() {
            for part in view.signal_points(at, g) {
                let signal = &view.model.signals[part.signal];
                let reason = json!({
                    "score": score.name, "group": group.name, "signal": signal.name, "label": signal.label,
                    "points": shown(part.points), "count": part.count, "last_at": part.last_at.map(time::write),
                });
                found.push((part.points, reason));
            }
        }
        for rule in view.counting_rules(at) {
            let mut reason =
                json!({ "score": score.name, "criterion": rule.position, "points": shown(rule.points) });
            if let Some(label) = &rule.label {
                reason["label"] = json!(label);
            }
            found.push((rule.points, reason));
        }
        let points = view.inactivity(at);
        let reason = json!({ "score": score.name, "label": "inactivity", "points": shown(points) });
        found.push((points, reason));
    }
    found.retain(|(points, _)| shown(*points) != 0.0);
    // Stable: ties stay in model order.
    found.sort_by(|(a, _), (b, _)| round(*b).abs().total_cmp(&round(*a).abs()));
    found.into_iter().take(REASONS).map(|(_, reason)| reason).collect()
}

/// The absent fields that pending transitions wait for.
pub fn missing(view: &View) -> Vec<String> {
    let mut missing: Vec<String> = Vec::new();
    for transition in &view.lead.pending {
        let to = view.model.transitions[*transition].to;
        for field in &view.model.stages[to].requires {
            if !view.lead.history.traits.contains_key(trait_path(field)) && !missing.contains(field) {
                missing.push(field.clone());
            }
        }
    }
    missing
}

/// What a score record says beside the common fields.
pub fn score_fields(view: &View) -> Map<String, Value> {
    let model = view.model;
    let groups = by_score(view, |at| match &model.scores[at].kind {
        ScoreKind::Own { groups, .. } if !groups.is_empty() => {
            let value = |(g, _): (usize, _)| json!(shown(view.group(at, g)));
            let named = groups.iter().map(|group| group.name.clone());
            Some(named.zip(groups.iter().enumerate().map(value)).collect::<Map<_, _>>().into())
        }
        _ => None,
    });
    let qualified: Map<String, Value> = model
        .qualifications
        .iter()
        .map(|q| (q.name.clone(), json!(BTreeMap::from_iter(view.qualified(&q.name)))))
        .collect();
    let mut own = fields(json!({
        "groups": groups,
        "qualified": qualified,
        "last_activity": view.lead.history.last_activity.map(time::write),
        "entered_stage_at": time::write(view.lead.entered_at),
        "first_seen": time::write(view.lead.history.first_seen),
    }));
    let missing = missing(view);
    if !missing.is_empty() {
        own.insert("missing".into(), json!(missing));
    }
    own
}

//! Small streams written by hand, told in seconds since one moment.

use serde_json::{Map, Value, json};

use super::{Model, Options, replay, time};

/// 2024-01-01T00:00:00Z.
pub const START: i64 = 1_704_067_200_000;

/// A moment so many seconds after the start.
pub fn at(seconds: f64) -> i64 {
    START + (seconds * 1000.0).round() as i64
}

pub fn written(seconds: f64) -> String {
    time::write(at(seconds))
}

/// A track event, with further fields of the envelope.
pub fn track(lead: &str, name: &str, seconds: f64, more: Value) -> Value {
    let mut event = json!({ "type": "track", "event": name, "userId": lead, "timestamp": written(seconds) });
    merge(event.as_object_mut().expect("an object"), more);
    event
}

pub fn identify(lead: &str, seconds: f64, traits: Value) -> Value {
    json!({ "type": "identify", "userId": lead, "timestamp": written(seconds), "traits": traits })
}

fn merge(event: &mut Map<String, Value>, more: Value) {
    if let Value::Object(more) = more {
        event.extend(more);
    }
}

pub fn lines(events: &[Value]) -> Vec<u8> {
    events.iter().map(Value::to_string).collect::<Vec<_>>().join("\n").into_bytes()
}

/// What the oracle prints for a model without name and version.
pub fn run(model: &str, events: &[Value], until: Option<f64>, scores: bool) -> Vec<Value> {
    let model = Model::read(&format!("model: m\nversion: 1\n{model}"));
    replay(&model, &lines(events), Options { until: until.map(at), scores, every_second: false })
}

/// The records of one topic, each as its seconds since the start and one of its fields.
pub fn told(records: &[Value], topic: &str, field: &str) -> Vec<(f64, Value)> {
    records
        .iter()
        .filter(|record| record["topic"] == topic)
        .map(|record| {
            let at = time::read(&record["time"]).expect("a readable time");
            ((at - START) as f64 / 1000.0, record["data"][field].clone())
        })
        .collect()
}

/// The final score record of a model's only lead.
pub fn final_score(model: &str, events: &[Value], until: f64) -> Value {
    run(model, events, Some(until), true).pop().expect("a score record")["data"].clone()
}

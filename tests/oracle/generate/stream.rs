//! Random lines: all kinds of events of a few leads, out of order, repeated, odd and broken.

use serde_json::{Map, Value, json};

use super::super::time::{self, DAY, HOUR, MINUTE, SECOND};
use super::conditions::{EVENTS, MEDIUMS, PATHS, REGIONS, TAGS, TITLES};
use super::{Pace, Rng};

const START: i64 = 1_709_164_800_000; // 2024-02-29

/// The lines, and the time at which they end.
pub fn lines(rng: &mut Rng, pace: Pace) -> (Vec<Vec<u8>>, i64) {
    let mut now = START + rng.between(0, 86_400) * SECOND;
    // Now and then more than the message ids that a lead keeps.
    let count = if rng.one_in(20) { rng.between(100, 250) } else { rng.between(5, 60) };
    let leads = rng.between(1, 5) as usize;
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for n in 0..count {
        now += silence(rng, pace);
        let line = match rng.below(30) {
            0 => broken(rng).as_bytes().to_vec(),
            1 | 2 if !lines.is_empty() => rng.pick(&lines).clone(),
            _ => event(rng, pace, now, n, leads).to_string().into_bytes(),
        };
        lines.push(line);
    }
    (lines, now)
}

/// Another order of arrival.
pub fn arrange(rng: &mut Rng, lines: &mut [Vec<u8>]) {
    rng.shuffle(lines);
}

fn silence(rng: &mut Rng, pace: Pace) -> i64 {
    let long = if pace == Pace::Fast { 2 * MINUTE } else { 3 * DAY };
    let middle = if pace == Pace::Fast { 20 * SECOND } else { 5 * HOUR };
    match rng.below(12) {
        0 => rng.between(0, long),
        1..=4 => rng.between(0, middle),
        5 | 6 => 0,
        7 => SECOND,
        _ => rng.between(0, 3_000),
    }
}

fn broken(rng: &mut Rng) -> String {
    let deep = format!("{{\"type\":\"track\",\"properties\":{}{}}}", "[".repeat(70), "]".repeat(70));
    let choices = [
        "",
        "   ",
        "{",
        "nonsense",
        "[1, 2]",
        "\"text\"",
        "{\"type\": \"track\", \"event\": \"Alpha\"} trailing",
        "{\"type\": \"unknown\", \"userId\": \"l1\"}",
        "{\"type\": 5}",
        "{\"userId\": \"l1\"}",
        "{\"type\": \"track\", \"event\": \"Alpha\", \"timestamp\": 1709164800}",
        "{\"type\": \"track\", \"event\": \"Alpha\", \"userId\": true}",
        "{\"type\": \"track\", \"event\": \"Alpha\", \"userId\": 1.5, \"timestamp\": \"never\"}",
        "{\"type\": \"track\", \"event\": \"\", \"userId\": \"l1\", \"timestamp\": \"never\"}",
        "{\"type\": \"track\", \"event\": \"Alpha\", \"userId\": \"l1\"}",
        "{\"type\": \"track\", \"event\": \"Alpha\", \"userId\": \"l1\", \"timestamp\": \"2024-02-30T00:00:00Z\"}",
        "{\"type\": \"track\", \"event\": \"Alpha\", \"userId\": \"l1\", \"timestamp\": -5}",
        "{\"type\": \"page\", \"userId\": \"l1\", \"x\": 1e999}",
        "{\"type\": \"page\", \"userId\": \"\\ud800\"}",
        "{\"type\": \"track\", \"event\": \"Ad Spend Recorded\", \"properties\": {\"n\": 5, \"tag\": \"cpc\"}}",
        "\u{feff}{\"type\": \"track\", \"event\": \"Alpha\", \"userId\": \"l1\", \"timestamp\": 1709164800}",
        deep.as_str(),
    ];
    rng.pick(&choices).to_string()
}

fn event(rng: &mut Rng, pace: Pace, now: i64, n: i64, leads: usize) -> Value {
    let mut event = Map::new();
    let kind = *rng
        .pick(&["track", "track", "track", "track", "page", "page", "screen", "identify", "group", "alias"]);
    let spelled = if rng.one_in(15) { kind.to_uppercase() } else { kind.to_string() };
    event.insert(if rng.one_in(15) { "action" } else { "type" }.into(), json!(spelled));
    match kind {
        "track" => drop(event.insert("event".into(), json!(rng.pick(&EVENTS)))),
        "page" | "screen" if rng.one_in(2) => {
            drop(event.insert("name".into(), json!(rng.pick(&["Home", "Alpha"]))))
        }
        _ => {}
    }
    identity(rng, &mut event, leads);
    times(rng, pace, &mut event, now);
    if !rng.one_in(6) {
        let id = if rng.one_in(8) { n / 2 } else { n };
        let field = if rng.one_in(9) { "message_id" } else { "messageId" };
        event.insert(field.into(), json!(format!("m{id}")));
    }
    if !rng.one_in(4) {
        event.insert("properties".into(), properties(rng));
    }
    if rng.one_in(2) {
        event.insert("context".into(), context(rng));
    }
    if matches!(kind, "identify" | "group") || rng.one_in(8) {
        let traits = if kind == "group" { company(rng) } else { traits(rng) };
        event.insert("traits".into(), traits);
    }
    Value::Object(event)
}

fn identity(rng: &mut Rng, event: &mut Map<String, Value>, leads: usize) {
    let lead = rng.below(leads as u64) as usize;
    let (field, id) = [
        ("userId", json!("l1")),
        ("anonymousId", json!("L2 é")),
        ("user_id", json!(7)),
        ("anonymous_id", json!("l10")),
        ("userId", json!("ann@x.io")),
    ][lead]
        .clone();
    event.insert(field.into(), id);
    if rng.one_in(12) {
        event.insert("anonymousId".into(), json!("l10"));
    }
    if rng.one_in(30) {
        event
            .insert("userId".into(), rng.pick(&[json!(null), json!(""), json!("l10"), json!(["x"])]).clone());
    }
}

fn times(rng: &mut Rng, pace: Pace, event: &mut Map<String, Value>, now: i64) {
    let back = if pace == Pace::Fast { 3 * MINUTE } else { 2 * DAY };
    let mut own = match rng.below(20) {
        0 => now + rng.between(0, 20 * MINUTE),
        1..=3 => now - rng.between(0, back),
        4 => now - rng.between(0, 20 * SECOND),
        _ => now,
    };
    if rng.one_in(2) {
        own -= own % SECOND;
    }
    let field = *rng.pick(&["timestamp", "timestamp", "timestamp", "originalTimestamp", "sentAt", "sent_at"]);
    event.insert(field.into(), spell(rng, own));
    if own > now || rng.one_in(2) {
        let received = if rng.one_in(40) { json!("unreadable") } else { spell(rng, now) };
        event.insert(if rng.one_in(9) { "received_at" } else { "receivedAt" }.into(), received);
    }
    if rng.one_in(30) {
        event.insert("timestamp".into(), rng.pick(&[json!(null), json!(""), json!("soon")]).clone());
    }
}

fn spell(rng: &mut Rng, at: i64) -> Value {
    let text = time::write(at);
    match rng.below(8) {
        0 => json!(at),
        1 => json!(at.to_string()),
        2 => json!(format!("{}+01:00", &time::write(at + HOUR)[..23])),
        3 => json!(format!("{}-0230", &time::write(at - 150 * MINUTE)[..23])),
        4 => json!(text.replace('T', " ").replace('Z', "999z")),
        5 => json!(text[..23]),
        _ => json!(text),
    }
}

fn number(rng: &mut Rng) -> Value {
    match rng.below(12) {
        0 => json!("3"),
        1 => json!(" 3"),
        2 => json!("4.5"),
        3 => json!(null),
        4 => json!("many"),
        5 => json!(rng.between(0, 100) as f64 / 8.0),
        6 => json!(-rng.between(0, 9)),
        7 => json!("1e1"),
        _ => json!(rng.between(0, 12)),
    }
}

fn word(rng: &mut Rng, words: &[&str]) -> Value {
    match rng.below(14) {
        0 => json!(null),
        1 => json!(""),
        2 => json!(rng.between(0, 3)),
        3 => json!(rng.one_in(2)),
        4 => json!([rng.pick(words), rng.pick(words)]),
        5 => json!(rng.pick(words).to_uppercase()),
        _ => json!(rng.pick(words)),
    }
}

fn properties(rng: &mut Rng) -> Value {
    let mut map = Map::new();
    let chance = 2;
    if rng.one_in(chance) {
        map.insert("n".into(), number(rng));
    }
    if rng.one_in(chance) {
        map.insert("tag".into(), word(rng, &TAGS));
    }
    if rng.one_in(3) {
        let items = (0..rng.below(4)).map(|_| json!({ "sku": word(rng, &TAGS), "n": number(rng) }));
        let items: Value = items.collect();
        let nested = [items.clone(), items.clone(), json!([[items]]), json!({ "sku": "red", "n": 4 })];
        map.insert("items".into(), rng.pick(&nested).clone());
    }
    if rng.one_in(3) {
        let nested = [json!([]), json!([null]), json!([["red", ["blue"]], "x"]), json!(TAGS), json!("red")];
        map.insert("tags".into(), rng.pick(&nested).clone());
    }
    if rng.one_in(3) {
        map.insert("flag".into(), rng.pick(&[json!(true), json!(false), json!("true"), json!(null)]).clone());
    }
    if rng.one_in(9) {
        map.insert("name".into(), json!("Home"));
    }
    Value::Object(map)
}

fn context(rng: &mut Rng) -> Value {
    let mut map = Map::new();
    if rng.one_in(2) {
        let mut page = json!({ "path": word(rng, &PATHS) });
        if rng.one_in(2) {
            page["referrer"] = word(rng, &["https://a.example", "https://b.example"]);
        }
        map.insert("page".into(), page);
    }
    if rng.one_in(2) {
        map.insert("campaign".into(), json!({ "medium": word(rng, &MEDIUMS) }));
    }
    if rng.one_in(4) {
        map.insert("traits".into(), traits(rng));
    }
    Value::Object(map)
}

fn traits(rng: &mut Rng) -> Value {
    let mut map = Map::new();
    if rng.one_in(3) {
        map.insert("title".into(), word(rng, &TITLES));
    }
    if rng.one_in(3) {
        map.insert("region".into(), word(rng, &REGIONS));
    }
    if rng.one_in(3) {
        map.insert("email".into(), word(rng, &["ann@gmail.com", "Bob@yahoo.com", "c@corp.example"]));
    }
    if rng.one_in(3) {
        map.insert("budget".into(), number(rng));
    }
    if rng.one_in(3) {
        map.insert("vip".into(), rng.pick(&[json!(true), json!(false), json!(null)]).clone());
    }
    if rng.one_in(4) {
        map.insert("tags".into(), json!([word(rng, &TAGS), word(rng, &TAGS)]));
    }
    if rng.one_in(5) {
        let choices =
            [json!(null), json!(""), json!("text"), json!([{ "size": 5 }]), company(rng), company(rng)];
        map.insert("company".into(), rng.pick(&choices).clone());
    }
    if rng.one_in(12) {
        map.insert("bio".into(), json!("long ".repeat(*rng.pick(&[1, 300]))));
    }
    Value::Object(map)
}

fn company(rng: &mut Rng) -> Value {
    let mut map = Map::new();
    if rng.one_in(2) {
        map.insert("size".into(), number(rng));
    }
    if rng.one_in(2) {
        map.insert("name".into(), word(rng, &["Acme", "Globex"]));
    }
    if rng.one_in(5) {
        map.insert("email".into(), json!("info@acme.example"));
    }
    Value::Object(map)
}

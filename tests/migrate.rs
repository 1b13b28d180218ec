//! Leads live on when the model is edited: told as those who edit it would tell it.

use qualifyd::core::codec::{self, Told};
use qualifyd::core::effects::Effects;
use qualifyd::core::lead::Lead;
use qualifyd::core::migrate::{Dropped, Migration};
use qualifyd::core::partition::{Limits, Partition, Record, Timestamp};
use qualifyd::core::rules::Rules;
use qualifyd::core::tables::Tables;
use qualifyd::model::Model;
use serde_json::{Value, json};
use std::sync::Arc;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// 2026-03-01T00:00:00Z.
const START: i64 = 1_772_323_200_000;

/// The first version.
const SHOP: &str = "
model: shop
version: 1
signals:
  pricing: { match: { event: Pricing Viewed } }
  demo: { match: { event: Demo Requested } }
  called: { match: { event: Call Logged }, activity: false }
  accepted: { match: { event: Lead Accepted }, activity: false }
scores:
  engagement:
    groups:
      web: { decay: { half_life: 30d }, points: { pricing: 10 } }
      intent: { points: { demo: 30 } }
  fit:
    criteria: [ { when: { traits.title: { contains: chief } }, points: 40 } ]
    grades: { A: 40, B: 0 }
stages: [ { name: visitor }, { name: lead }, { name: mql }, { name: sal, requires: [traits.email] }, { name: recycled } ]
transitions:
  - { name: identify, from: visitor, to: lead, when: { identified: true } }
  - { name: qualify, from: lead, to: mql, when: { score.engagement: { gte: 50 } } }
  - { name: handback, from: mql, to: recycled, after: 14d }
  - { name: accept, from: mql, to: sal, on: accepted }
alerts:
  hot: { when: { score.engagement: { gte: 60 } }, cooldown: 1d }
slas:
  call: { start: { on: demo }, stop: { on: called }, due: 1d }
  acceptance: { start: { enter: mql }, stop: { enter: sal }, cancel: { leave: mql }, due: 2d }
attribution:
  channels: { ads: { context.campaign.medium: cpc }, mail: { context.campaign.medium: email } }
  models: [linear]
  credit: [mql, sal]
emit: { scores: { on_change_of: 1 } }
";

/// The first version with some text replaced.
fn edited(edits: &[(&str, &str)]) -> String {
    edits.iter().fold(SHOP.to_owned(), |text, (before, after)| {
        assert!(text.contains(before), "the model has no '{before}'");
        text.replace(before, after)
    })
}

fn rules(text: &str) -> Arc<Rules> {
    let loaded = Model::load("model", text.as_bytes(), &mut |_| Err(std::io::Error::other("no files")));
    let loaded = loaded.unwrap_or_else(|found| panic!("{found:#?}"));
    Arc::new(Rules::new(Arc::new(loaded.model)))
}

/// Reads a lead that the version of `tables` has kept.
fn decode(tables: &Tables, bytes: &[u8]) -> (Lead, String) {
    let (mut lead, mut id) = (Lead::default(), String::new());
    codec::decode(bytes, &tables.bounds(), &mut lead, &mut Told::default(), &mut id).expect("a lead's bytes");
    (lead, id)
}

fn encode(lead: &Lead, id: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    codec::write_prefix(&mut bytes, id);
    codec::encode(lead, 0, &mut Told::default(), &mut bytes);
    bytes
}

/// The leads of one partition, under one version of the model.
struct Shop {
    rules: Arc<Rules>,
    partition: Partition,
}

impl Shop {
    fn open(text: &str) -> Shop {
        let rules = rules(text);
        Shop { partition: Partition::new(rules.clone(), Limits::default()), rules }
    }

    /// What an event of the lead `u` brings about.
    fn event(&mut self, name: &str, at: i64, more: Value) -> Vec<Value> {
        let mut event = json!({ "type": "track", "event": name, "userId": "u", "timestamp": at });
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let text = event.to_string();
        let mut effects = Effects::default();
        let record = Record { value: Some(text.as_bytes()), timestamp: Timestamp::None };
        self.partition.apply(record, None, &mut effects);
        records(&effects)
    }

    fn plain(&mut self, name: &str, at: i64) -> Vec<Value> {
        self.event(name, at, json!({}))
    }

    /// What time alone brings about.
    fn until(&mut self, at: i64) -> Vec<Value> {
        let mut effects = Effects::default();
        self.partition.advance_until(at, &mut effects);
        records(&effects)
    }

    /// How the lead stands: its score record.
    fn state(&mut self, at: i64) -> Value {
        let (mut effects, mut state) = (Effects::default(), Value::Null);
        self.partition.score_records(at, &mut effects, |effects| state = records(effects).remove(0));
        state
    }

    fn lead(&self) -> Lead {
        decode(&Tables::of(&self.rules.model), self.partition.lead_bytes().next().unwrap()).0
    }

    /// The same leads under another version. Neither clocks nor sequence numbers move.
    fn edit(self, text: &str) -> (Shop, Dropped) {
        let mut shop = Shop::open(text);
        let old = Tables::of(&self.rules.model);
        // As they come back from the changelog.
        let old: Tables = serde_json::from_str(&serde_json::to_string(&old).unwrap()).unwrap();
        let migration = Migration::new(&old, &shop.rules);
        let mut dropped = Dropped::default();
        for bytes in self.partition.lead_bytes() {
            let (mut lead, id) = decode(&old, bytes);
            let before = (lead.clock, lead.seq);
            dropped += migration.apply(&shop.rules, &mut lead);
            assert_eq!((lead.clock, lead.seq), before);
            shop.partition.restore(&encode(&lead, &id)).expect("a lead of the new model");
        }
        shop.partition.restore_stream_time(self.partition.stream_time_ms(), false);
        (shop, dropped)
    }
}

fn records(effects: &Effects) -> Vec<Value> {
    effects.outputs().map(|output| serde_json::from_slice(output.data).unwrap()).collect()
}

/// Of records only the values of one field, where they have it.
fn told<'r>(records: &'r [Value], field: &str) -> Vec<&'r str> {
    records.iter().filter_map(|record| record.get(field)?.as_str()).collect()
}

/// A lead of the first version that has viewed prices often enough to be an MQL at once.
fn qualified() -> Shop {
    let mut shop = Shop::open(SHOP);
    let chief =
        json!({ "context": { "campaign": { "medium": "cpc" }, "traits": { "title": "Chief Buyer" } } });
    shop.event("Pricing Viewed", START, chief);
    shop.plain("Pricing Viewed", START);
    let records = shop.plain("Demo Requested", START);
    assert_eq!(told(&records, "transition"), ["qualify"]);
    shop
}

#[test]
fn what_is_added_takes_nothing_away() {
    let mut shop = qualified();
    let before = shop.state(START);
    let added = edited(&[
        ("version: 1", "version: 2"),
        ("signals:", "signals:\n  webinar: { match: { event: Webinar Attended } }"),
        (
            "  engagement:\n    groups:",
            "  early: { groups: { g: { points: { webinar: 1 } } } }\n  engagement:\n    groups:\n      talks: { points: { webinar: 5 } }",
        ),
        ("{ name: visitor }, ", "{ name: visitor }, { name: subscriber }, "),
        (
            "transitions:",
            "transitions:\n  - { name: subscribe, from: visitor, to: subscriber, when: { traits.plan: free } }",
        ),
        ("alerts:", "alerts:\n  webinar: { on: webinar }"),
        ("slas:", "slas:\n  greet: { start: { enter: subscriber }, stop: { on: called }, due: 1h }"),
        ("channels: {", "channels: { social: { context.campaign.medium: social },"),
    ]);
    let (mut shop, dropped) = shop.edit(&added);
    assert_eq!(dropped, Dropped::default());
    let after = shop.state(START);
    for field in ["stage", "grades", "reasons", "entered_stage_at", "first_seen", "last_activity"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    assert_eq!(after["scores"]["engagement"], 50);
    assert_eq!(after["model"]["version"], 2);
    // The demo's call and the acceptance are still awaited, the touch still gets its credit, and what is new works.
    let records =
        shop.event("Lead Accepted", START + HOUR, json!({ "context": { "traits": { "email": "u@x.de" } } }));
    assert_eq!(told(&records, "transition"), ["accept"]);
    assert_eq!(records[0]["attribution"], json!({ "linear": { "ads": 1.0 } }));
    assert_eq!((told(&records, "sla"), told(&records, "state")), (vec!["acceptance"], vec!["met"]));
    let records = shop.until(START + 2 * DAY);
    assert_eq!((told(&records, "sla"), told(&records, "state")), (vec!["call"], vec!["due"]));
    let records = shop.plain("Webinar Attended", START + 3 * DAY);
    assert_eq!(told(&records, "alert"), ["webinar"]);
}

#[test]
fn an_unchanged_model_leaves_the_bytes_as_they_are() {
    let shop = qualified();
    let before: Vec<_> = shop.partition.lead_bytes().map(<[u8]>::to_vec).collect();
    let (shop, dropped) = shop.edit(SHOP);
    assert_eq!(dropped, Dropped::default());
    assert_eq!(shop.partition.lead_bytes().collect::<Vec<_>>(), before);
}

#[test]
fn a_renamed_stage_keeps_its_leads_and_their_time_in_it() {
    let renamed = edited(&[
        ("{ name: mql }", "{ name: engaged, renamed_from: [warm, mql] }"),
        ("to: mql", "to: engaged"),
        ("from: mql", "from: engaged"),
        ("enter: mql", "enter: engaged"),
        ("leave: mql", "leave: engaged"),
        ("credit: [mql", "credit: [engaged"),
    ]);
    let (mut shop, dropped) = qualified().edit(&renamed);
    assert_eq!(dropped, Dropped::default());
    // What was last said of it names a stage that nobody knows any more.
    let records = shop.until(START + 1000);
    assert_eq!(told(&records, "stage"), ["engaged"]);
    assert!(records[0].get("transition").is_none());
    let records = shop.until(START + 14 * DAY);
    assert_eq!(told(&records, "transition"), ["handback"]);
    let handback = records.iter().find(|record| record["transition"] == "handback").unwrap();
    assert_eq!((&handback["from"], &handback["at"]), (&json!("engaged"), &json!("2026-03-15T00:00:00.000Z")));
}

#[test]
fn a_lead_whose_stage_is_gone_begins_anew() {
    let gone = edited(&[
        ("{ name: mql }, ", ""),
        ("to: mql", "to: sal"),
        ("from: mql", "from: lead"),
        ("enter: mql", "enter: lead"),
        ("leave: mql", "leave: lead"),
        ("credit: [mql, ", "credit: ["),
        ("hot: { when: {", "hot: { when: { stage: visitor,"),
    ]);
    let mut shop = qualified();
    shop.event("Pricing Viewed", START + HOUR, json!({}));
    shop.plain("Pricing Viewed", START + 2 * HOUR);
    let (mut shop, dropped) = shop.edit(&gone);
    let lead = shop.lead();
    assert_eq!((lead.stage, lead.entered_at), (0, START + 2 * HOUR));
    assert_eq!((dropped.placed_anew, dropped.stages), (1, 1));
    // Its acceptance is no longer awaited, the call is.
    assert_eq!((dropped.slas, lead.slas.len()), (1, 1));
    // It is in a stage in which the alert would hold, but only because the model is another.
    let records = shop.until(START + 3 * HOUR);
    assert_eq!(told(&records, "transition"), ["identify"]);
    assert!(told(&records, "alert").is_empty() && told(&records, "sla").is_empty(), "{records:#?}");
}

#[test]
fn a_lower_bar_pages_nobody_for_what_was_there_before() {
    let lower = edited(&[("gte: 60", "gte: 40")]);
    let (mut shop, _) = qualified().edit(&lower);
    assert!(shop.until(START + DAY).iter().all(|record| record.get("alert").is_none()));
    // Only when the score has fallen below the bar and comes back, the alert means something again.
    let records = shop.until(START + 40 * DAY);
    assert!(told(&records, "alert").is_empty());
    assert_eq!(shop.state(START + 40 * DAY)["scores"]["engagement"], 37.94);
    let records = shop.plain("Pricing Viewed", START + 40 * DAY);
    assert_eq!(told(&records, "alert"), ["hot"]);
}

#[test]
fn an_alert_that_only_waits_for_its_cooldown_is_still_told() {
    let mut shop = qualified();
    assert_eq!(told(&shop.plain("Pricing Viewed", START), "alert"), ["hot"]);
    // It falls below 60 at once, and rises again within the day.
    let records = [shop.until(START + 12 * HOUR), shop.plain("Pricing Viewed", START + 12 * HOUR)].concat();
    assert!(told(&records, "alert").is_empty());
    let other = "alerts:\n  other: { when: { score.engagement: { gte: 20 } } }";
    let (mut shop, _) = shop.edit(&edited(&[("alerts:", other)]));
    let records = shop.until(START + 2 * DAY);
    assert_eq!(told(&records, "alert"), ["hot"]);
    assert_eq!(
        records.iter().find(|record| record["alert"] == "hot").unwrap()["at"],
        "2026-03-02T00:00:00.000Z"
    );
}

#[test]
fn transitions_that_now_hold_fire_by_themselves() {
    let mut shop = Shop::open(SHOP);
    shop.plain("Demo Requested", START);
    let (mut shop, _) = shop.edit(&edited(&[("engagement: { gte: 50 }", "engagement: { gte: 30 }")]));
    let records = shop.until(START + DAY);
    assert_eq!(told(&records, "transition"), ["qualify"]);
    assert_eq!(records[0]["at"], "2026-03-01T00:00:01.000Z");
}

#[test]
fn what_is_gone_is_dropped_and_counted() {
    let gone = edited(&[
        ("      intent: { points: { demo: 30 } }\n", ""),
        ("  hot: {", "  warm: {"),
        ("  call: {", "  ring: {"),
        ("ads: { context.campaign.medium: cpc }, ", ""),
        ("traits.title", "traits.role"),
        ("name: qualify", "name: qualified"),
    ]);
    let mut shop = qualified();
    shop.plain("Pricing Viewed", START);
    let (mut shop, dropped) = shop.edit(&gone);
    let expected = Dropped {
        contributions: 1,
        alerts: 1,
        slas: 1,
        touches: 1,
        traits: 1,
        transitions: 1,
        ..Dropped::default()
    };
    assert_eq!(dropped, expected);
    let state = shop.state(START);
    assert_eq!((&state["stage"], &state["scores"]["engagement"]), (&json!("mql"), &json!(30)));
    assert_eq!((&state["scores"]["fit"], &state["grades"]["fit"]), (&json!(0), &Value::Null));
    // The SLA that has another name now is not started for a demo of former days, nor ended with a record.
    let records = shop.until(START + 5 * DAY);
    assert_eq!(told(&records, "sla"), ["acceptance"]);
}

#[test]
fn criteria_are_judged_anew() {
    let (mut shop, _) =
        qualified().edit(&edited(&[("contains: chief", "contains: buyer"), ("points: 40", "points: 45")]));
    assert_eq!(shop.state(START)["scores"]["fit"], 45.0);
    let (mut shop, _) = shop.edit(&edited(&[("contains: chief", "contains: clerk")]));
    assert_eq!(shop.state(START)["scores"]["fit"], 0.0);
    assert_eq!(shop.state(START)["grades"]["fit"], "B");
}

#[test]
fn points_live_on_under_another_decay() {
    let decays = ["none", "{ half_life: 30d }", "{ lifespan: 60d }", "{ window: 60d }"];
    for before in decays {
        for after in decays {
            let version = |decay: &str| edited(&[("{ half_life: 30d }", decay)]);
            let mut shop = Shop::open(&version(before));
            shop.plain("Pricing Viewed", START);
            shop.plain("Pricing Viewed", START);
            let (mut shop, dropped) = shop.edit(&version(after));
            assert_eq!(dropped, Dropped::default());
            assert_eq!(shop.state(START)["scores"]["engagement"], 20.0, "{before} → {after}");
            let month = shop.state(START + 30 * DAY);
            let expected = if after.contains("half") || after.contains("lifespan") { 10.0 } else { 20.0 };
            assert_eq!(month["scores"]["engagement"], expected, "{before} → {after}");
            assert_eq!(month["reasons"][0]["count"], 2);
            shop.plain("Pricing Viewed", START + DAY);
            let end = shop.state(START + 60 * DAY)["scores"]["engagement"].as_f64().unwrap();
            assert!(if after == "none" { end == 30.0 } else { end < 16.0 }, "{before} → {after}: {end}");
        }
    }
}

#[test]
fn at_most_goes_on_from_what_is_known() {
    let limited = |limit: &str| edited(&[("{ pricing: 10 }", limit)]);
    let (daily, hourly) = (
        "{ pricing: { points: 10, at_most: 2, per: 1d } }",
        "{ pricing: { points: 10, at_most: 1, per: 1h } }",
    );
    let steps: [(&str, &str, f64); 4] = [
        ("{ pricing: 10 }", hourly, 20.0),
        (daily, hourly, 20.0),
        (hourly, "{ pricing: 10 }", 30.0),
        (daily, daily, 20.0),
    ];
    for (before, after, expected) in steps {
        let mut shop = Shop::open(&limited(before).replace("{ half_life: 30d }", "none"));
        shop.plain("Pricing Viewed", START);
        shop.plain("Pricing Viewed", START + 2 * HOUR);
        let (mut shop, _) = shop.edit(&limited(after).replace("{ half_life: 30d }", "none"));
        shop.plain("Pricing Viewed", START + 2 * HOUR + 60_000);
        assert_eq!(shop.state(START + DAY)["scores"]["engagement"], expected, "{before} → {after}");
    }
}

#[test]
fn occurrences_that_were_only_counted_count_where_they_can() {
    let asking = |seen: &str| {
        edited(&[("score.engagement: { gte: 50 }", &format!("seen: {{ signal: pricing, {seen} }}"))])
    };
    let often = |shop: &mut Shop| {
        let identified = shop.plain("Pricing Viewed", START);
        assert_eq!(told(&identified, "transition"), ["identify"]);
        shop.plain("Pricing Viewed", START + 20 * DAY);
    };
    // Two are known, but not when: they may have been long ago.
    for (after, moves) in
        [("at_least: 3, within: 30d", true), ("at_least: 2, within: 10d", false), ("at_least: 2", true)]
    {
        let mut shop = Shop::open(&asking("at_least: 3"));
        often(&mut shop);
        let (mut shop, dropped) = shop.edit(&asking(after));
        assert_eq!(dropped, Dropped::default());
        let records = shop.plain("Pricing Viewed", START + 25 * DAY);
        assert_eq!(told(&records, "transition") == ["qualify"], moves, "{after}");
    }
    let mut shop = Shop::open(&asking("at_least: 3, within: 30d"));
    often(&mut shop);
    let (mut shop, _) = shop.edit(&asking("at_least: 3"));
    assert_eq!(told(&shop.plain("Pricing Viewed", START + 100 * DAY), "transition"), ["qualify"]);
}

#[test]
fn a_handover_that_waits_for_an_address_goes_on_waiting() {
    let mut shop = qualified();
    let state = |shop: &mut Shop| shop.state(START)["missing"].clone();
    shop.plain("Lead Accepted", START);
    assert_eq!(state(&mut shop), json!(["traits.email"]));
    let (mut shop, _) = shop.edit(&edited(&[(
        "- { name: qualify",
        "- { name: early, from: visitor, to: sal, on: demo }\n  - { name: qualify",
    )]));
    assert_eq!(state(&mut shop), json!(["traits.email"]));
    let records =
        shop.event("Other", START + HOUR, json!({ "context": { "traits": { "email": "u@x.de" } } }));
    assert_eq!(told(&records, "transition"), ["accept"]);
}

#[test]
fn a_handover_that_nobody_waits_for_any_more_is_forgotten() {
    for edit in [
        [("from: mql, to: sal, on: accepted", "from: lead, to: sal, on: accepted")],
        [("from: mql, to: sal, on: accepted", "from: mql, to: sal, inactive_for: 90d")],
        [("from: mql, to: sal, on: accepted", "from: mql, to: recycled, on: accepted")],
    ] {
        let mut shop = qualified();
        shop.plain("Lead Accepted", START);
        let (mut shop, _) = shop.edit(&edited(&edit));
        assert_eq!(shop.state(START).get("missing"), None, "{edit:?}");
        let records =
            shop.event("Other", START + HOUR, json!({ "context": { "traits": { "email": "u@x.de" } } }));
        assert!(told(&records, "transition").is_empty(), "{edit:?}: {records:#?}");
    }
}

#[test]
fn a_new_score_is_told_where_it_is_not_nothing() {
    let new = edited(&[(
        "  fit:\n",
        "  double: { sum: { engagement: 2 } }\n  other: { criteria: [ { when: { traits.plan: pro }, points: 5 } ] }\n  fit:\n",
    )]);
    let (mut shop, _) = qualified().edit(&new);
    let records = shop.until(START + 1000);
    assert_eq!(records[0]["scores"], json!({ "engagement": 50, "double": 100, "other": 0, "fit": 40 }));
    let other = edited(&[(
        "  fit:\n",
        "  other: { criteria: [ { when: { traits.plan: pro }, points: 5 } ] }\n  fit:\n",
    )]);
    let (mut shop, _) = qualified().edit(&other);
    assert!(shop.until(START + 1000).is_empty());
}

#[test]
fn a_grade_that_is_gone_is_told_anew() {
    let (mut shop, dropped) =
        qualified().edit(&edited(&[("grades: { A: 40, B: 0 }", "grades: { best: 40, B: 0 }")]));
    assert_eq!(dropped, Dropped { grades: 1, ..Dropped::default() });
    assert_eq!(shop.until(START + 1000)[0]["grades"]["fit"], "best");
}

#[test]
fn the_bytes_tell_by_which_tables_they_were_written() {
    let lead = qualified().lead();
    for id in ["u", "0b9c6e1e-8a0e-4c0e-9d57-0e8d9f1a2b3c", &"long".repeat(100)] {
        let mut bytes = Vec::new();
        codec::write_prefix(&mut bytes, id);
        let prefix = bytes.len();
        codec::encode(&lead, 70_000, &mut Told::default(), &mut bytes);
        assert_eq!(codec::tables_of(&bytes), Ok(70_000));
        assert!((0..=prefix).all(|cut| codec::tables_of(&bytes[..cut]).is_err()));
    }
}

#[test]
fn name_tables_are_readable_and_stay_as_they_are_written() {
    let text = serde_json::to_string(&Tables::of(&rules(SHOP).model)).unwrap();
    let known = json!({
        "model": "shop",
        "version": 1,
        "stages": ["visitor", "lead", "mql", "sal", "recycled"],
        "transitions": [
            { "name": "identify", "to": "lead" },
            { "name": "qualify", "to": "mql" },
            { "name": "handback", "to": "recycled" },
            { "name": "accept", "to": "sal" },
        ],
        "scores": [{ "name": "engagement" }, { "name": "fit", "grades": ["A", "B"] }],
        "contributions": [
            { "score": "engagement", "group": "web", "signal": "pricing" },
            { "score": "engagement", "group": "intent", "signal": "demo" },
        ],
        "seen": [],
        "traits": ["title", "email"],
        "facts": { "count": 1, "meaning": "" },
        "alerts": [{ "name": "hot", "when": "" }],
        "slas": ["call", "acceptance"],
        "attribution": { "channels": ["ads", "mail"], "touches": 20, "gap_ms": 1_800_000 },
    });
    let mut written: Value = serde_json::from_str(&text).unwrap();
    for fingerprint in ["/facts/meaning", "/alerts/0/when"] {
        let place = written.pointer_mut(fingerprint).unwrap();
        assert_eq!(place.as_str().unwrap().len(), 16);
        *place = json!("");
    }
    assert_eq!(written, known);
}

#[test]
fn only_what_leads_keep_makes_a_migration_necessary() {
    let tables = |edits: &[(&str, &str)]| Tables::of(&rules(&edited(edits)).model);
    let first = tables(&[]);
    for alike in [
        [("version: 1", "version: 2")],
        [("demo: 30", "demo: 35")],
        [("after: 14d", "after: 7d")],
        [("event: Demo Requested", "event: Demo Asked")],
        [("cooldown: 1d", "cooldown: 2d, route: sdr")],
    ] {
        assert!(first.reads_like(&tables(&alike)), "{alike:?}");
    }
    for other in [
        &[("gte: 60", "gte: 61")][..],
        &[("half_life: 30d", "half_life: 31d")],
        &[("contains: chief", "contains: head")],
        &[("name: recycled", "name: again"), ("to: recycled", "to: again")],
        &[("pricing: 10", "pricing: { points: 10, at_most: 1, per: 1d }")],
        &[("models:", "touches: 5\n  models:")],
    ] {
        assert!(!first.reads_like(&tables(other)), "{other:?}");
    }
}

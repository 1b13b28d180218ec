//! Leads with unusual contents: sums and counts at their limits, scores that rest on a bar, bytes that only look like a
//! lead's.

use super::codec;
use super::contribution;
use super::due::{Due, first_due, near_due, next_second};
use super::effects::Effects;
use super::lead::{Lead, Slot};
use super::memo::Memo;
use super::partition::{Limits, Outcome, Partition, Record, Timestamp};
use super::rules::Rules;
use crate::model::Model;
use std::sync::Arc;

const DAY_MS: i64 = 86_400_000;
/// 2026-03-01T00:00:00Z.
const START_MS: i64 = 1_772_323_200_000;

/// The rules of two signals, `a` and `b`, of which `a` carries a trait, and what the case adds.
fn rules(scores: &str, rest: &str) -> Arc<Rules> {
    let text = format!(
        "model: m\nversion: 1\nsignals: {{ a: {{ match: {{ event: A }} }}, b: {{ match: {{ event: B }} }} }}\n\
         scores: {{ s: {{ range: [null, null], groups: {{ g: {{ {scores} }} }} }} }}\n\
         stages: [ {{ name: x }}, {{ name: y }} ]\n{rest}\n"
    );
    let loaded = Model::load("m.yaml", text.as_bytes(), &mut |_| unreachable!());
    Arc::new(Rules::new(Arc::new(loaded.unwrap_or_else(|found| panic!("{found:#?}")).model)))
}

fn apply(partition: &mut Partition, event: &str, time_ms: i64, points: &str) -> Vec<String> {
    let value = format!(
        r#"{{"type":"track","event":"{event}","userId":"u","timestamp":{time_ms},"properties":{{"n":{points}}},"traits":{{"t":"v"}}}}"#
    );
    let record = Record { value: Some(value.as_bytes()), timestamp: Timestamp::None };
    let mut effects = Effects::default();
    assert_eq!(partition.apply(record, None, &mut effects), Outcome::Applied);
    effects.outputs().map(|output| String::from_utf8(output.data.to_vec()).unwrap()).collect()
}

/// The only lead of a partition.
fn only_lead(rules: &Rules, partition: &Partition) -> Lead {
    let (mut lead, mut id) = (Lead::default(), String::new());
    let bytes = partition.lead_bytes().next().unwrap();
    codec::decode(bytes, &rules.bounds, &mut lead, &mut codec::Told::default(), &mut id).unwrap();
    lead
}

fn bytes_of(lead: &Lead) -> Vec<u8> {
    let mut bytes = Vec::new();
    codec::write_prefix(&mut bytes, "u");
    codec::encode(lead, 0, &mut codec::Told::default(), &mut bytes);
    bytes
}

#[test]
fn sums_of_points_stay_numbers() {
    for decay in ["none", "{ half_life: 30d }", "{ lifespan: 30d }", "{ window: 30d }"] {
        let scores = format!("decay: {decay}, points: {{ a: {{ from: properties.n }}, b: -1.0e+308 }}");
        let rules = rules(&scores, "emit: { scores: {} }");
        let mut partition = Partition::new(rules.clone(), Limits::default());
        for second in 0..3 {
            for event in ["A", "B"] {
                for record in apply(&mut partition, event, START_MS + second * 1000, "1.7e308") {
                    assert!(!record.contains(r#""points":null"#), "{decay}: {record}");
                }
            }
        }
        assert!(only_lead(&rules, &partition).held.iter().all(|held| held.value.is_finite()));
    }
}

#[test]
fn counts_at_their_limits_stay_there() {
    let rules = rules(
        "decay: { window: 30d }, points: { a: 1 }",
        "transitions: [ { name: t, from: x, to: y, when: { seen: { signal: a, at_least: 3 } } } ]\nemit: { scores: {} }",
    );
    let mut partition = Partition::new(rules.clone(), Limits::default());
    apply(&mut partition, "A", START_MS, "1");
    apply(&mut partition, "A", START_MS + DAY_MS, "1");
    let mut lead = only_lead(&rules, &partition);
    lead.seq = u64::MAX;
    lead.seen[0].count = u32::MAX;
    let slots = lead.held[0].slots;
    lead.held[0].count = u32::MAX;
    lead.slots.get_mut(slots).iter_mut().for_each(|slot| slot.count = u32::MAX);
    partition.restore(&bytes_of(&lead)).unwrap();
    let records = apply(&mut partition, "A", START_MS + DAY_MS, "1");
    assert!(records[0].contains(&format!(r#""count":{}"#, u32::MAX)), "{records:?}");
    assert_eq!(only_lead(&rules, &partition).seq, u64::MAX);
}

#[test]
fn slots_of_a_model_with_narrower_ones_stay_ascending() {
    let rules = rules("decay: { window: 90d }, points: { a: 1 }", "");
    let mut partition = Partition::new(rules.clone(), Limits::default());
    apply(&mut partition, "A", START_MS, "1");
    let mut lead = only_lead(&rules, &partition);
    let mut held = lead.held[0];
    lead.clock += DAY_MS;
    lead.slots.push(&mut held.slots, Slot { time: START_MS + 1000, points: 1.0, count: 1 });
    lead.held[0] = held;
    contribution::count(&mut lead, &rules.model, 0, 1.0, START_MS + 3000);
    let times: Vec<i64> = lead.slots.get(lead.held[0].slots).iter().map(|slot| slot.time).collect();
    assert_eq!(times, [START_MS, START_MS + 3000]);
}

#[test]
fn the_latest_counted_time_is_the_latest_of_the_counted_times() {
    let rules = rules("points: { a: { points: 1, at_most: 3, per: 1d } }", "");
    let mut partition = Partition::new(rules.clone(), Limits::default());
    apply(&mut partition, "A", START_MS, "1");
    let mut lead = only_lead(&rules, &partition);
    lead.held[0].count = 0;
    contribution::count(&mut lead, &rules.model, 0, 1.0, START_MS - 1000);
    assert_eq!(lead.times.get(lead.held[0].times), [START_MS - 1000, START_MS]);
    assert_eq!(lead.held[0].last_at, START_MS);
}

/// A lead of 1,000 points that do not decay.
fn lead_at_a_bar(rules: &Arc<Rules>) -> Lead {
    let mut partition = Partition::new(rules.clone(), Limits::default());
    apply(&mut partition, "A", START_MS, "1000");
    only_lead(rules, &partition)
}

#[test]
fn a_score_that_rests_on_a_bar_is_settled() {
    let rules = rules(
        "points: { a: { from: properties.n } }",
        "transitions: [ { name: t, from: x, to: y, when: { score.s: { gt: 1000 } } } ]",
    );
    let lead = lead_at_a_bar(&rules);
    let from = next_second(&lead);
    assert_eq!(first_due(&rules, &lead, &mut Memo::default(), from, i64::MAX), None);
}

#[test]
fn a_search_among_rises_and_falls_that_cancel_out_stops() {
    let rules = rules(
        "decay: { lifespan: 30d }, points: { a: 40, b: -40 }",
        "transitions: [ { name: t, from: x, to: y, when: { score.s: { gt: 0 } } } ]",
    );
    let mut partition = Partition::new(rules.clone(), Limits::default());
    apply(&mut partition, "B", START_MS, "0");
    apply(&mut partition, "A", START_MS, "0");
    let lead = only_lead(&rules, &partition);
    let from = next_second(&lead);
    let due = first_due(&rules, &lead, &mut Memo::default(), from, i64::MAX);
    assert!(due.is_some_and(|due| due.second > from && !due.certain), "{due:?}");
    let near = near_due(&rules, &lead, &mut Memo::default(), from, i64::MAX);
    assert!(near.is_some_and(|near| near.second <= due.map_or(0, |Due { second, .. }| second)));

    let mut effects = Effects::default();
    partition.advance_until(START_MS + DAY_MS, &mut effects);
    assert!(effects.is_empty());
    assert_eq!(only_lead(&rules, &partition).clock, START_MS, "looking early leaves no trace");
}

#[test]
fn bytes_that_only_look_like_a_leads_are_refused() {
    let rules = rules("points: { a: 1 }", "emit: { traits: [t] }");
    let mut partition = Partition::new(rules.clone(), Limits::default());
    apply(&mut partition, "A", START_MS, "1");
    let good = partition.lead_bytes().next().unwrap().to_vec();

    // The id's length in two bytes instead of one.
    let mut long = good.clone();
    long.splice(1..2, [good[1] | 0x80, 0]);
    let refused = partition.restore(&long).unwrap_err();
    assert_eq!(refused.to_string(), "not the bytes of a lead: an id in another form than the usual one");

    // A trait that begins with a quote and is no text: writing it again would cut an é in two.
    let mut lead = only_lead(&rules, &partition);
    lead.traits[0].text = lead.text.list(b"1");
    let mut broken = bytes_of(&lead);
    let at = broken.windows(2).position(|pair| pair == [2, b'1']).unwrap();
    broken.splice(at..at + 2, [6, b'"', 0xc3, 0xa9]);
    let refused = partition.restore(&broken).unwrap_err();
    assert_eq!(refused.to_string(), "not the bytes of a lead: a text without its quotes");
}

#[test]
fn a_score_at_the_end_of_the_millionths_has_one_encoding() {
    let rules = rules("points: { a: 1 }", "emit: { scores: {} }");
    let mut partition = Partition::new(rules.clone(), Limits::default());
    apply(&mut partition, "A", START_MS, "1");
    let mut lead = only_lead(&rules, &partition);
    lead.sent_scores[0].value = 999_999_999.999_999_9;
    partition.restore(&bytes_of(&lead)).unwrap();
    assert_eq!(bytes_of(&only_lead(&rules, &partition)), bytes_of(&lead));
}

/// What traits decide is kept for all leads that are alike: a lead without the trait is not like one with a trait that
/// passes the same tests.
#[test]
fn a_qualification_that_asks_for_a_grade_knows_which_traits_are_known() {
    let rest = "  fit: { criteria: [ { when: { not: { traits.t: none } }, points: 16 } ], grades: { C: 5 } }\n\
                qualifications: { q: { one: { grade.fit: C } } }\n\
                alerts: { call: { when: { qualified.q: all } } }";
    let text = format!(
        "model: m\nversion: 1\nsignals: {{ a: {{ match: {{ event: A }} }} }}\nstages: [ {{ name: x }} ]\nscores:\n{rest}\n"
    );
    let loaded = Model::load("m.yaml", text.as_bytes(), &mut |_| unreachable!());
    let rules = Arc::new(Rules::new(Arc::new(loaded.unwrap_or_else(|found| panic!("{found:#?}")).model)));
    let mut partition = Partition::new(rules, Limits::default());
    let mut effects = Effects::default();
    let mut calls = |event: String| {
        let record = Record { value: Some(event.as_bytes()), timestamp: Timestamp::None };
        partition.apply(record, None, &mut effects);
        let calls = effects.outputs().count();
        effects.clear();
        calls
    };
    let event = |lead: &str, traits: &str| {
        format!(
            r#"{{"type":"track","event":"A","userId":"{lead}","timestamp":{START_MS},"traits":{{{traits}}}}}"#
        )
    };
    assert_eq!(calls(event("unknown", "")), 0);
    assert_eq!(calls(event("known", r#""t":"v""#)), 1);
    assert_eq!(calls(event("unknown too", "")), 0);
}

#[test]
fn the_first_channel_that_matches_wins_however_it_is_found() {
    // `named` and `later` are found by the event's name, `kind` by its kind.
    let named = "named: { event: [A, C] }";
    let by_kind = "kind: { kind: track, properties.n: 1 }";
    for (channels, of_one, of_two) in
        [(format!("{named}, {by_kind}"), 0, 0), (format!("{by_kind}, {named}"), 0, 1)]
    {
        let rest = format!("attribution: {{ channels: {{ {channels}, later: {{ event: a }} }} }}");
        let rules = rules("points: { a: 1 }", &rest);
        for (points, expected) in [("1", of_one), ("2", of_two)] {
            let mut partition = Partition::new(rules.clone(), Limits::default());
            apply(&mut partition, "A", START_MS, points);
            let touches: Vec<u16> =
                only_lead(&rules, &partition).touches.iter().map(|touch| touch.channel).collect();
            assert_eq!(touches, [expected], "{channels}, {points}");
        }
    }
}

//! Properties that the contract promises of every model and stream, of the oracle and of the engine.

mod oracle;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use oracle::by_hand::{START, lines, track, written};
use oracle::doc::Doc;
use oracle::event::{self, Outcome};
use oracle::generate::{Case, Rng, arrange};
use oracle::score::round;
use oracle::{Model, Options, compare, engine, replay, time};

/// Replays a case.
type Run = fn(&Case) -> Vec<Value>;

fn by_oracle(case: &Case) -> Vec<Value> {
    let options = Options { until: case.until, scores: case.scores, every_second: false };
    replay(&Model::read(&case.model.to_json()), &case.input(), options)
}

fn by_engine(case: &Case) -> Vec<Value> {
    engine::replay(&case.model.to_json(), &case.input(), case.until, case.scores).expect("the engine runs it")
}

const SEEDS: u64 = 40;

// ---- Arrival order matters only where section 4 says so ----

/// Takes out of a model what may depend on the order of arrival.
fn without(doc: &Doc, keys: &[&str]) -> Doc {
    match doc {
        Doc::Map(entries) => {
            let kept = entries.iter().filter(|(key, _)| !keys.contains(&key.as_str()));
            Doc::Map(kept.map(|(key, value)| (key.clone(), without(value, keys))).collect())
        }
        Doc::List(items) => Doc::List(items.iter().map(|item| without(item, keys)).collect()),
        scalar => scalar.clone(),
    }
}

/// The valid events, no two of a lead at one time, without message ids.
fn plain_events(case: &Case) -> Vec<Vec<u8>> {
    let model = Model::read(&case.model.to_json());
    let mut taken = BTreeSet::new();
    let mut events = Vec::new();
    for line in &case.lines {
        let Outcome::Event(event) = event::read(&model, line) else { continue };
        if let Ok(Value::Object(mut fields)) = serde_json::from_slice(line)
            && taken.insert((event.lead.clone(), event.time))
        {
            fields.remove("messageId");
            fields.remove("message_id");
            events.push(Value::Object(fields).to_string().into_bytes());
        }
    }
    events
}

/// Of each lead's final score record what follows from its events and the clock alone.
fn timeless(records: &[Value]) -> BTreeMap<String, Value> {
    let fields =
        ["at", "scores", "grades", "profiles", "traits", "reasons", "groups", "first_seen", "last_activity"];
    let scores = records.iter().filter(|record| record["topic"] == "scores");
    scores
        .map(|record| {
            let told: BTreeMap<_, _> = fields.iter().map(|field| (*field, &record["data"][field])).collect();
            (record["key"].to_string(), json!(told))
        })
        .collect()
}

fn arrival_order_does_not_matter(run: Run) {
    for seed in 0..SEEDS {
        let mut case = Case::of(seed);
        // Due times fired on the way move a lead's clock: here there are none.
        case.model = without(&case.model, &["at_most", "per", "transitions", "alerts", "slas", "emit"]);
        case.lines = plain_events(&case);
        (case.until, case.scores) = (None, true);
        let expected = timeless(&run(&case));
        let mut rng = Rng::new(seed);
        for _ in 0..3 {
            arrange(&mut rng, &mut case.lines);
            assert_eq!(timeless(&run(&case)), expected, "seed {seed}");
        }
    }
}

#[test]
fn arrival_order_does_not_matter_to_the_oracle() {
    arrival_order_does_not_matter(by_oracle);
}

#[test]
fn arrival_order_does_not_matter_to_the_engine() {
    arrival_order_does_not_matter(by_engine);
}

// ---- Duplicates change nothing ----

fn duplicates_change_nothing(run: Run) {
    for seed in 0..SEEDS {
        let mut case = Case::of(seed);
        let mut rng = Rng::new(seed);
        let events = plain_events(&case).into_iter().enumerate().map(|(at, line)| {
            let mut event: Value = serde_json::from_slice(&line).expect("an event");
            event["messageId"] = json!(format!("id {at}"));
            event.to_string().into_bytes()
        });
        case.lines = events.collect();
        let expected = run(&case);
        for _ in 0..case.lines.len() / 2 {
            let original = rng.below(case.lines.len() as u64) as usize;
            let copy = rng.between(original as i64 + 1, case.lines.len() as i64) as usize;
            case.lines.insert(copy, case.lines[original].clone());
        }
        if let Some(difference) = compare::difference(&expected, &run(&case)) {
            panic!("seed {seed}, {difference}");
        }
    }
}

#[test]
fn duplicates_change_nothing_for_the_oracle() {
    duplicates_change_nothing(by_oracle);
}

#[test]
fn duplicates_change_nothing_for_the_engine() {
    duplicates_change_nothing(by_engine);
}

/// An id is forgotten with the 64th other one that arrives, and a day away; events without ids do not count.
fn ids_are_remembered_as_stated(run: Run) {
    let model = Doc::read(
        "model: m\nversion: 1\nsignals: {alpha: {match: {event: Alpha}}}\nstages: [{name: a}]\n\
         scores: {s: {groups: {g: {points: {alpha: 1}}}}}\n",
    );
    let event = |id: &str, seconds: f64| track("l", "Alpha", seconds, json!({ "messageId": id }));
    let counted = |others: usize, again: f64| {
        let mut events = vec![event("first", 0.0)];
        events.extend((0..others).map(|other| event(&format!("other {other}"), 1.0)));
        events.push(track("l", "Alpha", 2.0, json!({})));
        events.push(event("first", again));
        let case =
            Case { seed: 0, model: model.clone(), lines: vec![lines(&events)], until: None, scores: true };
        run(&case)[0]["data"]["scores"]["s"].as_f64()
    };
    assert_eq!(counted(63, 3.0), Some(65.0));
    assert_eq!(counted(64, 3.0), Some(67.0));
    assert_eq!(counted(1, 86_400.0), Some(3.0));
    assert_eq!(counted(1, 86_400.001), Some(4.0));
}

#[test]
fn ids_are_remembered_as_stated_by_the_oracle() {
    ids_are_remembered_as_stated(by_oracle);
}

#[test]
fn ids_are_remembered_as_stated_by_the_engine() {
    ids_are_remembered_as_stated(by_engine);
}

// ---- Due times are the first whole second ----

/// A model of one thing that comes with time, and whether it holds at an age of the only event, ms.
fn timed(rng: &mut Rng) -> (String, Box<dyn Fn(i64) -> bool>) {
    let period = rng.between(500, 200_000);
    let bar = rng.between(1, 39_999) as f64 / 1000.0;
    let alert = |score: &str| {
        format!("scores: {{s: {{{score}}}}}\nalerts: {{x: {{when: {{score.s: {{lt: {bar}}}}}}}}}\n")
    };
    let fading = |decay: &str| {
        alert(&format!("groups: {{g: {{decay: {{{decay}: {period}ms}}, points: {{alpha: 40}}}}}}"))
    };
    match rng.below(8) {
        0 | 1 => {
            let worth = move |age: i64| round(40.0 * (-(age as f64) / period as f64).exp2()) < bar;
            (fading("half_life"), Box::new(worth))
        }
        2 | 3 => {
            let worth = move |age: i64| round(40.0 * (1.0 - age as f64 / period as f64).max(0.0)) < bar;
            (fading("lifespan"), Box::new(worth))
        }
        4 => (fading("window"), Box::new(move |age| age >= period)),
        5 => {
            let steps = format!(
                "inactivity: {{after: {period}ms, points: -3, every: 7s}}, groups: {{g: {{points: {{alpha: 40}}}}}}"
            );
            let lost = move |age: i64| if age < period { 0 } else { 1 + (age - period) / 7_000 };
            (alert(&steps), Box::new(move |age| (40 - 3 * lost(age)).max(0) as f64 + 1e-9 < bar))
        }
        6 => {
            let transition = format!("transitions: [{{name: t, from: a, to: b, after: {period}ms}}]\n");
            (transition, Box::new(move |age| age >= period))
        }
        _ => {
            let sla = format!("slas: {{x: {{start: {{on: alpha}}, stop: {{enter: b}}, due: {period}ms}}}}\n");
            (sla, Box::new(move |age| age >= period))
        }
    }
}

fn due_times_are_the_first_whole_second(run: Run) {
    let mut rng = Rng::new(1);
    for turn in 0..100 {
        let (part, holds) = timed(&mut rng);
        let text = format!(
            "model: m\nversion: 1\nsignals: {{alpha: {{match: {{event: Alpha}}}}}}\nstages: [{{name: a}}, {{name: b}}]\n{part}"
        );
        let offset = if rng.one_in(3) { 0 } else { rng.between(0, 999) };
        let start = START + offset;
        let mut due = START + time::SECOND;
        while !holds(due - start) {
            due += time::SECOND;
        }
        let event = track("l", "Alpha", offset as f64 / 1000.0, json!({}));
        let mut case = Case {
            seed: turn,
            model: Doc::read(&text),
            lines: vec![lines(&[event])],
            until: Some(due - time::SECOND),
            scores: false,
        };
        assert!(run(&case).is_empty(), "{text} too early, before {}", time::write(due));
        case.until = Some(due);
        let told = run(&case);
        assert_eq!(told.len(), 1, "{text}");
        assert_eq!(told[0]["time"], json!(time::write(due)), "{text}");
        // Going on for longer at once makes it no later.
        case.until = Some(due + time::MINUTE);
        assert_eq!(run(&case)[0], told[0], "{text}");
    }
}

#[test]
fn due_times_are_the_first_whole_second_for_the_oracle() {
    due_times_are_the_first_whole_second(by_oracle);
}

#[test]
fn due_times_are_the_first_whole_second_for_the_engine() {
    due_times_are_the_first_whole_second(by_engine);
}

// ---- What came out stays out ----

/// A stream that goes on says first what it said when it ended there.
fn more_input_changes_nothing_before(run: Run) {
    for seed in 0..SEEDS {
        let mut case = Case::of(seed);
        (case.until, case.scores) = (None, false);
        let whole = run(&case);
        case.lines.truncate(case.lines.len() / 2);
        let half = run(&case);
        if let Some(difference) = compare::difference(&half, &whole[..half.len().min(whole.len())]) {
            panic!("seed {seed}, {difference}");
        }
    }
}

#[test]
fn more_input_changes_nothing_before_for_the_oracle() {
    more_input_changes_nothing_before(by_oracle);
}

#[test]
fn more_input_changes_nothing_before_for_the_engine() {
    more_input_changes_nothing_before(by_engine);
}

#[test]
fn every_moment_is_written_with_milliseconds() {
    assert_eq!(written(0.25), "2024-01-01T00:00:00.250Z");
}

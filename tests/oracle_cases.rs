//! The oracle itself, checked against cases computed by hand, section by section of the contract.

mod oracle;

use serde_json::{Value, json};

use oracle::by_hand::{at, final_score, identify, run, told, track, written};
use oracle::doc::Doc;
use oracle::generate::Case;
use oracle::score::{round, shown};
use oracle::{Model, Options, replay, shrink, time};

const ONE_STAGE: &str = "stages: [{name: a}]\n";
const ALPHA: &str = "signals: {alpha: {match: {event: Alpha}}}\n";

fn alpha(seconds: f64) -> Value {
    track("l", "Alpha", seconds, json!({}))
}

// ---- Section 1 ----

#[test]
fn times_are_read_as_stated() {
    let good = [
        (json!("1970-01-01"), 0),
        (json!("2024-02-29T00:00:00Z"), 1_709_164_800_000),
        (json!("2024-02-29t01:30:00.1239+01:30"), 1_709_164_800_123),
        (json!("2024-02-28 22:00:00.1-0200"), 1_709_164_800_100),
        (json!("2024-02-29T00:00:00"), 1_709_164_800_000),
        (json!(1_709_164_800), 1_709_164_800_000),
        (json!("1709164800"), 1_709_164_800_000),
        (json!(1_709_164_800.000_6), 1_709_164_800_001),
        (json!(1_709_164_800_123_i64), 1_709_164_800_123),
        (json!("1969-12-31T23:30:00-01:00"), 1_800_000),
        (json!("9999-12-31T23:59:59.999Z"), 253_402_300_799_999),
    ];
    for (value, expected) in good {
        assert_eq!(time::read(&value), Some(expected), "{value}");
    }
    let bad = [
        json!("2024-02-30"),
        json!("2023-02-29"),
        json!("2024-01-01T24:00:00Z"),
        json!("2024-01-01T00:00:60Z"),
        json!("2024-01-01T00:00Z"),
        json!("2024-01-01T00:00:00.Z"),
        json!(" 2024-01-01"),
        json!("2024-01-01T00:00:00+24:00"),
        json!("1969-12-31T23:59:59.999Z"),
        json!("9999-12-31T23:59:59-00:01"),
        json!(-1),
        json!("-1"),
        json!("17.5"),
        json!(true),
        json!(300_000_000_000_000_i64),
    ];
    for value in bad {
        assert_eq!(time::read(&value), None, "{value}");
    }
    assert_eq!(time::write(1_709_164_800_123), "2024-02-29T00:00:00.123Z");
}

#[test]
fn rejections_carry_their_line_and_reason() {
    let input = b"\n{}\n  \n{\"type\":\"page\",\"userId\":1.5}\n[]\nx\n".as_slice();
    let model = Model::read(&format!("model: m\nversion: 1\n{ONE_STAGE}"));
    let out = replay(&model, input, Options::default());
    let reasons: Vec<_> =
        out.iter().map(|r| (r["data"]["line"].clone(), r["data"]["reason"].clone())).collect();
    let expected = [(2, "unknown_kind"), (4, "bad_lead"), (5, "not_object"), (6, "not_json")];
    assert_eq!(reasons, expected.map(|(line, reason)| (json!(line), json!(reason))));
}

#[test]
fn a_far_future_time_is_set_to_the_time_of_the_record() {
    let event = |seconds: f64| track("l", "Alpha", seconds, json!({ "receivedAt": written(0.0) }));
    let first_seen = |event| final_score(ONE_STAGE, &[event], 0.0)["first_seen"].clone();
    assert_eq!(first_seen(event(300.0)), written(300.0));
    assert_eq!(first_seen(event(300.001)), written(0.0));
}

#[test]
fn a_repeated_message_id_within_a_day_changes_nothing() {
    let model = format!("{ALPHA}{ONE_STAGE}scores: {{s: {{groups: {{g: {{points: {{alpha: 1}}}}}}}}}}\n");
    let event = |seconds: f64| track("l", "Alpha", seconds, json!({ "messageId": "m" }));
    let day = 86_400.0;
    let count = |second: f64| final_score(&model, &[event(0.0), event(second)], 0.0)["scores"]["s"].clone();
    assert_eq!(count(day), 1.0);
    assert_eq!(count(day + 0.001), 2.0);
}

#[test]
fn traits_follow_event_time_and_their_own_path() {
    let model = format!("{ONE_STAGE}emit: {{traits: [company.name, title, company.size]}}\n");
    let group = |seconds: f64, traits: Value| json!({ "type": "group", "userId": "l", "timestamp": written(seconds), "traits": traits });
    let events = [
        group(10.0, json!({ "name": "Acme", "size": 5 })),
        identify("l", 20.0, json!({ "company": null, "title": "VP" })),
        identify("l", 15.0, json!({ "company": { "name": "Globex" }, "title": "late" })),
        group(15.0, json!({ "name": "Tie" })),
        identify("l", 30.0, json!({ "title": "" })),
        group(30.0, json!({ "size": [1], "bio": 1 })),
    ];
    let traits = final_score(&model, &events, 30.0)["traits"].clone();
    assert_eq!(traits, json!({ "company.name": "Tie", "company.size": [1] }));
}

// ---- Section 2 ----

#[test]
fn tests_look_at_elements_and_fields_as_stated() {
    let holds = |test: &str, value: Value| {
        let model = format!(
            "signals: {{s: {{match: {{properties.a.b: {test}}}}}}}\n{ONE_STAGE}alerts: {{x: {{on: s}}}}\n"
        );
        run(&model, &[track("l", "E", 0.0, json!({ "properties": { "a": value } }))], None, false).len() == 1
    };
    let b = |value: Value| json!({ "b": value });
    assert!(holds("Red", b(json!("rED"))));
    assert!(holds("5", b(json!(5.0))) && !holds("5", b(json!("5"))));
    assert!(holds("{gte: 5}", b(json!("5"))) && !holds("{gte: 5}", b(json!(" 5"))));
    assert!(holds("{gt: 2, lt: 4}", b(json!([1, 3]))) && !holds("{gt: 2, lt: 4}", b(json!([1, 5]))));
    assert!(holds("{gt: 2}", json!([{ "b": 1 }, { "b": [[3]] }])));
    assert!(!holds("{not: red}", b(json!(["red", "blue"]))) && holds("{not: red}", json!(null)));
    assert!(holds("{exists: false}", b(json!(null))) && holds("{exists: true}", b(json!([]))));
    assert!(holds("{regex: '^R'}", b(json!("Red"))) && !holds("{regex: '^R'}", b(json!("red"))));
    assert!(holds("{suffix: [x, ED]}", b(json!("red"))) && !holds("{prefix: r}", b(json!(5))));
    assert!(holds("{in: [1, red]}", b(json!("Red"))) && holds("[1, red]", b(json!(1))));
}

#[test]
fn seen_counts_within_periods_stages_and_distinct_values() {
    let seen = |test: &str, until: f64| {
        let model = format!(
            "{ALPHA}stages: [{{name: a}}, {{name: b}}]\n\
             transitions: [{{name: t, from: a, to: b, on: alpha}}]\n\
             qualifications: {{q: {{c: {{seen: {{signal: alpha, {test}}}}}}}}}\n"
        );
        let event =
            |seconds: f64, who: Value| track("l", "Alpha", seconds, json!({ "properties": { "who": who } }));
        let events =
            [event(0.0, json!("x")), event(5.0, json!("x")), event(8.0, json!(["y"])), event(9.0, json!(1))];
        final_score(&model, &events, until)["qualified"]["q"]["c"] == true
    };
    assert!(seen("at_least: 4", 100.0) && !seen("at_least: 5", 100.0));
    assert!(seen("at_least: 3, within: 10s", 14.0) && !seen("at_least: 3, within: 10s", 15.0));
    assert!(seen("at_least: 3, within: stage", 100.0) && !seen("at_least: 4, within: stage", 100.0));
    assert!(seen("at_least: 2, distinct: properties.who", 100.0));
    assert!(!seen("at_least: 3, distinct: properties.who", 100.0));
    assert!(seen("distinct: day", 100.0) && !seen("at_least: 2, distinct: day", 100.0));
}

// ---- Section 4 ----

/// The score of a model with one group of one signal.
fn points_of(points: &str, times: &[f64], until: f64) -> Value {
    let model =
        format!("{ALPHA}{ONE_STAGE}scores: {{s: {{groups: {{g: {{points: {{alpha: {points}}}}}}}}}}}\n");
    let events: Vec<_> = times.iter().map(|seconds| alpha(*seconds)).collect();
    final_score(&model, &events, until)
}

#[test]
fn rounding_is_half_away_from_zero_in_decimals() {
    assert_eq!((round(1.000_000_5), round(-0.000_001_5)), (1.000_001, -0.000_002));
    assert_eq!((shown(2.675), shown(-2.675), shown(0.004_999_9)), (2.68, -2.68, 0.01));
    assert_eq!(shown(0.004_999), 0.0);
}

#[test]
fn points_fade_as_stated() {
    let value = |decay: &str, times: &[f64], until| {
        points_of(&format!("{{points: 40, decay: {{{decay}}}}}"), times, until)["scores"]["s"].clone()
    };
    assert_eq!(value("half_life: 1m", &[0.0], 30.0), 28.28);
    assert_eq!(value("half_life: 1m", &[0.0, 60.0], 120.0), 30.0);
    assert_eq!(value("lifespan: 90s", &[0.2, 0.8], 45.8), 40.0);
    assert_eq!(value("lifespan: 90s", &[0.2, 1.2], 45.2), 40.44);
    assert_eq!(value("window: 10s", &[0.0], 9.999), 40.0);
    assert_eq!(value("window: 10s", &[0.0], 10.0), 0.0);
    assert_eq!(value("window: 10s", &[0.0, 0.5], 10.0), 80.0);
}

#[test]
fn at_most_is_a_rolling_period() {
    let value = |limit: &str, times: &[f64]| {
        points_of(&format!("{{points: 1, {limit}}}"), times, 100.0)["scores"]["s"].clone()
    };
    assert_eq!(value("at_most: 2, per: 10s", &[0.0, 4.0, 9.0]), 2.0);
    assert_eq!(value("at_most: 2, per: 10s", &[0.0, 4.0, 9.0, 10.0, 13.0]), 3.0);
    assert_eq!(value("at_most: 2, per: 10s", &[0.0, 4.0, 9.0, 10.0, 13.0, 14.0]), 4.0);
    assert_eq!(value("at_most: 2", &[0.0, 400.0, 900.0]), 2.0);
    // An old one is near none of the two latest.
    assert_eq!(value("at_most: 2, per: 10s", &[50.0, 51.0, 0.0]), 3.0);
}

#[test]
fn points_can_come_from_the_event() {
    let value = |points: &str, n: Value| {
        let model =
            format!("{ALPHA}{ONE_STAGE}scores: {{s: {{groups: {{g: {{points: {{alpha: {points}}}}}}}}}}}\n");
        let event = track("l", "Alpha", 0.0, json!({ "properties": { "n": n } }));
        final_score(&model, &[event], 0.0)["scores"]["s"].clone()
    };
    assert_eq!(value("{from: properties.n, scale: 0.05}", json!("90")), 4.5);
    assert_eq!(value("{from: properties.n, range: [1, 3]}", json!(90)), 3.0);
    assert_eq!(value("{from: properties.n, range: [1, 3]}", json!("ninety")), 0.0);
}

#[test]
fn groups_scores_sums_and_winners_are_clamped() {
    let model = format!(
        "{ALPHA}{ONE_STAGE}scores:\n  \
           s: {{range: [0, 12], groups: {{g: {{range: [null, 7], points: {{alpha: 9}}}}, h: {{points: {{alpha: 6}}}}}}}}\n  \
           low: {{groups: {{g: {{points: {{alpha: -3}}}}}}}}\n  \
           total: {{sum: {{s: 0.5, low: 2}}, range: [0, 5]}}\n  \
           best: {{max: [low, s], range: [0, 11]}}\n"
    );
    let record = final_score(&model, &[alpha(0.0)], 0.0);
    assert_eq!(record["scores"], json!({ "s": 12.0, "low": 0.0, "total": 5.0, "best": 11.0 }));
    assert_eq!(record["groups"], json!({ "s": { "g": 7.0, "h": 6.0 }, "low": { "g": -3.0 } }));
    assert_eq!(record["profiles"], json!({ "best": "s" }));
    let points: Vec<_> = record["reasons"].as_array().unwrap().iter().map(|r| r["points"].clone()).collect();
    assert_eq!(points, [9.0, 6.0, -3.0]);
}

#[test]
fn criteria_grades_and_what_is_unknown() {
    let model = format!(
        "{ONE_STAGE}scores:\n  \
           fit: {{criteria: [{{first: [{{when: {{traits.t: a}}, points: 0}}, {{when: {{traits.t: [a, b]}}, points: 9}}]}}, \
                 {{when: {{traits.u: 1}}, points: 5, label: U}}], grades: {{D: 0, A: 9, C: 5}}}}\n  \
           total: {{sum: {{fit: 1}}, grades: {{any: 0}}}}\n"
    );
    let grades = |traits: Value| {
        let record = final_score(&model, &[identify("l", 0.0, traits)], 0.0);
        (record["grades"]["fit"].clone(), record["grades"]["total"].clone(), record["reasons"].clone())
    };
    assert_eq!(grades(json!({ "other": 1 })), (json!(null), json!(null), json!([])));
    assert_eq!(grades(json!({ "t": "a" })), (json!("D"), json!("any"), json!([])));
    let (fit, _, reasons) = grades(json!({ "t": "b", "u": 1 }));
    assert_eq!(fit, "A");
    let expected = json!([
        { "score": "fit", "criterion": 2, "points": 9.0 },
        { "score": "fit", "criterion": 3, "points": 5.0, "label": "U" },
    ]);
    assert_eq!(reasons, expected);
}

#[test]
fn inactivity_takes_points_step_by_step() {
    let model = format!(
        "signals: {{alpha: {{match: {{event: Alpha}}}}, beta: {{match: {{event: Beta}}, activity: false}}}}\n{ONE_STAGE}\
         scores: {{s: {{range: [null, null], inactivity: {{after: 10s, points: -2, every: 5s}}, \
         groups: {{g: {{points: {{alpha: 1}}}}}}}}}}\n"
    );
    let value = |events: &[Value], until| final_score(&model, events, until)["scores"]["s"].clone();
    assert_eq!(value(&[alpha(0.0)], 9.999), 1.0);
    assert_eq!(value(&[alpha(0.0)], 10.0), -1.0);
    assert_eq!(value(&[alpha(0.0), track("l", "Beta", 9.0, json!({}))], 20.0), -5.0);
    assert_eq!(value(&[track("l", "Beta", 0.0, json!({}))], 100.0), 0.0);
}

#[test]
fn a_reset_forgets_what_came_until_then_and_what_comes_late() {
    let model = format!(
        "{ALPHA}stages: [{{name: a}}, {{name: b}}]\n\
         transitions: [{{name: t, from: a, to: b, after: 10s, reset: [s]}}]\n\
         scores: {{s: {{groups: {{g: {{points: {{alpha: {{points: 1, at_most: 2}}}}}}}}}}}}\n"
    );
    let events =
        [alpha(0.0), alpha(1.0), alpha(2.0), alpha(11.0), alpha(9.0), alpha(10.0), alpha(12.0), alpha(13.0)];
    let out = run(&model, &events, None, true);
    assert_eq!(told(&out, "transitions", "scores"), [(10.0, json!({ "s": 0.0 }))]);
    let last = &out.last().unwrap()["data"];
    assert_eq!(last["scores"]["s"], 2.0);
    assert_eq!(
        (&last["reasons"][0]["count"], &last["reasons"][0]["last_at"]),
        (&json!(2), &json!(written(12.0)))
    );
}

#[test]
fn generated_models_read_back_and_every_second_agrees() {
    for seed in 0..40 {
        let case = Case::of(seed);
        let text = case.model.to_json();
        assert_eq!(Doc::read(&text), case.model);
        let model = Model::read(&text);
        let options = Options { until: None, scores: true, every_second: false };
        let expected = replay(&model, &case.input(), options);
        // Days second by second take too long.
        if !["1h", "6h", "36h", "1d"].iter().any(|period| text.contains(period)) {
            let all = replay(&model, &case.input(), Options { every_second: true, ..options });
            assert_eq!(expected, all, "seed {seed}");
        }
    }
}

#[test]
fn a_failing_case_is_made_smaller() {
    let fails = |case: &Case| String::from_utf8_lossy(&case.input()).contains("identify");
    let case = (0..).map(Case::of).find(fails).unwrap();
    let small = shrink::shrink(&case, &fails);
    assert_eq!(small.lines.len(), 1);
    assert_eq!(small.model, Doc::Map(Vec::new()));
}

#[test]
fn a_moment_is_written_in_seconds() {
    assert_eq!(time::write(at(1.5)), "2024-01-01T00:00:01.500Z");
}

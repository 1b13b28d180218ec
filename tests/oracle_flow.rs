//! The oracle itself, checked against cases computed by hand: transitions, due times, alerts, SLAs,
//! attribution, and the order of what comes out.

mod oracle;

use serde_json::{Value, json};

use oracle::by_hand::{final_score, identify, run, told, track, written};

const SIGNALS: &str = "signals: {alpha: {match: {event: Alpha}}, beta: {match: {event: Beta}}, \
                       quiet: {match: {event: Quiet}, activity: false}}\n";
const STAGES: &str = "stages: [{name: a}, {name: b, owner: sales, action: call}, {name: c}]\n";

fn event(name: &str, seconds: f64) -> Value {
    track("l", name, seconds, json!({}))
}

/// Names of the transitions told, with the second.
fn transitions(model: &str, events: &[Value], until: Option<f64>) -> Vec<(f64, String)> {
    let out = run(&format!("{SIGNALS}{model}"), events, until, false);
    let names = told(&out, "transitions", "transition");
    names.into_iter().map(|(at, name)| (at, name.as_str().unwrap().to_string())).collect()
}

fn named(expected: &[(f64, &str)]) -> Vec<(f64, String)> {
    expected.iter().map(|(at, name)| (*at, name.to_string())).collect()
}

// ---- Section 5 ----

#[test]
fn a_cascade_takes_each_transition_once() {
    let model = format!(
        "{STAGES}transitions: [{{name: ab, from: a, to: b, on: activity}}, {{name: ba, from: b, to: a, on: alpha}}, \
         {{name: bc, from: b, to: c, after: 5s}}]\n"
    );
    let out =
        transitions(&model, &[event("Alpha", 0.0), event("Beta", 1.0), event("Quiet", 2.0)], Some(60.0));
    assert_eq!(out, named(&[(0.0, "ab"), (0.0, "ba"), (1.0, "ab"), (6.0, "bc")]));
}

#[test]
fn by_time_alone_a_transition_fires_once_between_events() {
    let model = format!(
        "{STAGES}transitions: [{{name: ab, from: a, to: b, after: 1500ms}}, {{name: ba, from: b, to: a, after: 3s}}]\n"
    );
    let out = transitions(&model, &[event("Alpha", 0.2), event("Beta", 10.5)], Some(60.0));
    // The event finds `ab` possible at its own clock; then each has one more turn by time.
    let expected = [(2.0, "ab"), (5.0, "ba"), (10.5, "ab"), (14.0, "ba"), (16.0, "ab")];
    assert_eq!(out, named(&expected));
}

#[test]
fn what_holds_at_once_but_was_spent_comes_with_the_next_second() {
    let model = format!(
        "{STAGES}transitions: [{{name: ab, from: a, to: b, when: {{seen: alpha}}}}, \
         {{name: ba, from: b, to: a, when: {{seen: alpha}}}}]\n"
    );
    let out = transitions(&model, &[event("Alpha", 0.2)], Some(60.0));
    assert_eq!(out, named(&[(0.2, "ab"), (0.2, "ba"), (1.0, "ab"), (1.0, "ba")]));
}

#[test]
fn inactive_for_counts_from_activity_entry_or_first_sight() {
    let model = format!("{STAGES}transitions: [{{name: ab, from: a, to: b, inactive_for: 10s}}]\n");
    assert_eq!(transitions(&model, &[event("Quiet", 0.5)], Some(60.0)), named(&[(11.0, "ab")]));
    let events = [event("Quiet", 0.5), event("Alpha", 4.5), event("Quiet", 9.0)];
    assert_eq!(transitions(&model, &events, Some(60.0)), named(&[(15.0, "ab")]));
}

#[test]
fn a_transition_that_only_lacks_a_field_stays_pending() {
    let model = format!(
        "{SIGNALS}stages: [{{name: a}}, {{name: b, requires: [traits.x, traits.y]}}, {{name: c}}]\n\
         transitions: [{{name: ab, from: a, to: b, on: alpha, reason: properties.why}}, {{name: ac, from: a, to: c, after: 1m}}]\n\
         emit: {{scores: {{on_change_of: 1}}}}\n"
    );
    let why = track("l", "Alpha", 1.0, json!({ "properties": { "why": "w" } }));
    let events = [
        event("Quiet", 0.0),
        why,
        identify("l", 2.0, json!({ "x": 1 })),
        identify("l", 3.0, json!({ "y": 1 })),
    ];
    let out = run(&model, &events, None, false);
    assert_eq!(told(&out, "transitions", "transition"), [(3.0, json!("ab"))]);
    assert_eq!(told(&out, "transitions", "reason"), [(3.0, json!(null))]);
    let missing = [
        (0.0, json!(null)),
        (1.0, json!(["traits.x", "traits.y"])),
        (2.0, json!(["traits.y"])),
        (3.0, json!(null)),
    ];
    assert_eq!(told(&out, "scores", "missing"), missing);
    // Another transition ends it.
    let late = [event("Alpha", 0.0), event("Quiet", 60.0), identify("l", 61.0, json!({ "x": 1, "y": 1 }))];
    assert_eq!(told(&run(&model, &late, None, false), "transitions", "transition"), [(60.0, json!("ac"))]);
}

#[test]
fn a_pending_transition_can_fire_by_time() {
    let model = format!(
        "{SIGNALS}stages: [{{name: a}}, {{name: b, requires: [traits.x]}}]\n\
         transitions: [{{name: ab, from: a, to: b, on: alpha, when: {{not: {{seen: {{signal: beta, within: 10s}}}}}}}}]\n"
    );
    let events = [event("Alpha", 0.0), event("Beta", 1.0), identify("l", 2.0, json!({ "x": 1 }))];
    assert_eq!(
        told(&run(&model, &events, Some(60.0), false), "transitions", "cause"),
        [(11.0, json!({ "kind": "time" }))]
    );
}

#[test]
fn a_transition_tells_where_from_how_long_and_whether_before() {
    let model = format!(
        "{STAGES}transitions: [{{name: ab, from: a, to: b, on: alpha}}, {{name: ba, from: any, to: a, on: beta}}]\n"
    );
    let out = run(
        &format!("{SIGNALS}{model}"),
        &[event("Quiet", 0.0), event("Alpha", 1.25), event("Beta", 3.0)],
        None,
        false,
    );
    let data = &out[0]["data"];
    let told = ["from", "to", "stage", "owner", "action", "seconds_in_from", "entered_before", "seq"]
        .map(|f| &data[f]);
    assert_eq!(json!(told), json!(["a", "b", "b", "sales", "call", 1.25, false, 1]));
    let data = &out[1]["data"];
    let told = ["from", "to", "owner", "seconds_in_from", "entered_before", "seq"].map(|f| &data[f]);
    assert_eq!(json!(told), json!(["b", "a", null, 1.75, true, 2]));
    assert_eq!(data["cause"], json!({ "kind": "event", "signals": ["beta"] }));
    assert_eq!((&out[1]["id"], &out[1]["type"]), (&json!("l/2"), &json!("qualifyd.transition.v1")));
}

// ---- Section 6 ----

#[test]
fn an_alert_rearms_and_cools_down() {
    let model = format!(
        "{SIGNALS}{STAGES}scores: {{s: {{groups: {{g: {{decay: {{window: 5s}}, points: {{alpha: 10}}}}}}}}}}\n\
         alerts: {{hot: {{when: {{score.s: {{gte: 10}}}}, cooldown: 20s, route: sdr}}}}\n"
    );
    let alerts = |times: &[f64]| {
        let events: Vec<_> = times.iter().map(|at| event("Alpha", *at)).collect();
        let out = run(&model, &events, Some(60.0), false);
        told(&out, "alerts", "alert").into_iter().map(|(at, _)| at).collect::<Vec<_>>()
    };
    assert_eq!(alerts(&[0.0, 1.0]), [0.0]);
    // Re-armed at 5; the cooldown alone stands in the way until 20.
    assert_eq!(alerts(&[0.0, 12.0, 16.5]), [0.0, 20.0]);
    assert_eq!(alerts(&[0.0, 12.0, 21.0]), [0.0, 21.0]);
}

#[test]
fn an_alert_with_its_own_rearm_waits_for_it() {
    let model = format!(
        "{SIGNALS}{STAGES}scores: {{s: {{groups: {{g: {{points: {{alpha: 10, beta: -5}}}}}}}}}}\n\
         alerts: {{hot: {{when: {{score.s: {{gte: 10}}}}, rearm: {{score.s: {{lt: 4}}}}}}}}\n"
    );
    let names = ["Alpha", "Beta", "Alpha", "Beta", "Beta", "Beta", "Alpha", "Beta"];
    let events: Vec<_> = names.iter().enumerate().map(|(at, name)| event(name, at as f64)).collect();
    // 10!, 5, 15, 10, 5, 0 (re-armed), 10!, 5
    let out = run(&model, &events, None, false);
    assert_eq!(told(&out, "alerts", "route"), [(0.0, json!(null)), (6.0, json!(null))]);
}

#[test]
fn an_sla_is_due_breached_and_met_by_event_times() {
    let model = format!(
        "{SIGNALS}{STAGES}slas: {{s: {{start: {{on: alpha}}, stop: {{on: beta}}, due: 5s, past_due: 8s}}}}\n"
    );
    let states = |events: &[Value]| {
        let out = run(&model, events, Some(60.0), false);
        let elapsed = told(&out, "slas", "elapsed_seconds");
        let states = told(&out, "slas", "state").into_iter();
        states.zip(elapsed).map(|((at, s), (_, e))| json!([at, s, e])).collect::<Vec<_>>()
    };
    let met_late = states(&[event("Alpha", 0.5), event("Quiet", 7.0), event("Beta", 3.0)]);
    assert_eq!(met_late, [json!([6.0, "due", 5.5]), json!([7.0, "met", 2.5])]);
    let breached = states(&[event("Alpha", 0.5), event("Beta", 9.0)]);
    assert_eq!(
        breached,
        [json!([6.0, "due", 5.5]), json!([9.0, "past_due", 8.5]), json!([9.0, "breached", 8.5])]
    );
    // A start that is due when it arrives is told with the next second, or event.
    let old = states(&[event("Quiet", 20.2), event("Alpha", 10.0)]);
    assert_eq!(old, [json!([21.0, "due", 11.0]), json!([21.0, "past_due", 11.0])]);
    let old = states(&[event("Quiet", 20.2), event("Alpha", 10.0), event("Quiet", 9.0)]);
    assert_eq!(old, [json!([20.2, "due", 10.2]), json!([20.2, "past_due", 10.2])]);
    // A stop older than the start stops nothing.
    assert_eq!(
        states(&[event("Alpha", 0.0), event("Beta", -1.0), event("Beta", 0.0)]),
        [json!([0.0, "met", 0.0])]
    );
}

#[test]
fn an_sla_by_stages_starts_stops_and_is_cancelled_at_the_clock() {
    let model = format!(
        "{SIGNALS}{STAGES}transitions: [{{name: ab, from: a, to: b, on: alpha}}, {{name: bc, from: b, to: c, on: beta}}, \
         {{name: ca, from: c, to: a, on: beta}}, {{name: ba, from: b, to: a, on: quiet}}]\n\
         slas: {{s: {{start: {{enter: b}}, stop: {{enter: c}}, cancel: {{leave: b}}, due: 1m}}, \
         gone: {{start: {{enter: c}}, stop: {{on: alpha}}, due: 1m}}, first: {{start: {{enter: a}}, stop: {{leave: a}}, due: 1m}}}}\n"
    );
    let events = [event("Alpha", 0.0), event("Beta", 2.0), event("Alpha", 4.0), event("Quiet", 5.0)];
    let out = run(&model, &events, None, false);
    let told: Vec<_> = told(&out, "slas", "sla").into_iter().zip(told(&out, "slas", "state")).collect();
    let told: Vec<_> = told.into_iter().map(|((at, sla), (_, state))| json!([at, sla, state])).collect();
    // `gone` never starts: the lead is in `c` within an input alone. `first` starts with the return to `a`.
    assert_eq!(
        told,
        [json!([2.0, "s", "met"]), json!([4.0, "first", "met"]), json!([5.0, "s", "cancelled"])]
    );
}

#[test]
fn touches_are_weighed_by_each_model() {
    let attribution = |settings: &str, touches: &[(f64, &str)]| {
        let model = format!(
            "{SIGNALS}{STAGES}transitions: [{{name: ab, from: a, to: b, on: beta}}]\n\
             attribution: {{channels: {{x: {{properties.c: x}}, y: {{properties.c: y}}}}, {settings}, credit: [b], \
             value: {{beta: properties.v, alpha: properties.c}}, models: [first, last, linear, \
             {{time_decay: {{half_life: 10s}}}}, {{position: {{first: 0.6, last: 0.2}}}}]}}\n"
        );
        let touch = |(at, c): &(f64, &str)| track("l", "Alpha", *at, json!({ "properties": { "c": c } }));
        let mut events: Vec<_> = touches.iter().map(touch).collect();
        events.push(track("l", "Beta", 30.0, json!({ "properties": { "v": "12.5" } })));
        let out = run(&model, &events, None, false);
        assert_eq!(out[0]["data"]["value"], 12.5);
        out[0]["data"]["attribution"].clone()
    };
    let three = attribution("touches: 9, gap: 0s", &[(0.0, "x"), (10.0, "y"), (20.0, "y")]);
    assert_eq!(three["first"], json!({ "x": 1.0 }));
    assert_eq!(three["last"], json!({ "y": 1.0 }));
    assert_eq!(three["linear"], json!({ "x": 0.3333, "y": 0.6667 }));
    assert_eq!(three["time_decay"], json!({ "x": 0.1429, "y": 0.8571 }));
    assert_eq!(three["position"], json!({ "x": 0.6, "y": 0.4 }));
    let two = attribution("touches: 9, gap: 0s", &[(0.0, "x"), (10.0, "y")]);
    assert_eq!(two["position"], json!({ "x": 0.75, "y": 0.25 }));
    // The second earliest goes; the window ends 20 s back.
    let kept = attribution("touches: 2, gap: 0s", &[(0.0, "x"), (12.0, "y"), (20.0, "x")]);
    assert_eq!(kept["linear"], json!({ "x": 1.0 }));
    let window = attribution("touches: 9, gap: 0s, window: 20s", &[(10.0, "x"), (10.001, "y")]);
    assert_eq!(window["linear"], json!({ "y": 1.0 }));
    assert_eq!(attribution("touches: 9, window: 5s", &[(10.0, "x")]), json!({}));
    // Of one channel and slot: one touch, at the earliest time.
    let merged = attribution("touches: 9, gap: 10s", &[(9.0, "x"), (1.0, "x"), (5.0, "y")]);
    assert_eq!((&merged["first"], &merged["linear"]), (&json!({ "x": 1.0 }), &json!({ "x": 0.5, "y": 0.5 })));
}

#[test]
fn value_stands_on_the_last_transition_alone() {
    let model = format!(
        "{SIGNALS}{STAGES}transitions: [{{name: ab, from: a, to: b, on: beta}}, {{name: bc, from: b, to: c, on: beta}}]\n\
         attribution: {{channels: {{x: {{properties.c: x}}}}, touches: 1, models: [first], credit: [], value: {{beta: properties.v}}}}\n"
    );
    let out = run(&model, &[track("l", "Beta", 0.0, json!({ "properties": { "v": 3 } }))], None, false);
    assert_eq!(told(&out, "transitions", "value"), [(0.0, json!(null)), (0.0, json!(3.0))]);
}

// ---- Sections 7, 8 and 10 ----

const AFTER_5S: &str =
    "stages: [{name: a}, {name: b}]\ntransitions: [{name: ab, from: a, to: b, after: 5s}]\n";

fn keys(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| record["key"].as_str().unwrap()).collect()
}

#[test]
fn others_fire_after_the_grace_in_order_of_due_and_id() {
    let of = |lead: &str, seconds: f64| track(lead, "E", seconds, json!({}));
    let first = [of("z", 0.0), of("b", 0.0), of("a", 0.5)];
    let ripen = |seconds: f64| {
        let mut events = first.to_vec();
        events.push(of("z", seconds));
        run(AFTER_5S, &events, None, false)
    };
    // z itself needs no grace: its own event says that its time has come.
    assert_eq!(keys(&ripen(14.999)), ["z"]);
    assert_eq!(keys(&ripen(15.0)), ["b", "z"]);
    assert_eq!(keys(&ripen(16.0)), ["b", "a", "z"]);
    assert!(ripen(16.0).iter().all(|record| record["data"]["cause"]["kind"] == "time"));
}

#[test]
fn what_a_late_event_brings_about_fires_right_after_it() {
    let of = |lead: &str, seconds: f64| track(lead, "E", seconds, json!({}));
    let out = run(AFTER_5S, &[of("z", 100.0), of("a", 10.5), of("b", 89.0)], None, false);
    assert_eq!(told(&out, "transitions", "lead"), [(16.0, json!("a"))]);
    let out = run(AFTER_5S, &[of("z", 100.0), of("b", 86.0), of("c", 85.0)], Some(105.0), false);
    assert_eq!(
        told(&out, "transitions", "lead"),
        [(90.0, json!("c")), (91.0, json!("b")), (105.0, json!("z"))]
    );
}

#[test]
fn stream_time_is_bounded_by_the_time_of_the_record() {
    let events = [
        track("a", "E", 0.0, json!({})),
        track("b", "E", 100.0, json!({ "receivedAt": written(14.9) })),
        track("c", "E", 100.0, json!({ "receivedAt": written(15.0) })),
    ];
    assert_eq!(keys(&run(AFTER_5S, &events[..2], None, false)), [] as [&str; 0]);
    assert_eq!(keys(&run(AFTER_5S, &events, None, false)), ["a"]);
}

#[test]
fn until_fires_without_grace_and_scores_close_the_run() {
    let of = |lead: &str, seconds: f64| track(lead, "E", seconds, json!({}));
    let events = [of("z", 0.0), of("a", 3.0)];
    let out = run(AFTER_5S, &events, Some(5.0), true);
    assert_eq!(keys(&out), ["z", "a", "z"]);
    assert_eq!(told(&out, "scores", "seq"), [(5.0, json!(1)), (5.0, json!(2))]);
    assert_eq!(told(&out, "scores", "cause")[0].1, json!({ "kind": "time" }));
    // Without --until: the final stream time, or the lead's own clock if that is later.
    assert_eq!(
        told(&run(AFTER_5S, &events, None, true), "scores", "lead"),
        [(3.0, json!("a")), (3.0, json!("z"))]
    );
    assert_eq!(
        told(&run(AFTER_5S, &events, Some(1.0), true), "scores", "lead"),
        [(3.0, json!("a")), (1.0, json!("z"))]
    );
}

#[test]
fn score_records_wait_for_a_change_and_for_their_time() {
    let model = format!(
        "{SIGNALS}stages: [{{name: a}}]\nscores: {{s: {{groups: {{g: {{points: {{alpha: 2, beta: 0.5}}}}}}}}}}\n\
         emit: {{scores: {{on_change_of: 1, every: 10s}}}}\n"
    );
    let scores = |events: &[Value]| told(&run(&model, events, Some(60.0), false), "scores", "scores");
    let s = |value: f64| json!({ "s": value });
    assert_eq!(scores(&[event("Quiet", 0.5), event("Beta", 1.0)]), [(0.5, s(0.0))]);
    assert_eq!(scores(&[event("Quiet", 0.5), event("Alpha", 1.0)]), [(0.5, s(0.0)), (11.0, s(2.0))]);
    assert_eq!(
        scores(&[event("Quiet", 0.5), event("Beta", 1.0), event("Beta", 12.0)]),
        [(0.5, s(0.0)), (12.0, s(1.0))]
    );
}

#[test]
fn a_score_fading_moves_in_whole_steps() {
    let model = format!(
        "{SIGNALS}stages: [{{name: a}}]\nscores: {{s: {{groups: {{g: {{decay: {{lifespan: 90s}}, points: {{alpha: 9}}}}}}}}}}\n\
         emit: {{scores: {{on_change_of: 3}}}}\n"
    );
    let out = told(&run(&model, &[event("Alpha", 0.0)], Some(600.0), false), "scores", "scores");
    let s = |value: f64| json!({ "s": value });
    assert_eq!(out, [(0.0, s(9.0)), (30.0, s(6.0)), (60.0, s(3.0)), (90.0, s(0.0))]);
}

#[test]
fn one_input_tells_in_the_stated_order() {
    let model = format!(
        "{SIGNALS}{STAGES}transitions: [{{name: ab, from: a, to: b, on: beta}}]\n\
         slas: {{s: {{start: {{on: alpha}}, stop: {{on: beta}}, due: 500ms}}}}\nalerts: {{x: {{on: beta}}}}\n\
         emit: {{scores: {{on_change_of: 1}}}}\n"
    );
    let out = run(&model, &[event("Alpha", 0.1), event("Beta", 0.9)], None, false);
    let topics: Vec<_> = out.iter().map(|record| record["topic"].as_str().unwrap()).collect();
    assert_eq!(topics, ["scores", "slas", "transitions", "slas", "alerts", "scores"]);
    let stages: Vec<_> = out.iter().map(|record| record["data"]["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["a", "a", "b", "b", "b", "b"]);
    let seq: Vec<_> = out.iter().map(|record| record["data"]["seq"].as_u64().unwrap()).collect();
    assert_eq!(seq, [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_lead_is_identified_for_good() {
    let model = "stages: [{name: a}]\nqualifications: {q: {known: {identified: true}}}\n";
    let anonymous = |traits: Value, seconds: f64| json!({ "type": "identify", "anonymousId": "l", "timestamp": written(seconds), "traits": traits });
    let known = |events: &[Value]| final_score(model, events, 9.0)["qualified"]["q"]["known"].clone();
    assert_eq!(known(&[anonymous(json!({}), 0.0)]), false);
    assert_eq!(known(&[anonymous(json!({ "email": "" }), 0.0)]), false);
    assert_eq!(
        known(&[anonymous(json!({ "email": "a@b" }), 0.0), anonymous(json!({ "email": null }), 1.0)]),
        true
    );
    let group = json!({ "type": "group", "anonymousId": "l", "timestamp": written(0.0), "traits": { "email": "a@b" } });
    assert_eq!(known(&[group]), false);
}

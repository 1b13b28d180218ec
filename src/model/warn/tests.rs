//! For each warning: a model that earns it, and its nearest neighbours that do not.

use crate::model::{Model, Severity};

const SIGNALS: &str = "signals: { visit: { match: { kind: page } }, order: { match: { event: Order } } }";
const SCORES: &str = "scores: { web: { range: [0, 100], groups: { g: { decay: { half_life: 30d }, points: { visit: 5, order: 9 } } } },
  fit: { criteria: [ { when: { traits.a: 1 }, points: 40 }, { when: { traits.b: 1 }, points: 10 } ], grades: { A: 45, B: 20, C: 0 } } }";
const STAGES: &str = "stages: [ { name: new }, { name: lead }, { name: won }, { name: lost, side: true } ]";
const TRANSITIONS: &str = "transitions: [ { name: in, from: new, to: lead, on: visit }, { name: win, from: lead, to: won, on: order }, { name: lose, from: [lead, won], to: lost, after: 90d } ]";

/// The messages of all warnings; a model's own sections replace those above.
fn warnings(sections: &str) -> Vec<String> {
    let own = |key: &str| sections.lines().any(|line| line.starts_with(key));
    let mut text = format!("model: m\nversion: 1\n{sections}\n");
    for (key, section) in
        [("signals:", SIGNALS), ("scores:", SCORES), ("stages:", STAGES), ("transitions:", TRANSITIONS)]
    {
        if !own(key) {
            text += &format!("{section}\n");
        }
    }
    let loaded = Model::load("m.yaml", text.as_bytes(), &mut |_| unreachable!("no list has a file"))
        .unwrap_or_else(|findings| panic!("{sections}\n{findings:#?}"));
    assert!(loaded.warnings.iter().all(|found| found.severity == Severity::Warning && found.hint.is_some()));
    loaded.warnings.into_iter().map(|found| found.message).collect()
}

#[track_caller]
fn warns(sections: &str, message: &str) {
    assert_eq!(warnings(sections), [message], "{sections}");
}

#[track_caller]
fn silent(sections: &str) {
    assert_eq!(warnings(sections), Vec::<String>::new(), "{sections}");
}

/// A model with more transitions than the usual ones.
fn moving(transitions: &str) -> String {
    TRANSITIONS.replace(" ]", &format!(", {transitions} ]"))
}

#[test]
fn the_base_is_silent() {
    silent("");
}

#[test]
fn a_signal_without_use() {
    let signals = |rest: &str| {
        let extra = format!(", extra: {{ match: {{ event: E }}{rest} }} }}\n");
        SIGNALS.strip_suffix(" }").unwrap().to_owned() + &extra
    };
    warns(&signals(""), "nothing uses the signal 'extra'");
    silent(&(signals("") + "alerts: { a: { on: extra } }"));
    silent(&(signals("") + "slas: { s: { start: { on: visit }, stop: { on: extra }, due: 1h } }"));
    silent(
        &(signals("")
            + "slas: { s: { start: { on: visit }, stop: { on: order }, cancel: { on: extra }, due: 1h } }"),
    );
    silent(&(signals("") + "alerts: { a: { when: { seen: extra } } }"));
    silent(&(signals("") + "attribution: { value: { extra: properties.total } }"));
    // It is activity, and something asks for activity.
    let asks = "alerts: { a: { on: activity } }";
    silent(&(signals("") + asks));
    warns(&(signals(", activity: false") + asks), "nothing uses the signal 'extra'");
}

#[test]
fn a_grade_out_of_reach() {
    let fit = |range: &str, grades: &str| {
        format!(
            "scores: {{ fit: {{ {range} criteria: [ {{ when: {{ traits.a: 1 }}, points: 40 }}, {{ first: [ {{ when: {{ traits.b: 1 }}, points: 10 }}, {{ when: {{ traits.c: 1 }}, points: -5 }} ] }} ], grades: {{ {grades} }} }} }}"
        )
    };
    let used = "\nalerts: { a: { when: { seen: visit } } }";
    warns(&(fit("", "A: 51, B: 50, C: 0") + used), "no lead can reach the grade 'A'");
    silent(&(fit("", "A: 50, C: 0") + used));
    warns(&(fit("range: [0, 30],", "A: 31, C: 0") + used), "no lead can reach the grade 'A'");
    warns(&(fit("", "A: 50, C: 0, D: -5") + used), "no lead can reach the grade 'D'");
    silent(&(fit("range: [-10, null],", "A: 50, C: 0, D: -5") + used));
    let sum = |weight: f64| {
        format!("{SCORES_OPEN}, total: {{ sum: {{ web: {weight} }}, grades: {{ hot: 70, cold: 0 }} }} }}")
    };
    warns(&sum(0.5), "no lead can reach the grade 'hot'");
    silent(&sum(0.7));
}

const SCORES_OPEN: &str =
    "scores: { web: { range: [0, 100], groups: { g: { decay: { half_life: 30d }, points: { visit: 5 } } } }";

#[test]
fn points_without_effect() {
    let group = |group: &str| format!("scores: {{ web: {{ groups: {{ g: {{ {group} }} }} }} }}");
    warns(
        &group("range: [0, 40], points: { visit: -5, order: -2 }"),
        "the group 'g' always counts 0: its range cuts all its points off",
    );
    silent(&group("range: [0, 40], points: { visit: -5, order: 2 }"));
    warns(
        &group("range: [0, 40], points: { visit: 50, order: 2 }"),
        "'visit' gives 50 points, but its group never counts more than 40",
    );
    silent(&group("range: [0, 40], points: { visit: 40, order: 2 }"));
    warns(
        &group("range: [-20, 0], points: { visit: -30 }"),
        "'visit' gives -30 points, but its group never counts less than -20",
    );
    // What is over the limit fades first, or is used up by points below 0.
    silent(&group("range: [0, 40], decay: { half_life: 7d }, points: { visit: 50 }"));
    silent(&group("range: [0, 40], points: { visit: 50, order: -5 }"));
    warns(
        &group("range: [0, 40], decay: { window: 7d }, points: { visit: 50 }"),
        "'visit' gives 50 points, but its group never counts more than 40",
    );
}

#[test]
fn a_criterion_that_another_hides() {
    let first = |first: &str| {
        let criteria: String =
            first.split('|').map(|when| format!("{{ when: {{ {when} }}, points: 5 }},")).collect();
        format!(
            "scores: {{ fit: {{ criteria: [ {{ first: [ {criteria} ] }} ] }} }}\nalerts: {{ a: {{ when: {{ seen: visit }} }} }}"
        )
    };
    let hidden = "this criterion never counts: wherever it holds, criterion 1 before it holds already";
    for (wide, narrow) in [
        ("traits.n: { gte: 200 }", "traits.n: { gte: 1000 }"),
        ("traits.n: { gt: 5 }", "traits.n: { gte: 6, lt: 10 }"),
        ("traits.n: { lte: 5 }", "traits.n: 3"),
        ("traits.t: { contains: manager }", "traits.t: { contains: senior manager }"),
        ("traits.t: { prefix: [a, b] }", "traits.t: abc"),
        ("traits.t: { in: [a, b, c] }", "traits.t: { in: [a, B] }"),
        ("traits.t: { exists: true }", "traits.t: { suffix: x }"),
        ("traits.t: { regex: x }", "traits.t: { regex: x }, traits.n: 1"),
        ("identified: true", "identified: true, traits.n: 1"),
        ("any: [ { traits.n: 1 }, { traits.t: a } ]", "traits.t: a"),
        ("not: { traits.t: a }", "traits.t: { exists: false }"),
        ("seen: visit", "seen: visit, traits.n: 2"),
    ] {
        warns(&first(&format!("{wide}|{narrow}")), hidden);
        silent(&first(&format!("{narrow}|{wide}")));
    }
    for (one, other) in [
        // A list may hold both.
        ("traits.t: a", "traits.t: b"),
        ("traits.n: { gte: 200 }", "traits.n: { gte: 100 }"),
        ("traits.n: { gte: 200 }", "traits.m: { gte: 300 }"),
        ("traits.t: { contains: senior }", "traits.t: { contains: manager }"),
        ("traits.t: { regex: x }", "traits.t: { regex: y }"),
        ("traits.t: { suffix: ab }", "traits.t: { suffix: b }"),
    ] {
        silent(&first(&format!("{one}|{other}")));
    }
    warns(
        &first("traits.n: { gte: 200 }|traits.n: { lt: 300 }|traits.n: { exists: true, gte: 250 }"),
        "this criterion never counts: wherever it holds, criterion 1 before it holds already",
    );
    warns(&first("traits.n: { gte: 10, lt: 5 }"), "this criterion can never hold");
    warns(&first("identified: true, not: { identified: true }"), "this criterion can never hold");
    silent(&first("traits.n: { gte: 10, lte: 10 }"));
}

#[test]
fn stages_out_of_reach_and_without_end() {
    warns(
        &moving("{ name: x, from: won, to: lead, on: order }")
            .replace("{ name: lose, from: [lead, won], to: lost, after: 90d },", ""),
        "no lead can reach the stage 'lost'",
    );
    // Only the stage is told, not what leads out of it.
    let island = "stages: [ { name: new }, { name: lead }, { name: won }, { name: far, side: true }, { name: lost, side: true } ]\n";
    warns(
        &(island.to_owned() + &moving("{ name: back, from: far, to: lead, on: order }")),
        "no lead can reach the stage 'far'",
    );
    warns(
        "stages: [ { name: new }, { name: lead }, { name: won } ]\ntransitions: [ { name: in, from: new, to: lead, on: visit }, { name: win, from: new, to: won, on: order } ]",
        "no lead can leave the stage 'lead', though the funnel goes on after it",
    );
    silent(
        "stages: [ { name: new }, { name: lead, side: true }, { name: won } ]\ntransitions: [ { name: in, from: new, to: lead, on: visit }, { name: win, from: new, to: won, on: order } ]",
    );
    // A condition that can never hold leads nowhere.
    assert_eq!(
        warnings(
            "transitions: [ { name: in, from: new, to: lead, on: visit }, { name: win, from: lead, to: won, when: { score.web: { gt: 100 } } }, { name: lose, from: lead, to: lost, after: 90d } ]"
        ),
        [
            "the transition 'win' can never fire: its `when` can never hold",
            "no lead can reach the stage 'won'"
        ],
    );
}

#[test]
fn a_transition_that_never_fires() {
    for (when, from) in [
        ("score.web: { gt: 100 }", "lead"),
        ("score.web: { gte: 50, lt: 40 }", "lead"),
        ("score.web: { lt: 0 }", "lead"),
        ("stage: won", "lead"),
        ("grade.fit: A, score.fit: { lt: 45 }", "lead"),
        ("identified: true, not: { identified: true }", "lead"),
        ("seen: visit, not: { seen: visit }", "lead"),
        ("any: [ { stage: new }, { score.web: 101 } ]", "[lead, won]"),
    ] {
        warns(
            &moving(&format!("{{ name: x, from: {from}, to: lost, when: {{ {when} }} }}")),
            "the transition 'x' can never fire: its `when` can never hold",
        );
    }
    for when in [
        "score.web: { gte: 100 }",
        "score.web: { gt: 99.9, lte: 100 }",
        "score.web: 0",
        "stage: lead",
        "grade.fit: A, score.fit: { lt: 46 }",
        "any: [ { stage: new }, { score.web: 99 } ]",
        // A list may hold both.
        "all: [ { traits.t: a }, { traits.t: b } ]",
    ] {
        silent(&moving(&format!("{{ name: x, from: lead, to: lost, when: {{ {when} }} }}")));
    }
}

#[test]
fn transitions_that_chase_each_other() {
    let pair = |up: &str, down: &str| {
        moving(&format!(
            "{{ name: up, from: lead, to: won, when: {{ {up} }} }}, {{ name: down, from: won, to: lead, when: {{ {down} }} }}"
        ))
    };
    let chase = "the transitions 'up' and 'down' can chase each other round: all can hold at once";
    for (up, down) in [
        ("score.web: { gte: 50 }", "score.web: { lt: 60 }"),
        ("score.web: { gte: 50 }, identified: true", "score.web: { lt: 60 }"),
        ("score.web: { gte: 50 }", "score.web: { gte: 60 }"),
        ("identified: true", "identified: true"),
        ("score.web: { gte: 50 }", "any: [ { score.web: { lt: 20 } }, { score.web: { lt: 60 } } ]"),
        ("grade.fit: { at_least: B }", "score.fit: { lt: 45 }"),
        ("score.web: { gte: 50 }", "score.web: { lt: 60 }, not: { seen: { signal: order, within: 7d } }"),
    ] {
        warns(&pair(up, down), chase);
    }
    for (up, down) in [
        ("score.web: { gte: 50 }", "score.web: { lt: 40 }"),
        ("grade.fit: { at_least: B }", "grade.fit: C"),
        ("traits.t: { prefix: a }", "traits.t: { prefix: b }"),
        ("traits.t: a", "not: { traits.t: a }"),
        ("seen: { signal: order, within: stage }", "seen: visit"),
        // Title and fit hang together: nothing is certain.
        ("grade.fit: { at_least: B }", "traits.a: 2"),
    ] {
        silent(&pair(up, down));
    }
    // What waits for an event or for time does not go round by itself.
    silent(&moving(
        "{ name: up, from: lead, to: won, when: { score.web: { gte: 50 } } }, { name: down, from: won, to: lead, on: order }",
    ));
    silent(&moving(
        "{ name: up, from: lead, to: won, when: { score.web: { gte: 50 } } }, { name: down, from: won, to: lead, after: 1d, when: { score.web: { lt: 60 } } }",
    ));
    silent(&moving(
        "{ name: up, from: lead, to: won, when: { score.web: { gte: 50 } }, reset: web }, { name: down, from: won, to: lead, when: { score.web: { lt: 60 } } }",
    ));
    warns(
        &moving(
            "{ name: a, from: lead, to: won, when: { score.web: { gte: 50 } } }, { name: b, from: won, to: lost, when: { score.web: { gte: 60 } } }, { name: c, from: lost, to: lead, when: { score.web: { lt: 90 } } }",
        ),
        "the transitions 'a', 'b', and 'c' can chase each other round: all can hold at once",
    );
    warns(
        &moving("{ name: x, from: lead, to: lead, when: { score.web: { gte: 50 } } }"),
        "the transition 'x' leads back into its own stage, again with every event",
    );
}

#[test]
fn the_same_bar_in_and_out() {
    let pair = |up: &str, down: &str| {
        moving(&format!(
            "{{ name: up, from: lead, to: won, when: {{ {up} }} }}, {{ name: down, from: won, to: lead, when: {{ {down} }} }}"
        ))
    };
    let flaps = "a lead enters 'won' with 50 of 'web' ('up') and leaves it below 50 again: near the bar it goes to and fro";
    warns(&pair("score.web: { gte: 50 }", "score.web: { lt: 50 }"), flaps);
    warns(&pair("score.web: { gt: 50 }", "score.web: { lte: 50 }"), flaps);
    warns(&pair("score.web: { gte: 50 }, identified: true", "not: { score.web: { gte: 50 } }"), flaps);
    silent(&pair("score.web: { gte: 50 }", "score.web: { lt: 49 }"));
    silent(&pair("score.web: { gte: 50 }, traits.t: a", "score.web: { lt: 50 }, not: { traits.t: a }"));
    // What ends at once does not hover.
    let ends = SCORES.replace("half_life", "window");
    silent(&(ends + "\n" + &pair("score.web: { gte: 50 }", "score.web: { lt: 50 }")));
    // Fit does not hover: it changes when somebody is found to be somebody else.
    silent(&pair("grade.fit: { at_least: B }", "grade.fit: C"));
    silent(&moving(
        "{ name: up, from: lead, to: won, when: { score.web: { gte: 50 } } }, { name: down, from: won, to: lead, after: 7d, when: { score.web: { lt: 50 } } }",
    ));
}

#[test]
fn alerts_that_cannot_fire_or_be_armed_again() {
    let alert = |alert: &str| format!("alerts: {{ hot: {{ {alert}, cooldown: 1d }} }}");
    let never = "the alert 'hot' can never fire: its `when` can never hold";
    warns(&alert("when: { score.web: { gt: 100 } }"), never);
    warns(&alert("when: { stage: new, all: [ { stage: won } ] }"), never);
    silent(&alert("when: { score.web: { gte: 100 }, stage: won }"));
    let once = "the alert 'hot' fires once and never again: its `rearm` can never hold";
    warns(&alert("when: { score.web: { gte: 80 } }, rearm: { score.web: { lt: 0 } }"), once);
    warns(&alert("when: { score.web: { gte: 80 } }, rearm: { score.web: { gte: 90 } }"), once);
    warns(&alert("when: { stage: won }, rearm: { stage: won }"), once);
    silent(&alert("when: { score.web: { gte: 80 } }, rearm: { score.web: { lt: 70 } }"));
    silent(&alert("when: { score.web: { gte: 80 } }, rearm: { score.fit: { gte: 10 } }"));
    silent(&alert("when: { stage: won }, rearm: { stage: lead }"));
}

#[test]
fn alerts_that_fire_at_each_crossing() {
    let flaps = "the alert 'hot' fires again each time 'web' comes back to 80";
    warns("alerts: { hot: { when: { score.web: { gte: 80 } } } }", flaps);
    warns("alerts: { hot: { when: { score.web: { gte: 80 } }, rearm: { score.web: { lt: 80 } } } }", flaps);
    silent("alerts: { hot: { when: { score.web: { gte: 80 } }, rearm: { score.web: { lt: 70 } } } }");
    silent("alerts: { hot: { when: { score.web: { gte: 80 } }, cooldown: 1d } }");
    silent("alerts: { hot: { when: { score.fit: { gte: 20 } } } }");
    silent("alerts: { hot: { on: order, when: { score.web: { gte: 80 } } } }");
}

#[test]
fn slas_that_nothing_starts_or_stops() {
    let sla = |start: &str, stop: &str| {
        format!("slas: {{ s: {{ start: {{ {start} }}, stop: {{ {stop} }}, due: 1d }} }}")
    };
    warns(&sla("enter: new", "on: order"), "nothing starts the SLA 's': no lead ever enters 'new'");
    warns(&sla("on: visit", "enter: new"), "nothing stops the SLA 's': no lead enters 'new' after its start");
    warns(
        &sla("enter: won", "enter: lead"),
        "nothing stops the SLA 's': no lead enters 'lead' after its start",
    );
    warns(
        &sla("enter: won", "leave: lead"),
        "nothing stops the SLA 's': no lead leaves 'lead' after its start",
    );
    warns(
        &sla("enter: lost", "leave: lost"),
        "nothing stops the SLA 's': no lead leaves 'lost' after its start",
    );
    silent(&sla("enter: lead", "enter: won"));
    silent(&sla("enter: lead", "leave: lead"));
    silent(&sla("on: visit", "on: order"));
    silent(&sla("on: visit", "leave: won"));
}

/// Many alternatives in many places: the analysis gives up, it does not hang.
#[test]
fn hard_models_are_judged_in_part() {
    let mut text = SCORES_OPEN.to_owned() + " }\nqualifications:\n";
    for level in 0..8 {
        text += &format!("  q{level}:\n");
        for criterion in 0..20 {
            let inner = if level == 0 {
                "identified: true".to_owned()
            } else {
                format!("qualified.q{}: {{ at_least: 5 }}", level - 1)
            };
            let more =
                if criterion < 2 { inner } else { format!("traits.t{criterion}: {{ gt: {criterion} }}") };
            text += &format!("    c{criterion}: {{ {more} }}\n");
        }
    }
    text += "alerts:\n";
    for alert in 0..200 {
        text += &format!(
            "  a{alert}: {{ when: {{ qualified.q7: {{ at_least: 10 }} }}, rearm: {{ not: {{ qualified.q6: all }} }} }}\n"
        );
    }
    silent(&text);
}

#[test]
fn the_model_to_start_from_is_silent() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/models/b2b-saas.yaml");
    let text = std::fs::read(path).unwrap();
    let mut read = |file: &str| std::fs::read(std::path::Path::new(path).with_file_name(file));
    let loaded = Model::load("b2b-saas.yaml", &text, &mut read).unwrap();
    assert_eq!(loaded.warnings, []);
}

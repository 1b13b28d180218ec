use super::*;
use crate::model::Model;

const OLD: &str = "
model: m
version: 1
thresholds: { mql: 50 }
lists: { freemail: ['@a.com', '@b.com'] }
signals:
  pricing: { match: { kind: page, context.page.path: { prefix: /pricing } }, label: Viewed pricing }
  demo: { match: { event: Demo Requested } }
scores:
  web:
    range: [0, 100]
    groups:
      pages: { range: [0, 40], decay: { half_life: 14d }, points: { pricing: 10, demo: { points: 40, at_most: 1, per: 7d } } }
  fit:
    criteria:
      - first:
          - { when: { traits.title: { contains: chief } }, points: 40, label: Decision maker }
          - { when: { traits.title: { contains: manager } }, points: 20, label: Manager }
      - { when: { traits.email: { suffix: $freemail } }, points: -5 }
    grades: { A: 40, B: 20, C: -5 }
qualifications: { bant: { need: { seen: demo } } }
stages: [ { name: new }, { name: lead, owner: marketing }, { name: won, requires: [traits.email] } ]
transitions:
  - { name: know, from: new, to: lead, when: { identified: true } }
  - { name: win, from: [new, lead], to: won, when: { score.web: { gte: $mql }, grade.fit: { at_least: B } } }
alerts: { hot: { when: { stage: lead, score.web: { gte: 80 } }, cooldown: 1d, route: sdr } }
slas: { first_call: { start: { enter: lead }, stop: { on: demo }, due: 5m } }
";

fn load(text: &str) -> Loaded {
    Model::load("m.yaml", text.as_bytes(), &mut |_| unreachable!("no list has a file"))
        .unwrap_or_else(|findings| panic!("{findings:#?}"))
}

/// What is told when each text is replaced by the one after it.
fn told(replaced: &[(&str, &str)]) -> Vec<String> {
    let mut new = OLD.to_owned();
    for (old, text) in replaced {
        assert!(new.contains(old), "{old}");
        new = new.replace(old, text);
    }
    diff(&load(OLD), &load(&new))
        .changes
        .into_iter()
        .map(|change| format!("{}: {}", change.section, change.text))
        .collect()
}

#[test]
fn the_same_is_the_same() {
    assert_eq!(told(&[]), Vec::<String>::new());
    let text = diff(&load(OLD), &load(&format!("# a comment\n{OLD}"))).text();
    assert_eq!(text, "m version 1: both say the same\n");
}

#[test]
fn points_and_scores() {
    for (old, new, text) in [
        ("pricing: 10", "pricing: 12", "points: web / pages: “Viewed pricing”: 10 → 12 points"),
        (
            "pricing: 10",
            "pricing: { points: 10, at_most: 3 }",
            "points: web / pages: “Viewed pricing”: now counts the first 3 only",
        ),
        (", at_most: 1, per: 7d", "", "points: web / pages: “demo”: no longer counts at most 1 in 7 days"),
        ("pricing: 10, ", "", "points: web / pages: “Viewed pricing” is gone"),
        ("half_life: 14d", "half_life: 7d", "scores: web / pages: halves every 14 → 7 days"),
        (
            "half_life: 14d",
            "lifespan: 14d",
            "scores: web / pages: halves every 14 days → fades evenly to 0 in 14 days",
        ),
        ("range: [0, 40]", "range: [0, 50]", "scores: web / pages: limits 0 to 40 → 50"),
        ("A: 40, B", "A: 45, B", "scores: fit grade A: from 40 → 45"),
        ("points: 20,", "points: 25,", "criteria: fit: “Manager”: 20 → 25 points"),
        (
            "contains: chief",
            "contains: [chief, head]",
            "criteria: fit: “Decision maker”: with title containing “chief” → title containing “chief” or “head”",
        ),
        ("'@b.com'", "'@b.com', '@c.com'", "lists: freemail: now also “@c.com”"),
        ("Demo Requested", "Quote Requested", "signals: demo: “Demo Requested” → “Quote Requested”"),
    ] {
        assert_eq!(told(&[(old, new)]), [text]);
    }
}

#[test]
fn the_funnel() {
    for (old, new, texts) in [
        (
            "mql: 50",
            "mql: 55",
            &["thresholds: mql: 50 → 55", "transitions: win: needs at least 50 → 55 points of web"][..],
        ),
        ("at_least: B", "at_least: A", &["transitions: win: needs a fit of B or better → a fit of A"]),
        (", grade.fit: { at_least: B }", "", &["transitions: win: needs no longer a fit of B or better"]),
        ("owner: marketing", "owner: sales", &["stages: stage lead: owner marketing → sales"]),
        (
            "requires: [traits.email]",
            "requires: [traits.email, traits.phone]",
            &["stages: stage won: needs now also phone"],
        ),
        (
            "{ name: won",
            "{ name: sal, side: true }, { name: won",
            &["stages: stage sal is new: stands beside the funnel"],
        ),
        ("from: [new, lead]", "from: lead", &["transitions: win: from no longer new"]),
        ("due: 5m", "due: 10m", &["service levels: first_call: due after 5 → 10 minutes"]),
        ("route: sdr", "route: ae", &["alerts: hot: goes to sdr → ae"]),
        ("cooldown: 1d, ", "cooldown: 1d, priority: high, ", &["alerts: hot: now priority high"]),
        (
            "need: {",
            "budget: {",
            &["checklists: bant / budget is new: “demo”", "checklists: bant / need is gone"],
        ),
    ] {
        assert_eq!(told(&[(old, new)]), texts);
    }
}

#[test]
fn a_stage_with_another_name_is_told_once() {
    let renamed = [
        ("{ name: lead,", "{ name: prospect, renamed_from: lead,"),
        ("to: lead", "to: prospect"),
        ("[new, lead]", "[new, prospect]"),
        ("stage: lead", "stage: prospect"),
        ("enter: lead", "enter: prospect"),
    ];
    assert_eq!(told(&renamed), ["stages: stage lead is now called stage prospect"]);
}

#[test]
fn an_order_that_means_something_is_told() {
    let know = "  - { name: know, from: new, to: lead, when: { identified: true } }\n";
    let moved = OLD.replace(know, "").replace("alerts:", &format!("{know}alerts:"));
    let changes = diff(&load(OLD), &load(&moved)).changes;
    assert_eq!(changes.len(), 1);
    assert_eq!(
        (changes[0].kind, changes[0].text.as_str()),
        (Kind::Reordered, "the order is another: win, know")
    );
}

#[test]
fn machines_read_old_and_new() {
    let changed = OLD.replace("pricing: 10", "pricing: 12");
    let json = serde_json::to_value(diff(&load(OLD), &load(&changed))).unwrap();
    let expected = serde_json::json!({
        "old": { "model": "m", "version": 1 },
        "new": { "model": "m", "version": 1 },
        "changes": [{
            "section": "points",
            "name": "web / pages: “Viewed pricing”",
            "kind": "changed",
            "property": "",
            "old": "10 points",
            "new": "12 points",
            "text": "web / pages: “Viewed pricing”: 10 → 12 points",
        }],
    });
    assert_eq!(json, expected);
}

#[test]
fn text_is_grouped() {
    let changed = OLD.replace("version: 1", "version: 2").replace("mql: 50", "mql: 55");
    let expected = "\
m version 1 → m version 2

Thresholds
  ~ mql: 50 → 55

Transitions
  ~ win: needs at least 50 → 55 points of web
";
    assert_eq!(diff(&load(OLD), &load(&changed)).text(), expected);
}

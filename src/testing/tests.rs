//! Tests of tests: what passes, what fails and with which words, what is wrong with a file.

use super::coverage::Touched;
use super::file::START_MS;
use super::play::{Common, play};
use crate::core::rules::Rules;
use crate::model::Model;
use std::sync::Arc;

const MODEL: &str = "
model: m
version: 1
signals:
  visit: { match: { kind: page, context.page.path: { prefix: /pricing } }, label: Viewed pricing }
  demo: { match: { event: Demo Requested } }
  call: { match: { event: Call Logged }, activity: false }
scores:
  engagement:
    range: [0, 100]
    groups: { web: { decay: { half_life: 10d }, points: { visit: 10, demo: 40 } } }
    grades: { hot: 50, cold: 0 }
qualifications: { bant: { need: { seen: demo }, email: { traits.email: { exists: true } } } }
stages: [ { name: visitor }, { name: lead }, { name: mql, requires: [traits.email] } ]
transitions:
  - { name: identify, from: visitor, to: lead, when: { identified: true } }
  - { name: ask, from: [visitor, lead], to: mql, on: demo }
  - { name: cool, from: mql, to: lead, when: { score.engagement: { lt: 30 } } }
alerts: { hot: { when: { grade.engagement: hot }, route: ae } }
slas: { answer: { start: { on: demo }, stop: { on: call }, due: 5m } }
";

/// The failures of one test, each in a line.
fn failures(steps: &str) -> Vec<String> {
    let rules = rules();
    let text = format!("model: m.yaml\ntests:\n  - name: t\n    steps:\n{steps}");
    let file = super::read("t.yaml", text.as_bytes()).unwrap_or_else(|found| panic!("{found:#?}"));
    super::check_names("t.yaml", &file, &rules.model).unwrap_or_else(|found| panic!("{found:#?}"));
    let common = Common { start: None, tolerance: None };
    let played = play(&rules, common, &file.tests[0], &mut Touched::default());
    let failures = played.failures.iter();
    failures.map(|failure| format!("{}: {} / {}", failure.what, failure.expected, failure.found)).collect()
}

fn rules() -> Arc<Rules> {
    let loaded = Model::load("m.yaml", MODEL.as_bytes(), &mut |_| unreachable!());
    Arc::new(Rules::new(Arc::new(loaded.unwrap_or_else(|found| panic!("{found:#?}")).model)))
}

fn mistakes(text: &str) -> Vec<String> {
    let found = match super::read("t.yaml", text.as_bytes()) {
        Ok(file) => super::check_names("t.yaml", &file, &rules().model).unwrap_err(),
        Err(found) => found,
    };
    found.iter().map(|found| format!("{}:{} {}", found.line, found.column, found.message)).collect()
}

#[test]
fn a_story_that_comes_out_as_told_passes() {
    let found = failures(
        "      - { identify: { email: ana@acme.example } }
      - { at: 1d, page: /pricing, times: 2, every: 10d }
      - { at: 11d, expect: { stage: lead, scores: { engagement: 15 }, groups: { engagement: { web: { gt: 14.99, lt: 15.01 } } }, grades: { engagement: cold }, transitions: [identify], nothing_else: true } }
      - { at: 11d, track: Demo Requested, id: a }
      - { at: 11d, track: Demo Requested, id: a, outcome: duplicate }
      - { at: 11d, track: Weather, outcome: ignored }
      - { expect: { stage: mql, scores: { engagement: 55 }, grades: { engagement: [hot, null] }, qualified: { bant: all }, running: [answer], alerts: [{ name: hot, route: ae }], reasons: [{ of: visit, points: 15, count: 2 }] } }
      - { at: 11d 4m, track: Call Logged }
      - { at: 30d, expect: { stage: lead, transitions: [{ name: cool, from: mql, to: lead, at: 19d 17h 52m 22s }], slas: [answer met], running: [], nothing_else: true } }
",
    );
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn what_differs_is_told_beside_what_was_expected() {
    let found = failures(
        "      - { at: 1h, track: Demo Requested }
      - { at: 2h, expect: { stage: mql, scores: { engagement: { equals: 45, within: 2 } }, grades: { engagement: hot }, qualified: { bant: [email] }, missing: [], transitions: [ask], alerts: [{ name: hot, route: null }], slas: [answer met], reasons: [{ of: demo, points: 30 }], running: [] } }
",
    );
    assert_eq!(
        found,
        [
            "stage: mql / visitor",
            "score engagement: 45 (±2) / 39.88",
            "grade of engagement: hot / cold",
            "qualification bant: email / 1 of 2 (need)",
            "missing fields: none / traits.email",
            "reason: 'demo' with 30 points / demo +39.88 (1×)",
            "running SLAs: none / answer",
            "transitions: ask / none",
            "alerts: hot to nobody / none",
            "SLAs: answer met / answer due at 1h 5m",
        ]
    );
}

#[test]
fn nothing_else_looks_at_what_is_not_named() {
    let steps = "      - { user: x, track: Demo Requested, traits: { email: a@b.example } }\n"
        .replace("user: x, ", "");
    let expect = "      - { at: 1h, expect: { transitions: [identify, ask], nothing_else: true } }\n";
    assert_eq!(failures(&(steps + expect)), ["SLAs: none / answer due at 5m"]);
}

#[test]
fn steps_are_played_in_the_order_of_time_and_late_ones_when_they_arrive() {
    let found = failures(
        "      - { at: 2d, expect: { scores: { engagement: 20 } } }
      - { at: 2d, page: 'https://www.acme.example/pricing?x=1' }
      - { at: 1h, page: /pricing }
      - { at: 2d, expect: { scores: { engagement: { gt: 18.7, lt: 18.8 } } } }
      - { at: 2d, page: /pricing, arrives: 3d }
      - { at: 3d, expect: { scores: { engagement: { gt: 26, lt: 27 } } } }
",
    );
    assert_eq!(found, ["score engagement: 20 / 8.73"]);
}

#[test]
fn a_rejected_event_fails_the_test_unless_it_is_expected() {
    let found = failures(
        "      - { event: { type: nonsense } }\n      - { event: { type: nonsense }, outcome: rejected }\n",
    );
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("event: a good event / rejected: "), "{found:?}");
}

#[test]
fn nothing_is_known_of_a_lead_without_events() {
    assert_eq!(
        failures("      - { expect: { stage: visitor } }\n"),
        ["lead: a lead / no event of it has arrived yet"]
    );
}

#[test]
fn mistakes_are_told_with_their_places() {
    let text = "\
model: m.yaml
tests:
  - nam: t
    name: x
    lead: a
    user: b
    steps:
      - { at: 1x, track: A, page: /b }
      - { at: 5 }
      - { expect: {} }
      - { times: 3, track: x }
      - { track: x, outcome: aplied }
      - { event: { event: x }, properties: { a: 1 } }
      - { expect: { slas: [answer], scores: { engagement: { within: 1 } } }, id: x }
";
    assert_eq!(
        mistakes(text),
        [
            "3:5 unknown key 'nam' in a test",
            "6:11 a test has either `lead` or `user`",
            "8:15 '1x' is not a time",
            "8:29 a step is one thing, not `track` and `page`",
            "9:9 this step neither does nor expects anything",
            "9:15 '5' is not a time",
            "10:19 `expect` is empty",
            "11:11 `times` needs `every`",
            "12:30 unknown outcome 'aplied'",
            "13:32 `event` is the whole event, so that `properties` stands in it",
            "14:28 'answer' does not say what became of an SLA",
            "14:61 `within` says how far from `equals`",
            "14:78 `id` belongs to an event, not to `expect`",
        ]
    );
}

#[test]
fn names_must_be_the_models() {
    let text = "\
model: m.yaml
tests:
  - name: x
    steps:
      - expect:
          stage: sal
          scores: { engagment: 1 }
          groups: { engagement: { wep: 1 } }
          grades: { engagement: warm }
          qualified: { bant: [needs], champ: all }
          missing: [traits.mail]
          reasons: [Viewed prices]
          running: [anser]
          transitions: [identfy, { name: ask, from: customer }]
          alerts: [hott]
          slas: [answer missed]
";
    let found = mistakes(text);
    let places: Vec<&str> =
        found.iter().filter_map(|found| found.split_once(' ')).map(|(_, what)| what).collect();
    assert_eq!(
        places,
        [
            "unknown stage 'sal'",
            "unknown score 'engagment'",
            "unknown group 'wep'",
            "unknown grade 'warm'",
            "unknown criterion 'needs'",
            "unknown qualification 'champ'",
            "unknown trait 'traits.mail'",
            "unknown reason 'Viewed prices'",
            "unknown SLA 'anser'",
            "unknown transition 'identfy'",
            "unknown stage 'customer'",
            "unknown alert 'hott'",
            "unknown state of an SLA 'missed'",
        ]
    );
}

#[test]
fn coverage_names_what_no_test_touches() {
    let rules = rules();
    let text = "model: m.yaml\ntests:\n  - name: t\n    steps: [{ track: Demo Requested }, { at: 1h, expect: { stage: visitor } }]\n";
    let file = super::read("t.yaml", text.as_bytes()).unwrap();
    let mut touched = Touched::default();
    play(&rules, Common { start: Some(START_MS), tolerance: None }, &file.tests[0], &mut touched);
    let covered = touched.of(&rules.model);
    let untouched: Vec<String> =
        covered.iter().map(|covered| format!("{} {}", covered.kind, covered.untouched.join(" "))).collect();
    assert_eq!(untouched, ["signals visit call", "transitions identify ask cool", "alerts hot", "slas "]);
    assert_eq!(super::coverage::percent(&covered), 25.0);
}

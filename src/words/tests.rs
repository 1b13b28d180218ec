//! What is said of each kind of condition and matcher.

use super::{Words, and, duration, every, matcher, number, or, points};
use crate::model::{Loaded, Model};

const MODEL: &str = "
model: m
version: 1
thresholds: { mql: 50 }
lists: { targets: [acme.com], freemail: ['@gmail.com'] }
signals:
  visit: { match: { kind: page }, label: Viewed a page }
  invite: { match: { event: Invited } }
scores:
  engagement: { groups: { g: { points: { visit: 1 } } } }
  fit: { criteria: [ { when: { traits.a: 1 }, points: 5 } ], grades: { A: 50, B: 20, C: 0 } }
  total: { sum: { engagement: 1 }, grades: { hot: 70, cold: 0 } }
qualifications:
  bant: { budget: { traits.a: 1 }, need: { seen: visit }, time: { identified: true } }
stages: [ { name: visitor }, { name: lead }, { name: mql }, { name: won } ]
";

fn load(sections: &str) -> Loaded {
    let text = format!("{MODEL}{sections}\n");
    Model::load("m.yaml", text.as_bytes(), &mut |_| unreachable!("no list has a file"))
        .unwrap_or_else(|findings| panic!("{sections}: {findings:#?}"))
}

/// The words of a condition and of its negation.
fn said(condition: &str) -> [String; 2] {
    let alerts = format!("alerts: {{ a: {{ when: {condition} }}, b: {{ when: {{ not: {condition} }} }} }}");
    let loaded = load(&alerts);
    [0, 1].map(|alert| {
        let when = loaded.model.alerts[alert].when.as_ref().unwrap();
        Words::of(&loaded.model).condition(when)
    })
}

fn matches(sections: &str) -> String {
    let loaded = load(&format!("spend: {{ match: {sections}, channel: event, amount: event }}"));
    matcher(&loaded.source.spend.as_ref().unwrap().matcher, &loaded.source)
}

#[test]
fn conditions_about_scores_and_stages() {
    for (condition, words, negation) in [
        (
            "{ score.engagement: { gte: $mql } }",
            "at least 50 points of engagement",
            "less than 50 points of engagement",
        ),
        (
            "{ score.engagement: { lt: 1 } }",
            "less than 1 point of engagement",
            "at least 1 point of engagement",
        ),
        (
            "{ score.engagement: { gt: 2, lte: 5.5 } }",
            "more than 2 and at most 5.5 points of engagement",
            "at most 2 or more than 5.5 points of engagement",
        ),
        ("{ score.engagement: 7 }", "exactly 7 points of engagement", "other than 7 points of engagement"),
        ("{ grade.fit: { at_least: B } }", "a fit of B or better", "no fit of B or better"),
        ("{ grade.fit: A }", "a fit of A", "no fit of A"),
        ("{ grade.fit: [A, C] }", "a fit of A or C", "no fit of A or C"),
        ("{ grade.total: hot }", "a total of “hot”", "no total of “hot”"),
        ("{ stage: mql }", "the stage mql", "a stage other than mql"),
        ("{ stage: [lead, mql] }", "the stage lead or mql", "the stage visitor or won"),
        ("{ stage: { not: mql } }", "a stage other than mql", "the stage mql"),
        ("{ identified: true }", "a known identity", "no known identity"),
        ("{ qualified.bant: all }", "bant fulfilled", "bant not fulfilled"),
        (
            "{ qualified.bant: { at_least: 2 } }",
            "at least 2 of the 3 points of bant",
            "fewer than 2 of the 3 points of bant",
        ),
    ] {
        assert_eq!(said(condition), [words, negation], "{condition}");
    }
}

#[test]
fn conditions_about_what_was_done() {
    for (condition, words, negation) in [
        ("{ seen: visit }", "“Viewed a page”", "no “Viewed a page”"),
        (
            "{ seen: { signal: visit, within: 1d } }",
            "“Viewed a page” in the last day",
            "no “Viewed a page” in the last day",
        ),
        (
            "{ seen: { signal: visit, at_least: 3, within: stage } }",
            "“Viewed a page” at least 3 times since entering the stage",
            "“Viewed a page” fewer than 3 times since entering the stage",
        ),
        (
            "{ seen: { signal: visit, at_least: 3, within: 14d, distinct: day } }",
            "“Viewed a page” on at least 3 days in the last 14 days",
            "“Viewed a page” on fewer than 3 days in the last 14 days",
        ),
        (
            "{ seen: { signal: invite, at_least: 3, distinct: properties.email } }",
            "“invite” with at least 3 different properties.email",
            "“invite” with fewer than 3 different properties.email",
        ),
    ] {
        assert_eq!(said(condition), [words, negation], "{condition}");
    }
}

#[test]
fn conditions_about_traits() {
    for (test, words, negation) in [
        ("DE", "x “DE”", "x other than “DE”"),
        ("true", "x marked true", "x not marked true"),
        ("[DE, AT]", "x among “DE” or “AT”", "x not among “DE” or “AT”"),
        ("$targets", "x on the list targets", "x not on the list targets"),
        (
            "{ suffix: $freemail }",
            "x ending in an entry of the list freemail",
            "x not ending in an entry of the list freemail",
        ),
        ("{ prefix: [a, b] }", "x beginning with “a” or “b”", "x not beginning with “a” or “b”"),
        (
            "{ gte: $mql, lt: 200 }",
            "x of at least 50 and less than 200",
            "x not of at least 50 and less than 200",
        ),
        ("{ exists: true }", "x known", "x unknown"),
        ("{ exists: false }", "x unknown", "x known"),
        ("{ not: DE }", "x not “DE”", "x “DE”"),
        (
            "{ exists: true, not: { contains: a } }",
            "x known and not containing “a”",
            "x not (known and not containing “a”)",
        ),
        (
            "{ regex: '(?i)\\b(vp|chief)\\b' }",
            "x containing one of the words “vp” or “chief”",
            "x not containing one of the words “vp” or “chief”",
        ),
    ] {
        assert_eq!(said(&format!("{{ traits.x: {test} }}")), [words, negation], "{test}");
    }
}

#[test]
fn combinations_keep_their_meaning() {
    for (condition, words, negation) in [
        (
            "{ identified: true, any: [ { stage: mql }, { seen: visit } ] }",
            "a known identity and (the stage mql or “Viewed a page”)",
            "no known identity or (a stage other than mql and no “Viewed a page”)",
        ),
        (
            "{ not: { any: [ { stage: mql }, { traits.x: a } ] } }",
            "a stage other than mql and x other than “a”",
            "the stage mql or x “a”",
        ),
        (
            "{ any: [ { identified: true, seen: visit }, { stage: won } ] }",
            "(a known identity and “Viewed a page”) or the stage won",
            "(no known identity or no “Viewed a page”) and a stage other than won",
        ),
    ] {
        assert_eq!(said(condition), [words, negation], "{condition}");
    }
}

#[test]
fn matchers_of_events() {
    for (yaml, words) in [
        ("{ kind: page }", "a page view"),
        ("{ event: [Demo Requested, Quote Requested] }", "“Demo Requested” or “Quote Requested”"),
        ("{ event: { in: [A, B] }, properties.plan: trial }", "“A” or “B” with properties.plan “trial”"),
        (
            "{ properties.a: { gte: 5 }, kind: page, not: { any: [ { event: X }, { lead: { suffix: y } } ] } }",
            "a page view with properties.a of at least 5 and (event other than “X” and lead not ending in “y”)",
        ),
        (
            "{ any: [ { event: A }, { kind: page, properties.x: true } ] }",
            "“A” or a page view with properties.x marked true",
        ),
        (
            "{ not: { any: [ { event: A, lead: b }, { lead: c } ] } }",
            "(event other than “A” or lead other than “b”) and lead other than “c”",
        ),
        (
            "{ any: [ { kind: page, lead: b, properties.c: d }, { event: E } ] }",
            "a page view with (lead “b” and properties.c “d”) or “E”",
        ),
        (
            "{ any: [ { not: { any: [ { event: A }, { lead: b } ] } }, { lead: c } ] }",
            "(event other than “A” and lead other than “b”) or lead “c”",
        ),
    ] {
        assert_eq!(matches(yaml), words, "{yaml}");
    }
}

#[test]
fn transitions_say_what_they_wait_for() {
    let loaded = load(
        "transitions: [ { name: t, from: any, to: won, on: invite, after: 1d, inactive_for: 2d, when: { identified: true, stage: lead } },
          { name: u, from: [lead, mql], to: won, on: activity } ]",
    );
    let words = Words::of(&loaded.model);
    let [t, u] = &loaded.model.transitions[..] else { panic!("two transitions") };
    assert_eq!(
        words.waits_for(t),
        ["“invite”", "1 day in the stage", "2 days without activity", "a known identity", "the stage lead"]
    );
    assert_eq!((words.from(t), words.from(u)), ("any other stage".to_owned(), "lead or mql".to_owned()));
    assert_eq!(words.waits_for(u), ["any activity"]);
}

#[test]
fn says_numbers_and_durations() {
    for (value, text) in [(50.0, "50"), (0.5, "0.5"), (-0.0, "0"), (1e-9, "0"), (-10.25, "-10.25")] {
        assert_eq!(number(value), text);
    }
    assert_eq!((points(1.0), points(-2.0)), ("1 point".to_owned(), "-2 points".to_owned()));
    for (ms, text) in [
        (14 * 86_400_000, "14 days"),
        (86_400_000, "1 day"),
        (36 * 3_600_000, "36 hours"),
        (90_000, "90 seconds"),
        (1500, "1500 milliseconds"),
        (0, "0 seconds"),
    ] {
        assert_eq!(duration(ms), text);
    }
    assert_eq!(
        (every(86_400_000), every(2 * 86_400_000)),
        ("every day".to_owned(), "every 2 days".to_owned())
    );
}

#[test]
fn joins_parts() {
    let parts = ["a", "b", "c"].map(str::to_owned);
    assert_eq!(and(&parts), "a, b, and c");
    assert_eq!(or(&parts[..2]), "a or b");
    assert_eq!(and(&parts[..1]), "a");
}

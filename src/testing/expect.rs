//! Compares what is expected with what the records say.

use super::events::told;
use super::file::{Alert, Bounds, Expect, Qualified, Reason, Sla, Transition, When};
use crate::core::effects::Topic;
use crate::model::ast::{Span, Spanned, Text};
use crate::story::words;
use serde_json::Value;

/// A record of the lead.
#[derive(Debug, Clone)]
pub struct Happened {
    pub topic: Topic,
    pub at: i64,
    pub data: Value,
}

/// Something that is not as expected.
#[derive(Debug, Clone, Default)]
pub struct Failure {
    /// The time of the step, ms.
    pub at: i64,
    /// The step's place in its file.
    pub span: Span,
    /// What is wrong: `stage`, `score engagement`, …
    pub what: String,
    pub expected: String,
    pub found: String,
}

/// What differs. `standing` is the lead's score record at that time, `happened` what came since the last expectation.
pub fn compare(
    expect: &Expect,
    standing: &Value,
    running: &[&str],
    happened: &[Happened],
    start: i64,
    tolerance: f64,
) -> Vec<Failure> {
    let mut compare = Compare { start, tolerance, failures: Vec::new() };
    compare.standing(expect, standing);
    if let Some(expected) = &expect.running {
        let (mut wanted, mut found) = (names(expected), running.to_vec());
        wanted.sort_unstable();
        found.sort_unstable();
        compare.equal("running SLAs", &wanted, &found);
    }
    compare.happened(expect, happened);
    compare.failures
}

struct Compare {
    start: i64,
    tolerance: f64,
    failures: Vec<Failure>,
}

impl Compare {
    fn fail(&mut self, what: String, expected: String, found: String) {
        self.failures.push(Failure { what, expected, found, ..Failure::default() });
    }

    fn equal(&mut self, what: &str, expected: &[&str], found: &[&str]) {
        if expected != found {
            self.fail(what.to_owned(), listed(expected), listed(found));
        }
    }

    fn standing(&mut self, expect: &Expect, standing: &Value) {
        if let Some(stage) = &expect.stage {
            self.equal("stage", &[stage], &[text(&standing["stage"])]);
        }
        for (score, bounds) in expect.scores.iter() {
            self.number(format!("score {}", score.value), bounds, &standing["scores"][score.as_str()]);
        }
        for (score, groups) in expect.groups.iter() {
            for (group, bounds) in groups.iter() {
                let found = &standing["groups"][score.as_str()][group.as_str()];
                self.number(format!("group {} of {}", group.value, score.value), bounds, found);
            }
        }
        for (score, grades) in expect.grades.iter() {
            let found = standing["grades"][score.as_str()].as_str();
            if !grades.iter().any(|grade| grade.as_ref().map(|grade| grade.as_str()) == found) {
                let name = |grade: Option<&str>| grade.unwrap_or("no grade").to_owned();
                let wanted: Vec<String> =
                    grades.iter().map(|grade| name(grade.as_ref().map(|grade| grade.as_str()))).collect();
                self.fail(format!("grade of {}", score.value), wanted.join(" or "), name(found));
            }
        }
        for (name, qualified) in expect.qualified.iter() {
            self.qualified(name, qualified, &standing["qualified"][name.as_str()]);
        }
        if let Some(missing) = &expect.missing {
            let (mut wanted, mut found) = (names(missing), texts(&standing["missing"]));
            wanted.sort_unstable();
            found.sort_unstable();
            self.equal("missing fields", &wanted, &found);
        }
        let reasons = standing["reasons"].as_array().map_or(&[][..], Vec::as_slice);
        for reason in &expect.reasons {
            if !reasons.iter().any(|found| self.is_reason(reason, found)) {
                let found: Vec<String> = reasons.iter().map(reason_found).collect();
                self.fail("reason".to_owned(), reason_expected(reason), or_none(found.join(", ")));
            }
        }
    }

    fn number(&mut self, what: String, bounds: &Bounds, found: &Value) {
        let Some(found) = found.as_f64() else { return };
        if !self.keeps(bounds, found) {
            self.fail(what, self.bounds_expected(bounds), words::number(found));
        }
    }

    fn keeps(&self, bounds: &Bounds, found: f64) -> bool {
        // Two decimals of a binary number are never exact.
        const DUST: f64 = 1e-9;
        let within = bounds.within.unwrap_or(self.tolerance) + DUST;
        bounds.equals.is_none_or(|equals| (found - equals).abs() <= within)
            && bounds.gt.is_none_or(|bound| found > bound)
            && bounds.gte.is_none_or(|bound| found >= bound)
            && bounds.lt.is_none_or(|bound| found < bound)
            && bounds.lte.is_none_or(|bound| found <= bound)
    }

    fn bounds_expected(&self, bounds: &Bounds) -> String {
        let within = bounds.within.unwrap_or(self.tolerance);
        let equals = bounds.equals.map(|equals| match within > super::file::TOLERANCE {
            true => format!("{equals} (±{within})"),
            false => equals.to_string(),
        });
        let others = [
            ("more than", bounds.gt),
            ("at least", bounds.gte),
            ("less than", bounds.lt),
            ("at most", bounds.lte),
        ];
        let others = others.into_iter().filter_map(|(words, bound)| Some(format!("{words} {}", bound?)));
        equals.into_iter().chain(others).collect::<Vec<_>>().join(" and ")
    }

    fn qualified(&mut self, name: &Text, expected: &Qualified, found: &Value) {
        let criteria = found.as_object().into_iter().flatten();
        let (all, holding): (Vec<_>, Vec<_>) = (
            criteria.clone().collect(),
            criteria.filter(|(_, holds)| **holds == Value::Bool(true)).collect(),
        );
        let mut holding: Vec<&str> = holding.into_iter().map(|(name, _)| name.as_str()).collect();
        holding.sort_unstable();
        let found = format!("{} of {} ({})", holding.len(), all.len(), or_none(holding.join(", ")));
        let expected = match expected {
            Qualified::All if holding.len() == all.len() => return,
            Qualified::All => "all criteria".to_owned(),
            Qualified::Count(count) if holding.len() == *count as usize => return,
            Qualified::Count(count) => format!("{count} criteria"),
            Qualified::Criteria(criteria) => {
                let mut wanted = names(criteria);
                wanted.sort_unstable();
                if wanted == holding {
                    return;
                }
                listed(&wanted)
            }
        };
        self.fail(format!("qualification {}", name.value), expected, found);
    }

    fn is_reason(&self, expected: &Reason, found: &Value) -> bool {
        let is = |key: &str, text: &Text| found[key] == text.value;
        (is("label", &expected.of) || is("signal", &expected.of))
            && expected.score.as_ref().is_none_or(|score| is("score", score))
            && expected.group.as_ref().is_none_or(|group| is("group", group))
            && expected.count.as_ref().is_none_or(|count| found["count"] == count.value)
            && expected
                .points
                .as_ref()
                .is_none_or(|points| found["points"].as_f64().is_some_and(|found| self.keeps(points, found)))
    }

    fn happened(&mut self, expect: &Expect, happened: &[Happened]) {
        let nothing_else = expect.nothing_else == Some(true);
        let of = |topic: Topic| happened.iter().filter(|record| record.topic == topic).collect::<Vec<_>>();
        let wanted = expect.transitions.as_deref().or(nothing_else.then_some(&[]));
        self.sequence(
            "transitions",
            wanted,
            &of(Topic::Transitions),
            is_transition,
            transition_expected,
            |data| format!("{} ({} → {})", text(&data["transition"]), text(&data["from"]), text(&data["to"])),
        );
        let wanted = expect.alerts.as_deref().or(nothing_else.then_some(&[]));
        self.sequence("alerts", wanted, &of(Topic::Alerts), is_alert, alert_expected, |data| {
            format!("{} to {}", text(&data["alert"]), data["route"].as_str().unwrap_or("nobody"))
        });
        let wanted = expect.slas.as_deref().or(nothing_else.then_some(&[]));
        self.sequence("SLAs", wanted, &of(Topic::Slas), is_sla, sla_expected, |data| {
            format!("{} {}", text(&data["sla"]), text(&data["state"]))
        });
    }

    /// What happened must be what is expected, one by one.
    fn sequence<E>(
        &mut self,
        what: &str,
        expected: Option<&[E]>,
        found: &[&Happened],
        is: fn(&E, &Happened, i64) -> bool,
        show_expected: fn(&E, i64) -> String,
        show_found: fn(&Value) -> String,
    ) {
        let Some(expected) = expected else { return };
        let start = self.start;
        let equal = expected.len() == found.len()
            && expected.iter().zip(found).all(|(expected, found)| is(expected, found, start));
        if !equal {
            let wanted: Vec<String> =
                expected.iter().map(|expected| show_expected(expected, start)).collect();
            let shown =
                found.iter().map(|found| format!("{} at {}", show_found(&found.data), told(found.at, start)));
            let shown: Vec<String> = shown.collect();
            self.fail(what.to_owned(), or_none(wanted.join(", ")), or_none(shown.join(", ")));
        }
    }
}

/// A due time is the first whole second, so that is how exact a moment can be told.
fn is_at(at: &Option<Spanned<When>>, found: &Happened, start: i64) -> bool {
    at.as_ref().is_none_or(|at| (found.at - at.ms(start)).abs() < 1000)
}

fn at_expected(at: &Option<Spanned<When>>, start: i64) -> String {
    at.as_ref().map_or_else(String::new, |at| format!(" at {}", told(at.ms(start), start)))
}

fn is_transition(expected: &Transition, found: &Happened, start: i64) -> bool {
    let data = &found.data;
    let is = |key: &str, text: &Option<Text>| text.as_ref().is_none_or(|text| data[key] == text.value);
    data["transition"] == expected.name.value
        && is("from", &expected.from)
        && is("to", &expected.to)
        && expected.reason.as_ref().is_none_or(|reason| data["reason"] == *reason)
        && expected.value.is_none_or(|value| data["value"].as_f64() == Some(value))
        && is_at(&expected.at, found, start)
}

fn transition_expected(expected: &Transition, start: i64) -> String {
    let Transition { name, from, to, at, reason, value } = expected;
    let stage = |stage: &Option<Text>| stage.as_ref().map_or("any stage", |stage| stage.as_str()).to_owned();
    let mut text = name.value.clone();
    if from.is_some() || to.is_some() {
        text.push_str(&format!(" ({} → {})", stage(from), stage(to)));
    }
    text.extend(reason.iter().map(|reason| format!(" with the reason {reason}")));
    text.extend(value.iter().map(|value| format!(" with the value {value}")));
    text + &at_expected(at, start)
}

fn is_alert(expected: &Alert, found: &Happened, start: i64) -> bool {
    let route =
        |route: &Option<Text>| found.data["route"].as_str() == route.as_ref().map(|route| route.as_str());
    found.data["alert"] == expected.name.value
        && expected.route.as_ref().is_none_or(route)
        && is_at(&expected.at, found, start)
}

fn alert_expected(expected: &Alert, start: i64) -> String {
    let route = expected.route.as_ref();
    let route = route.map(|route| format!(" to {}", route.as_ref().map_or("nobody", |route| route.as_str())));
    format!("{}{}{}", expected.name.value, route.unwrap_or_default(), at_expected(&expected.at, start))
}

fn is_sla(expected: &Sla, found: &Happened, start: i64) -> bool {
    found.data["sla"] == expected.name.value
        && found.data["state"] == expected.state.value
        && is_at(&expected.at, found, start)
}

fn sla_expected(expected: &Sla, start: i64) -> String {
    format!("{} {}{}", expected.name.value, expected.state.value, at_expected(&expected.at, start))
}

fn reason_expected(reason: &Reason) -> String {
    let mut text = format!("'{}'", reason.of.value);
    text.extend(reason.score.iter().map(|score| format!(" in {}", score.value)));
    text.extend(reason.group.iter().map(|group| format!(", group {}", group.value)));
    if let Some(points) = &reason.points {
        let compare = Compare { start: 0, tolerance: super::file::TOLERANCE, failures: Vec::new() };
        text.push_str(&format!(" with {} points", compare.bounds_expected(points)));
    }
    text.extend(reason.count.iter().map(|count| format!(", {} times", count.value)));
    text
}

fn reason_found(reason: &Value) -> String {
    let named = ["label", "signal"].into_iter().find_map(|key| reason[key].as_str());
    let name = named.map_or_else(
        || format!("criterion {} of {}", reason["criterion"], text(&reason["score"])),
        str::to_owned,
    );
    let count = reason["count"].as_u64().map(|count| format!(" ({count}×)"));
    format!("{name} {}{}", words::signed(reason["points"].as_f64().unwrap_or(0.0)), count.unwrap_or_default())
}

fn names(texts: &[Text]) -> Vec<&str> {
    texts.iter().map(|text| text.as_str()).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn listed(names: &[&str]) -> String {
    or_none(names.join(", "))
}

fn or_none(text: String) -> String {
    if text.is_empty() { "none".to_owned() } else { text }
}

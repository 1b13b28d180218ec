//! Conditions about leads.

use super::{Words, and, duration, number, or, points, quoted};
use crate::model::compiled::{Condition, Distinct, IndexSet, QualificationId, ScoreId, SeenId, Within};
use crate::model::matcher::NumberTest;

impl Words<'_> {
    /// A condition in one phrase: `at least 50 points of engagement and a fit of B or better`.
    pub fn condition(&self, condition: &Condition) -> String {
        self.phrase(condition, false, false)
    }

    /// The parts of a condition that must all hold, a phrase each, to stand by themselves.
    pub fn parts(&self, condition: &Condition) -> Vec<String> {
        match condition {
            Condition::All(all) => all.iter().map(|part| self.phrase(part, false, false)).collect(),
            one => vec![self.phrase(one, false, false)],
        }
    }

    /// Negations are carried inward, so that only single tests are negated: "neither … nor" needs no words.
    fn phrase(&self, condition: &Condition, negated: bool, inside: bool) -> String {
        let join = |parts: &[Condition], word: fn(&[String]) -> String| {
            let said: Vec<String> =
                parts.iter().map(|part| self.phrase(part, negated, inside || parts.len() > 1)).collect();
            if inside && said.len() > 1 { format!("({})", word(&said)) } else { word(&said) }
        };
        match condition {
            Condition::All(all) if all.is_empty() => if negated { "never" } else { "always" }.to_owned(),
            Condition::Any(any) if any.is_empty() => if negated { "always" } else { "never" }.to_owned(),
            Condition::All(all) => join(all, if negated { or } else { and }),
            Condition::Any(any) => join(any, if negated { and } else { or }),
            Condition::Not(not) => self.phrase(not, !negated, inside),
            Condition::Fact(id) => self.fact(*id, negated),
            Condition::Identified(value) => {
                if *value != negated { "a known identity" } else { "no known identity" }.to_owned()
            }
            Condition::Stage(set) => self.in_stages(set, negated),
            Condition::Score(id, test) => self.score_test(*id, test, negated),
            Condition::Grade(id, set) => self.grades(*id, set, negated),
            Condition::Qualified { qualification, at_least } => {
                self.qualified(*qualification, *at_least, negated)
            }
            Condition::Seen { seen, at_least, within } => self.seen(*seen, *at_least, *within, negated),
        }
    }

    /// The stages of a set by name, in the funnel's order.
    pub fn stages(&self, set: &IndexSet) -> Vec<String> {
        let stages = self.model.stages.iter().enumerate();
        stages.filter(|(id, _)| set.contains(*id)).map(|(_, stage)| stage.name.clone()).collect()
    }

    fn in_stages(&self, set: &IndexSet, negated: bool) -> String {
        let inside = self.stages(set);
        let outside: Vec<String> = self
            .model
            .stages
            .iter()
            .map(|stage| stage.name.clone())
            .filter(|name| !inside.contains(name))
            .collect();
        let (wanted, others) = if negated { (outside, inside) } else { (inside, outside) };
        match (wanted.len(), others.len()) {
            (0, _) => "no stage".to_owned(),
            (_, 0) => "any stage".to_owned(),
            // The shorter list says it.
            (wanted_len, others_len) if others_len < wanted_len => {
                format!("a stage other than {}", or(&others))
            }
            _ => format!("the stage {}", or(&wanted)),
        }
    }

    /// `at least 50 points of engagement`.
    fn score_test(&self, id: ScoreId, test: &NumberTest, negated: bool) -> String {
        let of = self.score(id);
        match amount(test, negated) {
            (amount, Some(bound)) => {
                format!("{amount} {} of {of}", points(bound).trim_start_matches(&number(bound)).trim())
            }
            (amount, None) => format!("{amount} points of {of}"),
        }
    }

    /// `a fit of B or better`.
    fn grades(&self, id: ScoreId, set: &IndexSet, negated: bool) -> String {
        let score = &self.model.scores[usize::from(id)];
        let article = if negated { "no" } else { article(&score.name) };
        let name = |grade: &str| if grade.chars().count() > 2 { quoted(grade) } else { grade.to_owned() };
        let chosen: Vec<usize> = (0..score.grades.len()).filter(|&grade| set.contains(grade)).collect();
        let names: Vec<String> = chosen.iter().map(|&grade| name(&score.grades[grade].name)).collect();
        let from_the_best = chosen.iter().enumerate().all(|(index, &grade)| index == grade);
        match names.last() {
            Some(last) if from_the_best && names.len() > 1 => {
                format!("{article} {} of {last} or better", score.name)
            }
            _ => format!("{article} {} of {}", score.name, or(&names)),
        }
    }

    fn qualified(&self, id: QualificationId, at_least: u32, negated: bool) -> String {
        let qualification = &self.model.qualifications[usize::from(id)];
        let (name, count) = (&qualification.name, qualification.criteria.len());
        match (at_least as usize == count, negated) {
            (true, false) => format!("{name} fulfilled"),
            (true, true) => format!("{name} not fulfilled"),
            (false, false) => format!("at least {at_least} of the {count} points of {name}"),
            (false, true) => format!("fewer than {at_least} of the {count} points of {name}"),
        }
    }

    /// `“Invited a teammate” with at least 3 different properties.email in the last 14 days`.
    fn seen(&self, id: SeenId, at_least: u32, within: Within, negated: bool) -> String {
        let seen = &self.model.seen[usize::from(id)];
        let signal = self.signal(seen.signal);
        let within = match within {
            Within::Ever => String::new(),
            Within::Last(ms) => format!(" in the last {}", one_is_enough(&duration(ms))),
            Within::Stage => " since entering the stage".to_owned(),
        };
        let least = if negated { format!("fewer than {at_least}") } else { format!("at least {at_least}") };
        match (&seen.distinct, at_least) {
            (_, 1) if negated => format!("no {signal}{within}"),
            (_, 1) => format!("{signal}{within}"),
            (None, _) => format!("{signal} {least} times{within}"),
            (Some(Distinct::Day), _) => format!("{signal} on {least} days{within}"),
            (Some(Distinct::Field(field)), _) => {
                format!("{signal} with {least} different {}{within}", self.field(*field))
            }
        }
    }
}

/// `in the last day`, not `in the last 1 day`.
fn one_is_enough(duration: &str) -> &str {
    duration.strip_prefix("1 ").unwrap_or(duration)
}

fn article(name: &str) -> &'static str {
    match name.chars().next().map(|c| c.to_ascii_lowercase()) {
        Some('a' | 'e' | 'i' | 'o' | 'u') => "an",
        _ => "a",
    }
}

/// How many: `at least 50`, and the number on which "point" or "points" depends.
fn amount(test: &NumberTest, negated: bool) -> (String, Option<f64>) {
    let said = |phrase: &str, bound: f64| (format!("{phrase} {}", number(bound)), Some(bound));
    let joined = |tests: &[NumberTest], word: fn(&[String]) -> String| {
        let parts: Vec<String> = tests.iter().map(|test| amount(test, negated).0).collect();
        (word(&parts), None)
    };
    match (test, negated) {
        (NumberTest::Gte(bound), false) | (NumberTest::Lt(bound), true) => said("at least", *bound),
        (NumberTest::Gt(bound), false) | (NumberTest::Lte(bound), true) => said("more than", *bound),
        (NumberTest::Lt(bound), false) | (NumberTest::Gte(bound), true) => said("less than", *bound),
        (NumberTest::Lte(bound), false) | (NumberTest::Gt(bound), true) => said("at most", *bound),
        (NumberTest::Equals(bound), false) => said("exactly", *bound),
        (NumberTest::Equals(bound), true) => said("other than", *bound),
        (NumberTest::In(values), _) => {
            let values: Vec<String> = values.iter().map(|value| number(*value)).collect();
            (format!("{} {}", if negated { "other than" } else { "exactly" }, or(&values)), None)
        }
        (NumberTest::All(tests), _) => joined(tests, if negated { or } else { and }),
        (NumberTest::Not(test), _) => amount(test, !negated),
        (NumberTest::Always(value), _) => {
            (if *value != negated { "any number of" } else { "never any" }.to_owned(), None)
        }
    }
}

//! Conditions (§2), judged of a lead at a clock.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::lead::Lead;
use super::matcher::Test;
use super::model::Model;
use super::score::round;
use super::time::DAY;

#[derive(Debug)]
pub enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Score(String, Test),
    Grade(String, GradeTest),
    Trait(String, Test),
    Stage(Test),
    Identified,
    /// How many criteria must hold; none: all.
    Qualified(String, Option<usize>),
    Seen(Seen),
}

#[derive(Debug)]
pub enum GradeTest {
    OneOf(Vec<String>),
    AtLeast(String),
}

#[derive(Debug)]
pub struct Seen {
    pub signal: usize,
    pub at_least: usize,
    pub within: Option<Within>,
    pub distinct: Option<String>,
}

#[derive(Debug)]
pub enum Within {
    Stage,
    Period(i64),
}

impl Condition {
    fn parts(&self) -> &[Condition] {
        match self {
            Condition::All(parts) | Condition::Any(parts) => parts,
            Condition::Not(part) => std::slice::from_ref(part),
            _ => &[],
        }
    }

    /// Adds the paths of the traits that the condition names.
    pub fn traits(&self, paths: &mut BTreeSet<String>) {
        if let Condition::Trait(path, _) = self {
            paths.insert(path.clone());
        }
        self.parts().iter().for_each(|part| part.traits(paths));
    }

    /// Adds the periods of every `seen … within`.
    pub fn periods(&self, periods: &mut BTreeSet<i64>) {
        if let Condition::Seen(Seen { within: Some(Within::Period(period)), .. }) = self {
            periods.insert(*period);
        }
        self.parts().iter().for_each(|part| part.periods(periods));
    }
}

/// A lead as it stands at a clock.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub model: &'a Model,
    pub lead: &'a Lead,
    pub clock: i64,
}

impl View<'_> {
    pub fn holds(&self, condition: &Condition) -> bool {
        match condition {
            Condition::All(parts) => parts.iter().all(|part| self.holds(part)),
            Condition::Any(parts) => parts.iter().any(|part| self.holds(part)),
            Condition::Not(part) => !self.holds(part),
            Condition::Score(name, test) => {
                test.holds(&[&Value::from(round(self.score(self.model.score(name))))])
            }
            Condition::Grade(name, test) => self.grade_passes(self.model.score(name), test),
            Condition::Trait(path, test) => {
                test.holds(&self.lead.history.traits.get(path).into_iter().collect::<Vec<_>>())
            }
            Condition::Stage(test) => {
                test.holds(&[&Value::from(self.model.stages[self.lead.stage].name.as_str())])
            }
            Condition::Identified => self.lead.history.identified,
            Condition::Qualified(name, at_least) => {
                let criteria = self.qualified(name);
                criteria.iter().filter(|(_, holds)| *holds).count() >= at_least.unwrap_or(criteria.len())
            }
            Condition::Seen(seen) => self.seen(seen),
        }
    }

    /// The criteria of a qualification, and whether each holds.
    pub fn qualified(&self, name: &str) -> Vec<(String, bool)> {
        let qualification =
            self.model.qualifications.iter().find(|q| q.name == name).expect("a known qualification");
        qualification.criteria.iter().map(|(name, when)| (name.clone(), self.holds(when))).collect()
    }

    fn grade_passes(&self, score: usize, test: &GradeTest) -> bool {
        let Some(grade) = self.grade(score) else { return false };
        let bar = |wanted: &str| {
            let grades = self.model.scores[score].grades.as_ref().expect("grades");
            grades.iter().find(|(name, _)| name == wanted).expect("a known grade").1
        };
        match test {
            GradeTest::OneOf(grades) => grades.contains(&grade),
            GradeTest::AtLeast(wanted) => bar(&grade) >= bar(wanted),
        }
    }

    fn seen(&self, seen: &Seen) -> bool {
        // The latest time of each value; without `distinct` every occurrence is one of its own.
        let mut latest: BTreeMap<String, i64> = BTreeMap::new();
        for (at, event) in self.lead.events.iter().enumerate() {
            if !event.signals.contains(&seen.signal) {
                continue;
            }
            let value = match seen.distinct.as_deref() {
                None => Some(at.to_string()),
                Some("day") => Some(event.time.div_euclid(DAY).to_string()),
                // Choice: texts that differ in case alone are two values.
                Some(field) => event.scalar_at(field).map(|value| match value {
                    Value::Number(number) => format!("{:?}", number.as_f64()),
                    other => other.to_string(),
                }),
            };
            if let Some(value) = value {
                let time = latest.entry(value).or_insert(event.time);
                *time = event.time.max(*time);
            }
        }
        let counts = |time: &&i64| match seen.within {
            None => true,
            Some(Within::Stage) => **time > self.lead.entered_at,
            Some(Within::Period(period)) => **time > self.clock - period,
        };
        latest.values().filter(counts).count() >= seen.at_least
    }
}

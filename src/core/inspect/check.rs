//! A condition as it stands for a lead at a moment: whether it holds, and what each of its parts looks at.

use crate::core::judge::{Judge, Truth};
use crate::model::compiled::*;
use crate::model::matcher::NumberTest;
use crate::records::{Raw, Shown};
use crate::words::Words;
use serde::Serialize;

/// A condition, or a part of one, and whether it holds.
#[derive(Debug, Clone, Serialize)]
pub struct Check<'a> {
    pub holds: bool,
    #[serde(flatten)]
    pub kind: CheckKind<'a>,
}

/// What a part of a condition looks at.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "test", rename_all = "snake_case")]
pub enum CheckKind<'a> {
    All {
        of: Vec<Check<'a>>,
    },
    Any {
        of: Vec<Check<'a>>,
    },
    Not {
        of: Box<Check<'a>>,
    },
    /// A trait of the lead.
    Trait {
        name: &'a str,
        /// Left out: it is not known.
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<Raw<'a>>,
        /// The test in words, and its negation.
        wanted: &'a str,
        #[serde(skip)]
        unwanted: &'a str,
    },
    Identified {
        wanted: bool,
    },
    Stage {
        stage: &'a str,
        wanted: Vec<&'a str>,
    },
    Score {
        score: &'a str,
        value: Shown,
        #[serde(serialize_with = "as_text")]
        wanted: &'a NumberTest,
        /// How far the score is from holding: above 0 it must rise, below 0 it must fall.
        #[serde(skip_serializing_if = "Option::is_none")]
        lacks: Option<Shown>,
    },
    Grade {
        score: &'a str,
        value: Shown,
        grade: Option<&'a str>,
        /// Best first.
        wanted: Vec<&'a str>,
        /// The lowest bar of a wanted grade.
        bar: Option<Shown>,
        /// The wanted grades are the best ones: any better grade does as well.
        or_better: bool,
    },
    Qualified {
        qualification: &'a str,
        at_least: u32,
        holding: u32,
        criteria: Vec<(&'a str, Check<'a>)>,
    },
    Seen {
        signal: &'a str,
        label: &'a str,
        at_least: u32,
        /// How many there are, as far as anybody asks.
        found: u32,
        within: SeenWithin,
        #[serde(skip_serializing_if = "Option::is_none")]
        distinct: Option<String>,
    },
}

/// How recent occurrences must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SeenWithin {
    Ever,
    /// Milliseconds.
    Last(i64),
    /// Since the lead entered its stage.
    Stage,
}

fn as_text<T: std::fmt::Display, S: serde::Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Looks at a condition at the judge's moment.
pub fn check<'a>(judge: &mut Judge<'a>, condition: &'a Condition) -> Check<'a> {
    let holds = judge.holds(condition) == Truth::Yes;
    let (model, lead) = (judge.model, judge.lead);
    let kind = match condition {
        Condition::All(all) => CheckKind::All { of: checks(judge, all) },
        Condition::Any(any) => CheckKind::Any { of: checks(judge, any) },
        Condition::Not(inner) => CheckKind::Not { of: Box::new(check(judge, inner)) },
        Condition::Fact(id) => {
            let fact = &model.facts[usize::from(*id)];
            let text = lead.trait_text(fact.trait_id).and_then(|text| std::str::from_utf8(text).ok());
            CheckKind::Trait {
                name: &model.traits[usize::from(fact.trait_id)].name,
                value: text.and_then(|text| serde_json::from_str(text).ok()).map(Raw),
                wanted: &fact.words[0],
                unwanted: &fact.words[1],
            }
        }
        Condition::Identified(wanted) => CheckKind::Identified { wanted: *wanted },
        Condition::Stage(stages) => CheckKind::Stage {
            stage: &model.stages[usize::from(lead.stage)].name,
            wanted: named(&model.stages, stages, |stage| &stage.name),
        },
        Condition::Score(id, test) => {
            let value = judge.value(*id);
            let score = &model.scores[usize::from(*id)].name;
            CheckKind::Score {
                score,
                value: Shown(value),
                wanted: test,
                lacks: lacks(test, value).map(Shown),
            }
        }
        Condition::Grade(id, wanted) => grade(judge, *id, wanted),
        Condition::Qualified { qualification, at_least } => qualified(judge, *qualification, *at_least),
        Condition::Seen { seen, at_least, within } => sightings(judge, *seen, *at_least, *within),
    };
    Check { holds, kind }
}

fn checks<'a>(judge: &mut Judge<'a>, conditions: &'a [Condition]) -> Vec<Check<'a>> {
    conditions.iter().map(|condition| check(judge, condition)).collect()
}

fn named<'a, T>(all: &'a [T], wanted: &IndexSet, name_of: fn(&'a T) -> &'a str) -> Vec<&'a str> {
    all.iter().enumerate().filter(|(at, _)| wanted.contains(*at)).map(|(_, item)| name_of(item)).collect()
}

fn grade<'a>(judge: &mut Judge<'a>, id: ScoreId, wanted: &IndexSet) -> CheckKind<'a> {
    let score = &judge.model.scores[usize::from(id)];
    let grade = judge.grade(id).map(|grade| score.grades[usize::from(grade)].name.as_str());
    let lowest = (0..score.grades.len()).rev().find(|&at| wanted.contains(at));
    CheckKind::Grade {
        score: &score.name,
        value: Shown(judge.value(id)),
        grade,
        wanted: named(&score.grades, wanted, |grade| &grade.name),
        bar: lowest.map(|at| Shown(score.grades[at].bar)),
        or_better: lowest.is_some_and(|lowest| (0..lowest).all(|at| wanted.contains(at))),
    }
}

fn qualified<'a>(judge: &mut Judge<'a>, id: QualificationId, at_least: u32) -> CheckKind<'a> {
    let qualification = &judge.model.qualifications[usize::from(id)];
    let criteria = qualification.criteria.iter();
    let criteria: Vec<_> = criteria.map(|(name, when)| (name.as_str(), check(judge, when))).collect();
    let holding = criteria.iter().filter(|(_, check)| check.holds).count() as u32;
    CheckKind::Qualified { qualification: &qualification.name, at_least, holding, criteria }
}

fn sightings<'a>(judge: &mut Judge<'a>, id: SeenId, at_least: u32, within: Within) -> CheckKind<'a> {
    let seen = &judge.model.seen[usize::from(id)];
    let signal = &judge.model.signals[usize::from(seen.signal)];
    let enough = |judge: &mut Judge<'a>, at_least| {
        judge.holds(&Condition::Seen { seen: id, at_least, within }) == Truth::Yes
    };
    let found = (1..=seen.keep).take_while(|&count| enough(judge, count)).count() as u32;
    let within = match within {
        Within::Ever => SeenWithin::Ever,
        Within::Last(duration) => SeenWithin::Last(duration),
        Within::Stage => SeenWithin::Stage,
    };
    let distinct = seen.distinct.map(|distinct| match distinct {
        Distinct::Day => "day".to_owned(),
        Distinct::Field(field) => Words::of(judge.model).field(field),
    });
    CheckKind::Seen { signal: &signal.name, label: &signal.label, at_least, found, within, distinct }
}

/// How far a number is from passing a bar: above 0 it must rise by so much (or, for `gt`, by more), below 0 fall.
fn lacks(test: &NumberTest, value: f64) -> Option<f64> {
    if test.holds(value) {
        return None;
    }
    match test {
        NumberTest::All(all) => all.iter().find_map(|part| lacks(part, value)),
        NumberTest::Equals(bar)
        | NumberTest::Gt(bar)
        | NumberTest::Gte(bar)
        | NumberTest::Lt(bar)
        | NumberTest::Lte(bar) => Some(bar - value),
        NumberTest::Not(_) | NumberTest::In(_) | NumberTest::Always(_) => None,
    }
}

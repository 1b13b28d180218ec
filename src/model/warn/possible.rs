//! What a lead can look like. A [`World`] is the set of all leads that are still thinkable; each assumption makes it
//! smaller. It is never smaller than the truth, so what is impossible in it is impossible.

use super::Budget;
use super::bounds::{Bounds, Interval};
use super::implies::{exclude_each_other, implies, is_empty};
use crate::model::compiled::{Condition, FactId, IndexSet, Model, ScoreId, SeenId, Within};
use crate::model::matcher::NumberTest;
use std::collections::BTreeMap;

#[derive(Clone)]
pub struct World<'a> {
    model: &'a Model,
    bounds: &'a Bounds,
    budget: &'a Budget,
    stages: IndexSet,
    /// Those that an assumption made narrower than their bounds.
    scores: BTreeMap<ScoreId, Interval>,
    facts: BTreeMap<FactId, bool>,
    identified: Option<bool>,
    seen: Vec<(SeenId, u32, Within, bool)>,
}

impl<'a> World<'a> {
    pub fn new(model: &'a Model, bounds: &'a Bounds, budget: &'a Budget) -> Self {
        World {
            model,
            bounds,
            budget,
            stages: (0..model.stages.len()).collect(),
            scores: BTreeMap::new(),
            facts: BTreeMap::new(),
            identified: None,
            seen: Vec::new(),
        }
    }

    /// The lead is in one of these stages; false if it cannot be.
    pub fn stay_in(&mut self, stages: &IndexSet) -> bool {
        self.stages = (0..self.model.stages.len())
            .filter(|&stage| self.stages.contains(stage) && stages.contains(stage))
            .collect();
        !self.stages.is_empty()
    }

    /// Takes it that the condition holds, or does not; false if that cannot be.
    pub fn assume(&mut self, condition: &Condition, truth: bool) -> bool {
        if !self.budget.spend(1 + self.facts.len() + self.seen.len()) {
            return true;
        }
        match condition {
            Condition::All(parts) => self.several(parts.iter(), truth, if truth { parts.len() } else { 1 }),
            Condition::Any(parts) => self.several(parts.iter(), truth, if truth { 1 } else { parts.len() }),
            Condition::Not(not) => self.assume(not, !truth),
            Condition::Fact(id) => self.fact(*id, truth),
            Condition::Identified(value) => {
                let identified = *value == truth;
                *self.identified.get_or_insert(identified) == identified
            }
            Condition::Stage(set) => {
                let stages = (0..self.model.stages.len()).filter(|&stage| set.contains(stage) == truth);
                self.stay_in(&stages.collect())
            }
            Condition::Score(id, test) => self.score(*id, test, truth),
            Condition::Grade(id, set) => !truth || self.grade(*id, set),
            Condition::Qualified { qualification, at_least } => {
                let criteria = &self.model.qualifications[usize::from(*qualification)].criteria;
                let at_least = *at_least as usize;
                let need = if truth { at_least } else { criteria.len() + 1 - at_least };
                self.several(criteria.iter().map(|(_, condition)| condition), truth, need)
            }
            Condition::Seen { seen, at_least, within } => {
                let known =
                    self.seen.iter().find(|known| (known.0, known.1, known.2) == (*seen, *at_least, *within));
                match known {
                    Some((.., known)) => *known == truth,
                    None => {
                        self.seen.push((*seen, *at_least, *within, truth));
                        true
                    }
                }
            }
        }
    }

    /// At least `need` of the parts are `truth`.
    fn several<'c>(
        &mut self,
        parts: impl Iterator<Item = &'c Condition> + Clone,
        truth: bool,
        need: usize,
    ) -> bool {
        let branches = |part: &&Condition| {
            matches!(
                part,
                Condition::All(_) | Condition::Any(_) | Condition::Qualified { .. } | Condition::Not(_)
            )
        };
        // Single tests first: they make the world smaller for those that have alternatives.
        let ordered: Vec<&Condition> =
            parts.clone().filter(|part| !branches(part)).chain(parts.filter(branches)).collect();
        let chosen: Vec<&Condition> = if ordered.len() == need {
            ordered
        } else {
            let open = ordered.into_iter().filter(|part| self.clone().assume(part, truth));
            open.collect()
        };
        if chosen.len() > need {
            return true;
        }
        chosen.len() == need && chosen.into_iter().all(|part| self.assume(part, truth))
    }

    fn fact(&mut self, id: FactId, truth: bool) -> bool {
        let facts = &self.model.facts;
        let fact = &facts[usize::from(id)];
        if truth && is_empty(&fact.test) {
            return false;
        }
        let contradicts = |(&id, &known): (&FactId, &bool)| {
            let other = &facts[usize::from(id)];
            other.trait_id == fact.trait_id
                && match (truth, known) {
                    (true, true) => exclude_each_other(&fact.test, &other.test),
                    (true, false) => implies(&fact.test, &other.test),
                    (false, true) => implies(&other.test, &fact.test),
                    (false, false) => false,
                }
        };
        if self.facts.get(&id).is_some_and(|&known| known != truth) || self.facts.iter().any(contradicts) {
            return false;
        }
        self.facts.insert(id, truth);
        true
    }

    fn interval(&self, id: ScoreId) -> Interval {
        self.scores.get(&id).copied().unwrap_or_else(|| self.bounds.score(id))
    }

    fn narrow(&mut self, id: ScoreId, to: Interval) -> bool {
        let narrowed = self.interval(id).and(to);
        self.scores.insert(id, narrowed);
        !narrowed.is_empty()
    }

    fn score(&mut self, id: ScoreId, test: &NumberTest, truth: bool) -> bool {
        match (test, truth) {
            (NumberTest::All(parts), true) => parts.iter().all(|part| self.score(id, part, true)),
            (NumberTest::All(parts), false) => parts.iter().any(|part| self.clone().score(id, part, false)),
            (NumberTest::Not(test), truth) => self.score(id, test, !truth),
            (NumberTest::In(values), true) => {
                let now = self.interval(id);
                values.iter().any(|&value| !now.and(exactly(value)).is_empty())
            }
            (NumberTest::Always(value), truth) => *value == truth,
            (test, truth) => match interval_of(test, truth) {
                Some(interval) => self.narrow(id, interval),
                None => true,
            },
        }
    }

    /// A grade of the set: the score lies between its bar and the next.
    fn grade(&mut self, id: ScoreId, set: &IndexSet) -> bool {
        let now = self.interval(id);
        let grades = self.model.scores[usize::from(id)].grades.len();
        let spans =
            (0..grades).filter(|&grade| set.contains(grade)).map(|grade| grade_span(self.model, id, grade));
        let open: Vec<Interval> = spans.map(|span| span.and(now)).filter(|span| !span.is_empty()).collect();
        let hull = open.into_iter().reduce(|a, b| Interval { lo: a.lo.min(b.lo), hi: a.hi.max(b.hi) });
        hull.is_some_and(|hull| self.narrow(id, hull))
    }
}

fn exactly(value: f64) -> Interval {
    // Wide enough for the error of a comparison of floating-point numbers.
    Interval { lo: value - 1e-7, hi: value + 1e-7 }
}

/// The values that pass a single comparison, if they are an interval.
pub fn interval_of(test: &NumberTest, truth: bool) -> Option<Interval> {
    Some(match (test, truth) {
        (NumberTest::Gte(bar), true) | (NumberTest::Lt(bar), false) => Interval::from(*bar),
        (NumberTest::Gt(bar), true) | (NumberTest::Lte(bar), false) => Interval::above(*bar),
        (NumberTest::Lt(bar), true) | (NumberTest::Gte(bar), false) => Interval::below(*bar),
        (NumberTest::Lte(bar), true) | (NumberTest::Gt(bar), false) => Interval::to(*bar),
        (NumberTest::Equals(value), true) => exactly(*value),
        (NumberTest::Not(test), truth) => return interval_of(test, !truth),
        (NumberTest::All(parts), true) => {
            let parts: Option<Vec<Interval>> = parts.iter().map(|part| interval_of(part, true)).collect();
            parts?.into_iter().fold(Interval::ALL, Interval::and)
        }
        _ => return None,
    })
}

/// From a grade's bar to below that of the next better one. Grades stand with the highest bar first.
pub fn grade_span(model: &Model, score: ScoreId, grade: usize) -> Interval {
    let grades = &model.scores[usize::from(score)].grades;
    let from = Interval::from(grades[grade].bar);
    match grade.checked_sub(1) {
        Some(better) => from.and(Interval::below(grades[better].bar)),
        None => from,
    }
}

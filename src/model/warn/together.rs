//! What can surely hold at the same time. Conditions are split into their alternatives, and these into tests of scores
//! and everything else. Two of them hold together for certain only if what the second adds depends on nothing that
//! the first asks for; anything else is left open.

use super::bounds::Interval;
use super::possible::{grade_span, interval_of};
use crate::model::compiled::{
    Condition, FactId, IndexSet, Model, QualificationId, ScoreId, ScoreKind, SeenId, Within,
};
use std::collections::BTreeMap;

/// More alternatives than this are not looked at.
const MOST: usize = 32;

/// Tests that must all hold.
#[derive(Debug, Clone, Default)]
pub struct Alternative {
    pub scores: BTreeMap<ScoreId, Interval>,
    pub others: Vec<(Atom, bool)>,
}

/// A test that is not about the value of a score. Stages are known where alternatives are used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Atom {
    Fact(FactId),
    Identified,
    Qualified(QualificationId, u32),
    Seen(SeenId, u32, Within),
}

/// The alternatives of a condition; `None` if they are too many or cannot be told.
pub fn alternatives(model: &Model, condition: &Condition, truth: bool) -> Option<Vec<Alternative>> {
    let one = |alternative: Alternative| Some(vec![alternative]);
    let atom =
        |atom: Atom, truth: bool| one(Alternative { others: vec![(atom, truth)], ..Alternative::default() });
    let score = |id: ScoreId, interval: Interval| {
        one(Alternative { scores: [(id, interval)].into(), ..Alternative::default() })
    };
    match (condition, truth) {
        (Condition::All(parts), true) | (Condition::Any(parts), false) => {
            let mut all = vec![Alternative::default()];
            for part in parts {
                let part = alternatives(model, part, truth)?;
                if all.len() * part.len() > MOST {
                    return None;
                }
                all = all.iter().flat_map(|one| part.iter().map(|other| one.and(other))).collect();
            }
            Some(all)
        }
        (Condition::Any(parts), true) | (Condition::All(parts), false) => {
            let mut any = Vec::new();
            for part in parts {
                any.extend(alternatives(model, part, truth)?);
            }
            (any.len() <= MOST).then_some(any)
        }
        (Condition::Not(not), truth) => alternatives(model, not, !truth),
        (Condition::Score(id, test), truth) => score(*id, interval_of(test, truth)?),
        (Condition::Grade(id, set), truth) => score(*id, grade_interval(model, *id, set, truth)?),
        (Condition::Fact(id), truth) => atom(Atom::Fact(*id), truth),
        (Condition::Identified(value), truth) => atom(Atom::Identified, *value == truth),
        (Condition::Qualified { qualification, at_least }, truth) => {
            atom(Atom::Qualified(*qualification, *at_least), truth)
        }
        (Condition::Seen { seen, at_least, within }, truth) => {
            atom(Atom::Seen(*seen, *at_least, *within), truth)
        }
        (Condition::Stage(_), _) => None,
    }
}

/// The values of the score for which the grade is one of the set, where that is one stretch.
fn grade_interval(model: &Model, id: ScoreId, set: &IndexSet, truth: bool) -> Option<Interval> {
    let grades = model.scores[usize::from(id)].grades.len();
    let chosen: Vec<usize> = (0..grades).filter(|&grade| set.contains(grade)).collect();
    let (best, least) = (*chosen.first()?, *chosen.last()?);
    let span = Interval { lo: grade_span(model, id, least).lo, hi: grade_span(model, id, best).hi };
    match truth {
        true => (least - best + 1 == chosen.len()).then_some(span),
        // Only "less than the worst of the best" is a stretch again.
        false => (best == 0 && least + 1 == chosen.len()).then(|| Interval::below(span.lo)),
    }
}

impl Alternative {
    fn and(&self, other: &Alternative) -> Alternative {
        let mut both = self.clone();
        for (id, interval) in &other.scores {
            let known = both.scores.entry(*id).or_insert(Interval::ALL);
            *known = known.and(*interval);
        }
        let new = other.others.iter().filter(|atom| !self.others.contains(atom));
        both.others.extend(new);
        both
    }

    /// Both at once, if that surely happens to leads that meet `self`.
    pub fn certainly_and(&self, model: &Model, other: &Alternative) -> Option<Alternative> {
        let both = self.and(other);
        let apart = both.scores.values().any(|interval| !interval.is_wide());
        (!apart && self.leaves_open(model, other)).then_some(both)
    }

    /// Whether what `other` asks beyond `self` has nothing to do with what `self` asks.
    pub fn leaves_open(&self, model: &Model, other: &Alternative) -> bool {
        let mentions = |signal| {
            self.others.iter().any(|(atom, _)| matches!(atom, Atom::Seen(id, ..) if model.seen[usize::from(*id)].signal == signal))
        };
        let free = |(atom, truth): &(Atom, bool)| match atom {
            _ if self.others.contains(&(*atom, *truth)) => true,
            Atom::Seen(id, _, within) => {
                *within != Within::Stage && !mentions(model.seen[usize::from(*id)].signal)
            }
            _ => false,
        };
        // A score that is made of points for events alone moves freely; any other hangs together with traits or with
        // other scores.
        let scores = self.scores.keys().chain(other.scores.keys());
        let bound: Vec<ScoreId> = scores.copied().filter(|id| !of_events_alone(model, *id)).collect();
        let one_score = bound.iter().all(|id| *id == bound[0]);
        let alone = self.scores.len() <= 1 && other.scores.len() <= 1 && self.others.is_empty();
        other.others.iter().all(free) && (bound.is_empty() || (one_score && alone))
    }

    /// Whether it asks for something since the lead entered its stage: then it is untrue right after that.
    pub fn waits(&self) -> bool {
        self.others.iter().any(|(atom, truth)| *truth && matches!(atom, Atom::Seen(_, _, Within::Stage)))
    }
}

fn of_events_alone(model: &Model, id: ScoreId) -> bool {
    match &model.scores[usize::from(id)].kind {
        ScoreKind::Points(points) => points.criteria.is_empty() && !points.groups.is_empty(),
        _ => false,
    }
}

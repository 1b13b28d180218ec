//! Which scores and qualifications the lead's traits alone decide, so that they need not be judged anew as time passes.

use crate::model::compiled::{Condition, CriterionEntry, Model, ScoreKind};

/// Marks them. Each round finds those that rest on others found before; the depth of nesting bounds the rounds.
pub fn mark(model: &mut Model) {
    loop {
        let score = |id: &usize| !model.scores[*id].by_traits && is_score(model, *id);
        let scores: Vec<usize> = (0..model.scores.len()).filter(score).collect();
        let qualification = |id: &usize| {
            let qualification = &model.qualifications[*id];
            !qualification.by_traits && qualification.criteria.iter().all(|(_, when)| decide(model, when))
        };
        let qualifications: Vec<usize> = (0..model.qualifications.len()).filter(qualification).collect();
        if scores.is_empty() && qualifications.is_empty() {
            return;
        }
        scores.into_iter().for_each(|id| model.scores[id].by_traits = true);
        qualifications.into_iter().for_each(|id| model.qualifications[id].by_traits = true);
    }
}

fn is_score(model: &Model, id: usize) -> bool {
    let part = |id: u16| model.scores[usize::from(id)].by_traits;
    match &model.scores[id].kind {
        ScoreKind::Points(points) => {
            let criteria = points.criteria.iter().flat_map(|entry| match entry {
                CriterionEntry::One(criterion) => std::slice::from_ref(criterion),
                CriterionEntry::First(criteria) => criteria,
            });
            points.groups.is_empty()
                && points.inactivity.is_none()
                && criteria.map(|criterion| &criterion.when).all(|when| decide(model, when))
        }
        ScoreKind::Sum(parts) => parts.iter().all(|&(id, _)| part(id)),
        ScoreKind::Max(parts) => parts.iter().all(|&id| part(id)),
    }
}

/// Whether traits alone decide a condition.
fn decide(model: &Model, condition: &Condition) -> bool {
    match condition {
        Condition::All(all) | Condition::Any(all) => all.iter().all(|part| decide(model, part)),
        Condition::Not(inner) => decide(model, inner),
        Condition::Fact(_) | Condition::Identified(_) => true,
        Condition::Score(id, _) | Condition::Grade(id, _) => model.scores[usize::from(*id)].by_traits,
        Condition::Qualified { qualification, .. } => {
            model.qualifications[usize::from(*qualification)].by_traits
        }
        Condition::Stage(_) | Condition::Seen { .. } => false,
    }
}

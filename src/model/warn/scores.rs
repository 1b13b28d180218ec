//! Grades that no lead can reach, points that a limit makes pointless, criteria that another hides.

use super::Lint;
use super::bounds::{contributions, group, occurrence};
use super::possible::{World, grade_span};
use crate::model::ast::{self, CriterionEntry as AstEntry};
use crate::model::compiled::{
    Criterion, CriterionEntry, Decay, Group, Model, PointsScore, ScoreId, ScoreKind,
};
use crate::words::number;

pub fn unreachable_grades(lint: &mut Lint<'_>) {
    for (id, score) in (0..=ScoreId::MAX).zip(&lint.model.scores) {
        let bounds = lint.bounds.score(id);
        for (index, grade) in score.grades.iter().enumerate() {
            if !grade_span(lint.model, id, index).and(bounds).is_empty() {
                continue;
            }
            let grades = &lint.source.scores.0[usize::from(id)].1.grades;
            let Some((name, _)) = grades.iter().find(|(name, _)| name.value == grade.name) else { continue };
            let message = format!("no lead can reach the grade '{}'", grade.name);
            let hint = if grade.bar > bounds.hi {
                format!(
                    "the score '{}' never gets above {}: lower the bar, or give more points",
                    score.name,
                    number(bounds.hi)
                )
            } else {
                format!(
                    "the score '{}' never gets below {}, where a better grade begins",
                    score.name,
                    number(bounds.lo)
                )
            };
            lint.diagnostics.warning(name.span, message, hint);
        }
    }
}

/// Groups that always count the same, and points above a limit where nothing fades.
pub fn pointless_points(lint: &mut Lint<'_>) {
    let (source, model) = (lint.source, lint.model);
    for (score, (_, written)) in model.scores.iter().zip(source.scores.iter()) {
        let ScoreKind::Points(points) = &score.kind else { continue };
        for (compiled, (name, written)) in points.groups.iter().zip(written.groups.iter()) {
            let bounds = group(model, compiled);
            if bounds.lo == bounds.hi
                && contributions(model, compiled).iter().any(|c| occurrence(c.points).is_wide())
            {
                let message = format!(
                    "the group '{}' always counts {}: its range cuts all its points off",
                    name.value,
                    number(bounds.lo)
                );
                lint.diagnostics.warning(name.span, message, "widen its `range`");
                continue;
            }
            points_over_the_limit(lint, compiled, written);
        }
    }
}

/// Without decay, or while a window lasts, what one occurrence has over the limit never shows. Points below 0 beside
/// it could use it up.
fn points_over_the_limit(lint: &mut Lint<'_>, group: &Group, written: &ast::Group) {
    let all = contributions(lint.model, group);
    let ends = all.iter().map(|c| occurrence(c.points));
    let (mixed_up, mixed_down) = (ends.clone().any(|one| one.hi > 0.0), ends.clone().any(|one| one.lo < 0.0));
    if mixed_up && mixed_down {
        return;
    }
    for (contribution, (name, _)) in all.iter().zip(written.points.iter()) {
        if !matches!(contribution.decay, Decay::None | Decay::Window { .. }) {
            continue;
        }
        let crate::model::compiled::Points::Fixed(points) = contribution.points else { continue };
        let over = (points > 0.0 && points > group.range.max) || (points < 0.0 && points < group.range.min);
        if over {
            let limit = if points > 0.0 { group.range.max } else { group.range.min };
            let message = format!(
                "'{}' gives {} points, but its group never counts {} than {}",
                name.value,
                number(points),
                if points > 0.0 { "more" } else { "less" },
                number(limit)
            );
            lint.diagnostics.warning(name.span, message, "lower the points, or widen the group's `range`");
        }
    }
}

pub fn shadowed_criteria(lint: &mut Lint<'_>) {
    let (source, model) = (lint.source, lint.model);
    for (score, (_, written)) in model.scores.iter().zip(source.scores.iter()) {
        let ScoreKind::Points(points) = &score.kind else { continue };
        let PointsScore { criteria, .. } = points;
        for (entry, written) in criteria.iter().zip(&written.criteria) {
            let (criteria, written): (&[Criterion], &[ast::Criterion]) = match (entry, written) {
                (CriterionEntry::One(one), AstEntry::One(written)) => {
                    (std::slice::from_ref(one), std::slice::from_ref(written))
                }
                (CriterionEntry::First(first), AstEntry::First(written)) => (first, written),
                _ => continue,
            };
            first_that_holds(lint, model, criteria, written);
        }
    }
}

/// Each criterion must be able to hold while those before it do not.
fn first_that_holds(lint: &mut Lint<'_>, model: &Model, criteria: &[Criterion], written: &[ast::Criterion]) {
    let world = World::new(model, lint.bounds, lint.budget);
    for (index, (criterion, written)) in criteria.iter().zip(written).enumerate() {
        let mut alone = world.clone();
        if !alone.assume(&criterion.when, true) {
            lint.diagnostics.warning(
                written.when.span(),
                "this criterion can never hold",
                "its parts exclude each other",
            );
            continue;
        }
        let before = &criteria[..index];
        if !lint.budget.spend(before.len()) {
            return;
        }
        // The one before that hides it alone is the one to name.
        let hides = |other: &&Criterion| !alone.clone().assume(&other.when, false);
        let hidden_by = before.iter().find(hides);
        let hidden = hidden_by.is_some() || !before.iter().all(|other| alone.assume(&other.when, false));
        if hidden {
            let by = match hidden_by {
                Some(Criterion { label: Some(label), .. }) => format!("'{label}'"),
                Some(criterion) => format!("criterion {}", criterion.position),
                None => "those".to_owned(),
            };
            let message =
                format!("this criterion never counts: wherever it holds, {by} before it holds already");
            lint.diagnostics.warning(
                written.when.span(),
                message,
                "of `first` only the first that holds counts: put the narrower one before the wider one",
            );
        }
    }
}

/// Whether the score sinks bit by bit, so that it can hover about a bar. Points that end at once, and those of traits,
/// go far beyond it or not at all.
pub fn hovers(model: &Model, id: ScoreId) -> bool {
    match &model.scores[usize::from(id)].kind {
        ScoreKind::Points(points) => {
            let mut contributions = points.groups.iter().flat_map(|group| contributions(model, group));
            contributions.any(|c| matches!(c.decay, Decay::HalfLife(_) | Decay::Lifespan { .. }))
        }
        ScoreKind::Sum(parts) => parts.iter().any(|(part, _)| hovers(model, *part)),
        ScoreKind::Max(parts) => parts.iter().any(|part| hovers(model, *part)),
    }
}

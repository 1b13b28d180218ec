//! Scores: their groups, criteria, sums, and the order in which they are worked out.

use super::names::Graded;
use super::{Compiler, next_id};
use crate::model::ast::{self, ConditionEntry, CriterionEntry as AstEntry, Number, SeenWithin};
use crate::model::compiled::{
    AtMost, Contribution, Criterion, CriterionEntry, Decay, DurationMs, Grade, Group, Inactivity, Points,
    PointsScore, Range, Score, ScoreId, ScoreKind, TraitId,
};
use crate::model::diagnostic::{Spanned, Text, shorten};

/// The range of a score without one: `[0, null]`.
const SCORE_RANGE: Range = Range { min: 0.0, max: Range::UNBOUNDED.max };
/// Grades are numbered with 8 bits.
const MAX_GRADES: usize = 255;

impl<'a> Compiler<'a> {
    pub(super) fn scores(&mut self) {
        let source = self.source;
        for (_, score) in source.scores.iter() {
            let graded = self.graded(score);
            self.grades.push(graded);
        }
        for (id, (name, score)) in (0..=ScoreId::MAX).zip(source.scores.iter()) {
            let grades = self.grades[usize::from(id)].grades.iter();
            let grades = grades.map(|(name, bar)| Grade { name: name.value.clone(), bar: *bar }).collect();
            let range = self.range(score.range.as_ref(), SCORE_RANGE);
            let kind = if !score.sum.is_empty() {
                ScoreKind::Sum(self.sum(&score.sum))
            } else if !score.max.is_empty() {
                ScoreKind::Max(self.max(&score.max))
            } else {
                ScoreKind::Points(self.points_score(id, score))
            };
            self.model.scores.push(Score { name: name.value.clone(), range, kind, grades, by_traits: false });
        }
        self.model.score_order = self.score_order();
    }

    /// The grades of a score, highest bar first.
    fn graded(&mut self, score: &'a ast::Score) -> Graded<'a> {
        let mut grades: Vec<(&Text, f64)> = Vec::new();
        for (name, bar) in score.grades.iter() {
            if let Some(value) = self.number(bar) {
                if let Some((other, _)) = grades.iter().find(|(_, other)| *other == value) {
                    let message = format!(
                        "the grades '{}' and '{}' have the same bar {value}",
                        other.value, name.value
                    );
                    self.diagnostics.error_hint(bar.span, message, "each grade needs a bar of its own");
                }
                grades.push((name, value));
            } else {
                // A stand-in, so that the grade's name is known.
                grades.push((name, 0.0));
            }
            if grades.len() > MAX_GRADES {
                self.diagnostics.error(name.span, format!("a score has at most {MAX_GRADES} grades"));
                break;
            }
        }
        grades.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        Graded { grades }
    }

    fn range(&mut self, range: Option<&Spanned<ast::Range>>, default: Range) -> Range {
        let Some(range) = range else { return default };
        let mut bound = |number: &Option<Spanned<Number>>, unbounded: f64| {
            number.as_ref().map_or(Some(unbounded), |number| self.number(number))
        };
        let min = bound(&range.min, Range::UNBOUNDED.min);
        let max = bound(&range.max, Range::UNBOUNDED.max);
        let (Some(min), Some(max)) = (min, max) else { return default };
        if min > max {
            let message = format!("the range ends at {max}, below its beginning {min}");
            self.diagnostics.error_hint(range.span, message, "write the lower number first");
            return default;
        }
        Range { min, max }
    }

    fn sum(&mut self, parts: &ast::Named<Spanned<Number>>) -> Vec<(ScoreId, f64)> {
        let mut sum = Vec::new();
        for (name, weight) in parts.iter() {
            let weight = self.number(weight);
            sum.extend(self.names.scores.find(name, self.diagnostics).zip(weight));
        }
        sum
    }

    fn max(&mut self, parts: &[Text]) -> Vec<ScoreId> {
        super::names::refuse_repeats("score", parts.iter(), self.diagnostics);
        parts.iter().filter_map(|name| self.names.scores.find(name, self.diagnostics)).collect()
    }

    fn points_score(&mut self, id: ScoreId, score: &ast::Score) -> PointsScore {
        let groups = score.groups.iter().enumerate();
        let groups = groups.map(|(index, (name, group))| self.group(id, index, name, group)).collect();
        let criteria = self.criteria(&score.criteria);
        let inactivity = score.inactivity.as_ref().map(|inactivity| Inactivity {
            after: inactivity.after.ms,
            points: self.number(&inactivity.points).unwrap_or(0.0),
            every: inactivity.every.map(|every| every.ms),
        });
        let mut unknown_without = Vec::new();
        if score.groups.is_empty() {
            each_criterion(&score.criteria)
                .for_each(|criterion| self.named_traits(&criterion.when, &mut unknown_without));
        }
        PointsScore { groups, criteria, inactivity, unknown_without }
    }

    fn group(&mut self, score: ScoreId, index: usize, name: &Text, group: &ast::Group) -> Group {
        let start = next_id(&self.model.contributions);
        for (signal, points) in group.points.iter() {
            let Some(signal) = self.names.signals.find(signal, self.diagnostics) else { continue };
            let (points, own_decay, at_most) = self.points(points);
            let decay = own_decay.or(group.decay).map_or(Decay::None, decay);
            let group = u16::try_from(index).unwrap_or(u16::MAX);
            self.add_contribution(Contribution { score, group, signal, points, decay, at_most });
        }
        let range = self.range(group.range.as_ref(), Range::UNBOUNDED);
        let (name, end) = (name.value.clone(), next_id(&self.model.contributions));
        Group { name, range, start, end, empty: range.clamp(0.0) }
    }

    fn points(&mut self, points: &ast::Points) -> (Points, Option<ast::Decay>, Option<AtMost>) {
        let rule = match points {
            ast::Points::Number(number) => {
                return (Points::Fixed(self.number(number).unwrap_or(0.0)), None, None);
            }
            ast::Points::Rule(rule) => rule,
        };
        let points = match (&rule.from, &rule.points) {
            (Some(field), _) => Points::From {
                field: self.field(field),
                scale: rule.scale.unwrap_or(1.0),
                range: self.range(rule.range.as_ref(), Range::UNBOUNDED),
            },
            (None, Some(number)) => Points::Fixed(self.number(number).unwrap_or(0.0)),
            (None, None) => Points::Fixed(0.0),
        };
        let at_most = rule.at_most.as_ref().map(|n| AtMost { n: n.value, per: rule.per.map(|per| per.ms) });
        (points, rule.decay, at_most)
    }

    fn criteria(&mut self, entries: &[AstEntry]) -> Vec<CriterionEntry> {
        let mut position = 0;
        entries
            .iter()
            .map(|entry| match entry {
                AstEntry::One(criterion) => CriterionEntry::One(self.criterion(criterion, &mut position)),
                AstEntry::First(first) => CriterionEntry::First(
                    first.iter().map(|one| self.criterion(one, &mut position)).collect(),
                ),
            })
            .collect()
    }

    fn criterion(&mut self, criterion: &ast::Criterion, position: &mut u32) -> Criterion {
        *position += 1;
        self.check_criterion(&criterion.when);
        Criterion {
            position: *position,
            when: self.condition(&criterion.when),
            points: self.number(&criterion.points).unwrap_or(0.0),
            label: criterion.label.as_ref().map(|label| label.value.clone()),
        }
    }

    /// Criteria may use `traits`, `identified` and `seen` only, and `seen` not `within: stage`.
    fn check_criterion(&mut self, condition: &ast::Condition) {
        for entry in &condition.entries {
            match &entry.value {
                ConditionEntry::All(parts) | ConditionEntry::Any(parts) => {
                    parts.iter().for_each(|part| self.check_criterion(part));
                }
                ConditionEntry::Not(part) => self.check_criterion(part),
                ConditionEntry::Trait(..) | ConditionEntry::Identified(_) => {}
                ConditionEntry::Seen(seen) => {
                    if let Some(within) = &seen.within
                        && within.value == SeenWithin::Stage
                    {
                        let message = "a criterion of a score cannot ask `within: stage`";
                        self.diagnostics.error_hint(
                            within.span,
                            message,
                            "give it a duration: `within: 14d`",
                        );
                    }
                }
                ConditionEntry::Score(..)
                | ConditionEntry::Grade(..)
                | ConditionEntry::Stage(_)
                | ConditionEntry::Qualified(..) => {
                    let message = "a criterion of a score can only use traits, identified and seen";
                    self.diagnostics.error_hint(
                        entry.span,
                        message,
                        "put this into a transition, an alert or a qualification",
                    );
                }
            }
        }
    }

    /// The traits that a condition names, each once.
    fn named_traits(&mut self, condition: &ast::Condition, traits: &mut Vec<TraitId>) {
        for entry in &condition.entries {
            match &entry.value {
                ConditionEntry::All(parts) | ConditionEntry::Any(parts) => {
                    parts.iter().for_each(|part| self.named_traits(part, traits));
                }
                ConditionEntry::Not(part) => self.named_traits(part, traits),
                ConditionEntry::Trait(path, _) => {
                    let id = self.kept_trait(path);
                    if !traits.contains(&id) {
                        traits.push(id);
                    }
                }
                _ => {}
            }
        }
    }

    /// Scores so ordered that parts come before the sums and maxima that need them; a circle is an error.
    fn score_order(&mut self) -> Vec<ScoreId> {
        let scores = &self.model.scores;
        let parts = |id: usize| -> Vec<usize> {
            match scores.get(id).map(|score| &score.kind) {
                Some(ScoreKind::Sum(parts)) => parts.iter().map(|(id, _)| usize::from(*id)).collect(),
                Some(ScoreKind::Max(parts)) => parts.iter().map(|id| usize::from(*id)).collect(),
                _ => Vec::new(),
            }
        };
        let sorted = sorted_parts_first(scores.len(), parts);
        match sorted {
            Ok(order) => {
                if let Some(id) = first_too_deep(&order, parts) {
                    let name = &self.source.scores.0[id].0;
                    let message = format!(
                        "the score '{}' is made of scores that are made of scores, more than {MAX_NESTED} deep",
                        shorten(name)
                    );
                    self.diagnostics.error_hint(name.span, message, "make it of fewer steps");
                }
                order.into_iter().filter_map(|id| ScoreId::try_from(id).ok()).collect()
            }
            Err(circle) => {
                let name = &self.source.scores.0[circle[0]].0;
                let names: Vec<&str> = circle.iter().map(|&id| self.source.scores.0[id].0.as_str()).collect();
                let message = format!("the score '{}' is made of itself: {}", name.value, names.join(" → "));
                self.diagnostics.error_hint(name.span, message, "take one of them out of the `sum` or `max`");
                Vec::new()
            }
        }
    }
}

fn each_criterion(entries: &[AstEntry]) -> impl Iterator<Item = &ast::Criterion> {
    entries.iter().flat_map(|entry| match entry {
        AstEntry::One(criterion) => std::slice::from_ref(criterion),
        AstEntry::First(first) => first,
    })
}

fn decay(decay: ast::Decay) -> Decay {
    /// The width of the slots in which occurrences are merged: at most 91 of them lie within `life`.
    fn slot(life: DurationMs) -> DurationMs {
        (life + 89).div_euclid(90).max(1000)
    }
    match decay {
        ast::Decay::None => Decay::None,
        ast::Decay::HalfLife(half) => Decay::HalfLife(half.ms),
        ast::Decay::Lifespan(life) => Decay::Lifespan { life: life.ms, slot: slot(life.ms) },
        ast::Decay::Window(life) => Decay::Window { life: life.ms, slot: slot(life.ms) },
    }
}

/// Scores made of scores, and qualifications that ask for others, nest at most so deep: judging them recurses.
pub(super) const MAX_NESTED: usize = 16;

/// Of nodes in an order with their parts first, the first that nests too deep.
pub(super) fn first_too_deep(order: &[usize], parts: impl Fn(usize) -> Vec<usize>) -> Option<usize> {
    let mut depths = vec![0; order.len()];
    order.iter().copied().find(|&node| {
        depths[node] = 1 + parts(node).into_iter().map(|part| depths[part]).max().unwrap_or(0);
        depths[node] > MAX_NESTED
    })
}

/// All of `0..len`, parts before what is made of them; or a circle, its first node also at its end. Without
/// recursion: chains can be long.
pub(super) fn sorted_parts_first(
    len: usize,
    parts: impl Fn(usize) -> Vec<usize>,
) -> Result<Vec<usize>, Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut marks = vec![Mark::New; len];
    let mut order = Vec::with_capacity(len);
    for start in 0..len {
        if marks[start] != Mark::New {
            continue;
        }
        marks[start] = Mark::Open;
        let mut path = vec![(start, parts(start))];
        while let Some((node, rest)) = path.last_mut() {
            let node = *node;
            match rest.pop() {
                Some(part) if marks[part] == Mark::New => {
                    marks[part] = Mark::Open;
                    path.push((part, parts(part)));
                }
                Some(part) if marks[part] == Mark::Open => {
                    let circle = path.iter().map(|(node, _)| *node).skip_while(|&node| node != part);
                    return Err(circle.chain([part]).collect());
                }
                Some(_) => {}
                None => {
                    marks[node] = Mark::Done;
                    order.push(node);
                    path.pop();
                }
            }
        }
    }
    Ok(order)
}

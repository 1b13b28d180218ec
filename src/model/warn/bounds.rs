//! Between which values each score lies, whatever happens.

use crate::model::compiled::{
    Contribution, CriterionEntry, Group, Inactivity, Model, Points, PointsScore, Range, ScoreId, ScoreKind,
};

/// Scores are compared after rounding to this.
const MICRO: f64 = 1e-6;

/// All numbers from `lo` to `hi`, both included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub lo: f64,
    pub hi: f64,
}

impl Interval {
    pub const ALL: Interval = Interval { lo: f64::NEG_INFINITY, hi: f64::INFINITY };
    const ZERO: Interval = Interval { lo: 0.0, hi: 0.0 };

    pub fn from(lo: f64) -> Self {
        Interval { lo, ..Interval::ALL }
    }

    pub fn to(hi: f64) -> Self {
        Interval { hi, ..Interval::ALL }
    }

    /// More than `lo`: values are rounded, so half a step does.
    pub fn above(lo: f64) -> Self {
        Interval::from(lo + MICRO / 2.0)
    }

    pub fn below(hi: f64) -> Self {
        Interval::to(hi - MICRO / 2.0)
    }

    pub fn is_empty(self) -> bool {
        self.lo > self.hi
    }

    /// Whether it holds more than one value.
    pub fn is_wide(self) -> bool {
        self.hi - self.lo > MICRO
    }

    pub fn and(self, other: Self) -> Self {
        Interval { lo: self.lo.max(other.lo), hi: self.hi.min(other.hi) }
    }

    fn plus(self, other: Self) -> Self {
        Interval { lo: self.lo + other.lo, hi: self.hi + other.hi }
    }

    fn times(self, weight: f64) -> Self {
        match weight {
            0.0 => Interval::ZERO,
            w if w > 0.0 => Interval { lo: self.lo * w, hi: self.hi * w },
            w => Interval { lo: self.hi * w, hi: self.lo * w },
        }
    }

    fn clamped(self, range: Range) -> Self {
        Interval { lo: range.clamp(self.lo), hi: range.clamp(self.hi) }
    }

    /// Zero and everything up or down to `value`.
    fn with_zero(value: f64) -> Self {
        Interval { lo: value.min(0.0), hi: value.max(0.0) }
    }
}

/// The intervals of a model's scores and groups.
#[derive(Debug)]
pub struct Bounds {
    scores: Vec<Interval>,
}

impl Bounds {
    pub fn of(model: &Model) -> Self {
        let mut scores = vec![Interval::ZERO; model.scores.len()];
        for &id in &model.score_order {
            let score = &model.scores[usize::from(id)];
            let free = match &score.kind {
                ScoreKind::Points(points) => points_score(model, points),
                ScoreKind::Sum(parts) => parts.iter().fold(Interval::ZERO, |sum, (part, weight)| {
                    sum.plus(scores[usize::from(*part)].times(*weight))
                }),
                ScoreKind::Max(parts) => {
                    let parts = parts.iter().map(|part| scores[usize::from(*part)]);
                    let largest =
                        |a: Interval, b: Interval| Interval { lo: a.lo.max(b.lo), hi: a.hi.max(b.hi) };
                    parts.reduce(largest).unwrap_or(Interval::ZERO)
                }
            };
            let clamped = free.clamped(score.range);
            scores[usize::from(id)] = Interval { lo: rounded(clamped.lo), hi: rounded(clamped.hi) };
        }
        Bounds { scores }
    }

    pub fn score(&self, id: ScoreId) -> Interval {
        self.scores[usize::from(id)]
    }
}

/// As scores are rounded before a comparison.
fn rounded(value: f64) -> f64 {
    let steps = value / MICRO;
    if steps.abs() < 9e15 { steps.round() * MICRO } else { value }
}

fn points_score(model: &Model, score: &PointsScore) -> Interval {
    let groups = score.groups.iter().map(|group| self::group(model, group));
    let criteria = score.criteria.iter().map(criterion_entry);
    let inactivity = score.inactivity.iter().map(inactivity);
    groups.chain(criteria).chain(inactivity).fold(Interval::ZERO, Interval::plus)
}

/// The interval of a group, after its clamp.
pub fn group(model: &Model, group: &Group) -> Interval {
    contributions(model, group)
        .iter()
        .map(contribution)
        .fold(Interval::ZERO, Interval::plus)
        .clamped(group.range)
}

pub fn contributions<'m>(model: &'m Model, group: &Group) -> &'m [Contribution] {
    &model.contributions[usize::from(group.start)..usize::from(group.end)]
}

/// What one occurrence can be worth.
pub fn occurrence(points: Points) -> Interval {
    match points {
        Points::Fixed(value) => Interval::with_zero(value),
        // A field without a number gives 0.
        Points::From { range, .. } => Interval { lo: range.min.min(0.0), hi: range.max.max(0.0) },
    }
}

/// `at_most` with `per` bounds nothing here: late events may count beyond it.
fn contribution(contribution: &Contribution) -> Interval {
    let one = occurrence(contribution.points);
    match contribution.at_most {
        Some(at_most) if at_most.per.is_none() => one.times(f64::from(at_most.n)),
        _ => {
            let many = |value: f64| if value == 0.0 { 0.0 } else { value.signum() * f64::INFINITY };
            Interval { lo: many(one.lo), hi: many(one.hi) }
        }
    }
}

fn criterion_entry(entry: &CriterionEntry) -> Interval {
    match entry {
        CriterionEntry::One(criterion) => Interval::with_zero(criterion.points),
        CriterionEntry::First(first) => first.iter().fold(Interval::ZERO, |all, criterion| Interval {
            lo: all.lo.min(criterion.points),
            hi: all.hi.max(criterion.points),
        }),
    }
}

fn inactivity(inactivity: &Inactivity) -> Interval {
    match (inactivity.points, inactivity.every) {
        (0.0, _) => Interval::ZERO,
        (points, None) => Interval::with_zero(points),
        (points, Some(_)) => Interval::with_zero(points.signum() * f64::INFINITY),
    }
}

//! Scores and conditions of a lead, at one moment or over a span of time without events.
//!
//! Over a span every score is an interval and every condition is true, false or unsettled. At a moment intervals are
//! points and nothing is unsettled, so one evaluation serves both: judging an input, and finding the next second at
//! which time alone could change something ([`super::due`]).

use super::contribution::{Parts, add_worth};
use super::curve::Curve;
use super::lead::{Held, Lead, SeenHeld};
use super::memo::{Counted, Judged, Memo};
use crate::model::Model;
use crate::model::compiled::*;
use crate::model::matcher::NumberTest;
use std::ops::RangeInclusive;

/// A condition over a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    No,
    /// It may hold at some moments of the span and not at others.
    Unsettled,
    Yes,
}

impl From<bool> for Truth {
    #[inline]
    fn from(holds: bool) -> Self {
        if holds { Truth::Yes } else { Truth::No }
    }
}

impl Truth {
    pub fn negated(self) -> Truth {
        match self {
            Truth::No => Truth::Yes,
            Truth::Unsettled => Truth::Unsettled,
            Truth::Yes => Truth::No,
        }
    }

    #[inline]
    pub fn and(self, other: impl FnOnce() -> Truth) -> Truth {
        match self {
            Truth::No => Truth::No,
            Truth::Yes => other(),
            Truth::Unsettled if other() == Truth::No => Truth::No,
            Truth::Unsettled => Truth::Unsettled,
        }
    }

    /// Whether it holds somewhere in the span, as far as can be told; at a moment: whether it holds.
    #[inline]
    pub fn possible(self) -> bool {
        self != Truth::No
    }

    /// Of a value that can only grow over the span: its condition at the start and at the end.
    fn rising(at_start: bool, at_end: bool) -> Truth {
        match (at_start, at_end) {
            (true, true) => Truth::Yes,
            (false, false) => Truth::No,
            _ => Truth::Unsettled,
        }
    }
}

/// The values that a score takes over a span.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

impl Interval {
    const ZERO: Interval = Interval { low: 0.0, high: 0.0 };

    fn add(&mut self, other: Interval) {
        self.low += other.low;
        self.high += other.high;
    }

    fn clamp(self, range: Range) -> Interval {
        Interval { low: range.clamp(self.low), high: range.clamp(self.high) }
    }

    fn scale(self, weight: f64) -> Interval {
        let (a, b) = (self.low * weight, self.high * weight);
        Interval { low: a.min(b), high: a.max(b) }
    }
}

/// Rounds half away from zero to 6 decimals, as SPEC §4 asks before any comparison.
#[inline]
pub fn round6(value: f64) -> f64 {
    let millionths = value * 1e6;
    // Beyond 2^52 millionths a float has no sixth decimal left. (`f64::round` is a function call on plain x86-64.)
    if millionths.abs() >= 4.5e15 {
        return value;
    }
    let whole = millionths as i64;
    let rest = millionths - whole as f64;
    (whole + i64::from(rest >= 0.5) - i64::from(rest <= -0.5)) as f64 / 1e6
}

/// Over a span a group is summed up in another order than at a moment; it is widened by more than the two can differ by,
/// so that a deadline is never late. A group that stays the same is not: a score that rests on a bar would be unsettled
/// for ever.
const SLACK: f64 = 1e-13;

/// Judges one lead over `from..=to`; at one moment if they are the same.
pub struct Judge<'a> {
    pub model: &'a Model,
    pub lead: &'a Lead,
    from: i64,
    to: i64,
    memo: &'a mut Memo,
}

impl<'a> Judge<'a> {
    /// `memo` must have been cleared since the lead's traits changed, and be at its next span since anything else of it
    /// did; for a span it must have been prepared too.
    pub fn at(model: &'a Model, lead: &'a Lead, clock: i64, memo: &'a mut Memo) -> Self {
        Self::over(model, lead, clock..=clock, memo)
    }

    pub fn over(model: &'a Model, lead: &'a Lead, span: RangeInclusive<i64>, memo: &'a mut Memo) -> Self {
        memo.fit(model);
        Judge { model, lead, from: *span.start(), to: *span.end(), memo }
    }

    #[inline]
    pub fn is_moment(&self) -> bool {
        self.from == self.to
    }

    /// The score rounded to 6 decimals; at a moment both ends are the same.
    #[inline]
    pub fn score(&mut self, id: ScoreId) -> Interval {
        self.judged(id).rounded
    }

    /// The score at a moment, rounded to 6 decimals.
    #[inline]
    pub fn value(&mut self, id: ScoreId) -> f64 {
        self.score(id).low
    }

    fn judged(&mut self, id: ScoreId) -> Judged {
        let model = self.model;
        if let Some(judged) = self.memo.score(model, id) {
            return judged;
        }
        let score = &model.scores[usize::from(id)];
        let (raw, known) = match &score.kind {
            ScoreKind::Points(points) => {
                (self.points_score(id, points), points.unknown_without.is_empty() || self.knows_any(points))
            }
            ScoreKind::Sum(parts) => {
                let (mut sum, mut known) = (Interval::ZERO, false);
                for &(part, weight) in parts {
                    let judged = self.judged(part);
                    sum.add(judged.value.scale(weight));
                    known |= judged.known;
                }
                (sum, known)
            }
            ScoreKind::Max(parts) => {
                let mut max = Interval { low: f64::NEG_INFINITY, high: f64::NEG_INFINITY };
                let mut known = false;
                for &part in parts {
                    let judged = self.judged(part);
                    max.low = max.low.max(judged.value.low);
                    max.high = max.high.max(judged.value.high);
                    known |= judged.known;
                }
                (max, known)
            }
        };
        let value = raw.clamp(score.range);
        let rounded = Interval { low: round6(value.low), high: round6(value.high) };
        let judged = Judged { value, rounded, known };
        self.memo.note_score(id, judged);
        judged
    }

    fn points_score(&mut self, id: ScoreId, points: &'a PointsScore) -> Interval {
        let (model, lead) = (self.model, self.lead);
        if !model.scores[usize::from(id)].by_traits {
            return self.sum(points);
        }
        let low = match *self.memo.sum_by_traits(model, lead, id) {
            Some(sum) => sum,
            None => {
                let sum = self.sum(points).low;
                *self.memo.sum_by_traits(model, lead, id) = Some(sum);
                sum
            }
        };
        Interval { low, high: low }
    }

    fn sum(&mut self, points: &'a PointsScore) -> Interval {
        let mut sum = if self.is_moment() { self.groups_now(points) } else { self.groups_over(points) };
        for entry in &points.criteria {
            let points = self.criterion_entry(entry);
            sum.add(points);
        }
        if let Some(inactivity) = &points.inactivity {
            let (a, b) = (self.inactivity(inactivity, self.from), self.inactivity(inactivity, self.to));
            sum.add(Interval { low: a.min(b), high: a.max(b) });
        }
        sum
    }

    /// Whether the lead has any of the traits without which a score is unknown.
    fn knows_any(&self, points: &PointsScore) -> bool {
        points.unknown_without.iter().any(|&id| self.lead.trait_text(id).is_some())
    }

    /// The groups of a score with the contributions that the lead holds in each.
    pub fn held_in_groups(
        &self,
        points: &'a PointsScore,
    ) -> impl Iterator<Item = (&'a Group, &'a [Held])> + use<'a> {
        let start = points.groups.first().map_or(0, |group| group.start);
        let held = &self.lead.held;
        let mut rest = &held[held.partition_point(|held| held.id < start)..];
        points.groups.iter().map(move |group| {
            let len = rest.iter().take_while(|held| held.id < group.end).count();
            let (in_group, behind) = rest.split_at(len);
            rest = behind;
            (group, in_group)
        })
    }

    /// What a group is worth at the judge's moment with these contributions, clamped to its range.
    pub fn group_now(&self, group: &Group, held: &[Held]) -> f64 {
        if held.is_empty() {
            return group.empty;
        }
        let mut parts = Parts::default();
        for held in held {
            let contribution = &self.model.contributions[usize::from(held.id)];
            add_worth(&mut parts, self.lead, held, contribution, self.from);
        }
        group.range.clamp(parts.sum())
    }

    fn groups_now(&self, points: &'a PointsScore) -> Interval {
        let groups = self.held_in_groups(points);
        let sum = groups.fold(0.0, |sum, (group, held)| sum + self.group_now(group, held));
        Interval { low: sum, high: sum }
    }

    fn groups_over(&self, points: &PointsScore) -> Interval {
        let mut sum = Interval::ZERO;
        let start = points.groups.first().map_or(0, |group| group.start);
        let mut curves = self.memo.curves.from(start).iter().peekable();
        for group in &points.groups {
            match curves.next_if(|curve| curve.start == group.start) {
                Some(curve) => sum.add(self.group_over(curve).clamp(group.range)),
                None if group.empty != 0.0 => sum.add(Interval { low: group.empty, high: group.empty }),
                None => {}
            }
        }
        sum
    }

    fn group_over(&self, curve: &Curve) -> Interval {
        let at = |clock| self.memo.curves.at(self.model, self.lead, curve, clock);
        let (start, end) = (at(self.from), at(self.to));
        let size = start.positive - start.negative;
        let slack = if start == end { 0.0 } else { size * SLACK };
        let (low, high) = (end.positive + start.negative, start.positive + end.negative);
        Interval { low: low - slack, high: high + slack }
    }

    fn criterion_entry(&mut self, entry: &CriterionEntry) -> Interval {
        let one = |truth: Truth, points: f64| match truth {
            Truth::No => Interval::ZERO,
            Truth::Yes => Interval { low: points, high: points },
            Truth::Unsettled => Interval { low: points.min(0.0), high: points.max(0.0) },
        };
        match entry {
            CriterionEntry::One(criterion) => one(self.holds(&criterion.when), criterion.points),
            CriterionEntry::First(criteria) => {
                let mut range: Option<Interval> = None;
                for criterion in criteria {
                    let truth = self.holds(&criterion.when);
                    if truth == Truth::No {
                        continue;
                    }
                    let points = criterion.points;
                    let known = range.unwrap_or(Interval { low: points, high: points });
                    range = Some(Interval { low: known.low.min(points), high: known.high.max(points) });
                    if truth == Truth::Yes {
                        return range.unwrap_or(Interval::ZERO);
                    }
                }
                // None held for certain: it may be that none holds.
                range.map_or(Interval::ZERO, |r| Interval { low: r.low.min(0.0), high: r.high.max(0.0) })
            }
        }
    }

    /// The deduction at a clock.
    pub fn inactivity(&self, inactivity: &Inactivity, clock: i64) -> f64 {
        let Some(last) = self.lead.last_activity else { return 0.0 };
        let over = clock - last - inactivity.after;
        if over < 0 {
            return 0.0;
        }
        let times = inactivity.every.map_or(0, |every| over / every);
        Range::UNBOUNDED.clamp(inactivity.points * (1 + times) as f64)
    }

    /// The grade at a moment: an index into the score's grades.
    pub fn grade(&mut self, id: ScoreId) -> Option<GradeId> {
        let judged = self.judged(id);
        if !judged.known {
            return None;
        }
        grade_of(&self.model.scores[usize::from(id)], judged.rounded.low)
    }

    /// The grades that the score passes through over the span, best first, and whether it may be without a grade.
    fn grades(&mut self, id: ScoreId) -> (std::ops::Range<usize>, bool) {
        let judged = self.judged(id);
        let score = &self.model.scores[usize::from(id)];
        if !judged.known {
            return (0..0, true);
        }
        let best = score.grades.iter().position(|grade| judged.rounded.high >= grade.bar);
        let worst = score.grades.iter().position(|grade| judged.rounded.low >= grade.bar);
        match (best, worst) {
            (None, _) => (0..0, true),
            (Some(best), Some(worst)) => (best..worst + 1, false),
            (Some(best), None) => (best..score.grades.len(), true),
        }
    }

    /// Whether the grade is another than `grade` somewhere in the span.
    pub fn grade_differs(&mut self, id: ScoreId, grade: Option<GradeId>) -> bool {
        let (grades, none) = self.grades(id);
        match grade {
            None => !grades.is_empty(),
            Some(grade) => none || grades.start != usize::from(grade) || grades.len() > 1,
        }
    }

    /// Whether a condition holds.
    pub fn holds(&mut self, condition: &Condition) -> Truth {
        match condition {
            Condition::All(all) => {
                // What is seen at a glance comes first.
                if all.iter().any(|part| self.glance(part) == Some(false)) {
                    return Truth::No;
                }
                let mut truth = Truth::Yes;
                for part in all {
                    truth = truth.and(|| self.holds(part));
                    if truth == Truth::No {
                        break;
                    }
                }
                truth
            }
            Condition::Any(any) => {
                let mut truth = Truth::No;
                for part in any {
                    match self.holds(part) {
                        Truth::Yes => return Truth::Yes,
                        Truth::Unsettled => truth = Truth::Unsettled,
                        Truth::No => {}
                    }
                }
                truth
            }
            Condition::Not(inner) => self.holds(inner).negated(),
            Condition::Fact(_) | Condition::Identified(_) | Condition::Stage(_) => {
                self.glance(condition).unwrap_or_default().into()
            }
            Condition::Score(id, test) => number_test(test, self.score(*id)),
            Condition::Grade(id, wanted) => self.grade_test(*id, wanted),
            Condition::Qualified { qualification, at_least } => {
                self.qualified(*qualification).at_least(*at_least)
            }
            Condition::Seen { seen, at_least, within } => self.seen(*seen, *at_least, *within),
        }
    }

    /// Whether a condition holds, if that is cheap to tell and the same over the whole span.
    #[inline]
    fn glance(&self, condition: &Condition) -> Option<bool> {
        match condition {
            Condition::Fact(id) => Some(self.lead.facts.contains(usize::from(*id))),
            Condition::Identified(wanted) => Some(self.lead.identified == *wanted),
            Condition::Stage(stages) => Some(stages.contains(usize::from(self.lead.stage))),
            _ => None,
        }
    }

    fn grade_test(&mut self, id: ScoreId, wanted: &IndexSet) -> Truth {
        let (mut grades, none) = self.grades(id);
        let (mut some, mut all) = (false, !none);
        for grade in grades.by_ref() {
            let hit = wanted.contains(grade);
            some |= hit;
            all &= hit;
        }
        match (some, all) {
            (false, _) => Truth::No,
            (true, true) => Truth::Yes,
            (true, false) => Truth::Unsettled,
        }
    }

    fn qualified(&mut self, id: QualificationId) -> Counted {
        let model = self.model;
        if let Some(counted) = self.memo.qualification(model, self.lead, id) {
            return counted;
        }
        let mut counted = Counted { sure: 0, possible: 0 };
        for (_, criterion) in &model.qualifications[usize::from(id)].criteria {
            let truth = self.holds(criterion);
            counted.sure += u32::from(truth == Truth::Yes);
            counted.possible += u32::from(truth.possible());
        }
        self.memo.note_qualification(model, self.lead, id, counted);
        counted
    }

    fn seen(&self, id: SeenId, at_least: u32, within: Within) -> Truth {
        let Ok(at) = self.lead.seen.binary_search_by_key(&id, |seen| seen.id) else {
            return Truth::No;
        };
        let seen = &self.lead.seen[at];
        let after = |time: i64| self.sightings_after(seen, time) >= at_least as usize;
        match within {
            Within::Ever if seen.sightings.is_empty() => (seen.count >= at_least).into(),
            Within::Ever => after(i64::MIN).into(),
            Within::Last(duration) => {
                // Sightings only ever fall out of the window.
                Truth::rising(after(self.to - duration), after(self.from - duration))
            }
            Within::Stage => after(self.lead.entered_at).into(),
        }
    }

    fn sightings_after(&self, seen: &SeenHeld, time: i64) -> usize {
        let sightings = self.lead.sightings.get(seen.sightings);
        sightings.len() - sightings.partition_point(|sighting| sighting.time <= time)
    }
}

/// The highest bar that a value reaches.
pub fn grade_of(score: &Score, value: f64) -> Option<GradeId> {
    score.grades.iter().position(|grade| value >= grade.bar).map(|at| at as GradeId)
}

fn number_test(test: &NumberTest, value: Interval) -> Truth {
    if value.low == value.high {
        return test.holds(value.low).into();
    }
    let inside = |bar: f64| Truth::rising(false, value.low <= bar && bar <= value.high);
    match test {
        NumberTest::All(all) => {
            all.iter().fold(Truth::Yes, |truth, part| truth.and(|| number_test(part, value)))
        }
        NumberTest::Not(inner) => number_test(inner, value).negated(),
        NumberTest::Equals(bar) => inside(*bar),
        NumberTest::In(bars) => {
            if bars.iter().any(|&bar| inside(bar).possible()) {
                Truth::Unsettled
            } else {
                Truth::No
            }
        }
        NumberTest::Gt(bar) => Truth::rising(value.low > *bar, value.high > *bar),
        NumberTest::Gte(bar) => Truth::rising(value.low >= *bar, value.high >= *bar),
        NumberTest::Lt(bar) => Truth::rising(value.high < *bar, value.low < *bar),
        NumberTest::Lte(bar) => Truth::rising(value.high <= *bar, value.low <= *bar),
        NumberTest::Always(holds) => (*holds).into(),
    }
}

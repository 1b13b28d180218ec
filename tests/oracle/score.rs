//! Scores at a clock (§4).

use std::collections::BTreeSet;

use super::condition::View;
use super::history::Gained;
use super::model::{Criterion, Decay, Group, Range, Rule, ScoreKind};

/// Half away from zero to 6 decimals.
pub fn round(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// What outputs show: the rounded score, half away from zero to 2 decimals.
///
/// Choice: in decimals, not in binary fractions: 2.675 shows as 2.68.
pub fn shown(value: f64) -> f64 {
    ((value * 1e6).round() / 1e4).round() / 1e2
}

pub fn clamp(value: f64, (low, high): Range) -> f64 {
    let value = low.map_or(value, |low| value.max(low));
    high.map_or(value, |high| value.min(high))
}

impl Decay {
    /// What `points` are worth at an age of `age` ms.
    fn worth(self, points: f64, age: i64) -> f64 {
        match self {
            Decay::None => points,
            Decay::HalfLife(half_life) => points * (-(age as f64) / half_life as f64).exp2(),
            Decay::Lifespan(life) => points * (1.0 - age as f64 / life as f64).max(0.0),
            Decay::Window(window) => points * f64::from(u8::from(age < window)),
        }
    }

    fn is_over(self, age: i64) -> bool {
        match self {
            Decay::None | Decay::HalfLife(_) => false,
            Decay::Lifespan(period) | Decay::Window(period) => age >= period,
        }
    }
}

/// What one signal adds to a group.
pub struct SignalPoints {
    pub signal: usize,
    pub points: f64,
    /// Counted occurrences that are not over, and the latest time among them.
    pub count: usize,
    pub last_at: Option<i64>,
}

impl<'a> View<'a> {
    /// The clamped score, not rounded.
    pub fn score(&self, score: usize) -> f64 {
        let own = &self.model.scores[score];
        let value: f64 = match &own.kind {
            ScoreKind::Own { groups, .. } => {
                let groups: f64 = (0..groups.len()).map(|group| self.group(score, group)).sum();
                let criteria: f64 = self.counting_rules(score).iter().map(|rule| rule.points).sum();
                groups + criteria + self.inactivity(score)
            }
            ScoreKind::Sum(parts) => {
                parts.iter().map(|(part, weight)| weight * self.score(self.model.score(part))).sum()
            }
            ScoreKind::Max(_) => self.score(self.winner(score).expect("a max score")),
        };
        clamp(value, own.range)
    }

    /// The score that a `max` takes: the first of the largest.
    pub fn winner(&self, score: usize) -> Option<usize> {
        let ScoreKind::Max(parts) = &self.model.scores[score].kind else { return None };
        let parts = parts.iter().map(|part| self.model.score(part));
        parts.reduce(|best, next| if round(self.score(next)) > round(self.score(best)) { next } else { best })
    }

    fn groups(&self, score: usize) -> &'a [Group] {
        match &self.model.scores[score].kind {
            ScoreKind::Own { groups, .. } => groups,
            _ => &[],
        }
    }

    /// The clamped value of a group.
    pub fn group(&self, score: usize, group: usize) -> f64 {
        let value = self.signal_points(score, group).iter().map(|signal| signal.points).sum();
        clamp(value, self.groups(score)[group].range)
    }

    pub fn signal_points(&self, score: usize, group: usize) -> Vec<SignalPoints> {
        let points = self.groups(score)[group].points.iter().enumerate();
        points
            .map(|(p, points)| {
                let gained = &self.lead.history.gained[&(score, group, p)];
                let age = |gained: &Gained| (self.clock - gained.at).max(0);
                let alive = gained.iter().filter(|gained| !points.decay.is_over(age(gained)));
                SignalPoints {
                    signal: points.signal,
                    points: gained.iter().map(|gained| points.decay.worth(gained.points, age(gained))).sum(),
                    count: alive.clone().count(),
                    last_at: alive.map(|gained| gained.at).max(),
                }
            })
            .collect()
    }

    /// The criteria that hold; of a `first` list only the first of them.
    pub fn counting_rules(&self, score: usize) -> Vec<&'a Rule> {
        let ScoreKind::Own { criteria, .. } = &self.model.scores[score].kind else { return Vec::new() };
        criteria
            .iter()
            .filter_map(|criterion| match criterion {
                Criterion::One(rule) => Some(rule).filter(|rule| self.holds(&rule.when)),
                Criterion::First(rules) => rules.iter().find(|rule| self.holds(&rule.when)),
            })
            .collect()
    }

    pub fn inactivity(&self, score: usize) -> f64 {
        let ScoreKind::Own { inactivity: Some(rule), .. } = &self.model.scores[score].kind else {
            return 0.0;
        };
        let Some(last) = self.lead.history.last_activity else { return 0.0 };
        let over = self.clock - last - rule.after;
        if over < 0 {
            return 0.0;
        }
        rule.points * (1 + rule.every.map_or(0, |every| over / every)) as f64
    }

    /// The highest bar that the score reaches.
    pub fn grade(&self, score: usize) -> Option<String> {
        let grades = self.model.scores[score].grades.as_ref()?;
        if self.is_unknown(score) {
            return None;
        }
        let value = round(self.score(score));
        let reached = grades.iter().filter(|(_, bar)| value >= *bar);
        reached.max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(grade, _)| grade.clone())
    }

    /// Whether nothing is known of the traits that the score is judged by.
    fn is_unknown(&self, score: usize) -> bool {
        let unknown = |part: &String| self.is_unknown(self.model.score(part));
        match &self.model.scores[score].kind {
            ScoreKind::Sum(parts) => parts.iter().all(|(part, _)| unknown(part)),
            ScoreKind::Max(parts) => parts.iter().all(unknown),
            ScoreKind::Own { groups, criteria, .. } => {
                let mut named = BTreeSet::new();
                for rule in self.model.scores[score].rules() {
                    rule.when.traits(&mut named);
                }
                !criteria.is_empty()
                    && groups.is_empty()
                    && !named.is_empty()
                    && named.iter().all(|path| !self.lead.history.traits.contains_key(path))
            }
        }
    }
}

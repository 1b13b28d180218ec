//! Scores: points of signals in groups, criteria about traits, inactivity; sums and maxima of other scores.

use super::{Condition, Duration, Field, Named, Number, Range, Spanned, Text};
use schemars::JsonSchema;

/// A score: made of groups, criteria and inactivity, or the weighted sum of other scores, or the largest of them.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(rename = "Score", deny_unknown_fields)]
pub struct Score {
    /// Lowest and highest value; by default `[0, null]`: never below 0.
    pub range: Option<Spanned<Range>>,
    /// Points for signals, in groups that have limits and decay of their own.
    #[schemars(default)]
    pub groups: Named<Group>,
    /// Points for what is known of the lead now.
    #[schemars(default)]
    pub criteria: Vec<CriterionEntry>,
    /// Points (usually below 0) for a lead that does nothing.
    pub inactivity: Option<Inactivity>,
    /// Other scores and their weights.
    #[schemars(default)]
    pub sum: Named<Spanned<Number>>,
    /// Other scores, of which the largest counts.
    #[schemars(default)]
    pub max: Vec<Text>,
    /// Grades and the score from which each is given.
    #[schemars(default)]
    pub grades: Named<Spanned<Number>>,
}

/// A group of signals within a score.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(rename = "Group", deny_unknown_fields)]
pub struct Group {
    /// Lowest and highest value of the group's sum; by default unbounded.
    pub range: Option<Spanned<Range>>,
    /// How points fade, unless a signal says otherwise; by default not at all.
    pub decay: Option<Decay>,
    /// The points of each signal.
    pub points: Named<Points>,
}

/// How points fade as time goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decay {
    None,
    /// After each such time half is left.
    HalfLife(Duration),
    /// Evenly down to 0 in this time.
    Lifespan(Duration),
    /// In full for this time, then 0.
    Window(Duration),
}

/// The points of a signal: a number, or a rule.
#[derive(Debug, Clone)]
pub enum Points {
    Number(Spanned<Number>),
    Rule(Box<PointsRule>),
}

/// What an occurrence of a signal is worth.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(rename = "PointsRule", deny_unknown_fields)]
pub struct PointsRule {
    /// Points of each occurrence.
    pub points: Option<Spanned<Number>>,
    /// The field of the event that holds the points.
    pub from: Option<Spanned<Field>>,
    /// What the field's number is multiplied by; by default 1.
    pub scale: Option<f64>,
    /// Lowest and highest points that the field can give; by default unbounded.
    pub range: Option<Spanned<Range>>,
    /// How these points fade; by default as the group says.
    pub decay: Option<Decay>,
    /// Only so many occurrences count (1 to 1000).
    #[schemars(with = "Option<u32>", range(min = 1, max = 1000))]
    pub at_most: Option<Spanned<u32>>,
    /// `at_most` so many within any such time; by default ever.
    pub per: Option<Duration>,
}

/// A criterion, or several of which only the first that holds counts.
#[derive(Debug, Clone)]
pub enum CriterionEntry {
    One(Criterion),
    First(Vec<Criterion>),
}

/// Points for what is known of the lead.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(rename = "Criterion", deny_unknown_fields)]
pub struct Criterion {
    /// What must be true: `traits.…`, `identified` and `seen` only.
    pub when: Condition,
    /// The points.
    pub points: Spanned<Number>,
    /// How records call it.
    pub label: Option<Text>,
}

/// Points for a lead without activity.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(rename = "Inactivity", deny_unknown_fields)]
pub struct Inactivity {
    /// How long without activity.
    pub after: Duration,
    /// The points, usually below 0.
    pub points: Spanned<Number>,
    /// Once more after each such time; by default once.
    pub every: Option<Duration>,
}

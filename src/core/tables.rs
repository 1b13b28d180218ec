//! The names behind the indices in a lead's bytes, for one version of a model. They go to the changelog beside the
//! leads, so that a later version can read what an earlier one wrote ([`super::migrate`]).

use super::codec::Bounds;
use super::meaning::{Meanings, distinct_text};
use crate::model::Model;
use crate::model::compiled::{Contribution, Decay, ScoreKind};
use serde::{Deserialize, Serialize};

/// What a version of a model calls the things that leads keep by number, each list in the order of the numbers, and in
/// which form it keeps them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tables {
    /// The model's name.
    pub model: String,
    pub version: u64,
    pub stages: Vec<String>,
    pub transitions: Vec<TransitionNames>,
    pub scores: Vec<ScoreNames>,
    pub contributions: Vec<ContributionNames>,
    pub seen: Vec<SeenNames>,
    pub traits: Vec<String>,
    pub facts: Facts,
    pub alerts: Vec<AlertNames>,
    pub slas: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribution: Option<AttributionNames>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransitionNames {
    pub name: String,
    pub to: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreNames {
    pub name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grades: Vec<String>,
}

/// A signal in a group of a score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContributionNames {
    pub score: String,
    pub group: String,
    pub signal: String,
    /// How long the slots of a lifespan or window are, ms; 0: it keeps a sum.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub slot_ms: i64,
    /// How many counted times it keeps for `at_most … per`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub times: u32,
}

/// Occurrences of a signal that are counted for `seen`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenNames {
    pub signal: String,
    /// `day`, a field, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub distinct: String,
    /// How many are kept.
    pub keep: u32,
    /// They are kept with their times; if not, only their number is.
    pub timed: bool,
}

/// The tests of traits. Their results are worked out anew from the traits, so that their number and whether they are
/// the same is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub count: usize,
    pub meaning: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertNames {
    pub name: String,
    /// A fingerprint of the `when` by which it is armed and disarmed; none with `on`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributionNames {
    pub channels: Vec<String>,
    /// How many touches are kept.
    pub touches: u32,
    pub gap_ms: i64,
}

fn is_zero<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}

impl Tables {
    /// The tables of a model.
    pub fn of(model: &Model) -> Tables {
        let mut meanings = Meanings::of(model);
        let transitions = model.transitions.iter().map(|transition| TransitionNames {
            name: transition.name.clone(),
            to: model.stages[usize::from(transition.to)].name.clone(),
        });
        let scores = model.scores.iter().map(|score| ScoreNames {
            name: score.name.clone(),
            grades: score.grades.iter().map(|grade| grade.name.clone()).collect(),
        });
        let seen = model.seen.iter().map(|seen| SeenNames {
            signal: model.signals[usize::from(seen.signal)].name.clone(),
            distinct: distinct_text(model, seen.distinct),
            keep: seen.keep,
            timed: seen.timed || seen.distinct.is_some(),
        });
        let alerts = model.alerts.iter().map(|alert| AlertNames {
            name: alert.name.clone(),
            when: alert.when.as_ref().filter(|_| alert.on.is_none()).map(|when| meanings.condition(when)),
        });
        let alerts = alerts.collect();
        Tables {
            model: model.name.clone(),
            version: model.version,
            stages: model.stages.iter().map(|stage| stage.name.clone()).collect(),
            transitions: transitions.collect(),
            scores: scores.collect(),
            contributions: model.contributions.iter().map(|one| contribution(model, one)).collect(),
            seen: seen.collect(),
            traits: model.traits.iter().map(|kept| kept.name.clone()).collect(),
            facts: Facts { count: model.facts.len(), meaning: meanings.all_facts() },
            alerts,
            slas: model.slas.iter().map(|sla| sla.name.clone()).collect(),
            attribution: model.attribution.as_ref().map(|attribution| AttributionNames {
                channels: attribution.channels.iter().map(|channel| channel.name.clone()).collect(),
                touches: attribution.touches,
                gap_ms: attribution.gap,
            }),
        }
    }

    /// Whether a lead's bytes say the same by both, so that nothing needs a migration: only the model's name and version
    /// may differ.
    pub fn reads_like(&self, other: &Tables) -> bool {
        let unnamed = |tables: &Tables| Tables { model: String::new(), version: 0, ..tables.clone() };
        unnamed(self) == unnamed(other)
    }

    /// By which the bytes of a lead of this version are checked.
    pub fn bounds(&self) -> Bounds {
        Bounds {
            stages: self.stages.len(),
            transitions: self.transitions.len(),
            contributions: self.contributions.len(),
            seen: self.seen.len(),
            traits: self.traits.len(),
            facts: self.facts.count,
            scores: self.scores.len(),
            alerts: self.alerts.len(),
            slas: self.slas.len(),
            channels: self.channels().len(),
        }
    }

    pub(super) fn channels(&self) -> &[String] {
        self.attribution.as_ref().map_or(&[], |attribution| &attribution.channels)
    }
}

fn contribution(model: &Model, contribution: &Contribution) -> ContributionNames {
    let score = &model.scores[usize::from(contribution.score)];
    let group = match &score.kind {
        ScoreKind::Points(points) => points.groups[usize::from(contribution.group)].name.clone(),
        ScoreKind::Sum(_) | ScoreKind::Max(_) => String::new(),
    };
    ContributionNames {
        score: score.name.clone(),
        group,
        signal: model.signals[usize::from(contribution.signal)].name.clone(),
        slot_ms: match contribution.decay {
            Decay::None | Decay::HalfLife(_) => 0,
            Decay::Lifespan { slot, .. } | Decay::Window { slot, .. } => slot,
        },
        times: contribution.at_most.filter(|at_most| at_most.per.is_some()).map_or(0, |at_most| at_most.n),
    }
}

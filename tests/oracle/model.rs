//! The model (§2), read without any check: only valid models are given to the oracle.

use std::collections::BTreeSet;

use serde_json::Value;

use super::condition::Condition;
use super::doc::Doc;
use super::matcher::Matcher;
use super::reader;

#[derive(Debug)]
pub struct Model {
    pub name: String,
    pub version: Value,
    pub signals: Vec<Signal>,
    pub scores: Vec<Score>,
    pub qualifications: Vec<Qualification>,
    pub stages: Vec<Stage>,
    pub transitions: Vec<Transition>,
    pub alerts: Vec<Alert>,
    pub slas: Vec<Sla>,
    pub attribution: Option<Attribution>,
    pub emit_traits: Vec<String>,
    pub emit_scores: Option<EmitScores>,
    pub spend: Option<Matcher>,
}

#[derive(Debug)]
pub struct Signal {
    pub name: String,
    pub matcher: Matcher,
    pub label: String,
    pub activity: bool,
}

pub type Range = (Option<f64>, Option<f64>);

#[derive(Debug)]
pub struct Score {
    pub name: String,
    pub range: Range,
    pub kind: ScoreKind,
    /// Grade and bar.
    pub grades: Option<Vec<(String, f64)>>,
}

#[derive(Debug)]
pub enum ScoreKind {
    Own {
        groups: Vec<Group>,
        criteria: Vec<Criterion>,
        inactivity: Option<Inactivity>,
    },
    /// Score and weight.
    Sum(Vec<(String, f64)>),
    Max(Vec<String>),
}

#[derive(Debug)]
pub struct Group {
    pub name: String,
    pub range: Range,
    pub points: Vec<Points>,
}

#[derive(Debug)]
pub struct Points {
    pub signal: usize,
    pub decay: Decay,
    pub gain: Gain,
    pub at_most: Option<usize>,
    pub per: Option<i64>,
}

#[derive(Debug)]
pub enum Gain {
    Fixed(f64),
    From { field: String, scale: f64, range: Range },
}

#[derive(Clone, Copy, Debug)]
pub enum Decay {
    None,
    HalfLife(i64),
    Lifespan(i64),
    Window(i64),
}

#[derive(Debug)]
pub enum Criterion {
    One(Rule),
    First(Vec<Rule>),
}

#[derive(Debug)]
pub struct Rule {
    /// Its place among all criteria, from 1.
    pub position: usize,
    pub when: Condition,
    pub points: f64,
    pub label: Option<String>,
}

#[derive(Debug)]
pub struct Inactivity {
    pub after: i64,
    pub points: f64,
    pub every: Option<i64>,
}

#[derive(Debug)]
pub struct Qualification {
    pub name: String,
    pub criteria: Vec<(String, Condition)>,
}

#[derive(Debug)]
pub struct Stage {
    pub name: String,
    pub owner: Option<String>,
    pub action: Option<String>,
    /// As written: `traits.email`.
    pub requires: Vec<String>,
}

#[derive(Debug)]
pub struct Transition {
    pub name: String,
    pub from: From,
    pub to: usize,
    pub on: Option<On>,
    pub after: Option<i64>,
    pub inactive_for: Option<i64>,
    pub when: Option<Condition>,
    pub reset: Vec<usize>,
    pub reason: Option<String>,
}

#[derive(Debug)]
pub enum From {
    Any,
    These(Vec<usize>),
}

#[derive(Debug)]
pub enum On {
    Activity,
    Signal(usize),
}

#[derive(Debug)]
pub struct Alert {
    pub name: String,
    pub on: Option<On>,
    pub when: Option<Condition>,
    pub rearm: Option<Condition>,
    pub cooldown: i64,
    pub route: Vec<(Option<Condition>, String)>,
    pub priority: Option<String>,
}

#[derive(Debug)]
pub struct Sla {
    pub name: String,
    pub start: Moment,
    pub stop: Moment,
    pub cancel: Option<Moment>,
    pub due: i64,
    pub past_due: Option<i64>,
}

#[derive(Debug)]
pub enum Moment {
    On(On),
    Enter(usize),
    Leave(usize),
}

#[derive(Debug)]
pub struct Attribution {
    pub channels: Vec<(String, Matcher)>,
    pub touches: usize,
    pub gap: i64,
    pub window: Option<i64>,
    pub models: Vec<Weighing>,
    pub credit: Vec<usize>,
    /// Signal and field, in the order of the signals.
    pub value: Vec<(usize, String)>,
}

#[derive(Debug)]
pub enum Weighing {
    First,
    Last,
    Linear,
    TimeDecay(i64),
    Position { first: f64, last: f64 },
}

#[derive(Debug)]
pub struct EmitScores {
    pub on_change_of: f64,
    pub every: i64,
}

impl Model {
    pub fn read(text: &str) -> Model {
        reader::read(&Doc::read(text))
    }

    pub fn conditions(&self) -> Vec<&Condition> {
        let mut found: Vec<&Condition> = Vec::new();
        for score in &self.scores {
            found.extend(score.rules().into_iter().map(|rule| &rule.when));
        }
        found.extend(self.qualifications.iter().flat_map(|q| &q.criteria).map(|(_, condition)| condition));
        found.extend(self.transitions.iter().filter_map(|transition| transition.when.as_ref()));
        for alert in &self.alerts {
            found.extend(alert.when.iter().chain(&alert.rearm));
            found.extend(alert.route.iter().filter_map(|(when, _)| when.as_ref()));
        }
        found
    }

    /// The paths of the traits that the model names: conditions, requires, emit.
    pub fn kept_traits(&self) -> BTreeSet<String> {
        let mut kept = BTreeSet::new();
        self.conditions().iter().for_each(|condition| condition.traits(&mut kept));
        kept.extend(self.stages.iter().flat_map(|stage| &stage.requires).map(|f| trait_path(f).to_string()));
        kept.extend(self.emit_traits.iter().cloned());
        kept
    }

    pub fn score(&self, name: &str) -> usize {
        self.scores.iter().position(|score| score.name == name).expect("a known score")
    }
}

impl Score {
    pub fn rules(&self) -> Vec<&Rule> {
        let ScoreKind::Own { criteria, .. } = &self.kind else { return Vec::new() };
        criteria
            .iter()
            .flat_map(|criterion| match criterion {
                Criterion::One(rule) => std::slice::from_ref(rule),
                Criterion::First(rules) => rules,
            })
            .collect()
    }
}

/// `traits.email` is the trait `email`.
pub fn trait_path(field: &str) -> &str {
    field.strip_prefix("traits.").expect("a field of traits")
}

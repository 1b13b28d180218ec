//! A lead at a moment: its scores with all that they are made of, its alerts and its running SLAs.

use super::check::{Check, check};
use super::forecast::next_due;
use super::ways::{Way, ways};
use crate::core::contribution::{Parts, add_worth, not_over};
use crate::core::judge::{Judge, round6};
use crate::core::lead::{Held, Lead};
use crate::core::memo::Memo;
use crate::core::report;
use crate::core::rules::Rules;
use crate::core::settle;
use crate::model::compiled::*;
use crate::records::{Moment, Reason, Shown};
use serde::Serialize;

/// A lead at a moment.
#[derive(Debug, Clone, Serialize)]
pub struct View<'a> {
    pub at: Moment,
    pub stage: &'a str,
    pub entered_stage_at: Moment,
    pub first_seen: Moment,
    pub last_activity: Option<Moment>,
    pub identified: bool,
    pub scores: Vec<ScoreView<'a>>,
    /// What weighs most, as records tell it.
    pub reasons: Vec<Reason<'a>>,
    pub qualifications: Vec<QualificationView<'a>>,
    /// Fields without which a pending transition cannot fire.
    pub missing: Vec<String>,
    /// The transitions that lead out of the stage, in the order in which they are tried.
    pub ways: Vec<Way<'a>>,
    pub alerts: Vec<AlertView<'a>>,
    /// Running ones.
    pub slas: Vec<SlaView<'a>>,
    /// The next moment at which time alone brings something about.
    pub next_due: Option<Moment>,
}

/// A score with what it is made of.
#[derive(Debug, Clone, Serialize)]
pub struct ScoreView<'a> {
    pub score: &'a str,
    pub value: Shown,
    /// Before it is clamped to `range`, if that makes a difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unclamped: Option<Shown>,
    /// Left out if the score has no grades; null: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grade: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupView<'a>>,
    /// Those that hold and count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub criteria: Vec<CriterionView<'a>>,
    /// The deduction for inactivity, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inactivity: Option<Shown>,
    /// Of a `sum` or `max` the scores that it is made of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartView<'a>>,
}

/// A group of a score.
#[derive(Debug, Clone, Serialize)]
pub struct GroupView<'a> {
    pub group: &'a str,
    pub value: Shown,
    /// Before it is clamped to the group's range, if that makes a difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unclamped: Option<Shown>,
    pub signals: Vec<SignalView<'a>>,
}

/// What a signal brings to a group.
#[derive(Debug, Clone, Serialize)]
pub struct SignalView<'a> {
    pub signal: &'a str,
    pub label: &'a str,
    /// What its occurrences are worth now.
    pub points: Shown,
    pub count: u32,
    pub last_at: Option<Moment>,
}

/// A criterion that holds and counts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CriterionView<'a> {
    pub criterion: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<&'a str>,
    pub points: Shown,
}

/// A part of a `sum` (with its weight) or of a `max`.
#[derive(Debug, Clone, Serialize)]
pub struct PartView<'a> {
    pub score: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    pub value: Shown,
}

/// A checklist, criterion by criterion.
#[derive(Debug, Clone, Serialize)]
pub struct QualificationView<'a> {
    pub qualification: &'a str,
    pub criteria: Vec<(&'a str, Check<'a>)>,
}

/// An alert: whether it may fire, and what its condition says.
#[derive(Debug, Clone, Serialize)]
pub struct AlertView<'a> {
    pub alert: &'a str,
    /// False: it has fired and is not re-armed yet.
    pub armed: bool,
    pub fired_at: Option<Moment>,
    /// Until then it keeps silent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cooldown_until: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Check<'a>>,
}

/// A running SLA.
#[derive(Debug, Clone, Serialize)]
pub struct SlaView<'a> {
    pub sla: &'a str,
    pub started_at: Moment,
    pub due_at: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub past_due_at: Option<Moment>,
    /// `due` has been told.
    pub overdue: bool,
}

/// Looks at a lead at the largest of `now` (ms) and its clock. `memo` is a new one.
pub fn view<'a>(rules: &'a Rules, lead: &'a Lead, now: i64, memo: &'a mut Memo) -> View<'a> {
    let (model, clock) = (&*rules.model, now.max(lead.clock));
    let mut judge = Judge::at(model, lead, clock, memo);
    let missing = settle::missing(model, lead);
    let qualifications = model.qualifications.iter().map(|qualification| QualificationView {
        qualification: &qualification.name,
        criteria: qualification
            .criteria
            .iter()
            .map(|(name, when)| (name.as_str(), check(&mut judge, when)))
            .collect(),
    });
    let qualifications = qualifications.collect();
    View {
        at: Moment(clock),
        stage: &model.stages[usize::from(lead.stage)].name,
        entered_stage_at: Moment(lead.entered_at),
        first_seen: Moment(lead.first_seen),
        last_activity: lead.last_activity.map(Moment),
        identified: lead.identified,
        scores: scores(&mut judge, clock),
        reasons: report::reasons(&mut judge, clock),
        qualifications,
        missing: missing.iter().map(|&id| format!("traits.{}", model.traits[usize::from(id)].name)).collect(),
        alerts: alerts(&mut judge),
        slas: slas(model, lead),
        ways: ways(rules, &mut judge, clock),
        next_due: next_due(rules, lead, clock).map(Moment),
    }
}

/// Every score at the judge's moment, which is `clock`.
pub fn scores<'a>(judge: &mut Judge<'a>, clock: i64) -> Vec<ScoreView<'a>> {
    (0..judge.model.scores.len() as ScoreId).map(|id| score(judge, id, clock)).collect()
}

fn score<'a>(judge: &mut Judge<'a>, id: ScoreId, clock: i64) -> ScoreView<'a> {
    let model = judge.model;
    let score = &model.scores[usize::from(id)];
    let value = judge.value(id);
    let grade = judge.grade(id).map(|grade| score.grades[usize::from(grade)].name.as_str());
    let mut view = ScoreView {
        score: &score.name,
        value: Shown(value),
        unclamped: None,
        grade: (!score.grades.is_empty()).then_some(grade),
        groups: Vec::new(),
        criteria: Vec::new(),
        inactivity: None,
        parts: Vec::new(),
    };
    let part = |judge: &mut Judge<'a>, id: ScoreId, weight| PartView {
        score: &model.scores[usize::from(id)].name,
        weight,
        value: Shown(judge.value(id)),
    };
    let raw = match &score.kind {
        ScoreKind::Points(points) => points_score(judge, points, clock, &mut view),
        ScoreKind::Sum(parts) => {
            view.parts = parts.iter().map(|&(id, weight)| part(judge, id, Some(weight))).collect();
            view.parts.iter().map(|part| part.value.0 * part.weight.unwrap_or(1.0)).sum()
        }
        ScoreKind::Max(parts) => {
            view.parts = parts.iter().map(|&id| part(judge, id, None)).collect();
            view.parts.iter().map(|part| part.value.0).fold(f64::NEG_INFINITY, f64::max)
        }
    };
    view.unclamped = clamped(raw, score.range);
    view
}

/// Fills in groups, criteria and inactivity; returns their sum.
fn points_score<'a>(
    judge: &mut Judge<'a>,
    points: &'a PointsScore,
    clock: i64,
    view: &mut ScoreView<'a>,
) -> f64 {
    let groups = judge.held_in_groups(points).map(|(group, held)| {
        let signals = signals(judge, held, clock);
        let raw = signals.iter().map(|signal| signal.points.0).sum();
        let value = Shown(round6(judge.group_now(group, held)));
        GroupView { group: &group.name, value, unclamped: clamped(raw, group.range), signals }
    });
    view.groups = groups.collect();
    let criteria =
        report::counting_criteria(judge, &points.criteria).into_iter().map(|criterion| CriterionView {
            criterion: criterion.position,
            label: criterion.label.as_deref(),
            points: Shown(criterion.points),
        });
    view.criteria = criteria.collect();
    let deduction = points.inactivity.map_or(0.0, |inactivity| judge.inactivity(&inactivity, clock));
    view.inactivity = (deduction != 0.0).then_some(Shown(deduction));
    let groups: f64 = view.groups.iter().map(|group| group.value.0).sum();
    groups + view.criteria.iter().map(|criterion| criterion.points.0).sum::<f64>() + deduction
}

/// What is cut off by a range, if it is more than dust.
fn clamped(raw: f64, range: Range) -> Option<Shown> {
    (Shown(raw).number() != Shown(range.clamp(raw)).number()).then_some(Shown(raw))
}

fn signals<'a>(judge: &Judge<'a>, held: &[Held], clock: i64) -> Vec<SignalView<'a>> {
    let (model, lead) = (judge.model, judge.lead);
    let signals = held.iter().map(|held| {
        let contribution = &model.contributions[usize::from(held.id)];
        let signal = &model.signals[usize::from(contribution.signal)];
        let (count, last_at) = not_over(lead, held, contribution, clock);
        SignalView {
            signal: &signal.name,
            label: &signal.label,
            points: Shown(worth(model, lead, held, clock)),
            count,
            last_at: (count > 0).then_some(Moment(last_at)),
        }
    });
    signals.collect()
}

/// What a contribution is worth at a clock that is not before the lead's.
pub fn worth(model: &Model, lead: &Lead, held: &Held, clock: i64) -> f64 {
    let mut parts = Parts::default();
    add_worth(&mut parts, lead, held, &model.contributions[usize::from(held.id)], clock);
    round6(parts.sum())
}

fn alerts<'a>(judge: &mut Judge<'a>) -> Vec<AlertView<'a>> {
    let (model, lead) = (judge.model, judge.lead);
    let alerts = model.alerts.iter().enumerate().map(|(id, alert)| {
        let held = lead.alert(id as AlertId);
        AlertView {
            alert: &alert.name,
            armed: !held.disarmed,
            fired_at: held.fired_at.map(Moment),
            cooldown_until: held
                .fired_at
                .filter(|_| alert.cooldown > 0)
                .map(|at| Moment(at + alert.cooldown)),
            when: alert.when.as_ref().map(|when| check(judge, when)),
        }
    });
    alerts.collect()
}

fn slas<'a>(model: &'a Model, lead: &Lead) -> Vec<SlaView<'a>> {
    let running = lead.slas.iter().map(|held| {
        let sla = &model.slas[usize::from(held.id)];
        SlaView {
            sla: &sla.name,
            started_at: Moment(held.started_at),
            due_at: Moment(held.started_at + sla.due),
            past_due_at: sla.past_due.map(|past_due| Moment(held.started_at + past_due)),
            overdue: held.due_sent,
        }
    });
    running.collect()
}

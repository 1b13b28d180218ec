//! The transitions that lead out of a lead's stage, and for each of them what holds and what it lacks.

use super::check::{Check, check};
use crate::core::apply;
use crate::core::contribution;
use crate::core::judge::{Judge, Truth};
use crate::core::lead::Lead;
use crate::core::memo::Memo;
use crate::core::rules::Rules;
use crate::core::settle::quiet_since;
use crate::model::compiled::*;
use crate::records::Moment;
use serde::Serialize;

/// A transition out of a lead's stage.
#[derive(Debug, Clone, Serialize)]
pub struct Way<'a> {
    pub transition: &'a str,
    pub to: &'a str,
    /// It needs an event: the name of a signal, or `activity`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<OnView<'a>>,
    /// Time in the stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Wait>,
    /// Time without activity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inactive_for: Option<Wait>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Check<'a>>,
    /// Fields that the target requires and that are not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lacks_fields: Vec<String>,
    /// Labels of signals of which one more, now, would let it fire.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub would_do: Vec<&'a str>,
}

/// What a transition with `on` waits for.
#[derive(Debug, Clone, Serialize)]
pub struct OnView<'a> {
    pub signal: &'a str,
    pub label: &'a str,
    /// The event was there; only `requires` held it back.
    pub pending: bool,
}

/// A time that must have passed.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Wait {
    pub holds: bool,
    /// When it will have.
    pub at: Moment,
}

/// The transitions out of the lead's stage at the judge's moment, which is `clock`, in the order in which they are tried.
pub fn ways<'a>(rules: &'a Rules, judge: &mut Judge<'a>, clock: i64) -> Vec<Way<'a>> {
    let leaving = &rules.by_stage[usize::from(judge.lead.stage)];
    leaving.iter().map(|&id| way(judge, clock, id)).collect()
}

fn way<'a>(judge: &mut Judge<'a>, clock: i64, id: TransitionId) -> Way<'a> {
    let (model, lead) = (judge.model, judge.lead);
    let transition = &model.transitions[usize::from(id)];
    let target = &model.stages[usize::from(transition.to)];
    let wait =
        |since: i64, duration: i64| Wait { holds: clock - since >= duration, at: Moment(since + duration) };
    Way {
        transition: &transition.name,
        to: &target.name,
        on: transition.on.map(|on| OnView {
            signal: on_name(model, on, |signal| &signal.name),
            label: on_name(model, on, |signal| &signal.label),
            pending: lead.pending.contains(usize::from(id)),
        }),
        after: transition.after.map(|after| wait(lead.entered_at, after)),
        inactive_for: transition.inactive_for.map(|quiet| wait(quiet_since(lead), quiet)),
        when: transition.when.as_ref().map(|when| check(judge, when)),
        lacks_fields: lacking(model, lead, target),
        would_do: would_do(model, lead, clock, transition),
    }
}

fn on_name<'a>(model: &'a Model, on: On, name_of: fn(&'a Signal) -> &'a str) -> &'a str {
    match on {
        On::Activity => "activity",
        On::Signal(id) => name_of(&model.signals[usize::from(id)]),
    }
}

fn lacking(model: &Model, lead: &Lead, target: &Stage) -> Vec<String> {
    let lacking = target.requires.iter().filter(|&&id| lead.trait_text(id).is_none());
    lacking.map(|&id| format!("traits.{}", model.traits[usize::from(id)].name)).collect()
}

/// Tries every signal on a copy of the lead: its points and its sighting count as those of an event would. Points that
/// an event brings along, and different values, nobody can know beforehand.
fn would_do<'a>(model: &'a Model, lead: &Lead, clock: i64, transition: &Transition) -> Vec<&'a str> {
    let in_time = transition.after.is_none_or(|after| clock - lead.entered_at >= after);
    let target = &model.stages[usize::from(transition.to)];
    // Any event ends the time without activity, or, if it is none itself, does not help.
    if !in_time || transition.inactive_for.is_some() || !lacking(model, lead, target).is_empty() {
        return Vec::new();
    }
    let mut tried = Lead::default();
    let signals = model.signals.iter().enumerate().filter(|(id, signal)| {
        let meant = match transition.on {
            Some(On::Signal(on)) => usize::from(on) == *id,
            Some(On::Activity) => signal.activity,
            None => true,
        };
        meant && {
            tried.clone_from(lead);
            happen(model, &mut tried, signal, clock);
            let mut memo = Memo::default();
            let mut judge = Judge::at(model, &tried, clock, &mut memo);
            transition.when.as_ref().is_none_or(|when| judge.holds(when) == Truth::Yes)
        }
    });
    let labels = signals.map(|(_, signal)| signal.label.as_str()).collect::<Vec<_>>();
    // What holds anyway needs no event.
    if transition.on.is_none() && labels.len() == model.signals.len() { Vec::new() } else { labels }
}

fn happen(model: &Model, lead: &mut Lead, signal: &Signal, clock: i64) {
    if signal.activity {
        lead.last_activity = lead.last_activity.max(Some(clock));
    }
    for &id in &signal.contributions {
        if let Points::Fixed(points) = model.contributions[usize::from(id)].points {
            contribution::count(lead, model, id, points, clock);
        }
    }
    for &id in &signal.seen {
        let rule = &model.seen[usize::from(id)];
        if !matches!(rule.distinct, Some(Distinct::Field(_))) {
            apply::sight(lead, rule, id, clock, 0);
        }
    }
}

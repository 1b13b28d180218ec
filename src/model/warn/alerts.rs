//! Alerts that can never fire or be armed again, and those that fire each time a score crosses its bar.

use super::Lint;
use super::scores::hovers;
use super::together::{Alternative, alternatives};
use crate::model::compiled::{Alert, ScoreId};
use crate::words::number;

pub fn never(lint: &mut Lint<'_>) {
    for (alert, (name, written)) in lint.model.alerts.iter().zip(lint.source.alerts.iter()) {
        let Some(when) = &alert.when else { continue };
        if !lint.can_hold(when, &lint.reached.stages) {
            let span = written.when.as_ref().map_or(name.span, |when| when.span());
            let message = format!("the alert '{}' can never fire: its `when` can never hold", alert.name);
            lint.diagnostics.warning(
                span,
                message,
                "what it asks for excludes itself, or no lead can reach it",
            );
        }
    }
}

/// It is armed again when `rearm` holds and `when` does not.
pub fn rearm(lint: &mut Lint<'_>) {
    for (alert, (_, written)) in lint.model.alerts.iter().zip(lint.source.alerts.iter()) {
        let (Some(when), Some(rearm), Some(place)) = (&alert.when, &alert.rearm, &written.rearm) else {
            continue;
        };
        // An alert that never fires is told as such.
        if !lint.can_hold(when, &lint.reached.stages) {
            continue;
        }
        let mut world = lint.world_in(&lint.reached.stages);
        if world.assume(rearm, true) && world.assume(when, false) {
            continue;
        }
        let hint = if lint.can_hold(rearm, &lint.reached.stages) {
            "it must hold while `when` does not: ask for less than `when` does"
        } else {
            "no lead can ever be so: compare with the range of the score"
        };
        let message =
            format!("the alert '{}' fires once and never again: its `rearm` can never hold", alert.name);
        lint.diagnostics.warning(place.span(), message, hint);
    }
}

/// Without `cooldown`, and armed again at the very bar at which it fires.
pub fn flapping(lint: &mut Lint<'_>) {
    for (alert, (name, written)) in lint.model.alerts.iter().zip(lint.source.alerts.iter()) {
        if alert.on.is_some() || alert.cooldown > 0 {
            continue;
        }
        let Some((score, bar)) = lower_bar(lint, alert) else { continue };
        let span = match (&written.rearm, &written.when) {
            (Some(rearm), _) => rearm.span(),
            (None, Some(when)) => when.span(),
            (None, None) => name.span,
        };
        let score = &lint.model.scores[usize::from(score)].name;
        let message = format!(
            "the alert '{}' fires again each time '{score}' comes back to {}",
            alert.name,
            number(bar)
        );
        let hint = format!(
            "say how far it must have sunk before: `rearm: {{ score.{score}: {{ lt: … }} }}`, or give it a `cooldown`"
        );
        lint.diagnostics.warning(span, message, hint);
    }
}

/// The bar that a score must reach, where being below it is all that arms the alert again.
fn lower_bar(lint: &Lint<'_>, alert: &Alert) -> Option<(ScoreId, f64)> {
    let when = alternatives(lint.model, alert.when.as_ref()?, true)?;
    let [Alternative { scores, .. }] = when.as_slice() else { return None };
    let bars = scores.iter().filter(|(id, interval)| interval.lo.is_finite() && hovers(lint.model, **id));
    let bars: Vec<(ScoreId, f64)> = bars.map(|(id, interval)| (*id, interval.lo)).collect();
    let (score, bar) = *bars.first()?;
    let Some(rearm) = &alert.rearm else { return Some((score, bar)) };
    let rearm = alternatives(lint.model, rearm, true)?;
    let [Alternative { scores, others }] = rearm.as_slice() else { return None };
    let upper = scores.get(&score)?.hi;
    (others.is_empty() && scores.len() == 1 && upper < bar && bar - upper < 2e-6).then_some((score, bar))
}

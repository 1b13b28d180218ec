//! A signal without use.

use super::Lint;
use crate::model::compiled::{Edge, Model, On, ScoreKind, SignalId};

/// Activity is a use of its own where the model asks for it.
pub fn unused(lint: &mut Lint<'_>) {
    let model = lint.model;
    let asks = asks_for_activity(model);
    let mut used = vec![false; model.signals.len()];
    let mut mark = |on: Option<On>| {
        if let Some(On::Signal(id)) = on {
            used[usize::from(id)] = true;
        }
    };
    model.transitions.iter().for_each(|transition| mark(transition.on));
    model.alerts.iter().for_each(|alert| mark(alert.on));
    edges(model).for_each(|edge| {
        if let Edge::On(on) = edge {
            mark(Some(on));
        }
    });
    model.attribution.iter().flat_map(|all| &all.value).for_each(|(id, _)| mark(Some(On::Signal(*id))));
    for (id, signal) in (0..=SignalId::MAX).zip(&model.signals) {
        let needed = !signal.contributions.is_empty() || !signal.seen.is_empty() || (signal.activity && asks);
        if needed || used[usize::from(id)] {
            continue;
        }
        let name = &lint.source.signals.0[usize::from(id)].0;
        lint.diagnostics.warning(
            name.span,
            format!("nothing uses the signal '{}'", name.value),
            "give it points, use it in a transition, alert or SLA, or remove it",
        );
    }
}

fn edges(model: &Model) -> impl Iterator<Item = Edge> {
    model.slas.iter().flat_map(|sla| [Some(sla.start), Some(sla.stop), sla.cancel]).flatten()
}

fn asks_for_activity(model: &Model) -> bool {
    let inactivity = model.scores.iter().any(|score| match &score.kind {
        ScoreKind::Points(points) => points.inactivity.is_some(),
        _ => false,
    });
    let activity = Some(On::Activity);
    inactivity
        || model.transitions.iter().any(|t| t.inactive_for.is_some() || t.on == activity)
        || model.alerts.iter().any(|alert| alert.on == activity)
        || edges(model).any(|edge| edge == Edge::On(On::Activity))
}

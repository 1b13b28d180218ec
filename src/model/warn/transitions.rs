//! Transitions that can never fire.

use super::Lint;

/// Where the stages themselves are out of reach, that is told at the stage.
pub fn never(lint: &mut Lint<'_>) {
    let (model, source) = (lint.model, lint.source);
    for (id, transition) in model.transitions.iter().enumerate() {
        let from = &lint.reached.fires_from[id];
        let Some(when) = &transition.when else { continue };
        if !from.is_empty() {
            continue;
        }
        let written = &source.transitions[id];
        let everywhere = (0..model.stages.len()).collect();
        let hint = if lint.can_hold(when, &everywhere) {
            "its `when` asks for a stage in which it does not begin: compare with its `from`"
        } else {
            "what it asks for excludes itself, or is more than its scores can reach"
        };
        let span = written.when.as_ref().map_or(written.name.span, |when| when.span());
        let message =
            format!("the transition '{}' can never fire: its `when` can never hold", transition.name);
        lint.diagnostics.warning(span, message, hint);
    }
}

//! SLAs that nothing starts or stops.

use super::Lint;
use crate::model::compiled::{Edge, IndexSet};

pub fn never(lint: &mut Lint<'_>) {
    let (model, source) = (lint.model, lint.source);
    // Without transitions no stage is entered: told at each SLA, that is the point.
    let entered = lint.reached.entered_from(model, 0);
    for (sla, (_, written)) in model.slas.iter().zip(source.slas.iter()) {
        let place = |edge: &crate::model::ast::Edge| {
            [&edge.on, &edge.enter, &edge.leave]
                .into_iter()
                .flatten()
                .next()
                .map_or_else(Default::default, |name| name.span)
        };
        if let Edge::Enter(stage) = sla.start
            && !entered.contains(usize::from(stage))
        {
            let stage = &model.stages[usize::from(stage)].name;
            lint.diagnostics.warning(
                place(&written.start),
                format!("nothing starts the SLA '{}': no lead ever enters '{stage}'", sla.name),
                "leads begin in the first stage without entering it; start with a stage that a transition leads to",
            );
            continue;
        }
        let after: IndexSet = match sla.start {
            Edge::Enter(stage) => lint.reached.entered_from(model, usize::from(stage)),
            _ => entered.clone(),
        };
        let message = match sla.stop {
            Edge::Enter(stage) if !after.contains(usize::from(stage)) => {
                let name = &model.stages[usize::from(stage)].name;
                format!("nothing stops the SLA '{}': no lead enters '{name}' after its start", sla.name)
            }
            Edge::Leave(stage) if !can_leave(lint, sla.start, usize::from(stage)) => {
                let name = &model.stages[usize::from(stage)].name;
                format!("nothing stops the SLA '{}': no lead leaves '{name}' after its start", sla.name)
            }
            _ => continue,
        };
        lint.diagnostics.warning(
            place(&written.stop),
            message,
            "add the transition that is missing, or stop it with `on: signal`",
        );
    }
}

/// Whether a transition out of the stage can fire after the start.
fn can_leave(lint: &Lint<'_>, start: Edge, stage: usize) -> bool {
    let here = match start {
        Edge::Enter(start) => {
            usize::from(start) == stage
                || lint.reached.entered_from(lint.model, usize::from(start)).contains(stage)
        }
        _ => lint.reached.stages.contains(stage),
    };
    here && lint.reached.fires_from.iter().any(|from| from.contains(&stage))
}

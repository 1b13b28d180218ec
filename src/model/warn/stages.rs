//! Stages that nobody can reach, and steps of the funnel that nobody can leave.

use super::Lint;
use super::possible::World;
use crate::model::compiled::{Condition, IndexSet, Model, Transition};

/// Which stages a lead can get to.
pub struct Reached {
    /// Where leads can be.
    pub stages: IndexSet,
    /// For each transition, from where it can fire.
    pub fires_from: Vec<Vec<usize>>,
}

impl Reached {
    pub fn of(model: &Model, world: &World<'_>) -> Self {
        let fires_from: Vec<Vec<usize>> =
            model.transitions.iter().map(|transition| fires_from(model, transition, world)).collect();
        let stages = reachable(&fires_from, model, 0);
        Reached { stages, fires_from }
    }

    /// The stages that a lead can enter by a transition, from this stage on.
    pub fn entered_from(&self, model: &Model, stage: usize) -> IndexSet {
        let inside = reachable(&self.fires_from, model, stage);
        let fires = |id: usize| self.fires_from[id].iter().any(|&from| inside.contains(from));
        (0..model.transitions.len())
            .filter(|&id| fires(id))
            .map(|id| usize::from(model.transitions[id].to))
            .collect()
    }
}

/// The stages of `from` in which the rest of the transition could hold.
fn fires_from(model: &Model, transition: &Transition, world: &World<'_>) -> Vec<usize> {
    let from = (0..model.stages.len()).filter(|&stage| transition.from.contains(stage));
    match &transition.when {
        None => from.collect(),
        Some(when) if !asks_for_stage(when) => {
            if world.clone().assume(when, true) {
                from.collect()
            } else {
                Vec::new()
            }
        }
        Some(when) => from
            .filter(|&stage| {
                let mut world = world.clone();
                world.stay_in(&[stage].into_iter().collect()) && world.assume(when, true)
            })
            .collect(),
    }
}

fn asks_for_stage(condition: &Condition) -> bool {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(asks_for_stage),
        Condition::Not(not) => asks_for_stage(not),
        // A qualification may ask for a stage, too.
        Condition::Stage(_) | Condition::Qualified { .. } => true,
        _ => false,
    }
}

/// The stage itself and all that can follow it.
fn reachable(fires_from: &[Vec<usize>], model: &Model, start: usize) -> IndexSet {
    let mut leaving: Vec<Vec<usize>> = vec![Vec::new(); model.stages.len()];
    for (transition, from) in model.transitions.iter().zip(fires_from) {
        from.iter().for_each(|&stage| leaving[stage].push(usize::from(transition.to)));
    }
    let mut reached: IndexSet = [start].into_iter().collect();
    let mut open = vec![start];
    while let Some(stage) = open.pop() {
        for &to in &leaving[stage] {
            if !reached.contains(to) {
                reached.insert(to);
                open.push(to);
            }
        }
    }
    reached
}

/// A model without transitions only scores: then no stage is missing anything.
pub fn dead_ends(lint: &mut Lint<'_>) {
    let (model, source) = (lint.model, lint.source);
    if model.transitions.is_empty() {
        return;
    }
    let last_step = model.stages.iter().rposition(|stage| !stage.side);
    for (id, (stage, written)) in model.stages.iter().zip(&source.stages).enumerate() {
        if !lint.reached.stages.contains(id) {
            lint.diagnostics.warning(
                written.name.span,
                format!("no lead can reach the stage '{}'", stage.name),
                "add a transition into it from a stage that leads reach, or remove it",
            );
            continue;
        }
        let leaves = |(transition, from): (&Transition, &Vec<usize>)| {
            usize::from(transition.to) != id && from.contains(&id)
        };
        let left = model.transitions.iter().zip(&lint.reached.fires_from).any(leaves);
        if !left && !stage.side && last_step != Some(id) {
            lint.diagnostics.warning(
                written.name.span,
                format!("no lead can leave the stage '{}', though the funnel goes on after it", stage.name),
                "add a transition out of it; if it is an end, put it last or mark it `side: true`",
            );
        }
    }
}

//! What a model allows but hardly means: each kind of warning is a small analysis in a file of its own. They speak only
//! when they are sure. "Can never" is proven by [`possible`], which overestimates what leads can look like; "can happen"
//! by [`together`], which underestimates it.

mod alerts;
mod bounds;
mod cycles;
mod implies;
mod possible;
mod scores;
mod signals;
mod slas;
mod stages;
#[cfg(test)]
mod tests;
mod together;
mod transitions;

use super::ast;
use super::compiled::{Condition, IndexSet, Model};
use super::diagnostic::Diagnostics;
use bounds::Bounds;
use possible::World;
use std::cell::Cell;

/// Warns about what a checked model does not mean.
pub fn warn(source: &ast::Model, model: &Model, diagnostics: &mut Diagnostics) {
    let budget = Budget(Cell::new(STEPS));
    let bounds = Bounds::of(model);
    let reached = stages::Reached::of(model, &World::new(model, &bounds, &budget));
    let mut lint = Lint { source, model, bounds: &bounds, budget: &budget, reached: &reached, diagnostics };
    signals::unused(&mut lint);
    scores::unreachable_grades(&mut lint);
    scores::pointless_points(&mut lint);
    scores::shadowed_criteria(&mut lint);
    stages::dead_ends(&mut lint);
    transitions::never(&mut lint);
    cycles::chases(&mut lint);
    cycles::flapping(&mut lint);
    alerts::never(&mut lint);
    alerts::rearm(&mut lint);
    alerts::flapping(&mut lint);
    slas::never(&mut lint);
}

/// What every analysis has at hand. `source` and `model` hold the same things in the same order.
struct Lint<'a> {
    source: &'a ast::Model,
    model: &'a Model,
    bounds: &'a Bounds,
    budget: &'a Budget,
    reached: &'a stages::Reached,
    diagnostics: &'a mut Diagnostics,
}

impl<'a> Lint<'a> {
    /// A lead of which nothing is known but that it is in one of these stages.
    fn world_in(&self, stages: &IndexSet) -> World<'a> {
        let mut world = World::new(self.model, self.bounds, self.budget);
        world.stay_in(stages);
        world
    }

    /// Whether a lead in one of these stages could meet the condition.
    fn can_hold(&self, condition: &Condition, stages: &IndexSet) -> bool {
        self.world_in(stages).assume(condition, true)
    }
}

/// Steps of reasoning: a model that is made to be hard to judge is judged in part.
const STEPS: u32 = 2_000_000;

struct Budget(Cell<u32>);

impl Budget {
    /// False when the budget is used up: from then on nothing is certain.
    fn spend(&self, steps: usize) -> bool {
        let left = self.0.get().saturating_sub(u32::try_from(steps).unwrap_or(u32::MAX));
        self.0.set(left);
        left > 0
    }
}

//! A compiled model with what the engine derives from it once.

use super::bits::Bits;
use super::codec::Bounds;
use crate::event::Event;
use crate::event::scan::{Plan, Scan};
use crate::model::Model;
use crate::model::compiled::*;
use std::sync::Arc;

/// The model and its derived tables.
#[derive(Debug)]
pub struct Rules {
    pub model: Arc<Model>,
    /// Which fields the scanner looks for.
    pub plan: Plan,
    pub bounds: Bounds,
    /// For each stage the transitions that leave it, in model order.
    pub by_stage: Vec<Vec<TransitionId>>,
    /// Alerts with `when` and without `on`: those that time alone can change.
    pub timed_alerts: Vec<AlertId>,
    /// Whether a signal, a lifespan or a window keeps slots, so that finished ones need dropping.
    pub has_slots: bool,
    /// The facts that hold of a lead without any trait.
    pub facts_of_nothing: Bits,
}

/// An event with what the model makes of it.
#[derive(Debug, Clone, Copy)]
pub struct InHand<'a> {
    pub event: &'a Event<'a>,
    /// The signals that it matches, in model order.
    pub matched: &'a [SignalId],
    /// One of these is activity.
    pub activity: bool,
}

impl InHand<'_> {
    pub fn is(&self, on: On) -> bool {
        match on {
            On::Activity => self.activity,
            On::Signal(signal) => self.matched.binary_search(&signal).is_ok(),
        }
    }
}

impl Rules {
    pub fn new(model: Arc<Model>) -> Rules {
        let leaving = |stage: usize| {
            let leaving =
                (0..model.transitions.len()).filter(|&id| model.transitions[id].from.contains(stage));
            leaving.map(|id| id as TransitionId).collect()
        };
        let mut facts_of_nothing = Bits::default();
        for (id, fact) in model.facts.iter().enumerate() {
            facts_of_nothing.set(id, fact.test.holds(std::iter::empty()));
        }
        let timed = |alert: &Alert| alert.on.is_none() && alert.when.is_some();
        Rules {
            plan: Plan::new(&model),
            bounds: Bounds::of(&model),
            by_stage: (0..model.stages.len()).map(leaving).collect(),
            timed_alerts: (0..model.alerts.len())
                .filter(|&id| timed(&model.alerts[id]))
                .map(|id| id as u16)
                .collect(),
            has_slots: model.contributions.iter().any(|contribution| {
                matches!(contribution.decay, Decay::Lifespan { .. } | Decay::Window { .. })
            }),
            facts_of_nothing,
            model,
        }
    }

    /// The signals that an event matches, in model order, without allocation.
    pub fn matched(&self, scan: &Scan<'_>, out: &mut Vec<SignalId>) {
        out.clear();
        let model = &*self.model;
        let [by_name, by_kind] = model.dispatch.candidates(scan);
        for &id in by_name.iter().chain(by_kind) {
            if model.signals[usize::from(id)].rest.matches(scan) {
                out.push(id);
            }
        }
        if !by_name.is_empty() && !by_kind.is_empty() {
            out.sort_unstable();
        }
    }
}

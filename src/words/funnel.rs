//! Transitions, alerts, SLAs.

use super::{Words, duration, or};
use crate::model::compiled::{Alert, Edge, Transition};

impl Words<'_> {
    /// All that a transition waits for, a phrase each; none if it fires at once.
    pub fn waits_for(&self, transition: &Transition) -> Vec<String> {
        let mut parts: Vec<String> = Vec::new();
        parts.extend(transition.on.map(|on| self.on(on)));
        parts.extend(transition.after.map(|ms| format!("{} in the stage", duration(ms))));
        parts.extend(transition.inactive_for.map(|ms| format!("{} without activity", duration(ms))));
        parts.extend(transition.when.iter().flat_map(|when| self.parts(when)));
        parts
    }

    /// Where a transition begins: `lead or mql`, `any other stage`.
    pub fn from(&self, transition: &Transition) -> String {
        let from = self.stages(&transition.from);
        let every_other = from.len() + 1 == self.model.stages.len()
            && !transition.from.contains(usize::from(transition.to));
        if every_other && from.len() > 2 { "any other stage".to_owned() } else { or(&from) }
    }

    /// What makes an alert fire, a phrase each.
    pub fn fires_on(&self, alert: &Alert) -> Vec<String> {
        let mut parts: Vec<String> = alert.on.map(|on| self.on(on)).into_iter().collect();
        parts.extend(alert.when.iter().flat_map(|when| self.parts(when)));
        parts
    }

    /// `entering mql`, `“Requested a demo”`.
    pub fn edge(&self, edge: Edge) -> String {
        match edge {
            Edge::On(on) => self.on(on),
            Edge::Enter(stage) => format!("entering {}", self.stage(stage)),
            Edge::Leave(stage) => format!("leaving {}", self.stage(stage)),
        }
    }
}

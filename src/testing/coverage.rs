//! What of a model takes part in its tests.

use crate::core::effects::Topic;
use crate::core::partition::Limits;
use crate::core::rules::Rules;
use crate::event::scan::Scanner;
use crate::model::Model;
use serde_json::Value;
use std::collections::BTreeSet;

/// What took part: indices of the model.
#[derive(Debug, Clone, Default)]
pub struct Touched {
    signals: BTreeSet<usize>,
    transitions: BTreeSet<usize>,
    alerts: BTreeSet<usize>,
    slas: BTreeSet<usize>,
    matched: Vec<u16>,
}

/// How much of one kind of thing takes part.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Covered {
    /// `signals`, `transitions`, `alerts` or `slas`.
    pub kind: &'static str,
    pub all: usize,
    pub touched: usize,
    /// What no test touches, in the model's order.
    pub untouched: Vec<String>,
}

impl Touched {
    /// Notes the signals that an event matches.
    pub fn event(&mut self, rules: &Rules, scanner: &mut Scanner, line: &[u8]) {
        let Ok(scan) = scanner.scan(&rules.plan, &Limits::default().event, line) else { return };
        if scan.event(&Limits::default().event, scan.received_at_ms()).is_err() {
            return;
        }
        rules.matched(&scan, &mut self.matched);
        self.signals.extend(self.matched.iter().map(|&id| usize::from(id)));
    }

    /// Notes the transition, alert or SLA of a record.
    pub fn record(&mut self, model: &Model, topic: Topic, data: &Value) {
        fn note<T>(touched: &mut BTreeSet<usize>, all: &[T], name_of: fn(&T) -> &String, name: &Value) {
            touched.extend(all.iter().position(|known| name == name_of(known)));
        }
        match topic {
            Topic::Transitions => {
                note(&mut self.transitions, &model.transitions, |known| &known.name, &data["transition"])
            }
            Topic::Alerts => note(&mut self.alerts, &model.alerts, |known| &known.name, &data["alert"]),
            Topic::Slas => note(&mut self.slas, &model.slas, |known| &known.name, &data["sla"]),
            Topic::Scores => {}
        }
    }

    /// How much of the model that is.
    pub fn of(&self, model: &Model) -> Vec<Covered> {
        let covered = |kind, touched: &BTreeSet<usize>, names: Vec<&String>| Covered {
            kind,
            all: names.len(),
            touched: touched.len(),
            untouched: (0..names.len())
                .filter(|at| !touched.contains(at))
                .map(|at| names[at].clone())
                .collect(),
        };
        vec![
            covered("signals", &self.signals, model.signals.iter().map(|signal| &signal.name).collect()),
            covered("transitions", &self.transitions, model.transitions.iter().map(|t| &t.name).collect()),
            covered("alerts", &self.alerts, model.alerts.iter().map(|alert| &alert.name).collect()),
            covered("slas", &self.slas, model.slas.iter().map(|sla| &sla.name).collect()),
        ]
    }
}

/// The share of all things that take part, in percent; of nothing all of it does.
pub fn percent(covered: &[Covered]) -> f64 {
    let all: usize = covered.iter().map(|covered| covered.all).sum();
    let touched: usize = covered.iter().map(|covered| covered.touched).sum();
    if all == 0 { 100.0 } else { touched as f64 * 100.0 / all as f64 }
}

//! What is so at the moment of a scrape: read off what workers tell of themselves.

use super::Metrics;
use crate::core::census::Census;
use crate::core::rules::Rules;
use crate::worker::Line;
use crate::worker::status::{Figures, State};
use prometheus::GaugeVec;
use std::sync::Arc;

/// The parts of [`Figures::bytes`].
const PARTS: [&str; 4] = ["blocks", "entries", "index", "timers"];

/// The leads of all partitions of this instance that were judged by the present model.
pub fn census(rules: &Rules, figures: &[Figures]) -> Census {
    let mut all = Census::new(&rules.model);
    for figures in figures.iter().filter(|figures| figures.rules.model.fingerprint == rules.model.fingerprint)
    {
        all.merge(&figures.census);
    }
    all
}

/// What the workers last told of their partitions.
pub fn figures(lines: &[Line]) -> Vec<Figures> {
    lines.iter().flat_map(|line| line.status.figures()).collect()
}

impl Metrics {
    /// Sets every gauge to what is so now. Not to be called twice at a time.
    pub fn renew(&self, rules: &Arc<Rules>, lines: &[Line]) {
        for gauge in
            [&self.model, &self.lag, &self.state, &self.restored, &self.stream_time, &self.state_leads]
        {
            gauge.reset();
        }
        for gauge in [&self.state_bytes, &self.timers, &self.late_timers, &self.leads, &self.entered] {
            gauge.reset();
        }
        for gauge in [&self.converted, &self.graded, &self.slas_running, &self.slas_due, &self.slas_past_due]
        {
            gauge.reset();
        }
        set(&self.build, &[env!("CARGO_PKG_VERSION")], 1.0);
        set(&self.model, &[&rules.model.name, &rules.model.version.to_string()], 1.0);
        set(&self.ready, &[], f64::from(lines.iter().all(|line| line.status.not_ready().is_empty())));
        for line in lines {
            line.status.snapshot().iter().for_each(|(number, state)| self.renew_state(*number, state));
        }
        let figures = figures(lines);
        figures.iter().for_each(|figures| self.renew_partition(figures));
        self.renew_funnel(rules, &census(rules, &figures));
    }

    fn renew_state(&self, number: i32, state: &State) {
        let (name, restored) = match state {
            State::Restoring(progress) => ("restoring", progress.share()),
            State::Working => ("working", 1.0),
            State::Newer(_) => ("newer", 1.0),
        };
        let number = number.to_string();
        set(&self.state, &[&number, name], 1.0);
        set(&self.restored, &[&number], restored);
    }

    fn renew_partition(&self, figures: &Figures) {
        let number = figures.partition.to_string();
        if let Some(lag) = figures.lag {
            set(&self.lag, &[&number], lag as f64);
        }
        set(&self.stream_time, &[&number], figures.stream_time_ms as f64 / 1000.0);
        set(&self.state_leads, &[&number], figures.leads as f64);
        for (part, bytes) in PARTS.iter().zip(figures.bytes) {
            set(&self.state_bytes, &[&number, part], bytes as f64);
        }
        set(&self.timers, &[&number], figures.timers.0 as f64);
        set(&self.late_timers, &[&number], figures.timers.1 as f64);
    }

    fn renew_funnel(&self, rules: &Rules, census: &Census) {
        let model = &*rules.model;
        for (stage, counted) in model.stages.iter().zip(&census.stages) {
            set(&self.leads, &[&stage.name], counted.leads as f64);
            set(&self.entered, &[&stage.name], counted.entered as f64);
        }
        for (from, to) in conversions(rules) {
            let names = [model.stages[from].name.as_str(), model.stages[to].name.as_str()];
            set(&self.converted, &names, census.in_both(from, to) as f64);
        }
        for (score, counted) in
            model.scores.iter().zip(&census.grades).filter(|(score, _)| !score.grades.is_empty())
        {
            let grades = score.grades.iter().map(|grade| grade.name.as_str()).chain(["none"]);
            for (grade, &leads) in grades.zip(counted) {
                set(&self.graded, &[&score.name, grade], leads as f64);
            }
        }
        for (sla, counted) in model.slas.iter().zip(&census.slas) {
            set(&self.slas_running, &[&sla.name], counted.running as f64);
            set(&self.slas_due, &[&sla.name], counted.due as f64);
            set(&self.slas_past_due, &[&sla.name], counted.past_due as f64);
        }
    }
}

/// Every two steps of the funnel, in its order.
pub fn conversions(rules: &Rules) -> impl Iterator<Item = (usize, usize)> {
    let stages = &rules.model.stages;
    let steps = move || (0..stages.len()).filter(|&at| !stages[at].side);
    steps().flat_map(move |from| steps().filter(move |&to| to > from).map(move |to| (from, to)))
}

fn set(gauge: &GaugeVec, labels: &[&str], value: f64) {
    gauge.with_label_values(labels).set(value);
}

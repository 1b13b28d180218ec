//! The funnel and the health in figures: what `/metrics` shows, put together for people.

use super::{Shared, json_of};
use crate::core::census::Census;
use crate::metrics::gauges;
use crate::metrics::{Metrics, SLA_STATES};
use crate::model::Model;
use crate::shared::lock;
use crate::worker::status::{Figures, State as PartitionState};
use axum::extract::State;
use axum::response::Response;
use prometheus::core::Collector;
use prometheus::proto::{Metric, MetricFamily};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Records per second, from one look to the next.
#[derive(Debug, Default)]
pub struct Rate {
    last: Option<(Instant, u64)>,
    rate: f64,
}

impl Rate {
    /// So many have been committed in all.
    fn note(&mut self, records: u64, now: Instant) -> f64 {
        match self.last {
            Some((at, before)) if now - at >= Duration::from_secs(1) => {
                self.rate = records.saturating_sub(before) as f64 / (now - at).as_secs_f64();
                self.last = Some((now, records));
            }
            Some(_) => {}
            None => self.last = Some((now, records)),
        }
        self.rate
    }
}

/// The time series of a metric, each with what its labels say.
fn each(metric: &impl Collector) -> Vec<Metric> {
    metric.collect().iter().flat_map(MetricFamily::get_metric).cloned().collect()
}

fn label<'a>(metric: &'a Metric, name: &str) -> &'a str {
    metric.get_label().iter().find(|pair| pair.name() == name).map_or("", |pair| pair.value())
}

/// Two decimals are enough for people, and counters of shares have many.
fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

/// `{label: sum}` of the series that are wanted.
fn sums(metric: &impl Collector, by: &str, wanted: impl Fn(&Metric) -> bool) -> Value {
    let mut sums: Map<String, Value> = Map::new();
    for series in each(metric).iter().filter(|series| wanted(series)) {
        let sum = sums.entry(label(series, by)).or_insert(json!(0.0));
        *sum = json!(rounded(sum.as_f64().unwrap_or(0.0) + series.get_counter().get_value()));
    }
    Value::Object(sums)
}

/// A quantile of histograms together, as Prometheus reckons it: evenly inside a bucket. `None`: nothing was observed.
fn quantile<'a>(histograms: impl Iterator<Item = &'a Metric>, quantile: f64) -> Option<f64> {
    let mut buckets: Vec<(f64, u64)> = Vec::new();
    let mut all = 0;
    for histogram in histograms.map(Metric::get_histogram) {
        all += histogram.get_sample_count();
        let own = histogram.get_bucket();
        buckets.resize(own.len(), (0.0, 0));
        for (sum, bucket) in buckets.iter_mut().zip(own) {
            *sum = (bucket.upper_bound(), sum.1 + bucket.cumulative_count());
        }
    }
    if all == 0 {
        return None;
    }
    let rank = quantile * all as f64;
    let mut below = (0.0, 0);
    for (bound, count) in buckets {
        if count as f64 >= rank {
            let inside = (count - below.1).max(1) as f64;
            return Some(below.0 + (bound - below.0) * (rank - below.1 as f64) / inside);
        }
        below = (bound, count);
    }
    Some(below.0)
}

/// `/funnel`.
pub(super) async fn funnel(State(shared): State<Arc<Shared>>) -> Response {
    let rules = shared.in_force().rules;
    let (model, metrics) = (&*rules.model, &*shared.observers.metrics);
    let figures = gauges::figures(&shared.lines);
    let census = gauges::census(&rules, &figures);
    let conversions = gauges::conversions(&rules).map(|(from, to)| {
        let (all, both) = (census.stages[from].entered, census.in_both(from, to));
        let rate = if all > 0 { both as f64 / all as f64 } else { 0.0 };
        json!({ "from": model.stages[from].name, "to": model.stages[to].name, "from_leads": all, "to_leads": both,
                "rate": (rate * 1e4).round() / 1e4 })
    });
    let transitions = each(&metrics.transitions);
    let transitions = transitions.iter().map(|series| {
        json!({ "name": label(series, "transition"), "from": label(series, "from"), "to": label(series, "to"),
                "count": series.get_counter().get_value() as u64 })
    });
    let alerts = sums(&metrics.alerts, "outcome", |_| true);
    let count = |outcome: &str| alerts[outcome].as_f64().unwrap_or(0.0) as u64;
    json_of(&json!({
        "model": { "name": model.name, "version": model.version },
        "leads": census.stages.iter().map(|stage| stage.leads).sum::<i64>(),
        "stages": stages(model, metrics, &census),
        "conversions": conversions.collect::<Vec<_>>(),
        "grades": grades(model, &census),
        "slas": slas(model, metrics, &census),
        "attribution": attribution(model, metrics),
        "revenue": revenue(model, metrics),
        "spend": sums(&metrics.spend, "channel", |_| true),
        "alerts": { "sent": count("sent"), "suppressed": count("suppressed") },
        "transitions": transitions.collect::<Vec<_>>(),
    }))
}

fn stages(model: &Model, metrics: &Metrics, census: &Census) -> Vec<Value> {
    let series = each(&metrics.in_stage);
    let further = |from: usize, to: &str| {
        model.stages.iter().skip(from + 1).any(|stage| !stage.side && stage.name == to)
    };
    let stages = model.stages.iter().zip(&census.stages).enumerate().map(|(at, (stage, counted))| {
        let onward = series.iter().filter(|series| {
            !stage.side && label(series, "from") == stage.name && further(at, label(series, "to"))
        });
        json!({ "name": stage.name, "owner": stage.owner, "leads": counted.leads, "entered": counted.entered,
                "side": stage.side, "median_seconds_to_next": quantile(onward, 0.5).map(f64::round) })
    });
    stages.collect()
}

fn grades(model: &Model, census: &Census) -> Value {
    let graded = model.scores.iter().zip(&census.grades).filter(|(score, _)| !score.grades.is_empty());
    let grades = graded.map(|(score, counted)| {
        let names = score.grades.iter().map(|grade| grade.name.as_str()).chain(["none"]);
        let counted: Map<String, Value> =
            names.zip(counted).map(|(name, leads)| (name.to_owned(), json!(leads))).collect();
        (score.name.clone(), Value::Object(counted))
    });
    Value::Object(grades.collect())
}

fn slas(model: &Model, metrics: &Metrics, census: &Census) -> Vec<Value> {
    let told = |sla: &str, state: &str| {
        debug_assert!(SLA_STATES.contains(&state));
        metrics.slas.with_label_values(&[sla, state]).get() as u64
    };
    let slas = model.slas.iter().zip(&census.slas).map(|(sla, counted)| {
        json!({ "name": sla.name, "running": counted.running, "due": counted.due, "past_due": counted.past_due,
                "met": told(&sla.name, "met"), "breached": told(&sla.name, "breached") })
    });
    slas.collect()
}

/// By each model, of the entries into the last credited step of the funnel: the cost of acquisition is spend divided by it.
fn attribution(model: &Model, metrics: &Metrics) -> Value {
    let Some(rules) = &model.attribution else { return json!({}) };
    let credited = |at: &usize| rules.credit.contains(*at);
    let steps = (0..model.stages.len()).filter(credited);
    let last = steps.clone().rfind(|&at| !model.stages[at].side).or(steps.clone().next_back());
    let stage = last.map_or("", |at| model.stages[at].name.as_str());
    let models = rules.models.iter().map(|by| {
        let wanted = |series: &Metric| label(series, "model") == by.name() && label(series, "stage") == stage;
        (by.name().to_owned(), sums(&metrics.credit, "channel", wanted))
    });
    Value::Object(models.collect())
}

/// By the first attribution model, refunds taken off.
fn revenue(model: &Model, metrics: &Metrics) -> Value {
    let Some(by) = model.attribution.as_ref().and_then(|rules| rules.models.first()) else {
        return json!({});
    };
    let wanted = |series: &Metric| label(series, "model") == by.name();
    let mut revenue = sums(&metrics.revenue, "channel", wanted);
    if let (Value::Object(refunds), Value::Object(revenue)) =
        (sums(&metrics.refunds, "channel", wanted), &mut revenue)
    {
        for (channel, refunded) in refunds {
            let sum = revenue.get(&channel).and_then(Value::as_f64).unwrap_or(0.0);
            revenue.insert(channel, json!(rounded(sum - refunded.as_f64().unwrap_or(0.0))));
        }
    }
    revenue
}

/// `/health`.
pub(super) async fn health(State(shared): State<Arc<Shared>>) -> Response {
    let reasons = shared.not_ready();
    let metrics = &*shared.observers.metrics;
    let figures = gauges::figures(&shared.lines);
    let states = shared.lines.iter().flat_map(|line| line.status.snapshot());
    let mut partitions: Vec<Value> =
        states.map(|(number, state)| partition(number, &state, &figures)).collect();
    partitions.sort_by_key(|partition| partition["partition"].as_i64());
    let sum = |of: fn(&crate::worker::status::Status) -> u64| -> u64 {
        shared.lines.iter().map(|line| of(&line.status)).sum()
    };
    let records = sum(|status| status.committed_records.load(Ordering::Relaxed));
    let commits = each(&metrics.commit);
    let committed = || commits.iter().filter(|series| label(series, "outcome") == "committed");
    let commit_ms = |share: f64| quantile(committed(), share).map(|seconds| rounded(seconds * 1000.0));
    json_of(&json!({
        "ready": reasons.is_empty(),
        "reasons": reasons,
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_seconds": shared.started.elapsed().as_secs(),
        "workers": shared.lines.len(),
        "partitions": partitions,
        "events_per_second": rounded(lock(&shared.rate).note(records, Instant::now())),
        "commits": sum(|status| status.commits.load(Ordering::Relaxed)),
        "aborts": sum(|status| status.aborts.load(Ordering::Relaxed)),
        "commit_ms": { "p50": commit_ms(0.5), "p99": commit_ms(0.99) },
        "rejected": sums(&metrics.rejections, "reason", |_| true),
        "lag": figures.iter().filter_map(|figures| figures.lag).sum::<i64>(),
    }))
}

fn partition(number: i32, state: &PartitionState, figures: &[Figures]) -> Value {
    let (name, restored) = match state {
        PartitionState::Restoring(progress) => ("restoring", progress.share()),
        PartitionState::Working => ("working", 1.0),
        PartitionState::Newer(_) => ("newer", 1.0),
    };
    let own = figures.iter().find(|figures| figures.partition == number);
    json!({ "partition": number, "state": name, "lag": own.and_then(|own| own.lag),
            "leads": own.map_or(0, |own| own.leads), "restored": restored })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_evenly_inside_a_bucket() {
        let metrics = Metrics::new().unwrap();
        assert_eq!(quantile(each(&metrics.commit).iter(), 0.5), None);
        let histogram = metrics.commit.with_label_values(&["committed"]);
        for seconds in [0.03, 0.04, 0.2, 0.2] {
            histogram.observe(seconds);
        }
        assert_eq!(quantile(each(&metrics.commit).iter(), 0.5), Some(0.05));
        assert_eq!(quantile(each(&metrics.commit).iter(), 0.75).map(rounded), Some(0.18));
        assert_eq!(quantile(each(&metrics.commit).iter(), 1.0), Some(0.25));
    }
}

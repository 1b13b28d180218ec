//! What the daemon counts and measures, for Prometheus: all of it is declared here. Names and labels come from the
//! model and the cluster, never from events, so that the number of time series is bounded.
//!
//! - [`tally`]: what a batch has decided, counted when its transaction is committed
//! - [`gauges`]: what is so at the moment of a scrape
//! - [`text`]: the text formats, and the reference `docs/metrics.md`

pub mod gauges;
pub mod tally;
pub mod text;

use crate::core::rules::Rules;
use crate::event::Reason;
use prometheus::{CounterVec, GaugeVec, HistogramOpts, HistogramVec, Opts, Registry};

/// Outcomes of records, in the order of their counters.
pub const OUTCOMES: [&str; 6] = ["applied", "ignored", "duplicate", "spend", "tombstone", "rejected"];
/// States of an SLA's records.
pub const SLA_STATES: [&str; 5] = ["due", "past_due", "met", "breached", "cancelled"];
/// In place of a channel that the model does not name, and of one where there was no touch.
pub const OTHER: &str = "other";
pub const NO_CHANNEL: &str = "none";

/// Seconds of commits and of turns of the worker.
const SHORT: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Seconds by which events come late.
const LATE: &[f64] = &[1.0, 10.0, 60.0, 600.0, 3_600.0, 21_600.0, 86_400.0, 604_800.0, 2_592_000.0];
/// Seconds that people take: from a minute to three years.
const LONG: &[f64] = &[
    60.0,
    300.0,
    900.0,
    1_800.0,
    3_600.0,
    14_400.0,
    43_200.0,
    86_400.0,
    172_800.0,
    259_200.0,
    604_800.0,
    1_209_600.0,
    2_592_000.0,
    5_184_000.0,
    7_776_000.0,
    15_552_000.0,
    31_536_000.0,
    94_608_000.0,
];

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Counter,
    Gauge,
    Histogram,
}

/// One metric as the reference tells it.
#[derive(Debug, Clone, Copy)]
pub struct Declared {
    pub name: &'static str,
    pub sort: Sort,
    pub unit: &'static str,
    pub labels: &'static [&'static str],
    pub help: &'static str,
}

trait Metric: Sized {
    const SORT: Sort;
    fn make(name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> prometheus::Result<Self>;
}

impl Metric for CounterVec {
    const SORT: Sort = Sort::Counter;
    fn make(name: &str, help: &str, labels: &[&str], _: &[f64]) -> prometheus::Result<Self> {
        CounterVec::new(Opts::new(name, help), labels)
    }
}

impl Metric for GaugeVec {
    const SORT: Sort = Sort::Gauge;
    fn make(name: &str, help: &str, labels: &[&str], _: &[f64]) -> prometheus::Result<Self> {
        GaugeVec::new(Opts::new(name, help), labels)
    }
}

impl Metric for HistogramVec {
    const SORT: Sort = Sort::Histogram;
    fn make(name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> prometheus::Result<Self> {
        HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels)
    }
}

macro_rules! metrics {
    ($($field:ident: $type:ty, $name:literal, $unit:literal, [$($label:literal),*] $(, $buckets:ident)?, $help:literal;)*) => {
        /// All metrics of a daemon.
        pub struct Metrics {
            pub registry: Registry,
            $(#[doc = $help] pub $field: $type,)*
        }

        /// All metrics, in the order of the reference.
        pub const DECLARED: &[Declared] = &[$(Declared {
            name: $name, sort: <$type as Metric>::SORT, unit: $unit, labels: &[$($label),*], help: $help,
        }),*];

        impl Metrics {
            /// Metrics of a daemon of their own.
            ///
            /// # Errors
            /// Two of them have one name, or a name is none.
            pub fn new() -> prometheus::Result<Metrics> {
                let registry = Registry::new();
                $(
                    let buckets: &[f64] = &[];
                    $(let buckets = { let _ = buckets; $buckets };)?
                    let $field = <$type>::make($name, $help, &[$($label),*], buckets)?;
                    registry.register(Box::new($field.clone()))?;
                )*
                Ok(Metrics { registry, $($field),* })
            }
        }
    };
}

metrics! {
    build: GaugeVec, "qualifyd_build_info", "", ["version"], "The running version; always 1.";
    model: GaugeVec, "qualifyd_model_info", "", ["model", "version"], "The scoring model in force; always 1.";
    model_loaded: GaugeVec, "qualifyd_model_last_reload_successful", "bool", [], "Whether the last change of the model's file could be used.";
    model_loads: CounterVec, "qualifyd_model_reloads_total", "reloads", ["result"], "Times that the model's file was loaded anew, by result: changed, unchanged or refused.";
    up_since: GaugeVec, "qualifyd_start_time_seconds", "seconds", [], "When the daemon was started, since the epoch.";

    records: CounterVec, "qualifyd_records_total", "records", ["outcome"], "Input records whose transaction was committed, by outcome; duplicates are hits of the deduplication.";
    rejections: CounterVec, "qualifyd_rejections_total", "records", ["reason"], "Rejected records, by reason; each went to the dead-letter topic.";
    bytes: CounterVec, "qualifyd_input_bytes_total", "bytes", [], "Bytes of the values of input records.";
    clamped: CounterVec, "qualifyd_future_events_total", "events", [], "Events whose time lay too far in the future and was set to the record's timestamp.";
    dropped_traits: CounterVec, "qualifyd_large_traits_total", "traits", [], "Traits of more than 1 KiB that were taken as not in the event.";
    lateness: HistogramVec, "qualifyd_event_lateness_seconds", "seconds", [], LATE, "How far events lay behind the stream time of their partition.";
    sent: CounterVec, "qualifyd_records_sent_total", "records", ["topic"], "Records sent, by kind of topic: transitions, alerts, slas, scores, dead_letter.";
    lag: GaugeVec, "qualifyd_lag_records", "records", ["partition"], "Records of an input partition that are not applied yet.";
    turn: HistogramVec, "qualifyd_turn_seconds", "seconds", ["worker"], SHORT, "Time that a worker took for at most 256 records and what belongs to them, without waiting.";
    busy: CounterVec, "qualifyd_worker_busy_seconds_total", "seconds", ["worker"], "Time that a worker did not wait; its rate is the share of one core that it uses.";
    commit: HistogramVec, "qualifyd_commit_seconds", "seconds", ["outcome"], SHORT, "How long transactions took to end, by outcome: committed or aborted.";
    state: GaugeVec, "qualifyd_partition_state", "bool", ["partition", "state"], "1 for the state of an assigned partition: restoring, working, or newer (its leads were judged by a later model).";
    restored: GaugeVec, "qualifyd_restore_progress_ratio", "ratio", ["partition"], "How much of a partition's leads is restored.";
    ready: GaugeVec, "qualifyd_ready", "bool", [], "Whether every assigned partition is restored.";
    stream_time: GaugeVec, "qualifyd_stream_time_seconds", "seconds", ["partition"], "The stream time of a partition, since the epoch.";
    state_leads: GaugeVec, "qualifyd_state_leads", "leads", ["partition"], "Leads in memory.";
    state_bytes: GaugeVec, "qualifyd_state_bytes", "bytes", ["partition", "part"], "Memory of the leads, by part: blocks, entries, index, timers.";
    timers: GaugeVec, "qualifyd_timers_armed", "timers", ["partition"], "Timers that are armed, stale ones included.";
    late_timers: GaugeVec, "qualifyd_timers_late", "timers", ["partition"], "Leads that are ripe by time and wait for their turn.";
    wakes: CounterVec, "qualifyd_wakes_total", "leads", ["found"], "Leads that were looked at by time, by what was found: due or nothing.";
    forgotten: CounterVec, "qualifyd_leads_forgotten_total", "leads", [], "Leads that were dropped after their retention.";
    kafka_queue: GaugeVec, "qualifyd_kafka_queue_messages", "messages", ["worker", "client"], "Messages in librdkafka's own queues: fetched and not taken (consumer), or not sent yet (producer).";
    kafka_errors: CounterVec, "qualifyd_kafka_errors_total", "errors", ["worker", "client"], "Requests to brokers that failed or timed out, as librdkafka counts them.";
    kafka_latency: GaugeVec, "qualifyd_kafka_round_trip_seconds", "seconds", ["worker", "client"], "The 99th percentile of round trips to the slowest broker, as librdkafka measures it.";

    leads: GaugeVec, "qualifyd_leads", "leads", ["stage"], "Leads that are in a stage.";
    entered: GaugeVec, "qualifyd_leads_entered", "leads", ["stage"], "Leads that are or were in a stage, each once.";
    converted: GaugeVec, "qualifyd_leads_converted", "leads", ["from", "to"], "Leads that were in both of two stages, the first before the second in the funnel's order, each once; divided by qualifyd_leads_entered of the first it is the conversion rate.";
    graded: GaugeVec, "qualifyd_leads_graded", "leads", ["score", "grade"], "Leads by grade as their last score record told it; needs emit.scores. Those without a grade count as none.";
    transitions: CounterVec, "qualifyd_transitions_total", "transitions", ["from", "to", "transition"], "Stage transitions: acceptance, recycling, disqualification and all others.";
    first_entries: CounterVec, "qualifyd_first_entries_total", "leads", ["stage"], "Transitions of leads into a stage that they had never been in.";
    in_stage: HistogramVec, "qualifyd_time_in_stage_seconds", "seconds", ["from", "to"], LONG, "How long leads were in a stage before they went to another.";
    cycle: HistogramVec, "qualifyd_cycle_seconds", "seconds", ["stage"], LONG, "From a lead's first event to its first entry into a stage: for the stage of customers the length of the sales cycle.";
    alerts: CounterVec, "qualifyd_alerts_total", "alerts", ["alert", "outcome"], "Alerts by outcome: sent, or suppressed because they were too old.";
    slas_running: GaugeVec, "qualifyd_slas_running", "slas", ["sla"], "SLAs that run, due ones included.";
    slas_due: GaugeVec, "qualifyd_slas_due", "slas", ["sla"], "Running SLAs that are due and not past due.";
    slas_past_due: GaugeVec, "qualifyd_slas_past_due", "slas", ["sla"], "Running SLAs that are past due.";
    slas: CounterVec, "qualifyd_slas_total", "slas", ["sla", "state"], "SLAs that became due or past due, and that were met, breached or cancelled.";
    sla_elapsed: HistogramVec, "qualifyd_sla_elapsed_seconds", "seconds", ["sla"], LONG, "From the start of an SLA to its stop, met or breached: for the first contact the speed to lead.";
    missing: CounterVec, "qualifyd_required_fields_missing_total", "inputs", ["field"], "Inputs in which a transition only lacked a field that its target requires.";
    credit: CounterVec, "qualifyd_attribution_credit_total", "entries", ["stage", "model", "channel"], "Entries into credited stages, shared among channels by each attribution model.";
    revenue: CounterVec, "qualifyd_revenue_total", "money", ["model", "channel"], "Value of purchases, shared among channels by each attribution model; channel none: leads without touches.";
    refunds: CounterVec, "qualifyd_refunds_total", "money", ["model", "channel"], "Negative values, as qualifyd_revenue_total.";
    purchases: CounterVec, "qualifyd_purchases_total", "purchases", ["model", "channel"], "Purchases, shared as qualifyd_revenue_total, which divided by this is the average purchase value.";
    spend: CounterVec, "qualifyd_spend_total", "money", ["channel"], "Money spent by channel; channel other: those that the model does not name.";
    unusable_spend: CounterVec, "qualifyd_unusable_spend_total", "records", [], "Records of spend without a channel or without an amount of at least 0.";
}

impl Metrics {
    /// Shows every counter of the model from the start with 0, so that its first increase is seen as one.
    pub fn begin_model(&self, rules: &Rules) {
        let model = &*rules.model;
        let zero = |counter: &CounterVec, labels: &[&str]| counter.with_label_values(labels).inc_by(0.0);
        OUTCOMES.iter().for_each(|outcome| zero(&self.records, &[outcome]));
        Reason::ALL.iter().for_each(|reason| zero(&self.rejections, &[reason.name()]));
        for plain in [&self.bytes, &self.clamped, &self.dropped_traits, &self.forgotten, &self.unusable_spend]
        {
            zero(plain, &[]);
        }
        ["changed", "unchanged", "refused"].iter().for_each(|result| zero(&self.model_loads, &[result]));
        ["due", "nothing"].iter().for_each(|found| zero(&self.wakes, &[found]));
        tally::TOPICS.iter().for_each(|topic| zero(&self.sent, &[topic]));
        for outcome in ["committed", "aborted"] {
            let _ = self.commit.with_label_values(&[outcome]);
        }
        for transition in &model.transitions {
            let to = &model.stages[usize::from(transition.to)];
            zero(&self.first_entries, &[&to.name]);
            for (_, from) in model.stages.iter().enumerate().filter(|(at, _)| transition.from.contains(*at)) {
                zero(&self.transitions, &[&from.name, &to.name, &transition.name]);
            }
            for &id in &to.requires {
                zero(&self.missing, &[&format!("traits.{}", model.traits[usize::from(id)].name)]);
            }
        }
        for alert in &model.alerts {
            ["sent", "suppressed"].iter().for_each(|outcome| zero(&self.alerts, &[&alert.name, outcome]));
        }
        for sla in &model.slas {
            SLA_STATES.iter().for_each(|state| zero(&self.slas, &[&sla.name, state]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_conventions() {
        Metrics::new().expect("every name is valid and used once");
        for metric in DECLARED {
            let ends = |end: &str| metric.name.ends_with(end);
            assert!(metric.name.starts_with("qualifyd_"), "{}", metric.name);
            assert_eq!(metric.sort == Sort::Counter, ends("_total"), "{}", metric.name);
            assert!(
                metric.unit != "seconds" || ends("_seconds") || ends("_seconds_total"),
                "{}",
                metric.name
            );
            assert!(
                metric.help.ends_with('.') && !metric.help.contains(['"', '\\', '\n']),
                "{}",
                metric.name
            );
        }
    }
}

//! What a worker tells while it works: what was decided, once it is committed, and now and then how it stands.

use super::partitions::Partitions;
use super::status::{Figures, Status};
use crate::config::Settings;
use crate::core::effects::{Effects, Topic};
use crate::http::live::{Live, Record};
use crate::kafka::native::{Consumer, Producer};
use crate::metrics::Metrics;
use crate::metrics::tally::Tally;
use prometheus::{Counter, Histogram};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a worker tells how it stands.
const OFTEN: Duration = Duration::from_millis(500);

/// Who hears what workers tell.
#[derive(Clone)]
pub struct Observers {
    pub metrics: Arc<Metrics>,
    pub live: Live,
}

/// A worker's side of it.
pub struct Telling {
    observers: Observers,
    worker: String,
    busy: Counter,
    turn: Histogram,
    /// What the commit under way is to tell.
    handed: Tally,
    records: Vec<Record>,
    told: Option<Instant>,
    /// How long the present turn has waited.
    pub waited: Duration,
    /// The errors that consumer and producer have told so far.
    errors: [f64; 2],
}

impl Telling {
    pub fn new(observers: Observers, number: usize) -> Telling {
        let worker = number.to_string();
        let metrics = &observers.metrics;
        Telling {
            busy: metrics.busy.with_label_values(&[&worker]),
            turn: metrics.turn.with_label_values(&[&worker]),
            handed: Tally::new(metrics),
            records: Vec::new(),
            told: None,
            waited: Duration::ZERO,
            errors: [0.0; 2],
            worker,
            observers,
        }
    }

    /// The batch is in its transaction. Alerts of before `alerts_from_ms` were not sent.
    pub fn hand_over(&mut self, tally: &mut Tally, effects: &Effects, alerts_from_ms: i64) {
        std::mem::swap(tally, &mut self.handed);
        if !self.observers.live.is_heard() {
            return;
        }
        let outputs = effects.outputs().filter(|output| {
            output.topic != Topic::Scores && (output.topic != Topic::Alerts || output.at_ms >= alerts_from_ms)
        });
        self.records.extend(outputs.map(|output| Record::of(&output)));
    }

    /// The transaction is committed.
    pub fn committed(&mut self, took: Duration) {
        let metrics = &self.observers.metrics;
        metrics.commit.with_label_values(&["committed"]).observe(took.as_secs_f64());
        self.handed.count(metrics);
        self.records.drain(..).for_each(|record| self.observers.live.tell(record));
    }

    /// The transaction was given up.
    pub fn aborted(&mut self, took: Duration) {
        self.observers.metrics.commit.with_label_values(&["aborted"]).observe(took.as_secs_f64());
        self.handed.clear();
        self.records.clear();
    }

    /// A turn has ended that began at `start`; `worked`: it applied something.
    pub fn note_turn(&mut self, start: Instant, worked: bool) {
        let busy = start.elapsed().saturating_sub(std::mem::take(&mut self.waited)).as_secs_f64();
        self.busy.inc_by(busy);
        if worked {
            self.turn.observe(busy);
        }
    }

    /// Tells how the partitions and the clients stand, if it is time to.
    pub fn tell(
        &mut self,
        settings: &Settings,
        partitions: &mut Partitions,
        clients: (&Consumer, &Producer),
        status: &Status,
        now: Instant,
    ) {
        if self.told.is_some_and(|told| now.saturating_duration_since(told) < OFTEN) {
            return;
        }
        self.told = Some(now);
        let (consumer, producer) = clients;
        let metrics = &self.observers.metrics;
        let mut all = Vec::new();
        for (number, working) in partitions.all_working_numbered() {
            let (wakes, idle, forgotten) = working.untold();
            metrics.wakes.with_label_values(&["due"]).inc_by((wakes - idle) as f64);
            metrics.wakes.with_label_values(&["nothing"]).inc_by(idle as f64);
            metrics.forgotten.with_label_values::<&str>(&[]).inc_by(forgotten as f64);
            let lag = match working.is_at_end() {
                true => Some(0),
                false => consumer.known_end(number).map(|end| (end - working.next_offset).max(0)),
            };
            all.push(Figures::of(number, working, lag));
        }
        status.tell(all);
        for (at, name, text) in
            [(0, "consumer", consumer.statistics()), (1, "producer", producer.statistics())]
        {
            if let Some(statistics) = text.and_then(|text| serde_json::from_str(&text).ok()) {
                self.tell_client(at, name, &statistics, settings);
            }
        }
    }

    fn tell_client(&mut self, at: usize, name: &str, statistics: &Statistics, settings: &Settings) {
        let metrics = &self.observers.metrics;
        let labels = [self.worker.as_str(), name];
        let fetched = statistics.topics.get(&settings.input.topics[0]);
        let fetched: f64 = fetched
            .map_or(0.0, |topic| topic.partitions.values().map(|partition| partition.fetchq_cnt).sum());
        metrics.kafka_queue.with_label_values(&labels).set(statistics.msg_cnt + fetched);
        let brokers = || statistics.brokers.values();
        let errors: f64 = brokers().map(|broker| broker.txerrs + broker.rxerrs + broker.req_timeouts).sum();
        metrics.kafka_errors.with_label_values(&labels).inc_by((errors - self.errors[at]).max(0.0));
        self.errors[at] = errors;
        let slowest = brokers().map(|broker| broker.rtt.p99).fold(0.0, f64::max);
        metrics.kafka_latency.with_label_values(&labels).set(slowest / 1e6);
    }
}

/// What is read of librdkafka's statistics (its STATISTICS.md).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Statistics {
    /// Messages of a producer that wait.
    msg_cnt: f64,
    brokers: BTreeMap<String, Broker>,
    topics: BTreeMap<String, TopicStatistics>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Broker {
    txerrs: f64,
    rxerrs: f64,
    req_timeouts: f64,
    /// In microseconds.
    rtt: Window,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Window {
    p99: f64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TopicStatistics {
    partitions: BTreeMap<String, PartitionStatistics>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PartitionStatistics {
    fetchq_cnt: f64,
}

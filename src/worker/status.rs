//! What a worker tells others about itself without being asked: for `/ready` and the metrics.

use super::restore::Progress;
use super::working::Working;
use crate::core::census::Census;
use crate::core::rules::Rules;
use crate::shared::lock;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// Where a partition stands.
#[derive(Debug, Clone)]
pub enum State {
    Restoring(Arc<Progress>),
    Working,
    /// Its leads were judged by a later version of the model.
    Newer(u64),
}

/// How a partition stands that is being worked on.
#[derive(Debug, Clone)]
pub struct Figures {
    pub partition: i32,
    pub leads: usize,
    /// Memory of the leads: blocks, entries, index, timers.
    pub bytes: [usize; 4],
    /// Timers that are armed, and leads whose turn has not come.
    pub timers: (usize, usize),
    /// Records that are not applied yet, if known.
    pub lag: Option<i64>,
    pub stream_time_ms: i64,
    pub census: Census,
    /// The model of the census.
    pub rules: Arc<Rules>,
}

impl Figures {
    pub fn of(partition: i32, working: &Working, lag: Option<i64>) -> Figures {
        let leads = &working.leads;
        Figures {
            partition,
            leads: leads.len(),
            bytes: leads.heap_bytes(),
            timers: leads.timers(),
            lag,
            stream_time_ms: leads.stream_time_ms(),
            census: leads.census().clone(),
            rules: leads.rules().clone(),
        }
    }
}

/// A worker's status.
#[derive(Debug, Default)]
pub struct Status {
    /// The group has told which partitions are this worker's.
    joined: AtomicBool,
    partitions: Mutex<BTreeMap<i32, State>>,
    figures: Mutex<Vec<Figures>>,
    pub committed_records: AtomicU64,
    pub commits: AtomicU64,
    pub aborts: AtomicU64,
    /// Microseconds, in all.
    pub commit_us: AtomicU64,
    handed_records: AtomicU64,
}

impl Status {
    fn partitions(&self) -> MutexGuard<'_, BTreeMap<i32, State>> {
        lock(&self.partitions)
    }

    fn lock_figures(&self) -> MutexGuard<'_, Vec<Figures>> {
        lock(&self.figures)
    }

    /// Tells how every partition stands that is being worked on.
    pub fn tell(&self, figures: Vec<Figures>) {
        *self.lock_figures() = figures;
    }

    /// How every partition stood that was being worked on, a moment ago.
    pub fn figures(&self) -> Vec<Figures> {
        self.lock_figures().clone()
    }

    pub fn note_joined(&self) {
        self.joined.store(true, Ordering::Relaxed);
    }

    pub fn set(&self, partition: i32, state: State) {
        self.partitions().insert(partition, state);
    }

    pub fn remove(&self, partition: i32) {
        self.partitions().remove(&partition);
        self.lock_figures().retain(|figures| figures.partition != partition);
    }

    pub fn note_handed_over(&self, records: u64) {
        self.handed_records.store(records, Ordering::Relaxed);
    }

    pub fn note_commit(&self, took: Duration) {
        self.committed_records.fetch_add(self.handed_records.load(Ordering::Relaxed), Ordering::Relaxed);
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.commit_us.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub fn note_abort(&self) {
        self.aborts.fetch_add(1, Ordering::Relaxed);
    }

    /// Each partition with where it stands.
    pub fn snapshot(&self) -> BTreeMap<i32, State> {
        self.partitions().clone()
    }

    /// Why the worker is not ready; nothing: every partition that it was given is being worked on.
    pub fn not_ready(&self) -> Vec<String> {
        if !self.joined.load(Ordering::Relaxed) {
            return vec!["waits for the consumer group to hand out partitions".into()];
        }
        let why = |(partition, state): (&i32, &State)| match state {
            State::Working => None,
            State::Restoring(progress) => Some(format!("partition {partition}: {}", progress.describe())),
            State::Newer(version) => Some(format!(
                "partition {partition}: its leads were judged by version {version} of the model, which is later than this one's; \
                 it waits for that version here, or for another instance"
            )),
        };
        self.partitions().iter().filter_map(why).collect()
    }
}

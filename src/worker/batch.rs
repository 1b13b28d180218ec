//! What is applied and not yet committed, and when it is to be.

use crate::config::Commit;
use crate::core::effects::Effects;
use crate::event::Rejection;
use crate::kafka::native::Message;
use crate::metrics::Metrics;
use crate::metrics::tally::Tally;
use std::time::{Duration, Instant};

/// How soon a stop is noticed while nothing arrives.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// A record for the dead-letter topic, with what belongs to it.
#[derive(Debug)]
pub struct DeadLetter {
    pub topic: String,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    pub partition: i32,
    pub offset: i64,
    pub timestamp_ms: Option<i64>,
    pub rejection: Rejection,
}

impl DeadLetter {
    pub fn new(topic: &str, message: &Message<'_>, rejection: Rejection) -> DeadLetter {
        let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
        DeadLetter {
            topic: topic.to_owned(),
            key: owned(message.key()),
            value: owned(message.value()),
            headers: message.headers().into_iter().map(|(name, value)| (name, owned(value))).collect(),
            partition: message.partition(),
            offset: message.offset(),
            timestamp_ms: message.timestamp_ms(),
            rejection,
        }
    }
}

/// What waits for the next commit.
#[derive(Debug)]
pub struct Batch {
    pub records: u64,
    pub effects: Effects,
    pub dead_letters: Vec<DeadLetter>,
    /// What is to be counted once it is committed.
    pub tally: Tally,
    /// When it commits at the latest.
    due: Option<Instant>,
    /// When it commits if no further record is there: while a backlog is read, large transactions count for more than
    /// soon ones.
    early: Option<Instant>,
    /// Time alone changed as much as one commit is to hold.
    hurried: bool,
}

impl Batch {
    /// An empty one.
    pub fn new(metrics: &Metrics) -> Batch {
        Batch {
            records: 0,
            effects: Effects::with_facts(),
            dead_letters: Vec::new(),
            tally: Tally::new(metrics),
            due: None,
            early: None,
            hurried: false,
        }
    }

    /// Notes that there is something to commit.
    pub fn begin(&mut self, commit: &Commit, now: Instant) {
        self.due.get_or_insert(now + commit.interval);
    }

    /// It is to be committed before anything else is applied.
    pub fn hurry(&mut self, now: Instant) {
        self.due = Some(now);
        self.hurried = true;
    }

    /// Notes that a record waits for the commit which somebody may act on.
    pub fn add_urgent(&mut self, commit: &Commit, now: Instant) {
        self.begin(commit, now);
        self.early.get_or_insert(now + commit.early);
    }

    pub fn is_empty(&self) -> bool {
        self.due.is_none()
    }

    /// How long to wait for the next record.
    pub fn wait(&self, now: Instant) -> Duration {
        let left = [self.due, self.early].into_iter().flatten().map(|due| due.saturating_duration_since(now));
        left.fold(LONGEST_WAIT, Duration::min)
    }

    /// No more is to be applied before it is committed.
    pub fn is_full(&self, commit: &Commit) -> bool {
        self.hurried || self.records >= commit.records
    }

    /// Whether to commit now; `idle`: no further record is there.
    pub fn is_due(&self, commit: &Commit, idle: bool, now: Instant) -> bool {
        let passed = |due: Option<Instant>| due.is_some_and(|due| due <= now);
        self.is_full(commit) || passed(self.due) || idle && passed(self.early)
    }

    /// Empties it, keeping the buffers.
    pub fn clear(&mut self) {
        self.records = 0;
        self.effects.clear();
        self.dead_letters.clear();
        self.tally.clear();
        self.due = None;
        self.early = None;
        self.hurried = false;
    }
}

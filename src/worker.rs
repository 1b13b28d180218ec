//! The loop of one worker: it waits for a record, a change of its assignment or the time to commit, and hands each to
//! a plain function. A worker owns its consumer, its transactional producer and the leads of its partitions.

use crate::config::{Commit, Settings};
use crate::core::effects::{Effects, Topic};
use crate::core::partition::{Limits, Outcome, Partition, Record, Timestamp};
use crate::core::rules::Rules;
use crate::event::Rejection;
use crate::kafka;
use crate::kafka::admin::Topics;
use crate::kafka::consumer::{Consumer, Polled};
use crate::kafka::transaction::{Outgoing, Refused, Transaction, headers};
use crate::output::CloudEvents;
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How soon a stop is noticed while nothing arrives.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// What ends a worker.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Kafka(#[from] kafka::Error),
    #[error(
        "the consumer group '{group}' has already read part of {partitions}, and the leads of that part are not kept in this \
         version; start with a group that has read nothing: set kafka.group to a new name"
    )]
    AlreadyRead { group: String, partitions: String },
    #[error(
        "another member of the consumer group took over partitions, and their leads are not handed over in this version; run \
         one instance for each kafka.group"
    )]
    TakenOver,
    #[error("a record for the topic {0} is larger than the topic accepts; raise its max.message.bytes")]
    TooLarge(String),
}

/// A partition of the input topic that this worker reads.
struct Assigned {
    leads: Partition,
    /// The offset after the last record that was applied.
    next_offset: Option<i64>,
}

impl Assigned {
    fn apply(&mut self, message: &BorrowedMessage<'_>, effects: &mut Effects) -> Outcome {
        self.next_offset = Some(message.offset() + 1);
        let timestamp = message.timestamp().to_millis().map_or(Timestamp::None, Timestamp::At);
        let record = Record { value: message.payload(), timestamp };
        self.leads.apply(record, Some(now_ms()), effects)
    }
}

/// What is applied and not yet committed.
#[derive(Debug, Default)]
struct Batch {
    records: u64,
    /// When it commits at the latest.
    due: Option<Instant>,
    /// When it commits if no further record is there: while a backlog is read, large transactions count for more than
    /// soon ones.
    early: Option<Instant>,
}

impl Batch {
    fn add_input(&mut self, commit: &Commit) {
        self.records += 1;
        self.due.get_or_insert_with(|| Instant::now() + commit.interval);
    }

    /// Notes that a record waits for the commit which somebody may act on.
    fn add_urgent(&mut self, commit: &Commit) {
        self.early.get_or_insert_with(|| Instant::now() + commit.early);
    }

    /// How long to wait for the next record.
    fn wait(&self) -> Duration {
        let now = Instant::now();
        let left = [self.due, self.early].into_iter().flatten().map(|due| due.saturating_duration_since(now));
        left.fold(LONGEST_WAIT, Duration::min)
    }

    /// Whether to commit now; `idle`: no record was there.
    fn is_due(&self, commit: &Commit, idle: bool) -> bool {
        let now = Instant::now();
        let passed = |due: Option<Instant>| due.is_some_and(|due| due <= now);
        self.records >= commit.records || passed(self.due) || (idle && passed(self.early))
    }
}

/// One worker.
pub struct Worker<'a> {
    settings: &'a Settings,
    limits: Limits,
    rules: Arc<Rules>,
    consumer: Consumer,
    transaction: Transaction,
    partitions: BTreeMap<i32, Assigned>,
    batch: Batch,
    effects: Effects,
    events: CloudEvents,
}

impl<'a> Worker<'a> {
    /// Joins the consumer group.
    ///
    /// # Errors
    /// The cluster does not answer, or the group has read before.
    pub fn new(
        settings: &'a Settings,
        rules: Arc<Rules>,
        topics: &Topics,
        number: usize,
    ) -> Result<Self, Error> {
        // First of all: it ends what a predecessor of the same name left open, offsets included.
        let transaction = Transaction::new(&settings.kafka, number, topics.max_message_bytes)?;
        let consumer = Consumer::new(&settings.kafka)?;
        let mut all = TopicPartitionList::new();
        for (topic, partitions) in &topics.input_partitions {
            all.add_partition_range(topic, 0, partitions - 1);
        }
        refuse_already_read(settings, &consumer, all)?;
        consumer.subscribe(&settings.input.topics)?;
        Ok(Worker {
            settings,
            limits: settings.of_partition(),
            rules,
            consumer,
            transaction,
            partitions: BTreeMap::new(),
            batch: Batch::default(),
            effects: Effects::default(),
            events: CloudEvents::new(&settings.kafka.group),
        })
    }

    /// Works until told to stop, then commits what is applied. Leaves the group when it is dropped.
    ///
    /// # Errors
    /// What cannot be recovered from: the leads in memory no longer agree with what is committed.
    pub fn run(mut self, stop: &AtomicBool) -> Result<(), Error> {
        let ended = self.work(stop);
        if ended.is_err()
            && let Err(error) = self.transaction.abort()
        {
            // Readers then wait for the transaction's timeout or for a successor.
            tracing::warn!(%error, "the open transaction was not taken back");
        }
        ended
    }

    fn work(&mut self, stop: &AtomicBool) -> Result<(), Error> {
        while !stop.load(Ordering::Relaxed) {
            self.step()?;
        }
        self.commit()
    }

    fn step(&mut self) -> Result<(), Error> {
        // A message borrows the consumer, and the rest of the worker changes meanwhile.
        let Worker { settings, limits, rules, consumer, transaction, partitions, batch, effects, events } =
            self;
        let mut idle = false;
        match consumer.poll(batch.wait())? {
            Polled::Record(message) => {
                // Of a partition that was given up meanwhile; whoever has it now applies the record.
                let Some(assigned) = partitions.get_mut(&message.partition()) else { return Ok(()) };
                effects.clear();
                let outcome = assigned.apply(&message, effects);
                batch.add_input(&settings.commit);
                let mut sender = Sender { settings, transaction, batch };
                sender.send_effects(effects, events)?;
                if let Outcome::Rejected(rejection) = outcome {
                    sender.send_dead_letter(&message, &rejection)?;
                }
            }
            Polled::Assigned(added) => {
                refuse_already_read(settings, consumer, added.clone())?;
                for number in numbers(&added) {
                    let leads = Partition::new(rules.clone(), limits.clone());
                    partitions.insert(number, Assigned { leads, next_offset: None });
                }
                consumer.assign(&added)?;
                tracing::info!(partitions = ?numbers(&added), "partitions assigned");
            }
            Polled::Revoked(removed) => {
                tracing::info!(partitions = ?numbers(&removed), "partitions revoked");
                // Lost ones are another member's already, who reads again what is not committed.
                if !consumer.assignment_lost() {
                    self.commit()?;
                }
                self.consumer.unassign(&removed)?;
                return Err(Error::TakenOver);
            }
            Polled::Nothing => idle = true,
        }
        if self.batch.is_due(&self.settings.commit, idle) {
            self.commit()?;
        }
        Ok(())
    }

    /// Commits outputs and offsets together; nothing, if no record was applied since the last time.
    fn commit(&mut self) -> Result<(), Error> {
        if self.batch.records == 0 {
            return Ok(());
        }
        let topic = &self.settings.input.topics[0];
        let mut offsets = TopicPartitionList::new();
        for (&partition, assigned) in &self.partitions {
            if let Some(offset) = assigned.next_offset {
                offsets
                    .add_partition_offset(topic, partition, Offset::Offset(offset))
                    .map_err(kafka::Error::Consumer)?;
            }
        }
        let start = Instant::now();
        self.transaction.commit(&offsets, &self.consumer.group_metadata())?;
        tracing::debug!(records = self.batch.records, elapsed_ms = start.elapsed().as_millis(), "committed");
        self.batch = Batch::default();
        Ok(())
    }
}

/// This version begins with no leads, so it must not begin in the middle of a topic.
fn refuse_already_read(
    settings: &Settings,
    consumer: &Consumer,
    partitions: TopicPartitionList,
) -> Result<(), Error> {
    let read = consumer.committed(partitions)?;
    if read.is_empty() {
        return Ok(());
    }
    let partitions: Vec<String> =
        read.iter().map(|(topic, partition)| format!("{topic}/{partition}")).collect();
    Err(Error::AlreadyRead { group: settings.kafka.group.clone(), partitions: partitions.join(", ") })
}

fn numbers(partitions: &TopicPartitionList) -> Vec<i32> {
    partitions.elements().iter().map(|element| element.partition()).collect()
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// Puts records into the transaction.
struct Sender<'a> {
    settings: &'a Settings,
    transaction: &'a mut Transaction,
    batch: &'a mut Batch,
}

impl Sender<'_> {
    fn send_effects(&mut self, effects: &Effects, events: &mut CloudEvents) -> Result<(), Error> {
        let topics = &self.settings.output;
        for output in effects.outputs() {
            let topic = match output.topic {
                Topic::Transitions => &topics.transitions,
                Topic::Alerts => &topics.alerts,
                Topic::Slas => &topics.slas,
                Topic::Scores => &topics.scores,
            };
            if output.topic == Topic::Alerts && self.is_suppressed(output.at_ms) {
                // It keeps its number, so that readers see that one is missing.
                tracing::debug!("an alert is too old to be sent");
                continue;
            }
            // Somebody may act on the others; scores are many, and their readers want the latest, not the soonest.
            if output.topic != Topic::Scores {
                self.batch.add_urgent(&self.settings.commit);
            }
            let sent = self.transaction.send(Outgoing {
                topic,
                key: Some(output.lead.as_bytes()),
                value: Some(output.data),
                headers: headers(events.headers(&output)),
            });
            match sent {
                Ok(()) => {}
                Err(Refused::TooLarge) => return Err(Error::TooLarge(topic.clone())),
                Err(Refused::Failed(error)) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// A backfill must not page people.
    fn is_suppressed(&self, at_ms: i64) -> bool {
        let age_ms = now_ms().saturating_sub(at_ms);
        u128::try_from(age_ms).is_ok_and(|age_ms| age_ms > self.settings.limits.alert_max_age.as_millis())
    }

    /// Sends a rejected record on as it came, with the reason. One that is too large for the topic goes without its
    /// value; if key and headers alone are, without these too.
    fn send_dead_letter(
        &mut self,
        message: &BorrowedMessage<'_>,
        rejection: &Rejection,
    ) -> Result<(), Error> {
        for truncated in [None, Some("value"), Some("value, headers"), Some("value, headers, key")] {
            let keeps = |part: &str| truncated.is_none_or(|parts| !parts.contains(part));
            let sent = self.transaction.send(Outgoing {
                topic: &self.settings.output.dead_letter,
                key: message.key().filter(|_| keeps("key")),
                value: message.payload().filter(|_| keeps("value")),
                headers: dead_letter_headers(message, keeps("headers"), rejection, truncated),
            });
            match sent {
                Ok(()) => return Ok(()),
                Err(Refused::TooLarge) => {}
                Err(Refused::Failed(error)) => return Err(error.into()),
            }
        }
        Err(Error::TooLarge(self.settings.output.dead_letter.clone()))
    }
}

fn dead_letter_headers(
    message: &BorrowedMessage<'_>,
    with_own: bool,
    rejection: &Rejection,
    truncated: Option<&str>,
) -> rdkafka::message::OwnedHeaders {
    let own = message.headers().filter(|_| with_own).into_iter().flat_map(Headers::iter);
    let partition = message.partition().to_string();
    let offset = message.offset().to_string();
    // Kafka's own sign of a record without a timestamp.
    let timestamp = message.timestamp().to_millis().unwrap_or(-1).to_string();
    let added = [
        ("qualifyd-reason", Some(rejection.reason.name())),
        ("qualifyd-detail", Some(rejection.detail.as_str())),
        ("qualifyd-topic", Some(message.topic())),
        ("qualifyd-partition", Some(partition.as_str())),
        ("qualifyd-offset", Some(offset.as_str())),
        ("qualifyd-timestamp", Some(timestamp.as_str())),
        ("qualifyd-truncated", truncated),
    ];
    let added = added.into_iter().filter(|(_, value)| value.is_some());
    headers(
        own.map(|header| (header.key, header.value))
            .chain(added.map(|(name, value)| (name, value.map(str::as_bytes)))),
    )
}

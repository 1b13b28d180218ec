//! One worker: a consumer, a producer and the leads of its partitions, shared with nobody. It waits for one of records,
//! changes of its assignment, restored partitions, the end of a commit, the clock, questions and the stop, and hands
//! each to a plain function.
//!
//! - [`working`]: a partition's leads and what of them is committed; [`breaker`]: too many rejections
//! - [`batch`]: what waits for the next commit; [`sending`]: puts it into the transaction; [`committer`]: commits
//! - [`status`], [`telling`]: what others may know of it
//! - [`restore`]: leads from the changelog, with [`checkpoint`]: local copies

pub mod batch;
pub mod breaker;
pub mod checkpoint;
pub mod committer;
mod partitions;
pub mod restore;
pub mod sending;
pub mod status;
pub mod telling;
pub mod working;

use crate::config::{Clock, Settings};
use crate::core::codec::Corrupt;
use crate::core::effects::Topic;
use crate::core::leads::Cause;
use crate::core::partition::{Budget, Outcome, Record, Timestamp};
use crate::core::rules::Rules;
use crate::failpoints;
use crate::kafka;
use crate::kafka::admin::Topics;
use crate::kafka::clients;
use crate::kafka::native::{Consumer, Found, Message, Waker};
use crate::kafka::transaction::Transactions;
use crate::shared::now_ms;
use batch::{Batch, DeadLetter};
use committer::{Committer, Ended};
use partitions::Partitions;
use restore::Restorer;
use sending::Sending;
use status::Status;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};
use telling::{Observers, Telling};
use working::Working;

/// Records that are applied before the worker looks at the clock and at what else there is.
const AT_ONCE: usize = 256;
/// Leads that are looked at by time before the worker turns to other things, so that a second in which a million fall due
/// neither blocks polling nor makes one huge transaction.
const DUE_AT_ONCE: Budget = 5_000;
/// Leads that one batch may change by time alone.
const CHANGES_AT_ONCE: usize = 20_000;
/// How long the broker may take to answer while nothing else can go on.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// What ends a worker.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Kafka(#[from] kafka::Error),
    #[error("a record for the topic {0} is larger than the topic accepts; raise its max.message.bytes")]
    TooLarge(String),
    #[error(
        "the changelog cannot be read at offset {offset} of partition {partition}: {reason}; was something else written to it? \
         restore the topic, or set kafka.group to a new name to begin anew"
    )]
    Changelog { partition: i32, offset: i64, reason: Corrupt },
    #[error(
        "{rejected} of the last {window} records of partition {partition} were rejected, the latest as {reason} ({detail}); is \
         it the right topic, in the right format? what was rejected so far is in the dead-letter topic; nothing is read until \
         the daemon is started with --accept-rejections"
    )]
    Rejections { partition: i32, rejected: usize, window: u64, reason: &'static str, detail: String },
    #[error(
        "too many of the last records of partition {0} were rejected before the daemon stopped; look at the dead-letter topic \
         (qualifyd dead-letters), then start with --accept-rejections"
    )]
    StillTripped(i32),
    #[error(
        "the topic {topic} has more partitions than at the start ({before}): keys have moved, and leads would be counted in two \
         places; see docs/operations.md, \"More partitions\""
    )]
    MorePartitions { topic: String, before: i32 },
    #[error(
        "partition {partition} was read up to offset {next}, and the topic ends at {high}: it was deleted and created anew, or the \
         cluster lost records; set the offsets of the group to where it is to go on, or set kafka.group to a new name"
    )]
    Truncated { partition: i32, next: i64, high: i64 },
    #[error(
        "the group has read partition {partition} up to offset {offset}, and the changelog has nothing of its leads; bring the \
         changelog topic back, or set kafka.group to a new name to judge the whole input anew"
    )]
    ChangelogLost { partition: i32, offset: i64 },
    #[error("the system has no thread to give: {0}")]
    Thread(std::io::Error),
    #[error(
        "the last commit did not end within shutdown.timeout; what it would have committed is read again"
    )]
    ShutdownTimeout,
}

/// Looks at a worker's partitions between two records; it must be quick, as nothing is applied meanwhile.
pub type Look = Box<dyn FnOnce(&mut dyn Iterator<Item = (i32, &Working)>) + Send>;

/// What others ask of a worker.
pub enum Command {
    /// Goes on by another version of the model.
    Model(Arc<Rules>),
    Look(Look),
}

/// Speaks to a worker from other threads.
#[derive(Clone)]
pub struct Line {
    commands: Sender<Command>,
    waker: Waker,
    pub status: Arc<Status>,
}

impl Line {
    /// Hands a command over; `false`: the worker has ended.
    pub fn send(&self, command: Command) -> bool {
        let sent = self.commands.send(command).is_ok();
        self.waker.wake();
        sent
    }

    /// Makes it look whether it is to stop.
    pub fn wake(&self) {
        self.waker.wake();
    }
}

/// One worker.
pub struct Worker {
    settings: Arc<Settings>,
    rules: Arc<Rules>,
    // Dropped in this order: the group is left last, when nothing is open any more.
    committer: Committer,
    restorer: Restorer,
    transactions: Arc<Transactions>,
    consumer: Consumer,
    sending: Sending,
    partitions: Partitions,
    batch: Batch,
    commands: Receiver<Command>,
    status: Arc<Status>,
    telling: Telling,
    input_partitions: i32,
}

impl Worker {
    /// Joins the consumer group.
    ///
    /// # Errors
    /// The cluster does not answer.
    pub fn new(
        settings: Arc<Settings>,
        rules: Arc<Rules>,
        topics: &Topics,
        observers: Observers,
        number: usize,
    ) -> Result<(Worker, Line), Error> {
        let names = sending::topics(&settings);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let producer = clients::producer(&settings, number, &names, topics.max_message_bytes)?;
        // First of all: it ends what a predecessor of the same name left open, offsets included.
        let transactions = Arc::new(Transactions::new(
            producer,
            &settings.kafka.brokers,
            &settings.input.topics[0],
            settings.commit.exactly_once,
        )?);
        let consumer = clients::input(&settings)?;
        consumer.subscribe().map_err(kafka::Error::Consumer)?;
        let waker = consumer.waker();
        let (sender, commands) = mpsc::channel();
        let status = Arc::<Status>::default();
        let line = Line { commands: sender, waker: waker.clone(), status: status.clone() };
        let worker = Worker {
            committer: Committer::start(number, transactions.clone(), waker.clone())
                .map_err(Error::Thread)?,
            restorer: Restorer::start(number, settings.clone(), waker)?,
            sending: Sending::new(&settings),
            partitions: Partitions::default(),
            batch: Batch::new(&observers.metrics),
            telling: Telling::new(observers, number),
            input_partitions: topics.input_partitions.first().map_or(0, |&(_, count)| count),
            settings,
            rules,
            transactions,
            consumer,
            commands,
            status,
        };
        Ok((worker, line))
    }

    /// Works until told to stop, then commits what is applied. Leaves the group when it is dropped.
    ///
    /// # Errors
    /// What cannot be recovered from.
    pub fn run(mut self, stop: &AtomicBool) -> Result<(), Error> {
        let ended = self.work(stop);
        if ended.is_err()
            && !self.committer.is_busy()
            && let Err(error) = self.transactions.abort()
        {
            // Readers then wait for the transaction's timeout or for a successor.
            tracing::debug!(%error, "the open transaction was not taken back");
        }
        ended
    }

    fn work(&mut self, stop: &AtomicBool) -> Result<(), Error> {
        while !stop.load(Ordering::Relaxed) {
            self.turn()?;
        }
        let deadline = Instant::now() + self.settings.shutdown.timeout;
        self.finish_commit(deadline)?;
        self.hand_over()?;
        self.finish_commit(deadline)?;
        self.copy_all(deadline)
    }

    /// One turn: everything that there is to do, once.
    fn turn(&mut self) -> Result<(), Error> {
        let (start, records) = (Instant::now(), self.batch.records);
        let ended = self.work_once();
        let worked = self.batch.records != records;
        let Worker { telling, settings, partitions, consumer, transactions, status, .. } = self;
        telling.note_turn(start, worked);
        telling.tell(settings, partitions, (consumer, &transactions.producer), status, Instant::now());
        ended
    }

    fn work_once(&mut self) -> Result<(), Error> {
        self.take_commands();
        self.take_restored()?;
        if let Some(ended) = self.committer.ended() {
            self.settle(ended)?;
        }
        let now = Instant::now();
        if self.batch.is_full(&self.settings.commit) {
            // No more is applied than settings say; the wait is short, or the commit fails.
            let ended = self.committer.wait(Duration::from_millis(100));
            self.telling.waited += now.elapsed();
            return match ended {
                Some(ended) => self.settle(ended),
                None if self.committer.is_busy() => Ok(()),
                None => self.hand_over(),
            };
        }
        let drained = self.read(self.batch.wait(now))?;
        self.go_on_with_the_clock();
        self.partitions.go_on_copying(&self.settings, &self.restorer, now);
        if self.batch.is_due(&self.settings.commit, drained, Instant::now()) && !self.committer.is_busy() {
            self.hand_over()?;
        }
        Ok(())
    }

    /// Takes what was fetched, up to a bound. Whether nothing more was there.
    fn read(&mut self, mut wait: Duration) -> Result<bool, Error> {
        if self.partitions.have_left_over() {
            wait = Duration::ZERO;
        }
        let (now, now_ms) = (Instant::now(), now_ms());
        for _ in 0..AT_ONCE {
            let Worker { settings, consumer, partitions, batch, telling, .. } = self;
            let asked = (!wait.is_zero()).then(Instant::now);
            let found = consumer.next(wait);
            telling.waited += asked.map_or(Duration::ZERO, |asked| asked.elapsed());
            match found {
                Some(Found::Record(message)) => {
                    let Some(working) = partitions.working(message.partition()) else { continue };
                    if working.doubts(message.offset()) {
                        let (number, next) = (message.partition(), working.next_offset);
                        consumer.read_from(number, next).map_err(kafka::Error::Consumer)?;
                        continue;
                    }
                    let taken = take(settings, working, batch, &message, now, now_ms)?;
                    if !taken {
                        consumer.again();
                        return Ok(false);
                    }
                    if working.breaker.is_tripped(settings.limits.rejected_share) {
                        let number = message.partition();
                        return self.stop_rejecting(number);
                    }
                    if batch.is_full(&settings.commit) {
                        return Ok(false);
                    }
                }
                Some(Found::End { partition, offset }) => {
                    if let Some(working) = partitions.working(partition) {
                        working.note_end(offset, now);
                    }
                }
                Some(Found::Failed { partition, fault }) if fault.is_place_lost() => {
                    self.find_place(partition)?;
                }
                Some(Found::Failed { partition, fault }) => check_fault(partition, fault)?,
                Some(Found::Assigned(added)) => self.assigned(&added)?,
                Some(Found::Revoked(removed)) => self.revoked(&removed)?,
                None => return Ok(true),
            }
            wait = Duration::ZERO;
        }
        Ok(self.consumer.is_drained())
    }

    /// Commits what was applied, the window of the breaker with it, and ends.
    fn stop_rejecting(&mut self, partition: i32) -> Result<bool, Error> {
        let rejected = self.partitions.working(partition).map_or(0, |working| working.breaker.rejected());
        let last = self.batch.dead_letters.last().map(|letter| &letter.rejection);
        let (reason, detail) =
            last.map_or(("", String::new()), |last| (last.reason.name(), last.detail.clone()));
        let deadline = Instant::now() + self.settings.shutdown.timeout;
        self.finish_commit(deadline)?;
        self.hand_over()?;
        self.finish_commit(deadline)?;
        let window = self.settings.limits.rejected_window;
        Err(Error::Rejections { partition, rejected, window, reason, detail })
    }

    /// Time goes on with the wall clock where nothing comes any more, and fires what is ripe.
    fn go_on_with_the_clock(&mut self) {
        let (now, now_ms) = (Instant::now(), now_ms());
        let Worker { settings, partitions, batch, .. } = self;
        let mut budget = DUE_AT_ONCE;
        for working in partitions.all_working() {
            if batch.is_full(&settings.commit) || working.leads.changed_count() >= CHANGES_AT_ONCE {
                batch.hurry(now);
                continue;
            }
            let before = (working.leads.changed_count(), batch.effects.len());
            if settings.clock == Clock::Wall && working.is_idle(settings.limits.idle, now) {
                working.leads.advance_clock(now_ms, &mut budget, &mut batch.effects);
            } else if working.leads.left_over() == Some(Cause::Clock) {
                working.leads.advance(&mut budget, &mut batch.effects);
            }
            if before != (working.leads.changed_count(), batch.effects.len()) {
                working.dirty = true;
                batch.begin(&settings.commit, now);
                note_urgent(settings, batch, before.1, now);
            }
        }
    }

    /// Begins to commit everything that was applied; goes back if the transaction failed before its commit.
    fn hand_over(&mut self) -> Result<(), Error> {
        match self.send() {
            Err(Error::Kafka(kafka::Error::Aborted(fault))) if fault.is_transaction_failed() => {
                let start = Instant::now();
                self.transactions.abort()?;
                self.go_back(&fault, start.elapsed())
            }
            sent => sent,
        }
    }

    /// Sends everything that was applied, and begins to commit it.
    fn send(&mut self) -> Result<(), Error> {
        let dirty = self.partitions.all_working().any(|working| working.dirty);
        if self.batch.is_empty() && !dirty {
            return Ok(());
        }
        self.transactions.begin()?;
        let producer = &self.transactions.producer;
        let alerts_from_ms = self.sending.alerts_from(now_ms());
        let suppressed = self.sending.send_batch(producer, &self.batch, alerts_from_ms)?;
        let Batch { effects, tally, dead_letters, .. } = &mut self.batch;
        tally.take_facts(&self.rules, effects);
        tally.note_sending(effects, dead_letters.len(), suppressed, alerts_from_ms);
        self.telling.hand_over(tally, effects, alerts_from_ms);
        let mut offsets = Vec::new();
        for (number, working) in self.partitions.all_working_numbered() {
            if working.dirty {
                self.sending.send_changes(producer, number, working)?;
                offsets.push((number, working.next_offset));
            }
            working.hand_over();
        }
        failpoints::crash("sent");
        self.status.note_handed_over(self.batch.records);
        self.partitions.note_handed_over();
        self.batch.clear();
        self.committer.commit(offsets, self.consumer.membership());
        Ok(())
    }

    /// Takes note of how a commit ended.
    fn settle(&mut self, ended: Ended) -> Result<(), Error> {
        match ended.result {
            Ok(()) => {
                self.status.note_commit(ended.took);
                self.telling.committed(ended.took);
                tracing::debug!(elapsed_ms = ended.took.as_millis() as u64, "committed");
                if !self.settings.commit.exactly_once {
                    let offsets: Vec<_> = self.partitions.handed_offsets().collect();
                    self.consumer.commit(&offsets).map_err(kafka::Error::Consumer)?;
                }
                self.partitions.settle();
                Ok(())
            }
            Err(kafka::Error::Aborted(fault)) => self.go_back(&fault, ended.took),
            Err(error) => Err(error.into()),
        }
    }

    /// The transaction was given up.
    fn go_back(&mut self, fault: &kafka::native::Fault, took: Duration) -> Result<(), Error> {
        tracing::warn!(%fault, "the transaction was given up; its records are read again");
        self.status.note_abort();
        self.telling.aborted(took);
        self.roll_back()
    }

    /// Goes back to what is committed, and reads on from there.
    fn roll_back(&mut self) -> Result<(), Error> {
        self.batch.clear();
        let mut offsets = Vec::new();
        for (number, working) in self.partitions.all_working_numbered() {
            working.roll_back();
            offsets.push((number, working.committed_offset()));
        }
        self.partitions.cancel_copies();
        for (number, offset) in offsets {
            self.consumer.read_from(number, offset).map_err(kafka::Error::Consumer)?;
        }
        Ok(())
    }

    /// Waits for the commit under way.
    fn finish_commit(&mut self, deadline: Instant) -> Result<(), Error> {
        while self.committer.is_busy() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::ShutdownTimeout);
            }
            if let Some(ended) = self.committer.wait(left) {
                self.settle(ended)?;
            }
        }
        Ok(())
    }

    fn take_commands(&mut self) {
        while let Ok(command) = self.commands.try_recv() {
            match command {
                Command::Model(rules) => self.change_model(rules),
                Command::Look(look) => look(&mut self.partitions.look()),
            }
        }
    }
}

/// Applies a record. `false`: due times come first; the same record is to come again.
fn take(
    settings: &Settings,
    working: &mut Working,
    batch: &mut Batch,
    message: &Message<'_>,
    now: Instant,
    now_ms: i64,
) -> Result<bool, Error> {
    let timestamp = message.timestamp_ms().map_or(Timestamp::None, Timestamp::At);
    let record = Record { value: message.value(), timestamp };
    let before = batch.effects.len();
    let mut budget = DUE_AT_ONCE;
    let outcome = working.leads.apply_within(record, Some(now_ms), &mut budget, &mut batch.effects);
    batch.begin(&settings.commit, now);
    note_urgent(settings, batch, before, now);
    let Some(outcome) = outcome else {
        working.dirty = true;
        // Full or not: so many due times are to be committed before the next.
        if working.leads.changed_count() >= CHANGES_AT_ONCE {
            batch.hurry(now);
        }
        return Ok(false);
    };
    working.note_record(message.offset());
    batch.tally.note_record(message.value().map_or(0, <[u8]>::len), &outcome, working.leads.last());
    working.breaker.note(matches!(outcome, Outcome::Rejected(_)));
    batch.records += 1;
    if let Outcome::Rejected(rejection) = outcome {
        batch.dead_letters.push(DeadLetter::new(&settings.input.topics[0], message, rejection));
    }
    Ok(true)
}

/// Somebody may act on the others; scores are many, and their readers want the latest, not the soonest.
fn note_urgent(settings: &Settings, batch: &mut Batch, before: usize, now: Instant) {
    if batch.effects.topics_from(before).any(|topic| topic != Topic::Scores) {
        batch.add_urgent(&settings.commit, now);
    }
}

fn check_fault(partition: i32, fault: kafka::native::Fault) -> Result<(), Error> {
    if fault.fatal || fault.is_lasting() {
        return Err(kafka::Error::Consumer(fault).into());
    }
    tracing::warn!(partition, %fault, "the input could not be read; librdkafka tries again by itself");
    Ok(())
}

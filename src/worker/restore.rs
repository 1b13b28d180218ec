//! Puts a partition's leads together again from the changelog, on a thread of its own: the worker goes on polling and
//! working on its other partitions meanwhile.
//!
//! What is committed has to be read, all of it and nothing else. The markers of a transaction reach the offsets and the
//! changelog one after the other (KAFKA-10167), so the order matters: first the group's committed offset, once it is
//! stable; then the changelog's true end; then what is committed up to there.

use super::Error;
use super::checkpoint::{self, Checkpoint};
use crate::changelog::{self, Key, Meta};
use crate::config::Settings;
use crate::core::partition::{Limits, Partition};
use crate::core::rules::Rules;
use crate::core::tables::Tables;
use crate::failpoints;
use crate::kafka::clients;
use crate::kafka::native::{Consumer, Found, Message, Waker};
use crate::shared::lock;
use crate::worker::breaker::Breaker;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// For one answer of the cluster.
const ANSWER: Duration = Duration::from_secs(10);
/// How long to wait for records before looking whether the partition is still wanted.
const LOOK: Duration = Duration::from_millis(200);
/// How often the log tells how far it is.
const TELL: Duration = Duration::from_secs(5);

/// How far a restore is: for `/ready` and the log.
#[derive(Debug)]
pub struct Progress {
    started: Instant,
    /// Offsets of the changelog that were passed, and those that have to be.
    pub done: AtomicU64,
    pub total: AtomicU64,
    cancelled: AtomicBool,
}

impl Default for Progress {
    fn default() -> Self {
        Progress {
            started: Instant::now(),
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            cancelled: AtomicBool::new(false),
        }
    }
}

impl Progress {
    /// The partition is no longer wanted.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// How much is done, from 0 to 1.
    pub fn share(&self) -> f64 {
        let (done, total) = (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed));
        (done as f64 / (total as f64).max(1.0)).min(1.0)
    }

    /// `restored 1.2M of 3.4M, about 2 s left`
    pub fn describe(&self) -> String {
        let (done, total) = (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed));
        if total == 0 {
            return "waits for its turn to be restored".into();
        }
        let rate = done as f64 / self.started.elapsed().as_secs_f64().max(1e-3);
        let left = total.saturating_sub(done) as f64 / rate.max(1.0);
        format!("restored {} of {}, about {left:.0} s left", short(done), short(total))
    }
}

/// A number as people say it: 1.2M.
fn short(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        1_000..1_000_000 => format!("{:.1}k", number as f64 / 1e3),
        _ => format!("{:.1}M", number as f64 / 1e6),
    }
}

/// What the restoring thread is asked for.
#[derive(Debug)]
pub enum Job {
    Restore {
        partition: i32,
        rules: Arc<Rules>,
        progress: Arc<Progress>,
    },
    /// Where the changelog of a partition ends.
    End(i32),
}

/// A partition that is to be restored.
#[derive(Debug, Clone, Copy)]
struct Wanted<'a> {
    partition: i32,
    rules: &'a Arc<Rules>,
    progress: &'a Progress,
}

/// A partition that was restored.
#[derive(Debug)]
pub struct Restored {
    pub leads: Partition,
    pub meta: Meta,
    /// The numbers of the name tables that the changelog has.
    pub written_tables: Vec<u32>,
    /// The group has read part of it: the input goes on at `meta.next_offset`.
    pub has_begun: bool,
}

/// How a job ended.
#[derive(Debug)]
pub enum Ended {
    /// `None`: it was cancelled.
    Restored {
        partition: i32,
        /// Of the job: the partition may have been given up and given back meanwhile.
        progress: Arc<Progress>,
        restored: Result<Option<Box<Restored>>, Error>,
    },
    End {
        partition: i32,
        offset: i64,
    },
}

/// The thread that restores a worker's partitions, one after the other.
#[derive(Debug)]
pub struct Restorer {
    jobs: Option<Sender<Job>>,
    ended: Receiver<Ended>,
    current: Arc<Mutex<Option<Arc<Progress>>>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Restorer {
    /// Starts the thread.
    ///
    /// # Errors
    /// The clients cannot be created, or the system has no thread to give.
    pub fn start(number: usize, settings: Arc<Settings>, waker: Waker) -> Result<Restorer, Error> {
        let (jobs, todo) = mpsc::channel::<Job>();
        let (report, ended) = mpsc::channel();
        let mut clients = Clients::new(settings)?;
        let current = Arc::<Mutex<Option<Arc<Progress>>>>::default();
        let present = current.clone();
        let thread = std::thread::Builder::new().name(format!("restore-{number}")).spawn(move || {
            for job in todo {
                let ended = match job {
                    Job::Restore { partition, rules, progress } => {
                        *lock(&present) = Some(progress.clone());
                        let wanted = Wanted { partition, rules: &rules, progress: &progress };
                        let restored = clients.restore(wanted).map(|restored| restored.map(Box::new));
                        *lock(&present) = None;
                        Ended::Restored { partition, progress, restored }
                    }
                    // Without an answer the checkpoint is given up.
                    Job::End(partition) => match clients.end.watermarks(partition, ANSWER) {
                        Ok((_, offset)) => Ended::End { partition, offset },
                        Err(fault) => {
                            tracing::warn!(partition, %fault, "no checkpoint: the changelog's end is not known");
                            continue;
                        }
                    },
                };
                if report.send(ended).is_err() {
                    return;
                }
                waker.wake();
            }
        });
        let thread = thread.map_err(Error::Thread)?;
        Ok(Restorer { jobs: Some(jobs), ended, current, thread: Some(thread) })
    }

    /// Restores another partition when those before it are done.
    pub fn add(&self, job: Job) {
        // The thread ends only with this.
        let _ = self.jobs.as_ref().map(|jobs| jobs.send(job));
    }

    /// The next partition that was restored.
    pub fn ended(&self) -> Option<Ended> {
        self.ended.try_recv().ok()
    }
}

impl Drop for Restorer {
    fn drop(&mut self) {
        if let Some(progress) = &*lock(&self.current) {
            progress.cancel();
        }
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // Nothing is left to be said.
            let _ = thread.join();
        }
    }
}

struct Clients {
    settings: Arc<Settings>,
    limits: Limits,
    offsets: Consumer,
    end: Consumer,
    changelog: Consumer,
}

/// What is collected while the changelog is read.
struct Collected {
    leads: Partition,
    meta: Option<Meta>,
    tables: BTreeMap<u32, Tables>,
    bytes: Vec<u8>,
}

impl Collected {
    fn take(&mut self, message: &Message<'_>) -> Result<(), Error> {
        let corrupt =
            |reason| Error::Changelog { partition: message.partition(), offset: message.offset(), reason };
        let key = message.key().unwrap_or_default();
        match (changelog::read_key(key).map_err(corrupt)?, message.value()) {
            (Key::Lead(key), Some(value)) => {
                let armed = changelog::read_lead(key, value, &mut self.bytes).map_err(corrupt)?;
                self.leads.restore_unchecked(&self.bytes, armed).map_err(corrupt)?;
            }
            (Key::Lead(key), None) => {
                changelog::lead_prefix(key, &mut self.bytes);
                self.leads.restore_removed(&self.bytes).map_err(corrupt)?;
            }
            (Key::Meta, Some(value)) => self.meta = Some(Meta::read(value).map_err(corrupt)?),
            (Key::Tables(number), Some(value)) => {
                self.tables.insert(number, changelog::read_tables(value).map_err(corrupt)?);
            }
            (Key::Meta | Key::Tables(_), None) => {}
        }
        Ok(())
    }
}

impl Clients {
    fn new(settings: Arc<Settings>) -> Result<Clients, Error> {
        Ok(Clients {
            limits: settings.of_partition(),
            offsets: clients::offsets(&settings)?,
            end: clients::changelog_end(&settings)?,
            changelog: clients::changelog(&settings)?,
            settings,
        })
    }

    fn restore(&mut self, job: Wanted<'_>) -> Result<Option<Restored>, Error> {
        let start = Instant::now();
        let partition = job.partition;
        let wanted = || !job.progress.is_cancelled();
        let Some(committed) = insist(wanted, || self.offsets.committed(partition, ANSWER))? else {
            return Ok(None);
        };
        let Some((low, end)) = insist(wanted, || self.end.watermarks(partition, ANSWER))? else {
            return Ok(None);
        };
        let mut collected = Collected {
            leads: Partition::new(job.rules.clone(), self.limits.clone()),
            meta: None,
            tables: BTreeMap::new(),
            bytes: Vec::new(),
        };
        let from = self.take_checkpoint(job, low, end, &mut collected)?;
        job.progress.total.store((end - from).max(0) as u64, Ordering::Relaxed);
        if !self.read(job, from, end, &mut collected)? {
            return Ok(None);
        }
        failpoints::crash("after-restore");
        let restored = self.finish(job, committed, collected)?;
        tracing::info!(
            partition,
            leads = restored.leads.len(),
            records = end - from,
            from_checkpoint = from > low,
            elapsed_ms = start.elapsed().as_millis() as u64,
            "partition restored"
        );
        Ok(Some(restored))
    }

    /// Takes the leads of a local checkpoint, if there is a good one. Where the changelog goes on from it.
    fn take_checkpoint(
        &self,
        job: Wanted<'_>,
        low: i64,
        end: i64,
        collected: &mut Collected,
    ) -> Result<i64, Error> {
        let Some(dir) = &self.settings.state.dir else { return Ok(low) };
        let file = checkpoint::file(dir, &self.settings.kafka.changelog(), job.partition);
        match Checkpoint::read(&file, low, end, &mut collected.leads) {
            Ok(Some(checkpoint)) => {
                collected.meta = checkpoint.meta;
                collected.tables = checkpoint.tables.into_iter().collect();
                Ok(checkpoint.offset)
            }
            Ok(None) => Ok(low),
            Err(reason) => {
                tracing::warn!(partition = job.partition, %reason, "checkpoint ignored; the whole changelog is read");
                collected.leads = Partition::new(job.rules.clone(), self.limits.clone());
                Ok(low)
            }
        }
    }

    /// Reads what is committed of the changelog up to its end, by position: markers of transactions occupy offsets too.
    /// `false`: cancelled.
    fn read(
        &mut self,
        job: Wanted<'_>,
        from: i64,
        end: i64,
        collected: &mut Collected,
    ) -> Result<bool, Error> {
        if from >= end {
            return Ok(true);
        }
        self.changelog.assign_at(&[(job.partition, from)]).map_err(crate::kafka::Error::Consumer)?;
        let mut told = Instant::now();
        let done = loop {
            if job.progress.is_cancelled() {
                break false;
            }
            let position = match self.changelog.next(LOOK) {
                Some(Found::Record(message)) if message.partition() == job.partition => {
                    failpoints::crash("in-restore");
                    collected.take(&message)?;
                    message.offset() + 1
                }
                Some(Found::End { partition, offset }) if partition == job.partition => offset,
                Some(Found::Failed { fault, .. }) => {
                    tracing::warn!(partition = job.partition, %fault, "the changelog could not be read; tried again");
                    continue;
                }
                _ => continue,
            };
            job.progress.done.store((position - from).max(0) as u64, Ordering::Relaxed);
            if position >= end {
                break true;
            }
            if position % 4_096 == 0 && told.elapsed() >= TELL {
                told = Instant::now();
                tracing::info!(partition = job.partition, progress = job.progress.describe(), "restoring");
            }
        };
        self.changelog.assign_at(&[]).map_err(crate::kafka::Error::Consumer)?;
        self.changelog.discard(&[job.partition]);
        Ok(done)
    }

    fn finish(
        &self,
        job: Wanted<'_>,
        committed: Option<i64>,
        collected: Collected,
    ) -> Result<Restored, Error> {
        let Collected { mut leads, meta, tables, .. } = collected;
        let written_tables = tables.keys().copied().collect();
        if !tables.is_empty() {
            leads.restore_versions(tables.into_iter().collect());
        }
        let window = usize::try_from(self.settings.limits.rejected_window).unwrap_or(usize::MAX);
        let kept = meta.is_some();
        let mut meta = meta.unwrap_or_default();
        meta.breaker = std::mem::take(&mut meta.breaker).resized(window);
        if self.settings.accept_rejections {
            meta.breaker = Breaker::new(window);
        }
        let same_model = meta.fingerprint == job.rules.model.fingerprint;
        let corrupt = |reason| Error::Changelog { partition: job.partition, offset: 0, reason };
        leads.finish_restore(same_model).map_err(corrupt)?;
        leads.restore_stream_time(meta.stream_time_ms, meta.left_over_event);
        match committed {
            Some(offset) if kept && offset != meta.next_offset => {
                tracing::warn!(
                    partition = job.partition,
                    committed = offset,
                    expected = meta.next_offset,
                    "somebody moved the group's offset; what is read twice is recognised as long as a lead remembers it"
                );
                meta.next_offset = offset;
            }
            // Leads were judged, and nothing is left of them: going on would judge them anew, from the middle.
            Some(offset) if !kept && offset > 0 => {
                return Err(Error::ChangelogLost { partition: job.partition, offset });
            }
            Some(offset) => meta.next_offset = offset,
            None if kept => tracing::warn!(
                partition = job.partition,
                offset = meta.next_offset,
                "the group's offset is gone; going on where the changelog ends"
            ),
            None => {}
        }
        Ok(Restored { leads, meta, written_tables, has_begun: committed.is_some() || kept })
    }
}

/// Asks until there is an answer, or until nobody wants it any more.
fn insist<T>(
    wanted: impl Fn() -> bool,
    ask: impl Fn() -> Result<T, crate::kafka::native::Fault>,
) -> Result<Option<T>, Error> {
    let mut told = false;
    while wanted() {
        match ask() {
            Ok(answer) => return Ok(Some(answer)),
            Err(fault) if fault.fatal => return Err(crate::kafka::Error::Consumer(fault).into()),
            Err(fault) => {
                if !std::mem::replace(&mut told, true) {
                    tracing::info!(%fault, "the cluster is asked again where to go on");
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }
    Ok(None)
}

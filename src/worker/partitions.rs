//! A worker's partitions: given, restored, worked on, copied, taken away.

use super::batch::Batch;
use super::checkpoint::{self, Writing};
use super::restore::{Ended, Job, Progress, Restored, Restorer};
use super::status::State;
use super::working::Working;
use super::{Error, Worker, kafka};
use crate::config::Settings;
use crate::core::leads::Cause;
use crate::core::rules::Rules;
use crate::failpoints;
use crate::kafka::native::BEGINNING;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

/// Leads that are copied to a checkpoint in one turn.
const COPIED_AT_ONCE: u32 = 2_000;

/// A partition that was assigned.
enum Held {
    Restoring {
        progress: Arc<Progress>,
    },
    Working(Box<Working>),
    /// Its leads were judged by a later version of the model: nothing may be changed by this one.
    Newer,
}

/// A worker's partitions by their number.
#[derive(Default)]
pub struct Partitions {
    held: Vec<Option<Held>>,
    copies: Vec<Copy>,
    /// Threads that bring checkpoints to the disk.
    finishing: Vec<JoinHandle<()>>,
    /// Commits that were begun, and those that took place.
    handed_over: u64,
    settled: u64,
}

/// A checkpoint of a partition.
struct Copy {
    partition: i32,
    /// When the next one is due.
    due: Instant,
    asked: bool,
    writing: Option<Writing>,
    /// All leads are written; it counts once this commit took place.
    counts_after: Option<u64>,
}

impl Partitions {
    /// The partition, if it is being worked on.
    #[inline]
    pub fn working(&mut self, number: i32) -> Option<&mut Working> {
        match self.held.get_mut(usize::try_from(number).ok()?)? {
            Some(Held::Working(working)) => Some(working),
            _ => None,
        }
    }

    pub fn all_working(&mut self) -> impl Iterator<Item = &mut Working> {
        self.all_working_numbered().map(|(_, working)| working)
    }

    pub fn all_working_numbered(&mut self) -> impl Iterator<Item = (i32, &mut Working)> {
        self.held.iter_mut().enumerate().filter_map(|(number, held)| match held {
            Some(Held::Working(working)) => Some((number as i32, &mut **working)),
            _ => None,
        })
    }

    /// Those that are being worked on, to look at.
    pub fn look(&self) -> impl Iterator<Item = (i32, &Working)> {
        self.held.iter().enumerate().filter_map(|(number, held)| match held {
            Some(Held::Working(working)) => Some((number as i32, &**working)),
            _ => None,
        })
    }

    /// Whether due times are left over that can be fired at once; those of an event wait for its record.
    pub fn have_left_over(&self) -> bool {
        self.look().any(|(_, working)| working.leads.left_over() == Some(Cause::Clock))
    }

    fn slot(&mut self, number: i32) -> &mut Option<Held> {
        let place = usize::try_from(number).unwrap_or(0);
        if place >= self.held.len() {
            self.held.resize_with(place + 1, || None);
        }
        &mut self.held[place]
    }

    /// Whether the partition waits for this restore. If it was given up and given back meanwhile, another is on its way, and
    /// this one may lack what another member did in between.
    fn awaits(&mut self, number: i32, restore: &Arc<Progress>) -> bool {
        matches!(self.slot(number), Some(Held::Restoring { progress }) if Arc::ptr_eq(progress, restore))
    }

    fn remove(&mut self, number: i32) {
        if let Some(Held::Restoring { progress }) = self.slot(number).take() {
            progress.cancel();
        }
        self.copies.retain(|copy| copy.partition != number);
    }

    /// Goes on by another version of the model everywhere.
    pub fn change_model(&mut self, rules: &Arc<Rules>) {
        self.all_working().for_each(|working| working.change_model(rules.clone()));
    }

    /// A commit was begun.
    pub fn note_handed_over(&mut self) {
        self.handed_over += 1;
    }

    /// The commit took place.
    pub fn settle(&mut self) {
        self.settled = self.handed_over;
        self.all_working().for_each(Working::settle);
    }

    /// Where the input goes on after the commit that is under way.
    pub fn handed_offsets(&self) -> impl Iterator<Item = (i32, i64)> {
        self.look().filter_map(|(number, working)| Some((number, working.handed_offset()?)))
    }

    /// What was being copied may be what never took place.
    pub fn cancel_copies(&mut self) {
        self.settled = self.handed_over;
        for copy in &mut self.copies {
            copy.writing = None;
            copy.counts_after = None;
        }
    }

    /// Goes on with the checkpoints that are due.
    pub fn go_on_copying(&mut self, settings: &Settings, restorer: &Restorer, now: Instant) {
        if settings.state.dir.is_none() {
            return;
        }
        let (handed_over, settled) = (self.handed_over, self.settled);
        self.finishing.retain(|thread| !thread.is_finished());
        for copy in &mut self.copies {
            let Some(Some(Held::Working(working))) = self.held.get(copy.partition as usize) else { continue };
            if copy.writing.is_none() && !copy.asked && now >= copy.due {
                copy.asked = true;
                restorer.add(Job::End(copy.partition));
            }
            let Some(writing) = &mut copy.writing else { continue };
            match copy.counts_after {
                None => match writing.go_on(&working.leads, COPIED_AT_ONCE) {
                    // What is applied and not yet handed over goes with the next commit.
                    Ok(true) => copy.counts_after = Some(handed_over + u64::from(working.dirty)),
                    Ok(false) => {}
                    Err(error) => {
                        tracing::warn!(partition = copy.partition, %error, "the checkpoint cannot be written");
                        copy.begin_again(settings, now);
                    }
                },
                Some(commit) if settled >= commit => self.finishing.extend(copy.finish(settings, now)),
                Some(_) => {}
            }
        }
    }

    /// Begins a checkpoint where the changelog ends.
    fn begin_copy(&mut self, settings: &Settings, partition: i32, offset: i64, now: Instant) {
        let Some(dir) = &settings.state.dir else { return };
        let Some(Some(Held::Working(working))) = self.held.get(partition as usize) else { return };
        let Some(copy) = self.copies.iter_mut().find(|copy| copy.partition == partition) else { return };
        copy.asked = false;
        let file = checkpoint::file(dir, &settings.kafka.changelog(), partition);
        match Writing::begin(file, offset, working.kept_meta(), working.leads.versions().known()) {
            Ok(writing) => copy.writing = Some(writing),
            Err(error) => {
                tracing::warn!(partition, %error, folder = %dir.display(), "the checkpoint cannot be written; see state.dir");
                copy.begin_again(settings, now);
            }
        }
    }

    /// Nobody waits for leads any more.
    fn cancel_restores(&self) {
        for held in self.held.iter().flatten() {
            if let Held::Restoring { progress } = held {
                progress.cancel();
            }
        }
    }

    /// Whether a checkpoint is on its way.
    fn is_copying(&self) -> bool {
        self.copies.iter().any(|copy| copy.asked || copy.writing.is_some())
    }
}

impl Copy {
    fn begin_again(&mut self, settings: &Settings, now: Instant) {
        self.writing = None;
        self.counts_after = None;
        self.asked = false;
        self.due = now + settings.state.checkpoint_every;
    }

    fn finish(&mut self, settings: &Settings, now: Instant) -> Option<JoinHandle<()>> {
        let (partition, writing) = (self.partition, self.writing.take());
        self.begin_again(settings, now);
        // The disk may take its time.
        let finish = move || match writing.map(Writing::finish) {
            Some(Err(error)) => tracing::warn!(partition, %error, "the checkpoint cannot be written"),
            _ => tracing::debug!(partition, "checkpoint written"),
        };
        let thread = std::thread::Builder::new().name("checkpoint".into()).spawn(finish);
        thread.inspect_err(|error| tracing::warn!(partition, %error, "the checkpoint cannot be written")).ok()
    }
}

impl Worker {
    /// Partitions are this worker's from now on; each is read when its leads are there.
    pub(super) fn assigned(&mut self, added: &[i32]) -> Result<(), Error> {
        if added.iter().any(|&number| number >= self.input_partitions) {
            let topic = self.settings.input.topics[0].clone();
            return Err(Error::MorePartitions { topic, before: self.input_partitions });
        }
        self.consumer.assign_paused(added).map_err(kafka::Error::Consumer)?;
        added.iter().for_each(|&number| self.restore(number));
        self.status.note_joined();
        tracing::info!(partitions = ?added, "partitions assigned");
        Ok(())
    }

    fn restore(&mut self, number: i32) {
        let progress = Arc::<Progress>::default();
        let rules = self.rules.clone();
        self.status.set(number, State::Restoring(progress.clone()));
        *self.partitions.slot(number) = Some(Held::Restoring { progress: progress.clone() });
        self.restorer.add(Job::Restore { partition: number, rules, progress });
    }

    /// Partitions are to be given up: what was applied is committed before, unless they are another member's already.
    pub(super) fn revoked(&mut self, removed: &[i32]) -> Result<(), Error> {
        let lost = self.consumer.assignment_lost();
        tracing::info!(partitions = ?removed, lost, "partitions revoked");
        failpoints::crash("before-revoke");
        let deadline = Instant::now() + self.settings.shutdown.timeout;
        self.finish_commit(deadline)?;
        if !lost {
            self.hand_over()?;
            self.finish_commit(deadline)?;
        }
        failpoints::crash("in-revoke");
        for &number in removed {
            self.partitions.remove(number);
            self.status.remove(number);
        }
        if lost {
            // Records of all partitions are in one batch, and that of the lost ones is not ours to send.
            self.roll_back()?;
        }
        Ok(self.consumer.unassign(removed).map_err(kafka::Error::Consumer)?)
    }

    /// Takes what the restoring thread has done.
    pub(super) fn take_restored(&mut self) -> Result<(), Error> {
        while let Some(ended) = self.restorer.ended() {
            match ended {
                Ended::End { partition, offset } => {
                    self.partitions.begin_copy(&self.settings, partition, offset, Instant::now());
                }
                Ended::Restored { partition, progress, restored } => {
                    if let Some(restored) = restored?
                        && self.partitions.awaits(partition, &progress)
                    {
                        self.begin_work(partition, *restored)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn begin_work(&mut self, number: i32, restored: Restored) -> Result<(), Error> {
        if let Some(version) = restored.leads.versions().newer_than(&self.rules) {
            tracing::warn!(
                partition = number,
                version,
                this = self.rules.model.version,
                "the partition's leads were judged by a later version of the model; it waits for that version here"
            );
            *self.partitions.slot(number) = Some(Held::Newer);
            self.status.set(number, State::Newer(version));
            return Ok(());
        }
        if restored.meta.breaker.is_tripped(self.settings.limits.rejected_share) {
            return Err(Error::StillTripped(number));
        }
        let start = if restored.has_begun { restored.meta.next_offset } else { BEGINNING };
        let mut working = Working::new(restored.leads, restored.meta, restored.written_tables);
        if !Arc::ptr_eq(&self.rules, working.leads.rules()) {
            working.change_model(self.rules.clone());
        }
        *self.partitions.slot(number) = Some(Held::Working(Box::new(working)));
        self.status.set(number, State::Working);
        self.partitions.copies.push(Copy {
            partition: number,
            due: Instant::now() + self.settings.state.checkpoint_every,
            asked: false,
            writing: None,
            counts_after: None,
        });
        Ok(self.consumer.read_from(number, start).map_err(kafka::Error::Consumer)?)
    }

    /// The broker says that it does not have the offset where the input goes on.
    pub(super) fn find_place(&mut self, number: i32) -> Result<(), Error> {
        let Some(working) = self.partitions.working(number) else { return Ok(()) };
        let next = working.next_offset;
        let (low, high) =
            self.consumer.watermarks(number, super::ANSWER_TIMEOUT).map_err(kafka::Error::Consumer)?;
        if next > high {
            return Err(Error::Truncated { partition: number, next, high });
        }
        if next < low {
            tracing::error!(
                partition = number,
                records = low - next,
                "records were deleted by the topic's retention before they were read; going on with the first that is there"
            );
            working.next_offset = low;
        } else {
            tracing::debug!(
                partition = number,
                offset = next,
                "the broker did not have an offset that it has"
            );
        }
        let next = working.next_offset;
        Ok(self.consumer.read_from(number, next).map_err(kafka::Error::Consumer)?)
    }

    /// Goes on by another version of the model.
    pub(super) fn change_model(&mut self, rules: Arc<Rules>) {
        let Batch { tally, effects, .. } = &mut self.batch;
        tally.take_facts(&self.rules, effects);
        self.rules = rules;
        self.partitions.change_model(&self.rules);
        // Those that waited for it are restored; restores for the one before are taken over when they are done.
        for number in 0..self.partitions.held.len() {
            if matches!(self.partitions.held[number], Some(Held::Newer)) {
                self.restore(number as i32);
            }
        }
    }

    /// Before a clean end: copies all leads, so that the next start reads next to nothing.
    pub(super) fn copy_all(&mut self, deadline: Instant) -> Result<(), Error> {
        if self.settings.state.dir.is_none() {
            return Ok(());
        }
        let now = Instant::now();
        self.partitions.cancel_restores();
        self.partitions.copies.iter_mut().for_each(|copy| copy.due = now);
        loop {
            self.partitions.go_on_copying(&self.settings, &self.restorer, now);
            self.take_restored()?;
            let open = self.partitions.copies.iter().any(|copy| copy.due <= now);
            if !open && !self.partitions.is_copying() || Instant::now() >= deadline {
                break;
            }
            if !self.partitions.copies.iter().any(|copy| copy.writing.is_some()) {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        }
        for thread in self.partitions.finishing.drain(..) {
            // It has logged what went wrong.
            let _ = thread.join();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restore_of_an_earlier_assignment_is_not_taken() {
        let mut partitions = Partitions::default();
        let (earlier, later) = (Arc::<Progress>::default(), Arc::<Progress>::default());
        *partitions.slot(3) = Some(Held::Restoring { progress: earlier.clone() });
        assert!(partitions.awaits(3, &earlier));
        partitions.remove(3);
        assert!(!partitions.awaits(3, &earlier));
        *partitions.slot(3) = Some(Held::Restoring { progress: later.clone() });
        assert!(!partitions.awaits(3, &earlier));
        assert!(partitions.awaits(3, &later));
    }
}

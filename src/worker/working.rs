//! A partition that is being worked on: its leads, and what of it is committed.

use super::breaker::Breaker;
use crate::changelog::{self, Meta};
use crate::core::leads::Cause;
use crate::core::partition::Partition;
use crate::core::rules::Rules;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A partition with its leads.
#[derive(Debug)]
pub struct Working {
    pub leads: Partition,
    /// The offset after the last record that was applied.
    pub next_offset: i64,
    pub breaker: Breaker,
    /// Something happened that the changelog has not heard of.
    pub dirty: bool,
    /// Since when everything has been read, and the offset at which the next record is to come.
    empty_since: Option<(Instant, i64)>,
    /// An end after which records came that do not follow it; it is looked at once more.
    doubted: Option<i64>,
    /// Wakes, idle ones of them, and leads forgotten that were told.
    told: (u64, u64, u64),
    /// Numbers of the name tables that the changelog has.
    written_tables: Vec<u32>,
    /// What is committed, and what is being committed.
    committed: Snapshot,
    handed: Option<Snapshot>,
}

/// What a commit settles, besides the leads.
#[derive(Debug, Clone)]
struct Snapshot {
    meta: Meta,
    written_tables: Vec<u32>,
}

impl Working {
    /// Goes on with leads that were restored. `written_tables`: the numbers that the changelog has.
    pub fn new(mut leads: Partition, meta: Meta, written_tables: Vec<u32>) -> Working {
        leads.track_changes();
        let committed = Snapshot { meta: meta.clone(), written_tables: written_tables.clone() };
        Working {
            leads,
            next_offset: meta.next_offset,
            breaker: meta.breaker,
            dirty: false,
            empty_since: None,
            doubted: None,
            told: (0, 0, 0),
            written_tables,
            committed,
            handed: None,
        }
    }

    /// Wakes, idle ones of them, and leads forgotten since the last time that somebody asked.
    pub fn untold(&mut self) -> (u64, u64, u64) {
        let wakes = self.leads.wakes();
        let now = (wakes.all, wakes.idle, self.leads.forgotten());
        let before = std::mem::replace(&mut self.told, now);
        (now.0 - before.0, now.1 - before.1, now.2 - before.2)
    }

    /// Everything before this offset has been read.
    pub fn note_end(&mut self, offset: i64, now: Instant) {
        let since = self.empty_since.map_or(now, |(since, _)| since);
        self.empty_since = Some((since, offset));
    }

    /// Whether records may have been passed over before this one: it does not follow the end that was reached. Markers of
    /// transactions occupy offsets too, so the second time it is as it should be.
    ///
    /// librdkafka (2.12) counts the sign of the end as a record when many are fetched at once, and goes on one record too
    /// far after a rebalance.
    pub fn doubts(&mut self, offset: i64) -> bool {
        match self.empty_since {
            Some((_, end)) if offset > end && self.doubted != Some(end) => {
                self.doubted = Some(end);
                true
            }
            _ => false,
        }
    }

    /// A record came.
    pub fn note_record(&mut self, offset: i64) {
        self.next_offset = offset + 1;
        self.empty_since = None;
        self.dirty = true;
    }

    /// Whether it has been empty for so long that its time goes on with the wall clock.
    pub fn is_idle(&self, idle: Duration, now: Instant) -> bool {
        self.empty_since.is_some_and(|(since, _)| now.saturating_duration_since(since) >= idle)
    }

    pub fn is_at_end(&self) -> bool {
        self.empty_since.is_some()
    }

    /// Where the input goes on after the last commit.
    pub fn committed_offset(&self) -> i64 {
        self.committed.meta.next_offset
    }

    /// What the last commit kept besides the leads.
    pub fn committed_meta(&self) -> &Meta {
        &self.committed.meta
    }

    /// Where the input goes on after the commit that is under way or just took place.
    pub fn handed_offset(&self) -> Option<i64> {
        self.handed.as_ref().map(|handed| handed.meta.next_offset)
    }

    /// What is to be kept besides the leads.
    pub fn meta(&self) -> Meta {
        Meta {
            stream_time_ms: self.leads.stream_time_ms(),
            left_over_event: self.leads.left_over() == Some(Cause::Event),
            next_offset: self.next_offset,
            fingerprint: self.leads.rules().model.fingerprint,
            breaker: self.breaker.clone(),
        }
    }

    /// Keys and values of name tables that the changelog does not have; from now on it counts as having them.
    pub fn unwritten_tables(&mut self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let known = self.leads.versions().known();
        let new = known.iter().filter(|(number, _)| !self.written_tables.contains(number));
        let new: Vec<_> = new.collect();
        let records = new
            .iter()
            .map(|(number, tables)| (changelog::tables_key(*number), changelog::write_tables(tables)));
        let records = records.collect();
        let numbers: Vec<u32> = new.iter().map(|(number, _)| *number).collect();
        self.written_tables.extend(numbers);
        records
    }

    /// Goes on by another version of the model.
    pub fn change_model(&mut self, rules: Arc<Rules>) {
        self.leads.change_model(rules);
        self.dirty = true;
    }

    /// All changes are in the transaction that is committed now.
    pub fn hand_over(&mut self) {
        self.handed = Some(Snapshot { meta: self.meta(), written_tables: self.written_tables.clone() });
        self.leads.hand_over();
        self.dirty = false;
    }

    /// What was handed over is committed.
    pub fn settle(&mut self) {
        if let Some(handed) = self.handed.take() {
            self.committed = handed;
            self.leads.committed();
        }
    }

    /// Nothing since the last commit took place. The input has to be read again from [`Working::committed_offset`].
    pub fn roll_back(&mut self) {
        let Snapshot { meta, written_tables } = self.committed.clone();
        self.handed = None;
        self.leads.roll_back(meta.stream_time_ms, meta.left_over_event);
        self.next_offset = meta.next_offset;
        self.breaker = meta.breaker;
        self.written_tables = written_tables;
        self.empty_since = None;
        // Its model may not be the one that the changelog knows.
        self.dirty = self.leads.rules().model.fingerprint != meta.fingerprint;
    }
}

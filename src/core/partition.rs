//! The leads of one input partition.

use crate::event::{Reason, Rejection};
use crate::model::Model;
use std::sync::Arc;

/// What one record came to: the label of a counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Applied,
    Ignored,
    Duplicate,
    Spend,
    Tombstone,
    Rejected(Rejection),
}

/// One input record.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// `None`: a tombstone.
    pub value: Option<&'a [u8]>,
    /// The record's own timestamp in ms, if it has one.
    pub timestamp_ms: Option<i64>,
}

/// Limits of SPEC §11 that decide about records and leads.
#[derive(Debug, Clone)]
pub struct Limits {
    pub event_bytes: usize,
    pub future_skew_ms: i64,
    pub dedup_window_ms: i64,
    pub dedup_ids: usize,
    pub grace_ms: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            event_bytes: 262_144,
            future_skew_ms: 5 * 60_000,
            dedup_window_ms: 24 * 3_600_000,
            dedup_ids: 64,
            grace_ms: 10_000,
        }
    }
}

/// Which output topic a record belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    Transitions,
    Alerts,
    Slas,
    Scores,
}

/// A record to send, borrowed from [`Effects`].
#[derive(Debug, Clone, Copy)]
pub struct Output<'a> {
    pub topic: Topic,
    /// The key.
    pub lead: &'a str,
    /// `ce_id` is `<lead>/<seq>`.
    pub seq: u64,
    /// The clock at which it was decided: `ce_time`.
    pub at_ms: i64,
    /// The value: JSON.
    pub data: &'a [u8],
}

/// What applying records asks the caller to do. Reused: `clear` keeps the buffers.
#[derive(Debug, Default)]
pub struct Effects {}

impl Effects {
    pub fn clear(&mut self) {}

    /// The records to send, in order.
    pub fn outputs(&self) -> impl Iterator<Item = Output<'_>> {
        std::iter::empty()
    }
}

/// The leads of one partition: their bytes, their timers, the stream time.
#[derive(Debug)]
pub struct Partition {}

impl Partition {
    pub fn new(_model: Arc<Model>, _limits: Limits) -> Partition {
        todo!()
    }

    /// Applies one record: fires what it ripens, then judges it. `wall_ms` caps the stream time (`None`: `replay`).
    /// Effects are appended.
    pub fn apply(&mut self, _record: Record<'_>, _wall_ms: Option<i64>, _effects: &mut Effects) -> Outcome {
        todo!()
    }
}

#[allow(unused)]
fn unused(_: Reason) {}

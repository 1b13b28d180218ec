//! Everything that decides about a lead. Knows no Kafka, no tokio, no clock: time is an argument, a deadline is a
//! return value, effects are returned.
//!
//! - [`partition`]: records in, effects out; [`leads`]: the leads of one partition, their timers, the stream time;
//!   [`changes`]: what of them is not committed yet
//! - [`apply`]: what an event leaves with its lead; [`settle`]: what an input brings about, with [`alert`] and [`sla`]
//! - [`judge`]: scores and conditions, at a moment or over a span; [`due`]: the next second that matters, by [`curve`]
//! - [`contribution`]: points and their decay; [`attribution`]: touches and credit
//! - [`lead`]: a lead as it is worked on; [`codec`]: its bytes; [`store`] and [`timers`]: where it waits
//! - [`tables`]: the names behind a lead's numbers, with what conditions [mean](meaning); [`migrate`]: a lead of an older
//!   model becomes one of the present; [`versions`]: those that a partition's leads refer to
//! - [`inspect`]: looks at a lead without changing it
//! - [`report`]: fills the public records; [`effects`]: the records to send, and the [`facts`] beside them
//! - [`census`]: how many leads are where

pub mod alert;
pub mod apply;
pub mod attribution;
pub mod bits;
pub mod census;
pub mod changes;
pub mod codec;
pub mod contribution;
pub mod curve;
pub mod due;
pub mod effects;
pub mod facts;
pub mod inspect;
pub mod judge;
pub mod lead;
pub mod leads;
pub mod meaning;
pub mod memo;
pub mod message_ids;
pub mod migrate;
pub mod partition;
pub mod pool;
pub mod report;
pub mod rules;
pub mod settle;
pub mod sla;
pub mod store;
pub mod tables;
pub mod timers;
pub mod varint;
pub mod versions;

#[cfg(test)]
mod tests;

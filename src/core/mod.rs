//! Everything that decides about a lead. Knows no Kafka, no tokio, no clock: time is an argument, a deadline is a
//! return value, effects are returned.
//!
//! - [`partition`]: records in, effects out; the leads of one partition, their timers, the stream time
//! - [`apply`]: what an event leaves with its lead; [`settle`]: what an input brings about, with [`alert`] and [`sla`]
//! - [`judge`]: scores and conditions, at a moment or over a span; [`due`]: the next second that matters, by [`curve`]
//! - [`contribution`]: points and their decay; [`attribution`]: touches and credit
//! - [`lead`]: a lead as it is worked on; [`codec`]: its bytes; [`store`] and [`timers`]: where it waits
//! - [`report`]: fills the public records; [`effects`]: the records to send

pub mod alert;
pub mod apply;
pub mod attribution;
pub mod bits;
pub mod codec;
pub mod contribution;
pub mod curve;
pub mod due;
pub mod effects;
pub mod judge;
pub mod lead;
pub mod memo;
pub mod message_ids;
pub mod partition;
pub mod pool;
pub mod report;
pub mod rules;
pub mod settle;
pub mod sla;
pub mod store;
pub mod timers;
pub mod varint;

#[cfg(test)]
mod tests;

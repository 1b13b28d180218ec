//! Everything that decides about a lead. Knows no Kafka, no tokio, no clock: time is an argument, a deadline is a
//! return value, effects are returned.

pub mod partition;

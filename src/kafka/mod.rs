//! Everything that touches librdkafka.

pub mod properties;

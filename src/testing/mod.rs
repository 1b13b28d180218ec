//! Tests of a model, written by its owners in YAML, and how they are run: `qualifyd test`.
//!
//! - [`file`]: a file as its writers see it; its JSON Schema · `read`: from YAML · `names`: what the model must know
//! - [`events`]: the short forms as events · [`play`]: through the engine · [`expect`]: what differs
//! - [`coverage`]: what of the model takes part · [`run`]: all files of a call · [`report`]: text, JSON, JUnit

pub mod coverage;
pub mod events;
pub mod expect;
pub mod file;
mod names;
pub mod play;
mod read;
pub mod report;
pub mod run;

#[cfg(test)]
mod tests;

pub use file::{File, json_schema};
pub use names::check as check_names;
pub use read::read;

//! The scoring model: YAML → checked → compiled.

pub mod compiled;
pub mod matcher;

pub use compiled::Model;

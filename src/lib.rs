//! qualifyd: a lead-qualification engine.
#![forbid(unsafe_code)]

pub mod check;
pub mod core;
pub mod event;
pub mod model;
pub mod records;

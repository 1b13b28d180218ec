//! qualifyd: a lead-qualification engine.
#![forbid(unsafe_code)]

pub mod config;
pub mod core;
pub mod duration;
pub mod event;
pub mod kafka;
pub mod model;
pub mod output;
pub mod run;
pub mod suggest;
pub mod worker;

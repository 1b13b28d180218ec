//! qualifyd: a lead-qualification engine. It reads engagement events, keeps every lead's score with time decay, moves
//! leads through the funnel, and says what happened: stage transitions, alerts, SLAs, scores.
//!
//! - [`model`]: the scoring model, YAML → checked → compiled
//! - [`event`]: from a record's bytes to an event
//! - [`core`]: everything that decides about a lead; pure
//! - [`records`], [`json`], [`output`], [`schema`]: what comes out, its CloudEvents headers, its JSON Schemas
//! - [`words`]: the model in plain English; [`describe`], [`diff`]: pages and changes in these words
//! - [`replay`], [`check`], [`input`]: the offline commands
//! - [`testing`]: tests of a model; [`story`]: the story of one lead; [`new`]: a model to start from
//! - [`run`], [`worker`], [`changelog`], [`kafka`], [`config`]: the daemon; [`metrics`], [`http`]: what it shows
//! - [`shared`]: the clock, and a lock
//! - [`cli`]: commands and their help
// Unsafe code is allowed in one place, which says why: `kafka::native`.
#![deny(unsafe_code)]

pub mod changelog;
pub mod check;
pub mod cli;
pub mod config;
pub mod core;
pub mod dead_letters;
pub mod demo;
pub mod describe;
pub mod diff;
pub mod duration;
pub mod event;
pub mod failpoints;
pub mod generate;
pub mod http;
pub mod input;
pub mod json;
pub mod kafka;
pub mod metrics;
pub mod model;
pub mod new;
pub mod output;
pub mod pace;
pub mod records;
pub mod replay;
pub mod run;
pub mod schema;
pub mod shared;
pub mod story;
pub mod suggest;
pub mod testing;
pub mod words;
pub mod worker;

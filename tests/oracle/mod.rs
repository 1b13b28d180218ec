//! A second, deliberately simple implementation of the contract, to compare the engine with.
//!
//! It keeps every event of every lead and recomputes everything from all of them, each time: scores,
//! `seen`, traits and touches are pure functions of a lead's events, its resets and a clock. It shares
//! no code with the engine. Slow and clear is the point: where the two differ, one of them is wrong.
//!
//! Where the contract leaves a choice, a comment that starts with "Choice:" stands at the place.
#![allow(dead_code, unused_imports, reason = "each test binary uses a part of this module")]

pub mod attribution;
pub mod by_hand;
pub mod compare;
pub mod condition;
pub mod doc;
pub mod engine;
pub mod event;
pub mod history;
pub mod lead;
pub mod matcher;
pub mod model;
pub mod reader;
pub mod record;
pub mod replay;
pub mod score;
pub mod shrink;
pub mod time;
pub mod turn;

pub mod generate;

pub use model::Model;
pub use replay::{Options, replay};

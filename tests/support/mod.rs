//! What the integration tests share.
#![allow(dead_code)] // every test binary uses a part of it

pub mod broker;
pub mod daemon;
pub mod expected;
pub mod kafka;
pub mod process;
pub mod python;
pub mod stream;

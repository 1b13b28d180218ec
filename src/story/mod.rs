//! The story of one lead, as data and as text.

pub mod words;

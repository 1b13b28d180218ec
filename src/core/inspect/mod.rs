//! Looks at a lead without changing anything: for the story that people ask for, for tests of a model, and for the
//! daemon's answers about one lead. Everything is asked of [`super::judge`] and its kin, nothing is worked out anew.
//!
//! - [`check`]: a condition with what it looks at, part by part
//! - [`view`]: scores with all that they are made of, alerts, SLAs · [`ways`]: the transitions that lead on, and what
//!   each of them lacks · [`forecast`]: what time alone will bring

pub mod check;
pub mod forecast;
pub mod view;
pub mod ways;

use super::codec::{self, Corrupt, Told};
use super::lead::Lead;
use super::partition::Partition;
use super::rules::Rules;

pub use check::{Check, CheckKind, check};
pub use forecast::{Forecast, forecast, next_due};
pub use view::{View, view};
pub use ways::{Way, ways};

/// A lead's id and what is known of it, from its bytes.
///
/// # Errors
/// If the bytes are not those of a lead of this model.
pub fn decode(rules: &Rules, bytes: &[u8]) -> Result<(String, Lead), Corrupt> {
    let (mut lead, mut id) = (Lead::default(), String::new());
    codec::decode(bytes, &rules.bounds, &mut lead, &mut Told::default(), &mut id)?;
    Ok((id, lead))
}

/// The lead with this id, if the partition has it; looks through all leads.
pub fn find(rules: &Rules, partition: &Partition, id: &str) -> Option<Lead> {
    let mut leads = partition.lead_bytes().filter_map(|bytes| decode(rules, bytes).ok());
    leads.find(|(found, _)| found == id).map(|(_, lead)| lead)
}

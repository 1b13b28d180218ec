//! What was decided, for whoever counts it: beside each record, and where there is none. Everything is told by the
//! indices of the model that decided it.

use crate::model::compiled::{AlertId, ChannelId, SlaId, StageId, TraitId, TransitionId};
use crate::records::SlaState;

/// Something that was decided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fact {
    Transition {
        id: TransitionId,
        from: StageId,
        to: StageId,
        /// It was in `to` before.
        entered_before: bool,
        /// Milliseconds in `from`.
        in_from_ms: i64,
        /// Milliseconds since the lead's first event.
        age_ms: i64,
    },
    /// An alert fired at this clock, ms; it may yet be too old to be sent.
    Alert {
        id: AlertId,
        at_ms: i64,
    },
    Sla {
        id: SlaId,
        state: SlaState,
        elapsed_ms: i64,
    },
    /// A transition would have fired if the trait had been known.
    Missing(TraitId),
    /// Credit on the entry into a stage; `model`: index into the attribution's models.
    Credit {
        stage: StageId,
        model: u8,
        channel: ChannelId,
        weight: f64,
    },
    /// The part of an event's value that goes to a channel; none: the lead has no touches. `weight`: of the purchase.
    Value {
        model: u8,
        channel: Option<ChannelId>,
        value: f64,
        weight: f64,
    },
    /// Money spent; no channel: one that the model does not name.
    Spend {
        channel: Option<ChannelId>,
        amount: f64,
    },
    /// Spend without a channel or without an amount.
    UnusableSpend,
}

//! SLAs (SPEC §6): started, due, past due, met, breached or cancelled.

use super::effects::Topic;
use super::facts::Fact;
use super::lead::{Lead, SlaHeld};
use super::settle::Settling;
use crate::model::compiled::*;
use crate::records::{self, Moment, Seconds, SlaState};

impl Settling<'_> {
    /// Running SLAs whose `due` or `past_due` has passed at the clock.
    pub(super) fn due_slas(&mut self) {
        for at in 0..self.lead.slas.len() {
            let held = self.lead.slas[at];
            let sla = &self.model().slas[usize::from(held.id)];
            let elapsed = self.clock() - held.started_at;
            if !held.due_sent && elapsed >= sla.due {
                self.lead.slas[at].due_sent = true;
                self.send_sla(held, SlaState::Due, elapsed);
            }
            if !held.past_due_sent && sla.past_due.is_some_and(|past_due| elapsed >= past_due) {
                self.lead.slas[at].past_due_sent = true;
                self.send_sla(held, SlaState::PastDue, elapsed);
            }
        }
    }

    /// Stops, and after each SLA's stop its cancel.
    pub(super) fn stop_slas(&mut self) {
        for id in 0..self.model().slas.len() as SlaId {
            let Some(&held) = self.lead.sla(id) else { continue };
            let sla = &self.model().slas[usize::from(id)];
            let (state, elapsed) = if let Some(elapsed) = self.elapsed_at(sla.stop, held) {
                let met = elapsed < sla.due;
                (if met { SlaState::Met } else { SlaState::Breached }, elapsed)
            } else if let Some(elapsed) = sla.cancel.and_then(|cancel| self.elapsed_at(cancel, held)) {
                (SlaState::Cancelled, elapsed)
            } else {
                continue;
            };
            self.lead.slas.retain(|running| running.id != id);
            self.send_sla(held, state, elapsed);
        }
    }

    /// The time from the start to the edge, if this input brings it about. A signal older than the start does not.
    fn elapsed_at(&self, edge: Edge, held: SlaHeld) -> Option<i64> {
        let elapsed = match edge {
            Edge::On(on) => self.in_hand.filter(|in_hand| in_hand.is(on))?.event.time_ms - held.started_at,
            Edge::Enter(stage) if self.entered(stage) => self.clock() - held.started_at,
            Edge::Leave(stage) if self.left(stage) => self.clock() - held.started_at,
            Edge::Enter(_) | Edge::Leave(_) => return None,
        };
        (elapsed >= 0).then_some(elapsed)
    }

    pub(super) fn start_slas(&mut self) {
        for id in 0..self.model().slas.len() as SlaId {
            let started_at = match self.model().slas[usize::from(id)].start {
                Edge::On(on) => {
                    self.in_hand.filter(|in_hand| in_hand.is(on)).map(|in_hand| in_hand.event.time_ms)
                }
                Edge::Enter(stage) => {
                    (self.entered(stage) && self.lead.stage == stage).then_some(self.clock())
                }
                Edge::Leave(_) => None,
            };
            let place = self.lead.slas.binary_search_by_key(&id, |held| held.id);
            if let (Some(started_at), Err(place)) = (started_at, place) {
                let held = SlaHeld { id, started_at, due_sent: false, past_due_sent: false };
                self.lead.slas.insert(place, held);
            }
        }
    }

    fn send_sla(&mut self, held: SlaHeld, state: SlaState, elapsed: i64) {
        let sla = &self.model().slas[usize::from(held.id)];
        self.effects.note(Fact::Sla { id: held.id, state, elapsed_ms: elapsed });
        self.send(Topic::Slas, |common, _, push| {
            push.record(&records::Sla {
                common,
                sla: &sla.name,
                state,
                started_at: Moment(held.started_at),
                due_at: Moment(held.started_at + sla.due),
                elapsed_seconds: Seconds(elapsed),
            })
        });
    }
}

/// Whether a running SLA becomes due or past due at or before `clock`.
pub fn is_due(slas: &[Sla], lead: &Lead, clock: i64) -> bool {
    lead.slas.iter().any(|held| {
        let (sla, elapsed) = (&slas[usize::from(held.id)], clock - held.started_at);
        !held.due_sent && elapsed >= sla.due
            || !held.past_due_sent && sla.past_due.is_some_and(|past_due| elapsed >= past_due)
    })
}

//! Alerts (SPEC §6): armed, fired, disarmed, re-armed.

use super::effects::Topic;
use super::facts::Fact;
use super::judge::{Judge, Truth};
use super::lead::{AlertHeld, Lead};
use super::settle::Settling;
use crate::model::compiled::*;
use crate::records;

impl Settling<'_> {
    /// Judges every alert once.
    pub(super) fn alerts(&mut self) {
        for id in 0..self.model().alerts.len() as AlertId {
            let alert = &self.model().alerts[usize::from(id)];
            match alert.on {
                Some(on) => {
                    if self.matched(on)
                        && cooled_down(self.lead, id, alert, self.clock())
                        && alert.when.as_ref().is_none_or(|when| self.holds(when))
                    {
                        self.send_alert(id);
                    }
                }
                None => self.judge_armed(id),
            }
        }
    }

    /// First re-arm, then fire.
    fn judge_armed(&mut self, id: AlertId) {
        let alert = &self.model().alerts[usize::from(id)];
        let Some(when) = &alert.when else { return };
        let held = self.lead.alert(id);
        let when_holds = self.holds(when);
        if held.disarmed {
            if !when_holds && alert.rearm.as_ref().is_none_or(|rearm| self.holds(rearm)) {
                self.lead.set_alert(AlertHeld { disarmed: false, ..held });
                self.happened = true;
            }
        } else if when_holds && cooled_down(self.lead, id, alert, self.clock()) {
            self.send_alert(id);
        }
    }

    fn send_alert(&mut self, id: AlertId) {
        let model = self.model();
        let alert = &model.alerts[usize::from(id)];
        let route = match &alert.route {
            Route::None => None,
            Route::To(name) => Some(name.as_str()),
            Route::FirstOf(routes) => {
                let mut routes = routes.iter();
                let route = routes.find(|(when, _)| when.as_ref().is_none_or(|when| self.holds(when)));
                route.map(|(_, to)| to.as_str())
            }
        };
        self.effects.note(Fact::Alert { id, at_ms: self.clock() });
        self.send(Topic::Alerts, |common, _, push| {
            let (alert, priority) = (alert.name.as_str(), alert.priority.as_deref());
            push.record(&records::Alert { common, alert, route, priority })
        });
        let fired_at = Some(self.clock());
        self.lead.set_alert(AlertHeld { id, disarmed: alert.on.is_none(), fired_at });
    }
}

/// Whether the cooldown is over at a clock.
fn cooled_down(lead: &Lead, id: AlertId, alert: &Alert, clock: i64) -> bool {
    lead.alert(id).fired_at.is_none_or(|fired_at| clock - fired_at >= alert.cooldown)
}

/// Whether time alone may fire or re-arm the alert somewhere in the judge's span, which ends at `end`.
pub fn may_change(judge: &mut Judge<'_>, id: AlertId, end: i64) -> bool {
    let model = judge.model;
    let alert = &model.alerts[usize::from(id)];
    let Some(when) = &alert.when else { return false };
    if judge.lead.alert(id).disarmed {
        let truth = judge.holds(when).negated();
        truth.and(|| alert.rearm.as_ref().map_or(Truth::Yes, |rearm| judge.holds(rearm))).possible()
    } else {
        cooled_down(judge.lead, id, alert, end) && judge.holds(when).possible()
    }
}

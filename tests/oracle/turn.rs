//! One input to a lead, an event or a due time, and what it brings about (§5, §6).

use serde_json::{Map, Value, json};

use super::attribution;
use super::condition::{Condition, View};
use super::lead::{LastScore, Lead, Running, Seen};
use super::matcher::number;
use super::model::{Alert, From, Model, Moment, On, Transition, trait_path};
use super::record::{self, Cause, seconds};
use super::score::round;
use super::time;

const REASON_BYTES: usize = 1024;

pub struct Turn<'a> {
    model: &'a Model,
    lead: &'a mut Lead,
    /// The event in hand; none: time.
    event: Option<&'a Seen>,
    records: Vec<Value>,
    rearmed: bool,
    entered: Vec<usize>,
    left: Vec<usize>,
}

pub struct Outcome {
    pub records: Vec<Value>,
    /// Whether an alert was armed again.
    pub rearmed: bool,
}

impl Outcome {
    pub fn is_something(&self) -> bool {
        self.rearmed || !self.records.is_empty()
    }
}

/// Judges a lead at its clock, which the caller has set, after the event in hand was added to it.
pub fn take(model: &Model, lead: &mut Lead, event: Option<&Seen>) -> Outcome {
    let mut turn = Turn {
        model,
        lead,
        event,
        records: Vec::new(),
        rearmed: false,
        entered: Vec::new(),
        left: Vec::new(),
    };
    turn.pass_dues();
    turn.cascade();
    turn.end_slas();
    turn.start_slas();
    turn.judge_alerts();
    turn.tell_score();
    Outcome { records: turn.records, rearmed: turn.rearmed }
}

impl Turn<'_> {
    fn view(&self) -> View<'_> {
        View { model: self.model, lead: self.lead, clock: self.lead.clock }
    }

    fn holds(&self, condition: Option<&Condition>) -> bool {
        condition.is_none_or(|condition| self.view().holds(condition))
    }

    fn is_on(&self, on: &On) -> bool {
        let Some(event) = self.event else { return false };
        match on {
            On::Signal(signal) => event.signals.contains(signal),
            On::Activity => event.signals.iter().any(|signal| self.model.signals[*signal].activity),
        }
    }

    fn tell(&mut self, kind: &str, own: Map<String, Value>) {
        let cause = Cause { model: self.model, event: self.event };
        let record = record::with_common_fields(&self.view(), &cause, own);
        self.lead.seq += 1;
        self.records.push(record::line(kind, self.lead, record));
    }

    // ---- SLAs ----

    fn pass_dues(&mut self) {
        for at in 0..self.model.slas.len() {
            let sla = &self.model.slas[at];
            let Some(running) = self.lead.slas[at].clone() else { continue };
            let elapsed = self.lead.clock - running.started_at;
            if !running.due_told && elapsed >= sla.due {
                self.running(at).due_told = true;
                self.tell_sla(at, "due", running.started_at, elapsed);
            }
            if !running.past_due_told && sla.past_due.is_some_and(|past_due| elapsed >= past_due) {
                self.running(at).past_due_told = true;
                self.tell_sla(at, "past_due", running.started_at, elapsed);
            }
        }
    }

    fn running(&mut self, sla: usize) -> &mut Running {
        self.lead.slas[sla].as_mut().expect("a running SLA")
    }

    fn tell_sla(&mut self, at: usize, state: &str, started_at: i64, elapsed: i64) {
        let sla = &self.model.slas[at];
        let own = json!({
            "sla": sla.name,
            "state": state,
            "started_at": time::write(started_at),
            "due_at": time::write(started_at + sla.due),
            "elapsed_seconds": seconds(elapsed),
        });
        self.tell("sla", record::fields(own));
    }

    /// When a moment came, if it came with this input.
    fn time_of(&self, moment: &Moment) -> Option<i64> {
        match moment {
            Moment::On(on) => self.is_on(on).then(|| self.event.expect("an event in hand").time),
            Moment::Enter(stage) => self.entered.contains(stage).then_some(self.lead.clock),
            Moment::Leave(stage) => self.left.contains(stage).then_some(self.lead.clock),
        }
    }

    fn end_slas(&mut self) {
        for at in 0..self.model.slas.len() {
            let sla = &self.model.slas[at];
            let Some(Running { started_at, .. }) = self.lead.slas[at] else { continue };
            let ends = |moment: &Moment| self.time_of(moment).filter(|time| *time >= started_at);
            let (state, end) = if let Some(end) = ends(&sla.stop) {
                (if end - started_at < sla.due { "met" } else { "breached" }, end)
            } else if let Some(end) = sla.cancel.as_ref().and_then(ends) {
                ("cancelled", end)
            } else {
                continue;
            };
            self.lead.slas[at] = None;
            self.tell_sla(at, state, started_at, end - started_at);
        }
    }

    fn start_slas(&mut self) {
        for at in 0..self.model.slas.len() {
            let start = &self.model.slas[at].start;
            let in_stage = match start {
                Moment::Enter(stage) => self.lead.stage == *stage,
                _ => true,
            };
            if let Some(started_at) = self.time_of(start).filter(|_| in_stage)
                && self.lead.slas[at].is_none()
            {
                self.lead.slas[at] = Some(Running { started_at, due_told: false, past_due_told: false });
            }
        }
    }

    // ---- Transitions ----

    fn cascade(&mut self) {
        let mut fired = Vec::new();
        while let Some(next) = self.next_transition(&fired) {
            fired.push(next);
            self.fire(next);
        }
        if fired.is_empty() {
            return;
        }
        if let Some(value) = self.value() {
            let last = self.records.last_mut().expect("the record of the last transition");
            last["data"]["value"] = value;
        }
    }

    fn next_transition(&mut self, fired: &[usize]) -> Option<usize> {
        (0..self.model.transitions.len()).find(|at| {
            let spent = self.event.is_none() && self.lead.fired_by_time.contains(at);
            !fired.contains(at) && !spent && self.would_fire(*at)
        })
    }

    /// Whether a transition fires now; notes it as pending if only `requires` holds it back.
    fn would_fire(&mut self, at: usize) -> bool {
        let transition = &self.model.transitions[at];
        let lead = &*self.lead;
        let from = match &transition.from {
            From::Any => lead.stage != transition.to,
            From::These(stages) => stages.contains(&lead.stage),
        };
        let on = transition.on.as_ref().is_none_or(|on| self.is_on(on) || lead.pending.contains(&at));
        let after = transition.after.is_none_or(|after| lead.clock - lead.entered_at >= after);
        let last = lead.history.last_activity.unwrap_or(lead.history.first_seen);
        let inactive =
            transition.inactive_for.is_none_or(|period| lead.clock - last.max(lead.entered_at) >= period);
        if !(from && on && after && inactive && self.holds(transition.when.as_ref())) {
            return false;
        }
        let required = &self.model.stages[transition.to].requires;
        if required.iter().all(|field| lead.history.traits.contains_key(trait_path(field))) {
            return true;
        }
        if transition.on.is_some() {
            self.lead.pending.insert(at);
        }
        false
    }

    fn fire(&mut self, at: usize) {
        let model = self.model;
        let transition = &model.transitions[at];
        let lead = &mut *self.lead;
        if self.event.is_none() {
            lead.fired_by_time.insert(at);
        }
        let from = lead.stage;
        let seconds_in_from = seconds(lead.clock - lead.entered_at);
        let entered_before = lead.been_in.contains(&transition.to);
        lead.stage = transition.to;
        lead.entered_at = lead.clock;
        lead.been_in.insert(transition.to);
        lead.pending.clear();
        lead.reset(model, &transition.reset);
        self.left.push(from);
        self.entered.push(transition.to);
        let to = &model.stages[transition.to];
        let mut own = record::fields(json!({
            "transition": transition.name,
            "from": model.stages[from].name,
            "to": to.name,
            "owner": to.owner,
            "action": to.action,
            "seconds_in_from": seconds_in_from,
            "entered_before": entered_before,
        }));
        if let Some(reason) = self.reason(transition) {
            own.insert("reason".into(), reason);
        }
        if let Some(attribution) = model.attribution.as_ref().filter(|a| a.credit.contains(&transition.to)) {
            let weights = attribution::weights(attribution, &self.lead.events, self.lead.clock);
            own.insert("attribution".into(), json!(weights));
        }
        self.tell("transition", own);
    }

    fn reason(&self, transition: &Transition) -> Option<Value> {
        let reason = self.event?.scalar_at(transition.reason.as_deref()?)?;
        Some(match reason {
            Value::String(text) => {
                let end = (0..=REASON_BYTES.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
                Value::from(&text[..end.expect("0 is a boundary")])
            }
            other => other,
        })
    }

    /// Choice: the first valued signal that the event matched decides, even if there is no number.
    fn value(&self) -> Option<Value> {
        let event = self.event?;
        let valued = &self.model.attribution.as_ref()?.value;
        let (_, field) = valued.iter().find(|(signal, _)| event.signals.contains(signal))?;
        event.number_at(field).map(Value::from)
    }

    // ---- Alerts ----

    fn judge_alerts(&mut self) {
        for at in 0..self.model.alerts.len() {
            let alert = &self.model.alerts[at];
            let cool = self.lead.alerts[at].fired_at.is_none_or(|t| self.lead.clock - t >= alert.cooldown);
            let when = self.holds(alert.when.as_ref());
            let calls = match &alert.on {
                Some(on) => self.is_on(on),
                None => {
                    if !self.lead.alerts[at].armed && !when && self.holds(alert.rearm.as_ref()) {
                        self.lead.alerts[at].armed = true;
                        self.rearmed = true;
                    }
                    self.lead.alerts[at].armed
                }
            };
            if calls && when && cool {
                self.lead.alerts[at].armed = false;
                self.lead.alerts[at].fired_at = Some(self.lead.clock);
                self.tell_alert(alert);
            }
        }
    }

    fn tell_alert(&mut self, alert: &Alert) {
        let route = alert.route.iter().find(|(when, _)| self.holds(when.as_ref())).map(|(_, to)| to);
        let own = json!({ "alert": alert.name, "route": route, "priority": alert.priority });
        self.tell("alert", record::fields(own));
    }

    // ---- Scores ----

    fn tell_score(&mut self) {
        let Some(emit) = &self.model.emit_scores else { return };
        let view = self.view();
        let now = LastScore {
            at: self.lead.clock,
            stage: self.lead.stage,
            scores: (0..self.model.scores.len()).map(|score| round(view.score(score))).collect(),
            grades: (0..self.model.scores.len()).map(|score| view.grade(score)).collect(),
            missing: record::missing(&view).into_iter().collect(),
        };
        if let Some(last) = &self.lead.last_score {
            let moved = |(new, old): (&f64, &f64)| round(new - old).abs() >= emit.on_change_of;
            let changed = now.stage != last.stage
                || now.grades != last.grades
                || now.missing != last.missing
                || now.scores.iter().zip(&last.scores).any(moved);
            if !changed || now.at - last.at < emit.every {
                return;
            }
        }
        let own = record::score_fields(&view);
        self.tell("score", own);
        self.lead.last_score = Some(now);
    }
}

//! What one input (an event, or a second that has come due) brings about (SPEC §5 and §6), in the order of its records:
//! SLAs that are due, transitions, SLAs that stop and start, alerts, the score record.

use super::attribution;
use super::bits::Bits;
use super::contribution;
use super::effects::{Effects, Topic};
use super::facts::Fact;
use super::judge::{Judge, Truth};
use super::lead::{Lead, Past, SentAt, SentScore};
use super::memo::Memo;
use super::report;
use super::rules::{InHand, Rules};
use crate::event::Value;
use crate::model::compiled::*;
use crate::records::{Moment, Raw, Seconds};
use crate::{model::Model, records};
use serde_json::value::RawValue;

/// The longest `reason` that a transition carries, bytes.
const REASON_BYTES: usize = 1024;

/// Buffers that are reused from input to input.
#[derive(Debug, Default)]
pub struct Scratch {
    pub memo: Memo,
    /// Transitions that fired in this input.
    fired: Bits,
    /// The stages left and entered in this input.
    moves: Vec<(StageId, StageId)>,
    /// Transitions that lacked a required trait in this input.
    held_back: Bits,
}

/// A lead that is given one input.
pub struct Settling<'a> {
    pub rules: &'a Rules,
    pub lead: &'a mut Lead,
    pub id: &'a str,
    /// `None`: time alone.
    pub in_hand: Option<InHand<'a>>,
    pub scratch: &'a mut Scratch,
    pub effects: &'a mut Effects,
    /// Something happened that leaves a trace: what makes a second a due time.
    pub happened: bool,
}

impl<'a> Settling<'a> {
    pub fn new(
        rules: &'a Rules,
        lead: &'a mut Lead,
        id: &'a str,
        in_hand: Option<InHand<'a>>,
        scratch: &'a mut Scratch,
        effects: &'a mut Effects,
    ) -> Self {
        scratch.memo.clear();
        scratch.fired.clear();
        scratch.moves.clear();
        scratch.held_back.clear();
        Settling { rules, lead, id, in_hand, scratch, effects, happened: false }
    }

    /// Judges the input at the lead's clock, which the caller has set. Returns whether anything happened.
    pub fn run(mut self) -> bool {
        self.due_slas();
        self.transitions();
        if !self.rules.model.slas.is_empty() {
            self.stop_slas();
            self.start_slas();
        }
        self.alerts();
        self.score_record();
        self.note_value();
        self.happened
    }

    pub(super) fn model(&self) -> &'a Model {
        &self.rules.model
    }

    pub(super) fn clock(&self) -> i64 {
        self.lead.clock
    }

    pub(super) fn holds(&mut self, condition: &Condition) -> bool {
        self.judge().holds(condition) == Truth::Yes
    }

    fn judge(&mut self) -> Judge<'_> {
        Judge::at(&self.rules.model, self.lead, self.lead.clock, &mut self.scratch.memo)
    }

    pub(super) fn matched(&self, on: On) -> bool {
        self.in_hand.is_some_and(|in_hand| in_hand.is(on))
    }

    pub(super) fn entered(&self, stage: StageId) -> bool {
        self.scratch.moves.iter().any(|&(_, to)| to == stage)
    }

    pub(super) fn left(&self, stage: StageId) -> bool {
        self.scratch.moves.iter().any(|&(from, _)| from == stage)
    }

    /// Sends a record: `fill` adds to it what is special.
    pub(super) fn send(
        &mut self,
        topic: Topic,
        fill: impl for<'x> FnOnce(records::Common<'x>, &mut Judge<'x>, Push<'_>),
    ) {
        self.lead.seq = self.lead.seq.saturating_add(1);
        self.happened = true;
        let (id, seq, at_ms) = (self.id, self.lead.seq, self.lead.clock);
        let mut judge = Judge::at(&self.rules.model, self.lead, at_ms, &mut self.scratch.memo);
        let common = report::common(&mut judge, id, seq, at_ms, self.in_hand.as_ref());
        fill(common, &mut judge, Push { effects: self.effects, topic, lead: id, seq, at_ms });
    }

    // --- transitions ---

    fn transitions(&mut self) {
        let mut next = self.next_transition();
        while let Some(id) = next {
            let left = Left { stage: self.lead.stage, entered_at: self.lead.entered_at };
            let entered_before = self.fire(id);
            next = self.next_transition();
            self.send_transition(id, left, entered_before, next.is_none());
        }
    }

    /// The first transition that may fire now. Notes those that only `requires` holds back.
    fn next_transition(&mut self) -> Option<TransitionId> {
        let rules = self.rules;
        let leaving = &rules.by_stage[usize::from(self.lead.stage)];
        leaving.iter().copied().find(|&id| {
            let at = usize::from(id);
            let spent = self.scratch.fired.contains(at)
                || self.in_hand.is_none() && self.lead.fired_by_time.contains(at);
            !spent && self.may_fire(id)
        })
    }

    fn may_fire(&mut self, id: TransitionId) -> bool {
        let model = self.model();
        let transition = &model.transitions[usize::from(id)];
        if let Some(on) = transition.on
            && !self.matched(on)
            && !self.lead.pending.contains(usize::from(id))
        {
            return false;
        }
        let in_time = transition.after.is_none_or(|after| self.clock() - self.lead.entered_at >= after)
            && transition.inactive_for.is_none_or(|quiet| self.clock() - quiet_since(self.lead) >= quiet);
        if !in_time || !transition.when.as_ref().is_none_or(|when| self.holds(when)) {
            return false;
        }
        let requires = &model.stages[usize::from(transition.to)].requires;
        let complete = requires.iter().all(|&id| self.lead.trait_text(id).is_some());
        if !complete {
            self.note_missing(id, requires);
            if transition.on.is_some() {
                self.lead.pending.insert(usize::from(id));
            }
        }
        complete
    }

    /// Tells once an input which required traits a transition lacks.
    fn note_missing(&mut self, id: TransitionId, requires: &[TraitId]) {
        if !self.scratch.held_back.contains(usize::from(id)) {
            self.scratch.held_back.insert(usize::from(id));
            let missing = requires.iter().filter(|&&id| self.lead.trait_text(id).is_none());
            missing.for_each(|&id| self.effects.note(Fact::Missing(id)));
        }
    }

    /// Moves the lead; returns whether it has been in the new stage before.
    fn fire(&mut self, id: TransitionId) -> bool {
        let model = self.model();
        let transition = &model.transitions[usize::from(id)];
        let clock = self.clock();
        for &score in &transition.reset {
            contribution::reset(self.lead, model, score, clock);
        }
        self.scratch.memo.next_span();
        let lead = &mut *self.lead;
        let (from, to) = (lead.stage, transition.to);
        let entered_before = lead.been_in.contains(usize::from(to));
        lead.been_in.insert(usize::from(to));
        lead.stage = to;
        lead.entered_at = clock;
        lead.pending.clear();
        lead.remember(Past { transition: id, from, at: clock });
        if self.in_hand.is_none() {
            lead.fired_by_time.insert(usize::from(id));
        }
        self.scratch.fired.insert(usize::from(id));
        self.scratch.moves.push((from, to));
        entered_before
    }

    fn send_transition(&mut self, id: TransitionId, left: Left, entered_before: bool, last: bool) {
        let model = self.model();
        let transition = &model.transitions[usize::from(id)];
        let stage = &model.stages[usize::from(transition.to)];
        let reason = self.reason(transition);
        let value = if last { self.value() } else { None };
        self.effects.note(Fact::Transition {
            id,
            from: left.stage,
            to: transition.to,
            entered_before,
            in_from_ms: self.clock() - left.entered_at,
            age_ms: self.clock() - self.lead.first_seen,
        });
        let credited =
            model.attribution.as_ref().filter(|model| model.credit.contains(usize::from(transition.to)));
        let attribution = credited.map(|rules| attribution::credit(rules, self.lead));
        if let (Some(rules), Some(credit)) = (credited.filter(|_| self.effects.keeps_facts()), &attribution) {
            attribution::each(rules, credit, |model, channel, weight| {
                self.effects.note(Fact::Credit { stage: transition.to, model, channel, weight });
            });
        }
        let seconds_in_from = Seconds(self.clock() - left.entered_at);
        self.send(Topic::Transitions, |common, _, push| {
            push.record(&records::Transition {
                common,
                from: &model.stages[usize::from(left.stage)].name,
                to: &stage.name,
                transition: &transition.name,
                owner: stage.owner.as_deref(),
                action: stage.action.as_deref(),
                seconds_in_from,
                entered_before,
                attribution,
                value,
                reason: reason.as_deref().map(Raw),
            })
        });
    }

    fn reason(&self, transition: &Transition) -> Option<Box<RawValue>> {
        let field = transition.reason?;
        let mut value = self.in_hand?.event.scan.scalar(field)?;
        if let Value::String(text) = &mut value {
            let end = (0..=REASON_BYTES.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
            *text = text[..end.unwrap_or(0)].to_owned().into();
        }
        let mut json = Vec::new();
        value.write_compact(&mut json);
        RawValue::from_string(String::from_utf8(json).ok()?).ok()
    }

    /// Every value counts, transition or not, and goes to the channels that the lead's touches credit.
    fn note_value(&mut self) {
        let Some(rules) = self.rules.model.attribution.as_ref().filter(|_| self.effects.keeps_facts()) else {
            return;
        };
        let Some(value) = self.value() else { return };
        let credit = attribution::credit(rules, self.lead);
        attribution::each(rules, &credit, |model, channel, weight| {
            let channel = Some(channel);
            self.effects.note(Fact::Value { model, channel, value: value * weight, weight });
        });
        if credit.0.is_empty() {
            for model in 0..rules.models.len() as u8 {
                self.effects.note(Fact::Value { model, channel: None, value, weight: 1.0 });
            }
        }
    }

    /// The value that the event in hand brought.
    fn value(&self) -> Option<f64> {
        let in_hand = self.in_hand?;
        let values = &self.rules.model.attribution.as_ref()?.value;
        let (_, field) = values.iter().find(|(signal, _)| in_hand.is(On::Signal(*signal)))?;
        in_hand.event.scan.number(*field)
    }

    // --- the score record ---

    fn score_record(&mut self) {
        let Some(emit) = self.rules.model.emit_scores else { return };
        let due = self.lead.sent.is_none_or(|sent| self.clock() - sent.at >= emit.every);
        if !due || self.lead.sent.is_some() && !moved(&mut self.judge(), &emit) {
            return;
        }
        let missing = self.send_score_record();
        self.note_sent(missing);
    }

    /// Sends the lead's score record at its clock; returns the traits that it says are missing.
    pub fn send_score_record(&mut self) -> Vec<TraitId> {
        let missing = missing(self.model(), self.lead);
        self.send(Topic::Scores, |common, judge, push| push.record(&score(common, judge, &missing)));
        missing
    }

    fn note_sent(&mut self, missing: Vec<TraitId>) {
        let lead = &mut *self.lead;
        lead.sent = Some(SentAt { at: lead.clock, stage: lead.stage });
        lead.sent_missing.clear();
        missing.iter().for_each(|&id| lead.sent_missing.insert(usize::from(id)));
        let mut scores = std::mem::take(&mut lead.sent_scores);
        scores.clear();
        let mut judge = self.judge();
        scores.extend((0..judge.model.scores.len() as ScoreId).map(|id| {
            let value = judge.value(id);
            SentScore { value, grade: judge.grade(id) }
        }));
        self.lead.sent_scores = scores;
    }
}

/// A place for a record whose common part is filled in.
pub(super) struct Push<'e> {
    effects: &'e mut Effects,
    topic: Topic,
    lead: &'e str,
    seq: u64,
    at_ms: i64,
}

impl Push<'_> {
    pub(super) fn record(self, record: &impl serde::Serialize) {
        self.effects.push(self.topic, self.lead, self.seq, self.at_ms, record);
    }
}

/// The stage that a transition left, and since when the lead was in it.
#[derive(Clone, Copy)]
struct Left {
    stage: StageId,
    entered_at: i64,
}

/// From when `inactive_for` counts.
pub fn quiet_since(lead: &Lead) -> i64 {
    lead.last_activity.unwrap_or(lead.first_seen).max(lead.entered_at)
}

/// The absent fields of pending transitions, in model order, each once.
pub fn missing(model: &Model, lead: &Lead) -> Vec<TraitId> {
    let mut missing = Vec::new();
    for at in lead.pending.iter() {
        let to = model.transitions[at].to;
        for &id in &model.stages[usize::from(to)].requires {
            if lead.trait_text(id).is_none() && !missing.contains(&id) {
                missing.push(id);
            }
        }
    }
    missing
}

/// A score record at the judge's moment.
pub fn score<'a>(
    common: records::Common<'a>,
    judge: &mut Judge<'a>,
    missing: &[TraitId],
) -> records::Score<'a> {
    let (model, lead) = (judge.model, judge.lead);
    records::Score {
        common,
        groups: report::groups(judge),
        qualified: report::qualified(judge),
        missing: missing.iter().map(|&id| format!("traits.{}", model.traits[usize::from(id)].name)).collect(),
        last_activity: lead.last_activity.map(Moment),
        entered_stage_at: Moment(lead.entered_at),
        first_seen: Moment(lead.first_seen),
    }
}

/// Whether the stage, a grade, `missing` or a score may differ enough from the last score record somewhere in the
/// judge's span; at a moment: whether it does.
pub fn moved(judge: &mut Judge<'_>, emit: &EmitScores) -> bool {
    state_moved(judge) || (0..judge.model.scores.len() as ScoreId).any(|id| score_moved(judge, emit, id))
}

/// Of [`moved`] what time does not change.
pub fn state_moved(judge: &Judge<'_>) -> bool {
    let (model, lead) = (judge.model, judge.lead);
    let Some(sent) = lead.sent else { return true };
    if sent.stage != lead.stage || lead.sent_scores.len() != model.scores.len() {
        return true;
    }
    if lead.pending.is_empty() {
        return !lead.sent_missing.is_empty();
    }
    let missing = missing(model, lead);
    missing.len() != lead.sent_missing.iter().count()
        || missing.iter().any(|&id| !lead.sent_missing.contains(usize::from(id)))
}

/// Of [`moved`] one score and its grade.
pub fn score_moved(judge: &mut Judge<'_>, emit: &EmitScores, id: ScoreId) -> bool {
    let Some(&before) = judge.lead.sent_scores.get(usize::from(id)) else { return true };
    let far = |difference: f64| super::judge::round6(difference) >= emit.on_change_of;
    let now = judge.score(id);
    far(now.high - before.value)
        || far(before.value - now.low)
        || !judge.model.scores[usize::from(id)].grades.is_empty() && judge.grade_differs(id, before.grade)
}

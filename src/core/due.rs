//! When time alone will next change something for a lead (SPEC §5, "Due times"): the first whole second at which it
//! does, found by splitting spans in which it may.

use super::alert;
use super::judge::Judge;
use super::lead::Lead;
use super::memo::Memo;
use super::rules::Rules;
use super::settle::{moved, quiet_since, score_moved, state_moved};
use super::sla;
use crate::model::compiled::{AlertId, EmitScores, ScoreId, TransitionId};

/// 9999-12-31T23:59:59Z: no time lies after it.
const LAST_SECOND: i64 = crate::event::time::LATEST_MS / 1000;

/// The first span that is looked at, in seconds; each further one is eight times as long.
const FIRST_SPAN: i64 = 64;

/// The first second after the lead's clock.
pub fn next_second(lead: &Lead) -> i64 {
    lead.clock.div_euclid(1000) + 1
}

/// How many spans one search looks at. A score whose rises and falls cancel out beside a bar may stay undecided in every
/// span for years; such a lead is looked at again where the search stopped, so that it does not hold up the others.
const LOOKS: u32 = 20_000;

/// When to look at a lead again: nothing is due before that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    pub second: i64,
    /// An input of time leaves a trace at this second.
    pub certain: bool,
}

/// The first second in `from..=to` at which an input of time would leave a trace, or, not certain, where the search
/// stopped before it.
pub fn first_due(rules: &Rules, lead: &Lead, memo: &mut Memo, from: i64, to: i64) -> Option<Due> {
    Search { rules, lead, memo, from, coarse: false, looks: LOOKS }.run(to)
}

/// As [`first_due`], or a second before it by at most an eighth of the time until then: enough to look again, and most
/// leads have another event before that.
pub fn near_due(rules: &Rules, lead: &Lead, memo: &mut Memo, from: i64, to: i64) -> Option<Due> {
    Search { rules, lead, memo, from, coarse: true, looks: LOOKS }.run(to)
}

struct Search<'a> {
    rules: &'a Rules,
    lead: &'a Lead,
    memo: &'a mut Memo,
    from: i64,
    coarse: bool,
    looks: u32,
}

impl Search<'_> {
    fn run(&mut self, to: i64) -> Option<Due> {
        let to = to.min(LAST_SECOND);
        if self.from > to {
            return None;
        }
        self.memo.prepare(&self.rules.model, self.lead, self.from * 1000);
        let mut suspects = std::mem::take(&mut self.memo.suspects);
        suspects.find(self.rules, self.lead, self.memo, self.from, to);
        let due = if suspects.is_empty() { None } else { self.search(&suspects, to) };
        self.memo.suspects = suspects;
        due
    }

    fn search(&mut self, suspects: &Suspects, to: i64) -> Option<Due> {
        let (mut start, mut length) = (self.from, FIRST_SPAN);
        while start <= to {
            let end = to.min(start.saturating_add(length - 1));
            if let Some(due) = self.first(suspects, start, end, true) {
                return Some(due);
            }
            (start, length) = (end + 1, length.saturating_mul(8));
        }
        None
    }

    /// The first due second of a span, by splitting it as long as something may happen: where that is to be expected if
    /// `aim`, else in the middle.
    fn first(&mut self, suspects: &Suspects, from: i64, to: i64, aim: bool) -> Option<Due> {
        if self.looks == 0 {
            return Some(Due { second: from, certain: false });
        }
        self.looks -= 1;
        if !suspects.may_happen(self.rules, self.lead, self.memo, from, to) {
            return None;
        }
        // At a moment this is exact.
        if from == to || self.coarse && (to - from) * 8 <= from - self.from {
            return Some(Due { second: from, certain: from == to });
        }
        let aimed = if aim { suspects.aim(self.rules, self.lead, self.memo, from, to) } else { None };
        let (last, sure) = aimed.unwrap_or((from + (to - from) / 2, true));
        // An aim that was far off is not trusted twice: every second split halves the span at least.
        let near = |length: i64| sure || length * 2 <= to - from;
        self.first(suspects, from, last, near(last - from))
            .or_else(|| self.first(suspects, last + 1, to, near(to - last)))
    }
}

/// What time alone may change of a lead over a span; over a part of it nothing else can.
#[derive(Debug, Default)]
pub struct Suspects {
    slas: bool,
    transitions: Vec<TransitionId>,
    alerts: Vec<AlertId>,
    /// The score record goes out as soon as it may.
    record: bool,
    /// Scores that may move far enough for one.
    scores: Vec<ScoreId>,
}

impl Suspects {
    fn is_empty(&self) -> bool {
        !self.slas
            && !self.record
            && self.scores.is_empty()
            && self.transitions.is_empty()
            && self.alerts.is_empty()
    }

    /// Looks at everything over the seconds `from..=to`. `memo` must have been prepared.
    fn find(&mut self, rules: &Rules, lead: &Lead, memo: &mut Memo, from: i64, to: i64) {
        let (model, end) = (&*rules.model, to * 1000);
        self.slas = sla::is_due(&model.slas, lead, end);
        memo.next_span();
        let mut judge = Judge::over(model, lead, from * 1000..=end, memo);
        let leaving = rules.by_stage[usize::from(lead.stage)].iter().copied();
        self.transitions.clear();
        self.transitions.extend(leaving.filter(|&id| may_fire(&mut judge, id, end)));
        self.alerts.clear();
        let timed = rules.timed_alerts.iter().copied();
        self.alerts.extend(timed.filter(|&id| alert::may_change(&mut judge, id, end)));
        self.scores.clear();
        self.record = false;
        if let Some(emit) = model.emit_scores.filter(|emit| may_send(lead, emit, end)) {
            self.record = state_moved(&judge);
            let scores = 0..model.scores.len() as ScoreId;
            self.scores.extend(scores.filter(|&id| score_moved(&mut judge, &emit, id)));
        }
    }

    /// Where to split a span, right after [`Self::may_happen`] of it, so that the search is short: the last second of
    /// the first part, and whether nothing is lost if nothing happens there.
    fn aim(&self, rules: &Rules, lead: &Lead, memo: &mut Memo, from: i64, to: i64) -> Option<(i64, bool)> {
        let emit = rules.model.emit_scores.filter(|_| self.record || !self.scores.is_empty())?;
        let may_send = lead.sent.map_or(from, |sent| (sent.at + emit.every + 999).div_euclid(1000));
        if from < may_send {
            return (may_send <= to).then_some((may_send - 1, true));
        }
        let mut judge = Judge::over(&rules.model, lead, from * 1000..=to * 1000, memo);
        let part = self.scores.iter().filter_map(|&id| crossing(&mut judge, &emit, id)).fold(2.0, f64::min);
        let part = if self.record { 0.0 } else { part };
        (part <= 1.0).then(|| ((from + ((to - from) as f64 * part.max(0.0)) as i64).min(to - 1), false))
    }

    /// Whether any of them may come about over a part of the span.
    fn may_happen(&self, rules: &Rules, lead: &Lead, memo: &mut Memo, from: i64, to: i64) -> bool {
        let (model, end) = (&*rules.model, to * 1000);
        if self.slas && sla::is_due(&model.slas, lead, end) {
            return true;
        }
        memo.next_span();
        let mut judge = Judge::over(model, lead, from * 1000..=end, memo);
        self.transitions.iter().any(|&id| may_fire(&mut judge, id, end))
            || self.alerts.iter().any(|&id| alert::may_change(&mut judge, id, end))
            || model.emit_scores.is_some_and(|emit| {
                may_send(lead, &emit, end)
                    && (self.record || self.scores.iter().any(|&id| score_moved(&mut judge, &emit, id)))
            })
    }
}

/// The part of the judge's span after which a score has moved far enough, were it to move evenly; over 1 or not a number
/// if it does not.
fn crossing(judge: &mut Judge<'_>, emit: &EmitScores, id: ScoreId) -> Option<f64> {
    let before = *judge.lead.sent_scores.get(usize::from(id))?;
    let grades = &judge.model.scores[usize::from(id)].grades;
    let bar = |grade: Option<u8>| Some(grades.get(usize::from(grade?))?.bar);
    let falls_below = bar(before.grade).map_or(f64::MIN, |bar| bar).max(before.value - emit.on_change_of);
    let better = before.grade.and_then(|grade| grade.checked_sub(1));
    let rises_to = bar(better).map_or(f64::MAX, |bar| bar).min(before.value + emit.on_change_of);
    let now = judge.score(id);
    let far = if now.low <= falls_below { now.high - falls_below } else { rises_to - now.low };
    Some(far / (now.high - now.low))
}

/// Whether time alone brings something about at a second. `memo` must have been cleared for the lead.
pub fn is_due(rules: &Rules, lead: &Lead, memo: &mut Memo, second: i64) -> bool {
    let (model, clock) = (&*rules.model, second * 1000);
    let mut judge = Judge::at(model, lead, clock, memo);
    let leaving = &rules.by_stage[usize::from(lead.stage)];
    sla::is_due(&model.slas, lead, clock)
        || leaving.iter().any(|&id| may_fire(&mut judge, id, clock))
        || rules.timed_alerts.iter().any(|&id| alert::may_change(&mut judge, id, clock))
        || model.emit_scores.is_some_and(|emit| may_send(lead, &emit, clock) && moved(&mut judge, &emit))
}

/// Whether a score record may go out so soon after the last.
fn may_send(lead: &Lead, emit: &EmitScores, clock: i64) -> bool {
    lead.sent.is_none_or(|sent| clock - sent.at >= emit.every)
}

fn may_fire(judge: &mut Judge<'_>, id: TransitionId, end: i64) -> bool {
    let (lead, id) = (judge.lead, usize::from(id));
    let transition = &judge.model.transitions[id];
    let waits_for_event = transition.on.is_some() && !lead.pending.contains(id);
    if waits_for_event || lead.fired_by_time.contains(id) {
        return false;
    }
    let requires = &judge.model.stages[usize::from(transition.to)].requires;
    transition.after.is_none_or(|after| end - lead.entered_at >= after)
        && transition.inactive_for.is_none_or(|quiet| end - quiet_since(lead) >= quiet)
        && requires.iter().all(|&id| lead.trait_text(id).is_some())
        && transition.when.as_ref().is_none_or(|when| judge.holds(when).possible())
}

//! A partition's lines, its stream time and the due times of its leads (§5, §7, §10).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::condition::View;
use super::event::{self, Event};
use super::lead::{Lead, Seen};
use super::model::{Decay, Model, ScoreKind};
use super::record::{self, Cause};
use super::time::{SECOND, whole_second};
use super::turn;

const GRACE: i64 = 10 * SECOND;

#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    pub until: Option<i64>,
    pub scores: bool,
    /// Looks at every second instead of those alone at which something can change.
    pub every_second: bool,
}

/// What `qualifyd replay` prints for these lines.
pub fn replay(model: &Model, input: &[u8], options: Options) -> Vec<Value> {
    let mut replay = Replay { model, options, leads: BTreeMap::new(), stream: None, out: Vec::new() };
    for (at, line) in input.split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match event::read(model, line) {
            event::Outcome::Event(event) => replay.event(*event),
            event::Outcome::Spend => {}
            event::Outcome::Rejected(reason) => replay.out.push(record::dead_letter(at + 1, reason)),
        }
    }
    if let Some(until) = options.until {
        replay.fire_ripe(until, None);
    }
    if options.scores {
        replay.tell_scores();
    }
    replay.out
}

struct Replay<'a> {
    model: &'a Model,
    options: Options,
    leads: BTreeMap<String, Known>,
    stream: Option<i64>,
    out: Vec<Value>,
}

struct Known {
    lead: Lead,
    /// Up to this second nothing is due, as was found since the lead's last input.
    quiet_until: i64,
}

impl Replay<'_> {
    fn event(&mut self, event: Event) {
        let id = event.lead.clone();
        if self.leads.get(&id).is_some_and(|known| known.lead.is_duplicate(&event)) {
            return;
        }
        let stream = self.stream.into_iter().fold(event.time.min(event.recorded), i64::max);
        self.stream = Some(stream);
        self.fire_ripe(stream - GRACE, Some(&id));
        self.fire_own(&id, event.time);
        let matched =
            self.model.signals.iter().enumerate().filter(|(_, signal)| signal.matcher.matches(&event));
        let seen = Seen { signals: matched.map(|(at, _)| at).collect(), event };
        self.apply(seen);
        self.fire_own(&id, stream - GRACE);
    }

    fn apply(&mut self, event: Seen) {
        let model = self.model;
        match self.leads.get_mut(&event.lead) {
            Some(known) => known.lead.add(model, event.clone()),
            None => {
                let lead = Lead::new(model, event.clone());
                self.leads.insert(event.lead.clone(), Known { lead, quiet_until: 0 });
            }
        }
        let known = self.leads.get_mut(&event.lead).expect("the lead");
        known.quiet_until = known.lead.clock;
        self.out.extend(turn::take(model, &mut known.lead, Some(&event)).records);
    }

    /// Fires what is due up to `limit` of all leads but one, by (due, id).
    fn fire_ripe(&mut self, limit: i64, but: Option<&str>) {
        loop {
            let (model, every_second) = (self.model, self.options.every_second);
            let others = self.leads.iter_mut().filter(|(id, _)| Some(id.as_str()) != but);
            let dues = others
                .filter_map(|(id, known)| Some((next_due(model, known, limit, every_second)?, id.clone())));
            let Some((due, id)) = dues.min() else { return };
            self.fire(&id, due);
        }
    }

    fn fire_own(&mut self, id: &str, limit: i64) {
        loop {
            let (model, every_second) = (self.model, self.options.every_second);
            let Some(known) = self.leads.get_mut(id) else { return };
            let Some(due) = next_due(model, known, limit, every_second) else { return };
            self.fire(id, due);
        }
    }

    fn fire(&mut self, id: &str, due: i64) {
        let known = self.leads.get_mut(id).expect("the lead");
        known.lead.clock = due;
        known.quiet_until = due;
        self.out.extend(turn::take(self.model, &mut known.lead, None).records);
    }

    fn tell_scores(&mut self) {
        let Some(end) = self.options.until.or(self.stream) else { return };
        for Known { lead, .. } in self.leads.values_mut() {
            let clock = end.max(lead.clock);
            let view = View { model: self.model, lead, clock };
            let cause = Cause { model: self.model, event: None };
            let data = record::with_common_fields(&view, &cause, record::score_fields(&view));
            lead.seq += 1;
            self.out.push(record::line("score", lead, data));
        }
    }
}

/// The first whole second later than the lead's clock, and not after `limit`, at which time alone
/// brings something about.
fn next_due(model: &Model, known: &mut Known, limit: i64, every_second: bool) -> Option<i64> {
    let lead = &known.lead;
    let from = lead.clock.max(known.quiet_until);
    let mut seconds: Vec<i64> = if every_second {
        seconds_between(from, limit).collect()
    } else {
        seconds_to_look_at(model, lead, from, limit)
    };
    seconds.retain(|second| *second > from && *second <= limit);
    seconds.sort_unstable();
    seconds.dedup();
    let due = seconds.into_iter().find(|second| {
        let mut lead = lead.clone();
        lead.clock = *second;
        turn::take(model, &mut lead, None).is_something()
    });
    // A due time is not passed over: it stays to be found until it has fired.
    known.quiet_until = known.quiet_until.max(due.map_or(limit, |due| due - SECOND));
    due
}

/// The whole seconds later than `from`, up to `limit`.
fn seconds_between(from: i64, limit: i64) -> impl Iterator<Item = i64> {
    (whole_second(from + 1)..=limit).step_by(SECOND as usize)
}

/// Every second at which anything can change: each stated duration after each stated time, and, while
/// points fade, every second.
fn seconds_to_look_at(model: &Model, lead: &Lead, from: i64, limit: i64) -> Vec<i64> {
    let mut moments = vec![lead.clock + 1];
    let history = &lead.history;
    let last_active = history.last_activity.unwrap_or(history.first_seen);
    for transition in &model.transitions {
        moments.extend(transition.after.map(|after| lead.entered_at + after));
        moments.extend(transition.inactive_for.map(|period| last_active.max(lead.entered_at) + period));
    }
    for (sla, running) in model.slas.iter().zip(&lead.slas) {
        if let Some(running) = running {
            moments.push(running.started_at + sla.due);
            moments.extend(sla.past_due.map(|past_due| running.started_at + past_due));
        }
    }
    for (alert, state) in model.alerts.iter().zip(&lead.alerts) {
        moments.extend(state.fired_at.map(|fired_at| fired_at + alert.cooldown));
    }
    if let (Some(emit), Some(last)) = (&model.emit_scores, &lead.last_score) {
        moments.push(last.at + emit.every);
    }
    let mut periods = BTreeSet::new();
    model.conditions().iter().for_each(|condition| condition.periods(&mut periods));
    for event in lead.events.iter() {
        moments.extend(periods.iter().map(|period| event.time + period));
    }
    let mut seconds: Vec<i64> = moments.into_iter().map(whole_second).collect();
    let mut fading_until = from;
    for (s, score) in model.scores.iter().enumerate() {
        let ScoreKind::Own { groups, inactivity, .. } = &score.kind else { continue };
        if let (Some(rule), Some(last)) = (inactivity, history.last_activity) {
            let first = last + rule.after;
            seconds.push(whole_second(first));
            if let Some(every) = rule.every {
                let next = first.max(from - from.abs_diff(first) as i64 % every);
                seconds.extend((next..=limit).step_by(every as usize).map(whole_second));
            }
        }
        for (g, group) in groups.iter().enumerate() {
            for (p, points) in group.points.iter().enumerate() {
                for gained in &history.gained[&(s, g, p)] {
                    match points.decay {
                        Decay::None => {}
                        Decay::Window(window) => seconds.push(whole_second(gained.at + window)),
                        Decay::Lifespan(life) => fading_until = fading_until.max(gained.at + life),
                        Decay::HalfLife(_) => fading_until = limit,
                    }
                }
            }
        }
    }
    seconds.extend(seconds_between(from, limit.min(whole_second(fading_until))));
    seconds
}

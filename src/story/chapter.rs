//! What one input changed: the lead before and after it, told as a [`Chapter`].

use super::walk::Sent;
use super::{Cause, Change, Chapter, Gain, Happened, PartChange, Told, TraitChange, because};
use crate::core::apply;
use crate::core::contribution;
use crate::core::effects::Topic;
use crate::core::inspect::check;
use crate::core::inspect::view::{GroupView, ScoreView, scores, worth};
use crate::core::judge::{Judge, round6};
use crate::core::lead::{Held, Lead};
use crate::core::memo::Memo;
use crate::core::rules::{InHand, Rules};
use crate::core::settle::quiet_since;
use crate::event::Event;
use crate::model::Model;
use crate::model::compiled::*;
use crate::model::diagnostic::cut;
use crate::records::{Moment, Shown};
use crate::story::words::{moment, number, span};
use crate::words::{Words, duration};
use serde_json::Value;

/// The lead before an input.
pub struct Before {
    pub lead: Lead,
    /// The lead as it was told of last: a lead says nothing of the time before its clock.
    pub told: Lead,
    /// When that was, ms.
    pub at: i64,
}

impl Before {
    pub fn told(lead: Lead, at: i64) -> Before {
        Before { told: lead.clone(), lead, at }
    }
}

impl Chapter {
    pub(super) fn empty(at: i64, cause: Cause, stage: String) -> Chapter {
        Chapter {
            at: Moment(at),
            cause,
            by_time: Vec::new(),
            traits: Vec::new(),
            gains: Vec::new(),
            changes: Vec::new(),
            happened: Vec::new(),
            stage,
        }
    }
}

/// What is told of an event before it is judged.
pub fn told(line: u64, event: &Event<'_>, text: &[u8]) -> Told {
    Told {
        line,
        what: what(text),
        message_id: event.message_id.map(str::to_owned),
        outcome: "applied",
        ..Told::default()
    }
}

/// An event in a few words: `page /pricing`, `Demo Requested (seats 20)`.
pub fn what(line: &[u8]) -> String {
    /// Properties are told up to so many characters.
    const LONGEST: usize = 90;
    let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
    let event: Value = serde_json::from_slice(line).unwrap_or_default();
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let kind = text(&event["type"]).or_else(|| text(&event["action"])).unwrap_or_else(|| "event".to_owned());
    let kind = kind.to_ascii_lowercase();
    let path = text(&event["context"]["page"]["path"]).or_else(|| text(&event["properties"]["path"]));
    let name = text(&event["name"]).or_else(|| text(&event["properties"]["name"]));
    let head = match kind.as_str() {
        "track" => text(&event["event"]).unwrap_or(kind),
        "page" => [Some(kind), name, path].into_iter().flatten().collect::<Vec<_>>().join(" "),
        "screen" => [Some(kind), name].into_iter().flatten().collect::<Vec<_>>().join(" "),
        _ => kind,
    };
    let told = |key: &str| ["path", "url", "name", "title", "referrer", "search"].contains(&key);
    let is_page = event["type"] == "page";
    let properties = event["properties"].as_object().into_iter().flatten();
    let properties = properties.filter(|(key, value)| !(value.is_null() || is_page && told(key)));
    let properties: Vec<String> = properties
        .map(|(key, value)| format!("{key} {}", text(value).unwrap_or_else(|| value.to_string())))
        .collect();
    match properties.is_empty() {
        true => head,
        false => format!("{head} ({})", cut(&properties.join(", "), LONGEST)),
    }
}

/// The chapter of an event: `start` is the lead before it, `applied` the lead with what the event leaves, not yet judged.
pub fn of_event(rules: &Rules, start: &Before, applied: &Lead, in_hand: &InHand<'_>, told: Told) -> Chapter {
    let model = &*rules.model;
    let clock = applied.clock;
    let mut chapter = Chapter::empty(clock, Cause::Event(told), String::new());
    chapter.by_time = by_time(rules, start, clock);
    chapter.traits = traits(model, &start.lead, applied);
    chapter.gains = gains(model, &start.lead, applied, in_hand);
    chapter.changes = between(model, (&start.lead, clock), (applied, clock), false);
    chapter
}

/// What time has done to the scores of a lead, up to `clock`, since it was told of last.
pub fn by_time(rules: &Rules, before: &Before, clock: i64) -> Vec<Change> {
    if clock <= before.at {
        return Vec::new();
    }
    between(&rules.model, (&before.told, before.at), (&before.lead, clock), true)
}

fn traits(model: &Model, before: &Lead, after: &Lead) -> Vec<TraitChange> {
    let value = |lead: &Lead, id: TraitId| {
        let text = lead.trait_text(id);
        text.and_then(|text| serde_json::from_slice(text).ok()).unwrap_or(Value::Null)
    };
    let all = model.traits.iter().enumerate().map(|(id, path)| TraitChange {
        name: path.name.clone(),
        before: value(before, id as TraitId),
        after: value(after, id as TraitId),
    });
    all.filter(|change| change.before != change.after).collect()
}

fn held(lead: &Lead, id: ContributionId) -> Option<&Held> {
    lead.held.binary_search_by_key(&id, |held| held.id).ok().map(|at| &lead.held[at])
}

fn gains(model: &Model, before: &Lead, after: &Lead, in_hand: &InHand<'_>) -> Vec<Gain> {
    let signals = in_hand.matched.iter().map(|&id| &model.signals[usize::from(id)]);
    let ids = signals.flat_map(|signal| signal.contributions.iter());
    ids.map(|&id| gain(model, before, after, in_hand.event, id)).collect()
}

fn gain(model: &Model, before: &Lead, after: &Lead, event: &Event<'_>, id: ContributionId) -> Gain {
    let rule = &model.contributions[usize::from(id)];
    let clock = after.clock;
    let count = |lead| held(lead, id).map_or(0, |held| held.count);
    let value = |lead| held(lead, id).map_or(0.0, |held| worth(model, lead, held, clock));
    let points = apply::points(&rule.points, event);
    let adds = round6(value(after) - value(before));
    let age = clock - event.time_ms;
    let over = match rule.decay {
        Decay::Lifespan { life, .. } | Decay::Window { life, .. } => age >= life,
        Decay::None | Decay::HalfLife(_) => false,
    };
    let counted = count(after) > count(before);
    let note = if counted && Shown(adds).number() == Shown(points).number() {
        origin(model, rule, event)
    } else if counted {
        Some(format!("worth {} by now: it happened {} ago", number(adds), span(age)))
    } else if after.reset_until(rule.score).is_some_and(|until| event.time_ms <= until) {
        Some("does not count: the score started anew after it".to_owned())
    } else if over {
        Some("over by now".to_owned())
    } else {
        rule.at_most.map(|at_most| match at_most.per {
            Some(per) => {
                let per = duration(per);
                format!(
                    "does not count: at most {} per {}",
                    at_most.n,
                    per.strip_prefix("1 ").unwrap_or(&per)
                )
            }
            None => format!("does not count: only the first {}", at_most.n),
        })
    };
    let score = &model.scores[usize::from(rule.score)];
    let group = match &score.kind {
        ScoreKind::Points(points) => points.groups[usize::from(rule.group)].name.clone(),
        ScoreKind::Sum(_) | ScoreKind::Max(_) => String::new(),
    };
    let label = model.signals[usize::from(rule.signal)].label.clone();
    Gain { score: score.name.clone(), group, label, points: Shown(points), adds: Shown(adds), counted, note }
}

/// Where points come from that the event brings along.
fn origin(model: &Model, rule: &Contribution, event: &Event<'_>) -> Option<String> {
    let Points::From { field, scale, range } = rule.points else { return None };
    let name = Words::of(model).field(field);
    let Some(number) = event.scan.number(field) else { return Some(format!("{name} has no number")) };
    let scaled = number * scale;
    let times = if scale == 1.0 { String::new() } else { format!(" × {scale}") };
    let clamped = if range.clamp(scaled) == scaled { "" } else { ", kept in its range" };
    Some(format!("{name} {number}{times}{clamped}"))
}

/// The scores that differ between two states, each with its parts that differ.
fn between(model: &Model, before: (&Lead, i64), after: (&Lead, i64), decays: bool) -> Vec<Change> {
    let (mut memo_before, mut memo_after) = (Memo::default(), Memo::default());
    let before = scores(&mut Judge::at(model, before.0, before.1, &mut memo_before), before.1);
    let after = scores(&mut Judge::at(model, after.0, after.1, &mut memo_after), after.1);
    let changes = before.iter().zip(&after).map(|(before, after)| change(model, before, after, decays));
    changes.filter(Change::shows).collect()
}

impl Change {
    fn shows(&self) -> bool {
        self.before.number() != self.after.number()
            || self.grade_before != self.grade_after
            || !self.parts.is_empty()
    }
}

fn change(model: &Model, before: &ScoreView<'_>, after: &ScoreView<'_>, decays: bool) -> Change {
    let grade = |view: &ScoreView<'_>| view.grade.flatten().map(str::to_owned);
    let range = model.scores.iter().find(|score| score.name == after.score).map(|score| score.range);
    Change {
        score: after.score.to_owned(),
        before: before.value,
        after: after.value,
        grade_before: grade(before),
        grade_after: grade(after),
        parts: parts(model, before, after, decays),
        note: range.and_then(|range| cuts(before.unclamped, after.unclamped, range)),
    }
}

/// What a range cuts off, or has cut off before.
fn cuts(before: Option<Shown>, after: Option<Shown>, range: Range) -> Option<String> {
    match (before, after) {
        (_, Some(raw)) => Some(cut_off(raw, range)),
        (Some(raw), None) => Some(format!("before it was {}", cut_off(raw, range))),
        (None, None) => None,
    }
}

/// What a range cuts off.
pub fn cut_off(raw: Shown, range: Range) -> String {
    match raw.0 > range.max {
        true => format!("at most {}, would be {}", number(range.max), number(raw.0)),
        false => format!("at least {}, would be {}", number(range.min), number(raw.0)),
    }
}

fn parts(model: &Model, before: &ScoreView<'_>, after: &ScoreView<'_>, decays: bool) -> Vec<PartChange> {
    let mut parts: Vec<PartChange> = Vec::new();
    for (was, is) in before.groups.iter().zip(&after.groups) {
        let range = group_of(model, after.score, is.group).map(|group| group.range);
        let cut = range.and_then(|range| cuts(was.unclamped, is.unclamped, range));
        let decay = decays.then(|| decay_words(model, after.score, was)).flatten();
        let note = cut.or(decay);
        let full = !decays && was.unclamped.map(Shown::number) != is.unclamped.map(Shown::number);
        if full || was.value.number() != is.value.number() {
            parts.push(PartChange { part: is.group.to_owned(), before: was.value, after: is.value, note });
        }
    }
    parts.extend(other_parts(before, after));
    parts
}

/// Criteria, inactivity, and of a `sum` or `max` its scores, as far as they changed.
fn other_parts(before: &ScoreView<'_>, after: &ScoreView<'_>) -> Vec<PartChange> {
    let mut parts = Vec::new();
    let mut criteria: Vec<_> = before.criteria.iter().chain(&after.criteria).collect();
    criteria.sort_by_key(|criterion| criterion.criterion);
    criteria.dedup_by_key(|criterion| criterion.criterion);
    for criterion in criteria {
        let points = |view: &ScoreView<'_>| {
            if view.criteria.contains(criterion) { criterion.points } else { Shown(0.0) }
        };
        let part =
            criterion.label.map_or_else(|| format!("criterion {}", criterion.criterion), str::to_owned);
        parts.push(PartChange { part, before: points(before), after: points(after), note: None });
    }
    let inactivity = |view: &ScoreView<'_>| view.inactivity.unwrap_or(Shown(0.0));
    parts.push(PartChange {
        part: "inactivity".to_owned(),
        before: inactivity(before),
        after: inactivity(after),
        note: None,
    });
    for (was, is) in before.parts.iter().zip(&after.parts) {
        let part = is.weight.map_or_else(|| is.score.to_owned(), |weight| format!("{weight} × {}", is.score));
        parts.push(PartChange { part, before: was.value, after: is.value, note: None });
    }
    parts.retain(|part| part.before.number() != part.after.number());
    parts
}

pub fn group_of<'m>(model: &'m Model, score: &str, group: &str) -> Option<&'m Group> {
    let score = model.scores.iter().find(|known| known.name == score)?;
    let ScoreKind::Points(points) = &score.kind else { return None };
    points.groups.iter().find(|known| known.name == group)
}

/// How what a lead holds in a group decays.
fn decay_words(model: &Model, score: &str, view: &GroupView<'_>) -> Option<String> {
    let group = group_of(model, score, view.group)?;
    let rules = &model.contributions[usize::from(group.start)..usize::from(group.end)];
    let held = rules.iter().filter(|rule| {
        view.signals.iter().any(|held| held.signal == model.signals[usize::from(rule.signal)].name)
    });
    let mut words: Vec<String> = held
        .filter_map(|rule| match rule.decay {
            Decay::None => None,
            Decay::HalfLife(half) => Some(format!("half-life {}", duration(half))),
            Decay::Lifespan { life, .. } => Some(format!("lifespan {}", duration(life))),
            Decay::Window { life, .. } => Some(format!("window {}", duration(life))),
        })
        .collect();
    words.sort();
    words.dedup();
    (!words.is_empty()).then(|| words.join(", "))
}

/// Adds what happened: the records, and what leaves none. `judged` is the lead as it was judged, `after` as it is now.
/// Returns the judged lead as its transitions have left it.
pub fn add_happened(
    rules: &Rules,
    chapter: &mut Chapter,
    before: &Lead,
    mut judged: Lead,
    after: &Lead,
    sent: &[Sent],
    in_hand: Option<&InHand<'_>>,
) -> Lead {
    let model = &*rules.model;
    for sent in sent {
        let told = match sent.topic {
            Topic::Transitions => transition(model, &mut judged, &sent.data, in_hand),
            Topic::Alerts => alert(model, &judged, &sent.data),
            Topic::Slas => Some(sla(&sent.data)),
            Topic::Scores => None,
        };
        let Some((what, because)) = told else { continue };
        let because = because.filter(|because| !because.is_empty());
        chapter.happened.push(Happened { what, because, record: Some(sent.data.clone()) });
    }
    chapter.happened.extend(silent(model, before, after));
    chapter.stage = model.stages[usize::from(after.stage)].name.clone();
    judged
}

fn text<'v>(data: &'v Value, key: &str) -> &'v str {
    data[key].as_str().unwrap_or_default()
}

/// Tells a transition, and moves the copy of the lead as it does: what fires next is judged after that.
fn transition(
    model: &Model,
    judged: &mut Lead,
    data: &Value,
    in_hand: Option<&InHand<'_>>,
) -> Option<(String, Option<String>)> {
    let id = model.transitions.iter().position(|known| data["transition"] == known.name)?;
    let rule = &model.transitions[id];
    let clock = judged.clock;
    let mut why = Vec::new();
    if let Some(on) = rule.on {
        let name = match on {
            On::Activity => "activity".to_owned(),
            On::Signal(signal) => Words::of(model).signal(signal),
        };
        let now = in_hand.is_some_and(|in_hand| in_hand.is(on));
        why.push(if now {
            name
        } else {
            format!("{name} was there before, and what it lacked is known now")
        });
    }
    why.extend(rule.after.map(|after| format!("{} in {}", duration(after), text(data, "from"))));
    why.extend(
        rule.inactive_for.map(|quiet| {
            format!("{} without activity, since {}", duration(quiet), moment(quiet_since(judged)))
        }),
    );
    if let Some(when) = &rule.when {
        let mut memo = Memo::default();
        why.push(because::holds(&check(&mut Judge::at(model, judged, clock, &mut memo), when)));
    }
    let mut what = format!("{}: {} → {}", rule.name, text(data, "from"), text(data, "to"));
    for (key, word) in [("owner", "owner"), ("action", "action"), ("reason", "reason"), ("value", "value")] {
        match &data[key] {
            Value::Null => {}
            Value::String(text) => what.push_str(&format!(", {word} {text}")),
            value => what.push_str(&format!(", {word} {value}")),
        }
    }
    let values = |lead: &Lead| -> Vec<f64> {
        let mut memo = Memo::default();
        let mut judge = Judge::at(model, lead, clock, &mut memo);
        rule.reset.iter().map(|&score| judge.value(score)).collect()
    };
    let were = values(judged);
    rule.reset.iter().for_each(|&score| contribution::reset(judged, model, score, clock));
    for ((&score, was), is) in rule.reset.iter().zip(were).zip(values(judged)) {
        let name = &model.scores[usize::from(score)].name;
        what.push_str(&format!(", {name} starts anew ({} → {})", number(was), number(is)));
    }
    judged.stage = rule.to;
    judged.entered_at = clock;
    Some((what, Some(why.join(", and "))))
}

fn alert(model: &Model, judged: &Lead, data: &Value) -> Option<(String, Option<String>)> {
    let rule = model.alerts.iter().find(|known| data["alert"] == known.name)?;
    let to = data["route"].as_str().unwrap_or("nobody");
    let mut what = format!("{} to {to}", rule.name);
    what.extend(data["priority"].as_str().map(|priority| format!(", priority {priority}")));
    let mut why = Vec::new();
    if let Some(On::Signal(signal)) = rule.on {
        why.push(Words::of(model).signal(signal));
    } else if rule.on.is_some() {
        why.push("activity".to_owned());
    }
    if let Some(when) = &rule.when {
        let mut memo = Memo::default();
        why.push(because::holds(&check(&mut Judge::at(model, judged, judged.clock, &mut memo), when)));
    }
    Some((what, Some(why.join(", and "))))
}

fn sla(data: &Value) -> (String, Option<String>) {
    let shown = |key: &str| crate::event::time::parse_text(text(data, key)).map(moment).unwrap_or_default();
    let elapsed = (data["elapsed_seconds"].as_f64().unwrap_or(0.0) * 1000.0).round() as i64;
    let state = text(data, "state").replace('_', " ");
    let what = format!("{} {state} after {}", text(data, "sla"), span(elapsed));
    (what, Some(format!("it started at {} and was due at {}", shown("started_at"), shown("due_at"))))
}

/// What leaves no record: SLAs that start, alerts that are re-armed, transitions that begin to wait for a field.
fn silent(model: &Model, before: &Lead, after: &Lead) -> Vec<Happened> {
    let mut silent = Vec::new();
    let mut add = |what: String| silent.push(Happened { what, because: None, record: None });
    for held in &after.slas {
        let sla = &model.slas[usize::from(held.id)];
        if before.sla(held.id).is_none_or(|was| was.started_at != held.started_at) {
            add(format!("{} starts, due at {}", sla.name, moment(held.started_at + sla.due)));
        }
    }
    for held in &before.alerts {
        if held.disarmed && !after.alert(held.id).disarmed {
            add(format!("{} is armed again", model.alerts[usize::from(held.id)].name));
        }
    }
    for id in after.pending.iter().filter(|&id| !before.pending.contains(id)) {
        let transition = &model.transitions[id];
        let requires = &model.stages[usize::from(transition.to)].requires;
        let lacking = requires.iter().filter(|&&id| after.trait_text(id).is_none());
        let lacking: Vec<&str> = lacking.map(|&id| model.traits[usize::from(id)].name.as_str()).collect();
        add(format!("{} waits for {}", transition.name, lacking.join(" and ")));
    }
    silent
}

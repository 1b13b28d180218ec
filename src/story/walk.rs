//! Plays one lead through a partition of its own, input by input. Of everybody else's events only the time counts: it
//! moves the stream on, and with it what is due for this lead (SPEC §7).

use super::chapter::{self, Before};
use super::{Cause, Chapter, Story, Told, ending};
use crate::core::apply::{Dedup, apply, begin};
use crate::core::due::{first_due, next_second};
use crate::core::effects::{Effects, Topic};
use crate::core::inspect;
use crate::core::lead::Lead;
use crate::core::memo::Memo;
use crate::core::partition::{Budget, Limits, Partition, Record, Timestamp};
use crate::core::rules::{InHand, Rules};
use crate::event::scan::Scanner;
use crate::event::{Event, Kind, Rejection, Value as EventValue};
use crate::model::compiled::Field;
use crate::records::Moment;
use serde_json::Value;
use std::sync::Arc;

/// A record of the lead, as it was sent.
#[derive(Debug, Clone)]
pub struct Sent {
    pub topic: Topic,
    pub at: i64,
    /// By time alone.
    pub by_time: bool,
    pub data: Value,
}

/// Takes lines in the order of their arrival and tells one lead's story.
pub struct Teller {
    rules: Arc<Rules>,
    limits: Limits,
    partition: Partition,
    effects: Effects,
    scanner: Scanner,
    matched: Vec<u16>,
    memo: Memo,
    /// The largest min(event time, record's timestamp) of all leads, ms.
    stream_time: i64,
    line: u64,
    story: Story,
    /// The lead at the end of the chapter before.
    before: Option<Before>,
}

/// The story that the lines tell of a lead; time goes on to `until` (ms) after the last.
pub fn tell<'l>(
    rules: &Arc<Rules>,
    lead: &str,
    lines: impl Iterator<Item = &'l [u8]>,
    until: Option<i64>,
) -> Story {
    let mut teller = Teller::new(rules.clone(), lead);
    lines.for_each(|line| teller.line(line));
    teller.finish(until)
}

impl Teller {
    pub fn new(rules: Arc<Rules>, lead: &str) -> Teller {
        let limits = Limits::default();
        let story = Story {
            lead: lead.to_owned(),
            model: rules.model.name.clone(),
            version: rules.model.version,
            ..Story::default()
        };
        Teller {
            partition: Partition::new(rules.clone(), limits.clone()),
            rules,
            limits,
            effects: Effects::default(),
            scanner: Scanner::default(),
            matched: Vec::new(),
            memo: Memo::default(),
            stream_time: 0,
            line: 0,
            story,
            before: None,
        }
    }

    /// Takes a line of the input, without its line feed. Blank lines are passed over.
    pub fn line(&mut self, line: &[u8]) {
        self.line += 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let mut scanner = std::mem::take(&mut self.scanner);
        self.scanned(&mut scanner, line);
        self.scanner = scanner;
    }

    fn scanned(&mut self, scanner: &mut Scanner, line: &[u8]) {
        let rules = self.rules.clone();
        let scan = match scanner.scan(&rules.plan, &self.limits.event, line) {
            Ok(scan) => scan,
            // Whose it is, nobody can know; but if it names the lead, it may be what somebody is looking for.
            Err(rejection) if memchr::memmem::find(line, self.story.lead.as_bytes()).is_some() => {
                return self.rejected(line, rejection);
            }
            Err(_) => return self.story.other_lines += 1,
        };
        let own =
            scan.values(Field::Lead).any(|id| matches!(id, EventValue::String(id) if id == self.story.lead));
        let named = scan.kind() != Kind::Track || scan.name().is_some();
        if named && rules.model.spend.as_ref().is_some_and(|spend| spend.matcher.matches(&scan)) {
            return self.story.other_lines += 1;
        }
        match scan.event(&self.limits.event, scan.received_at_ms()) {
            Err(rejection) if own => self.rejected(line, rejection),
            Ok(event) if own => self.own(&rules, &event, line),
            Ok(event) => {
                self.story.other_lines += 1;
                self.others(&event);
            }
            Err(_) => self.story.other_lines += 1,
        }
    }

    fn rejected(&mut self, line: &[u8], rejection: Rejection) {
        let told = Told {
            line: self.line,
            what: chapter::what(line),
            outcome: "rejected",
            detail: Some(rejection.detail),
            ..Told::default()
        };
        self.note(told);
    }

    /// An event that changes nothing.
    fn note(&mut self, told: Told) {
        let (at, stage) = match &self.before {
            Some(before) => (before.at, self.rules.model.stages[usize::from(before.lead.stage)].name.clone()),
            None => (self.stream_time, String::new()),
        };
        self.story.chapters.push(Chapter::empty(at, Cause::Event(told), stage));
    }

    /// Somebody else's event: time goes on. (One that is a duplicate for its lead has been here before, time and all.)
    fn others(&mut self, event: &Event<'_>) {
        self.move_stream_time(event);
        self.time_until(self.stream_time - self.limits.grace_ms);
        // Nothing is left to fire: this only tells the partition what time it is.
        self.partition.advance_clock(self.stream_time, &mut { Budget::MAX }, &mut self.effects);
    }

    fn move_stream_time(&mut self, event: &Event<'_>) {
        let time = event.record_time_ms.map_or(event.time_ms, |record| record.min(event.time_ms));
        self.stream_time = self.stream_time.max(time);
    }

    fn own(&mut self, rules: &Arc<Rules>, event: &Event<'_>, line: &[u8]) {
        let mut told = chapter::told(self.line, event, line);
        let dedup: Dedup = self.limits.dedup;
        if self.before.as_ref().is_some_and(|before| dedup.is_duplicate(&before.lead, event)) {
            told.outcome = "duplicate";
            return self.note(told);
        }
        self.move_stream_time(event);
        self.time_until(event.time_ms.max(self.stream_time - self.limits.grace_ms));
        let mut matched = std::mem::take(&mut self.matched);
        rules.matched(event.scan, &mut matched);
        let model = &rules.model;
        let activity = matched.iter().any(|&id| model.signals[usize::from(id)].activity);
        let in_hand = InHand { event, matched: &matched, activity };
        told.signals = matched.iter().map(|&id| model.signals[usize::from(id)].label.clone()).collect();

        let start = self.before.take().unwrap_or_else(|| {
            let mut lead = Lead::default();
            begin(rules, &mut lead, event.time_ms);
            Before::told(lead, event.time_ms)
        });
        // The engine's own first half of an input, on a copy: what it leaves before anything is judged.
        let mut applied = start.lead.clone();
        let cared = apply(rules, &dedup, &mut applied, &in_hand);
        told.outcome = if cared { "applied" } else { "ignored" };
        let attribution = model.attribution.as_ref();
        let channels = attribution.iter().flat_map(|attribution| &attribution.channels);
        let touched = channels.into_iter().find(|channel| channel.matcher.matches(event.scan));
        told.channel = touched.map(|channel| channel.name.clone());
        told.happened_at = (event.time_ms != applied.clock).then_some(Moment(event.time_ms));
        let mut told_chapter = chapter::of_event(rules, &start, &applied, &in_hand, told);

        let record = Record { value: Some(line), timestamp: Timestamp::Received };
        self.partition.apply(record, None, &mut self.effects);
        let sent = self.sent();
        let after = inspect::find(rules, &self.partition, &self.story.lead);
        let after = after.expect("the partition keeps the lead whose event it has applied");
        // What a late event made due that was ripe already comes right after it.
        let (now, later): (Vec<Sent>, Vec<Sent>) = sent.into_iter().partition(|sent| !sent.by_time);
        let told = chapter::add_happened(
            rules,
            &mut told_chapter,
            &start.lead,
            applied,
            &after,
            &now,
            Some(&in_hand),
        );
        self.matched = matched;
        let mut before = Before { lead: told.clone(), told, at: told_chapter.at.0 };
        self.story.chapters.push(told_chapter);
        for sent in later {
            before = self.late_second(rules, before, &after, sent);
        }
        self.before = Some(Before { lead: after, ..before });
    }

    /// A second that was ripe already when a late event brought it about.
    fn late_second(&mut self, rules: &Rules, before: Before, after: &Lead, sent: Sent) -> Before {
        let mut told = Chapter::empty(sent.at, Cause::Time, String::new());
        told.by_time = chapter::by_time(rules, &before, sent.at);
        let mut judged = before.lead.clone();
        judged.clock = sent.at;
        let judged = chapter::add_happened(rules, &mut told, after, judged, after, &[sent], None);
        let at = told.at.0;
        self.story.chapters.push(told);
        Before::told(judged, at)
    }

    /// Fires the lead's due times up to a moment, one by one.
    fn time_until(&mut self, until_ms: i64) {
        let last = until_ms.div_euclid(1000);
        let Some(before) = &self.before else { return };
        let mut from = next_second(&before.lead);
        loop {
            let Some(before) = self.before.take() else { return };
            let Some(due) = first_due(&self.rules, &before.lead, &mut self.memo, from, last) else {
                self.before = Some(before);
                return;
            };
            from = due.second;
            self.before = Some(match due.certain {
                true => self.second(before, due.second * 1000),
                false => before,
            });
            from += i64::from(due.certain);
        }
    }

    /// One second at which time alone brings something about.
    fn second(&mut self, before: Before, at: i64) -> Before {
        let rules = self.rules.clone();
        self.partition.advance_until(at, &mut self.effects);
        let sent = self.sent();
        let Some(after) = inspect::find(&rules, &self.partition, &self.story.lead) else { return before };
        let mut told = Chapter::empty(at, Cause::Time, String::new());
        let mut judged = before.lead.clone();
        judged.clock = at;
        chapter::add_happened(&rules, &mut told, &before.lead, judged, &after, &sent, None);
        // A second at which only a score record went out is no chapter; its decay is told in the next one.
        if told.happened.is_empty() {
            return Before { lead: after, ..before };
        }
        told.by_time = chapter::by_time(&rules, &before, at);
        self.story.chapters.push(told);
        Before::told(after, at)
    }

    /// The lead's records since the last look.
    fn sent(&mut self) -> Vec<Sent> {
        let sent =
            self.effects.outputs().filter(|output| output.topic != Topic::Scores).filter_map(|output| {
                let data: Value = serde_json::from_slice(output.data).ok()?;
                let by_time = data["cause"]["kind"] == "time";
                Some(Sent { topic: output.topic, at: output.at_ms, by_time, data })
            });
        let sent = sent.collect();
        self.effects.clear();
        sent
    }

    /// Lets time go on to `until` (ms) and tells how the lead stands then, or when the last line came.
    pub fn finish(mut self, until: Option<i64>) -> Story {
        if let Some(until) = until {
            self.time_until(until);
        }
        let at = until.unwrap_or(self.stream_time);
        let bytes = self.partition.lead_bytes().next();
        self.story.ending = bytes.and_then(|bytes| ending::standing(&self.rules, bytes, at).ok());
        self.story
    }
}

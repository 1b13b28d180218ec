//! Plays a test through the engine: its events in the order of time, one lead in a partition of its own, and looks at
//! it wherever something is expected.

use super::coverage::Touched;
use super::events::{self, Timed};
use super::expect::{Failure, Happened, compare};
use super::file::{Outcome, TOLERANCE, Test};
use crate::core::effects::{Effects, Topic};
use crate::core::inspect;
use crate::core::partition::{self, Limits, Partition, Record, Timestamp};
use crate::core::rules::Rules;
use crate::event::scan::Scanner;
use serde_json::Value;
use std::sync::Arc;

/// What the tests of a file have in common.
#[derive(Debug, Clone, Copy)]
pub struct Common {
    /// The file's `start`, ms.
    pub start: Option<i64>,
    pub tolerance: Option<f64>,
}

/// What came of one test.
#[derive(Debug, Default)]
pub struct Played {
    pub failures: Vec<Failure>,
    /// The events in the order in which they arrived, as JSON: the lead's story.
    pub lines: Vec<Vec<u8>>,
    /// The last moment that the test looks at, ms.
    pub until: i64,
}

/// Plays a test and notes in `touched` what of the model took part.
pub fn play(rules: &Arc<Rules>, common: Common, test: &Test, touched: &mut Touched) -> Played {
    let start = events::start(test, common.start);
    let mut player = Player {
        rules,
        partition: Partition::new(rules.clone(), Limits::default()),
        effects: Effects::default(),
        scanner: Scanner::default(),
        lead: events::lead(test),
        start,
        tolerance: common.tolerance.unwrap_or(TOLERANCE),
        happened: Vec::new(),
        touched,
        played: Played { until: start, ..Played::default() },
    };
    for timed in events::timeline(test, start) {
        player.played.until = player.played.until.max(timed.at);
        match &timed.event {
            Some(line) => player.event(&timed, line),
            None => player.expect(&timed),
        }
    }
    player.played
}

struct Player<'a> {
    rules: &'a Arc<Rules>,
    partition: Partition,
    effects: Effects,
    scanner: Scanner,
    lead: &'a str,
    start: i64,
    tolerance: f64,
    /// Since the last expectation.
    happened: Vec<Happened>,
    touched: &'a mut Touched,
    played: Played,
}

impl Player<'_> {
    fn event(&mut self, timed: &Timed<'_>, line: &[u8]) {
        self.played.lines.push(line.to_vec());
        self.touched.event(self.rules, &mut self.scanner, line);
        let record = Record { value: Some(line), timestamp: Timestamp::Received };
        let outcome = self.partition.apply(record, None, &mut self.effects);
        self.collect();
        let (found, detail) = match outcome {
            partition::Outcome::Applied => (Outcome::Applied, None),
            partition::Outcome::Ignored => (Outcome::Ignored, None),
            partition::Outcome::Duplicate => (Outcome::Duplicate, None),
            partition::Outcome::Spend => (Outcome::Spend, None),
            partition::Outcome::Tombstone => return,
            partition::Outcome::Rejected(rejection) => (Outcome::Rejected, Some(rejection.detail)),
        };
        let wrong = match timed.step.outcome {
            Some(expected) => expected != found,
            None => found == Outcome::Rejected,
        };
        if wrong {
            let expected = timed.step.outcome.map_or("a good event", Outcome::name);
            let detail = detail.map_or_else(String::new, |detail| format!(": {detail}"));
            self.fail(timed, "event", expected.to_owned(), format!("{}{detail}", found.name()));
        }
    }

    fn expect(&mut self, timed: &Timed<'_>) {
        let Some(expect) = &timed.step.expect else { return };
        self.partition.advance_until(timed.at, &mut self.effects);
        self.collect();
        let happened = std::mem::take(&mut self.happened);
        let Some(standing) = self.standing(timed.at) else {
            self.fail(timed, "lead", "a lead".to_owned(), "no event of it has arrived yet".to_owned());
            return;
        };
        let running = self.running();
        let mut compared = compare(expect, &standing, &running, &happened, self.start, self.tolerance);
        for failure in &mut compared {
            (failure.at, failure.span) = (timed.at, timed.step.span);
        }
        self.played.failures.append(&mut compared);
    }

    fn fail(&mut self, timed: &Timed<'_>, what: &str, expected: String, found: String) {
        let what = what.to_owned();
        self.played.failures.push(Failure { at: timed.at, span: timed.step.span, what, expected, found });
    }

    /// Takes what the engine has sent.
    fn collect(&mut self) {
        for output in self.effects.outputs() {
            let Ok(data) = serde_json::from_slice::<Value>(output.data) else { continue };
            self.touched.record(&self.rules.model, output.topic, &data);
            if output.lead == self.lead && output.topic != Topic::Scores {
                self.happened.push(Happened { topic: output.topic, at: output.at_ms, data });
            }
        }
        self.effects.clear();
    }

    /// The lead's score record at a moment.
    fn standing(&mut self, at: i64) -> Option<Value> {
        let (mut standing, lead) = (None, self.lead);
        self.partition.score_records(at, &mut self.effects, |effects| {
            let record = effects.outputs().find(|output| output.lead == lead);
            standing = standing.take().or_else(|| serde_json::from_slice(record?.data).ok());
            effects.clear();
        });
        standing
    }

    /// The names of the lead's running SLAs.
    fn running(&self) -> Vec<&str> {
        let lead = inspect::find(self.rules, &self.partition, self.lead);
        let running = lead.iter().flat_map(|lead| lead.slas.iter());
        running.map(|held| self.rules.model.slas[usize::from(held.id)].name.as_str()).collect()
    }
}

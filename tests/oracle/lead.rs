//! All that is known of a lead.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::rc::Rc;

use super::event::Event;
use super::history::History;
use super::model::Model;
use super::time::DAY;

const DEDUP_WINDOW: i64 = DAY;
const DEDUP_IDS: usize = 64;

/// An event of the lead, and the signals that it matched, in model order.
#[derive(Clone, Debug)]
pub struct Seen {
    pub event: Event,
    pub signals: Vec<usize>,
}

impl Deref for Seen {
    type Target = Event;

    fn deref(&self) -> &Event {
        &self.event
    }
}

#[derive(Clone, Debug)]
pub struct Lead {
    pub id: String,
    /// Every valid event that is no duplicate, in the order of arrival.
    pub events: Rc<Vec<Seen>>,
    /// The clock of each score's last reset.
    pub resets: BTreeMap<usize, i64>,
    /// Recomputed from `events` and `resets` whenever one of them changes.
    pub history: Rc<History>,
    pub clock: i64,
    pub stage: usize,
    pub entered_at: i64,
    /// Every stage it has been in.
    pub been_in: BTreeSet<usize>,
    /// Transitions that only `requires` holds back.
    pub pending: BTreeSet<usize>,
    /// Transitions that time alone fired since the last event.
    pub fired_by_time: BTreeSet<usize>,
    pub alerts: Vec<AlertState>,
    pub slas: Vec<Option<Running>>,
    pub last_score: Option<LastScore>,
    /// The number of its last record.
    pub seq: u64,
}

#[derive(Clone, Debug)]
pub struct AlertState {
    pub armed: bool,
    pub fired_at: Option<i64>,
}

#[derive(Clone, Debug)]
pub struct Running {
    pub started_at: i64,
    pub due_told: bool,
    pub past_due_told: bool,
}

/// What the lead's last score record said.
#[derive(Clone, Debug)]
pub struct LastScore {
    pub at: i64,
    pub stage: usize,
    pub scores: Vec<f64>,
    pub grades: Vec<Option<String>>,
    pub missing: BTreeSet<String>,
}

impl Lead {
    pub fn new(model: &Model, first: Seen) -> Lead {
        let events = vec![first];
        let clock = events[0].time;
        Lead {
            id: events[0].lead.clone(),
            history: Rc::new(History::of(model, &events, &BTreeMap::new())),
            events: Rc::new(events),
            resets: BTreeMap::new(),
            clock,
            stage: 0,
            entered_at: clock,
            been_in: BTreeSet::from([0]),
            pending: BTreeSet::new(),
            fired_by_time: BTreeSet::new(),
            alerts: vec![AlertState { armed: true, fired_at: None }; model.alerts.len()],
            slas: vec![None; model.slas.len()],
            last_score: None,
            seq: 0,
        }
    }

    /// Choice: an id that came twice, too far apart to be a duplicate, stands twice among the ids.
    pub fn is_duplicate(&self, event: &Event) -> bool {
        let Some(id) = &event.message_id else { return false };
        self.events.iter().rev().filter(|seen| seen.message_id.is_some()).take(DEDUP_IDS).any(|seen| {
            seen.message_id.as_ref() == Some(id) && (seen.time - event.time).abs() <= DEDUP_WINDOW
        })
    }

    pub fn add(&mut self, model: &Model, event: Seen) {
        self.clock = self.clock.max(event.time);
        self.fired_by_time.clear();
        Rc::make_mut(&mut self.events).push(event);
        self.recompute(model);
    }

    pub fn reset(&mut self, model: &Model, scores: &[usize]) {
        if scores.is_empty() {
            return;
        }
        self.resets.extend(scores.iter().map(|score| (*score, self.clock)));
        self.recompute(model);
    }

    fn recompute(&mut self, model: &Model) {
        self.history = Rc::new(History::of(model, &self.events, &self.resets));
    }
}

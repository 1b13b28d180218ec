//! What a batch has decided. It is counted when the batch's transaction is committed, and forgotten when it is given up.

use super::{Metrics, NO_CHANNEL, OTHER, SLA_STATES};
use crate::core::effects::{Effects, Topic};
use crate::core::facts::Fact;
use crate::core::partition::{Last, Outcome};
use crate::core::rules::Rules;
use crate::event::Reason;
use crate::records::SlaState;
use prometheus::CounterVec;
use prometheus::local::LocalHistogram;
use std::sync::Arc;

/// Kinds of topics, in the order of their counters.
pub const TOPICS: [&str; 5] = ["transitions", "alerts", "slas", "scores", "dead_letter"];

/// What is to be counted.
#[derive(Debug)]
pub struct Tally {
    outcomes: [u64; super::OUTCOMES.len()],
    rejections: [u64; Reason::ALL.len()],
    sent: [u64; TOPICS.len()],
    bytes: u64,
    clamped: u64,
    dropped_traits: u64,
    lateness: LocalHistogram,
    /// Facts, with the model that decided them.
    facts: Vec<(Arc<Rules>, Vec<Fact>)>,
    /// Alerts of before this clock, ms, were too old to be sent.
    alerts_from_ms: i64,
}

impl Tally {
    pub fn new(metrics: &Metrics) -> Tally {
        Tally {
            outcomes: Default::default(),
            rejections: Default::default(),
            sent: Default::default(),
            bytes: 0,
            clamped: 0,
            dropped_traits: 0,
            lateness: metrics.lateness.with_label_values::<&str>(&[]).local(),
            facts: Vec::new(),
            alerts_from_ms: i64::MIN,
        }
    }

    /// A record came to this; `last`: what is notable of its event.
    #[inline]
    pub fn note_record(&mut self, bytes: usize, outcome: &Outcome, last: Last) {
        self.bytes += bytes as u64;
        let at = match outcome {
            Outcome::Applied => 0,
            Outcome::Ignored => 1,
            Outcome::Duplicate => 2,
            Outcome::Spend => 3,
            Outcome::Tombstone => 4,
            Outcome::Rejected(rejection) => {
                self.rejections[rejection.reason as usize] += 1;
                5
            }
        };
        self.outcomes[at] += 1;
        if at <= 1 {
            self.clamped += u64::from(last.clamped);
            self.dropped_traits += u64::from(last.dropped_traits);
            self.lateness.observe(last.late_ms as f64 / 1000.0);
        }
    }

    /// Takes the facts that a model has decided.
    pub fn take_facts(&mut self, rules: &Arc<Rules>, effects: &mut Effects) {
        let facts = effects.take_facts();
        if !facts.is_empty() {
            self.facts.push((rules.clone(), facts));
        }
    }

    /// The batch is being sent; alerts of before this clock, ms, are not.
    pub fn note_sending(
        &mut self,
        effects: &Effects,
        dead_letters: usize,
        suppressed: u64,
        alerts_from_ms: i64,
    ) {
        for topic in effects.topics_from(0) {
            self.sent[match topic {
                Topic::Transitions => 0,
                Topic::Alerts => 1,
                Topic::Slas => 2,
                Topic::Scores => 3,
            }] += 1;
        }
        self.sent[1] -= suppressed;
        self.sent[4] += dead_letters as u64;
        self.alerts_from_ms = alerts_from_ms;
    }

    /// The transaction is committed. Empties it.
    pub fn count(&mut self, metrics: &Metrics) {
        add_each(&metrics.records, &super::OUTCOMES, &mut self.outcomes);
        add_each(&metrics.rejections, &Reason::ALL.map(Reason::name), &mut self.rejections);
        add_each(&metrics.sent, &TOPICS, &mut self.sent);
        let plain = [
            (&metrics.bytes, self.bytes),
            (&metrics.clamped, self.clamped),
            (&metrics.dropped_traits, self.dropped_traits),
        ];
        for (counter, count) in plain {
            counter.with_label_values::<&str>(&[]).inc_by(count as f64);
        }
        self.lateness.flush();
        for (rules, facts) in std::mem::take(&mut self.facts) {
            let counting = Counting { metrics, rules: &rules, alerts_from_ms: self.alerts_from_ms };
            facts.iter().for_each(|fact| counting.count(fact));
        }
        self.clear();
    }

    /// Nothing of it took place.
    pub fn clear(&mut self) {
        self.outcomes = Default::default();
        self.rejections = Default::default();
        self.sent = Default::default();
        (self.bytes, self.clamped, self.dropped_traits) = (0, 0, 0);
        self.lateness.clear();
        self.facts.clear();
    }
}

fn add_each(counter: &CounterVec, labels: &[&str], counts: &mut [u64]) {
    for (label, count) in labels.iter().zip(counts).filter(|(_, count)| **count > 0) {
        counter.with_label_values(&[label]).inc_by(*count as f64);
    }
}

struct Counting<'a> {
    metrics: &'a Metrics,
    rules: &'a Rules,
    alerts_from_ms: i64,
}

impl Counting<'_> {
    fn count(&self, fact: &Fact) {
        let (metrics, model) = (self.metrics, &*self.rules.model);
        let stage = |id: u16| model.stages[usize::from(id)].name.as_str();
        let seconds = |ms: i64| ms as f64 / 1000.0;
        match *fact {
            Fact::Transition { id, from, to, entered_before, in_from_ms, age_ms } => {
                let (from, to) = (stage(from), stage(to));
                let name = &model.transitions[usize::from(id)].name;
                metrics.transitions.with_label_values(&[from, to, name]).inc();
                metrics.in_stage.with_label_values(&[from, to]).observe(seconds(in_from_ms));
                if !entered_before {
                    metrics.first_entries.with_label_values(&[to]).inc();
                    metrics.cycle.with_label_values(&[to]).observe(seconds(age_ms));
                }
            }
            Fact::Alert { id, at_ms } => {
                let outcome = if at_ms < self.alerts_from_ms { "suppressed" } else { "sent" };
                let alert = model.alerts[usize::from(id)].name.as_str();
                metrics.alerts.with_label_values(&[alert, outcome]).inc();
            }
            Fact::Sla { id, state, elapsed_ms } => {
                let sla = model.slas[usize::from(id)].name.as_str();
                metrics.slas.with_label_values(&[sla, SLA_STATES[state as usize]]).inc();
                if matches!(state, SlaState::Met | SlaState::Breached) {
                    metrics.sla_elapsed.with_label_values(&[sla]).observe(seconds(elapsed_ms));
                }
            }
            Fact::Missing(id) => {
                let field = format!("traits.{}", model.traits[usize::from(id)].name);
                metrics.missing.with_label_values(&[field]).inc();
            }
            Fact::Credit { stage: to, model: by, channel, weight } => {
                let labels = [stage(to), self.attribution(by), self.channel(Some(channel), NO_CHANNEL)];
                metrics.credit.with_label_values(&labels).inc_by(weight);
            }
            Fact::Value { model: by, channel, value, weight } => {
                let labels = [self.attribution(by), self.channel(channel, NO_CHANNEL)];
                let counter = if value < 0.0 { &metrics.refunds } else { &metrics.revenue };
                counter.with_label_values(&labels).inc_by(value.abs());
                if value >= 0.0 {
                    metrics.purchases.with_label_values(&labels).inc_by(weight);
                }
            }
            Fact::Spend { channel, amount } => {
                metrics.spend.with_label_values(&[self.channel(channel, OTHER)]).inc_by(amount);
            }
            Fact::UnusableSpend => metrics.unusable_spend.with_label_values::<&str>(&[]).inc(),
        }
    }

    fn attribution(&self, by: u8) -> &'static str {
        let models = self.rules.model.attribution.as_ref().map_or(&[][..], |attribution| &attribution.models);
        models.get(usize::from(by)).map_or(NO_CHANNEL, |model| model.name())
    }

    fn channel(&self, id: Option<u16>, otherwise: &'static str) -> &str {
        let channels = self.rules.model.attribution.as_ref().map(|attribution| &attribution.channels);
        let named = id.zip(channels).and_then(|(id, channels)| channels.get(usize::from(id)));
        named.map_or(otherwise, |channel| &channel.name)
    }
}

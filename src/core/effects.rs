//! What applying records asks the caller to do: the records to send, in order.

use super::facts::Fact;
use serde::Serialize;

/// Which output topic a record belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    Transitions,
    Alerts,
    Slas,
    Scores,
}

/// A record to send, borrowed from [`Effects`].
#[derive(Debug, Clone, Copy)]
pub struct Output<'a> {
    pub topic: Topic,
    /// The key.
    pub lead: &'a str,
    /// `ce_id` is `<lead>/<seq>`.
    pub seq: u64,
    /// The clock at which it was decided: `ce_time`, ms.
    pub at_ms: i64,
    /// The value: JSON.
    pub data: &'a [u8],
}

/// Records to send. Reused: `clear` keeps the buffers.
#[derive(Debug, Default)]
pub struct Effects {
    entries: Vec<Entry>,
    leads: String,
    data: Vec<u8>,
    /// None: nobody asks for facts.
    facts: Option<Vec<Fact>>,
}

#[derive(Debug)]
struct Entry {
    topic: Topic,
    seq: u64,
    at_ms: i64,
    lead_end: usize,
    data_end: usize,
}

impl Effects {
    /// Effects that keep facts beside the records.
    pub fn with_facts() -> Effects {
        Effects { facts: Some(Vec::new()), ..Effects::default() }
    }

    /// Notes a fact, if somebody asks for facts.
    #[inline]
    pub fn note(&mut self, fact: Fact) {
        if let Some(facts) = &mut self.facts {
            facts.push(fact);
        }
    }

    /// Whether somebody asks for facts.
    pub fn keeps_facts(&self) -> bool {
        self.facts.is_some()
    }

    /// Hands over the facts that were noted.
    pub fn take_facts(&mut self) -> Vec<Fact> {
        self.facts.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub fn clear(&mut self) {
        self.entries.clear();
        self.leads.clear();
        self.data.clear();
        self.facts.iter_mut().for_each(Vec::clear);
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The topics of the records from the one with this number on.
    pub fn topics_from(&self, first: usize) -> impl Iterator<Item = Topic> {
        self.entries[first..].iter().map(|entry| entry.topic)
    }

    /// Appends a record.
    pub fn push(&mut self, topic: Topic, lead: &str, seq: u64, at_ms: i64, record: &impl Serialize) {
        let written = crate::json::write(&mut self.data, record);
        debug_assert!(written.is_ok(), "records are plain data with text keys");
        self.leads.push_str(lead);
        let (lead_end, data_end) = (self.leads.len(), self.data.len());
        self.entries.push(Entry { topic, seq, at_ms, lead_end, data_end });
    }

    /// The records to send, in order.
    pub fn outputs(&self) -> impl Iterator<Item = Output<'_>> {
        let mut starts = (0, 0);
        self.entries.iter().map(move |entry| {
            let (lead_start, data_start) = starts;
            starts = (entry.lead_end, entry.data_end);
            Output {
                topic: entry.topic,
                lead: &self.leads[lead_start..entry.lead_end],
                seq: entry.seq,
                at_ms: entry.at_ms,
                data: &self.data[data_start..entry.data_end],
            }
        })
    }
}

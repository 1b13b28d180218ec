//! Streams of events for the benchmarks, made from a seed.
#![allow(dead_code)]

pub mod b2b;

use std::fmt::Write;

/// 2026-03-01T00:00:00Z.
const START_MS: i64 = 1_772_323_200_000;

/// splitmix64 (Steele, Lea and Flood, 2014).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn pick<'a>(&mut self, weighted: &[(&'a str, u64)]) -> &'a str {
        let mut at = self.below(weighted.iter().map(|(_, weight)| weight).sum());
        for &(name, weight) in weighted {
            if at < weight {
                return name;
            }
            at -= weight;
        }
        unreachable!("the weights add up to the bound")
    }
}

/// Eight signals, one half-life, three stages: the job of the comparison with general engines.
pub const SMALL_MODEL: &str = "
model: small
version: 1
signals:
  page_viewed: { match: { event: page_viewed } }
  email_opened: { match: { event: email_opened } }
  email_clicked: { match: { event: email_clicked } }
  pricing_viewed: { match: { event: pricing_viewed } }
  content_downloaded: { match: { event: content_downloaded } }
  form_submitted: { match: { event: form_submitted } }
  webinar_attended: { match: { event: webinar_attended } }
  demo_requested: { match: { event: demo_requested } }
scores:
  score:
    groups:
      engagement:
        decay: { half_life: 30d }
        points: { page_viewed: 1, email_opened: 2, email_clicked: 5, pricing_viewed: 8, content_downloaded: 10, form_submitted: 15, webinar_attended: 25, demo_requested: 40 }
stages: [ { name: lead }, { name: mql }, { name: hot } ]
transitions:
  - { name: heat, from: [lead, mql], to: hot, when: { score.score: { gte: 100 } } }
  - { name: qualify, from: lead, to: mql, when: { score.score: { gte: 50 } } }
  - { name: cool, from: hot, to: mql, when: { score.score: { lt: 100 } } }
  - { name: drop, from: [mql, hot], to: lead, when: { score.score: { lt: 50 } } }
";

const SMALL_NAMES: [(&str, u64); 8] = [
    ("page_viewed", 50),
    ("email_opened", 20),
    ("email_clicked", 10),
    ("pricing_viewed", 8),
    ("content_downloaded", 5),
    ("form_submitted", 4),
    ("webinar_attended", 2),
    ("demo_requested", 1),
];

/// Track events of about 340 bytes for uniformly drawn leads, event time rising.
pub struct Stream {
    random: Random,
    leads: u64,
    clock_ms: i64,
    step_ms: i64,
}

impl Stream {
    /// So many events pass in so many days of event time.
    pub fn new(leads: u64, events: u64, days: i64) -> Stream {
        let step_ms = (days * 86_400_000 / events.max(1) as i64).max(1);
        Stream { random: Random(leads), leads, clock_ms: START_MS, step_ms }
    }

    /// So many lines.
    pub fn batch(&mut self, events: usize) -> Lines {
        let mut lines = Lines::default();
        for _ in 0..events {
            let lead = self.random.below(self.leads);
            self.line(&mut lines.text, lead);
            lines.end();
        }
        lines
    }

    /// One event for each lead.
    pub fn each(&mut self) -> Lines {
        let mut lines = Lines::default();
        for lead in 0..self.leads {
            self.line(&mut lines.text, lead);
            lines.end();
        }
        lines
    }

    fn line(&mut self, out: &mut String, lead: u64) {
        let (a, b) = (self.random.next(), self.random.next());
        let name = self.random.pick(&SMALL_NAMES);
        self.clock_ms += self.step_ms;
        let _ = write!(
            out,
            "{{\"type\":\"track\",\"messageId\":\"{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}\",\"userId\":\"u-{lead}\",\"event\":\"{name}\",\"timestamp\":\"",
            a as u32,
            (a >> 32) as u16,
            (a >> 48) & 0xfff,
            0x8000 | (b & 0x3fff),
            b >> 16
        );
        push_time(out, self.clock_ms);
        out.push_str("\",\"properties\":{\"path\":\"/pricing\",\"title\":\"Pricing\",\"plan\":\"pro\"},\"context\":{\"ip\":\"203.0.113.7\",\"page\":{\"path\":\"/pricing\",\"url\":\"https://www.example.com/pricing\",\"referrer\":\"https://www.google.com/\"}}}");
    }
}

pub fn push_time(out: &mut String, ms: i64) {
    let mut text = Vec::with_capacity(24);
    qualifyd::event::time::write_rfc3339(&mut text, ms);
    out.push_str(std::str::from_utf8(&text).expect("digits and dashes"));
}

/// Events one after the other.
#[derive(Default)]
pub struct Lines {
    pub text: String,
    ends: Vec<usize>,
}

impl Lines {
    /// Ends an event.
    fn end(&mut self) {
        self.ends.push(self.text.len());
    }

    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let line = &self.text.as_bytes()[start..end];
            start = end;
            line
        })
    }
}

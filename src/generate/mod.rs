//! `qualifyd generate`: a lively stream of engagement that fits the b2b-saas model, in the order of arrival. The same
//! options give the same bytes: nothing here reads a clock.
//!
//! Each lead is a persona with a story of their own, told when their time comes; what waits to happen is kept small and
//! written out as it happens, so that a million leads need little memory.

mod calendar;
mod faults;
mod journey;
mod people;
mod random;
mod site;
mod stories;
mod wire;

use calendar::{DAY, HOUR};
use journey::{Journey, Planned};
use people::Person;
use random::Random;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use stories::Persona;

/// Streams of random numbers beside those of the leads.
const STARTS: u64 = u64::MAX;
const FAULTS: u64 = u64::MAX - 1;
const SPEND: u64 = u64::MAX - 2;

/// What to generate.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    pub seed: u64,
    /// Leads that begin their story within `days`; as many again in each further span if the stream goes on.
    pub leads: u64,
    /// Length of the stream; events that arrive later are left out.
    pub days: u32,
    /// The stream goes on after `days` with new leads, for ever.
    pub endless: bool,
    /// When the stream begins, in ms.
    pub start_ms: i64,
    /// Share of events that arrive a second time.
    pub duplicates: f64,
    /// Share of events that arrive hours late.
    pub late: f64,
    /// Share of events of which a broken copy arrives, too.
    pub malformed: f64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            seed: 1,
            leads: 3_000,
            days: 365,
            endless: false,
            start_ms: 1_735_689_600_000, // 2025-01-01
            duplicates: 0.01,
            late: 0.01,
            malformed: 0.001,
        }
    }
}

/// An event as it arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it arrives, in ms: the record's timestamp.
    pub arrives_ms: i64,
    /// The lead's id; the channel of a spend event.
    pub key: String,
    /// The record's value.
    pub value: Vec<u8>,
}

/// A lead whose story has begun.
#[derive(Debug)]
struct Lead {
    person: Person,
    /// What is still to arrive, in order.
    plan: VecDeque<Planned>,
    sent: usize,
}

/// What comes next, by arrival; of one time, by number.
type Queue<T> = BinaryHeap<Reverse<(i64, u64, T)>>;

/// The stream.
#[derive(Debug)]
pub struct Generator {
    options: Options,
    /// When stories of the present span begin, the latest first, and of which lead.
    starts: Vec<(i64, u64)>,
    spans: u64,
    /// Slots of leads by their next arrival.
    queue: Queue<usize>,
    leads: Vec<Option<Lead>>,
    free: Vec<usize>,
    /// Whole events by arrival: duplicates and spend.
    ready: Queue<(String, Vec<u8>)>,
    faults: Random,
    begun: u64,
    numbers: u64,
}

impl Generator {
    pub fn new(options: Options) -> Generator {
        let mut generator = Generator {
            starts: Vec::new(),
            spans: 0,
            queue: BinaryHeap::new(),
            leads: Vec::new(),
            free: Vec::new(),
            ready: BinaryHeap::new(),
            faults: Random::new(options.seed, FAULTS),
            begun: 0,
            numbers: 0,
            options,
        };
        generator.begin_span();
        generator
    }

    /// Leads whose story has begun so far.
    pub fn leads(&self) -> u64 {
        self.begun
    }

    fn span_ms(&self) -> i64 {
        i64::from(self.options.days) * DAY
    }

    /// Draws when the leads of the next span come, and notes what the channels cost in it.
    fn begin_span(&mut self) {
        let span_ms = self.span_ms();
        let from = self.options.start_ms + self.spans as i64 * span_ms;
        let first = self.spans * self.options.leads;
        let mut random = Random::new(self.options.seed, STARTS.wrapping_sub(16 * (self.spans + 1)));
        self.starts = (first..first + self.options.leads)
            .map(|lead| (from + (random.unit() * span_ms as f64) as i64, lead))
            .collect();
        self.starts.sort_unstable_by_key(|&start| Reverse(start));
        let mut random = Random::new(self.options.seed, SPEND.wrapping_sub(16 * (self.spans + 1)));
        for day in 0..i64::from(self.options.days) {
            for (channel, daily) in site::PAID_CHANNELS {
                let amount = (daily * random.between(0.7, 1.3) * 100.0).round() / 100.0;
                let at = from + day * DAY + 23 * HOUR;
                self.add_ready(at, channel.to_owned(), wire::spend(channel, amount, at));
            }
        }
        self.spans += 1;
    }

    fn add_ready(&mut self, arrives_ms: i64, key: String, value: Vec<u8>) {
        self.numbers += 1;
        self.ready.push(Reverse((arrives_ms, self.numbers, (key, value))));
    }

    /// Tells the stories that begin before anything else arrives.
    fn begin_leads(&mut self) {
        loop {
            let next = self.next_arrival();
            match self.starts.last() {
                Some(&(start, lead)) if next.is_none_or(|next| start <= next) => {
                    self.starts.pop();
                    self.begin_lead(start, lead);
                }
                None if self.options.endless => self.begin_span(),
                _ => return,
            }
        }
    }

    fn begin_lead(&mut self, start_ms: i64, number: u64) {
        let mut random = Random::new(self.options.seed, number);
        let persona = Persona::draw(&mut random);
        let person = Person::draw(&mut random, persona.kind());
        let mut journey = Journey::new(random, person, start_ms, self.options.late);
        journey.rhythm = persona.rhythm();
        journey.wait(0.0);
        persona.tell(&mut journey);
        let (person, plan) = journey.end();
        self.begun += 1;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.leads.push(None);
            self.leads.len() - 1
        });
        self.leads[slot] = Some(Lead { person, plan: plan.into(), sent: 0 });
        self.requeue(slot);
    }

    /// Queues a lead by what arrives next of it; frees the slot if nothing does.
    fn requeue(&mut self, slot: usize) {
        let next = self.leads[slot].as_ref().and_then(|lead| lead.plan.front());
        match next.map(|planned| planned.at_ms + planned.delay_ms) {
            Some(arrives_ms) => {
                self.numbers += 1;
                self.queue.push(Reverse((arrives_ms, self.numbers, slot)));
            }
            None => {
                self.leads[slot] = None;
                self.free.push(slot);
            }
        }
    }

    fn next_arrival(&self) -> Option<i64> {
        let lead = self.queue.peek().map(|Reverse((at, ..))| *at);
        let ready = self.ready.peek().map(|Reverse((at, ..))| *at);
        lead.into_iter().chain(ready).min()
    }

    /// The next event of the lead whose turn it is.
    fn of_lead(&mut self) -> Option<Event> {
        let Reverse((arrives_ms, _, slot)) = self.queue.pop()?;
        let lead = self.leads[slot].as_mut()?;
        let planned = lead.plan.pop_front()?;
        lead.sent += 1;
        let value = wire::write(&lead.person, &planned, lead.sent);
        let key = lead.person.id.clone();
        self.requeue(slot);
        if self.faults.chance(self.options.duplicates) {
            let again = arrives_ms + self.faults.exponential(600_000.0) as i64;
            self.add_ready(again, key.clone(), value.clone());
        }
        if self.faults.chance(self.options.malformed) {
            let broken = faults::broken(&mut self.faults, &value);
            self.add_ready(arrives_ms, key.clone(), broken);
        }
        Some(Event { arrives_ms, key, value })
    }
}

impl Iterator for Generator {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.begin_leads();
        let next = self.next_arrival()?;
        if !self.options.endless && next >= self.options.start_ms + self.span_ms() {
            return None;
        }
        if self.ready.peek().is_some_and(|Reverse((at, ..))| *at == next) {
            let Reverse((arrives_ms, _, (key, value))) = self.ready.pop()?;
            return Some(Event { arrives_ms, key, value });
        }
        self.of_lead()
    }
}

#[cfg(test)]
mod tests;

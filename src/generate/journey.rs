//! What one lead does, event by event, as their story (see `stories`) tells it.

use super::calendar::{DAY, HOUR, MINUTE, Rhythm, later, office_open};
use super::people::Person;
use super::random::Random;
use super::site::{Entry, Page, SectionOf, pages};

const SECOND: i64 = 1000;

/// A value in properties or traits.
#[derive(Debug, Clone)]
pub enum Value {
    Text(&'static str),
    Owned(String),
    Number(f64),
    Flag(bool),
}

pub type Fields = Vec<(&'static str, Value)>;

/// What happens in one event.
#[derive(Debug, Clone)]
pub enum What {
    Page {
        page: &'static Page,
        entry: Option<Entry>,
        before: Option<&'static Page>,
    },
    Track {
        event: &'static str,
        properties: Fields,
    },
    /// `contact`: name and address; `profile`: title, country, company.
    Identify {
        contact: bool,
        profile: bool,
        more: Fields,
    },
    /// The company, as a product tells it of its accounts.
    Group,
}

/// An event that is going to happen.
#[derive(Debug, Clone)]
pub struct Planned {
    pub at_ms: i64,
    /// From the moment itself to its arrival.
    pub delay_ms: i64,
    /// Whether they had said who they are.
    pub known: bool,
    pub what: What,
}

/// A story in the telling.
pub struct Journey {
    pub random: Random,
    pub person: Person,
    /// When the last thing of the story happened.
    pub now: i64,
    pub rhythm: Rhythm,
    plan: Vec<Planned>,
    known: bool,
    sessions: u32,
    late_share: f64,
}

impl Journey {
    pub fn new(random: Random, person: Person, start_ms: i64, late_share: f64) -> Journey {
        let (plan, rhythm) = (Vec::new(), Rhythm::Office);
        Journey { random, person, now: start_ms, rhythm, plan, known: false, sessions: 0, late_share }
    }

    /// The person, and their events by arrival.
    pub fn end(mut self) -> (Person, Vec<Planned>) {
        self.plan.sort_by_key(|planned| planned.at_ms + planned.delay_ms);
        (self.person, self.plan)
    }

    /// Lets about so many days go by.
    pub fn wait(&mut self, days: f64) {
        self.now = later(&mut self.random, self.now, days, self.rhythm, self.person.offset_hours);
    }

    /// Tells what goes on beside the story, from now on.
    pub fn meanwhile(&mut self, story: impl FnOnce(&mut Journey)) {
        let now = self.now;
        story(self);
        self.now = now;
    }

    fn push(&mut self, at_ms: i64, what: What) {
        // A browser that was offline, a batch that was held up; else the network.
        let delay_ms = if self.random.chance(self.late_share) {
            self.random.exponential(8.0 * HOUR as f64) as i64
        } else {
            self.random.from_to(40, 1_500) as i64
        };
        self.plan.push(Planned { at_ms, delay_ms: delay_ms.min(3 * DAY), known: self.known, what });
    }

    /// A visit to the website: how they came, and pages of these sections in this order.
    pub fn visit(&mut self, entry: Entry, sections: &[SectionOf]) {
        if self.sessions > 0 {
            let what = What::Track { event: "Session Started", properties: vec![] };
            self.push(self.now, what);
            self.now += self.random.from_to(200, 900) as i64;
        }
        self.sessions += 1;
        let mut before = None;
        for &section in sections {
            let page = self.random.pick(pages(section));
            let entry = before.is_none().then_some(entry);
            self.push(self.now, What::Page { page, entry, before });
            let seconds = (10.0 + self.random.exponential(45.0)).min(600.0).round();
            self.now += seconds as i64 * SECOND;
            if seconds > 40.0 && self.random.chance(0.5) {
                let properties = vec![("path", Value::Text(page.path)), ("seconds", Value::Number(seconds))];
                self.push(self.now, What::Track { event: "Page Read", properties });
                self.now += 500;
            }
            before = Some(page);
        }
    }

    /// A visit by the way that such visitors usually come.
    pub fn drop_in(&mut self, sections: &[SectionOf]) {
        let entry = Entry::draw(&mut self.random, self.sessions == 0, self.known);
        self.visit(entry, sections);
    }

    /// Something they do, some seconds after what they did before.
    pub fn track(&mut self, event: &'static str, properties: Fields) {
        self.now += self.random.from_to(5, 60) as i64 * SECOND;
        self.push(self.now, What::Track { event, properties });
    }

    /// They say who they are.
    pub fn identify(&mut self, profile: bool, more: Fields) {
        self.now += self.random.from_to(10, 40) as i64 * SECOND;
        self.known = true;
        self.push(self.now, What::Identify { contact: true, profile, more });
    }

    /// Their company becomes known.
    pub fn group(&mut self) {
        self.now += SECOND;
        self.push(self.now, What::Group);
    }

    /// Somebody of ours does something about them, `hours` from now; the story goes on from there.
    pub fn ours(&mut self, hours: f64, event: &'static str, properties: Fields) {
        let at = self.now + (hours * HOUR as f64) as i64;
        self.now = office_open(at, self.person.offset_hours) + self.random.from_to(5, 600) as i64 * SECOND;
        self.ours_now(event, properties);
    }

    fn ours_now(&mut self, event: &'static str, properties: Fields) {
        let delay_ms = self.random.from_to(1_000, 20_000) as i64;
        let what = What::Track { event, properties };
        self.plan.push(Planned { at_ms: self.now, delay_ms, known: true, what });
    }

    /// What sales found out about them.
    pub fn learned(&mut self, more: Fields) {
        self.now += self.random.from_to(2, 20) as i64 * MINUTE;
        self.push(self.now, What::Identify { contact: false, profile: true, more });
    }

    /// Somebody answers within minutes if it is office hours, most of the time.
    pub fn answer(&mut self, event: &'static str) {
        let late = self.random.chance(0.15);
        let mean = if late { 45.0 } else { 2.2 };
        let minutes = 0.3 + self.random.exponential(mean);
        self.now = office_open(self.now, self.person.offset_hours) + (minutes * MINUTE as f64) as i64;
        self.ours_now(event, vec![]);
    }

    /// Our e-mails over some weeks, one a week, beside what else happens.
    pub fn mails(&mut self, weeks: u64, opens: f64, clicks: f64) {
        let sent = self.now;
        for week in 0..weeks {
            if !self.random.chance(opens) {
                continue;
            }
            let days = week as f64 * 7.0 + self.random.between(1.0, 3.0);
            let at = later(&mut self.random, sent, days, self.rhythm, self.person.offset_hours);
            let mail = || vec![("campaign", Value::Text("nurture"))];
            self.push(at, What::Track { event: "Email Opened", properties: mail() });
            if self.random.chance(clicks) {
                let at = at + self.random.from_to(5, 120) as i64 * SECOND;
                self.push(at, What::Track { event: "Email Link Clicked", properties: mail() });
                let page = self.random.pick(pages(SectionOf::Blog));
                let entry = Some(Entry::Email);
                self.push(at + 2 * SECOND, What::Page { page, entry, before: None });
            }
        }
    }
}

//! A stream as a B2B SaaS company sees it, for `deploy/models/b2b-saas.yaml`: visits of a few pages in a row, most of them
//! anonymous; e-mails, content, webinars, trials, requests; traits once in a while; what sales reports.

use super::{Lines, Random, START_MS, push_time};
use std::fmt::Write;

/// Between two events of one visit, about.
const PAUSE_MS: i64 = 60_000;
/// Of ten leads so many are known by name.
const KNOWN: u64 = 4;

const PAGES: [(&str, u64); 12] = [
    ("/", 20),
    ("/blog/lead-scoring-in-practice", 22),
    ("/blog/what-is-an-mql", 14),
    ("/docs/getting-started", 10),
    ("/product/scoring", 9),
    ("/product/routing", 6),
    ("/customers/acme", 5),
    ("/pricing", 6),
    ("/compare/spreadsheets", 2),
    ("/careers", 2),
    ("/about", 3),
    ("/integrations/crm", 1),
];

const REFERRERS: [(&str, u64); 5] = [
    ("https://www.example.com/blog/what-is-an-mql", 70),
    ("https://www.google.com/", 18),
    ("https://www.linkedin.com/feed/", 5),
    ("https://news.example.net/item?id=4211", 2),
    ("", 5),
];

const MEDIA: [(&str, u64); 4] = [("cpc", 5), ("email", 3), ("paid_social", 1), ("partner", 1)];

/// Tracks of leads that are known by name.
const TRACKS: [(&str, u64); 16] = [
    ("Email Opened", 40),
    ("Page Read", 20),
    ("Report Created", 10),
    ("Email Link Clicked", 8),
    ("Project Created", 5),
    ("Document Downloaded", 4),
    ("Ad Clicked", 3),
    ("Form Submitted", 2),
    ("Webinar Registered", 2),
    ("Call Logged", 2),
    ("Webinar Attended", 1),
    ("Trial Started", 1),
    ("Teammate Invited", 1),
    ("Newsletter Subscribed", 1),
    ("Unsubscribed", 1),
    ("Demo Requested", 1),
];

const TITLES: [&str; 6] =
    ["Head of Operations", "Marketing Manager", "CEO", "Software Engineer", "VP Sales", "Student"];
const COUNTRIES: [&str; 5] = ["US", "DE", "GB", "IN", "BR"];
const INDUSTRIES: [&str; 4] = ["software", "retail", "logistics", "education"];

/// Events in the order of their times.
pub struct Stream {
    random: Random,
    leads: u64,
    clock_ms: i64,
    step_ms: i64,
    /// The leads that are visiting; one appears as often as it is there.
    visits: Vec<u64>,
}

impl Stream {
    /// So many events pass in so many days of event time.
    pub fn new(leads: u64, events: u64, days: i64) -> Stream {
        let mut random = Random(leads ^ 0xb2b);
        let step_ms = (days * 86_400_000 / events.max(1) as i64).max(1);
        let visits = (0..(PAUSE_MS / step_ms).max(1)).map(|_| random.below(leads)).collect();
        Stream { random, leads, clock_ms: START_MS, step_ms, visits }
    }

    /// So many lines.
    pub fn batch(&mut self, events: usize) -> Lines {
        let mut lines = Lines::default();
        for _ in 0..events {
            let lead = self.next_lead();
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

    /// A lead that is visiting. After each event one in five leaves, and any other lead comes.
    fn next_lead(&mut self) -> u64 {
        let at = self.random.below(self.visits.len() as u64) as usize;
        let lead = self.visits[at];
        if self.random.below(5) == 0 {
            self.visits[at] = self.random.below(self.leads);
        }
        lead
    }

    fn line(&mut self, out: &mut String, lead: u64) {
        self.clock_ms += self.step_ms;
        let known = lead % 10 < KNOWN;
        let kind = match self.random.below(100) {
            0..4 if known => "identify",
            4..45 if known => "track",
            _ => "page",
        };
        let (a, b) = (self.random.next(), self.random.next());
        let _ = write!(out, "{{\"type\":\"{kind}\",\"messageId\":\"{}\",", uuid(a, b));
        let id = uuid(Random(lead).next(), Random(!lead).next());
        let _ = write!(out, "\"{}\":\"{id}\",\"timestamp\":\"", if known { "userId" } else { "anonymousId" });
        push_time(out, self.clock_ms);
        out.push_str("\",\"context\":{\"library\":{\"name\":\"analytics.js\",\"version\":\"2.1.0\"},\"locale\":\"en-US\"");
        match kind {
            "page" => self.page(out),
            "track" => self.track(out),
            _ => self.identify(out, lead),
        }
        out.push('}');
    }

    fn page(&mut self, out: &mut String) {
        let (path, referrer) = (self.random.pick(&PAGES), self.random.pick(&REFERRERS));
        if self.random.below(20) == 0 {
            let _ = write!(
                out,
                ",\"campaign\":{{\"medium\":\"{}\",\"name\":\"spring\"}}",
                self.random.pick(&MEDIA)
            );
        }
        let _ = write!(
            out,
            ",\"page\":{{\"path\":\"{path}\",\"url\":\"https://www.example.com{path}\",\"referrer\":\"{referrer}\"}}}},\
             \"properties\":{{\"path\":\"{path}\",\"title\":\"Example\"}}"
        );
    }

    fn track(&mut self, out: &mut String) {
        let event = self.random.pick(&TRACKS);
        let seconds = self.random.below(200);
        let _ = write!(
            out,
            ",\"page\":{{\"path\":\"/product/scoring\",\"url\":\"https://www.example.com/product/scoring\"}}}},\
             \"event\":\"{event}\",\"properties\":{{\"seconds\":{seconds},\"email\":\"mate{seconds}@company.example\",\"plan\":\"trial\"}}"
        );
    }

    fn identify(&mut self, out: &mut String, lead: u64) {
        let of = |items: &[&'static str]| items[(lead / 10 % items.len() as u64) as usize];
        let (title, country, industry) = (of(&TITLES), of(&COUNTRIES), of(&INDUSTRIES));
        let _ = write!(
            out,
            "}},\"traits\":{{\"email\":\"lead{lead:07}@company.example\",\"title\":\"{title}\",\"country\":\"{country}\",\
             \"company\":{{\"name\":\"Company {lead}\",\"domain\":\"company{lead}.example\",\"employees\":{},\"industry\":\"{industry}\"}}}}",
            lead % 2_000
        );
    }
}

/// A UUID of 128 bits.
fn uuid(a: u64, b: u64) -> String {
    let (a1, a2, a3, b1, b2) = (a as u32, a >> 32 & 0xffff, a >> 52, 0x8000 | b & 0x3fff, b >> 16);
    format!("{a1:08x}-{a2:04x}-4{a3:03x}-{b1:04x}-{b2:012x}")
}

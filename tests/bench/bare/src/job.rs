//! The job: points by event name that halve every 30 days, and three stages.

use crate::{Args, stream, watch};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::HashMap;

pub const HALF_LIFE_MS: f64 = 30.0 * 86_400_000.0;
pub const STAGES: [&str; 3] = ["lead", "mql", "hot"];

/// What is kept of a lead.
#[derive(Default, Clone, Copy)]
pub struct State {
    pub score: f64,
    pub last_ms: i64,
    pub count: u64,
    pub stage: u8,
}

impl State {
    pub const SIZE: usize = 25;

    /// Whether the stage changed.
    #[inline]
    pub fn apply(&mut self, points: f64, time_ms: i64) -> bool {
        let age_ms = (time_ms - self.last_ms).max(0) as f64;
        let kept = if self.count == 0 { 0.0 } else { self.score * (-age_ms / HALF_LIFE_MS).exp2() };
        self.score = kept + points;
        self.last_ms = self.last_ms.max(time_ms);
        self.count += 1;
        let stage = match self.score {
            100.0.. => 2,
            50.0.. => 1,
            _ => 0,
        };
        std::mem::replace(&mut self.stage, stage) != stage
    }

    #[inline]
    pub fn encode(&self) -> [u8; State::SIZE] {
        let mut bytes = [0; State::SIZE];
        bytes[0..8].copy_from_slice(&self.score.to_bits().to_be_bytes());
        bytes[8..16].copy_from_slice(&self.last_ms.to_be_bytes());
        bytes[16..24].copy_from_slice(&self.count.to_be_bytes());
        bytes[24] = self.stage;
        bytes
    }

    pub fn decode(bytes: &[u8; State::SIZE]) -> State {
        let number = |at: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&bytes[at..at + 8]);
            u64::from_be_bytes(eight)
        };
        State {
            score: f64::from_bits(number(0)),
            last_ms: number(8) as i64,
            count: number(16),
            stage: bytes[24],
        }
    }
}

#[inline]
pub fn points(name: &str) -> f64 {
    match name {
        "page_viewed" => 1.0,
        "email_opened" => 2.0,
        "email_clicked" => 5.0,
        "pricing_viewed" => 8.0,
        "content_downloaded" => 10.0,
        "form_submitted" => 15.0,
        "webinar_attended" => 25.0,
        "demo_requested" => 40.0,
        _ => 0.0,
    }
}

/// What the job reads of an event; the first three are only checked to be there.
#[derive(Deserialize)]
pub struct Event<'a> {
    #[serde(rename = "type", borrow)]
    _kind: Cow<'a, str>,
    #[serde(rename = "messageId", borrow)]
    _message_id: Cow<'a, str>,
    #[serde(rename = "userId", borrow)]
    _user_id: Cow<'a, str>,
    #[serde(borrow)]
    pub event: Cow<'a, str>,
    #[serde(borrow)]
    pub timestamp: Cow<'a, str>,
}

/// The stream's one format of times.
#[inline]
pub fn parse_time(text: &str) -> i64 {
    let bytes = text.as_bytes();
    assert!(bytes.len() == 24 && bytes[23] == b'Z', "the stream's times have 24 characters");
    let digit = |at: usize| i64::from(bytes[at] - b'0');
    let two = |at: usize| digit(at) * 10 + digit(at + 1);
    let (year, month, day) = (two(0) * 100 + two(2), two(5), two(8));
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let days =
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    let in_day = two(11) * 3_600_000 + two(14) * 60_000 + two(17) * 1000 + digit(20) * 100 + two(21);
    days * 86_400_000 + in_day
}

/// The transitions of the stream, worked out without Kafka.
pub fn reference(args: &Args) -> anyhow::Result<()> {
    let (events, leads, of) = stream::of(args)?;
    let mut states: HashMap<String, State> = HashMap::new();
    let mut transitions = watch::Transitions::default();
    stream::stream(events, leads, of, |user, _, name, time_ms| {
        let state = states.entry(user.to_owned()).or_default();
        let from = state.stage;
        if state.apply(points(name), time_ms) {
            transitions.add(user, STAGES[usize::from(from)], STAGES[usize::from(state.stage)]);
        }
    });
    println!("{}", transitions.summary());
    Ok(())
}

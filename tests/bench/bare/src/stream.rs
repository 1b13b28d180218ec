//! The stream: Segment track events of about 340 bytes, by a fixed seed.

use crate::Args;
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use std::fmt::Write;
use std::time::Duration;

/// Event names, and their shares in percent.
pub const NAMES: [(&str, u64); 8] = [
    ("page_viewed", 50),
    ("email_opened", 20),
    ("email_clicked", 10),
    ("pricing_viewed", 8),
    ("content_downloaded", 5),
    ("form_submitted", 4),
    ("webinar_attended", 2),
    ("demo_requested", 1),
];
/// 2026-03-01T00:00:00Z
const START_MS: i64 = 1_772_323_200_000;
const SPAN_MS: i64 = 30 * 86_400_000;
const DAY_MS: i64 = 86_400_000;

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn write_time(out: &mut String, ms: i64) {
    let (days, rest) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60);
    let ms = rest % 1000;
    let _ = write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z");
}

/// Writes an event as JSON.
pub fn write_event(out: &mut String, random: &mut Random, user: &str, name: &str, time_ms: i64) {
    out.clear();
    let (a, b) = (random.next(), random.next());
    let _ = write!(
        out,
        r#"{{"type":"track","messageId":"{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}","userId":"{user}","event":"{name}","timestamp":""#,
        a as u32,
        (a >> 32) as u16,
        (a >> 48) & 0xfff,
        0x8000 | (b & 0x3fff),
        b >> 16
    );
    write_time(out, time_ms);
    out.push_str(
        r#"","properties":{"path":"/pricing","title":"Pricing","plan":"pro"},"context":{"ip":"203.0.113.7","page":{"path":"/pricing","url":"https://www.example.com/pricing","referrer":"https://www.google.com/"},"campaign":{"source":"google","medium":"cpc","name":"spring"}}}"#,
    );
}

/// Who the events are of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Leads {
    /// Every tenth event walks through all leads, so that all exist; the others are Zipf (s = 0.8).
    Zipf,
    /// One after the other.
    Each,
}

/// Calls `each(random, user, JSON, event name, time)` for every event.
pub fn stream(events: u64, leads: u64, of: Leads, mut each: impl FnMut(&str, &str, &str, i64)) {
    let mut random = Random(42);
    let mut cumulated = Vec::new();
    if of == Leads::Zipf {
        let mut sum = 0.0;
        cumulated.extend((1..=leads).map(|rank| {
            sum += (rank as f64).powf(-0.8);
            sum
        }));
    }
    let (mut user, mut json) = (String::new(), String::new());
    for number in 0..events {
        let rank = match of {
            Leads::Each => number % leads,
            Leads::Zipf if number % 10 == 0 => (number / 10) % leads,
            Leads::Zipf => {
                let place = random.unit() * cumulated[cumulated.len() - 1];
                (cumulated.partition_point(|&sum| sum < place) as u64).min(leads - 1)
            }
        };
        user.clear();
        let _ = write!(user, "u-{}", (rank * 7919 + 13) % leads);
        let mut place = random.next() % 100;
        let name = NAMES.iter().find(|(_, share)| {
            let found = place < *share;
            place = place.saturating_sub(*share);
            found
        });
        let name = name.map_or(NAMES[0].0, |(name, _)| name);
        let time_ms = START_MS + (i128::from(number) * i128::from(SPAN_MS) / i128::from(events)) as i64;
        write_event(&mut json, &mut random, &user, name, time_ms);
        each(&user, &json, name, time_ms);
    }
}

/// A producer that places records as Java's does.
pub fn producer(brokers: &str, linger_ms: &str) -> anyhow::Result<BaseProducer> {
    Ok(ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("enable.idempotence", "true")
        .set("compression.type", "lz4")
        .set("partitioner", "murmur2_random")
        .set("linger.ms", linger_ms)
        .set("batch.size", "262144")
        .set("queue.buffering.max.messages", "500000")
        .set("delivery.report.only.error", "true")
        .create()?)
}

pub fn of(args: &Args) -> anyhow::Result<(u64, u64, Leads)> {
    let of = if args.get("of", "zipf".to_owned())? == "each" { Leads::Each } else { Leads::Zipf };
    Ok((args.get("events", 2_000_000)?, args.get("leads", 200_000)?, of))
}

/// Sends the stream to a topic.
pub fn generate(args: &Args) -> anyhow::Result<()> {
    let (events, leads, of) = of(args)?;
    let topic = args.text("topic")?;
    let producer = producer(&args.text("brokers")?, "50")?;
    let (mut bytes, mut fault) = (0, None);
    stream(events, leads, of, |user, json, _, time_ms| {
        bytes += json.len() as u64;
        let mut record = BaseRecord::to(&topic).key(user).payload(json).timestamp(time_ms);
        while let Err((error, back)) = producer.send(record) {
            if error.rdkafka_error_code() != Some(rdkafka::types::RDKafkaErrorCode::QueueFull) {
                fault = Some(error);
                return;
            }
            producer.poll(Duration::from_millis(10));
            record = back;
        }
    });
    fault.map_or(Ok(()), Err)?;
    producer.flush(Duration::from_secs(60))?;
    println!("sent {events} events of {} bytes", bytes / events);
    Ok(())
}

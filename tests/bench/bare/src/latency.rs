//! From the moment at which an event was to be sent to the moment at which its transition can be read.
//!
//! The loop is open: events are due by the clock, whatever the contender does, and a late one counts from when it was
//! due, so that waiting is not left out (coordinated omission).

use crate::Args;
use crate::stream::{Random, producer, write_event};
use crate::watch::{Transition, reader};
use anyhow::anyhow;
use rdkafka::Offset;
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::producer::{BaseRecord, Producer};
use std::io::{BufWriter, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long to wait for the last transitions.
const REST: Duration = Duration::from_secs(5);
/// Leads that never come near a bar.
const CALM_LEADS: u64 = 50_000;

/// When which event is due.
struct Plan {
    start: Instant,
    start_us: u128,
    rate: u64,
    events: u64,
    /// The events that bring a lead on, three to each lead; the second and the third change its stage.
    specials: Vec<u64>,
    name: String,
}

impl Plan {
    fn due(&self, event: u64) -> Duration {
        Duration::from_nanos(event * 1_000_000_000 / self.rate)
    }

    /// The event that brought about this transition of a lead.
    fn event_of(&self, transition: &Transition<'_>) -> Option<u64> {
        let lead: usize = transition.lead.strip_prefix(&self.name)?.parse().ok()?;
        let step = match transition.to {
            "mql" => 1,
            "hot" => 2,
            _ => return None,
        };
        self.specials.get(lead * 3 + step).copied()
    }
}

/// Sends `rate` events a second for `seconds`, `percent` of them special; writes a line for each transition to `file`:
/// when its event was due, and when it was read, in µs since 1970.
pub fn latency(args: &Args) -> anyhow::Result<()> {
    let (rate, seconds) = (args.get("rate", 2_000)?, args.get::<u64>("seconds", 60)?);
    let percent = args.get("percent", 2)?;
    let events = rate * seconds;
    let mut random = Random(7);
    let specials = (0..events).filter(|_| random.next() % 100 < percent).collect();
    let start_us = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros();
    // Leads of another run of the same group have their stages already.
    let name = format!("s{start_us}-");
    let plan = Plan { start: Instant::now(), start_us, rate, events, specials, name };
    let sent = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| read(args, &plan, &sent));
        let result = send(args, &plan);
        sent.store(true, Ordering::Release);
        let read = reading.join().map_err(|_| anyhow!("the reader panicked"))??;
        let late = result?;
        println!(
            "sent={events} expected={} read={read} latest_send_us={}",
            expected(&plan),
            late.as_micros()
        );
        Ok(())
    })
}

fn expected(plan: &Plan) -> usize {
    let rest = plan.specials.len() % 3;
    plan.specials.len() / 3 * 2 + rest.saturating_sub(1)
}

/// How late the latest event was sent.
fn send(args: &Args, plan: &Plan) -> anyhow::Result<Duration> {
    let topic = args.text("topic")?;
    let producer = producer(&args.text("brokers")?, "0")?;
    producer.client().fetch_metadata(Some(&topic), Duration::from_secs(10))?;
    let (mut random, mut json) = (Random(11), String::new());
    let mut specials = plan.specials.iter().enumerate().peekable();
    let mut latest = Duration::ZERO;
    for event in 0..plan.events {
        let due = plan.due(event);
        while plan.start.elapsed() < due {
            producer.poll(Duration::ZERO);
            std::thread::sleep(Duration::from_micros(200).min(due.saturating_sub(plan.start.elapsed())));
        }
        let (user, name) = match specials.next_if(|&(_, &at)| at == event) {
            Some((number, _)) => (format!("{}{}", plan.name, number / 3), "demo_requested"),
            None => (format!("u-{}", random.next() % CALM_LEADS), "page_viewed"),
        };
        let due_ms = (plan.start_us + due.as_micros()) / 1000;
        write_event(&mut json, &mut random, &user, name, i64::try_from(due_ms)?);
        let record = BaseRecord::to(&topic).key(&user).payload(&json);
        producer.send(record).map_err(|(error, _)| error)?;
        latest = latest.max(plan.start.elapsed().saturating_sub(due));
    }
    producer.flush(Duration::from_secs(30))?;
    Ok(latest)
}

/// How many transitions were read.
fn read(args: &Args, plan: &Plan, sent: &AtomicBool) -> anyhow::Result<usize> {
    let (consumer, _) = reader(args, &args.text("output")?, Offset::Beginning)?;
    let mut out = BufWriter::new(std::fs::File::create(args.text("file")?)?);
    let (mut count, mut end) = (0, None);
    while count < expected(plan) && end.is_none_or(|end| Instant::now() < end) {
        if sent.load(Ordering::Acquire) {
            end.get_or_insert(Instant::now() + REST);
        }
        let message = match consumer.poll(Duration::from_millis(20)) {
            Some(Ok(message)) => message,
            Some(Err(KafkaError::PartitionEOF(_))) | None => continue,
            Some(Err(error)) => return Err(error.into()),
        };
        let read_us = plan.start_us + plan.start.elapsed().as_micros();
        let transition = serde_json::from_slice(message.payload().unwrap_or_default())?;
        if let Some(event) = plan.event_of(&transition) {
            writeln!(out, "{} {read_us}", plan.start_us + plan.due(event).as_micros())?;
            count += 1;
        }
    }
    out.flush()?;
    Ok(count)
}

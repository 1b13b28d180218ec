//! `qualifyd generate`.

use crate::config::Kafka;
use crate::generate::{Event, Generator, Options};
use crate::kafka::feed::Feed;
use crate::pace::{Pace, Pacer};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// The days of a span of a stream that only `--events` ends.
const SPAN_DAYS: u32 = 365;

/// Generate engagement of leads, as JSON lines in the order of arrival or to a Kafka topic.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The stream fits deploy/models/b2b-saas.yaml: visitors who say who they are or never do, trials, demo requests,
what sales does, customers, students, competitors, ad spend. The same options give the same stream.

Examples:
  qualifyd generate | qualifyd replay --model deploy/models/b2b-saas.yaml --stats - > records.jsonl
  qualifyd generate --leads 100000 --events 5000000 --brokers 127.0.0.1:9092 --topic engagement
  qualifyd generate --start now --days 1 --speed 1 --brokers 127.0.0.1:9092 --topic engagement"
)]
pub struct Args {
    #[command(flatten)]
    stream: Stream,
    /// End after so many events; without --days the stream then goes on with new leads year after year.
    #[arg(long, value_name = "N")]
    events: Option<u64>,
    /// When the stream begins: a time, a date, or now.
    #[arg(long, value_name = "TIME", value_parser = super::parse_time, default_value = "2025-01-01")]
    start: i64,
    /// Events in a second; as fast as they are taken if neither this nor --speed is given.
    #[arg(long, value_name = "N", value_parser = positive, conflicts_with = "speed")]
    rate: Option<f64>,
    /// How many times as fast as outside time goes by in the stream; 1: live.
    #[arg(long, value_name = "N", value_parser = positive)]
    speed: Option<f64>,
    /// Send the events to this Kafka cluster instead of printing them.
    #[arg(long, requires = "topic")]
    brokers: Option<String>,
    /// The topic; records are keyed by lead.
    #[arg(long, requires = "brokers")]
    topic: Option<String>,
    /// A librdkafka property, such as security.protocol=SSL; the value may be ${ENV} or @/path/of/a/secret.
    #[arg(short = 'X', value_name = "NAME=VALUE", requires = "brokers")]
    properties: Vec<String>,
}

/// What the stream is like; shared with `demo`.
#[derive(Debug, clap::Args)]
pub struct Stream {
    /// Leads whose story begins within the days.
    #[arg(long, value_name = "N", default_value_t = 3_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    leads: u64,
    /// Days that the stream covers [default: 365].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub days: Option<u32>,
    /// Another number, another stream.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Share of events that arrive twice.
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = share)]
    duplicates: f64,
    /// Share of events that arrive hours late.
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = share)]
    late: f64,
    /// Share of events of which a broken copy arrives, too.
    #[arg(long, value_name = "SHARE", default_value_t = 0.001, value_parser = share)]
    malformed: f64,
}

impl Stream {
    /// The generator's options for a stream that begins then.
    pub fn options(&self, start_ms: i64, endless: bool) -> Options {
        let Stream { leads, seed, duplicates, late, malformed, .. } = *self;
        let days = self.days.unwrap_or(SPAN_DAYS);
        Options { seed, leads, days, endless, start_ms, duplicates, late, malformed }
    }
}

pub fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| *number > 0.0 && number.is_finite());
    number.ok_or_else(|| "give a number above 0".to_owned())
}

fn share(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| "give a share from 0 to 1, such as 0.01".to_owned())
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let endless = args.events.is_some() && args.stream.days.is_none();
    let generator = Generator::new(args.stream.options(args.start, endless));
    let events = generator.take(args.events.map_or(usize::MAX, |events| events as usize));
    let pace = match (args.rate, args.speed) {
        (Some(rate), _) => Pace::Rate(rate),
        (None, Some(speed)) => Pace::Speed(speed),
        (None, None) => Pace::Free,
    };
    match (&args.brokers, &args.topic) {
        (Some(brokers), Some(topic)) => {
            let kafka = match Kafka::of_flags(brokers, &args.properties) {
                Ok(kafka) => kafka,
                Err(error) => {
                    eprintln!("qualifyd: {error}");
                    return Ok(ExitCode::from(super::settings::UNUSABLE));
                }
            };
            send(events, pace, &Feed::new(&kafka, topic)?, topic)?;
        }
        _ => print(events, pace)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn print(events: impl Iterator<Item = Event>, pace: Pace) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut pacer = Pacer::new(pace);
    let never = AtomicBool::new(false);
    for event in events {
        pacer.wait(event.arrives_ms, &never);
        out.write_all(&event.value)?;
        out.write_all(b"\n")?;
        // Whoever reads a paced stream wants each event when it comes.
        if pace != Pace::Free {
            out.flush()?;
        }
    }
    out.flush()
}

fn send(events: impl Iterator<Item = Event>, pace: Pace, feed: &Feed, topic: &str) -> anyhow::Result<()> {
    let mut pacer = Pacer::new(pace);
    let mut progress = Progress::new(topic);
    let never = AtomicBool::new(false);
    for event in events {
        pacer.wait(event.arrives_ms, &never);
        feed.send(&event)?;
        progress.count(event.arrives_ms);
    }
    feed.finish()?;
    progress.end();
    Ok(())
}

/// A line on standard error: how many events, how fast, and what time it is in the stream.
struct Progress<'a> {
    topic: &'a str,
    events: u64,
    began: Instant,
    shown: Instant,
    terminal: bool,
}

impl Progress<'_> {
    fn new(topic: &str) -> Progress<'_> {
        let now = Instant::now();
        Progress { topic, events: 0, began: now, shown: now, terminal: io::stderr().is_terminal() }
    }

    fn count(&mut self, arrives_ms: i64) {
        self.events += 1;
        if !self.terminal || self.shown.elapsed() < Duration::from_millis(250) {
            return;
        }
        self.shown = Instant::now();
        let mut time = Vec::new();
        crate::event::time::write_rfc3339(&mut time, arrives_ms);
        let time = String::from_utf8_lossy(&time[..16]).replace('T', " ");
        let _ = write!(io::stderr(), "\r{}, {time}\x1b[K", self.told());
    }

    fn end(&self) {
        let clear = if self.terminal { "\r\x1b[K" } else { "" };
        let _ = writeln!(io::stderr(), "{clear}{} sent to {}", self.told(), self.topic);
    }

    fn told(&self) -> String {
        let rate = self.events as f64 / self.began.elapsed().as_secs_f64().max(1e-9);
        format!("{} events, {rate:.0}/s", self.events)
    }
}

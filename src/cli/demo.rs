//! `qualifyd demo`.

use super::generate::{Stream, positive};
use crate::demo::{self, Options};
use crate::generate;
use signal_hook::consts::TERM_SIGNALS;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

const DAY_MS: f64 = 86_400_000.0;
const YEAR_DAYS: u32 = 365;
/// Slower than this a day takes more than a minute, and nobody wants to wait for the first visitors.
const LIVE_BELOW: f64 = 1_000.0;
const LEAD_IN_DAYS: u32 = 2;

/// Show the daemon at work on a generated stream: no Kafka needed.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Starts a Kafka cluster inside this process, generates a company's engagement, runs the daemon on it with the model
b2b-saas, and prints transitions, alerts and missed SLAs as they come.

Examples:
  qualifyd demo
  qualifyd demo --speed 1 --leads 20000          # live: one day, as it goes by
  qualifyd demo --brokers 127.0.0.1:9092         # the same on a real cluster; creates the topics qualifyd-demo.*"
)]
pub struct Args {
    #[command(flatten)]
    stream: Stream,
    /// How many times as fast as outside time goes by in the stream; 1: live. Below 1000 the stream is one day, after two
    /// that are only counted, unless --days is given.
    #[arg(long, value_name = "N", value_parser = positive, default_value_t = 50_000.0)]
    speed: f64,
    /// End after this time, such as 30s or 5m.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    duration: Option<Duration>,
    /// Use this Kafka cluster.
    #[arg(long)]
    brokers: Option<String>,
    /// Consumer group, and what the topics' names begin with.
    #[arg(long, default_value = "qualifyd-demo")]
    name: String,
    /// A setting of the daemon, such as kafka.properties.security.protocol=SSL.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl Args {
    /// The stream, and from when on it is shown.
    fn stream(&self) -> (generate::Options, i64) {
        let live = self.speed < LIVE_BELOW;
        let days = self.stream.days.unwrap_or(if live { 1 } else { YEAR_DAYS });
        // Time in the stream never runs ahead of the clock on the wall, which it meets in the end.
        let before_ms = f64::from(days) * DAY_MS * (1.0 - 1.0 / self.speed.max(1.0));
        let shown_from_ms = crate::shared::now_ms() - before_ms as i64;
        let lead_in = if live { LEAD_IN_DAYS } else { 0 };
        let mut stream = self.stream.options(shown_from_ms - i64::from(lead_in) * DAY_MS as i64, false);
        stream.leads = stream.leads * u64::from(days + lead_in) / u64::from(days);
        stream.days = days + lead_in;
        (stream, shown_from_ms)
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let ms = crate::duration::parse_ms(text).and_then(|ms| u64::try_from(ms).ok());
    ms.map(Duration::from_millis).ok_or_else(|| "give a duration such as 30s or 5m".to_owned())
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let level = tracing_subscriber::fmt().with_writer(io::stderr).with_env_filter(filter());
    level.try_init().map_err(|error| anyhow::anyhow!("logging did not start: {error}"))?;
    let stop = Arc::new(AtomicBool::new(false));
    for &signal in TERM_SIGNALS {
        // In this order: the first signal finds the flag unset and sets it, the second ends the process.
        signal_hook::flag::register_conditional_shutdown(signal, 1, stop.clone())?;
        signal_hook::flag::register(signal, stop.clone())?;
    }
    let (stream, shown_from_ms) = args.stream();
    let options = Options {
        stream,
        shown_from_ms,
        speed: args.speed,
        duration: args.duration,
        brokers: args.brokers.clone(),
        name: args.name.clone(),
        sets: args.set.clone(),
        colour: io::stdout().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    demo::run(&options, &stop)?;
    Ok(ExitCode::SUCCESS)
}

/// The daemon's log would drown what it says; RUST_LOG brings it back.
fn filter() -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("error"))
}

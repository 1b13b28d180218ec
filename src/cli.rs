//! Commands and their help.

use crate::config::Settings;
use crate::input::{self, Progress};
use crate::model::Model;
use crate::replay::{Options, Replay, Summary};
use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use std::cell::Cell;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;

#[derive(Debug, Parser)]
#[command(
    name = "qualifyd",
    version,
    about = "Qualifies leads from engagement events: scores with decay, funnel stages, alerts and SLAs",
    after_help = "Examples:
  qualifyd check deploy/models/b2b-saas.yaml
  qualifyd replay --model deploy/models/b2b-saas.yaml events.jsonl.gz > records.jsonl
  qualifyd run --config qualifyd.yaml

Exit status: 0 fine, 1 findings or a fatal error, 2 wrong usage or settings."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check models and say all that is wrong with them.
    #[command(after_help = "Example:
  qualifyd check deploy/models/*.yaml")]
    Check {
        /// Model files (YAML).
        #[arg(required = true, value_name = "MODEL")]
        models: Vec<PathBuf>,
    },
    /// Run events from files through a model, without Kafka, and print what would be produced.
    #[command(after_help = "Each line of the input is one event. Files may be plain, gzip or zstd.
Prints one JSON line per record: {\"topic\",\"key\",\"id\",\"type\",\"time\",\"data\"}.

Examples:
  qualifyd replay --model b2b-saas.yaml events.jsonl
  zcat archive/*.gz | qualifyd replay --model b2b-saas.yaml -
  qualifyd replay --model b2b-saas.yaml --until 2026-12-31 --scores events.jsonl.zst")]
    Replay(ReplayArgs),
    /// Run the daemon on Kafka.
    #[command(after_help = "Examples:
  qualifyd run --config qualifyd.yaml
  QUALIFYD__KAFKA__BROKERS=kafka:9092 qualifyd run --config qualifyd.yaml --set log.format=json")]
    Run {
        /// Settings (YAML, TOML or JSON).
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// A setting that wins over file and environment.
        #[arg(long = "set", value_name = "KEY=VALUE")]
        set: Vec<String>,
    },
    /// Print the JSON Schema of the model or of a record.
    #[command(after_help = "Example:
  qualifyd schema model > model.schema.json")]
    Schema {
        /// Whose schema.
        #[arg(value_enum, default_value = "model")]
        of: crate::schema::Of,
    },
}

#[derive(Debug, Args)]
struct ReplayArgs {
    /// The model (YAML).
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// After the last line fire every due time up to this moment, as if time had gone on to it.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<i64>,
    /// At the end print the score record of every lead.
    #[arg(long)]
    scores: bool,
    /// Print a summary to standard error at the end.
    #[arg(long)]
    stats: bool,
    /// Files of events, a JSON object a line; `-` is standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    files: Vec<PathBuf>,
}

fn parse_time(text: &str) -> Result<i64, String> {
    let time = crate::event::time::parse_text(text);
    time.ok_or_else(|| "give a time such as 2026-12-31T23:59:59Z, a date, or seconds since 1970".to_owned())
}

/// Runs the command line and returns the exit status.
pub fn run() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Check { models } => check(&models),
        Command::Replay(args) => replay(&args),
        Command::Run { config, set } => run_daemon(&config, &set),
        Command::Schema { of } => print_schema(of),
    };
    match done {
        Ok(code) => code,
        // Whoever read our output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("qualifyd: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

fn check(models: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let fine = crate::check::check(models, &mut io::stdout().lock())?;
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_schema(of: crate::schema::Of) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    out.write_all(crate::schema::text(of).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Reads a model; what is wrong with it is printed to standard error.
fn load_model(path: &Path) -> Option<Arc<Model>> {
    match crate::check::load(path) {
        Ok(loaded) => {
            loaded.warnings.iter().for_each(|warning| eprintln!("{warning}"));
            Some(Arc::new(loaded.model))
        }
        Err(findings) => {
            findings.iter().for_each(|finding| eprintln!("{finding}"));
            None
        }
    }
}

fn replay(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let Some(model) = load_model(&args.model) else { return Ok(ExitCode::FAILURE) };
    let read = Rc::new(Cell::new(0));
    let total = input::total_bytes(args.files.iter().map(PathBuf::as_path));
    let mut progress = Progress::new(total, read.clone());
    let out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut replay = Replay::new(model, out);
    for path in &args.files {
        let input = input::open(path, read.clone())?;
        replay
            .read(input, |summary| progress.show(summary.events))
            .with_context(|| format!("replay of {} stopped", path.display()))?;
    }
    let summary = replay.finish(&Options { until_ms: args.until, scores: args.scores })?;
    progress.end();
    if args.stats {
        print_stats(&summary, progress.elapsed().as_secs_f64());
    }
    Ok(ExitCode::SUCCESS)
}

fn print_stats(summary: &Summary, seconds: f64) {
    let Summary { events, applied, ignored, duplicates, spend, rejected, records, leads, wakes, heap_bytes } =
        summary;
    let rate = *events as f64 / seconds.max(1e-9);
    let bytes: usize = heap_bytes.iter().sum();
    let [blocks, entries, index, timers] = heap_bytes;
    eprintln!("events      {events} ({rate:.0}/s)");
    eprintln!(
        "outcomes    applied {applied}, ignored {ignored}, duplicate {duplicates}, spend {spend}, rejected {rejected}"
    );
    eprintln!("records     {records}");
    match leads {
        0 => eprintln!("leads       none"),
        _ => eprintln!("leads       {leads}, {:.1} bytes each", bytes as f64 / *leads as f64),
    }
    eprintln!("heap bytes  blocks {blocks}, entries {entries}, index {index}, timers {timers}");
    eprintln!("wake-ups    {}, of these {} with nothing to do", wakes.all, wakes.idle);
}

fn run_daemon(config: &Path, set: &[String]) -> anyhow::Result<ExitCode> {
    match Settings::load(config, set) {
        Ok(settings) => crate::run::run(settings).map(|()| ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("qualifyd: {error}");
            Ok(ExitCode::from(2))
        }
    }
}

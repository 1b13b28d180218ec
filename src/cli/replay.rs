//! `qualifyd replay`.

use crate::input::{self, Progress};
use crate::replay::{Options, Replay, Summary};
use anyhow::Context;
use std::cell::Cell;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;

/// Run events from files through a model, without Kafka, and print what would be produced.
#[derive(Debug, clap::Args)]
#[command(after_help = "Each line of the input is one event. Files may be plain, gzip or zstd.
Prints one JSON line per record: {\"topic\",\"key\",\"id\",\"type\",\"time\",\"data\"}.

Examples:
  qualifyd replay --model b2b-saas.yaml events.jsonl
  zcat archive/*.gz | qualifyd replay --model b2b-saas.yaml -
  qualifyd replay --model b2b-saas.yaml --until 2026-12-31 --scores events.jsonl.zst")]
pub struct Args {
    /// The model (YAML).
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// After the last line fire every due time up to this moment, as if time had gone on to it.
    #[arg(long, value_name = "TIME", value_parser = super::parse_time)]
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

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Some(loaded) = super::load_model(&args.model) else { return Ok(ExitCode::FAILURE) };
    let read = Rc::new(Cell::new(0));
    let total = input::total_bytes(args.files.iter().map(PathBuf::as_path));
    let mut progress = Progress::new(total, read.clone());
    let out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut replay = Replay::new(Arc::new(loaded.model), out);
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

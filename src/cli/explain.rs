//! `qualifyd explain`.

use crate::core::rules::Rules;
use crate::input::{self, Progress};
use crate::story::{Teller, text};
use anyhow::Context;
use std::cell::Cell;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;

/// Tell the story of one lead: what it did, what that brought, what happened and why, and why it is not further.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Each line of the input is one event. Files may be plain, gzip or zstd. Events of other leads only
move the time on, so that large files are read quickly.

Examples:
  qualifyd explain --model b2b-saas.yaml --lead ana events.jsonl
  qualifyd explain --model b2b-saas.yaml --lead ana@acme.example --until 2026-06-30 archive/*.gz
  zcat archive/*.gz | qualifyd explain --model b2b-saas.yaml --lead 4711 --format json -

Exit status: 0 fine, 1 no event of this lead was there, or the model has errors."
)]
pub struct Args {
    /// The model (YAML).
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// The lead's id, as records have it: its user id, else its anonymous id, else its e-mail address.
    #[arg(long, value_name = "ID")]
    lead: String,
    /// Let time go on up to this moment after the last line.
    #[arg(long, visible_alias = "at", value_name = "TIME", value_parser = super::parse_time)]
    until: Option<i64>,
    /// How to print the story.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Files of events, a JSON object a line; `-` is standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    files: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Some(loaded) = super::load_model(&args.model) else { return Ok(ExitCode::FAILURE) };
    let read = Rc::new(Cell::new(0));
    let total = input::total_bytes(args.files.iter().map(PathBuf::as_path));
    let mut progress = Progress::new(total, read.clone());
    let mut teller = Teller::new(Arc::new(Rules::new(Arc::new(loaded.model))), &args.lead);
    for path in &args.files {
        let mut events = input::open(path, read.clone())?;
        input::each_line(&mut events, |number, line| {
            teller.line(line);
            if number % 4096 == 0 {
                progress.show(number);
            }
        })
        .with_context(|| format!("{} cannot be read to its end", path.display()))?;
    }
    progress.end();
    let story = teller.finish(args.until);
    let mut out = io::stdout().lock();
    match args.format {
        Format::Text => write!(out, "{}", text::story(&story))?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &story)?;
            writeln!(out)?;
        }
    }
    if story.chapters.is_empty() {
        eprintln!("qualifyd: no event of the lead '{}' is among {} others", args.lead, story.other_lines);
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

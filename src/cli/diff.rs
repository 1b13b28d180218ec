//! `qualifyd diff`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Say in words what changed between two models.
///
/// What the models say is compared, not their text: comments, order and spelling do not matter where they mean
/// nothing. The lines of lists that are files of their own are not compared.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 (with --exit-code: 1 if anything changed), 1 if a model has errors, 2 wrong usage.

Examples:
  qualifyd diff live.yaml edited.yaml
  git show main:model.yaml > /tmp/old.yaml; qualifyd diff --exit-code /tmp/old.yaml model.yaml"
)]
pub struct Args {
    /// Exit with 1 if anything changed.
    #[arg(long)]
    exit_code: bool,
    /// Text for people, or one JSON object for machines.
    #[arg(long, value_enum, default_value = "text")]
    format: crate::check::Format,
    /// The model before.
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The model after.
    #[arg(value_name = "NEW")]
    new: PathBuf,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (old, new) = (super::load_model(&args.old), super::load_model(&args.new));
    let (Some(old), Some(new)) = (old, new) else { return Ok(ExitCode::FAILURE) };
    let diff = crate::diff::diff(&old, &new);
    let mut out = io::stdout().lock();
    match args.format {
        crate::check::Format::Text => out.write_all(diff.text().as_bytes())?,
        crate::check::Format::Json => {
            serde_json::to_writer_pretty(&mut out, &diff)?;
            writeln!(out)?;
        }
    }
    let changed = !diff.changes.is_empty() || diff.old != diff.new;
    Ok(if args.exit_code && changed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

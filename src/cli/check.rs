//! `qualifyd check`.

use crate::check::{Count, Format, check};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Check models: say all that is wrong with them, and what they can hardly mean.
///
/// Errors keep a model from being used; warnings tell of what can never happen, or happens more often than anybody
/// wants.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit status: 0 no errors, 1 errors (with --strict also warnings), 2 wrong usage.
Colours are used on terminals only; NO_COLOR=1 turns them off.

Examples:
  qualifyd check deploy/models/*.yaml
  qualifyd check --strict --format json model.yaml")]
pub struct Args {
    /// Take warnings as seriously as errors.
    #[arg(long)]
    strict: bool,
    /// Text for people, or one JSON object a finding for machines.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Model files (YAML).
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<PathBuf>,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut out = anstream::AutoStream::auto(io::stdout().lock());
    let Count { errors, warnings } = check(&args.models, args.format, &mut out)?;
    out.flush()?;
    let fine = errors == 0 && (warnings == 0 || !args.strict);
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

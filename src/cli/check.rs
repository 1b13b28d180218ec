//! `qualifyd check`.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// Check models and say all that is wrong with them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  qualifyd check deploy/models/*.yaml")]
pub struct Args {
    /// Model files (YAML).
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<PathBuf>,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let fine = crate::check::check(&args.models, &mut io::stdout().lock())?;
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

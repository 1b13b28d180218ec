//! `qualifyd schema`.

use std::io::{self, Write};
use std::process::ExitCode;

/// Print the JSON Schema of the model or of a record.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  qualifyd schema model > model.schema.json")]
pub struct Args {
    /// Whose schema.
    #[arg(value_enum, default_value = "model")]
    of: crate::schema::Of,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    io::stdout().lock().write_all(crate::schema::text(args.of).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

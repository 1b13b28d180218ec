//! `qualifyd describe`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Print a model as Markdown for the people who live by it.
///
/// The shared definition of each stage, points, what fades how fast, alerts, service levels, attribution; with a
/// Mermaid diagram of the stages.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  qualifyd describe model.yaml > model.md
  qualifyd describe --diagram model.yaml > stages.mmd")]
pub struct Args {
    /// Print the diagram of the stages alone (Mermaid).
    #[arg(long)]
    diagram: bool,
    /// The model (YAML).
    #[arg(value_name = "MODEL")]
    model: PathBuf,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Some(loaded) = super::load_model(&args.model) else { return Ok(ExitCode::FAILURE) };
    let text = match args.diagram {
        true => crate::describe::diagram(&loaded.model),
        false => crate::describe::describe(&loaded),
    };
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

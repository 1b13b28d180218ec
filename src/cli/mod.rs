//! The command line: one file for each command, with its arguments, its help and its exit status.

mod check;
mod explain;
mod replay;
mod run;
mod schema;
mod test;

use crate::model::Model;
use clap::{Parser, Subcommand};
use std::io;
use std::path::Path;
use std::process::ExitCode;
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
    Check(check::Args),
    Explain(explain::Args),
    Replay(replay::Args),
    Run(run::Args),
    Schema(schema::Args),
    Test(test::Args),
}

/// Runs the command line and returns the exit status.
pub fn run() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Check(args) => check::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Test(args) => test::run(&args),
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

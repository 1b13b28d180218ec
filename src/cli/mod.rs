//! The command line: one file for each command, with its arguments, its help and its exit status.

mod check;
mod dead_letters;
mod demo;
mod describe;
mod diff;
mod explain;
mod generate;
mod new;
mod replay;
mod run;
mod schema;
mod settings;
mod test;
mod topics;

use crate::model::Loaded;
use clap::{Parser, Subcommand};
use std::io;
use std::path::Path;
use std::process::ExitCode;

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
    DeadLetters(dead_letters::Args),
    Demo(demo::Args),
    Explain(explain::Args),
    Describe(describe::Args),
    Diff(diff::Args),
    Generate(generate::Args),
    New(new::Args),
    Replay(replay::Args),
    Run(run::Args),
    Schema(schema::Args),
    Test(test::Args),
    Topics(topics::Args),
}

/// Runs the command line and returns the exit status.
pub fn run() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Check(args) => check::run(&args),
        Command::DeadLetters(args) => dead_letters::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Describe(args) => describe::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Generate(args) => generate::run(&args),
        Command::New(args) => new::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Topics(args) => topics::run(&args),
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

/// Reads a model; what is wrong with it is drawn on standard error.
fn load_model(path: &Path) -> Option<Loaded> {
    let checked = crate::check::read(path);
    checked.drawn().for_each(|drawn| anstream::eprintln!("{drawn}\n"));
    checked.loaded.ok()
}

/// A moment, as events write it, or `now`.
fn parse_time(text: &str) -> Result<i64, String> {
    if text == "now" {
        return Ok(crate::shared::now_ms());
    }
    let time = crate::event::time::parse_text(text);
    time.ok_or_else(|| {
        "give a time such as 2026-12-31T23:59:59Z, a date, seconds since 1970, or now".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}

//! `qualifyd run`.

use crate::config::Settings;
use std::path::PathBuf;
use std::process::ExitCode;

/// Run the daemon on Kafka.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  qualifyd run --config qualifyd.yaml
  QUALIFYD__KAFKA__BROKERS=kafka:9092 qualifyd run --config qualifyd.yaml --set log.format=json")]
pub struct Args {
    /// Settings (YAML, TOML or JSON).
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// A setting that wins over file and environment.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match Settings::load(&args.config, &args.set) {
        Ok(settings) => crate::run::run(settings).map(|()| ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("qualifyd: {error}");
            Ok(ExitCode::from(2))
        }
    }
}

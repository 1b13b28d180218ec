//! `qualifyd run`.

use super::settings;
use std::process::ExitCode;

/// Run the daemon on Kafka.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  qualifyd run --config qualifyd.yaml
  QUALIFYD__KAFKA__BROKERS=kafka:9092 qualifyd run --config qualifyd.yaml --set log.format=json")]
pub struct Args {
    #[command(flatten)]
    settings: settings::Args,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match args.settings.load() {
        Some(settings) => crate::run::run(settings).map(|()| ExitCode::SUCCESS),
        None => Ok(ExitCode::from(settings::UNUSABLE)),
    }
}

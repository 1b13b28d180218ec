//! The arguments of every command that works with the daemon's settings.

use crate::config::Settings;
use std::path::PathBuf;

/// Exit status for settings that cannot be used.
pub const UNUSABLE: u8 = 2;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Settings (YAML, TOML or JSON).
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// A setting that wins over file and environment.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl Args {
    /// The settings; what is wrong with them is printed to standard error.
    pub fn load(&self) -> Option<Settings> {
        Settings::load(&self.config, &self.set).map_err(|error| eprintln!("qualifyd: {error}")).ok()
    }
}

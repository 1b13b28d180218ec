//! Starts and stops.

use std::process::ExitCode;

fn main() -> ExitCode {
    qualifyd::cli::run()
}

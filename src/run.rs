//! `qualifyd run`: starts logging, signals and the worker, and ends when told to.

use crate::config::{Log, LogFormat, Settings};
use crate::core::rules::Rules;
use crate::kafka::admin;
use crate::model::Model;
use crate::worker::Worker;
use signal_hook::consts::TERM_SIGNALS;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tracing_subscriber::EnvFilter;

/// Runs until SIGTERM or SIGINT; a second signal ends the process at once.
///
/// # Errors
/// The model cannot be used, or the worker met what it cannot recover from.
pub fn run(settings: Settings) -> anyhow::Result<()> {
    start_logging(&settings.log);
    let stop = Arc::new(AtomicBool::new(false));
    for &signal in TERM_SIGNALS {
        // In this order: the first signal finds the flag unset and sets it, the second ends the process.
        signal_hook::flag::register_conditional_shutdown(signal, 1, stop.clone())?;
        signal_hook::flag::register(signal, stop.clone())?;
    }
    run_until(&settings, &stop)
}

/// Runs until the flag is set.
///
/// # Errors
/// As [`run`].
pub fn run_until(settings: &Settings, stop: &AtomicBool) -> anyhow::Result<()> {
    let model = Arc::new(load_model(&settings.model)?);
    for key in settings.without_effect() {
        tracing::warn!(key, "setting has no effect yet");
    }
    let topics = admin::describe_topics(settings)?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        model = model.name,
        model_version = model.version,
        group = settings.kafka.group,
        instance = settings.kafka.instance,
        "started"
    );
    Worker::new(settings, Arc::new(Rules::new(model)), &topics, 0)?.run(stop)?;
    tracing::info!("stopped");
    Ok(())
}

/// Reads the scoring model.
fn load_model(path: &Path) -> anyhow::Result<Model> {
    match crate::check::load(path) {
        Ok(loaded) => {
            loaded
                .warnings
                .iter()
                .for_each(|warning| tracing::warn!(%warning, "the model is probably not as meant"));
            Ok(loaded.model)
        }
        Err(findings) => {
            let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
            anyhow::bail!("the model cannot be used\n{}", findings.join("\n"))
        }
    }
}

/// Starts logging to standard error, unless it has been started.
fn start_logging(log: &Log) {
    // librdkafka's lines are the daemon's own; what other libraries say below a warning is of no use to operators.
    let filter = EnvFilter::new(format!("warn,qualifyd={}", log.level));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match log.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    if let Err(error) = started {
        tracing::debug!(%error, "logging was started before");
    }
}

//! `qualifyd run`: starts logging, signals and the workers, loads the model anew when it changes, and ends when told to.

use crate::config::{Log, LogFormat, Settings};
use crate::core::rules::Rules;
use crate::failpoints;
use crate::kafka::admin;
use crate::model::Model;
use crate::worker::{self, Command, Line, Worker};
use anyhow::Context;
use signal_hook::consts::{SIGHUP, TERM_SIGNALS};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant, SystemTime};
use tracing_subscriber::EnvFilter;

/// How soon a stop, a signal or the end of a worker is noticed.
const LOOK: Duration = Duration::from_millis(50);
/// How often the model's file is looked at.
const LOOK_AT_MODEL: Duration = Duration::from_secs(2);

/// Runs until SIGTERM or SIGINT; a second signal ends the process at once.
///
/// # Errors
/// The model cannot be used, or a worker met what it cannot recover from.
pub fn run(settings: Settings) -> anyhow::Result<()> {
    start_logging(&settings.log);
    let _failpoints = failpoints::from_environment();
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
    let mut watched = Watched::load(&settings.model)?;
    for key in settings.without_effect() {
        tracing::warn!(key, "setting has no effect yet");
    }
    let topics = admin::describe_topics(settings)?;
    let settings = Arc::new(settings.clone());
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        model = watched.rules.model.name,
        model_version = watched.rules.model.version,
        group = settings.kafka.group,
        instance = settings.kafka.instance,
        workers = settings.workers,
        "started"
    );
    let ending = AtomicBool::new(false);
    let mut workers = Vec::new();
    for number in 0..settings.workers {
        workers.push(Worker::new(settings.clone(), watched.rules.clone(), &topics, number)?);
    }
    let ended = thread::scope(|scope| {
        let mut lines = Vec::new();
        let mut threads = Vec::new();
        for (number, (worker, line)) in workers.into_iter().enumerate() {
            let ending = &ending;
            let thread = thread::Builder::new()
                .name(format!("worker-{number}"))
                .spawn_scoped(scope, move || worker.run(ending));
            match thread {
                Ok(thread) => threads.push(thread),
                Err(error) => {
                    ending.store(true, Ordering::Relaxed);
                    return Err(anyhow::Error::new(error).context("a worker's thread could not be started"));
                }
            }
            lines.push(line);
        }
        oversee(&mut watched, stop, &lines, &threads);
        ending.store(true, Ordering::Relaxed);
        lines.iter().for_each(Line::wake);
        end(threads)
    });
    if ended.is_ok() {
        tracing::info!("stopped");
    }
    ended
}

/// Waits for the stop or for the end of a worker, and loads the model when it changes.
fn oversee(
    watched: &mut Watched,
    stop: &AtomicBool,
    lines: &[Line],
    threads: &[ScopedJoinHandle<'_, Result<(), worker::Error>>],
) {
    while !stop.load(Ordering::Relaxed) && !threads.iter().any(ScopedJoinHandle::is_finished) {
        thread::sleep(LOOK);
        if let Some(rules) = watched.changed() {
            for line in lines {
                line.send(Command::Model(rules.clone()));
            }
        }
    }
}

fn end(threads: Vec<ScopedJoinHandle<'_, Result<(), worker::Error>>>) -> anyhow::Result<()> {
    let mut ended = Ok(());
    for thread in threads {
        match thread.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(%error, "a worker stopped");
                ended = ended.and(Err(error.into()));
            }
            Err(_) => ended = ended.and(Err(anyhow::anyhow!("a worker panicked; what it said stands above"))),
        }
    }
    ended
}

/// The model, and its file, which may change.
struct Watched {
    path: std::path::PathBuf,
    rules: Arc<Rules>,
    /// SIGHUP came.
    hangup: Arc<AtomicBool>,
    modified: Option<SystemTime>,
    looked: Instant,
}

impl Watched {
    fn load(path: &Path) -> anyhow::Result<Watched> {
        let modified = modified(path);
        let rules = Arc::new(Rules::new(Arc::new(load_model(path)?)));
        let hangup = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGHUP, hangup.clone()).context("SIGHUP cannot be followed")?;
        Ok(Watched { path: path.to_owned(), rules, hangup, modified, looked: Instant::now() })
    }

    /// The model as it is now, if it changed and can be used.
    fn changed(&mut self) -> Option<Arc<Rules>> {
        let told = self.hangup.swap(false, Ordering::Relaxed);
        if !told {
            if self.looked.elapsed() < LOOK_AT_MODEL {
                return None;
            }
            self.looked = Instant::now();
            let modified = modified(&self.path);
            // While it is being replaced it may not be there.
            if modified.is_none() || modified == self.modified {
                return None;
            }
            self.modified = modified;
        }
        match self.reload() {
            Ok(changed) => changed,
            Err(error) => {
                tracing::error!(
                    version = self.rules.model.version,
                    "the new model is refused, the old one goes on: {error:#}"
                );
                None
            }
        }
    }

    fn reload(&mut self) -> anyhow::Result<Option<Arc<Rules>>> {
        let model = load_model(&self.path)?;
        let (old, new) = (self.rules.model.version, model.version);
        if model.fingerprint == self.rules.model.fingerprint {
            tracing::info!(version = old, "the model is what it was");
            return Ok(None);
        }
        anyhow::ensure!(
            new >= old || model.name != self.rules.model.name,
            "its version is {new}, that of the present one {old}; leads are never judged by an earlier version after a later \
             one: give it a version above {old}"
        );
        if new == old {
            tracing::warn!(
                version = new,
                "the model changed and its version did not; records cannot tell them apart"
            );
        }
        self.rules = Arc::new(Rules::new(Arc::new(model)));
        tracing::info!(model = self.rules.model.name, from = old, version = new, "the model was loaded anew");
        Ok(Some(self.rules.clone()))
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|file| file.modified()).ok()
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

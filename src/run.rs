//! `qualifyd run`: starts logging, signals and the workers, loads the model anew when it changes, and ends when told to.

use crate::config::{Log, LogFormat, Settings};
use crate::core::rules::Rules;
use crate::failpoints;
use crate::http::live::Live;
use crate::http::{self, InForce, Pages, Server, Shared};
use crate::kafka::admin;
use crate::metrics::Metrics;
use crate::worker::telling::Observers;
use crate::worker::{self, Command, Line, Worker};
use anyhow::Context;
use signal_hook::consts::{SIGHUP, TERM_SIGNALS};
use std::net::SocketAddr;
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
    run_telling(settings, stop, |_| {})
}

/// As [`run_until`], and tells where it can be asked: `http.listen` may leave the port open.
///
/// # Errors
/// As [`run`].
pub fn run_telling(
    settings: &Settings,
    stop: &AtomicBool,
    tell: impl FnOnce(SocketAddr),
) -> anyhow::Result<()> {
    let observers = Observers { metrics: Arc::new(Metrics::new()?), live: Live::default() };
    let mut watched = Watched::load(&settings.model, observers.metrics.clone())?;
    let listener = http::bind(settings.http.listen)?;
    let address = listener.local_addr()?;
    let topics = admin::describe_topics(settings)?;
    let settings = Arc::new(settings.clone());
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        model = watched.in_force.rules.model.name,
        model_version = watched.in_force.rules.model.version,
        group = settings.kafka.group,
        instance = settings.kafka.instance,
        workers = settings.workers,
        "started"
    );
    let ending = AtomicBool::new(false);
    let mut workers = Vec::new();
    for number in 0..settings.workers {
        workers.push(Worker::new(
            settings.clone(),
            watched.in_force.rules.clone(),
            &topics,
            observers.clone(),
            number,
        )?);
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
        let partitions = topics.input_partitions.first().map_or(0, |&(_, count)| count);
        let in_force = watched.in_force.clone();
        let shared = Shared::new(settings.clone(), in_force, lines.clone(), observers, partitions);
        let shared = Arc::new(shared);
        let server = Server::start(listener, shared.clone());
        match &server {
            Ok(_) => {
                tracing::info!(address = %format_args!("http://{address}/"), "listening");
                tell(address);
                oversee(&mut watched, stop, &lines, &shared, &threads);
            }
            Err(error) => tracing::error!(%error, "HTTP cannot be started"),
        }
        ending.store(true, Ordering::Relaxed);
        lines.iter().for_each(Line::wake);
        let ended = end(threads);
        // To the end it tells how it stands.
        server.context("HTTP could not be started").and(ended)
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
    shared: &Shared,
    threads: &[ScopedJoinHandle<'_, Result<(), worker::Error>>],
) {
    while !stop.load(Ordering::Relaxed) && !threads.iter().any(ScopedJoinHandle::is_finished) {
        thread::sleep(LOOK);
        if watched.has_changed() {
            shared.change_model(watched.in_force.clone());
            for line in lines {
                line.send(Command::Model(watched.in_force.rules.clone()));
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
    in_force: InForce,
    metrics: Arc<Metrics>,
    /// SIGHUP came.
    hangup: Arc<AtomicBool>,
    modified: Option<SystemTime>,
    looked: Instant,
}

impl Watched {
    fn load(path: &Path, metrics: Arc<Metrics>) -> anyhow::Result<Watched> {
        let modified = modified(path);
        let in_force = load_model(path)?;
        metrics.begin_model(&in_force.rules);
        metrics.model_loaded.with_label_values::<&str>(&[]).set(1.0);
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        metrics.up_since.with_label_values::<&str>(&[]).set(since.as_secs_f64());
        let hangup = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGHUP, hangup.clone()).context("SIGHUP cannot be followed")?;
        Ok(Watched { path: path.to_owned(), in_force, metrics, hangup, modified, looked: Instant::now() })
    }

    /// Takes the model as it is now, if it changed and can be used.
    fn has_changed(&mut self) -> bool {
        let told = self.hangup.swap(false, Ordering::Relaxed);
        if !told {
            if self.looked.elapsed() < LOOK_AT_MODEL {
                return false;
            }
            self.looked = Instant::now();
            let modified = modified(&self.path);
            // While it is being replaced it may not be there.
            if modified.is_none() || modified == self.modified {
                return false;
            }
            self.modified = modified;
        }
        let reloaded = self.reload();
        let result = match &reloaded {
            Ok(true) => "changed",
            Ok(false) => "unchanged",
            Err(error) => {
                let version = self.in_force.rules.model.version;
                tracing::error!(version, "the new model is refused, the old one goes on: {error:#}");
                "refused"
            }
        };
        self.metrics.model_loads.with_label_values(&[result]).inc();
        self.metrics.model_loaded.with_label_values::<&str>(&[]).set(f64::from(reloaded.is_ok()));
        reloaded.unwrap_or(false)
    }

    fn reload(&mut self) -> anyhow::Result<bool> {
        let loaded = load_model(&self.path)?;
        let (model, present) = (&loaded.rules.model, &self.in_force.rules.model);
        let (old, new) = (present.version, model.version);
        if model.fingerprint == present.fingerprint {
            tracing::info!(version = old, "the model is what it was");
            return Ok(false);
        }
        anyhow::ensure!(
            new >= old || model.name != present.name,
            "its version is {new}, that of the present one {old}; leads are never judged by an earlier version after a later \
             one: give it a version above {old}"
        );
        if new == old {
            tracing::warn!(
                version = new,
                "the model changed and its version did not; records cannot tell them apart"
            );
        }
        self.metrics.begin_model(&loaded.rules);
        self.in_force = loaded;
        tracing::info!(
            model = self.in_force.rules.model.name,
            from = old,
            version = new,
            "the model was loaded anew"
        );
        Ok(true)
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|file| file.modified()).ok()
}

/// Reads the scoring model.
fn load_model(path: &Path) -> anyhow::Result<InForce> {
    let checked = crate::check::read(path);
    match checked.loaded {
        Ok(loaded) => {
            loaded
                .warnings
                .iter()
                .for_each(|warning| tracing::warn!(%warning, "the model is probably not as meant"));
            let pages = Pages { yaml: checked.text, markdown: crate::describe::describe(&loaded) };
            Ok(InForce { rules: Arc::new(Rules::new(Arc::new(loaded.model))), pages: Arc::new(pages) })
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

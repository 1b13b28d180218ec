//! `qualifyd demo`: a generated stream, the daemon that runs on it, and what it says, in one process; on a cluster
//! inside the process, or on a real one.

mod show;

use crate::config::Settings;
use crate::generate::{self, Generator};
use crate::kafka::feed::Feed;
use crate::kafka::in_process::InProcess;
use crate::kafka::reader::{Read, Reader};
use crate::kafka::topics::{self, Creation, Role};
use crate::pace::{Pace, Pacer};
use anyhow::{Context, bail};
use rdkafka::message::Message;
use show::{Kind, Show, thousands};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const MODEL: &str = include_str!("../../deploy/models/b2b-saas.yaml");
const TARGET_ACCOUNTS: &str = include_str!("../../deploy/models/target-accounts.txt");
/// The cluster keeps 5 MiB of each: room for a burst of some hundred thousand events that the daemon has yet to read.
const IN_PROCESS_PARTITIONS: i32 = 12;
const REAL_PARTITIONS: i32 = 4;
const DAY_MS: i64 = 86_400_000;
const FUNNEL_EVERY: Duration = Duration::from_secs(8);
/// How long nothing has to come out before everything has.
const QUIET: Duration = Duration::from_millis(1_500);
const POLL: Duration = Duration::from_millis(50);
/// What the daemon starts with may have gone wrong by then.
const CATCH_UP: Duration = Duration::from_secs(20);

/// What to show.
#[derive(Debug, Clone)]
pub struct Options {
    pub stream: generate::Options,
    /// Until this moment of the stream, in ms, everything is sent at once and only counted: a company does not begin
    /// with nobody. The beginning of the stream: nothing is.
    pub shown_from_ms: i64,
    /// How many times as fast as outside time goes by in the stream; 1: live.
    pub speed: f64,
    /// Ends after this time, however long the stream.
    pub duration: Option<Duration>,
    /// Brokers of a real cluster.
    pub brokers: Option<String>,
    /// The consumer group, and what the topics' names begin with.
    pub name: String,
    /// Settings of the daemon, `KEY=VALUE`.
    pub sets: Vec<String>,
    pub colour: bool,
}

/// Runs until the stream is over or it is told to stop.
///
/// # Errors
/// The daemon or the cluster failed, or the output cannot be written.
pub fn run(options: &Options, stop: &AtomicBool) -> anyhow::Result<()> {
    let folder = Folder::create()?;
    let topics = [
        (Role::Input, "engagement"),
        (Role::Transitions, "transitions"),
        (Role::Alerts, "alerts"),
        (Role::Slas, "slas"),
        (Role::Scores, "scores"),
        (Role::DeadLetter, "dead-letter"),
    ]
    .map(|(role, topic)| (role, format!("{}.{topic}", options.name)));
    let changelog = format!("{}-changelog", options.name);
    let in_process = match options.brokers {
        Some(_) => None,
        None => {
            let names = topics.iter().map(|(_, name)| name.as_str()).chain([changelog.as_str()]);
            Some(InProcess::start(names, IN_PROCESS_PARTITIONS)?)
        }
    };
    let settings = settings(options, &folder.0, in_process.as_ref())?;
    if in_process.is_none() {
        prepare_topics(&settings)?;
    }
    Demo::new(options, settings)?.run(stop)
    // Only now is the cluster gone.
}

/// The daemon's settings: a demonstration is one worker, whose time is the stream's.
fn settings(options: &Options, folder: &Path, in_process: Option<&InProcess>) -> anyhow::Result<Settings> {
    let name = &options.name;
    let brokers = match (in_process, &options.brokers) {
        (Some(cluster), _) => cluster.brokers(),
        (None, brokers) => brokers.clone().unwrap_or_default(),
    };
    let mut pairs = vec![
        format!("model={}", folder.join("b2b-saas.yaml").display()),
        format!("kafka.brokers={brokers}"),
        format!("kafka.group={name}"),
        format!("input.topics={name}.engagement"),
        format!("output.transitions={name}.transitions"),
        format!("output.alerts={name}.alerts"),
        format!("output.slas={name}.slas"),
        format!("output.scores={name}.scores"),
        format!("output.dead_letter={name}.dead-letter"),
        "workers=1".to_owned(),
        "clock=events".to_owned(),
        // Another daemon, or another demonstration, may run beside it.
        "http.listen=127.0.0.1:0".to_owned(),
        // The stream is of last year, and nobody is paged.
        "limits.alert_max_age=36500d".to_owned(),
    ];
    pairs.extend(options.sets.iter().cloned());
    let mut settings = Settings::of_pairs(&pairs)?;
    settings.kafka.in_process = in_process.is_some();
    Ok(settings)
}

/// Creates what is missing on a real cluster; refuses to mingle with what an earlier demonstration left.
fn prepare_topics(settings: &Settings) -> anyhow::Result<()> {
    let found = topics::inspect(settings)?;
    let how = Creation { input_partitions: Some(REAL_PARTITIONS), backfill: true, ..Creation::default() };
    for created in topics::create(settings, &found, how)? {
        eprintln!("created the topic {created}");
    }
    let reader = Reader::new(&settings.kafka, &settings.kafka.group)?;
    let input = &settings.input.topics[0];
    if reader.offsets(input)?.iter().any(|offsets| offsets.end > 0) {
        bail!(
            "the topic {input} holds events already, perhaps of an earlier demonstration; give this one a name of its own \
             (--name {}-2), or delete the topics that begin with {}",
            settings.kafka.group,
            settings.kafka.group
        );
    }
    Ok(())
}

/// How far the stream is.
#[derive(Debug, Default)]
struct Sent {
    events: AtomicU64,
    leads: AtomicU64,
    time_ms: AtomicI64,
}

struct Demo<'a> {
    options: &'a Options,
    settings: Settings,
    reader: Reader,
    show: Show,
    sent: Sent,
    /// `Options::shown_from_ms` as records write it.
    shown_from: String,
}

impl<'a> Demo<'a> {
    fn new(options: &'a Options, settings: Settings) -> anyhow::Result<Demo<'a>> {
        let model = crate::check::load(&settings.model);
        let model = model.map_err(|_| anyhow::anyhow!("the demonstration's model is broken"))?.model;
        let stages = model.stages.iter().map(|stage| (stage.name.clone(), stage.side)).collect();
        let reader = Reader::new(&settings.kafka, &format!("{}-terminal", settings.kafka.group))?;
        let mut from = Vec::new();
        for (topic, _) in kinds(&settings) {
            for (partition, offsets) in reader.offsets(topic)?.into_iter().enumerate() {
                from.push((topic, partition as i32, offsets.end));
            }
        }
        reader.begin(&from)?;
        let (show, shown_from) = (Show::new(stages, options.colour), rfc3339(options.shown_from_ms));
        Ok(Demo { options, settings, reader, show, sent: Sent::default(), shown_from })
    }

    fn run(mut self, stop: &AtomicBool) -> anyhow::Result<()> {
        self.greet()?;
        let (stop_stream, stop_daemon) = (AtomicBool::new(false), AtomicBool::new(false));
        let settings = self.settings.clone();
        let sent = std::mem::take(&mut self.sent);
        let began = Instant::now();
        thread::scope(|scope| {
            let daemon = thread::Builder::new().name("daemon".into()).spawn_scoped(scope, || {
                let tell = |address| eprintln!("the page: http://{address}/");
                crate::run::run_telling(&settings, &stop_daemon, tell)
            })?;
            let stream = thread::Builder::new()
                .name("stream".into())
                .spawn_scoped(scope, || stream(self.options, &settings, &sent, &stop_stream))?;
            let shown =
                self.watch(&sent, stop, &stop_stream, &|| daemon.is_finished(), &|| stream.is_finished());
            stop_stream.store(true, Ordering::Relaxed);
            let streamed = join(stream);
            stop_daemon.store(true, Ordering::Relaxed);
            let ran = daemon.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the daemon panicked")));
            ran.context("the daemon failed")?;
            streamed?;
            shown
        })?;
        self.farewell(&sent, began.elapsed())
    }

    fn greet(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let cluster = match &self.options.brokers {
            Some(brokers) => format!("on {brokers}"),
            None => format!("on a Kafka cluster in this process ({})", self.settings.kafka.brokers),
        };
        let Options { stream, shown_from_ms, speed, .. } = self.options;
        let end_ms = stream.start_ms + i64::from(stream.days) * DAY_MS;
        let took = Duration::from_secs_f64((end_ms - shown_from_ms) as f64 / 1000.0 / speed);
        let before = match (shown_from_ms - stream.start_ms) / DAY_MS {
            0 => String::new(),
            days => format!(", {days} of them before it begins"),
        };
        writeln!(
            out,
            "qualifyd demo {cluster}\n{} leads in {} days{before}, told in about {}; Ctrl-C ends it.\n",
            thousands(stream.leads),
            stream.days,
            duration(took)
        )
        // Where metrics and the page are is said here once the daemon serves them (settings.http.listen).
    }

    /// Prints what comes out until the stream is over and nothing more comes.
    fn watch(
        &mut self,
        sent: &Sent,
        stop: &AtomicBool,
        stop_stream: &AtomicBool,
        daemon_ended: &dyn Fn() -> bool,
        stream_ended: &dyn Fn() -> bool,
    ) -> anyhow::Result<()> {
        let began = Instant::now();
        let (mut last, mut funnel) = (began, began);
        let mut ended: Option<Instant> = None;
        loop {
            if self.print_next()? {
                last = Instant::now();
            }
            if funnel.elapsed() > FUNNEL_EVERY {
                funnel = Instant::now();
                self.print_funnel(sent)?;
            }
            let over = self.options.duration.is_some_and(|duration| began.elapsed() > duration);
            if daemon_ended() || stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            if over {
                stop_stream.store(true, Ordering::Relaxed);
            }
            if stream_ended() {
                let since = *ended.get_or_insert_with(Instant::now);
                if (last.elapsed() > QUIET && since.elapsed() > QUIET) || since.elapsed() > CATCH_UP {
                    return Ok(());
                }
            }
        }
    }

    /// Prints the next record; false if none came.
    fn print_next(&mut self) -> anyhow::Result<bool> {
        let Demo { reader, settings, show, shown_from, .. } = self;
        let Read::Record(message) = reader.next(POLL)? else { return Ok(false) };
        let kind = kinds(settings).into_iter().find(|(topic, _)| *topic == message.topic());
        let Some((_, kind)) = kind else { return Ok(true) };
        let data = serde_json::from_slice(message.payload().unwrap_or_default()).unwrap_or_default();
        let line = show.record(kind, &data);
        if let Some(line) = line.filter(|_| data["at"].as_str() >= Some(shown_from.as_str())) {
            writeln!(io::stdout().lock(), "{line}")?;
        }
        Ok(true)
    }

    fn print_funnel(&self, sent: &Sent) -> io::Result<()> {
        let events = sent.events.load(Ordering::Relaxed);
        let time = rfc3339(sent.time_ms.load(Ordering::Relaxed));
        let leads = sent.leads.load(Ordering::Relaxed);
        writeln!(io::stdout().lock(), "{}", self.show.funnel(&time[..10], events, leads))
    }

    fn farewell(&self, sent: &Sent, took: Duration) -> anyhow::Result<()> {
        let events = thousands(sent.events.load(Ordering::Relaxed));
        let leads = sent.leads.load(Ordering::Relaxed);
        let summary = self.show.summary(leads);
        Ok(writeln!(io::stdout().lock(), "\n{events} events in {}\n{summary}", duration(took))?)
    }
}

fn join<T>(thread: thread::ScopedJoinHandle<'_, anyhow::Result<T>>) -> anyhow::Result<T> {
    thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a thread panicked")))
}

/// Sends the stream at its pace.
fn stream(options: &Options, settings: &Settings, sent: &Sent, stop: &AtomicBool) -> anyhow::Result<()> {
    let feed = Feed::new(&settings.kafka, &settings.input.topics[0])?;
    let mut pacer = Pacer::new(Pace::Speed(options.speed)).paced_from(options.shown_from_ms);
    let mut generator = Generator::new(options.stream.clone());
    while let Some(event) = generator.next() {
        if !pacer.wait(event.arrives_ms, stop) {
            break;
        }
        feed.send(&event)?;
        sent.events.fetch_add(1, Ordering::Relaxed);
        sent.leads.store(generator.leads(), Ordering::Relaxed);
        sent.time_ms.store(event.arrives_ms, Ordering::Relaxed);
    }
    Ok(feed.finish()?)
}

fn kinds(settings: &Settings) -> [(&str, Kind); 4] {
    let topics = &settings.output;
    [
        (&topics.transitions, Kind::Transition),
        (&topics.alerts, Kind::Alert),
        (&topics.slas, Kind::Sla),
        (&topics.dead_letter, Kind::DeadLetter),
    ]
}

fn rfc3339(ms: i64) -> String {
    let mut text = Vec::new();
    crate::event::time::write_rfc3339(&mut text, ms);
    String::from_utf8_lossy(&text).into_owned()
}

fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64().round() as u64;
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", (seconds + 30) / 60),
        7_200..=172_799 => format!("{} h", (seconds + 1_800) / 3_600),
        _ => format!("{} days", (seconds + 43_200) / 86_400),
    }
}

/// A folder for the model, gone in the end.
struct Folder(PathBuf);

impl Folder {
    fn create() -> anyhow::Result<Folder> {
        let path = std::env::temp_dir().join(format!("qualifyd-demo-{}", std::process::id()));
        std::fs::create_dir(&path).with_context(|| format!("cannot create {}", path.display()))?;
        let folder = Folder(path);
        for (name, text) in [("b2b-saas.yaml", MODEL), ("target-accounts.txt", TARGET_ACCOUNTS)] {
            let path = folder.0.join(name);
            std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, folder = %self.0.display(), "the demonstration's folder is left behind");
        }
    }
}

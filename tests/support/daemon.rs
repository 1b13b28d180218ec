//! A daemon with topics, group and settings of its own.

use super::{broker, kafka, stream};
use qualifyd::config::Settings;
use qualifyd::run;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const OUTPUTS: [&str; 5] = ["transitions", "alerts", "slas", "scores", "dead_letter"];
const READ_TIMEOUT: Duration = Duration::from_secs(60);

pub struct Daemon {
    name: String,
    folder: tempfile::TempDir,
    input: String,
    sets: Vec<String>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<anyhow::Result<()>>>,
    /// Where it can be asked.
    address: Arc<OnceLock<SocketAddr>>,
}

impl Daemon {
    /// Creates the topics, the input and every output with so many partitions, and the settings.
    pub fn new(partitions: i32) -> Daemon {
        let name = kafka::unique("q");
        let folder = tempfile::tempdir().expect("temp folder");
        fs::write(folder.path().join("model.yaml"), stream::MODEL).expect("model.yaml");
        let input = format!("{name}.engagement");
        let daemon = Daemon {
            name,
            folder,
            input,
            sets: Vec::new(),
            stop: Arc::default(),
            thread: None,
            address: Arc::default(),
        };
        let outputs = OUTPUTS.map(|output| daemon.topic(output));
        let mut topics: Vec<(&str, i32)> = outputs.iter().map(|topic| (topic.as_str(), partitions)).collect();
        topics.push((&daemon.input, partitions));
        kafka::create_topics(&topics, &[]);
        let changelog = format!("{}-changelog", daemon.name);
        kafka::create_topics(&[(&changelog, partitions)], &[("cleanup.policy", "compact")]);
        daemon
    }

    /// Gives the daemon another `--set KEY=VALUE`.
    pub fn set(&mut self, pair: &str) {
        self.sets.push(pair.to_owned());
    }

    /// What was set so.
    pub fn sets(&self) -> &[String] {
        &self.sets
    }

    /// The input topic.
    pub fn input(&self) -> &str {
        &self.input
    }

    /// An output topic by its name in the settings.
    pub fn topic(&self, output: &str) -> String {
        format!("{}.{output}", self.name)
    }

    pub fn group(&self) -> &str {
        &self.name
    }

    pub fn model(&self) -> PathBuf {
        self.folder.path().join("model.yaml")
    }

    /// Writes the settings to a file.
    pub fn settings_file(&self) -> PathBuf {
        let outputs: Vec<String> =
            OUTPUTS.iter().map(|output| format!("{output}: {}", self.topic(output))).collect();
        let text = format!(
            "model: model.yaml
kafka: {{ brokers: '{}', group: {}, instance: test, properties: {{ fetch.wait.max.ms: 20 }} }}
input: {{ topics: [{}] }}
output: {{ {} }}
# The stream is old: replay suppresses nothing, and today's clock would fire everything.
clock: events
# Many daemons at a time: each takes a port that is free.
http: {{ listen: '127.0.0.1:0' }}
limits: {{ alert_max_age: 36500d }}
",
            broker::brokers(),
            self.name,
            self.input,
            outputs.join(", ")
        );
        let file = self.folder.path().join("qualifyd.yaml");
        // Another process may be reading it.
        if fs::read_to_string(&file).ok().as_ref() != Some(&text) {
            fs::write(&file, text).expect("qualifyd.yaml");
        }
        file
    }

    pub fn settings(&self) -> Settings {
        Settings::load(&self.settings_file(), &self.sets).expect("the settings are good")
    }

    /// Runs the daemon in a thread of this process.
    pub fn start(&mut self) {
        // Its log, for who looks for a fault: RUST_LOG=qualifyd=debug
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
        let settings = self.settings();
        self.stop = Arc::default();
        let stop = self.stop.clone();
        self.address = Arc::default();
        let address = self.address.clone();
        self.thread = Some(thread::spawn(move || {
            let tell = |at| address.set(at).expect("it is told once");
            run::run_telling(&settings, &stop, tell)
                .inspect_err(|error| eprintln!("the daemon ended: {error:#}"))
        }));
    }

    /// Where the daemon in this process can be asked, once it listens.
    pub fn address(&self) -> SocketAddr {
        let start = Instant::now();
        while self.address.get().is_none() {
            assert!(start.elapsed() < READ_TIMEOUT && !self.has_ended(), "the daemon listens");
            thread::sleep(Duration::from_millis(20));
        }
        *self.address.get().expect("it was looked at")
    }

    /// Waits until the group has committed the input's present end.
    pub fn wait_until_read(&self) {
        self.wait_until_read_or(|| {
            assert!(!self.has_ended(), "the daemon goes on");
            false
        });
    }

    /// The same, or until something happens; whether that came first.
    pub fn wait_until_read_or(&self, mut happened: impl FnMut() -> bool) -> bool {
        let end = kafka::end_offsets(&self.input);
        let start = Instant::now();
        while kafka::committed_offsets(&self.name, &self.input) != end {
            assert!(start.elapsed() < READ_TIMEOUT, "the input is read in time");
            if happened() {
                return true;
            }
            thread::sleep(Duration::from_millis(50));
        }
        false
    }

    /// Whether the daemon in this process came to an end by itself.
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_some_and(JoinHandle::is_finished)
    }

    /// Another daemon of the same group.
    pub fn companion(&self) -> Daemon {
        let folder = tempfile::tempdir().expect("temp folder");
        fs::write(folder.path().join("model.yaml"), stream::MODEL).expect("model.yaml");
        Daemon {
            name: self.name.clone(),
            folder,
            input: self.input.clone(),
            sets: vec!["kafka.instance=companion".into()],
            stop: Arc::default(),
            thread: None,
            address: Arc::default(),
        }
    }

    /// Tells the daemon to stop and waits for its end.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().expect("the daemon was started");
        thread.join().expect("the daemon does not panic")
    }
}

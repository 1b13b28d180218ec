//! The settings of `qualifyd run` (SPEC §11): a file, then the environment (`QUALIFYD__KAFKA__BROKERS`), then `--set`.
//! Everything that is wrong is reported at once; secrets are never shown.

mod keys;
pub mod reference;
mod secret;

pub use secret::Guarded;

use crate::core::apply::Dedup;
use crate::core::partition;
use crate::event::EventLimits;
use crate::kafka::properties;
use keys::Keys;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where a setting was given.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    File,
    Environment,
    CommandLine,
}

impl Origin {
    fn describe(&self) -> &'static str {
        match self {
            Origin::File => "in the file",
            Origin::Environment => "in the environment",
            Origin::CommandLine => "in --set",
        }
    }
}

/// One thing that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The setting, such as `kafka.brokers`.
    pub key: String,
    /// What is wrong and what to do; never a secret.
    pub message: String,
}

/// Everything that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SettingsError {
    pub problems: Vec<Problem>,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings cannot be used")?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {}: {}", problem.key, problem.message))
    }
}

/// The settings of `qualifyd run`.
#[derive(Debug, Clone, Serialize)]
pub struct Settings {
    pub model: PathBuf,
    pub kafka: Kafka,
    pub input: Input,
    pub output: Topics,
    pub workers: usize,
    pub commit: Commit,
    pub clock: Clock,
    pub limits: Limits,
    pub state: State,
    pub http: Http,
    pub shutdown: Shutdown,
    pub log: Log,
    /// What the breaker saw is forgotten once (`--accept-rejections`).
    #[serde(skip)]
    pub accept_rejections: bool,
    /// The keys that were given, wherever.
    #[serde(skip)]
    given: Vec<&'static str>,
    /// How these settings were named on the command line; no secrets.
    #[serde(skip)]
    flags: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Kafka {
    pub brokers: String,
    /// Consumer group; prefix of transactional ids and of the changelog topic.
    pub group: String,
    /// Stable name of this instance.
    pub instance: String,
    /// librdkafka properties that the daemon does not own.
    pub properties: BTreeMap<String, Guarded>,
    /// The cluster is one that this process has made for a demonstration: its topics have no settings to ask for.
    #[serde(skip)]
    pub in_process: bool,
}

impl Kafka {
    /// A client's settings as commands take them: brokers, and librdkafka properties as `NAME=VALUE`.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn of_flags(brokers: &str, properties: &[String]) -> Result<Kafka, SettingsError> {
        let mut pairs = vec!["model=none".to_owned(), format!("kafka.brokers={brokers}")];
        pairs.extend(properties.iter().map(|pair| format!("kafka.properties.{pair}")));
        Settings::of_pairs(&pairs).map(|settings| settings.kafka)
    }

    /// The topic that keeps the leads.
    pub fn changelog(&self) -> String {
        format!("{}-changelog", self.group)
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct Input {
    pub topics: Vec<String>,
}

/// Names of the output topics.
#[derive(Debug, Clone, Serialize)]
pub struct Topics {
    pub transitions: String,
    pub alerts: String,
    pub slas: String,
    pub scores: String,
    pub dead_letter: String,
}

impl Topics {
    /// The setting and the topic's name, of each.
    pub fn named(&self) -> [(&'static str, &str); 5] {
        [
            ("output.transitions", &self.transitions),
            ("output.alerts", &self.alerts),
            ("output.slas", &self.slas),
            ("output.scores", &self.scores),
            ("output.dead_letter", &self.dead_letter),
        ]
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct Commit {
    pub exactly_once: bool,
    #[serde(serialize_with = "written")]
    pub interval: Duration,
    /// How soon a waiting record commits.
    #[serde(serialize_with = "written")]
    pub early: Duration,
    /// Input records of one transaction at most.
    pub records: u64,
}

/// What moves the time of an idle partition (SPEC §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Clock {
    Wall,
    Events,
}

#[derive(Debug, Clone, Serialize)]
pub struct Limits {
    pub event_bytes: u64,
    #[serde(serialize_with = "written")]
    pub future_skew: Duration,
    #[serde(serialize_with = "written")]
    pub dedup_window: Duration,
    pub dedup_ids: u64,
    #[serde(serialize_with = "written")]
    pub grace: Duration,
    #[serde(serialize_with = "written")]
    pub idle: Duration,
    #[serde(serialize_with = "written")]
    pub alert_max_age: Duration,
    pub rejected_share: f64,
    pub rejected_window: u64,
}

impl Limits {
    /// The limits that decide about records and leads.
    fn of_partition(&self, retention: Option<Duration>) -> partition::Limits {
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        partition::Limits {
            event: EventLimits { event_bytes: size(self.event_bytes), future_skew_ms: ms(self.future_skew) },
            dedup: Dedup { window_ms: ms(self.dedup_window), ids: size(self.dedup_ids) },
            grace_ms: ms(self.grace),
            retention_ms: retention.map(ms),
        }
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct State {
    pub dir: Option<PathBuf>,
    #[serde(serialize_with = "written")]
    pub checkpoint_every: Duration,
    #[serde(serialize_with = "written_if_any")]
    pub retention: Option<Duration>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Http {
    pub listen: SocketAddr,
    pub token: Option<Guarded>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Shutdown {
    #[serde(serialize_with = "written")]
    pub timeout: Duration,
}

#[derive(Debug, Clone, Serialize)]
pub struct Log {
    #[serde(serialize_with = "level_name")]
    pub level: tracing::Level,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

fn written<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format_duration(*duration))
}

fn written_if_any<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.map(format_duration).serialize(serializer)
}

fn format_duration(duration: Duration) -> String {
    crate::duration::format_ms(ms(duration))
}

/// Milliseconds as the engine counts them.
fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn level_name<S: Serializer>(level: &tracing::Level, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&level.as_str().to_ascii_lowercase())
}

impl Settings {
    /// Reads the settings from a file, the environment and `--set KEY=VALUE` pairs, each winning over the former.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn load(file: &Path, sets: &[String]) -> Result<Settings, SettingsError> {
        Settings::load_with(file, &environment(), sets)
    }

    /// Reads settings from `KEY=VALUE` pairs alone: no file, and of the environment only what `${NAME}` asks for.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn of_pairs(pairs: &[String]) -> Result<Settings, SettingsError> {
        let mut keys = Keys::default();
        keys.add_pairs(pairs);
        Settings::read(keys, Path::new(""), &environment())
    }

    fn load_with(
        file: &Path,
        env: &BTreeMap<String, String>,
        sets: &[String],
    ) -> Result<Settings, SettingsError> {
        let keys =
            Keys::gather(file, env, sets).map_err(|problem| SettingsError { problems: vec![problem] })?;
        let mut settings = Settings::read(keys, file.parent().unwrap_or(Path::new("")), env)?;
        settings.flags = flags(file, sets);
        Ok(settings)
    }

    fn read(
        mut keys: Keys,
        folder: &Path,
        env: &BTreeMap<String, String>,
    ) -> Result<Settings, SettingsError> {
        let mut settings = read::settings(&mut keys, folder, env);
        let (given, problems) = keys.finish();
        settings.given = given;
        if problems.is_empty() { Ok(settings) } else { Err(SettingsError { problems }) }
    }

    /// The command line of another command with the same settings, such as
    /// `qualifyd topics --config qualifyd.yaml --create`.
    pub fn command(&self, command: &str, more: &str) -> String {
        let words = ["qualifyd", command, &self.flags, more];
        words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// The limits that decide about records and leads.
    pub fn of_partition(&self) -> partition::Limits {
        self.limits.of_partition(self.state.retention)
    }

    /// The settings in force, secrets hidden.
    pub fn redacted(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

fn environment() -> BTreeMap<String, String> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

/// `--config` and `--set` as somebody may type them again.
fn flags(file: &Path, sets: &[String]) -> String {
    let mut flags = format!("--config {}", file.display());
    for (key, value) in sets.iter().filter_map(|set| set.split_once('=')) {
        let shown = if secret::is_secret_name(key) { "…" } else { value };
        flags.push_str(&format!(" --set {key}={shown}"));
    }
    flags
}

mod read;

#[cfg(test)]
mod tests;

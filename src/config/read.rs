//! Every section of the settings: names, ranges, defaults.

use super::keys::Keys;
use super::secret::{is_secret_name, resolve};
use super::*;
use std::net::Ipv4Addr;

const DAY: Duration = Duration::from_secs(24 * 3600);
const CENTURY: Duration = Duration::from_secs(36_500 * 24 * 3600);
const MS: Duration = Duration::from_millis(1);
/// Far below the time after which the broker gives a transaction up.
const LONGEST_COMMIT: Duration = Duration::from_secs(30);

pub(super) fn settings(keys: &mut Keys, folder: &Path, env: &BTreeMap<String, String>) -> Settings {
    let model_hint = "the path of the scoring model, such as b2b-saas.yaml";
    let model = keys.path("model", model_hint, folder);
    let settings = Settings {
        model: required(keys, "model", model, model_hint),
        kafka: kafka(keys, env),
        input: input(keys),
        output: output(keys),
        workers: keys.integer("workers", 1..=256).map_or_else(cores, |workers| workers as usize),
        commit: commit(keys),
        clock: keys.word("clock", &[("wall", Clock::Wall), ("events", Clock::Events)]).unwrap_or(Clock::Wall),
        limits: limits(keys),
        state: state(keys, folder),
        http: http(keys, env),
        shutdown: Shutdown {
            timeout: keys.duration("shutdown.timeout", MS..=DAY).unwrap_or(Duration::from_secs(20)),
        },
        log: log(keys),
        given: Vec::new(),
        flags: String::new(),
    };
    check_distinct(keys, &settings);
    settings
}

/// A setting without a default; noted if it is missing.
fn required<T: Default>(keys: &mut Keys, key: &'static str, value: Option<T>, expected: &str) -> T {
    if value.is_none() && !keys.has_problem(key) {
        keys.problem(key, format!("is missing; write {expected}"));
    }
    value.unwrap_or_default()
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn kafka(keys: &mut Keys, env: &BTreeMap<String, String>) -> Kafka {
    let brokers_hint = "at least one broker, such as 127.0.0.1:9092";
    let brokers = keys.list("kafka.brokers", brokers_hint).map(|brokers| brokers.join(","));
    let name_hint = "a name of letters, digits, dots, dashes and underscores, at most 200";
    let group = keys.text("kafka.group", name_hint).unwrap_or_else(|| "qualifyd".into());
    // The group's name begins names of topics.
    if !is_topic_name(&group) || group.len() > 200 {
        keys.problem("kafka.group", format!("is '{group}'; write {name_hint}"));
    }
    Kafka {
        brokers: required(keys, "kafka.brokers", brokers, brokers_hint),
        group,
        instance: keys.text("kafka.instance", "a name that no other instance has").unwrap_or_else(host_name),
        properties: kafka_properties(keys, env),
        in_process: false,
    }
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn kafka_properties(keys: &mut Keys, env: &BTreeMap<String, String>) -> BTreeMap<String, Guarded> {
    let mut properties = BTreeMap::new();
    for (name, value) in keys.section("kafka.properties.") {
        let key = format!("kafka.properties.{name}");
        let checked = match (properties::owned(&name), value) {
            (Some(reason), _) => Err(format!("cannot be set: {reason}")),
            (None, None) => Err("has no value; write a text or a number, or remove it".into()),
            (None, Some(value)) => resolve(value, is_secret_name(&name), env).and_then(|value| {
                properties::check(&name, &value)?;
                Ok(value)
            }),
        };
        match checked {
            Ok(value) => {
                properties.insert(name, value);
            }
            Err(message) => keys.problem(&key, message),
        }
    }
    properties
}

fn input(keys: &mut Keys) -> Input {
    let hint = "one topic, such as [engagement]";
    let topics = keys.list("input.topics", hint).unwrap_or_else(|| vec!["engagement".into()]);
    if topics.len() != 1 {
        keys.problem(
            "input.topics",
            format!("names {} topics, and one is supported for now; write {hint}", topics.len()),
        );
    }
    for topic in &topics {
        check_topic_name(keys, "input.topics", topic);
    }
    Input { topics }
}

fn output(keys: &mut Keys) -> Topics {
    let mut topic = |key: &'static str, default: &str| {
        let name = keys.text(key, "the name of a topic").unwrap_or_else(|| default.to_owned());
        check_topic_name(keys, key, &name);
        name
    };
    Topics {
        transitions: topic("output.transitions", "qualifyd.transitions"),
        alerts: topic("output.alerts", "qualifyd.alerts"),
        slas: topic("output.slas", "qualifyd.slas"),
        scores: topic("output.scores", "qualifyd.scores"),
        dead_letter: topic("output.dead_letter", "qualifyd.dead-letter"),
    }
}

fn check_topic_name(keys: &mut Keys, key: &'static str, name: &str) {
    if !is_topic_name(name) {
        keys.problem(
            key,
            format!("is '{name}', which is no name of a topic; use letters, digits, dots, dashes and underscores, at most 249"),
        );
    }
}

fn is_topic_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=249).contains(&name.len()) && name != "." && name != ".." && name.bytes().all(legal)
}

/// An output topic that is the input would feed the daemon with its own records; of two kinds in one topic,
/// compaction of the scores would drop the other.
fn check_distinct(keys: &mut Keys, settings: &Settings) {
    let changelog = settings.kafka.changelog();
    let mut taken: Vec<_> =
        settings.input.topics.iter().map(|topic| ("input.topics", topic.as_str())).collect();
    taken.push(("the changelog of kafka.group", changelog.as_str()));
    for (key, topic) in settings.output.named() {
        if let Some((other, _)) = taken.iter().find(|(_, name)| *name == topic) {
            keys.problem(key, format!("is '{topic}', as {other} is; give each a topic of its own"));
        }
        taken.push((key, topic));
    }
}

fn commit(keys: &mut Keys) -> Commit {
    Commit {
        exactly_once: keys.word("commit.exactly_once", &BOOLEAN).unwrap_or(true),
        interval: keys.duration("commit.interval", MS..=LONGEST_COMMIT).unwrap_or(100 * MS),
        early: keys.duration("commit.early", Duration::ZERO..=LONGEST_COMMIT).unwrap_or(5 * MS),
        records: keys.integer("commit.records", 1..=1_000_000).unwrap_or(20_000),
    }
}

const BOOLEAN: [(&str, bool); 2] = [("true", true), ("false", false)];

fn limits(keys: &mut Keys) -> Limits {
    Limits {
        event_bytes: keys.integer("limits.event_bytes", 1..=100 << 20).unwrap_or(256 << 10),
        future_skew: keys.duration("limits.future_skew", Duration::ZERO..=CENTURY).unwrap_or(300_000 * MS),
        dedup_window: keys.duration("limits.dedup_window", Duration::ZERO..=CENTURY).unwrap_or(DAY),
        dedup_ids: keys.integer("limits.dedup_ids", 0..=1_000).unwrap_or(64),
        grace: keys.duration("limits.grace", Duration::ZERO..=CENTURY).unwrap_or(10_000 * MS),
        idle: keys.duration("limits.idle", MS..=CENTURY).unwrap_or(30_000 * MS),
        alert_max_age: keys.duration("limits.alert_max_age", MS..=CENTURY).unwrap_or(DAY),
        rejected_share: keys.number("limits.rejected_share", 0.0..=1.0).unwrap_or(0.5),
        rejected_window: keys.integer("limits.rejected_window", 1..=1_000_000).unwrap_or(1_000),
    }
}

fn state(keys: &mut Keys, folder: &Path) -> State {
    State {
        dir: keys.path("state.dir", "the path of a folder, or null", folder),
        checkpoint_every: keys
            .duration("state.checkpoint_every", 1_000 * MS..=CENTURY)
            .unwrap_or(300_000 * MS),
        retention: keys.duration("state.retention", MS..=CENTURY),
    }
}

fn http(keys: &mut Keys, env: &BTreeMap<String, String>) -> Http {
    let listen = keys.parsed("http.listen", "an address and a port, such as 127.0.0.1:9464");
    let token = keys.hidden("http.token").and_then(|token| match resolve(token, true, env) {
        Ok(token) => Some(token),
        Err(message) => {
            keys.problem("http.token", message);
            None
        }
    });
    Http { listen: listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 9464))), token }
}

fn log(keys: &mut Keys) -> Log {
    let levels = [
        ("error", tracing::Level::ERROR),
        ("warn", tracing::Level::WARN),
        ("info", tracing::Level::INFO),
        ("debug", tracing::Level::DEBUG),
        ("trace", tracing::Level::TRACE),
    ];
    Log {
        level: keys.word("log.level", &levels).unwrap_or(tracing::Level::INFO),
        format: keys
            .word("log.format", &[("text", LogFormat::Text), ("json", LogFormat::Json)])
            .unwrap_or(LogFormat::Text),
    }
}

//! The reference of all settings, `docs/settings.md`: what stands here of a setting is its meaning alone; its name, its
//! values and its default come from the code that reads it.

use super::keys::Keys;
use super::{BTreeMap, Path, read};
use std::fmt::Write;

/// What each setting is for.
const MEANINGS: [(&str, &str); 34] = [
    ("model", "The scoring model. In the settings file a relative path begins at that file's folder."),
    ("kafka.brokers", "Where to find the cluster; one is enough, the others are learned from it."),
    (
        "kafka.group",
        "Consumer group. Also begins the transactional ids and the name of the changelog topic (`<group>-changelog`).",
    ),
    (
        "kafka.instance",
        "Stable name of this instance: whoever starts under it ends what its predecessor left open.",
    ),
    (
        "kafka.properties.*",
        "librdkafka properties for all clients, such as `security.protocol`. A value `${NAME}` is taken from the environment, `@/path` from a file; neither is shown. Those that the daemon owns are refused with the reason.",
    ),
    ("input.topics", "The topic of events, keyed by lead."),
    ("output.transitions", "Topic of stage transitions."),
    ("output.alerts", "Topic of alerts."),
    ("output.slas", "Topic of SLAs that fall due, are met, missed or cancelled."),
    ("output.scores", "Topic of the leads' latest scores; compacted."),
    ("output.dead_letter", "Topic of rejected events, as they came, with the reason."),
    ("workers", "Threads, each with a consumer, a producer and the leads of its partitions."),
    (
        "commit.exactly_once",
        "Outputs, changelog and offsets in one transaction. Without it a crash may repeat records.",
    ),
    ("commit.interval", "How long a transaction lasts at most."),
    ("commit.early", "How soon a transition, an alert or an SLA that waits is committed."),
    ("commit.records", "Input records of one transaction at most."),
    (
        "clock",
        "What moves the time of a topic that has fallen silent: the wall clock, or events alone (backfills, demonstrations).",
    ),
    ("limits.event_bytes", "Larger events are rejected (`too_large`)."),
    ("limits.future_skew", "An event further ahead of its record's timestamp counts as of that timestamp."),
    ("limits.dedup_window", "A message id that comes again within this time of its event is a duplicate."),
    ("limits.dedup_ids", "Message ids that are kept of each lead."),
    ("limits.grace", "How long time-driven changes of idle leads wait for late events."),
    ("limits.idle", "How long a partition has to be silent before the wall clock moves its time."),
    ("limits.alert_max_age", "Older alerts are counted and not sent: a backfill must not page people."),
    (
        "limits.rejected_share",
        "The daemon stops when more than this share of the last records was rejected; 1: never.",
    ),
    ("limits.rejected_window", "How many records that share is of."),
    ("state.dir", "Folder of local checkpoints, which shorten a restart; null: none."),
    ("state.checkpoint_every", "How often a checkpoint is written."),
    (
        "state.retention",
        "A lead without events, pending due times and open SLAs for so long is dropped; null: never.",
    ),
    ("http.listen", "Address of metrics, health, the admin API and the page."),
    (
        "http.token",
        "Bearer token that the admin API asks for; null: none. May be `${NAME}` or `@/path`; never shown.",
    ),
    ("shutdown.timeout", "How long a stop may take to finish and commit."),
    ("log.level", "What is logged to standard error."),
    ("log.format", "Lines for people, or JSON."),
];

/// The whole page.
pub fn markdown() -> String {
    let mut keys = Keys::default();
    // Read without any, every setting asks for itself, and has its default.
    let mut settings = read::settings(&mut keys, Path::new(""), &BTreeMap::new());
    settings.kafka.instance = "the host's name".into();
    let defaults = settings.redacted();
    let mut page = String::from(HEAD);
    let mut asked: Vec<(&str, String)> = keys.asked().map(|(key, values)| (key, values.to_owned())).collect();
    let after = asked.iter().position(|(key, _)| *key == "kafka.instance").map_or(0, |at| at + 1);
    asked.insert(after, ("kafka.properties.*", "a text or a number".to_owned()));
    for (key, values) in asked {
        let meaning = MEANINGS.iter().find(|(name, _)| *name == key).map_or("", |(_, meaning)| meaning);
        let default = match key {
            "model" | "kafka.brokers" => "required".to_owned(),
            "kafka.instance" => "the host's name".to_owned(),
            "kafka.properties.*" => "none".to_owned(),
            "workers" => "one for each core".to_owned(),
            key => format!("`{}`", shown(&defaults, key)),
        };
        let variable = format!("QUALIFYD__{}", key.replace('.', "__").to_uppercase().replace('*', "…"));
        // Writing into a String does not fail.
        let _ = writeln!(page, "| `{key}` | {values} | {default} | {meaning} | `{variable}` |");
    }
    page
}

const HEAD: &str = "# Settings

The settings of `qualifyd run` and of the other commands that take `--config`. They stand in one file (YAML, TOML or JSON);
the environment wins over the file, and `--set KEY=VALUE` over both. Everything that is wrong is told at once, and secrets
are never shown. This page is generated from the code.

| setting | values | default | meaning | in the environment |
|---|---|---|---|---|
";

fn shown(defaults: &serde_json::Value, key: &str) -> String {
    let value = key.split('.').fold(defaults, |value, step| &value[step]);
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(items) => {
            items.iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_a_meaning_and_every_meaning_a_setting() {
        let mut keys = Keys::default();
        read::settings(&mut keys, Path::new(""), &BTreeMap::new());
        let mut asked: Vec<&str> = keys.asked().map(|(key, _)| key).chain(["kafka.properties.*"]).collect();
        let mut told: Vec<&str> = MEANINGS.iter().map(|(key, _)| *key).collect();
        asked.sort_unstable();
        told.sort_unstable();
        assert_eq!(told, asked);
    }

    #[test]
    fn the_page_is_current() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/settings.md");
        if std::env::var_os("QUALIFYD_UPDATE").is_some() {
            std::fs::write(&path, markdown()).expect("docs/settings.md is written");
        }
        let page = std::fs::read_to_string(&path).expect("docs/settings.md is there");
        assert!(
            page == markdown(),
            "docs/settings.md is out of date: QUALIFYD_UPDATE=1 cargo test --lib reference"
        );
    }
}

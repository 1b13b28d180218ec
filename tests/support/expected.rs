//! What must come out: what `replay` says of the same records.

use super::daemon::Daemon;
use super::kafka::{self, Record};
use qualifyd::core::effects::Effects;
use qualifyd::core::partition::{Limits, Outcome, Partition, Record as Input, Timestamp};
use qualifyd::core::rules::Rules;
use qualifyd::output;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// What a reader of an output topic sees of a record, without where it stands.
pub type Seen = (String, String, String, String, String);

/// What must come out, by topic.
pub type Expected = BTreeMap<&'static str, Vec<Seen>>;

/// What `replay` says of the same input: each partition by itself, in order, by topic.
pub fn replay(model: &Path, records: &[Record]) -> Expected {
    let model = fs::read_to_string(model).expect("the model");
    replay_versions(&[(&model, records)])
}

/// The same for records before and after the model was changed.
pub fn replay_versions(parts: &[(&str, &[Record])]) -> Expected {
    let mut partitions: BTreeMap<i32, Partition> = BTreeMap::new();
    let mut seen = Expected::new();
    for (model, records) in parts {
        let folder = tempfile::tempdir().expect("temp folder");
        let file = folder.path().join("model.yaml");
        fs::write(&file, model).expect("model.yaml");
        let model = qualifyd::check::load(&file).expect("the model is good").model;
        let rules = Arc::new(Rules::new(Arc::new(model)));
        partitions.values_mut().for_each(|partition| partition.change_model(rules.clone()));
        for record in *records {
            let new = || Partition::new(rules.clone(), Limits::default());
            replay_record(partitions.entry(record.partition).or_insert_with(new), record, &mut seen);
        }
    }
    seen
}

fn replay_record(leads: &mut Partition, record: &Record, seen: &mut Expected) {
    let mut effects = Effects::default();
    let mut id = String::new();
    let timestamp = record.timestamp_ms.map_or(Timestamp::None, Timestamp::At);
    let input = Input { value: record.value.as_deref(), timestamp };
    let outcome = leads.apply(input, None, &mut effects);
    for output in effects.outputs() {
        let mut time = Vec::new();
        qualifyd::event::time::write_rfc3339(&mut time, output.at_ms);
        output::write_id(&mut id, &output);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        let kind = output::event_type(output.topic).to_owned();
        let row = (output.lead.to_owned(), id.clone(), kind, text(&time), text(output.data));
        seen.entry(output::topic_name(output.topic)).or_default().push(row);
    }
    if let Outcome::Rejected(rejection) = outcome {
        let letter = dead_letter(record, rejection.reason.name(), &rejection.detail);
        seen.entry("dead_letter").or_default().push(letter);
    }
}

/// A dead letter in the shape of the other records: key, reason, detail, timestamp, value.
fn dead_letter(record: &Record, reason: &str, detail: &str) -> Seen {
    let text = |bytes: &Option<Vec<u8>>| format!("{bytes:?}");
    let timestamp = record.timestamp_ms.unwrap_or(-1).to_string();
    (text(&record.key), reason.to_owned(), detail.to_owned(), timestamp, text(&record.value))
}

pub fn written(topic: &str) -> Vec<Seen> {
    let text = |bytes: &Option<Vec<u8>>| String::from_utf8(bytes.clone().expect("present")).expect("text");
    let header = |record: &Record, name: &str| record.header(name).expect("the header is there").to_owned();
    kafka::read_committed(topic)
        .iter()
        .map(|record| {
            let id = header(record, "ce_id");
            (text(&record.key), id, header(record, "ce_type"), header(record, "ce_time"), text(&record.value))
        })
        .collect()
}

/// The topics hold what `replay` says of these records.
pub fn check_outputs(daemon: &Daemon, records: &[Record]) {
    check_expected(daemon, replay(&daemon.model(), records));
}

/// The topics hold exactly this.
pub fn check_expected(daemon: &Daemon, mut expected: Expected) {
    for name in ["transitions", "alerts", "slas", "scores"] {
        check(name, written(&daemon.topic(name)), expected.remove(name));
    }
    let letters = kafka::read_committed(&daemon.topic("dead_letter"));
    let letters = letters.into_iter().map(|mut letter| {
        letter.timestamp_ms =
            letter.header("qualifyd-timestamp").and_then(|timestamp| timestamp.parse().ok());
        let header = |name: &str| letter.header(name).expect("the header is there");
        dead_letter(&letter, header("qualifyd-reason"), header("qualifyd-detail"))
    });
    check("dead_letter", letters.collect(), expected.remove("dead_letter"));
}

/// A topic holds exactly these records, those of each lead in their order.
pub fn check(topic: &str, mut found: Vec<Seen>, expected: Option<Vec<Seen>>) {
    let mut expected = expected.unwrap_or_default();
    assert!(!expected.is_empty(), "the stream reaches {topic}");
    // Records of several input partitions mingle; those of one lead keep their order.
    found.sort_by(|a, b| a.0.cmp(&b.0));
    expected.sort_by(|a, b| a.0.cmp(&b.0));
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected, "{topic}");
    }
    assert_eq!(found.len(), expected.len(), "{topic}");
}

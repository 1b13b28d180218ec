//! The daemon on a real Apache Kafka.

mod support;

use qualifyd::core::effects::Effects;
use qualifyd::core::partition::{Limits, Outcome, Partition, Record as Input, Timestamp};
use qualifyd::core::rules::Rules;
use qualifyd::kafka::transaction::{Outgoing, Refused, Transaction, headers};
use qualifyd::output;
use qualifyd::run;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use support::daemon::Daemon;
use support::kafka::{self, Record};
use support::stream;

/// What a reader of an output topic sees of a record, without where it stands.
type Seen = (String, String, String, String, String);

/// What `replay` says of the same input: each partition by itself, in order, by topic.
fn replay(model: &Path, records: &[Record]) -> BTreeMap<&'static str, Vec<Seen>> {
    let mut partitions: BTreeMap<i32, Partition> = BTreeMap::new();
    let model = qualifyd::check::load(model).expect("the model is good").model;
    let rules = Arc::new(Rules::new(Arc::new(model)));
    let mut effects = Effects::default();
    let mut id = String::new();
    let mut seen: BTreeMap<&str, Vec<Seen>> = BTreeMap::new();
    for record in records {
        let leads = partitions
            .entry(record.partition)
            .or_insert_with(|| Partition::new(rules.clone(), Limits::default()));
        effects.clear();
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
            let text = |bytes: &Option<Vec<u8>>| format!("{bytes:?}");
            let row = (
                text(&record.key),
                rejection.reason.name().to_owned(),
                rejection.detail,
                format!("{:?}", record.timestamp_ms),
                text(&record.value),
            );
            seen.entry("dead_letter").or_default().push(row);
        }
    }
    seen
}

fn written(topic: &str) -> Vec<Seen> {
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

fn check_against_replay(partitions: i32) {
    let mut daemon = Daemon::new(partitions);
    let records = stream::generate(4_000, partitions);
    kafka::send(daemon.input(), &records);
    daemon.start();
    daemon.wait_until_read();
    daemon.stop().expect("a clean stop");

    let mut expected = replay(&daemon.model(), &records);
    for name in ["transitions", "alerts", "slas", "scores"] {
        let mut found = written(&daemon.topic(name));
        let mut expected = expected.remove(name).unwrap_or_default();
        assert!(!expected.is_empty(), "the stream reaches {name}");
        // Records of several input partitions mingle; those of one lead keep their order.
        found.sort_by(|a, b| a.0.cmp(&b.0));
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(found, expected, "{name}");
    }
    let found = kafka::read_committed(&daemon.topic("dead_letter"));
    assert_eq!(found.len(), expected.remove("dead_letter").unwrap_or_default().len());
}

#[test]
fn one_partition_gives_what_replay_gives() {
    check_against_replay(1);
}

#[test]
fn three_partitions_give_what_replay_gives() {
    check_against_replay(3);
}

#[test]
fn a_rejected_record_arrives_byte_for_byte() {
    let mut daemon = Daemon::new(1);
    let big = vec![b' '; 300_000];
    let rejected = Record {
        partition: 0,
        offset: 0,
        timestamp_ms: Some(1_700_000_000_000),
        key: Some(vec![0xff, 0x00]),
        value: Some(b"{\"type\": \xff".to_vec()),
        headers: vec![
            ("a".into(), Some(vec![0, 0xff])),
            ("a".into(), None),
            ("qualifyd-reason".into(), Some(b"of an earlier pass".to_vec())),
        ],
    };
    let without_key = Record { key: None, value: Some(big.clone()), headers: vec![], ..rejected.clone() };
    kafka::send(daemon.input(), &[rejected.clone(), without_key]);
    daemon.start();
    daemon.wait_until_read();
    daemon.stop().expect("a clean stop");

    let letters = kafka::read_committed(&daemon.topic("dead_letter"));
    let [letter, large] = letters.as_slice() else { panic!("two dead letters: {letters:?}") };
    assert_eq!((&letter.key, &letter.value), (&rejected.key, &rejected.value));
    assert_eq!(letter.headers[..3], rejected.headers);
    let names: Vec<&str> = letter.headers[3..].iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "qualifyd-reason",
        "qualifyd-detail",
        "qualifyd-topic",
        "qualifyd-partition",
        "qualifyd-offset",
        "qualifyd-timestamp",
    ];
    assert_eq!(names, expected);
    assert_eq!(letter.header("qualifyd-reason"), Some("not_json"));
    assert!(
        letter.header("qualifyd-detail").is_some_and(|detail| !detail.is_empty() && !detail.contains('\n'))
    );
    assert_eq!(letter.header("qualifyd-topic"), Some(daemon.input()));
    assert_eq!(letter.header("qualifyd-partition"), Some("0"));
    assert_eq!(letter.header("qualifyd-offset"), Some("0"));
    assert_eq!(letter.header("qualifyd-timestamp"), Some("1700000000000"));
    assert_eq!((&large.key, &large.value), (&None, &Some(big)));
    assert_eq!(large.header("qualifyd-reason"), Some("too_large"));
}

#[test]
fn a_rejected_record_beyond_the_limit_of_the_topic_loses_its_value() {
    let mut daemon = Daemon::new(1);
    kafka::set_topic(&daemon.topic("dead_letter"), "max.message.bytes", "10000");
    let letter = |key: Vec<u8>, value: usize, header: usize| Record {
        partition: 0,
        offset: 0,
        timestamp_ms: None,
        key: Some(key),
        value: Some(vec![b'x'; value]),
        headers: vec![("h".into(), Some(vec![b'h'; header]))],
    };
    let records = [
        letter(b"k".to_vec(), 5_000, 5),
        letter(b"k".to_vec(), 20_000, 5),
        letter(b"k".to_vec(), 5, 20_000),
        letter(vec![b'k'; 20_000], 5, 5),
    ];
    kafka::send(daemon.input(), &records);
    daemon.start();
    daemon.wait_until_read();
    daemon.stop().expect("a clean stop");
    let letters = kafka::read_committed(&daemon.topic("dead_letter"));
    let shapes: Vec<_> = letters
        .iter()
        .map(|letter| {
            let own = letter.headers.iter().any(|(name, _)| name == "h");
            (letter.key.is_some(), letter.value.is_some(), own, letter.header("qualifyd-truncated"))
        })
        .collect();
    let expected = [
        (true, true, true, None),
        (true, false, true, Some("value")),
        (true, false, false, Some("value, headers")),
        (false, false, false, Some("value, headers, key")),
    ];
    assert_eq!(shapes, expected);
}

#[test]
fn offsets_move_even_if_nothing_comes_out() {
    let mut daemon = Daemon::new(1);
    let tombstone = Record {
        partition: 0,
        offset: 0,
        timestamp_ms: None,
        key: Some(b"k".to_vec()),
        value: None,
        headers: vec![],
    };
    kafka::send(daemon.input(), &[tombstone.clone(), tombstone]);
    daemon.start();
    daemon.wait_until_read();
    daemon.stop().expect("a clean stop");
    assert_eq!(kafka::committed_offsets(daemon.group(), daemon.input()), [Some(2)]);
}

#[test]
fn a_group_that_has_read_before_is_refused() {
    let mut daemon = Daemon::new(1);
    kafka::send(daemon.input(), &stream::generate(10, 1));
    daemon.start();
    daemon.wait_until_read();
    daemon.stop().expect("a clean stop");
    let refused =
        run::run_until(&daemon.settings(), &AtomicBool::new(false)).expect_err("leads would be lost");
    let expected = format!("has already read part of {}/0", daemon.input());
    assert!(refused.to_string().contains(&expected), "{refused}");
}

#[test]
fn missing_topics_are_named() {
    let mut daemon = Daemon::new(1);
    let missing = kafka::unique("missing");
    daemon.set(&format!("output.alerts={missing}"));
    let refused =
        run::run_until(&daemon.settings(), &AtomicBool::new(false)).expect_err("a topic is missing");
    assert!(refused.to_string().contains(&format!("these topics do not exist: {missing};")), "{refused}");
}

#[test]
fn what_is_aborted_is_not_seen() {
    let daemon = Daemon::new(1);
    let settings = daemon.settings();
    let topic = daemon.topic("scores");
    let mut transaction = Transaction::new(&settings.kafka, 0, None).expect("a producer");
    let record = |value: &'static [u8]| Outgoing {
        topic: &topic,
        key: Some(b"k"),
        value: Some(value),
        headers: headers([("h", Some(&b"v"[..]))]),
    };
    transaction.send(record(b"aborted")).expect("it is queued");
    transaction.abort().expect("it is taken back");
    let too_large = transaction.send(record(&[0; 2_000_000]));
    assert!(matches!(too_large, Err(Refused::TooLarge)));
    transaction.send(record(b"left open")).expect("it is queued");
    // The successor of the same name ends what was left open, so that readers need not wait for it.
    let mut successor = Transaction::new(&settings.kafka, 0, None).expect("a producer");
    successor.send(record(b"kept")).expect("it is queued");
    successor.abort().expect("it is taken back");
    assert_eq!(kafka::read_committed(&topic), []);
}

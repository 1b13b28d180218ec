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
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};
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
            seen.entry("dead_letter").or_default().push(dead_letter(
                record,
                rejection.reason.name(),
                &rejection.detail,
            ));
        }
    }
    seen
}

/// A dead letter in the shape of the other records: key, reason, detail, timestamp, value.
fn dead_letter(record: &Record, reason: &str, detail: &str) -> Seen {
    let text = |bytes: &Option<Vec<u8>>| format!("{bytes:?}");
    let timestamp = record.timestamp_ms.unwrap_or(-1).to_string();
    (text(&record.key), reason.to_owned(), detail.to_owned(), timestamp, text(&record.value))
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

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn check(topic: &str, mut found: Vec<Seen>, expected: Option<Vec<Seen>>) {
    let mut expected = expected.unwrap_or_default();
    assert!(!expected.is_empty(), "the stream reaches {topic}");
    // Records of several input partitions mingle; those of one lead keep their order.
    found.sort_by(|a, b| a.0.cmp(&b.0));
    expected.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(found, expected, "{topic}");
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
    let expected = format!(
        "{missing} does not exist; create it: qualifyd topics --config {} --set output.alerts={missing} --create",
        daemon.settings_file().display()
    );
    assert!(refused.to_string().contains(&expected), "{refused}");
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

#[test]
fn a_signal_ends_the_process_in_good_order() {
    let daemon = Daemon::new(1);
    let records = stream::generate(500, 1);
    kafka::send(daemon.input(), &records);
    let run = |sets: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qualifyd"));
        command.arg("run").arg("--config").arg(daemon.settings_file());
        command.args(sets.iter().flat_map(|set| ["--set", set]));
        command.stderr(Stdio::null()).spawn().expect("the daemon starts")
    };
    let mut process = run(&[]);
    daemon.wait_until_read();
    let killed =
        Command::new("kill").args(["-TERM", &process.id().to_string()]).status().expect("kill starts");
    assert!(killed.success());
    assert_eq!(process.wait().expect("its status").code(), Some(0));
    let expected = replay(&daemon.model(), &records).remove("transitions");
    check("transitions", written(&daemon.topic("transitions")), expected);

    assert_eq!(run(&[]).wait().expect("its status").code(), Some(1), "its leads would be lost");
    assert_eq!(run(&["clock=moon"]).wait().expect("its status").code(), Some(2), "a bad setting");
}

#[test]
fn a_second_member_of_the_group_ends_the_first() {
    let mut first = Daemon::new(2);
    let mut second = first.companion();
    first.start();
    wait_until("the first has its partitions", || kafka::settled_members(first.group()) == Some(1));
    second.start();
    wait_until("the first gives way", || first.has_ended());
    let error = first.stop().expect_err("its partitions were taken");
    assert!(error.to_string().contains("took over partitions"), "{error}");
    let record = Record { partition: 1, ..stream::generate(10, 1).remove(9) };
    kafka::send(second.input(), &[record]);
    second.wait_until_read();
    second.stop().expect("a clean stop");
}

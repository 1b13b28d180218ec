//! The daemon on a real Apache Kafka.

mod support;

use qualifyd::kafka::clients;
use qualifyd::kafka::native::Refused;
use qualifyd::kafka::transaction::Transactions;
use qualifyd::run;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};
use support::daemon::Daemon;
use support::expected::{check, check_outputs, replay, written};
use support::kafka::{self, Record};
use support::stream;

fn check_against_replay(partitions: i32) {
    let mut daemon = Daemon::new(partitions);
    let records = stream::generate(4_000, partitions);
    kafka::send(daemon.input(), &records);
    daemon.start();
    daemon.wait_until_read();
    daemon.stop().expect("a clean stop");
    check_outputs(&daemon, &records);
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        thread::sleep(Duration::from_millis(50));
    }
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
fn a_restart_goes_on_where_the_group_was() {
    let mut daemon = Daemon::new(2);
    let records = stream::generate(4_000, 2);
    for part in records.chunks(900) {
        kafka::send(daemon.input(), part);
        daemon.start();
        daemon.wait_until_read();
        daemon.stop().expect("a clean stop");
    }
    check_outputs(&daemon, &records);
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
    let begin = || {
        let producer = clients::producer(&settings, 0, &[&topic], None).expect("a producer");
        let transactions = Transactions::new(producer, &settings.kafka.brokers, daemon.input(), true);
        let transactions = transactions.expect("the cluster answers");
        transactions.begin().expect("it begins");
        transactions
    };
    let send = |to: &Transactions, value: &[u8]| {
        let target = to.producer.target(0);
        to.producer.send_with(target, Some(b"k"), Some(value), [("h", Some(&b"v"[..]))])
    };
    let first = begin();
    send(&first, b"aborted").expect("it is queued");
    first.abort().expect("it is taken back");
    first.begin().expect("it begins");
    assert!(matches!(send(&first, &[0; 20_000_000]), Err(Refused::TooLarge)));
    send(&first, b"left open").expect("it is queued");
    first.producer.flush(Duration::from_secs(10)).expect("the broker has it");
    // The successor of the same name ends what was left open, so that readers need not wait for it.
    let successor = begin();
    send(&successor, b"taken back").expect("it is queued");
    successor.abort().expect("it is taken back");
    assert_eq!(kafka::read_committed(&topic), []);
    // And the first can do no more harm.
    send(&first, b"late").expect("it is queued");
    let fenced = first.producer.commit_transaction(Duration::from_secs(10)).expect_err("it is fenced");
    assert!(fenced.fatal, "{fenced:?}");
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
        command.stderr(Stdio::inherit()).spawn().expect("the daemon starts")
    };
    let mut process = run(&[]);
    daemon.wait_until_read();
    let killed =
        Command::new("kill").args(["-TERM", &process.id().to_string()]).status().expect("kill starts");
    assert!(killed.success());
    assert_eq!(process.wait().expect("its status").code(), Some(0));
    let expected = replay(&daemon.model(), &records).remove("transitions");
    check("transitions", written(&daemon.topic("transitions")), expected);

    assert_eq!(run(&["model=none.yaml"]).wait().expect("its status").code(), Some(1), "no model");
    assert_eq!(run(&["clock=moon"]).wait().expect("its status").code(), Some(2), "a bad setting");
}

#[test]
fn members_come_and_go_under_load() {
    let mut first = Daemon::new(4);
    first.set("workers=2");
    let mut second = first.companion();
    second.set("workers=2");
    let records = stream::generate(12_000, 4);
    let parts: Vec<&[Record]> = records.chunks(3_000).collect();
    first.start();
    kafka::send(first.input(), parts[0]);
    wait_until("the first has its partitions", || {
        assert!(!first.has_ended(), "it ended");
        kafka::settled_members(first.group()) == Some(2)
    });
    second.start();
    kafka::send(first.input(), parts[1]);
    wait_until("both have theirs", || kafka::settled_members(first.group()) == Some(4));
    kafka::send(first.input(), parts[2]);
    first.stop().expect("a clean stop");
    kafka::send(first.input(), parts[3]);
    second.wait_until_read();
    second.stop().expect("a clean stop");
    check_outputs(&second, &records);
}

#[test]
fn records_that_come_later_are_read_on_from_there() {
    let mut daemon = Daemon::new(2);
    let records = stream::generate(3_000, 2);
    daemon.start();
    for part in records.chunks(600) {
        kafka::send(daemon.input(), part);
        daemon.wait_until_read();
    }
    daemon.stop().expect("a clean stop");
    check_outputs(&daemon, &records);
}

#[test]
fn a_group_whose_changelog_is_lost_is_refused() {
    let daemon = Daemon::new(1);
    kafka::send(daemon.input(), &stream::generate(20, 1));
    kafka::commit_offset(daemon.group(), daemon.input(), 0, 7);
    let refused =
        run::run_until(&daemon.settings(), &AtomicBool::new(false)).expect_err("its leads would begin anew");
    assert!(refused.to_string().contains("up to offset 7, and the changelog has nothing"), "{refused}");
}

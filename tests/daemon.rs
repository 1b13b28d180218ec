//! The daemon as a process on a real Apache Kafka, in all that may befall it besides a crash (see `chaos`).

mod support;

use qualifyd::event::Reason;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use support::daemon::Daemon;
use support::expected::{check_expected, check_outputs, replay, replay_versions, written};
use support::kafka::{self, Record};
use support::process::Process;
use support::stream::{self, MODEL};

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        thread::sleep(Duration::from_millis(100));
    }
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_millis() as i64
}

fn record(value: impl Into<Vec<u8>>) -> Record {
    Record {
        partition: 0,
        offset: 0,
        timestamp_ms: Some(now_ms()),
        key: Some(b"k".to_vec()),
        value: Some(value.into()),
        headers: vec![],
    }
}

fn model_version(version: u32) -> String {
    MODEL.replace("version: 1", &format!("version: {version}"))
}

#[test]
fn the_older_of_two_processes_with_one_name_is_fenced() {
    let daemon = Daemon::restless(2);
    let records = stream::generate(2_000, 2);
    let parts: Vec<&[Record]> = records.chunks(500).collect();
    let mut older = Process::start(&daemon, "same", &[], "");
    kafka::send(daemon.input(), parts[0]);
    daemon.wait_until_read();
    let mut younger = Process::start(&daemon, "same", &[], "");
    younger.says("partition restored");
    for part in &parts[1..] {
        kafka::send(daemon.input(), part);
        thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(older.end(), Some(1), "{}", older.log());
    let clear = "another process may run with the same kafka.group and kafka.instance";
    assert!(older.log().contains(clear), "{}", older.log());
    daemon.wait_until_read();
    younger.stop();
    check_outputs(&daemon, &records);
}

#[test]
fn a_member_that_was_held_up_does_no_harm() {
    let daemon = Daemon::restless(4);
    let records = stream::generate(4_000, 4);
    let parts: Vec<&[Record]> = records.chunks(500).collect();
    let mut held = Process::start(&daemon, "one", &[], "");
    let mut other = Process::start(&daemon, "two", &[], "");
    other.says("partition restored");
    for (number, part) in parts.iter().enumerate() {
        kafka::send(daemon.input(), part);
        // In the middle of its work, and longer than its session lasts: its partitions are lost.
        if number % 3 == 1 {
            held.signal("STOP");
            thread::sleep(Duration::from_millis(2_500));
            held.signal("CONT");
        }
    }
    daemon.wait_until_read();
    held.stop();
    other.stop();
    check_outputs(&daemon, &records);
}

#[test]
fn a_poison_pill_of_every_kind_becomes_a_dead_letter() {
    let daemon = Daemon::restless(1);
    let deep = format!(r#"{{"type":"page","userId":"a","properties":{}{}}}"#, "[".repeat(70), "]".repeat(70));
    let pills: [Vec<u8>; 13] = [
        vec![b' '; 300_000],
        b"".to_vec(),
        b"{".to_vec(),
        b"{\"type\":\"page\",\"userId\":\"\xff\"}".to_vec(),
        br#"{"type":"page","userId":"\ud800"}"#.to_vec(),
        br#"{"type":"page","userId":"a","n":1e999}"#.to_vec(),
        deep.into_bytes(),
        b"[]".to_vec(),
        br#"{"type":"pages"}"#.to_vec(),
        br#"{"type":"page"}"#.to_vec(),
        br#"{"type":"page","userId":{}}"#.to_vec(),
        br#"{"type":"track","userId":"a"}"#.to_vec(),
        br#"{"type":"page","userId":"a","timestamp":"soon"}"#.to_vec(),
    ];
    let mut records = Vec::new();
    for (number, good) in stream::generate(1_300, 1).into_iter().enumerate() {
        if number % 100 == 50 {
            let value = Some(pills[number / 100].clone());
            records.push(Record { value, ..good.clone() });
        }
        records.push(good);
    }
    kafka::send(daemon.input(), &records);
    let mut process = Process::start(&daemon, "one", &[], "");
    daemon.wait_until_read();
    process.stop();
    check_outputs(&daemon, &records);
    let letters = kafka::read_committed(&daemon.topic("dead_letter"));
    for reason in Reason::ALL {
        let is_there = letters.iter().any(|letter| letter.header("qualifyd-reason") == Some(reason.name()));
        assert!(is_there, "{}", reason.name());
    }
}

#[test]
fn too_many_rejections_stop_the_daemon_until_they_are_accepted() {
    let mut daemon = Daemon::restless(1);
    daemon.set("limits.rejected_window=100");
    daemon.set("commit.records=7");
    kafka::send(daemon.input(), &vec![record("no json"); 80]);
    let letters = || kafka::read_committed(&daemon.topic("dead_letter")).len();
    let mut process = Process::start(&daemon, "one", &[], "");
    assert_eq!(process.end(), Some(1), "{}", process.log());
    let log = process.log();
    assert!(log.contains("51 of the last 100 records of partition 0 were rejected"), "{log}");
    assert!(log.contains("not_json") && log.contains("--accept-rejections"), "{log}");
    assert_eq!(kafka::committed_offsets(daemon.group(), daemon.input()), [Some(51)]);
    assert_eq!(letters(), 51);

    let mut process = Process::start(&daemon, "one", &[], "");
    assert_eq!(process.end(), Some(1), "{}", process.log());
    assert!(process.log().contains("--accept-rejections"), "{}", process.log());
    assert_eq!(letters(), 51, "a restart drains nothing");

    let mut process = Process::start_with(&daemon, "one", &["--accept-rejections"], "");
    daemon.wait_until_read();
    process.stop();
    assert_eq!(letters(), 80);
}

#[test]
fn a_new_model_takes_effect_between_two_events() {
    let daemon = Daemon::restless(2);
    let records = stream::generate(2_400, 2);
    let parts: Vec<&[Record]> = records.chunks(400).collect();
    let second = model_version(2).replace("download: 5", "download: 9");
    let third = model_version(3).replace("points: 12, at_most: 3, per: 1d", "points: 7");
    let mut process = Process::start(&daemon, "one", &[], "");
    let read = |part| {
        kafka::send(daemon.input(), part);
        daemon.wait_until_read();
    };
    read(parts[0]);
    fs::write(daemon.model(), &second).expect("model.yaml");
    process.signal("HUP");
    process.says("from=1 version=2");
    read(parts[1]);
    fs::write(daemon.model(), "model: broken\nversion: 3\n").expect("model.yaml");
    process.signal("HUP");
    process.says("the new model is refused");
    read(parts[2]);
    // Nobody tells: the file's time does.
    fs::write(daemon.model(), &third).expect("model.yaml");
    process.says("from=2 version=3");
    read(parts[3]);
    fs::write(daemon.model(), &second).expect("model.yaml");
    process.signal("HUP");
    process.says("leads are never judged by an earlier version after a later one");
    fs::write(daemon.model(), &third).expect("model.yaml");
    read(parts[4]);
    process.stop();
    // Edited while it did not run: what the changelog has is of the former version.
    let fourth = model_version(4).replace("gte: 50", "gte: 40");
    fs::write(daemon.model(), &fourth).expect("model.yaml");
    let mut process = Process::start(&daemon, "one", &[], "");
    read(parts[5]);
    process.stop();
    let expected = replay_versions(&[
        (MODEL, parts[0]),
        (&second, &[parts[1], parts[2]].concat()),
        (&third, &[parts[3], parts[4]].concat()),
        (&fourth, parts[5]),
    ]);
    let versions = (1..=4).filter(|version| {
        let named = format!(r#""version":{version}}}"#);
        expected["scores"].iter().any(|seen| seen.4.contains(&named))
    });
    assert_eq!(versions.count(), 4, "records of each version are there");
    check_expected(&daemon, expected);
}

#[test]
fn an_earlier_version_leaves_partitions_of_a_later_one_alone() {
    let daemon = Daemon::restless(4);
    let newer = model_version(2);
    fs::write(daemon.model(), &newer).expect("model.yaml");
    let behind = daemon.companion();
    let records = stream::generate(2_000, 4);
    let (before, after) = records.split_at(1_000);
    let mut first = Process::start(&daemon, "one", &[], "");
    kafka::send(daemon.input(), before);
    daemon.wait_until_read();
    let mut second = Process::start(&behind, "two", &[], "");
    second.says("judged by a later version of the model");
    kafka::send(daemon.input(), after);
    thread::sleep(Duration::from_secs(1));
    // Now all are with the one that may not touch them.
    first.stop();
    thread::sleep(Duration::from_secs(1));
    assert!(second.runs(), "{}", second.log());
    fs::write(behind.model(), &newer).expect("model.yaml");
    second.signal("HUP");
    daemon.wait_until_read();
    second.stop();
    check_expected(&daemon, replay(&daemon.model(), &records));
}

/// Changes a checkpoint's bytes, found by a pattern of text, without changing their number.
fn change(file: &Path, pattern: &str, replacement: &str) {
    let mut bytes = fs::read(file).expect("the checkpoint");
    let at = bytes.windows(pattern.len()).position(|window| window == pattern.as_bytes());
    let at = at.expect("the pattern is there");
    bytes[at..at + replacement.len()].copy_from_slice(replacement.as_bytes());
    fs::write(file, bytes).expect("the checkpoint");
}

#[test]
fn checkpoints_shorten_a_restart_and_bad_ones_are_ignored() {
    let mut daemon = Daemon::restless(1);
    let folder = tempfile::tempdir().expect("temp folder");
    daemon.set(&format!("state.dir={}", folder.path().display()));
    let records = stream::generate(2_500, 1);
    let file =
        || fs::read_dir(folder.path()).expect("the folder").next().expect("a file").expect("it").path();
    let damage = |file: &Path| {
        let mut bytes = fs::read(file).expect("the checkpoint");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        fs::write(file, bytes).expect("the checkpoint");
    };
    type Change<'a> = (&'a dyn Fn(), &'a str);
    let steps: [Change; 6] = [
        (&|| (), "from_checkpoint=false"),
        (&|| (), "from_checkpoint=true"),
        (&|| damage(&file()), "it is damaged"),
        (&|| change(&file(), "\"written_ms\":17", "\"written_ms\":10"), "it is of "),
        (&|| change(&file(), "\"offset\":", "\"offset\":9"), "checkpoint ignored"),
        (&|| fs::remove_file(file()).expect("it is removed"), "from_checkpoint=false"),
    ];
    for ((prepare, says), part) in steps.iter().zip(records.chunks(records.len().div_ceil(steps.len()))) {
        prepare();
        let mut process = Process::start(&daemon, "one", &[], "");
        process.says(says);
        kafka::send(daemon.input(), part);
        daemon.wait_until_read();
        process.stop();
    }
    check_outputs(&daemon, &records);
}

#[test]
fn leads_come_back_from_a_compacted_changelog() {
    let daemon = Daemon::restless(1);
    let changelog = format!("{}-changelog", daemon.group());
    let eager = [("cleanup.policy", "compact"), ("segment.ms", "200"), ("min.cleanable.dirty.ratio", "0.01")];
    kafka::set_topic_to(&changelog, &eager);
    let records = stream::generate(3_000, 1);
    for part in records.chunks(600) {
        kafka::send(daemon.input(), part);
        let mut process = Process::start(&daemon, "one", &["commit.records=20"], "");
        daemon.wait_until_read();
        process.stop();
        let kept = || kafka::read_committed(&changelog).len();
        let written = kafka::end_offsets(&changelog)[0].expect("there are records") as usize;
        wait_until("the changelog is compacted", || kept() * 2 < written);
    }
    check_outputs(&daemon, &records);
}

const SHORT_MODEL: &str = "
model: short
version: 1
signals:
  demo: { match: { event: Demo Requested } }
  called: { match: { event: Call Logged }, activity: false }
scores: { engagement: { groups: { all: { points: { demo: 5 } } } } }
stages: [{ name: visitor }]
slas: { speed: { start: { on: demo }, stop: { on: called }, due: 1s, past_due: 2s } }
emit: { scores: { on_change_of: 1 } }
";

#[test]
fn time_goes_on_in_an_idle_partition() {
    let mut daemon = Daemon::restless(1);
    ["clock=wall", "limits.idle=300ms", "limits.grace=1s"].iter().for_each(|set| daemon.set(set));
    fs::write(daemon.model(), SHORT_MODEL).expect("model.yaml");
    let mut process = Process::start(&daemon, "one", &[], "");
    kafka::send(daemon.input(), &[record(r#"{"type":"track","event":"Demo Requested","userId":"u"}"#)]);
    let slas = || written(&daemon.topic("slas"));
    wait_until("the SLA falls due and past due", || slas().len() == 2);
    process.stop();
    let states: Vec<bool> = slas()
        .iter()
        .zip(["due", "past_due"])
        .map(|(sla, state)| sla.4.contains(&format!(r#""state":"{state}""#)))
        .collect();
    assert_eq!(states, [true, true], "{:?}", slas());
}

#[test]
fn a_lead_that_has_ended_is_forgotten_after_its_retention() {
    let mut daemon = Daemon::restless(1);
    let sets = ["clock=wall", "limits.idle=300ms", "limits.grace=0s", "state.retention=2s"];
    sets.iter().for_each(|set| daemon.set(set));
    fs::write(daemon.model(), SHORT_MODEL).expect("model.yaml");
    let changelog = format!("{}-changelog", daemon.group());
    let mut process = Process::start(&daemon, "one", &[], "");
    let visit = || kafka::send(daemon.input(), &[record(r#"{"type":"page","name":"Home","userId":"u"}"#)]);
    let tombstones =
        || kafka::read_committed(&changelog).iter().filter(|record| record.value.is_none()).count();
    visit();
    wait_until("it is dropped from the changelog", || tombstones() == 1);
    visit();
    daemon.wait_until_read();
    // Also by a daemon that never saw it.
    process.kill();
    let mut process = Process::start(&daemon, "one", &[], "");
    wait_until("it is dropped again", || tombstones() == 2);
    visit();
    daemon.wait_until_read();
    process.stop();
    let ids: Vec<String> = written(&daemon.topic("scores")).into_iter().map(|seen| seen.1).collect();
    assert_eq!(ids, ["u/1", "u/1", "u/1"], "each time it begins anew");
}

#[test]
fn more_partitions_stop_the_daemon() {
    let mut daemon = Daemon::restless(2);
    daemon.set("kafka.properties.topic.metadata.refresh.interval.ms=500");
    let mut process = Process::start(&daemon, "one", &[], "");
    process.says("partition restored");
    kafka::add_partitions(daemon.input(), 3);
    assert_eq!(process.end(), Some(1), "{}", process.log());
    assert!(
        process.log().contains("has more partitions than at the start (2): keys have moved"),
        "{}",
        process.log()
    );
}

/// The process's largest memory so far, KiB.
fn peak_kib(process: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).expect("its status");
    let line = status.lines().find(|line| line.starts_with("VmHWM")).expect("its peak");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}

/// `QUALIFYD_LAG=1000000` makes the lag longer.
#[test]
fn a_long_lag_takes_no_more_memory_than_settings_say() {
    let lag = std::env::var("QUALIFYD_LAG").map_or(300_000, |lag| lag.parse().expect("a number"));
    let mut daemon = Daemon::restless(2);
    let (fetched_kib, commit_records) = (2_048, 2_000);
    daemon.set(&format!("kafka.properties.queued.max.messages.kbytes={fetched_kib}"));
    daemon.set(&format!("kafka.properties.fetch.message.max.bytes={}", fetched_kib << 10));
    daemon.set(&format!("commit.records={commit_records}"));
    let records = stream::generate(1_000, 2);
    let mut process = Process::start(&daemon, "one", &[], "");
    kafka::send(daemon.input(), &records);
    daemon.wait_until_read();
    let before = peak_kib(&process);
    process.kill();
    for _ in 0..lag / 10_000 {
        kafka::send(daemon.input(), &stream::generate(10_000, 2));
    }
    let mut process = Process::start(&daemon, "one", &[], "");
    let ends = kafka::end_offsets(daemon.input());
    let start = Instant::now();
    while kafka::committed_offsets(daemon.group(), daemon.input()) != ends {
        assert!(process.runs() && start.elapsed() < Duration::from_secs(300), "{}", process.log());
        thread::sleep(Duration::from_millis(200));
    }
    let after = peak_kib(&process);
    process.stop();
    // Of each partition: what is queued, what is being fetched, and librdkafka's note of every record (about as large as
    // the record); of each record of two batches: a few outputs of some KiB.
    let bound = before + 2 * 2 * 2 * fetched_kib + 2 * commit_records * 4;
    println!("peak: {before} KiB before, {after} KiB with a lag of {lag} records, bound {bound} KiB");
    assert!(after <= bound, "{after} KiB, more than {bound} KiB");
}

/// The first has taken place, and more records wait.
fn wait_for_the_second_commit(daemon: &Daemon, before: Option<i64>) {
    wait_until("the first commit takes place", || {
        kafka::committed_offsets(daemon.group(), daemon.input())[0] != before
    });
    thread::sleep(Duration::from_millis(500));
}

#[test]
fn a_commit_that_hangs_ends_with_the_shutdown_timeout_or_a_second_signal() {
    let daemon = Daemon::restless(1);
    let records = stream::generate(1_500, 1);
    let mut parts = records.chunks(500);
    let mut next = || kafka::send(daemon.input(), parts.next().expect("a part"));
    let hangs = "before-offsets=1*off->sleep(120000)";
    next();
    let mut process = Process::start(&daemon, "one", &["shutdown.timeout=1s", "commit.records=100"], hangs);
    wait_for_the_second_commit(&daemon, None);
    process.signal("TERM");
    assert_eq!(process.end(), Some(1), "{}", process.log());
    assert!(process.log().contains("within shutdown.timeout"), "{}", process.log());

    let before = kafka::committed_offsets(daemon.group(), daemon.input())[0];
    next();
    let mut process = Process::start(&daemon, "one", &["commit.records=100"], hangs);
    wait_for_the_second_commit(&daemon, before);
    process.signal("TERM");
    assert!(!process.ends_within(Duration::from_secs(1)), "it waits for its commit");
    process.signal("TERM");
    assert_eq!(process.end(), Some(1), "{}", process.log());

    next();
    let mut process = Process::start(&daemon, "one", &[], "");
    daemon.wait_until_read();
    process.stop();
    check_outputs(&daemon, &records);
}

#[test]
fn without_transactions_everything_comes_at_least_once() {
    let mut daemon = Daemon::restless(2);
    daemon.set("commit.exactly_once=false");
    let records = stream::generate(2_000, 2);
    let mut parts = records.chunks(500);
    for part in parts.by_ref().take(2) {
        kafka::send(daemon.input(), part);
        let mut process = Process::start(&daemon, "one", &[], "");
        daemon.wait_until_read();
        process.stop();
    }
    // Without a crash once each.
    check_outputs(&daemon, &records[..1_000]);
    for part in parts {
        kafka::send(daemon.input(), part);
        let mut process =
            Process::start(&daemon, "one", &["commit.records=50"], "after-commit=2*off->return");
        daemon.wait_until_read_or(|| !process.runs());
        let mut process = Process::start(&daemon, "one", &[], "");
        daemon.wait_until_read();
        process.stop();
    }
    for (topic, expected) in replay(&daemon.model(), &records) {
        if topic == "dead_letter" {
            continue;
        }
        let found = written(&daemon.topic(topic));
        let lead_and_id = |(lead, id, ..): &support::expected::Seen| (lead.clone(), id.clone());
        let found: std::collections::BTreeSet<_> = found.iter().map(lead_and_id).collect();
        let missing: Vec<_> = expected.iter().map(lead_and_id).filter(|id| !found.contains(id)).collect();
        assert_eq!(missing, [], "{topic}");
    }
}

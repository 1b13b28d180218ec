//! Daemons that are killed: what is committed equals the undisturbed run all the same.
//!
//! `QUALIFYD_KILLS=100` kills more often, `QUALIFYD_SEED=7` at the same moments again.

mod support;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use support::broker;
use support::daemon::Daemon;
use support::expected::check_outputs;
use support::kafka::{self, Record};
use support::process::Process;
use support::stream::{self, Random};

/// Members that are gone are noticed soon.
const SOON: [&str; 4] = [
    "workers=1",
    "kafka.properties.session.timeout.ms=1500",
    "kafka.properties.heartbeat.interval.ms=300",
    "commit.interval=20ms",
];

/// Some places are reached only when everything has been read.
const LINGER: Duration = Duration::from_millis(1_500);

/// One test at a time: the broker is killed too.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|number| number.parse().expect("a number"))
}

/// A daemon whose members are missed soon.
fn daemon(partitions: i32) -> Daemon {
    let mut daemon = Daemon::new(partitions);
    SOON.iter().for_each(|set| daemon.set(set));
    daemon
}

/// Nothing is lost, doubled or wrong.
fn check_all(daemon: &Daemon, records: &[Record]) {
    check_outputs(daemon, records);
    let mut numbers: BTreeMap<Vec<u8>, Vec<u64>> = BTreeMap::new();
    for topic in ["transitions", "alerts", "slas", "scores"] {
        for record in kafka::read_committed(&daemon.topic(topic)) {
            let id = record.header("ce_id").expect("an id");
            let (_, number) = id.rsplit_once('/').expect("lead and number");
            let number = number.parse().expect("a number");
            numbers.entry(record.key.clone().expect("a lead")).or_default().push(number);
        }
    }
    for (lead, mut numbers) in numbers {
        numbers.sort_unstable();
        assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{lead:?}: {numbers:?}");
    }
}

/// Kills one of these many instances, again and again, while a stream is sent; the broker as well, once in the middle.
fn kill_at_random(instances: u64, kills: u64) {
    let _alone = alone();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    let seed = number("QUALIFYD_SEED").unwrap_or(now.as_millis() as u64);
    println!("QUALIFYD_SEED={seed}");
    let mut random = Random(seed);
    random.below(1);
    let partitions = 2 * instances as i32;
    let daemon = daemon(partitions);
    let records = stream::generate(kills * 400, partitions);
    let names: Vec<String> = (0..instances).map(|number| format!("i{number}")).collect();
    let mut processes: Vec<Process> =
        names.iter().map(|name| Process::start(&daemon, name, &[], "")).collect();
    for (round, part) in records.chunks(400).enumerate() {
        for few in part.chunks(100) {
            kafka::send(daemon.input(), few);
            // Sometimes a member is killed while it restores, sometimes when all has been read.
            thread::sleep(Duration::from_millis(random.below(700)));
        }
        if round as u64 == kills / 2 {
            broker::restart();
        }
        let victim = random.below(instances) as usize;
        assert!(processes[victim].runs(), "no instance ends by itself");
        processes[victim].kill();
        processes[victim] = Process::start(&daemon, &names[victim], &[], "");
    }
    daemon.wait_until_read();
    processes.iter_mut().for_each(Process::stop);
    check_all(&daemon, &records);
}

#[test]
fn one_instance_is_killed() {
    kill_at_random(1, number("QUALIFYD_KILLS").unwrap_or(10));
}

#[test]
fn one_of_three_instances_is_killed() {
    kill_at_random(3, number("QUALIFYD_KILLS").unwrap_or(12));
}

/// The daemon ends at a named place, again and again, and is started again each time.
fn crash_at(place: &str, sets: &[&str], partitions: i32) {
    let _alone = alone();
    let mut daemon = daemon(partitions);
    sets.iter().for_each(|set| daemon.set(set));
    let records = stream::generate(2_400, partitions);
    let mut crashes = 0;
    for (round, part) in records.chunks(400).enumerate() {
        kafka::send(daemon.input(), part);
        // Once at the first opportunity, then later and later.
        let mut process =
            Process::start(&daemon, "one", &[], &format!("{place}={}*off->return", round * round));
        crashes += u32::from(daemon.wait_until_read_or(|| !process.runs()) || process.ends_within(LINGER));
        process.kill();
    }
    assert!(crashes >= 2, "{place} is reached: {crashes}");
    let mut process = Process::start(&daemon, "one", &[], "");
    daemon.wait_until_read();
    process.stop();
    check_all(&daemon, &records);
}

#[test]
fn a_crash_between_records_and_their_commit_takes_nothing_with_it() {
    crash_at("sent", &[], 2);
}

#[test]
fn a_crash_before_the_offsets_join_takes_nothing_with_it() {
    crash_at("before-offsets", &[], 2);
}

#[test]
fn a_crash_after_the_offsets_joined_takes_nothing_with_it() {
    crash_at("after-offsets", &[], 2);
}

#[test]
fn a_crash_during_the_commit_takes_nothing_with_it() {
    crash_at("during-commit", &[], 2);
}

#[test]
fn a_crash_after_the_commit_repeats_nothing() {
    crash_at("after-commit", &[], 2);
}

#[test]
fn a_crash_while_leads_are_restored_does_no_harm() {
    crash_at("in-restore", &[], 2);
}

#[test]
fn a_crash_when_leads_are_restored_does_no_harm() {
    crash_at("after-restore", &[], 2);
}

/// Transactions fail now and then, and are repeated.
#[test]
fn what_is_aborted_is_taken_back_and_repeated() {
    let _alone = alone();
    let daemon = daemon(3);
    let records = stream::generate(4_000, 3);
    let mut process = Process::start(&daemon, "one", &["commit.records=100"], "refuse-commit=40%return");
    for part in records.chunks(500) {
        kafka::send(daemon.input(), part);
        daemon.wait_until_read_or(|| {
            assert!(process.runs(), "the daemon goes on");
            false
        });
    }
    process.stop();
    assert!(process.log().matches("the transaction was given up").count() > 5, "{}", process.log());
    check_all(&daemon, &records);
}

/// One of two instances ends while it gives partitions up to the other.
fn crash_in_revoke(place: &str) {
    let _alone = alone();
    let daemon = daemon(4);
    let records = stream::generate(2_400, 4);
    for part in records.chunks(800) {
        let mut first = Process::start(&daemon, "one", &[], &format!("{place}=return"));
        first.says("partition restored");
        kafka::send(daemon.input(), &part[..500]);
        let mut second = Process::start(&daemon, "two", &[], "");
        assert_eq!(first.end(), None, "it ends in the middle\n{}", first.log());
        kafka::send(daemon.input(), &part[500..]);
        daemon.wait_until_read();
        second.stop();
    }
    check_all(&daemon, &records);
}

#[test]
fn a_crash_before_a_revocation_is_answered_does_no_harm() {
    crash_in_revoke("before-revoke");
}

#[test]
fn a_crash_in_the_middle_of_a_revocation_does_no_harm() {
    crash_in_revoke("in-revoke");
}

/// Checkpoints are written all the time, and the daemon ends while one is.
fn crash_in_checkpoint(place: &str) {
    let folder = tempfile::tempdir().expect("temp folder");
    let dir = format!("state.dir={}", folder.path().display());
    crash_at(place, &[&dir, "state.checkpoint_every=1s"], 2);
}

#[test]
fn a_crash_while_a_checkpoint_is_written_does_no_harm() {
    crash_in_checkpoint("in-checkpoint");
}

#[test]
fn a_crash_before_a_checkpoint_counts_does_no_harm() {
    crash_in_checkpoint("before-checkpoint");
}

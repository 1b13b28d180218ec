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

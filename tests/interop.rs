//! The CloudEvents Python SDK reads what the daemon writes, through a Python Kafka client.

mod support;

use serde_json::Value;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use support::daemon::Daemon;
use support::{broker, kafka, stream};

/// The Python of a virtual environment with the packages of `requirements.txt`; made once per build folder and list.
fn python() -> PathBuf {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/requirements.txt");
    let lock = File::create(cache.join("interop.lock")).expect("lock file in the build folder");
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).expect("lock of the environment");
    let folder = cache.join("interop");
    let (python, installed) = (folder.join("bin/python"), folder.join("installed.txt"));
    let wanted = fs::read_to_string(&list).expect("the list of packages");
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        return python;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&list));
    // Written last: a folder with it is a whole one.
    fs::write(&installed, wanted).expect("installed.txt");
    python
}

fn run(command: &mut Command) -> Output {
    let output = command.output().expect("python3 starts; the test needs Python 3 with venv and pip");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
fn the_cloudevents_sdk_parses_every_record() {
    let mut daemon = Daemon::new(2);
    kafka::send(daemon.input(), &stream::generate(2_000, 2));
    daemon.start();
    daemon.wait_until_read();
    daemon.stop().expect("a clean stop");

    let outputs = ["transitions", "alerts", "slas", "scores"];
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/read.py");
    let topics = outputs.map(|output| daemon.topic(output));
    let read = run(Command::new(python()).arg(script).arg(broker::brokers()).args(&topics));
    let seen: Vec<Value> = String::from_utf8(read.stdout)
        .expect("text")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();

    for (output, kind) in outputs.into_iter().zip(["transition", "alert", "sla", "score"]) {
        let topic = daemon.topic(output);
        let records: Vec<&Value> = seen.iter().filter(|record| record["topic"] == topic.as_str()).collect();
        assert!(!records.is_empty());
        assert_eq!(records.len(), kafka::read_committed(&topic).len(), "{output}");
        for record in records {
            let (attributes, data) = (&record["attributes"], &record["data"]);
            assert_eq!(attributes["specversion"], "1.0");
            assert_eq!(attributes["type"], format!("qualifyd.{kind}.v1"));
            assert_eq!(attributes["source"], format!("/qualifyd/{}", daemon.group()));
            assert_eq!(attributes["datacontenttype"], "application/json");
            assert_eq!(attributes["subject"], record["key"]);
            assert_eq!(data["lead"], record["key"], "the data is parsed");
            let id = format!("{}/{}", record["key"].as_str().expect("text"), data["seq"]);
            assert_eq!(attributes["id"], id);
            assert_eq!(attributes["time"], data["at"]);
            assert!(attributes["dataschema"].as_str().is_some_and(|schema| schema.contains(kind)));
        }
    }
}

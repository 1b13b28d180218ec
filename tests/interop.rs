//! The CloudEvents Python SDK reads what the daemon writes, through a Python Kafka client.

mod support;

use serde_json::Value;
use std::path::Path;
use std::process::Command;
use support::daemon::Daemon;
use support::python::{python, run};
use support::{broker, kafka, stream};

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

//! The examples of docs/consumers.md: alerts that the daemon sent are posted to a webhook, each once and in order, although
//! the webhook is down for a while and the consumer is stopped and started meanwhile.

mod support;

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use support::daemon::Daemon;
use support::python::{python, run};
use support::{broker, kafka, stream};

const TIMEOUT: Duration = Duration::from_secs(60);

/// A webhook that takes so many posts, and is down after that.
struct Webhook {
    address: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    takes: usize,
    refused: usize,
    /// Idempotency-Key and body.
    taken: Vec<(String, Value)>,
}

impl Webhook {
    fn start(takes: usize) -> Webhook {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}/hook", listener.local_addr().expect("its address"));
        let seen = Arc::new(Mutex::new(Seen { takes, ..Seen::default() }));
        let shared = seen.clone();
        // Ends with the test's process.
        thread::spawn(move || listener.incoming().flatten().for_each(|stream| answer(stream, &shared)));
        Webhook { address, seen }
    }

    fn wait(&self, what: &str, holds: impl Fn(&Seen) -> bool) {
        let start = Instant::now();
        while !holds(&self.seen.lock().expect("no panic inside")) {
            assert!(start.elapsed() < TIMEOUT, "{what}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn take_everything(&self) {
        self.seen.lock().expect("no panic inside").takes = usize::MAX;
    }
}

fn answer(stream: TcpStream, seen: &Mutex<Seen>) {
    let mut reader = BufReader::new(stream);
    let (mut key, mut length, mut line) = (String::new(), 0, String::new());
    while reader.read_line(&mut line).is_ok_and(|read| read > 0) && line != "\r\n" {
        if let Some((name, value)) = line.trim_end().split_once(": ") {
            match &*name.to_ascii_lowercase() {
                "idempotency-key" => value.clone_into(&mut key),
                "content-length" => length = value.parse().expect("a length"),
                _ => {}
            }
        }
        line.clear();
    }
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let mut seen = seen.lock().expect("no panic inside");
    let status = if seen.taken.len() < seen.takes {
        seen.taken.push((key, serde_json::from_slice(&body).expect("JSON")));
        "200 OK"
    } else {
        seen.refused += 1;
        "503 Service Unavailable"
    };
    let _ = write!(reader.get_mut(), "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

/// Sends a stream through a daemon and returns it with the alerts of each partition.
fn alerts(partitions: i32) -> (Daemon, Vec<kafka::Record>) {
    let mut daemon = Daemon::new(partitions);
    kafka::send(daemon.input(), &stream::generate(2_000, partitions));
    daemon.start();
    daemon.wait_until_read();
    daemon.stop().expect("a clean stop");
    let alerts = kafka::read_committed(&daemon.topic("alerts"));
    assert!(alerts.len() > 5, "only {} alerts", alerts.len());
    (daemon, alerts)
}

/// Runs a consumer until the webhook is down, stops it, and runs it again when the webhook is up.
fn post_all(webhook: &Webhook, count: usize, consumer: impl Fn() -> Command, signal: &str) {
    let start = || consumer().process_group(0).spawn().expect("the example starts");
    let mut child = start();
    webhook.wait("the webhook is called while it is down", |seen| seen.refused > 0);
    stop(&mut child, signal);
    webhook.take_everything();
    let mut child = start();
    webhook.wait("all alerts are posted", |seen| seen.taken.len() >= count);
    stop(&mut child, signal);
}

/// Signals the consumer and whatever it has started.
fn stop(child: &mut Child, signal: &str) {
    run(Command::new("kill").args([signal, "--", &format!("-{}", child.id())]));
    child.wait().expect("the example ends");
}

/// Each alert once, those of a partition in their order; `keyed`: by what the webhook knows it.
fn check(webhook: &Webhook, alerts: &[kafka::Record], keyed: impl Fn(&kafka::Record) -> String) {
    let mut expected: BTreeMap<i32, Vec<String>> = BTreeMap::new();
    let mut partitions = BTreeMap::new();
    for alert in alerts {
        expected.entry(alert.partition).or_default().push(keyed(alert));
        partitions.insert(keyed(alert), alert.partition);
    }
    let seen = webhook.seen.lock().expect("no panic inside");
    let mut posted: BTreeMap<i32, Vec<String>> = BTreeMap::new();
    for (key, body) in &seen.taken {
        let partition = partitions.get(key).unwrap_or_else(|| panic!("{key} is the key of no alert"));
        posted.entry(*partition).or_default().push(key.clone());
        assert_eq!((&body["route"], &body["priority"]), (&"sales".into(), &"high".into()));
        assert!(
            body["text"].as_str().is_some_and(|text| text.starts_with("hot: ") && !text.contains("null")),
            "{body}"
        );
    }
    assert_eq!(posted, expected);
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples").join(name)
}

#[test]
fn the_python_example_posts_every_alert() {
    let (daemon, alerts) = alerts(2);
    let webhook = Webhook::start(3);
    let consumer = || {
        let mut command = Command::new(python());
        command.arg(example("alerts_to_webhook.py"));
        command.args([broker::brokers(), &daemon.topic("alerts"), &webhook.address]);
        command
    };
    post_all(&webhook, alerts.len(), consumer, "-INT");
    check(&webhook, &alerts, |alert| {
        format!("{}/{}", alert.header("ce_source").expect("a source"), alert.header("ce_id").expect("an id"))
    });
}

#[test]
fn the_shell_example_posts_every_alert() {
    let (daemon, alerts) = alerts(1);
    let webhook = Webhook::start(3);
    let folder = tempfile::tempdir().expect("temp folder");
    // What a Kafka distribution has under bin/.
    let tool = folder.path().join("kafka-console-consumer.sh");
    let classpath = format!("{0}/*:{1}/*", broker::jars().display(), broker::tools().display());
    let script = format!(
        "#!/bin/sh\nexec java -cp '{classpath}' org.apache.kafka.tools.consumer.ConsoleConsumer \"$@\"\n"
    );
    fs::write(&tool, script).expect("the script is written");
    run(Command::new("chmod").arg("+x").arg(&tool));
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").expect("PATH"));
    let consumer = || {
        let mut command = Command::new(example("alerts_to_webhook.sh"));
        command.args([broker::brokers(), &daemon.topic("alerts"), "0", &webhook.address]);
        command.arg(folder.path()).env("PATH", &path);
        command
    };
    post_all(&webhook, alerts.len(), consumer, "-TERM");
    check(&webhook, &alerts, |alert| alert.header("ce_id").expect("an id").replace('/', "%2F"));
}

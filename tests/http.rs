//! What the daemon tells over HTTP, on a real Apache Kafka.

mod support;

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};
use support::daemon::Daemon;
use support::kafka::{self, Record};
use support::stream;

const TIMEOUT: Duration = Duration::from_secs(60);

fn open(address: SocketAddr, path: &str, headers: &[&str]) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(address).expect("the daemon takes the connection");
    stream.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
    let more: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: q\r\nconnection: close\r\n{more}\r\n").expect("sent");
    BufReader::new(stream)
}

/// Status, head and body.
fn get_with(address: SocketAddr, path: &str, headers: &[&str]) -> (u16, String, String) {
    let mut answer = String::new();
    open(address, path, headers).read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, head.to_ascii_lowercase(), body.to_owned())
}

fn get(address: SocketAddr, path: &str) -> (u16, Value) {
    let (status, _, body) = get_with(address, path, &[]);
    (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < TIMEOUT, "{what}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// The value of a time series in the text of `/metrics`.
/// A series' value; one that has not been told of yet is 0.
fn series(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().expect("a number"))
}

fn metrics(address: SocketAddr) -> String {
    let (status, _, text) = get_with(address, "/metrics", &[]);
    assert_eq!(status, 200);
    text
}

/// Everything that is not exact again after a restart left out.
fn funnel_of_state(address: SocketAddr) -> Value {
    let (_, mut funnel) = get(address, "/funnel");
    for part in ["transitions", "alerts", "attribution", "revenue", "spend"] {
        funnel[part] = Value::Null;
    }
    for stage in funnel["stages"].as_array_mut().expect("stages") {
        stage["median_seconds_to_next"] = Value::Null;
    }
    for sla in funnel["slas"].as_array_mut().expect("slas") {
        sla["met"] = Value::Null;
        sla["breached"] = Value::Null;
    }
    funnel
}

fn count(records: &[Record], wanted: impl Fn(&Value) -> bool) -> f64 {
    let values = records.iter().map(|record| {
        serde_json::from_slice::<Value>(record.value.as_deref().expect("a value")).expect("JSON")
    });
    values.filter(wanted).count() as f64
}

fn counted_records(text: &str) -> f64 {
    let outcomes = ["applied", "ignored", "duplicate", "spend", "tombstone", "rejected"];
    outcomes
        .iter()
        .map(|outcome| series(text, &format!("qualifyd_records_total{{outcome=\"{outcome}\"}}")))
        .sum()
}

fn check_figures(daemon: &Daemon, sent: usize) {
    let address = daemon.address();
    // Counters move when the worker hears of the commit, a little after the offsets did; gauges twice a second.
    let entered = "qualifyd_leads_entered{stage=\"mql\"}";
    let entries = "qualifyd_first_entries_total{stage=\"mql\"}";
    let told =
        |text: &str| counted_records(text) == sent as f64 && series(text, entered) == series(text, entries);
    let start = std::time::Instant::now();
    let text = loop {
        let text = metrics(address);
        if told(&text) || start.elapsed() > std::time::Duration::from_secs(20) {
            break text;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    let read = |topic: &str| kafka::read_committed(&daemon.topic(topic));
    let transitions = read("transitions");
    let moved = count(&transitions, |record| record["from"] == "lead" && record["to"] == "mql");
    assert!(moved > 0.0);
    let name = "qualifyd_transitions_total{from=\"lead\",to=\"mql\",transition=\"qualify\"}";
    assert_eq!(series(&text, name), moved);
    let first = count(&transitions, |record| record["to"] == "mql" && record["entered_before"] == false);
    assert_eq!(series(&text, entered), first);
    assert_eq!(series(&text, entries), first);
    let alerts = read("alerts");
    assert_eq!(series(&text, "qualifyd_alerts_total{alert=\"hot\",outcome=\"sent\"}"), alerts.len() as f64);
    let slas = read("slas");
    let met = count(&slas, |record| record["state"] == "met");
    assert_eq!(series(&text, "qualifyd_slas_total{sla=\"speed\",state=\"met\"}"), met);
    assert_eq!(counted_records(&text), sent as f64);
    let rejected = series(&text, "qualifyd_records_total{outcome=\"rejected\"}");
    assert_eq!(rejected, read("dead_letter").len() as f64);
    assert_eq!(series(&text, "qualifyd_lag_records{partition=\"0\"}"), 0.0);
}

fn check_answers(address: SocketAddr) {
    let (status, ready) = get(address, "/ready");
    assert_eq!((status, &ready["ready"]), (200, &Value::Bool(true)));
    let (_, health) = get(address, "/health");
    assert_eq!(health["partitions"].as_array().map(Vec::len), Some(2), "{health}");
    let (_, funnel) = get(address, "/funnel");
    assert!(funnel["leads"].as_u64() > Some(10), "{funnel}");
    let steps = funnel["conversions"].as_array().expect("conversions");
    assert_eq!(steps.len(), 6, "each two of four steps");

    let (_, list) = get(address, "/leads?sort=engagement&limit=5");
    let leads = list["leads"].as_array().expect("a list");
    let scores: Vec<f64> = leads.iter().filter_map(|lead| lead["scores"]["engagement"].as_f64()).collect();
    assert!(scores.len() == 5 && scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    let stage = leads[0]["stage"].as_str().expect("a stage");
    let (_, in_stage) = get(address, &format!("/leads?stage={stage}&limit=200"));
    let in_stage = in_stage["leads"].as_array().expect("a list").len() as u64;
    let funnel = funnel["stages"].as_array().expect("stages").iter().find(|known| known["name"] == stage);
    assert_eq!(Some(in_stage), funnel.and_then(|stage| stage["leads"].as_u64()));
    assert_eq!(get(address, "/leads?sort=nothing").0, 400);

    let id = leads[0]["lead"].as_str().expect("an id");
    let (status, lead) = get(address, &format!("/leads/{id}"));
    assert_eq!((status, &lead["lead"], &lead["scores"]), (200, &leads[0]["lead"], &leads[0]["scores"]));
    assert!(lead["curve"].as_array().is_some_and(|curve| curve.len() > 50), "{lead}");
    assert!(lead["next"]["not_further"].is_array() && lead["history"].is_array());
    let (status, nobody) = get(address, "/leads/nobody");
    assert_eq!(status, 404);
    assert!(nobody["partition"].is_u64() && nobody["partition_held"] == true, "{nobody}");

    let (_, head, text) = get_with(address, "/metrics", &["accept: application/openmetrics-text"]);
    assert!(head.contains("application/openmetrics-text") && text.ends_with("# EOF\n"));
    assert!(get_with(address, "/model", &[]).2.starts_with("\nmodel: pipeline"));
    assert!(get_with(address, "/model", &["accept: text/markdown"]).2.contains("# pipeline"));
    assert!(get(address, "/config").1["kafka"]["group"].is_string());
    assert_eq!(get(address, "/openapi.json").1["openapi"], "3.1.0");
    assert!(get_with(address, "/", &[]).2.to_ascii_lowercase().starts_with("<!doctype html"));
    assert_eq!(get(address, "/nothing").0, 404);
}

#[test]
fn it_tells_what_it_knows_and_knows_it_again_after_a_restart() {
    let mut daemon = Daemon::new(2);
    daemon.set("workers=2");
    let records = stream::generate(3_000, 2);
    kafka::send(daemon.input(), &records);
    daemon.start();
    daemon.wait_until_read();
    let settled = |daemon: &Daemon| {
        let address = daemon.address();
        wait_until("all leads are told", || {
            let (_, health) = get(address, "/health");
            health["ready"] == true
                && health["lag"] == 0
                && funnel_of_state(address)["leads"].as_u64() > Some(10)
        });
        // What was told a moment ago may be of before the last records.
        thread::sleep(Duration::from_millis(1_500));
    };
    settled(&daemon);
    check_figures(&daemon, records.len());
    check_answers(daemon.address());
    let before = funnel_of_state(daemon.address());
    daemon.stop().expect("a clean stop");
    daemon.start();
    settled(&daemon);
    // A partition may still be on its way from one worker to the other.
    let start = std::time::Instant::now();
    while funnel_of_state(daemon.address()) != before && start.elapsed() < Duration::from_secs(30) {
        thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(funnel_of_state(daemon.address()), before);
    daemon.stop().expect("a clean stop");
}

#[test]
fn a_listener_hears_what_was_committed() {
    let mut daemon = Daemon::new(1);
    daemon.start();
    let mut events = open(daemon.address(), "/events", &[]);
    let mut line = String::new();
    while !line.trim().is_empty() || line.is_empty() {
        line.clear();
        events.read_line(&mut line).expect("the head");
    }
    kafka::send(daemon.input(), &stream::generate(200, 1));
    let (mut kind, mut data) = (String::new(), String::new());
    while data.is_empty() {
        line.clear();
        assert!(events.read_line(&mut line).expect("an event") > 0);
        kind = line.trim().strip_prefix("event: ").map_or(kind, str::to_owned);
        data = line.trim().strip_prefix("data: ").unwrap_or_default().to_owned();
    }
    let first = kafka::read_committed(&daemon.topic(&format!("{kind}s"))).remove(0);
    assert_eq!(Some(data.into_bytes()), first.value);
    daemon.stop().expect("a clean stop");
}

#[test]
fn a_token_is_asked_for_everywhere_but_where_nothing_is_told() {
    let mut daemon = Daemon::new(1);
    daemon.set("http.token=secret-token");
    daemon.start();
    let address = daemon.address();
    assert_eq!(get_with(address, "/live", &[]).0, 200);
    assert_eq!(get_with(address, "/", &[]).0, 200);
    let paths = [
        "/metrics",
        "/ready",
        "/health",
        "/funnel",
        "/leads",
        "/leads/x",
        "/model",
        "/config",
        "/events",
        "/openapi.json",
    ];
    for path in paths {
        assert_eq!(get_with(address, path, &[]).0, 401, "{path}");
        assert_eq!(get_with(address, path, &["authorization: Bearer secret"]).0, 401, "{path}");
    }
    let (status, _, config) = get_with(address, "/config", &["authorization: bearer secret-token"]);
    assert!(status == 200 && !config.contains("secret-token"), "{config}");
    daemon.stop().expect("a clean stop");
}

#[test]
fn a_port_that_is_taken_is_told_at_once() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut daemon = Daemon::new(1);
    let address = taken.local_addr().expect("its address");
    daemon.set(&format!("http.listen={address}"));
    daemon.start();
    wait_until("it ends", || daemon.has_ended());
    let error = format!("{:#}", daemon.stop().expect_err("it cannot start"));
    assert!(error.contains(&address.to_string()) && error.contains("another program"), "{error}");
}

//! The commands that work with a cluster, on a real Apache Kafka.

mod support;

use std::process::{Command, Output};
use support::broker;
use support::daemon::Daemon;
use support::kafka::{self, Record};

fn qualifyd(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_qualifyd")).args(arguments).output().expect("qualifyd starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

/// Settings whose topics nobody has created, in a folder that has to live as long.
fn fresh_settings() -> (tempfile::TempDir, String, String) {
    let folder = tempfile::tempdir().expect("temp folder");
    let name = kafka::unique("t");
    let outputs = ["transitions", "alerts", "slas", "scores", "dead_letter"];
    let outputs: Vec<String> = outputs.iter().map(|output| format!("{output}: {name}.{output}")).collect();
    let file = folder.path().join("qualifyd.yaml");
    let text = format!(
        "model: model.yaml\nkafka: {{ brokers: '{}', group: {name} }}\ninput: {{ topics: [{name}.engagement] }}\noutput: {{ {} }}\n",
        broker::brokers(),
        outputs.join(", ")
    );
    std::fs::write(&file, text).expect("qualifyd.yaml");
    let file = file.to_str().expect("text").to_owned();
    (folder, name, file)
}

#[test]
fn missing_topics_are_told_created_and_then_fine() {
    let (_folder, name, config) = fresh_settings();
    let topics = |more: &[&str]| qualifyd(&[&["topics", "--config", &config], more].concat());
    let missing = topics(&[]);
    assert_eq!(missing.status.code(), Some(1));
    let told = stdout(&missing);
    assert!(told.contains(&format!("{name}.engagement is the topic that the events are sent to")), "{told}");
    assert!(told.contains(&format!("qualifyd topics --config {config} --create --partitions 12")), "{told}");

    let refused = topics(&["--create"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("how many partitions"), "{}", stderr(&refused));

    let created = topics(&["--create", "--partitions", "3", "--replication-factor", "1", "--backfill"]);
    assert_eq!(created.status.code(), Some(0), "{}{}", stdout(&created), stderr(&created));
    assert_eq!(stderr(&created).lines().count(), 7);
    let checked = topics(&["--check"]);
    assert_eq!(checked.status.code(), Some(0), "{}", stdout(&checked));
    let row = |role: &str| {
        let told = stdout(&checked);
        let row = told.lines().find(|line| line.contains(role)).expect("a row").to_owned();
        row.split_whitespace().rev().take(3).map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(row("changelog "), "compact 1 3");
    assert_eq!(row("scores "), "compact 1 3");
    assert_eq!(row("alerts "), "delete 1 3");

    let usage = topics(&["--check", "--create"]);
    assert_eq!(usage.status.code(), Some(2));
}

#[test]
fn topics_that_lose_leads_stop_the_daemon_and_are_explained() {
    let (_folder, name, config) = fresh_settings();
    let created = qualifyd(&["topics", "--config", &config, "--create", "--partitions", "2"]);
    assert_eq!(created.status.code(), Some(0), "{}", stderr(&created));
    kafka::set_topic(&format!("{name}-changelog"), "cleanup.policy", "delete");
    kafka::set_topic(&format!("{name}.scores"), "cleanup.policy", "delete");
    kafka::set_topic(&format!("{name}.alerts"), "cleanup.policy", "compact");
    kafka::set_topic(&format!("{name}.slas"), "min.insync.replicas", "2");
    let told = qualifyd(&["topics", "--config", &config]);
    assert_eq!(told.status.code(), Some(1));
    let told = stdout(&told);
    for (topic, part) in [
        ("-changelog", "leads that are quiet for longer than its retention would be forgotten"),
        ("-changelog", "--add-config cleanup.policy=compact"),
        (".scores", "it grows for ever"),
        (".alerts", "of each lead only the latest record is kept"),
        (".slas", "min.insync.replicas=2 and 1 copy of each partition"),
    ] {
        let start = format!("wrong: {name}{topic} ");
        assert!(told.lines().any(|line| line.starts_with(&start) && line.contains(part)), "{topic}: {told}");
    }
    std::fs::write(_folder.path().join("model.yaml"), support::stream::MODEL).expect("model.yaml");
    let run = qualifyd(&["run", "--config", &config]);
    assert_eq!(run.status.code(), Some(1));
    let told = stderr(&run);
    assert!(told.contains("would be forgotten") && !told.contains("it grows for ever\n"), "{told}");
}

#[test]
fn generated_events_arrive_keyed_and_in_order() {
    let topic = kafka::unique("generated");
    kafka::create_topics(&[(&topic, 2)], &[]);
    let flags = ["generate", "--leads", "60", "--days", "30", "--seed", "9"];
    let sent = qualifyd(&[&flags[..], &["--brokers", broker::brokers(), "--topic", &topic]].concat());
    assert!(sent.status.success(), "{}", stderr(&sent));
    let printed = qualifyd(&flags);
    let mut expected: Vec<String> = stdout(&printed).lines().map(str::to_owned).collect();
    let records = kafka::read_committed(&topic);
    for pair in records.windows(2).filter(|pair| pair[0].partition == pair[1].partition) {
        assert!(pair[0].timestamp_ms <= pair[1].timestamp_ms);
    }
    let text =
        |bytes: &Option<Vec<u8>>| String::from_utf8_lossy(bytes.as_deref().expect("present")).into_owned();
    let lead = records.iter().find(|record| text(&record.value).contains("anonymousId")).expect("a lead");
    assert!(text(&lead.value).contains(&text(&lead.key)));
    let mut found: Vec<String> = records.iter().map(|record| text(&record.value)).collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);

    let missing = qualifyd(&["generate", "--brokers", broker::brokers(), "--topic", "no-such-topic"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(stderr(&missing).contains("no-such-topic does not exist"), "{}", stderr(&missing));
    let unusable = qualifyd(&["generate", "--brokers", "x:1", "--topic", "t", "-X", "sessoin.timeout.ms=5"]);
    assert_eq!(unusable.status.code(), Some(2));
}

/// Two events without a lead, one that is no JSON, one with a bad time, one without a key, one that is cut.
fn rejected() -> Vec<Record> {
    let record = |partition: i32, key: Option<&str>, value: String| Record {
        partition,
        offset: 0,
        timestamp_ms: Some(1_700_000_000_000 + i64::from(partition)),
        key: key.map(|key| key.as_bytes().to_vec()),
        value: Some(value.into_bytes()),
        headers: vec![
            ("trace".into(), Some(vec![0xff, 0])),
            ("qualifyd-reason".into(), Some(b"of the sender".to_vec())),
        ],
    };
    vec![
        record(0, Some("a"), r#"{"type":"page"}"#.into()),
        record(1, Some("b"), "{oops".into()),
        record(0, Some("c"), r#"{"type":"page","userId":"c","timestamp":"soon"}"#.into()),
        record(1, None, r#"{"type":"screen"}"#.into()),
        record(0, Some("d"), format!("{}{{", " ".repeat(20_000))),
    ]
}

fn parsed(output: &Output) -> Vec<serde_json::Value> {
    stdout(output).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn dead_letters_are_listed_and_sent_again_once() {
    let mut daemon = Daemon::new(2);
    kafka::set_topic(&daemon.topic("dead_letter"), "max.message.bytes", "10000");
    let records = rejected();
    kafka::send(daemon.input(), &records);
    daemon.start();
    daemon.wait_until_read();
    daemon.stop().expect("a clean stop");
    let config = daemon.settings_file();
    let config = config.to_str().expect("text");
    let letters = |more: &[&str]| {
        let output = qualifyd(&[&["dead-letters", "--config", config], more].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        output
    };

    let listed = parsed(&letters(&["--format", "json"]));
    assert_eq!(listed.len(), 5);
    let of = |reason: &str| -> Vec<_> { listed.iter().filter(|letter| letter["reason"] == reason).collect() };
    assert_eq!(of("missing_lead").len(), 2);
    assert_eq!(of("bad_time")[0]["key"], "c");
    assert_eq!(of("bad_time")[0]["from"]["timestamp"], "2023-11-14T22:13:20.000Z");
    assert_eq!(of("not_json").iter().filter(|letter| letter["truncated"] == "value").count(), 1);
    let summary = parsed(&letters(&["--summary", "--format", "json"]));
    let count =
        |reason: &str| summary.iter().find(|row| row["reason"] == reason).map(|row| row["letters"].clone());
    assert_eq!((count("missing_lead"), count("bad_time")), (Some(2.into()), Some(1.into())));
    assert!(stdout(&letters(&["--reason", "bad_time"])).contains("bad_time"));
    assert_eq!(parsed(&letters(&["--limit", "2", "--format", "json"])).len(), 2);
    assert_eq!(parsed(&letters(&["--since", "now", "--format", "json"])).len(), 0);

    // Nothing is sent by looking.
    let before = kafka::read_committed(daemon.input()).len();
    assert!(stderr(&letters(&["--resend", "--dry-run"])).ends_with("4 would be sent again, 1 skipped\n"));
    assert_eq!(kafka::read_committed(daemon.input()).len(), before);

    // First one reason, then the rest, each once.
    let resend = |more: &[&str]| stderr(&letters(&[&["--resend"], more].concat()));
    assert!(resend(&["--reason", "missing_lead", "--limit", "1"]).ends_with("1 sent again, 0 skipped\n"));
    let rest = resend(&[]);
    assert!(rest.contains("its value did not fit") && rest.ends_with("3 sent again, 1 skipped\n"), "{rest}");
    assert!(resend(&[]).ends_with("0 sent again, 1 skipped\n"));
    let found = kafka::read_committed(daemon.input());
    let mut again: Vec<Record> =
        found.into_iter().filter(|record| record.offset >= 2 + i64::from(record.partition == 0)).collect();
    again.iter_mut().for_each(|record| record.offset = 0);
    let mut expected = records[..4].to_vec();
    for list in [&mut again, &mut expected] {
        list.sort_by(|a, b| (a.partition, &a.value).cmp(&(b.partition, &b.value)));
    }
    assert_eq!(again, expected);

    let marked = parsed(&letters(&["--format", "json"]));
    assert_eq!(marked.iter().filter(|letter| letter["resent"] == true).count(), 4);
    assert!(resend(&["--from-beginning", "--reason", "bad_time"]).ends_with("1 sent again, 0 skipped\n"));
}

#[test]
fn the_demonstration_runs_on_a_real_cluster() {
    let name = kafka::unique("demo");
    let run = || {
        let flags =
            ["demo", "--brokers", broker::brokers(), "--name", &name, "--leads", "40", "--days", "20"];
        qualifyd(
            &[&flags[..], &["--speed", "10000000", "--set", "kafka.properties.fetch.wait.max.ms=20"]]
                .concat(),
        )
    };
    let shown = run();
    assert!(shown.status.success(), "{}", stderr(&shown));
    let text = stdout(&shown);
    assert!(text.contains("visitor → lead"), "{text}");
    assert!(text.contains("  visitor            40  ██"), "{text}");
    assert!(!text.contains('\x1b'), "no colours in a pipe");
    assert!(!kafka::read_committed(&format!("{name}.transitions")).is_empty());
    let again = run();
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("holds events already"), "{}", stderr(&again));
}

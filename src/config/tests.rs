use super::*;
use std::fs;

/// Loads settings from a file of this name and text, an environment and `--set` pairs.
fn load(name: &str, text: &str, env: &[(&str, &str)], sets: &[&str]) -> Result<Settings, SettingsError> {
    let dir = tempfile::tempdir().expect("temp folder");
    let file = dir.path().join(name);
    fs::write(&file, text).expect("settings file");
    let env = env.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let sets: Vec<String> = sets.iter().map(|set| set.to_string()).collect();
    Settings::load_with(&file, &env, &sets)
}

/// Every problem as `key: message`.
fn problems(text: &str, env: &[(&str, &str)], sets: &[&str]) -> Vec<String> {
    let error = load("q.yaml", text, env, sets).expect_err("the settings are wrong");
    error.problems.iter().map(|problem| format!("{}: {}", problem.key, problem.message)).collect()
}

const LEAST: &str = "model: m.yaml\nkafka: { brokers: localhost:9092 }\n";

#[test]
fn defaults_are_those_of_the_specification() {
    let settings =
        load("q.yaml", LEAST, &[], &["kafka.instance=host-0", "workers=2"]).expect("good settings");
    let mut shown = settings.redacted();
    assert!(shown["model"].as_str().is_some_and(|path| path.ends_with("/m.yaml") && path.len() > 7));
    shown["model"] = "m.yaml".into();
    let expected = serde_json::json!({
        "model": "m.yaml",
        "kafka": { "brokers": "localhost:9092", "group": "qualifyd", "instance": "host-0", "properties": {} },
        "input": { "topics": ["engagement"] },
        "output": {
            "transitions": "qualifyd.transitions", "alerts": "qualifyd.alerts", "slas": "qualifyd.slas",
            "scores": "qualifyd.scores", "dead_letter": "qualifyd.dead-letter"
        },
        "workers": 2,
        "commit": { "exactly_once": true, "interval": "100ms", "early": "5ms", "records": 20000 },
        "clock": "wall",
        "limits": {
            "event_bytes": 262144, "future_skew": "5m", "dedup_window": "1d", "dedup_ids": 64, "grace": "10s",
            "idle": "30s", "alert_max_age": "1d", "rejected_share": 0.5, "rejected_window": 1000
        },
        "state": { "dir": null, "checkpoint_every": "5m", "retention": null },
        "http": { "listen": "127.0.0.1:9464", "token": null },
        "shutdown": { "timeout": "20s" },
        "log": { "level": "info", "format": "text" }
    });
    assert_eq!(shown, expected);
    assert!(!load("q.yaml", LEAST, &[], &[]).expect("good settings").kafka.instance.is_empty());
}

#[test]
fn the_example_of_the_specification_is_read() {
    let text = "
model: b2b-saas.yaml
kafka:
  brokers: 127.0.0.1:9092
  group: qualifyd
  instance: host-0
  properties: { }
input:  { topics: [engagement] }
output: { transitions: a, alerts: b, slas: c, scores: d, dead_letter: e }
workers: 2
commit: { exactly_once: true, interval: 100ms, early: 5ms, records: 20000 }
clock: wall
limits: { event_bytes: 262144, future_skew: 5m, dedup_window: 24h, dedup_ids: 64, grace: 10s, idle: 30s, alert_max_age: 24h, rejected_share: 0.5, rejected_window: 1000 }
state:  { dir: null, checkpoint_every: 5m, retention: null }
http:   { listen: 127.0.0.1:9464, token: null }
shutdown: { timeout: 20s }
log:    { level: info, format: text }
";
    let settings = load("q.yaml", text, &[], &[]).expect("good settings");
    assert_eq!(settings.output.dead_letter, "e");
}

#[test]
fn toml_and_json_are_read_too() {
    let toml = "model = 'm.yaml'\n[kafka]\nbrokers = 'x:1'\n[kafka.properties]\n'client.id' = 'a'\n[commit]\nrecords = 7";
    let settings = load("q.toml", toml, &[], &[]).expect("good settings");
    assert_eq!((settings.kafka.brokers.as_str(), settings.commit.records), ("x:1", 7));
    assert_eq!(settings.kafka.properties["client.id"].reveal(), "a");
    let json = r#"{ "model": "m.yaml", "kafka": { "brokers": ["x:1", "y:2"] } }"#;
    assert_eq!(load("q.json", json, &[], &[]).expect("good settings").kafka.brokers, "x:1,y:2");
}

#[test]
fn environment_wins_over_the_file_and_set_over_both() {
    let text = "model: m.yaml\nkafka: { brokers: file:1, group: file, instance: file, properties: { client.id: file, client.rack: file } }";
    let env = [
        ("QUALIFYD__KAFKA__GROUP", "env"),
        ("QUALIFYD__KAFKA__INSTANCE", "env"),
        ("QUALIFYD__KAFKA__PROPERTIES__CLIENT__ID", "env"),
        ("QUALIFYD__COMMIT__INTERVAL", "2s"),
        ("QUALIFYD__STATE__DIR", "null"),
        ("QUALIFYD_TEST_BROKERS", "no setting"),
        ("HOME", "/root"),
    ];
    let settings =
        load("q.yaml", text, &env, &["kafka.instance=set", "model=other.yaml"]).expect("good settings");
    assert_eq!(settings.kafka.brokers, "file:1");
    assert_eq!(settings.kafka.group, "env");
    assert_eq!(settings.kafka.instance, "set");
    assert_eq!(settings.kafka.properties["client.id"].reveal(), "env");
    assert_eq!(settings.kafka.properties["client.rack"].reveal(), "file");
    assert_eq!(settings.commit.interval, Duration::from_secs(2));
    assert_eq!(settings.model, Path::new("other.yaml"), "relative to the working directory");
}

#[test]
fn every_problem_is_reported_at_once() {
    let text = "
kafka: { group: 'a b', brokesr: x, properties: { group.id: x, sessoin.timeout.ms: 5, session.timeout.ms: soon, client.id: ~ } }
input: { topics: [a, b] }
output: { alerts: qualifyd.slas, scores: '' }
commit: { interval: 5, records: -1, early: 1m }
clock: moon
limits: { rejected_share: 1.5, dedup_ids: 1.5, future_skw: 5m }
http: { listen: localhost }
log: loud
state:
";
    let expected = [
        "model: is missing; write the path of the scoring model, such as b2b-saas.yaml",
        "kafka.group: is 'a b'; write a name of letters, digits, dots, dashes and underscores, at most 200",
        "kafka.brokers: is missing; write at least one broker, such as 127.0.0.1:9092",
        "kafka.properties.client.id: has no value; write a text or a number, or remove it",
        "kafka.properties.group.id: cannot be set: the consumer group stands in kafka.group",
        "kafka.properties.session.timeout.ms: is not accepted by librdkafka: Invalid value for configuration property \"session.timeout.ms\"",
        "kafka.properties.sessoin.timeout.ms: is not a librdkafka property; correct its name or remove it",
        "input.topics: names 2 topics, and one is supported for now; write one topic, such as [engagement]",
        "output.scores: is ''; write the name of a topic",
        "commit.interval: is '5'; write a duration such as 500ms, 90s, 5m, 24h, 30d or 2w, from 1ms to 30s",
        "commit.early: is '1m'; write a duration such as 500ms, 90s, 5m, 24h, 30d or 2w, from 0s to 30s",
        "commit.records: is '-1'; write a whole number from 1 to 1000000",
        "clock: is 'moon'; write wall or events",
        "limits.dedup_ids: is '1.5'; write a whole number from 0 to 1000",
        "limits.rejected_share: is '1.5'; write a number from 0 to 1",
        "http.listen: is 'localhost'; write an address and a port, such as 127.0.0.1:9464",
        "output.slas: is 'qualifyd.slas', as output.alerts is; give each a topic of its own",
        "kafka.brokesr: is not a setting (in the file); did you mean 'kafka.brokers'?",
        "limits.future_skw: is not a setting (in the file); did you mean 'limits.future_skew'?",
        "log: is a section; write its settings beneath it",
    ];
    assert_eq!(problems(text, &[], &[]), expected);
}

#[test]
fn unknown_keys_tell_where_they_stand() {
    let env = [("QUALIFYD__KAFKA__GRUOP", "x")];
    let expected = [
        "--set: lacks an equals sign; write --set kafka.group=qualifyd",
        "kafka.gruop: is not a setting (in the environment); did you mean 'kafka.group'?",
        "listen: is not a setting (in --set); did you mean 'http.listen'?",
        "zzz: is not a setting (in --set); remove it or correct its name",
    ];
    assert_eq!(problems(LEAST, &env, &["listen=x", "oops", "zzz=1"]), expected);
}

#[test]
fn the_file_has_to_be_there_and_readable() {
    let error = Settings::load_with(Path::new("nowhere.yaml"), &BTreeMap::new(), &[]).expect_err("no file");
    assert_eq!(error.problems.len(), 1, "nothing that follows from it: {error}");
    assert!(error.problems[0].message.starts_with("cannot be read"), "{error}");
    assert!(
        load("q.ini", "", &[], &[]).expect_err("no format").to_string().contains(".yaml, .toml or .json")
    );
    assert!(
        load("q.yaml", "a: [", &[], &[]).expect_err("no yaml").to_string().contains("cannot be understood")
    );
    let toml = load("q.toml", "token = hunter2", &[], &[]).expect_err("no toml").to_string();
    assert!(toml.contains("line 1") && !toml.contains("hunter2"), "{toml}");
}

#[test]
fn secrets_are_resolved_and_never_shown() {
    let dir = tempfile::tempdir().expect("temp folder");
    let file = dir.path().join("password");
    fs::write(&file, "hunter2\n").expect("secret file");
    let text = format!(
        "model: m.yaml
kafka:
  brokers: x:1
  properties:
    sasl.username: ${{USER_NAME}}
    sasl.password: '@{}'
    ssl.key.password: hunter2
    client.id: shown
http: {{ token: hunter2 }}
",
        file.display()
    );
    let settings = load("q.yaml", &text, &[("USER_NAME", "hunter2-user")], &[]).expect("good settings");
    let properties = &settings.kafka.properties;
    assert_eq!(properties["sasl.username"].reveal(), "hunter2-user");
    assert_eq!(properties["sasl.password"].reveal(), "hunter2");
    let shown = format!("{settings:?} {settings:#?} {}", settings.redacted());
    assert!(!shown.contains("hunter2") && shown.contains("shown") && shown.contains("***"), "{shown}");

    let wrong = "kafka: { properties: { sasl.password: '${NOT_SET}', ssl.key.password: '@/not/there', sasl.mechanism: '${X}', security.protocol: hunter2-open, socket.timeout.ms: '${X}' } }";
    let problems = problems(wrong, &[("X", "hunter2")], &["http.token=@/not/there"]).join("\n");
    assert!(!problems.replace("hunter2-open", "").contains("hunter2"), "{problems}");
    assert!(
        problems.contains("NOT_SET, which is not set") && problems.contains("the file /not/there"),
        "{problems}"
    );
    assert!(
        problems.contains("socket.timeout.ms: is not accepted by librdkafka; correct the value"),
        "{problems}"
    );
}

#[test]
fn pairs_alone_are_settings_and_other_commands_can_be_told() {
    let pairs = ["model=m.yaml", "kafka.brokers=x:1", "kafka.properties.client.id=a=b"].map(str::to_owned);
    let settings = Settings::of_pairs(&pairs).expect("good settings");
    assert_eq!(settings.kafka.properties["client.id"].reveal(), "a=b");
    assert_eq!(settings.kafka.changelog(), "qualifyd-changelog");
    assert_eq!(settings.command("topics", "--create"), "qualifyd topics --create");

    let wrong = Kafka::of_flags("x:1", &["sessoin.timeout.ms=5".into()]).expect_err("no such property");
    assert_eq!(wrong.problems[0].key, "kafka.properties.sessoin.timeout.ms");

    let sets = ["kafka.group=g", "kafka.properties.sasl.password=hunter2"];
    let command = load("q.yaml", LEAST, &[], &sets).expect("good settings").command("topics", "");
    assert!(
        command.ends_with("q.yaml --set kafka.group=g --set kafka.properties.sasl.password=…"),
        "{command}"
    );
}

#[test]
fn an_output_is_not_the_changelog() {
    let expected = [
        "output.alerts: is 'qualifyd-changelog', as the changelog of kafka.group is; give each a topic of its own",
    ];
    assert_eq!(problems(LEAST, &[], &["output.alerts=qualifyd-changelog"]), expected);
}

//! The topics that the daemon needs: what they have to be like, what is wrong with those that are there, and creating
//! those that are not (`qualifyd topics`).

use super::admin::wait_for;
use super::{ANSWER_TIMEOUT, Error, LogContext, RETRY_PAUSE, client_config};
use crate::config::{Kafka, Settings};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// For a client to say why it cannot connect.
const WHY_TIMEOUT: Duration = Duration::from_secs(5);
/// Kafka's own limit of a batch, where a topic says nothing else.
const KAFKA_MAX_MESSAGE_BYTES: u64 = 1_048_588;
/// A lead with many traits and touches may be far larger than an event.
const CHANGELOG_MAX_MESSAGE_BYTES: u64 = 10 << 20;
/// What a dead letter needs beyond the record that it carries.
const DEAD_LETTER_HEADERS_BYTES: u64 = 64 << 10;

/// What a topic is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Input,
    Transitions,
    Alerts,
    Slas,
    Scores,
    DeadLetter,
    Changelog,
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Role::Input => "input",
            Role::Transitions => "transitions",
            Role::Alerts => "alerts",
            Role::Slas => "slas",
            Role::Scores => "scores",
            Role::DeadLetter => "dead letters",
            Role::Changelog => "changelog",
        }
    }
}

/// A topic that the daemon needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    pub role: Role,
    pub name: String,
    /// What the cluster says of it; `None`: it does not exist.
    pub found: Option<Found>,
}

/// A topic as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    pub partitions: i32,
    pub replicas: usize,
    /// `None`: the cluster does not tell, which takes a right of its own.
    pub settings: Option<BTreeMap<String, String>>,
}

impl Found {
    /// A setting of the topic, defaults included.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.as_ref()?.get(name).map(String::as_str)
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.setting(name)?.parse().ok()
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The daemon does not start.
    Stops,
    /// The daemon works, its readers are served badly.
    Wrong,
    /// Could be better.
    Advice,
}

/// Something to do about a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    pub topic: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// How topics are created.
#[derive(Debug, Clone, Copy, Default)]
pub struct Creation {
    /// `None`: the cluster's default.
    pub replicas: Option<i32>,
    /// Partitions of the input topic, should it be missing; every other has as many as the input.
    pub input_partitions: Option<i32>,
    /// The input will hold old events, which the cluster would delete by their age.
    pub backfill: bool,
}

/// Asks the cluster about every topic that the daemon needs.
///
/// # Errors
/// The cluster does not answer.
pub fn inspect(settings: &Settings) -> Result<Vec<Topic>, Error> {
    let admin = admin(settings)?;
    let outputs = &settings.output;
    let names = [
        (Role::Input, settings.input.topics[0].clone()),
        (Role::Transitions, outputs.transitions.clone()),
        (Role::Alerts, outputs.alerts.clone()),
        (Role::Slas, outputs.slas.clone()),
        (Role::Scores, outputs.scores.clone()),
        (Role::DeadLetter, outputs.dead_letter.clone()),
        (Role::Changelog, settings.kafka.changelog()),
    ];
    let mut topics = Vec::new();
    for (role, name) in names {
        let found = look_up(settings, &admin, &name)?;
        topics.push(Topic { role, name, found });
    }
    if !settings.kafka.in_process {
        add_settings(&admin, &mut topics);
    }
    Ok(topics)
}

fn admin(settings: &Settings) -> Result<AdminClient<LogContext>, Error> {
    client_config(&settings.kafka, &[], &[]).create_with_context(LogContext).map_err(Error::Client)
}

/// An admin client keeps to itself why it cannot connect, such as a wrong password; another kind of client tells the log.
fn tell_why(kafka: &Kafka) {
    let config = client_config(kafka, &[], &[("group.id", &kafka.group)]);
    let Ok(client) = config.create_with_context::<_, BaseConsumer<LogContext>>(LogContext) else { return };
    let deadline = Instant::now() + WHY_TIMEOUT;
    while Instant::now() < deadline {
        // What it says goes to its context.
        let _ = client.poll(Duration::from_millis(100));
    }
}

/// One question for all topics would need the right to list them; one for each is answered in any case.
fn look_up(
    settings: &Settings,
    admin: &AdminClient<LogContext>,
    topic: &str,
) -> Result<Option<Found>, Error> {
    let unreachable = |reason| {
        tell_why(&settings.kafka);
        Error::Unreachable { brokers: settings.kafka.brokers.clone(), reason }
    };
    let metadata = admin.inner().fetch_metadata(Some(topic), ANSWER_TIMEOUT).map_err(unreachable)?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    match found.and_then(|found| found.error()).map(RDKafkaErrorCode::from) {
        Some(RDKafkaErrorCode::UnknownTopicOrPartition) => Ok(None),
        Some(code) => Err(unreachable(KafkaError::MetadataFetch(code))),
        None => Ok(found.filter(|found| !found.partitions().is_empty()).map(|found| Found {
            partitions: found.partitions().len() as i32,
            replicas: found.partitions().iter().map(|p| p.replicas().len()).min().unwrap_or(0),
            settings: None,
        })),
    }
}

fn add_settings(admin: &AdminClient<LogContext>, topics: &mut [Topic]) {
    let present: Vec<&mut Topic> = topics.iter_mut().filter(|topic| topic.found.is_some()).collect();
    let resources: Vec<_> = present.iter().map(|topic| ResourceSpecifier::Topic(&topic.name)).collect();
    let options = AdminOptions::new().request_timeout(Some(ANSWER_TIMEOUT));
    let Ok(described) = wait_for(admin.describe_configs(&resources, &options)) else { return };
    for (topic, described) in present.into_iter().zip(described) {
        let (Some(found), Ok(described)) = (&mut topic.found, described) else { continue };
        let entries = described.entries.into_iter();
        found.settings = Some(entries.filter_map(|entry| Some((entry.name, entry.value?))).collect());
    }
}

/// Everything that is wrong or could be better with these topics.
pub fn judge(topics: &[Topic], settings: &Settings) -> Vec<Finding> {
    let input = topics.iter().find(|topic| topic.role == Role::Input).and_then(|topic| topic.found.as_ref());
    let mut judge = Judge { settings, input, findings: Vec::new() };
    judge.missing(topics);
    topics.iter().for_each(|topic| judge.topic(topic));
    judge.findings
}

struct Judge<'a> {
    settings: &'a Settings,
    input: Option<&'a Found>,
    findings: Vec<Finding>,
}

impl Judge<'_> {
    fn find(&mut self, severity: Severity, topic: &Topic, message: String) {
        self.findings.push(Finding { severity, topic: topic.name.clone(), message });
    }

    fn topic(&mut self, topic: &Topic) {
        let Some(found) = &topic.found else { return };
        self.cleanup(topic, found);
        self.replication(topic, found);
        match topic.role {
            Role::Changelog => self.changelog(topic, found),
            Role::DeadLetter => self.dead_letter(topic, found),
            _ => {}
        }
    }

    fn missing(&mut self, topics: &[Topic]) {
        let missing: Vec<&Topic> = topics.iter().filter(|topic| topic.found.is_none()).collect();
        let names: Vec<&str> = missing.iter().map(|topic| topic.name.as_str()).collect();
        let (do_not, them) = if names.len() == 1 { ("does not", "it") } else { ("do not", "them") };
        let create = self.settings.command("topics", "--create");
        let message = match missing.first() {
            None => return,
            Some(topic) if topic.role == Role::Input => format!(
                "{do_not} exist; {} is the topic that the events are sent to: correct input.topics, or create {them} with as \
                 many partitions as the leads may ever need, for their number cannot change later: {create} --partitions 12",
                topic.name
            ),
            Some(_) => format!("{do_not} exist; create {them}: {create}"),
        };
        self.findings.push(Finding { severity: Severity::Stops, topic: names.join(", "), message });
    }

    fn cleanup(&mut self, topic: &Topic, found: &Found) {
        let Some(policy) = found.setting("cleanup.policy") else { return };
        let compacts = policy.split(',').any(|part| part.trim() == "compact");
        let wrong = match topic.role {
            Role::Changelog if policy != "compact" => (
                Severity::Stops,
                "leads that are quiet for longer than its retention would be forgotten",
                "compact",
            ),
            Role::Scores if !compacts => (
                Severity::Wrong,
                "it grows for ever, or forgets the scores of leads that are quiet",
                "compact",
            ),
            Role::Input if compacts => (
                Severity::Wrong,
                "of each lead only the latest event is kept, and others may be gone unread",
                "delete",
            ),
            Role::Transitions | Role::Alerts | Role::Slas if compacts => (
                Severity::Wrong,
                "of each lead only the latest record is kept, and others may be gone unread",
                "delete",
            ),
            Role::DeadLetter if compacts => (
                Severity::Stops,
                "a rejected record without a key could not be written, and of each lead only the latest is kept",
                "delete",
            ),
            _ => return,
        };
        let (severity, why, right) = wrong;
        let change = self.change(topic, &format!("cleanup.policy={right}"));
        self.find(severity, topic, format!("has cleanup.policy={policy}: {why}; set it: {change}"));
    }

    /// The command that changes a setting of a topic.
    fn change(&self, topic: &Topic, setting: &str) -> String {
        format!(
            "kafka-configs.sh --bootstrap-server {} --alter --entity-type topics --entity-name {} --add-config {setting}",
            self.settings.kafka.brokers, topic.name
        )
    }

    fn replication(&mut self, topic: &Topic, found: &Found) {
        let Some(least) = found.number("min.insync.replicas") else { return };
        let replicas = found.replicas as f64;
        if least > replicas {
            let change = self.change(topic, &format!("min.insync.replicas={}", (found.replicas - 1).max(1)));
            let message = format!(
                "has min.insync.replicas={least} and {} of each partition, so that nothing can be written; set it: {change}",
                counted(found.replicas, "copy", "copies")
            );
            self.find(Severity::Stops, topic, message);
        } else if least < 2.0 && replicas > 2.0 {
            let change = self.change(topic, "min.insync.replicas=2");
            let message = format!(
                "has min.insync.replicas=1: what one broker alone has taken may be lost with it; set it: {change}"
            );
            self.find(Severity::Advice, topic, message);
        }
    }

    fn changelog(&mut self, topic: &Topic, found: &Found) {
        if let Some(input) = self.input.filter(|input| input.partitions != found.partitions) {
            let message = format!(
                "has {} and the input topic {}: leads would not be found again; if this group has not run yet, delete the \
                 topic and create it anew ({}); if the input has gained partitions, its keys have moved, and it takes a \
                 new topic and a new group: docs/operations.md, \"More partitions\"",
                counted(found.partitions as usize, "partition", "partitions"),
                input.partitions,
                self.settings.command("topics", "--create"),
            );
            self.find(Severity::Stops, topic, message);
        }
        if found.number("max.message.bytes").is_some_and(|bytes| bytes < KAFKA_MAX_MESSAGE_BYTES as f64) {
            let change = self.change(topic, &format!("max.message.bytes={CHANGELOG_MAX_MESSAGE_BYTES}"));
            let message = format!(
                "accepts less than 1 MiB at once, and a lead with much history may be larger; set it: {change}"
            );
            self.find(Severity::Wrong, topic, message);
        }
        if found.number("min.cleanable.dirty.ratio").is_some_and(|ratio| ratio > 0.5) {
            let change = self.change(topic, "min.cleanable.dirty.ratio=0.1");
            let message =
                format!("is compacted late, so that a restart takes longer than it has to; set it: {change}");
            self.find(Severity::Advice, topic, message);
        }
    }

    fn dead_letter(&mut self, topic: &Topic, found: &Found) {
        let of_input = self.input.and_then(|input| input.number("max.message.bytes"));
        let (Some(of_input), Some(own)) = (of_input, found.number("max.message.bytes")) else { return };
        if own < of_input {
            let wanted = of_input as u64 + DEAD_LETTER_HEADERS_BYTES;
            let change = self.change(topic, &format!("max.message.bytes={wanted}"));
            let message = format!(
                "accepts {own} bytes at once and the input topic {of_input}: larger records that are rejected come without \
                 their value; set it: {change}"
            );
            self.find(Severity::Advice, topic, message);
        }
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Creates the topics that are missing and returns them.
///
/// # Errors
/// [`Error::NotCreated`], or the cluster does not answer.
pub fn create(settings: &Settings, topics: &[Topic], how: Creation) -> Result<Vec<String>, Error> {
    let input = topics.iter().find(|topic| topic.role == Role::Input);
    let present = input.and_then(|topic| topic.found.as_ref());
    let Some(partitions) = present.map(|found| found.partitions).or(how.input_partitions) else {
        let name = input.map(|topic| topic.name.clone()).unwrap_or_default();
        let reason = format!(
            "it is the measure of all others; say how many partitions it is to have: {} --partitions 12",
            settings.command("topics", "--create")
        );
        return Err(Error::NotCreated { topic: name, reason });
    };
    let input_bytes = present.and_then(|found| found.number("max.message.bytes")).map(|bytes| bytes as u64);
    let missing: Vec<&Topic> = topics.iter().filter(|topic| topic.found.is_none()).collect();
    let wanted: Vec<Vec<(&str, String)>> = missing
        .iter()
        .map(|topic| wanted(topic.role, input_bytes.unwrap_or(KAFKA_MAX_MESSAGE_BYTES), how))
        .collect();
    let new = missing.iter().zip(&wanted).map(|(topic, wanted)| {
        let replication = TopicReplication::Fixed(how.replicas.unwrap_or(-1));
        let new = NewTopic::new(&topic.name, partitions, replication);
        wanted.iter().fold(new, |new, (name, value)| new.set(name, value))
    });
    let new: Vec<NewTopic> = new.collect();
    let options = AdminOptions::new().operation_timeout(Some(ANSWER_TIMEOUT));
    let unreachable = |reason| Error::Unreachable { brokers: settings.kafka.brokers.clone(), reason };
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let admin = admin(settings)?;
    let answers = wait_for(admin.create_topics(&new, &options)).map_err(unreachable)?;
    let created: Result<Vec<String>, Error> = answers
        .into_iter()
        .map(|answer| answer.map_err(|(topic, code)| Error::NotCreated { topic, reason: code.to_string() }))
        .collect();
    let created = created?;
    for topic in &created {
        wait_until_known(settings, &admin, topic)?;
    }
    Ok(created)
}

/// The brokers learn of a new topic some moments after its creation.
fn wait_until_known(settings: &Settings, admin: &AdminClient<LogContext>, topic: &str) -> Result<(), Error> {
    let deadline = Instant::now() + ANSWER_TIMEOUT;
    while look_up(settings, admin, topic)?.is_none() {
        if Instant::now() > deadline {
            return Err(Error::NoTopic(topic.to_owned()));
        }
        std::thread::sleep(RETRY_PAUSE);
    }
    Ok(())
}

/// The settings with which a topic is created; the cluster's defaults serve for the rest.
fn wanted(role: Role, input_bytes: u64, how: Creation) -> Vec<(&'static str, String)> {
    let mut wanted = match role {
        Role::Input if how.backfill => vec![("retention.ms", "-1".to_owned())],
        Role::Input | Role::Transitions | Role::Alerts | Role::Slas => vec![],
        Role::Scores => vec![("cleanup.policy", "compact".to_owned())],
        Role::DeadLetter => {
            let bytes = input_bytes.max(KAFKA_MAX_MESSAGE_BYTES) + DEAD_LETTER_HEADERS_BYTES;
            vec![("max.message.bytes", bytes.to_string())]
        }
        // Small segments, cleaned soon: a restore reads what is not compacted yet.
        Role::Changelog => vec![
            ("cleanup.policy", "compact".to_owned()),
            ("max.message.bytes", CHANGELOG_MAX_MESSAGE_BYTES.to_string()),
            ("min.cleanable.dirty.ratio", "0.1".to_owned()),
            ("segment.bytes", (64 << 20).to_string()),
            ("segment.ms", "3600000".to_owned()),
        ],
    };
    if how.replicas.is_some_and(|replicas| replicas > 2) {
        wanted.push(("min.insync.replicas", "2".to_owned()));
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let pairs = ["model=m.yaml", "kafka.brokers=b:1", "kafka.group=g"].map(str::to_owned);
        Settings::of_pairs(&pairs).expect("good settings")
    }

    fn topic(role: Role, partitions: i32, replicas: usize, set: &[(&str, &str)]) -> Topic {
        let settings = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let found = Some(Found { partitions, replicas, settings: Some(settings) });
        Topic { role, name: role.name().to_owned(), found }
    }

    fn judged(topics: &[Topic]) -> Vec<(Severity, String)> {
        let found = judge(topics, &settings()).into_iter();
        found.map(|finding| (finding.severity, format!("{} {}", finding.topic, finding.message))).collect()
    }

    #[test]
    fn a_changelog_of_other_partitions_stops_the_daemon() {
        let compact = [("cleanup.policy", "compact")];
        let input = topic(Role::Input, 4, 1, &[("cleanup.policy", "delete")]);
        assert_eq!(judged(&[input.clone(), topic(Role::Changelog, 4, 1, &compact)]), []);
        let found = judged(&[input, topic(Role::Changelog, 3, 1, &compact)]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, Severity::Stops);
        assert!(found[0].1.contains("has 3 partitions and the input topic 4"), "{}", found[0].1);
    }

    #[test]
    fn what_could_be_better_is_advice() {
        let input =
            topic(Role::Input, 1, 3, &[("max.message.bytes", "2000000"), ("min.insync.replicas", "1")]);
        let letters = topic(Role::DeadLetter, 1, 3, &[("max.message.bytes", "1048588")]);
        let changelog = topic(Role::Changelog, 1, 3, &[("min.cleanable.dirty.ratio", "0.9")]);
        let found = judged(&[input, letters, changelog]);
        assert!(found.iter().all(|(severity, _)| *severity == Severity::Advice), "{found:?}");
        for part in ["input has min.insync.replicas=1", "max.message.bytes=2065536", "is compacted late"] {
            assert!(found.iter().any(|(_, message)| message.contains(part)), "{part}: {found:?}");
        }
    }

    #[test]
    fn missing_topics_are_named_together() {
        let mut alerts = topic(Role::Alerts, 1, 1, &[]);
        alerts.found = None;
        let mut slas = topic(Role::Slas, 1, 1, &[]);
        slas.found = None;
        let found = judged(&[topic(Role::Input, 1, 1, &[]), alerts, slas]);
        let expected = "alerts, slas do not exist; create them: qualifyd topics --create".to_owned();
        assert_eq!(found, [(Severity::Stops, expected)]);
    }
}

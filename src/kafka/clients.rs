//! The clients of a worker, each with the properties that it needs. What is set here as a default gives way to the
//! user's own properties.

use super::native::{Consumer, Producer};
use super::{Error, client_config};
use crate::config::{Kafka, Settings};

/// librdkafka waits so long, ms, with a full queue before it fetches again; its own 1,000 is a second of latency.
const FETCH_BACKOFF_MS: &str = "5";
/// How long the transaction of a killed daemon holds up readers, ms, unless a successor of the same name comes earlier.
pub const TRANSACTION_TIMEOUT_MS: u64 = 60_000;
/// A batch of this many bytes at most, unless the topics take less.
const DEFAULT_MESSAGE_MAX_BYTES: usize = 10_000_000;
/// What a batch needs besides its records; the topic's limit is for the whole.
const BATCH_OVERHEAD_BYTES: usize = 128;

const FETCHING: [(&str, &str); 5] = [
    ("fetch.queue.backoff.ms", FETCH_BACKOFF_MS),
    ("fetch.message.max.bytes", "4194304"),
    ("fetch.max.bytes", "16777216"),
    ("queued.max.messages.kbytes", "32768"),
    // A topic that gains partitions is to be noticed soon: keys move.
    ("topic.metadata.refresh.interval.ms", "30000"),
];

/// How often librdkafka tells about itself, ms: for the metrics.
const STATISTICS: (&str, &str) = ("statistics.interval.ms", "5000");

const READING: [(&str, &str); 4] = [
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    // Where to begin is said each time; a client that loses its place must ask, and not begin again by itself.
    ("auto.offset.reset", "error"),
    ("enable.partition.eof", "true"),
];

/// A member of the consumer group that reads the input.
///
/// # Errors
/// The properties do not make a client.
pub fn input(settings: &Settings) -> Result<Consumer, Error> {
    let kafka = &settings.kafka;
    let mut owned = vec![
        ("group.id", kafka.group.as_str()),
        ("isolation.level", "read_committed"),
        ("partition.assignment.strategy", "cooperative-sticky"),
    ];
    owned.extend(READING);
    let defaults = [&FETCHING[..], &[STATISTICS]].concat();
    Consumer::new(&client_config(kafka, &defaults, &owned), &settings.input.topics[0])
        .map_err(Error::NativeClient)
}

/// Asks for the group's committed offsets of the input without being a member.
///
/// # Errors
/// The properties do not make a client.
pub fn offsets(settings: &Settings) -> Result<Consumer, Error> {
    reader(settings, &settings.input.topics[0], "read_committed")
}

/// Reads the changelog: what is committed of it.
///
/// # Errors
/// The properties do not make a client.
pub fn changelog(settings: &Settings) -> Result<Consumer, Error> {
    reader(settings, &settings.kafka.changelog(), "read_committed")
}

/// Asks for the changelog's true end: for a reader of what is committed, librdkafka tells the last stable offset.
///
/// # Errors
/// The properties do not make a client.
pub fn changelog_end(settings: &Settings) -> Result<Consumer, Error> {
    reader(settings, &settings.kafka.changelog(), "read_uncommitted")
}

fn reader(settings: &Settings, topic: &str, isolation: &str) -> Result<Consumer, Error> {
    let kafka = &settings.kafka;
    let mut owned = vec![("group.id", kafka.group.as_str()), ("isolation.level", isolation)];
    owned.extend(READING);
    Consumer::new(&client_config(kafka, &FETCHING, &owned), topic).map_err(Error::NativeClient)
}

/// The producer of a worker, to these topics; transactional if it commits exactly once.
///
/// # Errors
/// The properties do not make a client.
pub fn producer(
    settings: &Settings,
    worker: usize,
    topics: &[&str],
    topics_max_bytes: Option<usize>,
) -> Result<Producer, Error> {
    let kafka = &settings.kafka;
    let id = format!("{}-{}-{worker}", kafka.group, kafka.instance);
    let timeout = TRANSACTION_TIMEOUT_MS.to_string();
    let defaults = [
        ("compression.type", "lz4"),
        ("linger.ms", "5"),
        ("batch.size", "262144"),
        ("batch.num.messages", "100000"),
        ("queue.buffering.max.messages", "1000000"),
        ("transaction.timeout.ms", timeout.as_str()),
        STATISTICS,
    ];
    let max_bytes = message_max_bytes(kafka, topics_max_bytes).to_string();
    let mut owned = vec![
        ("message.max.bytes", max_bytes.as_str()),
        // Java's: equal keys of two topics with equally many partitions stand in partitions of one number.
        ("partitioner", "murmur2_random"),
        ("delivery.report.only.error", "true"),
        ("enable.idempotence", "true"),
    ];
    if settings.commit.exactly_once {
        owned.push(("transactional.id", id.as_str()));
    }
    Producer::new(&client_config(kafka, &defaults, &owned), topics).map_err(Error::NativeClient)
}

/// The limit that keeps both a single record and a batch within what the topics accept.
fn message_max_bytes(kafka: &Kafka, topics_max_bytes: Option<usize>) -> usize {
    let wanted = kafka.properties.get("message.max.bytes").and_then(|value| value.reveal().parse().ok());
    let accepted = topics_max_bytes.map_or(usize::MAX, |bytes| bytes.saturating_sub(BATCH_OVERHEAD_BYTES));
    // librdkafka takes no less than 1,000.
    wanted.unwrap_or(DEFAULT_MESSAGE_MAX_BYTES).min(accepted).max(1_000)
}

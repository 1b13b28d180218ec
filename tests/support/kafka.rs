//! What a test does with a cluster: create topics, send records, read what is committed.

use super::broker;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::{ClientContext, DefaultClientContext};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// For one answer of the cluster.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// A name that no other test, test binary or earlier run on the same cluster uses.
pub fn unique(name: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock after 1970");
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{name}-{}-{}-{number}", now.as_millis(), std::process::id())
}

/// Whether a broker answers at this address.
pub fn has_broker(address: &str, timeout: Duration) -> bool {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("log_level", "0")
        .create()
        .expect("a consumer is created");
    consumer.fetch_metadata(None, timeout).is_ok_and(|metadata| !metadata.brokers().is_empty())
}

/// Creates topics with so many partitions each and these settings.
pub fn create_topics(topics: &[(&str, i32)], settings: &[(&str, &str)]) {
    let admin: AdminClient<DefaultClientContext> =
        client_config().create().expect("an admin client is created");
    let names = topics;
    let topics: Vec<NewTopic> = topics
        .iter()
        .map(|&(name, partitions)| {
            let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1)).set("retention.ms", "-1");
            settings.iter().fold(topic, |topic, &(key, value)| topic.set(key, value))
        })
        .collect();
    let options = AdminOptions::new().operation_timeout(Some(TIMEOUT));
    for created in
        qualifyd::kafka::admin::wait_for(admin.create_topics(&topics, &options)).expect("the cluster answers")
    {
        created.expect("the topic is created");
    }
    // The controller has it; the broker may hear of it a little later.
    let consumer: BaseConsumer = client_config().create().expect("a consumer is created");
    let start = Instant::now();
    while !names.iter().all(|&(name, count)| partition_count(&consumer, name) == count) {
        assert!(start.elapsed() < TIMEOUT, "the topics are there");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Changes a setting of a topic.
pub fn set_topic(topic: &str, key: &str, value: &str) {
    let admin: AdminClient<DefaultClientContext> =
        client_config().create().expect("an admin client is created");
    let change = AlterConfig::new(ResourceSpecifier::Topic(topic)).set(key, value).set("retention.ms", "-1");
    let altered = qualifyd::kafka::admin::wait_for(admin.alter_configs([&change], &AdminOptions::new()));
    altered.expect("the cluster answers").pop().expect("one answer").expect("the setting is changed");
}

/// A record to send or one that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub partition: i32,
    pub offset: i64,
    pub timestamp_ms: Option<i64>,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Record {
    /// The last header of this name, as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().rev().find(|(header, _)| header == name)?;
        value.as_deref().map(|value| std::str::from_utf8(value).expect("the header is text"))
    }
}

/// Sends records, each to its `partition`, in order; their offsets are not looked at.
pub fn send(topic: &str, records: &[Record]) {
    let producer: BaseProducer<Deliveries> = client_config()
        .set("enable.idempotence", "true")
        .set("message.max.bytes", "10000000")
        .create_with_context(Deliveries::default())
        .expect("a producer is created");
    for record in records {
        let headers = record.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: value.as_ref() })
        });
        let mut message: BaseRecord<'_, Vec<u8>, Vec<u8>> =
            BaseRecord::to(topic).partition(record.partition).headers(headers);
        message.key = record.key.as_ref();
        message.payload = record.value.as_ref();
        message.timestamp = record.timestamp_ms;
        while let Err((error, again)) = producer.send(message) {
            let full = KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
            assert_eq!(error, full, "the record is accepted");
            producer.poll(Duration::from_millis(10));
            message = again;
        }
    }
    producer.flush(TIMEOUT).expect("the records are sent");
    let failures = &producer.client().context().failures;
    assert_eq!(*failures.lock().expect("no test panics inside"), [], "the broker takes every record");
}

/// Why the broker did not take records.
#[derive(Default)]
struct Deliveries {
    failures: Mutex<Vec<KafkaError>>,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            self.failures.lock().expect("no test panics inside").push(error.clone());
        }
    }
}

/// Every committed record of a topic up to its present end, by partition and offset.
pub fn read_committed(topic: &str) -> Vec<Record> {
    let consumer: BaseConsumer = client_config()
        .set("group.id", "unused")
        .set("isolation.level", "read_committed")
        .set("enable.partition.eof", "true")
        .set("enable.auto.commit", "false")
        .set("fetch.wait.max.ms", "20")
        .create()
        .expect("a consumer is created");
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT).expect("metadata");
    let mut assignment = TopicPartitionList::new();
    for partition in metadata.topics()[0].partitions() {
        assignment
            .add_partition_offset(topic, partition.id(), Offset::Beginning)
            .expect("an offset is accepted");
    }
    consumer.assign(&assignment).expect("the partitions are assigned");

    let mut records = Vec::new();
    let mut open = assignment.count();
    while open > 0 {
        match consumer.poll(TIMEOUT).expect("the cluster answers in time") {
            Ok(message) => records.push(received(&message)),
            Err(KafkaError::PartitionEOF(_)) => open -= 1,
            Err(error) => panic!("reading {topic}: {error}"),
        }
    }
    records.sort_by_key(|record| (record.partition, record.offset));
    records
}

fn received(message: &impl Message) -> Record {
    let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
    Record {
        partition: message.partition(),
        offset: message.offset(),
        timestamp_ms: message.timestamp().to_millis(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers.map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect(),
    }
}

/// The offsets that a group has committed in a topic, by partition; `None`: it has none there.
pub fn committed_offsets(group: &str, topic: &str) -> Vec<Option<i64>> {
    let consumer: BaseConsumer = client_config()
        .set("group.id", group)
        // It would wait for the transaction of a daemon that was killed.
        .set("isolation.level", "read_uncommitted")
        .create()
        .expect("a consumer is created");
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition_range(topic, 0, partition_count(&consumer, topic) - 1);
    let start = Instant::now();
    let committed = loop {
        match consumer.committed_offsets(partitions.clone(), TIMEOUT) {
            // A young cluster may still be choosing the group's coordinator.
            Err(_) if start.elapsed() < TIMEOUT => std::thread::sleep(Duration::from_millis(50)),
            answer => break answer.expect("committed offsets"),
        }
    };
    let offset = |offset| if let Offset::Offset(offset) = offset { Some(offset) } else { None };
    committed.elements().iter().map(|element| offset(element.offset())).collect()
}

/// The offsets after the last records of a topic, by partition, as a group commits them; `None`: there is no record.
pub fn end_offsets(topic: &str) -> Vec<Option<i64>> {
    let consumer: BaseConsumer = client_config().create().expect("a consumer is created");
    let end = |partition| consumer.fetch_watermarks(topic, partition, TIMEOUT).expect("watermarks").1;
    (0..partition_count(&consumer, topic))
        .map(|partition| Some(end(partition)).filter(|&end| end > 0))
        .collect()
}

/// How many members a group has, once they agree on who reads what.
pub fn settled_members(group: &str) -> Option<usize> {
    let consumer: BaseConsumer = client_config().create().expect("a consumer is created");
    let groups = consumer.fetch_group_list(Some(group), TIMEOUT).ok()?;
    let group = groups.groups().iter().find(|found| found.name() == group && found.state() == "Stable")?;
    Some(group.members().len())
}

fn partition_count(consumer: &BaseConsumer, topic: &str) -> i32 {
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT).expect("metadata");
    metadata.topics()[0].partitions().len() as i32
}

fn client_config() -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker::brokers());
    config
}

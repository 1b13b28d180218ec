//! Sends generated events to a topic, as trackers do: no transaction, keyed by lead.

use super::{ANSWER_TIMEOUT, Error, LogContext, RETRY_PAUSE, client_config};
use crate::config::Kafka;
use crate::generate::Event;
use crate::shared::lock;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A topic that was just created may not be known yet.
const YOUNG_TOPIC_TIMEOUT: Duration = Duration::from_secs(3);
const QUEUE_FULL_PAUSE: Duration = Duration::from_millis(5);

/// A producer of events.
pub struct Feed {
    producer: BaseProducer<Deliveries>,
    topic: String,
}

impl Feed {
    /// Creates the producer for a topic that exists.
    ///
    /// # Errors
    /// The properties do not make a client, the cluster does not answer, or it has no such topic.
    pub fn new(kafka: &Kafka, topic: &str) -> Result<Feed, Error> {
        let defaults = [("compression.type", "lz4"), ("linger.ms", "5")];
        let owned = [("partitioner", "murmur2_random"), ("enable.idempotence", "true")];
        let producer: BaseProducer<Deliveries> = client_config(kafka, &defaults, &owned)
            .create_with_context(Deliveries::default())
            .map_err(Error::Client)?;
        let unreachable = |reason| Error::Unreachable { brokers: kafka.brokers.clone(), reason };
        let deadline = Instant::now() + YOUNG_TOPIC_TIMEOUT;
        loop {
            let metadata =
                producer.client().fetch_metadata(Some(topic), ANSWER_TIMEOUT).map_err(unreachable)?;
            if metadata.topics().iter().any(|found| !found.partitions().is_empty()) {
                break;
            }
            if Instant::now() > deadline {
                return Err(Error::NoTopic(topic.to_owned()));
            }
            std::thread::sleep(RETRY_PAUSE);
        }
        Ok(Feed { producer, topic: topic.to_owned() })
    }

    /// Queues an event with its time of arrival as timestamp; waits while the queue is full.
    ///
    /// # Errors
    /// librdkafka does not take it, or the cluster did not take an earlier one.
    pub fn send(&self, event: &Event) -> Result<(), Error> {
        let mut record =
            BaseRecord::to(&self.topic).key(&event.key).payload(&event.value).timestamp(event.arrives_ms);
        while let Err((error, returned)) = self.producer.send(record) {
            match error {
                KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) => {
                    self.producer.poll(QUEUE_FULL_PAUSE);
                    record = returned;
                }
                error => return Err(self.not_sent(error)),
            }
        }
        self.producer.poll(Duration::ZERO);
        self.check()
    }

    /// Waits until the cluster has everything.
    ///
    /// # Errors
    /// It did not take all of it.
    pub fn finish(&self) -> Result<(), Error> {
        self.producer.flush(ANSWER_TIMEOUT).map_err(|error| self.not_sent(error))?;
        self.check()
    }

    fn check(&self) -> Result<(), Error> {
        let failure = &self.producer.client().context().failure;
        match lock(failure).take() {
            Some(error) => Err(self.not_sent(error)),
            None => Ok(()),
        }
    }

    fn not_sent(&self, reason: KafkaError) -> Error {
        Error::NotSent { topic: self.topic.clone(), reason }
    }
}

/// Keeps the first reason why the cluster did not take an event.
#[derive(Default)]
pub(super) struct Deliveries {
    failure: Mutex<Option<KafkaError>>,
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        LogContext.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        LogContext.error(error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            let mut failure = lock(&self.failure);
            failure.get_or_insert_with(|| error.clone());
        }
    }
}

//! Reads committed records of topics outside of any group's assignment: by offsets, as they come or up to an end.

use super::{ANSWER_TIMEOUT, Error, LogContext, RETRY_PAUSE, client_config};
use crate::config::Kafka;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Offset, TopicPartitionList};
use std::ops::Range;
use std::time::{Duration, Instant};

impl ConsumerContext for LogContext {}

/// What came.
pub enum Read<'a> {
    Record(BorrowedMessage<'a>),
    /// This partition is read to its present end.
    End(i32),
    /// Nothing within the time.
    Nothing,
}

/// A reader.
pub struct Reader {
    client: BaseConsumer<LogContext>,
    brokers: String,
}

impl Reader {
    /// Creates a reader; `group` is the one whose committed offsets it asks for.
    ///
    /// # Errors
    /// The properties do not make a client.
    pub fn new(kafka: &Kafka, group: &str) -> Result<Reader, Error> {
        let defaults = [("fetch.wait.max.ms", "50")];
        let owned = [
            ("group.id", group),
            ("isolation.level", "read_committed"),
            ("enable.auto.commit", "false"),
            ("enable.partition.eof", "true"),
            ("auto.offset.reset", "earliest"),
        ];
        let client = client_config(kafka, &defaults, &owned).create_with_context(LogContext);
        Ok(Reader { client: client.map_err(Error::Client)?, brokers: kafka.brokers.clone() })
    }

    /// The client itself.
    pub(super) fn client(&self) -> &BaseConsumer<LogContext> {
        &self.client
    }

    /// The offsets that are kept of each partition: of the first record, and after the last committed one.
    ///
    /// # Errors
    /// The cluster does not answer, or has no such topic.
    pub fn offsets(&self, topic: &str) -> Result<Vec<Range<i64>>, Error> {
        let unreachable = |reason| Error::Unreachable { brokers: self.brokers.clone(), reason };
        let metadata = self.client.fetch_metadata(Some(topic), ANSWER_TIMEOUT).map_err(unreachable)?;
        let partitions = metadata.topics().iter().find(|found| found.name() == topic);
        let partitions = partitions.map_or(0, |found| found.partitions().len() as i32);
        if partitions == 0 {
            return Err(Error::NoTopic(topic.to_owned()));
        }
        let deadline = Instant::now() + ANSWER_TIMEOUT;
        let watermarks = |partition| loop {
            match self.client.fetch_watermarks(topic, partition, ANSWER_TIMEOUT) {
                Ok((low, high)) => return Ok(low..high),
                // A topic that was just created, or a broker that has just gone.
                Err(error) if may_pass(&error) && Instant::now() < deadline => {
                    std::thread::sleep(RETRY_PAUSE)
                }
                Err(error) => return Err(unreachable(error)),
            }
        };
        (0..partitions).map(watermarks).collect()
    }

    /// Begins to read at these offsets.
    ///
    /// # Errors
    /// librdkafka refuses.
    pub fn begin(&self, from: &[(&str, i32, i64)]) -> Result<(), Error> {
        let mut list = TopicPartitionList::new();
        for &(topic, partition, offset) in from {
            list.add_partition_offset(topic, partition, Offset::Offset(offset)).map_err(Error::Reading)?;
        }
        self.client.assign(&list).map_err(Error::Reading)
    }

    /// The next record, if one comes within the time.
    ///
    /// # Errors
    /// What librdkafka does not recover from by itself.
    pub fn next(&self, timeout: Duration) -> Result<Read<'_>, Error> {
        match self.client.poll(timeout) {
            Some(Ok(message)) => Ok(Read::Record(message)),
            Some(Err(KafkaError::PartitionEOF(partition))) => Ok(Read::End(partition)),
            Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => Err(Error::Reading(error)),
            // The client's context has logged it.
            Some(Err(_)) | None => Ok(Read::Nothing),
        }
    }
}

fn may_pass(error: &KafkaError) -> bool {
    let code = error.rdkafka_error_code();
    matches!(
        code,
        Some(
            RDKafkaErrorCode::NotLeaderForPartition
                | RDKafkaErrorCode::LeaderNotAvailable
                | RDKafkaErrorCode::UnknownTopicOrPartition
        )
    )
}

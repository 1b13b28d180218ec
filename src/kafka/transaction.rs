//! Records and input offsets that become visible together or not at all.

use super::{ANSWER_TIMEOUT, Error, LogContext, RETRY_PAUSE, client_config};
use crate::config::Kafka;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext, PurgeConfig};
use std::time::{Duration, Instant};

/// How long readers of committed records wait at most for a process that died inside a transaction, in ms. A
/// successor of the same name ends its transaction at once.
const TRANSACTION_TIMEOUT_MS: u64 = 60_000;
/// librdkafka's own limit of a message.
const DEFAULT_MESSAGE_MAX_BYTES: usize = 1_000_000;
/// What a batch needs besides its records; the topic's limit is for the whole.
const BATCH_OVERHEAD_BYTES: usize = 128;
/// One step of waiting for acknowledgements. The client looks whether all are there once per step only.
const FLUSH_STEP: Duration = Duration::from_millis(1);

/// A record to send.
#[derive(Debug)]
pub struct Outgoing<'a> {
    pub topic: &'a str,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: OwnedHeaders,
}

/// Why a record was not taken.
#[derive(Debug)]
pub enum Refused {
    /// It is larger than the topics accept.
    TooLarge,
    Failed(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        Refused::Failed(error)
    }
}

/// The transactional producer of one worker. A transaction begins with its first record or with its commit.
pub struct Transaction {
    producer: BaseProducer<LogContext>,
    open: bool,
}

impl Transaction {
    /// Creates the producer and ends what a predecessor of the same name left open.
    ///
    /// # Errors
    /// The properties do not make a client, or the cluster does not answer.
    pub fn new(kafka: &Kafka, worker: usize, topics_max_bytes: Option<usize>) -> Result<Transaction, Error> {
        let id = format!("{}-{}-{worker}", kafka.group, kafka.instance);
        let timeout = TRANSACTION_TIMEOUT_MS.to_string();
        let defaults = [("compression.type", "lz4"), ("transaction.timeout.ms", timeout.as_str())];
        let max_bytes = message_max_bytes(kafka, topics_max_bytes).to_string();
        let owned = [
            ("transactional.id", id.as_str()),
            ("message.max.bytes", max_bytes.as_str()),
            // Java's: equal keys of two topics with equally many partitions stand in partitions of one number.
            ("partitioner", "murmur2_random"),
            ("delivery.report.only.error", "true"),
        ];
        let config = client_config(kafka, &defaults, &owned);
        let producer: BaseProducer<LogContext> =
            config.create_with_context(LogContext).map_err(Error::Client)?;
        producer
            .init_transactions(ANSWER_TIMEOUT)
            .map_err(|reason| Error::Unreachable { brokers: kafka.brokers.clone(), reason })?;
        Ok(Transaction { producer, open: false })
    }

    /// Queues a record; nobody waits for its own acknowledgement, the commit covers it.
    ///
    /// # Errors
    /// [`Refused::TooLarge`] leaves the transaction as it was; after any other it has to be aborted.
    pub fn send(&mut self, record: Outgoing<'_>) -> Result<(), Refused> {
        self.begin()?;
        let mut message = BaseRecord::<[u8], [u8]>::to(record.topic).headers(record.headers);
        message.key = record.key;
        message.payload = record.value;
        while let Err((error, returned)) = self.producer.send(message) {
            match error {
                KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) => {
                    self.producer.poll(FLUSH_STEP);
                    message = returned;
                }
                KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge) => {
                    return Err(Refused::TooLarge);
                }
                error => return Err(Refused::Failed(Error::Aborted(error))),
            }
        }
        Ok(())
    }

    /// Commits what was sent together with the offsets at which the input goes on.
    ///
    /// # Errors
    /// [`Error::Aborted`]: nothing of the transaction took place. [`Error::Fatal`]: whether it did is not known.
    pub fn commit(
        &mut self,
        offsets: &TopicPartitionList,
        group: &ConsumerGroupMetadata,
    ) -> Result<(), Error> {
        self.begin()?;
        let deadline = Instant::now() + Duration::from_millis(TRANSACTION_TIMEOUT_MS);
        let committed =
            insist(deadline, |left| self.producer.send_offsets_to_transaction(offsets, group, left))
                .and_then(|()| self.flush(deadline))
                .and_then(|()| insist(deadline, |left| self.producer.commit_transaction(left)));
        match committed {
            Ok(()) => {
                self.open = false;
                Ok(())
            }
            Err(error @ Error::Aborted(_)) => {
                self.abort()?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Takes back what was sent since the last commit.
    ///
    /// # Errors
    /// [`Error::Fatal`].
    pub fn abort(&mut self) -> Result<(), Error> {
        if std::mem::take(&mut self.open) {
            let deadline = Instant::now() + Duration::from_millis(TRANSACTION_TIMEOUT_MS);
            // librdkafka waits for the fate of every record, and this thread has to take the reports itself.
            self.producer.purge(PurgeConfig::default().queue().inflight());
            self.flush(deadline)?;
            insist(deadline, |left| self.producer.abort_transaction(left))?;
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<(), Error> {
        if !self.open {
            self.producer.begin_transaction().map_err(classify)?;
            self.open = true;
        }
        Ok(())
    }

    /// Waits until every record is acknowledged. The client's own commit would do it in steps of 100 ms.
    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        loop {
            match self.producer.flush(FLUSH_STEP) {
                Ok(()) => return Ok(()),
                Err(KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut)) if Instant::now() < deadline => {}
                Err(error) => return Err(Error::Aborted(error)),
            }
        }
    }
}

/// The limit that keeps both a single record and a batch within what the topics accept.
fn message_max_bytes(kafka: &Kafka, topics_max_bytes: Option<usize>) -> usize {
    let wanted = kafka.properties.get("message.max.bytes").and_then(|value| value.reveal().parse().ok());
    let accepted = topics_max_bytes.map_or(usize::MAX, |bytes| bytes.saturating_sub(BATCH_OVERHEAD_BYTES));
    // librdkafka takes no less than 1,000.
    wanted.unwrap_or(DEFAULT_MESSAGE_MAX_BYTES).min(accepted).max(1_000)
}

/// Repeats an operation as long as librdkafka says that this may help.
fn insist(deadline: Instant, operation: impl Fn(Duration) -> Result<(), KafkaError>) -> Result<(), Error> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match operation(left) {
            Ok(()) => return Ok(()),
            Err(KafkaError::Transaction(error)) if error.is_retriable() && !left.is_zero() => {
                tracing::debug!(%error, "the transaction's step is tried again");
                std::thread::sleep(RETRY_PAUSE);
            }
            Err(error) => return Err(classify(error)),
        }
    }
}

fn classify(error: KafkaError) -> Error {
    match &error {
        KafkaError::Transaction(reason) if reason.txn_requires_abort() => Error::Aborted(error),
        _ => Error::Fatal(error),
    }
}

impl ProducerContext for LogContext {
    type DeliveryOpaque = ();

    /// Hears of records that the broker did not take; the commit then fails too.
    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, record)) = result {
            tracing::error!(%error, topic = record.topic(), "a record was not taken by the broker");
        }
    }
}

/// Headers of a record, in this order.
pub fn headers<'a>(headers: impl IntoIterator<Item = (&'a str, Option<&'a [u8]>)>) -> OwnedHeaders {
    headers.into_iter().fold(OwnedHeaders::new(), |all, (key, value)| all.insert(Header { key, value }))
}

//! The consumer of one worker. librdkafka tells of a new assignment inside `poll`; this hands it to the worker, which
//! answers when it has done what has to be done first.

use super::{ANSWER_TIMEOUT, Error, LogContext, RETRY_PAUSE, client_config};
use crate::config::Kafka;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{
    BaseConsumer, Consumer as _, ConsumerContext, ConsumerGroupMetadata, RebalanceProtocol,
};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What `poll` found.
pub enum Polled<'a> {
    Record(BorrowedMessage<'a>),
    /// These partitions are to be read from now on; answer with [`Consumer::assign`].
    Assigned(TopicPartitionList),
    /// These partitions are to be given up; answer with [`Consumer::unassign`].
    Revoked(TopicPartitionList),
    /// Nothing within the time.
    Nothing,
}

/// A member of the consumer group.
pub struct Consumer {
    client: BaseConsumer<GroupContext>,
}

impl Consumer {
    /// Creates the consumer; it joins the group with [`Consumer::subscribe`].
    ///
    /// # Errors
    /// The properties do not make a client.
    pub fn new(kafka: &Kafka) -> Result<Consumer, Error> {
        let defaults = [("partition.assignment.strategy", "cooperative-sticky")];
        let owned = [
            ("group.id", kafka.group.as_str()),
            ("isolation.level", "read_committed"),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "earliest"),
        ];
        let config = client_config(kafka, &defaults, &owned);
        Ok(Consumer { client: config.create_with_context(GroupContext::default()).map_err(Error::Client)? })
    }

    /// Joins the group.
    ///
    /// # Errors
    /// librdkafka refuses the topics.
    pub fn subscribe(&self, topics: &[String]) -> Result<(), Error> {
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        self.client.subscribe(&topics).map_err(Error::Consumer)
    }

    /// Waits for the next record or a change of the assignment.
    ///
    /// # Errors
    /// What librdkafka does not recover from by itself.
    pub fn poll(&self, timeout: Duration) -> Result<Polled<'_>, Error> {
        match self.client.poll(timeout) {
            Some(Ok(record)) => Ok(Polled::Record(record)),
            Some(Err(error)) if is_fatal(&error) => Err(Error::Consumer(error)),
            // The client's context has logged it.
            Some(Err(_)) => Ok(Polled::Nothing),
            // A change of the assignment ends the poll that finds it.
            None => Ok(match self.client.context().next_change() {
                Some((Change::Assigned, partitions)) => Polled::Assigned(partitions),
                Some((Change::Revoked, partitions)) => Polled::Revoked(partitions),
                None => Polled::Nothing,
            }),
        }
    }

    /// Begins to read partitions, from their committed offsets or else from the beginning.
    ///
    /// # Errors
    /// librdkafka refuses.
    pub fn assign(&self, partitions: &TopicPartitionList) -> Result<(), Error> {
        match self.client.rebalance_protocol() {
            RebalanceProtocol::Cooperative => self.client.incremental_assign(partitions),
            _ => self.client.assign(partitions),
        }
        .map_err(Error::Consumer)
    }

    /// Gives partitions up.
    ///
    /// # Errors
    /// librdkafka refuses.
    pub fn unassign(&self, partitions: &TopicPartitionList) -> Result<(), Error> {
        unassign(&self.client, partitions).map_err(Error::Consumer)
    }

    /// Whether the partitions of the last revocation are another member's already.
    pub fn assignment_lost(&self) -> bool {
        self.client.assignment_lost()
    }

    /// The partitions among these in which the group has committed an offset.
    ///
    /// # Errors
    /// The group's coordinator does not answer.
    pub fn committed(&self, partitions: TopicPartitionList) -> Result<Vec<(String, i32)>, Error> {
        let committed = self.ask_committed(partitions)?;
        let mut found = Vec::new();
        for element in committed.elements() {
            element.error().map_err(Error::Consumer)?;
            if matches!(element.offset(), Offset::Offset(_)) {
                found.push((element.topic().to_owned(), element.partition()));
            }
        }
        Ok(found)
    }

    /// Asks until the group's coordinator is at work: a cluster may choose it at this question.
    fn ask_committed(&self, partitions: TopicPartitionList) -> Result<TopicPartitionList, Error> {
        let deadline = Instant::now() + ANSWER_TIMEOUT;
        loop {
            match self.client.committed_offsets(partitions.clone(), ANSWER_TIMEOUT) {
                Err(KafkaError::MetadataFetch(
                    RDKafkaErrorCode::NotCoordinator
                    | RDKafkaErrorCode::CoordinatorNotAvailable
                    | RDKafkaErrorCode::CoordinatorLoadInProgress,
                )) if Instant::now() < deadline => std::thread::sleep(RETRY_PAUSE),
                answer => return answer.map_err(Error::Consumer),
            }
        }
    }

    /// The membership with which a transaction commits offsets: the broker refuses those of a former generation.
    pub fn group_metadata(&self) -> ConsumerGroupMetadata {
        self.client.group_metadata().expect("the consumer was created with a group.id")
    }
}

impl Drop for Consumer {
    /// Leaves the group; from here on nobody asks the worker about its partitions.
    fn drop(&mut self) {
        self.client.context().leaving.store(true, Ordering::Release);
        if let Ok(assigned) = self.client.assignment() {
            // A revocation that the worker was told of and did not answer would hold up the farewell.
            let unanswered = unassign(&self.client, &assigned);
            tracing::debug!(answer = ?unanswered, "leaving the consumer group");
        }
    }
}

fn unassign(client: &BaseConsumer<GroupContext>, partitions: &TopicPartitionList) -> Result<(), KafkaError> {
    match client.rebalance_protocol() {
        RebalanceProtocol::Cooperative => client.incremental_unassign(partitions),
        _ => client.unassign(),
    }
}

fn is_fatal(error: &KafkaError) -> bool {
    match error {
        KafkaError::MessageConsumptionFatal(_) => true,
        KafkaError::MessageConsumption(code) => matches!(
            code,
            RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::UnknownTopicOrPartition
        ),
        _ => false,
    }
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Assigned,
    Revoked,
}

/// Notes changes of the assignment for the worker.
#[derive(Default)]
struct GroupContext {
    changes: Mutex<VecDeque<(Change, TopicPartitionList)>>,
    leaving: AtomicBool,
}

impl GroupContext {
    fn next_change(&self) -> Option<(Change, TopicPartitionList)> {
        self.changes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop_front()
    }
}

impl ClientContext for GroupContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        LogContext.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        LogContext.error(error, reason);
    }
}

impl ConsumerContext for GroupContext {
    fn rebalance(
        &self,
        client: &BaseConsumer<Self>,
        event: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        if self.leaving.load(Ordering::Acquire) {
            if let Err(error) = unassign(client, partitions) {
                tracing::warn!(%error, "partitions were not given up in good order");
            }
            return;
        }
        let change = match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Change::Assigned,
            _ => Change::Revoked,
        };
        let mut changes = self.changes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        changes.push_back((change, partitions.clone()));
    }
}

//! Everything that touches librdkafka: clients, transactions, topics.

pub mod admin;
pub mod consumer;
pub mod feed;
pub mod properties;
pub mod topics;
pub mod transaction;

use crate::config::Kafka;
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::KafkaError;
use std::time::Duration;

/// For one answer of the cluster while the daemon starts.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Before something is tried again that may go well by itself.
const RETRY_PAUSE: Duration = Duration::from_millis(20);

/// What stops the daemon on the side of Kafka.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("a Kafka client could not be created: {0}; check kafka.properties")]
    Client(KafkaError),
    #[error(
        "the cluster at {brokers} does not answer ({reason}); check kafka.brokers, the network and the security properties in kafka.properties"
    )]
    Unreachable { brokers: String, reason: KafkaError },
    #[error("the topics are not as the daemon needs them\n{}", .0.join("\n"))]
    Topics(Vec<String>),
    #[error("the topic {topic} was not created: {reason}")]
    NotCreated { topic: String, reason: String },
    #[error("the topic {0} does not exist; create it, or correct its name")]
    NoTopic(String),
    #[error("an event was not taken by the topic {topic}: {reason}")]
    NotSent { topic: String, reason: KafkaError },
    #[error("the consumer group could not be followed: {0}")]
    Consumer(KafkaError),
    #[error("the transaction was given up, and nothing of it is visible to readers: {0}")]
    Aborted(KafkaError),
    #[error(
        "the transactional producer can no longer be used: {0}; another process may run with the same kafka.group and kafka.instance"
    )]
    Fatal(KafkaError),
}

/// A client of the cluster with the user's properties and these of the daemon's: those in `defaults` give way to the
/// user's, those in `owned` do not.
fn client_config(kafka: &Kafka, defaults: &[(&str, &str)], owned: &[(&str, &str)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    defaults.iter().for_each(|(name, value)| {
        config.set(*name, *value);
    });
    kafka.properties.iter().for_each(|(name, value)| {
        config.set(name, value.reveal());
    });
    owned.iter().for_each(|(name, value)| {
        config.set(*name, *value);
    });
    config.set("bootstrap.servers", &kafka.brokers);
    config
}

/// Hands librdkafka's log lines and errors to the daemon's log.
struct LogContext;

impl ClientContext for LogContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // Every client gets all of the user's properties; that some are for another kind of client is no news.
        if facility == "CONFWARN" {
            tracing::debug!(facility, message, "librdkafka");
            return;
        }
        match level {
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error => tracing::error!(facility, message, "librdkafka"),
            RDKafkaLogLevel::Warning => tracing::warn!(facility, message, "librdkafka"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
                tracing::info!(facility, message, "librdkafka")
            }
            RDKafkaLogLevel::Debug => tracing::debug!(facility, message, "librdkafka"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "the cluster is in trouble; librdkafka tries again by itself");
    }
}

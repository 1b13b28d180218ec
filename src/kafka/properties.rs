//! librdkafka properties that users may set, and those that the daemon owns.

use crate::config::Guarded;
use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;

/// Why a property belongs to the daemon; `None`: users may set it.
pub fn owned(name: &str) -> Option<&'static str> {
    Some(match name {
        "bootstrap.servers" | "metadata.broker.list" => "the brokers stand in kafka.brokers",
        "group.id" => "the consumer group stands in kafka.group",
        "group.instance.id" | "transactional.id" => {
            "the daemon derives it from kafka.group and kafka.instance, one for each worker"
        }
        "enable.idempotence" | "acks" | "request.required.acks" | "enable.gapless.guarantee" => {
            "exactly once depends on it"
        }
        "isolation.level" => {
            "the daemon reads only what is committed, else it would count what was taken back"
        }
        "enable.auto.commit"
        | "auto.commit.enable"
        | "auto.commit.interval.ms"
        | "enable.auto.offset.store" => "the daemon commits offsets together with its records",
        "auto.offset.reset" => {
            "the daemon starts a new group at the beginning; anything else would skip events"
        }
        "partition.assignment.strategy" | "group.protocol" => {
            "partitions move one by one, with their leads, while the others are worked on"
        }
        "partitioner" => "records of one lead have to share a partition number, as Java clients choose it",
        "enable.partition.eof" | "delivery.report.only.error" => "the daemon depends on it",
        _ => return None,
    })
}

/// Asks librdkafka whether it knows the property and takes the value.
///
/// # Errors
/// A sentence for the reader of the settings; without the value if it is a secret.
pub fn check(name: &str, value: &Guarded) -> Result<(), String> {
    let Err(error) = ClientConfig::new().set(name, value.reveal()).create_native_config() else {
        return Ok(());
    };
    match error {
        KafkaError::ClientConfig(_, description, ..) if description.starts_with("No such") => {
            Err("is not a librdkafka property; correct its name or remove it".into())
        }
        KafkaError::ClientConfig(_, description, ..) if !value.is_secret() => {
            Err(format!("is not accepted by librdkafka: {description}"))
        }
        _ => Err("is not accepted by librdkafka; correct the value".into()),
    }
}

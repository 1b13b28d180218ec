//! What the daemon asks about topics before it starts.

use super::{ANSWER_TIMEOUT, Error, LogContext, client_config};
use crate::config::Settings;
use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

/// What the daemon has to know about its topics.
#[derive(Debug)]
pub struct Topics {
    /// Partitions of each input topic.
    pub input_partitions: Vec<(String, i32)>,
    /// Bytes of a batch that every output topic accepts, if the cluster tells.
    pub max_message_bytes: Option<usize>,
}

/// Looks the topics of the settings up.
///
/// # Errors
/// The cluster does not answer, or topics are missing.
pub fn describe_topics(settings: &Settings) -> Result<Topics, Error> {
    let admin: AdminClient<LogContext> =
        client_config(&settings.kafka, &[], &[]).create_with_context(LogContext).map_err(Error::Client)?;
    // One question for all topics would need the right to list them; one for each is answered in any case.
    let partitions = |topic: &str| -> Result<i32, Error> {
        let unreachable = |reason| Error::Unreachable { brokers: settings.kafka.brokers.clone(), reason };
        let metadata = admin.inner().fetch_metadata(Some(topic), ANSWER_TIMEOUT).map_err(unreachable)?;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        match found.and_then(|found| found.error()).map(RDKafkaErrorCode::from) {
            None => Ok(found.map_or(0, |found| found.partitions().len() as i32)),
            Some(RDKafkaErrorCode::UnknownTopicOrPartition) => Ok(0),
            Some(code) => Err(unreachable(KafkaError::MetadataFetch(code))),
        }
    };
    let mut missing = Vec::new();
    let mut input_partitions = Vec::new();
    for topic in &settings.input.topics {
        match partitions(topic)? {
            0 => missing.push(topic.clone()),
            count => input_partitions.push((topic.clone(), count)),
        }
    }
    let outputs = settings.output.named().map(|(_, topic)| topic);
    for topic in outputs {
        if partitions(topic)? == 0 {
            missing.push(topic.to_owned());
        }
    }
    if !missing.is_empty() {
        return Err(Error::MissingTopics(missing));
    }
    Ok(Topics { input_partitions, max_message_bytes: max_message_bytes(&admin, &outputs) })
}

/// The least `max.message.bytes` of these topics; `None` if the cluster does not tell, which takes a right of its own.
fn max_message_bytes(admin: &AdminClient<LogContext>, topics: &[&str]) -> Option<usize> {
    let resources: Vec<_> = topics.iter().map(|topic| ResourceSpecifier::Topic(topic)).collect();
    let options = AdminOptions::new().request_timeout(Some(ANSWER_TIMEOUT));
    let described = wait_for(admin.describe_configs(&resources, &options)).ok()?;
    let limits = described.iter().map(|resource| {
        let resource = resource.as_ref().ok()?;
        let entry = resource.entries.iter().find(|entry| entry.name == "max.message.bytes")?;
        entry.value.as_deref()?.parse().ok()
    });
    limits.min().flatten()
}

/// Runs a future of the admin client on this thread.
pub fn wait_for<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

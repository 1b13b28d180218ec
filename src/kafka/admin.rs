//! What the daemon asks about its topics before it starts.

use super::Error;
use super::topics::{self, Role, Severity};
use crate::config::Settings;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

/// What the daemon has to know about its topics.
#[derive(Debug)]
pub struct Topics {
    /// Partitions of each input topic.
    pub input_partitions: Vec<(String, i32)>,
    /// Bytes of a batch that every topic that is written to accepts, if the cluster tells.
    pub max_message_bytes: Option<usize>,
}

/// Looks the topics of the settings up; what is wrong with them, and does no harm to the leads, is logged.
///
/// # Errors
/// The cluster does not answer, or topics are missing or would lose leads.
pub fn describe_topics(settings: &Settings) -> Result<Topics, Error> {
    let topics = topics::inspect(settings)?;
    let mut stops = Vec::new();
    for finding in topics::judge(&topics, settings) {
        match finding.severity {
            Severity::Stops => stops.push(format!("  {} {}", finding.topic, finding.message)),
            Severity::Wrong => tracing::warn!(topic = finding.topic, "the topic {}", finding.message),
            Severity::Advice => tracing::debug!(topic = finding.topic, "the topic {}", finding.message),
        }
    }
    if !stops.is_empty() {
        return Err(Error::Topics(stops));
    }
    let mut answer = Topics { input_partitions: Vec::new(), max_message_bytes: None };
    for topic in topics {
        let Some(found) = topic.found else { continue };
        if topic.role == Role::Input {
            answer.input_partitions.push((topic.name, found.partitions));
            continue;
        }
        let bytes = found.setting("max.message.bytes").and_then(|bytes| bytes.parse().ok());
        answer.max_message_bytes = answer.max_message_bytes.into_iter().chain(bytes).min();
    }
    Ok(answer)
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

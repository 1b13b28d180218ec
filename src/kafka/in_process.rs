//! A Kafka cluster inside this process, for demonstrations: librdkafka's mock broker. It keeps the last 5 MiB of each
//! partition, forgets offsets that transactions commit, never fences, and waits for 3 s before a group's first members
//! get their partitions.

use super::Error;

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

/// The cluster; it is gone when this is dropped.
pub struct InProcess(MockCluster<'static, DefaultProducerContext>);

impl InProcess {
    /// Starts the cluster with these topics.
    ///
    /// # Errors
    /// No port can be opened.
    pub fn start<'a>(topics: impl IntoIterator<Item = &'a str>, partitions: i32) -> Result<InProcess, Error> {
        let cluster = MockCluster::new(1).map_err(Error::Client)?;
        for topic in topics {
            cluster.create_topic(topic, partitions, 1).map_err(Error::Client)?;
        }
        Ok(InProcess(cluster))
    }

    /// Where it listens.
    pub fn brokers(&self) -> String {
        self.0.bootstrap_servers()
    }
}

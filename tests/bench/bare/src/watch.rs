//! What came of a run, seen from outside: how far the group is, which transitions there are.

use crate::Args;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(30);
/// How exactly the end of a run is known.
const LOOK: Duration = Duration::from_millis(10);

/// Prints MARK when the group has committed the first event, half of them and the last.
pub fn watch(args: &Args) -> anyhow::Result<()> {
    let topic = args.text("topic")?;
    let events: i64 = args.get("events", 2_000_000)?;
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", args.text("brokers")?)
        .set("group.id", args.text("group")?)
        // Offsets of a transaction that is still open do not count and are not waited for.
        .set("isolation.level", "read_uncommitted")
        .create()?;
    let mut asked = TopicPartitionList::new();
    for partition in 0..partitions(&consumer, &topic)? {
        asked.add_partition(&topic, partition);
    }
    println!("MARK ready");
    let mut marks = [(1, "first"), (events / 2, "half"), (events, "done")].into_iter().peekable();
    while let Some(&(count, name)) = marks.peek() {
        let offsets = consumer.committed_offsets(asked.clone(), TIMEOUT)?;
        let read: i64 =
            offsets.elements().iter().filter_map(|at| at.offset().to_raw().filter(|&at| at > 0)).sum();
        if read >= count {
            println!("MARK {name}");
            std::io::stdout().flush()?;
            marks.next();
        } else {
            std::thread::sleep(LOOK);
        }
    }
    Ok(())
}

fn partitions(consumer: &BaseConsumer, topic: &str) -> anyhow::Result<i32> {
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT)?;
    Ok(metadata.topics().first().map_or(0, |topic| topic.partitions().len() as i32))
}

/// A reader of what is committed of a topic, and how many partitions it has.
pub fn reader(args: &Args, topic: &str, from: Offset) -> anyhow::Result<(BaseConsumer, i32)> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", args.text("brokers")?)
        .set("group.id", "bench-reader")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("isolation.level", "read_committed")
        .set("fetch.wait.max.ms", "10")
        .set("fetch.queue.backoff.ms", "5")
        .create()?;
    let count = partitions(&consumer, topic)?;
    let mut list = TopicPartitionList::new();
    for partition in 0..count {
        list.add_partition_offset(topic, partition, from)?;
    }
    consumer.assign(&list)?;
    Ok((consumer, count))
}

/// Calls `each(key, value)` for all that is committed of a topic now.
fn read_all(args: &Args, mut each: impl FnMut(&[u8], &[u8]) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let (consumer, mut open) = reader(args, &args.text("topic")?, Offset::Beginning)?;
    while open > 0 {
        match consumer.poll(TIMEOUT) {
            Some(Ok(message)) => {
                each(message.key().unwrap_or_default(), message.payload().unwrap_or_default())?
            }
            Some(Err(KafkaError::PartitionEOF(_))) => open -= 1,
            Some(Err(error)) => return Err(error.into()),
            None => anyhow::bail!("the topic cannot be read to its end"),
        }
    }
    Ok(())
}

/// The part of a transition that all contenders write.
#[derive(serde::Deserialize)]
pub struct Transition<'a> {
    pub lead: &'a str,
    pub from: &'a str,
    pub to: &'a str,
}

/// Transitions, in order for each lead, whatever the order of leads.
#[derive(Default)]
pub struct Transitions {
    lines: Vec<String>,
    of_lead: HashMap<String, u32>,
}

impl Transitions {
    pub fn add(&mut self, lead: &str, from: &str, to: &str) {
        let number = self.of_lead.entry(lead.to_owned()).or_default();
        *number += 1;
        self.lines.push(format!("{lead},{number},{from},{to}"));
    }

    /// Their count and a hash (FNV-1a).
    pub fn summary(mut self) -> String {
        self.lines.sort_unstable();
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for byte in self.lines.iter().flat_map(|line| line.bytes().chain([b'\n'])) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
        format!("transitions={} hash={hash:016x}", self.lines.len())
    }
}

/// Reads the transitions of a run.
pub fn verify(args: &Args) -> anyhow::Result<()> {
    let mut transitions = Transitions::default();
    read_all(args, |_, value| {
        let Transition { lead, from, to } = serde_json::from_slice(value)?;
        transitions.add(lead, from, to);
        Ok(())
    })?;
    println!("{}", transitions.summary());
    Ok(())
}

/// Counts the records and keys of a topic.
pub fn count(args: &Args) -> anyhow::Result<()> {
    let (mut records, mut bytes, mut keys) = (0_u64, 0, HashSet::new());
    read_all(args, |key, value| {
        records += 1;
        bytes += key.len() + value.len();
        if !keys.contains(key) {
            keys.insert(key.to_vec());
        }
        Ok(())
    })?;
    println!("records={records} keys={} bytes={bytes}", keys.len());
    Ok(())
}

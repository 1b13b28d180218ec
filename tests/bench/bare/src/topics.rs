//! Topics come and go.

use crate::Args;
use anyhow::{Context, ensure};
use futures_executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(30);

fn admin(args: &Args) -> anyhow::Result<(AdminClient<DefaultClientContext>, AdminOptions)> {
    let admin = ClientConfig::new().set("bootstrap.servers", args.text("brokers")?).create()?;
    Ok((admin, AdminOptions::new().operation_timeout(Some(TIMEOUT))))
}

/// `topics=name:partitions[:compact],…`
pub fn create(args: &Args) -> anyhow::Result<()> {
    let (admin, options) = admin(args)?;
    let list = args.text("topics")?;
    for topic in list.split(',') {
        let mut parts = topic.split(':');
        let (name, count) = (parts.next().unwrap_or_default(), parts.next().context("name:partitions")?);
        let mut new = NewTopic::new(name, count.parse()?, TopicReplication::Fixed(1));
        if parts.next() == Some("compact") {
            // As Kafka Streams creates its changelogs.
            new = new.set("cleanup.policy", "compact").set("segment.bytes", "52428800");
        }
        for result in block_on(admin.create_topics([&new], &options))? {
            ensure!(result.is_ok(), "{name} was not created: {result:?}");
        }
    }
    Ok(())
}

/// `topics=name,…`; those that are not there are gone already.
pub fn delete(args: &Args) -> anyhow::Result<()> {
    let (admin, options) = admin(args)?;
    let list = args.text("topics")?;
    block_on(admin.delete_topics(&list.split(',').collect::<Vec<_>>(), &options))?;
    Ok(())
}

/// Lets the cleaner compact a topic as soon as it can (`now=1`), or keeps it from doing so.
pub fn compact(args: &Args) -> anyhow::Result<()> {
    let (admin, options) = admin(args)?;
    let topic = args.text("topic")?;
    let change = AlterConfig::new(ResourceSpecifier::Topic(&topic)).set("cleanup.policy", "compact");
    // What is being written to is not compacted: hence small segments.
    let change = change.set("segment.bytes", "10485760");
    let change = if args.get("now", 1)? == 1 {
        change.set("min.cleanable.dirty.ratio", "0.01")
    } else {
        change.set("min.compaction.lag.ms", "86400000")
    };
    for result in block_on(admin.alter_configs([&change], &options))? {
        ensure!(result.is_ok(), "{topic} was not changed: {result:?}");
    }
    Ok(())
}

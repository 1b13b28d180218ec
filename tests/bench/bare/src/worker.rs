//! A worker of the bare loop. It speaks to librdkafka directly where the safe wrapper costs time: records are fetched a
//! thousand at once, produced by topic handle, and committed without the wrapper's waits of 100 ms.

use crate::job::{Event, STAGES, State, parse_time, points};
use crate::run::Settings;
use crate::store::Store;
use anyhow::{Context, ensure};
use rdkafka::bindings as rd;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka::util::Timeout;
use rdkafka::{Offset, TopicPartitionList};
use std::ffi::CString;
use std::fmt::Write;
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_secs(30);
const BATCH: usize = 1_000;

type Topic = *mut rd::rd_kafka_topic_t;

pub struct Worker {
    settings: Settings,
    partitions: Vec<i32>,
    consumer: BaseConsumer,
    out: Out,
    store: Store,
    /// Where each partition goes on, by its number.
    positions: Vec<i64>,
    /// A transition waits.
    waiting: bool,
    json: String,
}

// SAFETY: handles of librdkafka may be used from any thread.
unsafe impl Send for Worker {}

impl Worker {
    pub fn new(settings: Settings, number: i32) -> anyhow::Result<Worker> {
        let partitions = (0..settings.partitions).filter(|at| at % settings.workers == number).collect();
        let out = Out::new(&settings, number)?;
        Ok(Worker {
            partitions,
            consumer: consumer(&settings)?,
            out,
            store: Store::default(),
            positions: vec![0; settings.partitions as usize],
            waiting: false,
            json: String::new(),
            settings,
        })
    }

    pub fn leads(&self) -> usize {
        self.store.leads.len()
    }

    /// Reads the changelog; how many records it had.
    pub fn restore(&mut self) -> anyhow::Result<u64> {
        let consumer = consumer(&self.settings)?;
        let list = self.list(&self.settings.changelog, |_| Offset::Beginning)?;
        consumer.assign(&list)?;
        let (mut records, mut ended) = (0, 0);
        let mut queue = Queue::new(&consumer);
        while ended < self.partitions.len() {
            let store = &mut self.store;
            queue.fetch(20, |message| {
                match message.err {
                    rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__PARTITION_EOF => ended += 1,
                    rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => {
                        let (key, value) = parts(message);
                        let place = store.place(std::str::from_utf8(key)?, message.partition);
                        let value = value.try_into().context("a changelog of something else")?;
                        store.leads[place].state = State::decode(value);
                        records += 1;
                    }
                    error => anyhow::bail!("the changelog cannot be read: {error:?}"),
                }
                Ok(())
            })?;
        }
        Ok(records)
    }

    pub fn run(&mut self) -> anyhow::Result<()> {
        let mut asked = TopicPartitionList::new();
        self.partitions.iter().for_each(|&at| drop(asked.add_partition(&self.settings.input, at)));
        for element in self.consumer.committed_offsets(asked, TIMEOUT)?.elements() {
            if let Offset::Offset(offset) = element.offset() {
                self.positions[element.partition() as usize] = offset;
            }
        }
        let positions = self.positions.clone();
        let list = self.list(&self.settings.input, |at| Offset::Offset(positions[at as usize]))?;
        self.consumer.assign(&list)?;
        let mut queue = Queue::new(&self.consumer);
        let (mut open, mut moved) = (false, false);
        let mut committed = Instant::now();
        loop {
            let soonest = self.settings.early.filter(|_| self.waiting).unwrap_or(self.settings.interval);
            let wait = (committed + soonest).saturating_duration_since(Instant::now());
            if self.settings.exactly_once && !open {
                self.out.producer.begin_transaction()?;
                open = true;
            }
            moved |= queue.fetch(wait.as_millis().min(100) as i32, |message| match message.err {
                rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => self.apply(message),
                rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__PARTITION_EOF => Ok(()),
                error => anyhow::bail!("the input cannot be read: {error:?}"),
            })?;
            let since = committed.elapsed();
            let early = self.waiting && self.settings.early.is_some_and(|early| since >= early);
            if moved && (early || since >= self.settings.interval) {
                self.commit()?;
                (open, moved) = (false, false);
                committed = Instant::now();
            }
        }
    }

    #[inline]
    fn apply(&mut self, message: &rd::rd_kafka_message_t) -> anyhow::Result<()> {
        let (key, value) = parts(message);
        let event: Event = sonic_rs::from_slice(value)?;
        let time_ms = parse_time(&event.timestamp);
        let key = std::str::from_utf8(key)?;
        let place = self.store.place(key, message.partition);
        let state = &mut self.store.leads[place].state;
        let from = state.stage;
        if state.apply(points(&event.event), time_ms) {
            self.json.clear();
            let (from, to) = (STAGES[usize::from(from)], STAGES[usize::from(state.stage)]);
            let score = state.score;
            let _ = write!(
                self.json,
                r#"{{"lead":"{key}","from":"{from}","to":"{to}","score":{score},"at":{time_ms}}}"#
            );
            self.out.send(self.out.output, message.partition, key.as_bytes(), self.json.as_bytes());
            self.waiting = true;
        }
        self.store.mark(place);
        self.positions[message.partition as usize] = message.offset + 1;
        Ok(())
    }

    /// Commits the changed leads, the transitions and where the input goes on.
    fn commit(&mut self) -> anyhow::Result<()> {
        for place in std::mem::take(&mut self.store.dirty) {
            let lead = &mut self.store.leads[place as usize];
            lead.is_dirty = false;
            self.out.send(self.out.changelog, lead.partition, lead.key.as_bytes(), &lead.state.encode());
        }
        let list = self.list(&self.settings.input, |at| Offset::Offset(self.positions[at as usize]))?;
        let producer = &self.out.producer;
        let client = producer.client().native_ptr();
        if self.settings.exactly_once {
            let membership = self.consumer.group_metadata().context("a member of the group")?;
            producer.send_offsets_to_transaction(&list, &membership, Timeout::Never)?;
            // SAFETY: the client is valid.
            let error = unsafe { rd::rd_kafka_commit_transaction(client, -1) };
            ensure!(error.is_null(), "the transaction was not committed");
        } else {
            // SAFETY: the client is valid.
            let error = unsafe { rd::rd_kafka_flush(client, 60_000) };
            ensure!(
                error == rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR,
                "records were not delivered"
            );
            self.consumer.commit(&list, CommitMode::Async)?;
        }
        self.waiting = false;
        Ok(())
    }

    fn list(&self, topic: &str, offset: impl Fn(i32) -> Offset) -> anyhow::Result<TopicPartitionList> {
        let mut list = TopicPartitionList::new();
        for &partition in &self.partitions {
            list.add_partition_offset(topic, partition, offset(partition))?;
        }
        Ok(list)
    }
}

fn consumer(settings: &Settings) -> anyhow::Result<BaseConsumer> {
    Ok(ClientConfig::new()
        .set("bootstrap.servers", &settings.brokers)
        .set("group.id", &settings.group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("enable.partition.eof", "true")
        .set("isolation.level", "read_committed")
        .set("auto.offset.reset", "earliest")
        .set("fetch.wait.max.ms", "10")
        .set("fetch.message.max.bytes", "4194304")
        .set("fetch.max.bytes", "16777216")
        .set("queued.max.messages.kbytes", "32768")
        .set("fetch.queue.backoff.ms", "5")
        .create()?)
}

fn parts(message: &rd::rd_kafka_message_t) -> (&[u8], &[u8]) {
    let slice = |start: *mut std::ffi::c_void, length: usize| {
        if start.is_null() {
            return &[][..];
        }
        // SAFETY: librdkafka says so many bytes are there, as long as the message lives.
        unsafe { std::slice::from_raw_parts(start.cast::<u8>(), length) }
    };
    (slice(message.key, message.key_len), slice(message.payload, message.len))
}

/// Fetches many messages at once.
struct Queue {
    queue: *mut rd::rd_kafka_queue_t,
    batch: Vec<*mut rd::rd_kafka_message_t>,
}

impl Queue {
    fn new(consumer: &BaseConsumer) -> Queue {
        // SAFETY: the client is a consumer and outlives the queue.
        let queue = unsafe { rd::rd_kafka_queue_get_consumer(consumer.client().native_ptr()) };
        Queue { queue, batch: vec![std::ptr::null_mut(); BATCH] }
    }

    /// Whether there was anything.
    fn fetch(
        &mut self,
        wait_ms: i32,
        mut each: impl FnMut(&rd::rd_kafka_message_t) -> anyhow::Result<()>,
    ) -> anyhow::Result<bool> {
        // librdkafka waits for a full batch: so first what is there, then the first that comes.
        for (wait_ms, most) in [(0, BATCH), (wait_ms, 1)] {
            // SAFETY: the batch has room for so many.
            let count = unsafe {
                rd::rd_kafka_consume_batch_queue(self.queue, wait_ms, self.batch.as_mut_ptr(), most)
            };
            let count = usize::try_from(count).unwrap_or(0);
            for &message in &self.batch[..count] {
                // SAFETY: it is valid until it is destroyed, once, here.
                let result = each(unsafe { &*message });
                unsafe { rd::rd_kafka_message_destroy(message) };
                result?;
            }
            if count > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: ours.
        unsafe { rd::rd_kafka_queue_destroy(self.queue) };
    }
}

/// A producer and its topics.
struct Out {
    producer: BaseProducer,
    changelog: Topic,
    output: Topic,
}

impl Out {
    fn new(settings: &Settings, number: i32) -> anyhow::Result<Out> {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &settings.brokers)
            .set("enable.idempotence", "true")
            .set("compression.type", "lz4")
            // With an early commit nothing is to wait; without one larger batches count for more.
            .set("linger.ms", if settings.early.is_some() { "0" } else { "5" })
            .set("batch.size", "262144")
            .set("batch.num.messages", "100000")
            .set("queue.buffering.max.messages", "1000000")
            .set("delivery.report.only.error", "true");
        if settings.exactly_once {
            config.set("transactional.id", format!("{}-{number}", settings.group));
        }
        let producer: BaseProducer = config.create()?;
        if settings.exactly_once {
            producer.init_transactions(TIMEOUT)?;
        }
        let topic = |name: &str| {
            let name = CString::new(name)?;
            // SAFETY: the client is valid; null asks for its own topic configuration.
            let topic = unsafe {
                rd::rd_kafka_topic_new(producer.client().native_ptr(), name.as_ptr(), std::ptr::null_mut())
            };
            ensure!(!topic.is_null(), "the topic was refused");
            anyhow::Ok(topic)
        };
        let (changelog, output) = (topic(&settings.changelog)?, topic(&settings.output)?);
        Ok(Out { producer, changelog, output })
    }

    #[inline]
    fn send(&self, topic: Topic, partition: i32, key: &[u8], value: &[u8]) {
        loop {
            // SAFETY: key and value are copied during the call.
            let failed = unsafe {
                rd::rd_kafka_produce(
                    topic,
                    partition,
                    rd::RD_KAFKA_MSG_F_COPY as i32,
                    value.as_ptr().cast_mut().cast(),
                    value.len(),
                    key.as_ptr().cast(),
                    key.len(),
                    std::ptr::null_mut(),
                )
            };
            if failed == 0 {
                return;
            }
            self.producer.poll(Duration::from_millis(1));
        }
    }
}

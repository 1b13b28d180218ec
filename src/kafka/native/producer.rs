//! A producer that sends by topic handle and commits without fixed waits.

use super::consumer::{Membership, offsets};
use super::{Fault, Handle, c_text, milliseconds};
use crate::failpoints;
use crate::shared::lock;
use rdkafka::bindings as rd;
use rdkafka::config::ClientConfig;
use std::ffi::c_void;
use std::time::Duration;

/// Let the key decide about the partition.
const BY_KEY: i32 = -1;
/// While the queue is full, one step of waiting for room.
const ROOM_WAIT: Duration = Duration::from_millis(5);
/// For a process that a test ends in the middle of a commit.
const DYING: Duration = Duration::from_millis(2);

/// A topic of a producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target(usize);

/// Why a record was not taken.
#[derive(Debug)]
pub enum Refused {
    /// It is larger than the topic accepts.
    TooLarge,
    Failed(Fault),
}

/// A producer.
#[derive(Debug)]
pub struct Producer {
    topics: Vec<*mut rd::rd_kafka_topic_t>,
    handle: Handle,
}

// SAFETY: topic handles may be used from any thread, also at the same time.
unsafe impl Send for Producer {}
// SAFETY: as above.
unsafe impl Sync for Producer {}

impl Producer {
    /// Creates a producer to these topics, which are numbered in this order.
    ///
    /// # Errors
    /// The properties do not make a client.
    pub fn new(config: &ClientConfig, topics: &[&str]) -> Result<Producer, Fault> {
        let handle = Handle::new(rd::rd_kafka_type_t::RD_KAFKA_PRODUCER, config)?;
        let mut producer = Producer { topics: Vec::new(), handle };
        for topic in topics {
            let name = c_text(topic)?;
            // SAFETY: the client is valid; null asks for the client's own topic configuration.
            let topic = unsafe {
                rd::rd_kafka_topic_new(producer.handle.client, name.as_ptr(), std::ptr::null_mut())
            };
            if topic.is_null() {
                return Err(Fault::other("the topic was refused"));
            }
            producer.topics.push(topic);
        }
        Ok(producer)
    }

    /// The topic with this place in the list given to [`Producer::new`].
    pub fn target(&self, place: usize) -> Target {
        assert!(place < self.topics.len(), "a producer knows the topics that it was created with");
        Target(place)
    }

    /// Queues a record for a partition; without one its key decides.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn send(
        &self,
        target: Target,
        partition: Option<i32>,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), Refused> {
        let (value, length) = raw(value);
        loop {
            // SAFETY: librdkafka copies key and value during the call.
            let failed = unsafe {
                rd::rd_kafka_produce(
                    self.topics[target.0],
                    partition.unwrap_or(BY_KEY),
                    rd::RD_KAFKA_MSG_F_COPY,
                    value.cast_mut(),
                    length,
                    key.as_ptr().cast(),
                    key.len(),
                    std::ptr::null_mut(),
                ) != 0
            };
            if !failed {
                return Ok(());
            }
            // SAFETY: the last error of this thread, which is the one of the call above.
            self.make_room(Fault::of_code(unsafe { rd::rd_kafka_last_error() }))?;
        }
    }

    /// Queues a record with headers; its key decides about the partition. `timestamp_ms`: none is now.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn send_with<'a>(
        &self,
        target: Target,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: impl IntoIterator<Item = (&'a str, Option<&'a [u8]>)>,
    ) -> Result<(), Refused> {
        let list = new_headers(headers);
        loop {
            let Err(fault) = self.try_send_with(target, key, value, list) else { return Ok(()) };
            if let Err(refused) = self.make_room(fault) {
                // SAFETY: a refused record leaves its headers to us.
                unsafe { rd::rd_kafka_headers_destroy(list) };
                return Err(refused);
            }
        }
    }

    fn try_send_with(
        &self,
        target: Target,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: *mut rd::rd_kafka_headers_t,
    ) -> Result<(), Fault> {
        if failpoints::fails("refuse-record") {
            return Err(Fault::of_code(rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__STATE));
        }
        use rd::rd_kafka_vtype_t::*;
        type Part = rd::rd_kafka_vu_s__bindgen_ty_1;
        let memory = |bytes: Option<&[u8]>| {
            let (start, size) = raw(bytes);
            Part { mem: rd::rd_kafka_vu_s__bindgen_ty_1__bindgen_ty_1 { ptr: start.cast_mut(), size } }
        };
        let parts = [
            (RD_KAFKA_VTYPE_RKT, Part { rkt: self.topics[target.0] }),
            (RD_KAFKA_VTYPE_PARTITION, Part { i32_: BY_KEY }),
            (RD_KAFKA_VTYPE_MSGFLAGS, Part { i: rd::RD_KAFKA_MSG_F_COPY }),
            (RD_KAFKA_VTYPE_KEY, memory(key)),
            (RD_KAFKA_VTYPE_VALUE, memory(value)),
            (RD_KAFKA_VTYPE_HEADERS, Part { headers }),
        ];
        let parts = parts.map(|(vtype, u)| rd::rd_kafka_vu_t { vtype, u });
        // SAFETY: all parts are valid during the call, in which key and value are copied; headers are taken over if it
        // succeeds.
        Fault::check(unsafe { rd::rd_kafka_produceva(self.handle.client, parts.as_ptr(), parts.len()) })
    }

    /// Waits a little if the queue is full.
    fn make_room(&self, fault: Fault) -> Result<(), Refused> {
        match fault.code {
            rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__QUEUE_FULL => {
                self.poll(ROOM_WAIT);
                Ok(())
            }
            rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE => Err(Refused::TooLarge),
            _ => Err(Refused::Failed(fault)),
        }
    }

    /// Serves librdkafka's callbacks.
    pub fn poll(&self, timeout: Duration) {
        // SAFETY: the client is valid.
        unsafe { rd::rd_kafka_poll(self.handle.client, milliseconds(timeout)) };
    }

    /// Ends what a predecessor with the same transactional id left open, and fences it.
    ///
    /// # Errors
    /// The cluster does not answer in time.
    pub fn init_transactions(&self, timeout: Duration) -> Result<(), Fault> {
        // SAFETY: the client is valid.
        Fault::check(unsafe { rd::rd_kafka_init_transactions(self.handle.client, milliseconds(timeout)) })
    }

    pub fn begin_transaction(&self) -> Result<(), Fault> {
        // SAFETY: the client is valid.
        Fault::check(unsafe { rd::rd_kafka_begin_transaction(self.handle.client) })
    }

    /// Makes offsets of the input part of the transaction.
    pub fn send_offsets(
        &self,
        topic: &str,
        partitions: &[(i32, i64)],
        membership: &Membership,
        timeout: Duration,
    ) -> Result<(), Fault> {
        let offsets = offsets(topic, partitions)?;
        // SAFETY: all pointers are valid during the call.
        Fault::check(unsafe {
            rd::rd_kafka_send_offsets_to_transaction(
                self.handle.client,
                offsets.ptr(),
                membership.raw(),
                milliseconds(timeout),
            )
        })
    }

    /// Waits until every record is acknowledged, and commits.
    pub fn commit_transaction(&self, timeout: Duration) -> Result<(), Fault> {
        if failpoints::fails("refuse-commit") {
            return Err(Fault { requires_abort: true, ..Fault::other("refused by a failpoint") });
        }
        let dies = failpoints::fails("during-commit");
        if dies {
            self.flush(timeout)?;
        }
        // The commit is then on its way, and its answer is not.
        let timeout = if dies { DYING } else { timeout };
        // SAFETY: the client is valid.
        let code = unsafe { rd::rd_kafka_commit_transaction(self.handle.client, milliseconds(timeout)) };
        if dies {
            std::process::abort();
        }
        Fault::check(code)
    }

    /// Takes back what was sent since the transaction began.
    pub fn abort_transaction(&self, timeout: Duration) -> Result<(), Fault> {
        // SAFETY: the client is valid.
        Fault::check(unsafe { rd::rd_kafka_abort_transaction(self.handle.client, milliseconds(timeout)) })
    }

    /// Waits until every record is acknowledged.
    ///
    /// # Errors
    /// It takes longer than `timeout`, or the broker did not take one.
    pub fn flush(&self, timeout: Duration) -> Result<(), Fault> {
        // SAFETY: the client is valid.
        Fault::check_code(unsafe { rd::rd_kafka_flush(self.handle.client, milliseconds(timeout)) })?;
        self.undelivered().map_or(Ok(()), Err)
    }

    /// Why a record was not taken by the broker, if that happened since the last question.
    pub fn undelivered(&self) -> Option<Fault> {
        lock(&self.handle.shared.undelivered).take()
    }

    /// The latest statistics of librdkafka, as JSON, if there are new ones.
    pub fn statistics(&self) -> Option<String> {
        self.handle.statistics()
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        for &topic in &self.topics {
            // SAFETY: each was created once, and its client still lives.
            unsafe { rd::rd_kafka_topic_destroy(topic) };
        }
    }
}

fn raw(bytes: Option<&[u8]>) -> (*const c_void, usize) {
    bytes.map_or((std::ptr::null(), 0), |bytes| (bytes.as_ptr().cast(), bytes.len()))
}

fn new_headers<'a>(
    headers: impl IntoIterator<Item = (&'a str, Option<&'a [u8]>)>,
) -> *mut rd::rd_kafka_headers_t {
    // SAFETY: names and values are copied during the calls.
    unsafe {
        let list = rd::rd_kafka_headers_new(8);
        for (name, value) in headers {
            let (start, size) = raw(value);
            rd::rd_kafka_header_add(list, name.as_ptr().cast(), name.len() as isize, start, size as isize);
        }
        list
    }
}

//! A consumer that fetches many records at once.

use super::{Change, Fault, Handle, Message, c_text, milliseconds};
use crate::shared::lock;
use rdkafka::bindings as rd;
use rdkafka::config::ClientConfig;
use rdkafka::{Offset, TopicPartitionList};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Records of one fetch at most.
const BATCH: usize = 1_000;

/// In place of an offset: the first one that there is.
pub const BEGINNING: i64 = -2;

/// What was found while waiting for records.
#[derive(Debug)]
pub enum Found<'a> {
    Record(Message<'a>),
    /// Everything up to this offset has been fetched.
    End {
        partition: i32,
        offset: i64,
    },
    Failed {
        partition: i32,
        fault: Fault,
    },
    /// These partitions are to be read from now on; answer with [`Consumer::assign`].
    Assigned(Vec<i32>),
    /// These partitions are to be given up; answer with [`Consumer::unassign`].
    Revoked(Vec<i32>),
}

/// A consumer of one topic.
#[derive(Debug)]
pub struct Consumer {
    // Dropped in this order: the queue before its client.
    fetched: VecDeque<*mut rd::rd_kafka_message_t>,
    /// The one that was handed out last.
    current: Option<*mut rd::rd_kafka_message_t>,
    /// The last fetch took all that was there.
    drained: bool,
    queue: Arc<Queue>,
    handle: Arc<Handle>,
    topic: String,
}

// SAFETY: fetched messages may be used and destroyed by any one thread.
unsafe impl Send for Consumer {}

#[derive(Debug)]
struct Queue {
    queue: *mut rd::rd_kafka_queue_t,
    /// Keeps the client alive: the queue is part of it.
    _handle: Arc<Handle>,
}

// SAFETY: librdkafka's queues may be used from any thread.
unsafe impl Send for Queue {}
// SAFETY: as above.
unsafe impl Sync for Queue {}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: the queue was obtained once and is given back once, before its client goes.
        unsafe { rd::rd_kafka_queue_destroy(self.queue) };
    }
}

/// Ends the present wait of a consumer, from any thread.
#[derive(Debug, Clone)]
pub struct Waker(Arc<Queue>);

impl Waker {
    pub fn wake(&self) {
        // SAFETY: the queue lives as long as this.
        unsafe { rd::rd_kafka_queue_yield(self.0.queue) };
    }
}

/// The membership in the consumer group with which a transaction commits offsets.
#[derive(Debug)]
pub struct Membership(*mut rd::rd_kafka_consumer_group_metadata_t);

// SAFETY: plain data on the heap.
unsafe impl Send for Membership {}

impl Membership {
    pub(super) fn raw(&self) -> *const rd::rd_kafka_consumer_group_metadata_t {
        self.0
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        // SAFETY: ours, and destroyed once.
        unsafe { rd::rd_kafka_consumer_group_metadata_destroy(self.0) };
    }
}

impl Consumer {
    /// Creates a consumer of a topic; it reads what [`Consumer::subscribe`] or [`Consumer::assign_at`] say.
    ///
    /// # Errors
    /// The properties do not make a client.
    pub fn new(config: &ClientConfig, topic: &str) -> Result<Consumer, Fault> {
        let handle = Arc::new(Handle::new(rd::rd_kafka_type_t::RD_KAFKA_CONSUMER, config)?);
        // SAFETY: the client is a consumer; from here on its events come through the consumer's queue.
        let queue = unsafe {
            rd::rd_kafka_poll_set_consumer(handle.client);
            rd::rd_kafka_queue_get_consumer(handle.client)
        };
        let queue = Arc::new(Queue { queue, _handle: handle.clone() });
        Ok(Consumer {
            fetched: VecDeque::new(),
            current: None,
            drained: true,
            queue,
            handle,
            topic: topic.to_owned(),
        })
    }

    pub fn waker(&self) -> Waker {
        Waker(self.queue.clone())
    }

    /// Joins the group.
    ///
    /// # Errors
    /// librdkafka refuses the topic.
    pub fn subscribe(&self) -> Result<(), Fault> {
        let mut topics = TopicPartitionList::new();
        topics.add_topic_unassigned(&self.topic);
        // SAFETY: client and list are valid.
        Fault::check_code(unsafe { rd::rd_kafka_subscribe(self.handle.client, topics.ptr()) })
    }

    /// The next of what was fetched; waits for it if need be. `None`: nothing within the time, or woken.
    pub fn next(&mut self, timeout: Duration) -> Option<Found<'_>> {
        self.let_go();
        if self.fetched.is_empty() && lock(&self.handle.shared.changes).is_empty() {
            self.fetch(timeout);
        }
        // A change of the assignment goes first; what is fetched is kept.
        if let Some(change) = lock(&self.handle.shared.changes).pop_front() {
            return Some(match change {
                Change::Assigned(partitions) => Found::Assigned(partitions),
                Change::Revoked(partitions) => Found::Revoked(partitions),
            });
        }
        let message = self.fetched.pop_front()?;
        self.current = Some(message);
        // SAFETY: it is destroyed by the next call that needs the consumer for itself.
        let message = unsafe { Message::new(message) };
        let (partition, offset) = (message.partition(), message.offset());
        Some(match message.code() {
            rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => Found::Record(message),
            rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__PARTITION_EOF => Found::End { partition, offset },
            code => Found::Failed { partition, fault: Fault::of_code(code) },
        })
    }

    /// Hands the last one out once more.
    pub fn again(&mut self) {
        if let Some(message) = self.current.take() {
            self.fetched.push_front(message);
        }
    }

    /// Whether everything that the client had was taken.
    pub fn is_drained(&self) -> bool {
        self.drained && self.fetched.is_empty()
    }

    fn let_go(&mut self) {
        if let Some(message) = self.current.take() {
            // SAFETY: ours, and nobody refers to it any more.
            unsafe { rd::rd_kafka_message_destroy(message) };
        }
    }

    fn fetch(&mut self, timeout: Duration) {
        let mut batch = [std::ptr::null_mut(); BATCH];
        // librdkafka waits for a full batch: so first what is there, then the first that comes.
        for (timeout, most) in [(Duration::ZERO, BATCH), (timeout, 1)] {
            // SAFETY: the array has room for `most` pointers.
            let count = unsafe {
                rd::rd_kafka_consume_batch_queue(
                    self.queue.queue,
                    milliseconds(timeout),
                    batch.as_mut_ptr(),
                    most,
                )
            };
            let count = usize::try_from(count).unwrap_or(0);
            self.fetched.extend(&batch[..count]);
            self.drained = count < BATCH;
            if count > 0 || timeout.is_zero() && !lock(&self.handle.shared.changes).is_empty() {
                break;
            }
        }
    }

    /// Forgets what was fetched of these partitions.
    pub fn discard(&mut self, partitions: &[i32]) {
        self.let_go();
        self.fetched.retain(|&message| {
            // SAFETY: messages in the list are valid and ours.
            let stays = unsafe { !partitions.contains(&(*message).partition) };
            if !stays {
                // SAFETY: it leaves the list.
                unsafe { rd::rd_kafka_message_destroy(message) };
            }
            stays
        });
    }

    /// Takes partitions, and reads nothing of them until [`Consumer::read_from`].
    ///
    /// # Errors
    /// librdkafka refuses.
    pub fn assign_paused(&self, partitions: &[i32]) -> Result<(), Fault> {
        let list = self.list(partitions);
        // SAFETY: client and list are valid.
        unsafe {
            Fault::check(rd::rd_kafka_incremental_assign(self.handle.client, list.ptr()))?;
            Fault::check_code(rd::rd_kafka_pause_partitions(self.handle.client, list.ptr()))
        }
    }

    /// Reads these partitions, each from an offset, without a group.
    ///
    /// # Errors
    /// librdkafka refuses.
    pub fn assign_at(&self, partitions: &[(i32, i64)]) -> Result<(), Fault> {
        let list = self.list_at(partitions)?;
        // SAFETY: client and list are valid.
        Fault::check_code(unsafe { rd::rd_kafka_assign(self.handle.client, list.ptr()) })
    }

    /// Gives partitions up.
    ///
    /// # Errors
    /// librdkafka refuses.
    pub fn unassign(&mut self, partitions: &[i32]) -> Result<(), Fault> {
        self.discard(partitions);
        // SAFETY: client and list are valid.
        unsafe { unassign(self.handle.client, self.list(partitions).ptr()) }
    }

    /// Reads an assigned partition from this offset on, whatever the client did with it before: it is given up and taken
    /// again, because a client that lost its place ([`Fault::is_place_lost`]) does not seek.
    ///
    /// # Errors
    /// librdkafka refuses.
    pub fn read_from(&mut self, partition: i32, offset: i64) -> Result<(), Fault> {
        self.discard(&[partition]);
        let (list, at) = (self.list(&[partition]), self.list_at(&[(partition, offset)])?);
        // SAFETY: client and lists are valid.
        unsafe {
            Fault::check(rd::rd_kafka_incremental_unassign(self.handle.client, list.ptr()))?;
            Fault::check(rd::rd_kafka_incremental_assign(self.handle.client, at.ptr()))?;
            Fault::check_code(rd::rd_kafka_resume_partitions(self.handle.client, list.ptr()))
        }
    }

    /// The group's committed offset of a partition, once no transaction that may change it is open.
    ///
    /// # Errors
    /// The group's coordinator does not answer in time.
    pub fn committed(&self, partition: i32, timeout: Duration) -> Result<Option<i64>, Fault> {
        let list = self.list(&[partition]);
        // SAFETY: client and list are valid.
        Fault::check_code(unsafe {
            rd::rd_kafka_committed(self.handle.client, list.ptr(), milliseconds(timeout))
        })?;
        let elements = list.elements();
        elements[0].error().map_err(|error| Fault::other(error.to_string()))?;
        Ok(match elements[0].offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        })
    }

    /// The first offset of a partition and the one after its last; with `isolation.level=read_uncommitted` the true end.
    ///
    /// # Errors
    /// The partition's leader does not answer in time.
    pub fn watermarks(&self, partition: i32, timeout: Duration) -> Result<(i64, i64), Fault> {
        let topic = c_text(&self.topic)?;
        let (mut low, mut high) = (0, 0);
        // SAFETY: all pointers are valid during the call.
        Fault::check_code(unsafe {
            rd::rd_kafka_query_watermark_offsets(
                self.handle.client,
                topic.as_ptr(),
                partition,
                &mut low,
                &mut high,
                milliseconds(timeout),
            )
        })?;
        Ok((low, high))
    }

    /// The offset after a partition's last record, as the last fetch told it.
    pub fn known_end(&self, partition: i32) -> Option<i64> {
        let topic = c_text(&self.topic).ok()?;
        let (mut low, mut high) = (0, 0);
        // SAFETY: all pointers are valid during the call.
        let known = Fault::check_code(unsafe {
            rd::rd_kafka_get_watermark_offsets(
                self.handle.client,
                topic.as_ptr(),
                partition,
                &mut low,
                &mut high,
            )
        });
        known.ok().map(|()| high).filter(|&high| high >= 0)
    }

    /// Commits offsets without a transaction, and does not wait for it.
    ///
    /// # Errors
    /// librdkafka refuses.
    pub fn commit(&self, offsets: &[(i32, i64)]) -> Result<(), Fault> {
        let list = self.list_at(offsets)?;
        // SAFETY: client and list are valid.
        Fault::check_code(unsafe { rd::rd_kafka_commit(self.handle.client, list.ptr(), 1) })
    }

    /// Whether the partitions of the last revocation are another member's already.
    pub fn assignment_lost(&self) -> bool {
        // SAFETY: the client is valid.
        unsafe { rd::rd_kafka_assignment_lost(self.handle.client) != 0 }
    }

    /// The membership as it is now: the broker refuses offsets of a former generation.
    pub fn membership(&self) -> Membership {
        // SAFETY: the client is a consumer with a group.
        Membership(unsafe { rd::rd_kafka_consumer_group_metadata(self.handle.client) })
    }

    /// The latest statistics of librdkafka, as JSON, if there are new ones.
    pub fn statistics(&self) -> Option<String> {
        self.handle.statistics()
    }

    fn list(&self, partitions: &[i32]) -> TopicPartitionList {
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for &partition in partitions {
            list.add_partition(&self.topic, partition);
        }
        list
    }

    fn list_at(&self, partitions: &[(i32, i64)]) -> Result<TopicPartitionList, Fault> {
        offsets(&self.topic, partitions)
    }
}

/// A list of offsets of a topic.
pub(super) fn offsets(topic: &str, partitions: &[(i32, i64)]) -> Result<TopicPartitionList, Fault> {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for &(partition, offset) in partitions {
        let offset = if offset == BEGINNING { Offset::Beginning } else { Offset::Offset(offset) };
        list.add_partition_offset(topic, partition, offset)
            .map_err(|error| Fault::other(error.to_string()))?;
    }
    Ok(list)
}

impl Drop for Consumer {
    /// Leaves the group; from here on nobody asks the worker about its partitions.
    fn drop(&mut self) {
        self.handle.shared.leaving.store(true, Ordering::Release);
        self.let_go();
        for message in self.fetched.drain(..) {
            // SAFETY: messages in the list are valid and ours.
            unsafe { rd::rd_kafka_message_destroy(message) };
        }
        // SAFETY: the client is valid; the assignment is a list of ours from here on.
        unsafe {
            let mut assigned = std::ptr::null_mut();
            let code = rd::rd_kafka_assignment(self.handle.client, &mut assigned);
            if code == rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                // A revocation that was not answered would hold up the farewell.
                let answer = unassign(self.handle.client, assigned);
                tracing::debug!(?answer, "leaving the consumer group");
                rd::rd_kafka_topic_partition_list_destroy(assigned);
            }
            rd::rd_kafka_consumer_close(self.handle.client);
        }
    }
}

/// # Safety
/// `client` is a consumer, `partitions` a list.
pub(super) unsafe fn unassign(
    client: *mut rd::rd_kafka_t,
    partitions: *mut rd::rd_kafka_topic_partition_list_t,
) -> Result<(), Fault> {
    // SAFETY: by this function's contract.
    Fault::check(unsafe { rd::rd_kafka_incremental_unassign(client, partitions) })
}

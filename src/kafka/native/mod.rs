//! The calls of librdkafka that the hot path needs and the safe crate does not offer: fetching and sending many records
//! at once, and commits that do not wait in steps of 100 ms (rdkafka 0.39). This is the only place with unsafe code.
//!
//! Rules that make it sound: a [`Handle`] is destroyed last, after everything that refers to it; messages and topics
//! keep to the lifetime of their client; callbacks get a pointer to a [`Shared`] that lives as long as the handle.
#![allow(unsafe_code)]

mod consumer;
mod message;
mod producer;

pub use consumer::{BEGINNING, Consumer, Found, Membership, Waker};
pub use message::Message;
pub use producer::{Producer, Refused, Target};

use crate::shared::lock;
use rdkafka::bindings as rd;
use rdkafka::config::ClientConfig;
use std::collections::VecDeque;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What librdkafka says when something fails.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
pub struct Fault {
    pub text: String,
    pub code: rd::rd_kafka_resp_err_t,
    /// May go well when tried again.
    pub retriable: bool,
    /// The client can no longer be used.
    pub fatal: bool,
    /// The transaction has to be aborted.
    pub requires_abort: bool,
}

impl Fault {
    fn of_code(code: rd::rd_kafka_resp_err_t) -> Fault {
        // SAFETY: returns a static string for every code.
        let text = unsafe { text_of(rd::rd_kafka_err2str(code)) };
        let fatal = code == rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__FATAL;
        Fault { text, code, retriable: false, fatal, requires_abort: false }
    }

    fn other(text: impl Into<String>) -> Fault {
        let code = rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__FAIL;
        Fault { text: text.into(), code, retriable: false, fatal: false, requires_abort: false }
    }

    /// Trying again does not help: the rights or the topic are missing.
    pub fn is_lasting(&self) -> bool {
        use rd::rd_kafka_resp_err_t::*;
        matches!(
            self.code,
            RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED
                | RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED
                | RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
        )
    }

    /// The broker does not have the offset at which the client wanted to go on.
    pub fn is_place_lost(&self) -> bool {
        self.code == rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET
    }

    /// Records are not taken because the transaction, or the whole client, has failed before.
    pub fn is_transaction_failed(&self) -> bool {
        self.code == rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__STATE
    }

    /// Takes an error object over; null: success.
    fn check(error: *mut rd::rd_kafka_error_t) -> Result<(), Fault> {
        if error.is_null() {
            return Ok(());
        }
        // SAFETY: a non-null error is ours, valid until it is destroyed here.
        unsafe {
            let fault = Fault {
                text: text_of(rd::rd_kafka_error_string(error)),
                code: rd::rd_kafka_error_code(error),
                retriable: rd::rd_kafka_error_is_retriable(error) != 0,
                fatal: rd::rd_kafka_error_is_fatal(error) != 0,
                requires_abort: rd::rd_kafka_error_txn_requires_abort(error) != 0,
            };
            rd::rd_kafka_error_destroy(error);
            Err(fault)
        }
    }

    fn check_code(code: rd::rd_kafka_resp_err_t) -> Result<(), Fault> {
        match code {
            rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
            code => Err(Fault::of_code(code)),
        }
    }
}

/// What librdkafka's callbacks leave for the owner of a client.
#[derive(Debug, Default)]
struct Shared {
    changes: Mutex<VecDeque<Change>>,
    /// The owner no longer answers changes of the assignment.
    leaving: AtomicBool,
    /// The latest statistics, as JSON.
    statistics: Mutex<Option<String>>,
    /// A record that the broker did not take.
    undelivered: Mutex<Option<Fault>>,
}

#[derive(Debug)]
enum Change {
    Assigned(Vec<i32>),
    Revoked(Vec<i32>),
}

/// A client of librdkafka.
#[derive(Debug)]
struct Handle {
    client: *mut rd::rd_kafka_t,
    shared: Box<Shared>,
}

// SAFETY: librdkafka's handles may be used from any thread, also at the same time.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

impl Handle {
    fn new(kind: rd::rd_kafka_type_t, config: &ClientConfig) -> Result<Handle, Fault> {
        let config = config.create_native_config().map_err(|error| Fault::other(error.to_string()))?;
        let shared = Box::<Shared>::default();
        let mut reason = [0 as c_char; 512];
        // SAFETY: the copy of the configuration is taken over by `rd_kafka_new`, or destroyed here if that fails; the
        // callbacks' opaque pointer stays valid, as a box does not move and lives as long as the handle.
        unsafe {
            let copy = rd::rd_kafka_conf_dup(config.ptr());
            rd::rd_kafka_conf_set_opaque(copy, (&raw const *shared).cast_mut().cast());
            rd::rd_kafka_conf_set_log_cb(copy, Some(on_log));
            rd::rd_kafka_conf_set_error_cb(copy, Some(on_error));
            rd::rd_kafka_conf_set_stats_cb(copy, Some(on_statistics));
            if kind == rd::rd_kafka_type_t::RD_KAFKA_CONSUMER {
                rd::rd_kafka_conf_set_rebalance_cb(copy, Some(on_rebalance));
            } else {
                rd::rd_kafka_conf_set_dr_msg_cb(copy, Some(on_delivery));
            }
            let client = rd::rd_kafka_new(kind, copy, reason.as_mut_ptr(), reason.len());
            if client.is_null() {
                rd::rd_kafka_conf_destroy(copy);
                return Err(Fault::other(text_of(reason.as_ptr())));
            }
            Ok(Handle { client, shared })
        }
    }

    fn statistics(&self) -> Option<String> {
        lock(&self.shared.statistics).take()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: whoever owns the handle has dropped all that refers to it.
        unsafe { rd::rd_kafka_destroy(self.client) };
    }
}

fn c_text(text: &str) -> Result<CString, Fault> {
    CString::new(text).map_err(|_| Fault::other("a name with a zero byte"))
}

fn milliseconds(timeout: Duration) -> c_int {
    c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX)
}

/// # Safety
/// `text` is null or points to a string that ends with a zero byte.
unsafe fn text_of(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: by this function's contract.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

unsafe extern "C" fn on_log(
    _client: *const rd::rd_kafka_t,
    level: c_int,
    facility: *const c_char,
    message: *const c_char,
) {
    // SAFETY: librdkafka hands over two strings.
    let (facility, message) = unsafe { (text_of(facility), text_of(message)) };
    super::log(level, &facility, &message);
}

unsafe extern "C" fn on_error(
    client: *mut rd::rd_kafka_t,
    code: c_int,
    reason: *const c_char,
    _opaque: *mut c_void,
) {
    // SAFETY: librdkafka hands over a string, and the client that is in trouble.
    let (reason, fatal) = unsafe {
        let mut text = [0 as c_char; 512];
        let fatal = rd::rd_kafka_fatal_error(client, text.as_mut_ptr(), text.len());
        (text_of(reason), fatal != rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR)
    };
    super::log_trouble(code, &reason, fatal);
}

unsafe extern "C" fn on_statistics(
    _client: *mut rd::rd_kafka_t,
    json: *mut c_char,
    length: usize,
    opaque: *mut c_void,
) -> c_int {
    // SAFETY: `opaque` is the handle's `Shared`; `json` has `length` bytes during the call.
    let (shared, json) =
        unsafe { (&*opaque.cast::<Shared>(), std::slice::from_raw_parts(json.cast::<u8>(), length)) };
    *lock(&shared.statistics) = Some(String::from_utf8_lossy(json).into_owned());
    0
}

unsafe extern "C" fn on_delivery(
    _client: *mut rd::rd_kafka_t,
    message: *const rd::rd_kafka_message_t,
    opaque: *mut c_void,
) {
    // SAFETY: `opaque` is the handle's `Shared`; the message is valid during the call.
    let (shared, code) = unsafe { (&*opaque.cast::<Shared>(), (*message).err) };
    if code != rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        lock(&shared.undelivered).get_or_insert_with(|| Fault::of_code(code));
    }
}

unsafe extern "C" fn on_rebalance(
    client: *mut rd::rd_kafka_t,
    code: rd::rd_kafka_resp_err_t,
    partitions: *mut rd::rd_kafka_topic_partition_list_t,
    opaque: *mut c_void,
) {
    // SAFETY: `opaque` is the handle's `Shared`; the list is valid during the call.
    unsafe {
        let shared = &*opaque.cast::<Shared>();
        if shared.leaving.load(Ordering::Acquire) {
            let answer = consumer::unassign(client, partitions);
            tracing::debug!(?answer, "leaving the consumer group");
            return;
        }
        let list = &*partitions;
        let elements = match list.cnt {
            0 => &[],
            count => std::slice::from_raw_parts(list.elems, count as usize),
        };
        let numbers = elements.iter().map(|element| element.partition).collect();
        let assigned = code == rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        let change = if assigned { Change::Assigned(numbers) } else { Change::Revoked(numbers) };
        lock(&shared.changes).push_back(change);
    }
}

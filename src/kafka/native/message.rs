//! A record that was fetched.

use rdkafka::bindings as rd;
use std::ffi::c_void;
use std::marker::PhantomData;

/// A record, borrowed from librdkafka's own buffers.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    message: *mut rd::rd_kafka_message_t,
    consumer: PhantomData<&'a ()>,
}

impl<'a> Message<'a> {
    /// # Safety
    /// `message` was fetched and is destroyed after `'a`.
    pub(super) unsafe fn new(message: *mut rd::rd_kafka_message_t) -> Message<'a> {
        Message { message, consumer: PhantomData }
    }

    fn raw(&self) -> &rd::rd_kafka_message_t {
        // SAFETY: by the contract of `new`.
        unsafe { &*self.message }
    }

    pub(super) fn code(&self) -> rd::rd_kafka_resp_err_t {
        self.raw().err
    }

    pub fn partition(&self) -> i32 {
        self.raw().partition
    }

    pub fn offset(&self) -> i64 {
        self.raw().offset
    }

    pub fn key(&self) -> Option<&[u8]> {
        // SAFETY: librdkafka's pointer and length belong together.
        unsafe { bytes(self.raw().key, self.raw().key_len) }
    }

    /// `None`: a tombstone.
    pub fn value(&self) -> Option<&[u8]> {
        // SAFETY: as for the key.
        unsafe { bytes(self.raw().payload, self.raw().len) }
    }

    /// Milliseconds since the epoch, if the record has a timestamp.
    pub fn timestamp_ms(&self) -> Option<i64> {
        let mut kind = rd::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message is valid.
        let timestamp = unsafe { rd::rd_kafka_message_timestamp(self.message, &mut kind) };
        (kind != rd::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE).then_some(timestamp)
    }

    /// The record's headers, in order.
    pub fn headers(&self) -> Vec<(String, Option<&[u8]>)> {
        let mut headers = std::ptr::null_mut();
        let mut all = Vec::new();
        // SAFETY: the headers belong to the message; names end with a zero byte, values have their size.
        unsafe {
            let code = rd::rd_kafka_message_headers(self.message, &mut headers);
            if code != rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                return all;
            }
            for index in 0..rd::rd_kafka_header_cnt(headers) {
                let (mut name, mut value, mut size) = (std::ptr::null(), std::ptr::null(), 0);
                let code = rd::rd_kafka_header_get_all(headers, index, &mut name, &mut value, &mut size);
                if code == rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                    all.push((super::text_of(name), bytes(value, size)));
                }
            }
        }
        all
    }
}

/// # Safety
/// `start` is null or points to `length` bytes that live for `'a`.
unsafe fn bytes<'a>(start: *const c_void, length: usize) -> Option<&'a [u8]> {
    // SAFETY: by this function's contract.
    (!start.is_null()).then(|| unsafe { std::slice::from_raw_parts(start.cast(), length) })
}

//! A lead's bytes: what sits in memory, what goes to the changelog, what restores. One format, version 1.
//!
//! ```text
//! format · id · tables · flags · clock · … · lists · message ids
//! ```
//! Numbers are LEB128 varints; times are their distance to the lead's clock, or point at a time that was told before;
//! lists are their length and their items, sets are bytes without trailing zeros, floats their big-endian bytes without
//! trailing zeros (small whole numbers take two). Indices are those of the model version whose name tables `tables`
//! numbers.

mod decode;
mod encode;

pub use decode::decode;
pub use encode::encode;

use super::varint::{Reader, write_varint};
use crate::model::Model;

/// The first byte of every lead.
pub const FORMAT: u8 = 1;

const IDENTIFIED: u8 = 1;
const ACTIVE: u8 = 1 << 1;
const SENT: u8 = 1 << 2;
const FIRED: u8 = 1 << 3;
const PENDING: u8 = 1 << 4;
const RESETS: u8 = 1 << 5;
const SLAS: u8 = 1 << 6;
const ALERTS: u8 = 1 << 7;

/// Of a contribution's head byte, whose low four bits are the length of its value.
const COUNT_IS_ONE: u8 = 1 << 4;
/// It has counted times; the latest of them is always its `last_at` and not written again.
const HAS_TIMES: u8 = 1 << 5;
/// It has more counted times than that one.
const MORE_TIMES: u8 = 1 << 6;
const HAS_SLOTS: u8 = 1 << 7;

/// Of a score's head: the number behind it is in units, hundredths or millionths, or the bytes of a float follow.
const UNITS: u64 = 0;
const HUNDREDTHS: u64 = 1;
const MILLIONTHS: u64 = 2;
const FLOAT: u64 = 3;

/// Bytes that are not a lead's, or not one of this model's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the bytes of a lead: {0}")]
pub struct Corrupt(pub &'static str);

/// How many of each thing the model has: indices at or above are refused.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bounds {
    pub stages: usize,
    pub transitions: usize,
    pub contributions: usize,
    pub seen: usize,
    pub traits: usize,
    pub facts: usize,
    pub scores: usize,
    pub alerts: usize,
    pub slas: usize,
    pub channels: usize,
}

impl Bounds {
    pub fn of(model: &Model) -> Bounds {
        Bounds {
            stages: model.stages.len(),
            transitions: model.transitions.len(),
            contributions: model.contributions.len(),
            seen: model.seen.len(),
            traits: model.traits.len(),
            facts: model.facts.len(),
            scores: model.scores.len(),
            alerts: model.alerts.len(),
            slas: model.slas.len(),
            channels: model.attribution.as_ref().map_or(0, |attribution| attribution.channels.len()),
        }
    }
}

/// Appends what every lead with this id begins with; no other lead's bytes begin so.
pub fn write_prefix(out: &mut Vec<u8>, id: &str) {
    out.push(FORMAT);
    match pack_uuid(id) {
        Some(packed) => {
            out.push(0);
            out.extend_from_slice(&packed);
        }
        None => {
            write_varint(out, id.len() as u64 + 1);
            out.extend_from_slice(id.as_bytes());
        }
    }
}

/// The lead id at the front of a lead's bytes, appended to `out`.
pub fn read_id(bytes: &[u8], out: &mut String) -> Result<(), Corrupt> {
    read_prefix(&mut Reader::new(bytes), out)
}

/// How many bytes [`write_prefix`] wrote at the front of a lead's bytes.
pub fn prefix_length(bytes: &[u8]) -> Result<usize, Corrupt> {
    let reader = &mut Reader::new(bytes);
    reader.byte()?;
    match reader.varint()? {
        0 => reader.take(16)?,
        length => reader.take(length as usize - 1)?,
    };
    Ok(bytes.len() - reader.left())
}

/// The number of the name tables by which a lead's bytes were written.
pub fn tables_of(bytes: &[u8]) -> Result<u32, Corrupt> {
    if bytes.first() != Some(&FORMAT) {
        return Err(Corrupt("unknown format"));
    }
    read_tables(&mut Reader::new(&bytes[prefix_length(bytes)?..]))
}

fn read_tables(reader: &mut Reader<'_>) -> Result<u32, Corrupt> {
    u32::try_from(reader.varint()?).map_err(|_| Corrupt("name tables out of range"))
}

fn read_prefix(reader: &mut Reader<'_>, out: &mut String) -> Result<(), Corrupt> {
    if reader.byte()? != FORMAT {
        return Err(Corrupt("unknown format"));
    }
    match reader.varint()? {
        0 => unpack_uuid(reader.take(16)?, out),
        length => {
            let id = reader.take(length as usize - 1)?;
            out.push_str(std::str::from_utf8(id).map_err(|_| Corrupt("the id is not UTF-8"))?);
        }
    }
    Ok(())
}

/// Where the pairs of digits of a UUID's text stand; the dashes are between them.
const PAIRS: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const DASHES: [usize; 4] = [8, 13, 18, 23];
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The values of lowercase hexadecimal digits; of other bytes more than 15.
const VALUES: [u8; 256] = {
    let mut values = [0xff; 256];
    let mut value = 0;
    while value < 16 {
        values[DIGITS[value] as usize] = value as u8;
        value += 1;
    }
    values
};

/// The 16 bytes of a UUID in its usual lowercase text form: ids are often UUIDs, and this saves 20 bytes of each lead.
fn pack_uuid(id: &str) -> Option<[u8; 16]> {
    let text: &[u8; 36] = id.as_bytes().try_into().ok()?;
    let mut highest = 0;
    let packed = PAIRS.map(|at| {
        let (high, low) = (VALUES[usize::from(text[at])], VALUES[usize::from(text[at + 1])]);
        highest |= high | low;
        high << 4 | low & 15
    });
    (highest < 16 && DASHES.iter().all(|&at| text[at] == b'-')).then_some(packed)
}

fn unpack_uuid(packed: &[u8], out: &mut String) {
    let mut text = [b'-'; 36];
    for (at, byte) in PAIRS.into_iter().zip(packed) {
        text[at] = DIGITS[usize::from(byte >> 4)];
        text[at + 1] = DIGITS[usize::from(byte & 15)];
    }
    out.push_str(std::str::from_utf8(&text).unwrap_or_default());
}

/// How many times can be pointed at: their numbers take one byte.
const POINTABLE: usize = 64;

/// The distinct times that a lead's bytes have told so far. One event leaves its time at many places of a lead; after the
/// first it is pointed at with one byte.
#[derive(Debug, Default)]
pub struct Told {
    times: Vec<i64>,
}

impl Told {
    pub(super) fn begin(&mut self, clock: i64) {
        self.times.clear();
        self.times.push(clock);
    }

    pub(super) fn clock(&self) -> i64 {
        self.times[0]
    }

    fn note(&mut self, time: i64) {
        if self.times.len() < POINTABLE {
            self.times.push(time);
        }
    }

    /// A time that is not after the clock.
    #[inline]
    pub(super) fn write(&mut self, out: &mut Vec<u8>, time: i64) {
        match self.times.iter().position(|&told| told == time) {
            Some(at) => write_varint(out, (at as u64) << 1 | 1),
            None => {
                write_varint(out, (self.clock().wrapping_sub(time) as u64) << 1);
                self.note(time);
            }
        }
    }

    #[inline]
    pub(super) fn read(&mut self, reader: &mut Reader<'_>) -> Result<i64, Corrupt> {
        let head = reader.varint()?;
        if head & 1 == 1 {
            return self.times.get((head >> 1) as usize).copied().ok_or(Corrupt("a time that was not told"));
        }
        let time = i64::try_from(head >> 1).ok().map(|ago| self.clock() - ago);
        let time = time.filter(|&time| time >= 0).ok_or(Corrupt("a time before 1970"))?;
        self.note(time);
        Ok(time)
    }
}

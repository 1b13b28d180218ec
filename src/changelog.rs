//! The records of the changelog: one for each lead, one for what else a partition has to keep, and one for the name
//! tables of each version of the model. Its partition is the input's.
//!
//! ```text
//! key    a lead: its bytes' prefix without the format · meta: 1 'm' · tables: 1 't' number
//! value  a lead: format · armed · its further bytes    · meta: see `Meta` · tables: JSON
//! ```
//! A lead's key begins with 0 (a packed UUID) or its id's length plus 1, which is never 1: no id is empty.

use crate::core::codec::{Corrupt, FORMAT};
use crate::core::partition::{Change, NEVER};
use crate::core::tables::Tables;
use crate::core::varint::{Reader, write_varint, write_zigzag};
use crate::worker::breaker::Breaker;

const META: [u8; 2] = [1, b'm'];
const TABLES: [u8; 2] = [1, b't'];
/// The first byte of a partition's meta record.
const META_FORMAT: u8 = 1;

/// What a record of the changelog is about.
#[derive(Debug, PartialEq, Eq)]
pub enum Key<'a> {
    /// What the lead's bytes begin with, without the format.
    Lead(&'a [u8]),
    Meta,
    Tables(u32),
}

/// Reads a key.
///
/// # Errors
/// If it is none of the changelog's.
pub fn read_key(key: &[u8]) -> Result<Key<'_>, Corrupt> {
    if key == META {
        return Ok(Key::Meta);
    }
    if let Some(number) = key.strip_prefix(&TABLES) {
        let number = Reader::new(number).varint()?;
        return u32::try_from(number).map(Key::Tables).map_err(|_| Corrupt("name tables out of range"));
    }
    if key.is_empty() { Err(Corrupt("an empty key")) } else { Ok(Key::Lead(key)) }
}

/// Writes a lead's key and value; the value is none if the lead is gone.
pub fn write_lead<'a>(change: &Change<'a>, value: &'a mut Vec<u8>) -> (&'a [u8], Option<&'a [u8]>) {
    let (format, key) = change.prefix.split_at(1);
    let Some(rest) = change.rest else { return (key, None) };
    value.clear();
    value.extend_from_slice(format);
    let armed =
        if change.armed == NEVER { 0 } else { u64::try_from(change.armed).map_or(1, |armed| armed + 1) };
    write_varint(value, armed);
    value.extend_from_slice(rest);
    (key, Some(value))
}

/// Puts a lead's bytes together again, and the second for which it was armed.
///
/// # Errors
/// If the value is not a lead's.
pub fn read_lead(key: &[u8], value: &[u8], bytes: &mut Vec<u8>) -> Result<i64, Corrupt> {
    let reader = &mut Reader::new(value);
    bytes.clear();
    bytes.push(reader.byte()?);
    let armed = match reader.varint()? {
        0 => NEVER,
        armed => i64::try_from(armed - 1).map_err(|_| Corrupt("a second out of range"))?,
    };
    bytes.extend_from_slice(key);
    bytes.extend_from_slice(&value[value.len() - reader.left()..]);
    Ok(armed)
}

/// What a lead's bytes begin with, by its key.
pub fn lead_prefix(key: &[u8], prefix: &mut Vec<u8>) {
    prefix.clear();
    prefix.push(FORMAT);
    prefix.extend_from_slice(key);
}

/// What a partition keeps besides its leads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meta {
    pub stream_time_ms: i64,
    /// Due times are left over because of an event, which is the next record.
    pub left_over_event: bool,
    /// Where the input goes on.
    pub next_offset: i64,
    /// Of the model that armed the leads.
    pub fingerprint: u64,
    pub breaker: Breaker,
}

impl Meta {
    pub const KEY: [u8; 2] = META;

    /// Its value in the changelog.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.clear();
        out.push(META_FORMAT);
        write_zigzag(out, self.stream_time_ms);
        out.push(u8::from(self.left_over_event));
        write_varint(out, u64::try_from(self.next_offset).unwrap_or(0));
        out.extend_from_slice(&self.fingerprint.to_le_bytes());
        self.breaker.write(out);
    }

    /// Reads it.
    ///
    /// # Errors
    /// If the value is not one of this.
    pub fn read(value: &[u8]) -> Result<Meta, Corrupt> {
        let reader = &mut Reader::new(value);
        if reader.byte()? != META_FORMAT {
            return Err(Corrupt("a meta record of an unknown format"));
        }
        let stream_time_ms = reader.zigzag()?;
        let left_over_event = reader.byte()? != 0;
        let next_offset = i64::try_from(reader.varint()?).map_err(|_| Corrupt("an offset out of range"))?;
        let fingerprint = reader.take(8)?.try_into().map_err(|_| Corrupt("too short"))?;
        let breaker = Breaker::read(reader)?;
        Ok(Meta {
            stream_time_ms,
            left_over_event,
            next_offset,
            fingerprint: u64::from_le_bytes(fingerprint),
            breaker,
        })
    }
}

/// The key of name tables.
pub fn tables_key(number: u32) -> Vec<u8> {
    let mut key = TABLES.to_vec();
    write_varint(&mut key, u64::from(number));
    key
}

/// Reads name tables.
///
/// # Errors
/// If the value is not their JSON.
pub fn read_tables(value: &[u8]) -> Result<Tables, Corrupt> {
    serde_json::from_slice(value).map_err(|_| Corrupt("name tables that cannot be read"))
}

/// The value of name tables.
pub fn write_tables(tables: &Tables) -> Vec<u8> {
    serde_json::to_vec(tables).expect("name tables are plain data with text keys")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_come_back_as_they_were() {
        let (mut value, mut bytes) = (Vec::new(), Vec::new());
        for armed in [NEVER, 0, 1_700_000_000, 253_402_300_799] {
            let change = Change { prefix: b"\x01\x03ab", rest: Some(b"further"), armed };
            let (key, written) = write_lead(&change, &mut value);
            assert_eq!(key, b"\x03ab");
            let written = written.expect("it is there").to_vec();
            assert_eq!(read_key(key), Ok(Key::Lead(b"\x03ab")));
            assert_eq!(read_lead(key, &written, &mut bytes), Ok(armed));
            assert_eq!(bytes, b"\x01\x03abfurther");
        }
        let gone = Change { prefix: b"\x01\x03ab", rest: None, armed: NEVER };
        assert_eq!(write_lead(&gone, &mut value), (&b"\x03ab"[..], None));
    }

    #[test]
    fn meta_comes_back_as_it_was() {
        let mut breaker = Breaker::new(3);
        breaker.note(true);
        breaker.note(false);
        let meta = Meta {
            stream_time_ms: 1_700_000_000_123,
            left_over_event: true,
            next_offset: 77,
            fingerprint: u64::MAX - 3,
            breaker,
        };
        let mut value = Vec::new();
        meta.write(&mut value);
        assert_eq!(Meta::read(&value), Ok(meta));
        for cut in 0..value.len() {
            assert!(Meta::read(&value[..cut]).is_err(), "cut at {cut}");
        }
        assert_eq!(read_key(&Meta::KEY), Ok(Key::Meta));
        assert_eq!(read_key(&tables_key(300)), Ok(Key::Tables(300)));
    }
}

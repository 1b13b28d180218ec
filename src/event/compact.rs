//! Compact JSON: no white space, strings in their shortest escaping, the last of repeated keys, numbers as they were
//! written. Equal strings have equal bytes.

use super::json::{self, Key, Scalar, Visitor};
use super::string;

/// Appends the string with its quotes.
pub(super) fn write_string(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    for &byte in text.as_bytes() {
        match short_escape(byte) {
            Some(letter) => out.extend_from_slice(&[b'\\', letter]),
            None if byte < 0x20 => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
            None => out.push(byte),
        }
    }
    out.push(b'"');
}

/// The length of what [`write_string`] appends.
pub(super) fn string_len(text: &str) -> usize {
    let escaped = |byte: u8| match short_escape(byte) {
        Some(_) => 2,
        None if byte < 0x20 => 6,
        None => 1,
    };
    text.bytes().map(escaped).sum::<usize>() + 2
}

fn short_escape(byte: u8) -> Option<u8> {
    Some(match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        0x0c => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => return None,
    })
}

/// Appends the array or object of a text that is known to be JSON.
pub(super) fn write_container(text: &str, out: &mut Vec<u8>) {
    let mut writer = Writer { text, out, open: Vec::new(), unescaped: String::new() };
    // Valid JSON has no error to tell of.
    let _ = json::parse(text, &mut writer);
}

struct Writer<'w> {
    text: &'w str,
    out: &'w mut Vec<u8>,
    /// The open arrays and objects, the innermost last.
    open: Vec<Container>,
    unescaped: String,
}

struct Container {
    object: bool,
    /// Where its bracket stands in `out`.
    start: usize,
    /// Of an object: where its members begin in `out`, and where their keys end.
    members: Vec<(usize, usize)>,
}

impl Writer<'_> {
    fn string(&mut self, scalar: Scalar, start: usize, end: usize) {
        let text = &self.text[start..end];
        if scalar == Scalar::Escaped {
            self.unescaped.clear();
            string::unescape(text, &mut self.unescaped);
            write_string(&self.unescaped, self.out);
        } else {
            self.out.push(b'"');
            self.out.extend_from_slice(text.as_bytes());
            self.out.push(b'"');
        }
    }

    /// A comma before every element or member but the first.
    fn separate(&mut self) {
        if !matches!(self.out.last(), Some(b'[' | b'{' | b':') | None) && !self.open.is_empty() {
            self.out.push(b',');
        }
    }
}

impl Visitor for Writer<'_> {
    fn open(&mut self, object: bool, _: usize) {
        self.separate();
        self.open.push(Container { object, start: self.out.len(), members: Vec::new() });
        self.out.push(if object { b'{' } else { b'[' });
    }

    fn close(&mut self, _: usize) {
        let Some(container) = self.open.pop() else { return };
        drop_repeated(&container, self.out);
        self.out.push(if container.object { b'}' } else { b']' });
    }

    fn key(&mut self, Key { start, end, escaped, .. }: Key) {
        self.separate();
        let member = self.out.len();
        self.string(if escaped { Scalar::Escaped } else { Scalar::Plain }, start, end);
        if let Some(object) = self.open.last_mut() {
            object.members.push((member, self.out.len()));
        }
        self.out.push(b':');
    }

    fn scalar(&mut self, scalar: Scalar, start: usize, end: usize) {
        self.separate();
        match scalar {
            Scalar::Plain | Scalar::Escaped => self.string(scalar, start, end),
            _ => self.out.extend_from_slice(&self.text.as_bytes()[start..end]),
        }
    }
}

/// Removes the members of the object at the end of `out` whose keys come again later in it.
fn drop_repeated(object: &Container, out: &mut Vec<u8>) {
    let key = |member: usize| &out[object.members[member].0..object.members[member].1];
    let mut by_key: Vec<usize> = (0..object.members.len()).collect();
    by_key.sort_unstable_by_key(|&member| (key(member), member));
    let repeated = |at: usize| by_key.get(at + 1).is_some_and(|&next| key(next) == key(by_key[at]));
    let mut kept: Vec<usize> = (0..by_key.len()).filter(|&at| !repeated(at)).map(|at| by_key[at]).collect();
    if kept.len() == object.members.len() {
        return;
    }
    kept.sort_unstable();
    let mut body = Vec::with_capacity(out.len() - object.start);
    for member in kept {
        // A member ends before the comma in front of the next one.
        let end = object.members.get(member + 1).map_or(out.len(), |next| next.0 - 1);
        if !body.is_empty() {
            body.push(b',');
        }
        body.extend_from_slice(&out[object.members[member].0..end]);
    }
    out.truncate(object.start + 1);
    out.extend_from_slice(&body);
}

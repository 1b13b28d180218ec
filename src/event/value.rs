//! A JSON value as it stands in a record or in a lead's bytes.

use super::compact;
use super::json::{self, Scalar};
use super::string;
use std::borrow::Cow;

/// A JSON value. Containers are their JSON text: they are only looked into when a test asks for it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    Number(Number<'a>),
    /// Unescaped.
    String(Cow<'a, str>),
    /// Valid JSON text.
    Array(&'a str),
    /// Valid JSON text.
    Object(&'a str),
}

/// A JSON number as it was written; finite as a double.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number<'a>(pub &'a str);

impl Number<'_> {
    /// The nearest double.
    pub fn as_f64(&self) -> f64 {
        let digits = self.0.strip_prefix('-').unwrap_or(self.0);
        // Up to 15 digits a double holds exactly.
        if digits.len() <= 15 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let whole = digits.bytes().fold(0, |whole, digit| whole * 10 + i64::from(digit - b'0')) as f64;
            return if digits.len() < self.0.len() { -whole } else { whole };
        }
        self.0.parse().unwrap_or_default()
    }
}

impl<'a> Value<'a> {
    /// Calls `f` for the value, or for each element if it is an array, and for the elements of arrays in it.
    /// Stops early and returns true once `f` does.
    pub fn any_element(&self, f: &mut dyn FnMut(&Value<'_>) -> bool) -> bool {
        let Value::Array(text) = *self else { return f(self) };
        // Arrays in arrays count as their elements: the brackets between them can simply be passed over.
        let mut at = 0;
        while let Some(byte) = text.as_bytes().get(at) {
            if matches!(byte, b'[' | b']' | b',' | b' ' | b'\n' | b'\r' | b'\t') {
                at += 1;
                continue;
            }
            let end = json::value_end(text, at);
            if Value::of_valid(&text[at..end]).is_some_and(|element| f(&element)) {
                return true;
            }
            at = end;
        }
        false
    }

    /// The number that ordering operators, `from` and `value` see: a number, or a string that is a finite JSON number
    /// and nothing else.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(number.as_f64()),
            Value::String(text) if json::is_number(text) => Some(Number(text).as_f64()),
            _ => None,
        }
    }

    /// Appends the value as compact JSON: no white space, strings in their shortest escaping, the last of repeated
    /// keys, numbers as they were written.
    pub fn write_compact(&self, out: &mut Vec<u8>) {
        match self {
            Value::Null => out.extend_from_slice(b"null"),
            Value::Bool(true) => out.extend_from_slice(b"true"),
            Value::Bool(false) => out.extend_from_slice(b"false"),
            Value::Number(number) => out.extend_from_slice(number.0.as_bytes()),
            Value::String(text) => compact::write_string(text, out),
            Value::Array(text) | Value::Object(text) => compact::write_container(text, out),
        }
    }

    /// Parses compact JSON that [`Value::write_compact`] wrote; `None` for what is not JSON.
    pub fn from_compact(bytes: &'a [u8]) -> Option<Value<'a>> {
        let text = std::str::from_utf8(bytes).ok()?;
        Value::of_valid(text).filter(|_| json::is_json(text))
    }

    /// The value of a text that is one JSON value without white space around it. Containers are not checked.
    fn of_valid(text: &'a str) -> Option<Value<'a>> {
        Some(match text.as_bytes().first()? {
            b'[' => Value::Array(text),
            b'{' => Value::Object(text),
            _ => match json::scalar(text)? {
                (Scalar::Null, _) => Value::Null,
                (Scalar::True, _) => Value::Bool(true),
                (Scalar::False, _) => Value::Bool(false),
                (Scalar::Number, number) => Value::Number(Number(number)),
                (scalar, string) => Value::String(string::unescaped(scalar, string)),
            },
        })
    }

    /// The length of what [`Value::write_compact`] appends exceeds `bytes`.
    pub(super) fn is_longer_than(&self, bytes: usize) -> bool {
        match self {
            Value::String(text) => compact::string_len(text) > bytes,
            // Compacting never makes JSON longer.
            Value::Array(text) | Value::Object(text) if text.len() <= bytes => false,
            Value::Array(text) | Value::Object(text) => {
                let mut out = Vec::new();
                compact::write_container(text, &mut out);
                out.len() > bytes
            }
            Value::Number(number) => number.0.len() > bytes,
            Value::Null | Value::Bool(_) => false,
        }
    }
}

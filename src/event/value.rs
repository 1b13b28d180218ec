//! A JSON value as it stands in a record or in a lead's bytes.

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
    pub fn as_f64(&self) -> f64 {
        todo!()
    }
}

impl<'a> Value<'a> {
    /// Calls `f` for the value, or for each element if it is an array, and for the elements of arrays in it.
    /// Stops early and returns true once `f` does.
    pub fn any_element(&self, _f: &mut dyn FnMut(&Value<'_>) -> bool) -> bool {
        todo!()
    }

    /// The number that ordering operators, `from` and `value` see: a number, or a string that is a finite JSON number
    /// and nothing else.
    pub fn as_number(&self) -> Option<f64> {
        todo!()
    }

    /// Appends the value as compact JSON: no white space, strings in their shortest escaping, the last of repeated
    /// keys, numbers as they were written.
    pub fn write_compact(&self, _out: &mut Vec<u8>) {
        todo!()
    }

    /// Parses compact JSON that `write_compact` wrote; `None` for anything else.
    pub fn from_compact(_bytes: &'a [u8]) -> Option<Value<'a>> {
        todo!()
    }
}

//! Tests of single values and matchers of events, compiled.

use super::compiled::Field;
use crate::event::Value;
use crate::event::scan::Scan;

/// A test of one field: every part must hold.
#[derive(Debug, Default)]
pub struct Test {
    /// `exists`: looks at the whole field.
    pub exists: Option<bool>,
    /// `not`: negates the test that it holds, over the whole field.
    pub not: Option<Box<Test>>,
    /// One and the same element must pass all of these.
    pub ops: Vec<Op>,
}

/// A single comparison; texts are ASCII-lowercased when compiled.
#[derive(Debug)]
pub enum Op {
    Equals(Scalar),
    In(Items),
    Prefix(Vec<String>),
    Suffix(Vec<String>),
    Contains(Vec<String>),
    Regex(regex::Regex),
    Gt(f64),
    Gte(f64),
    Lt(f64),
    Lte(f64),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    Bool(bool),
    Number(f64),
    Text(String),
}

/// The items of an `in`: texts by hash, for target-account lists have thousands.
#[derive(Debug, Default)]
pub struct Items {
    pub texts: hashbrown::HashSet<String, super::compiled::foldless::Build>,
    pub others: Vec<Scalar>,
}

/// A test of a number (a score): every part must hold.
#[derive(Debug, Clone, PartialEq)]
pub enum NumberTest {
    All(Vec<NumberTest>),
    Not(Box<NumberTest>),
    Equals(f64),
    In(Vec<f64>),
    Gt(f64),
    Gte(f64),
    Lt(f64),
    Lte(f64),
    /// `exists: true` of a score, which always exists, and tests that no number passes.
    Always(bool),
}

/// A compiled matcher of events.
#[derive(Debug)]
pub enum Matcher {
    All(Vec<Matcher>),
    Any(Vec<Matcher>),
    Not(Box<Matcher>),
    Field(Field, Test),
}

impl Test {
    /// Whether the field with these values passes (SPEC §2, "Matchers and tests").
    pub fn holds<'a>(&self, _values: impl Iterator<Item = Value<'a>> + Clone) -> bool {
        todo!()
    }
}

impl NumberTest {
    pub fn holds(&self, _value: f64) -> bool {
        todo!()
    }
}

impl Matcher {
    pub fn matches(&self, _event: &Scan<'_>) -> bool {
        todo!()
    }
}

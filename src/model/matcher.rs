//! Tests of single values and matchers of events, compiled.

use super::compiled::Field;
use crate::event::Value;
use crate::event::scan::Scan;
use std::sync::Arc;

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

/// A single comparison; texts are ASCII-lowercased when compiled. What comes from a named list is shared.
#[derive(Debug)]
pub enum Op {
    Equals(Scalar),
    In(Arc<Items>),
    Prefix(Arc<[String]>),
    Suffix(Arc<[String]>),
    Contains(Arc<[String]>),
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
    pub fn holds<'a>(&self, values: impl Iterator<Item = Value<'a>> + Clone) -> bool {
        let present = |value: Value<'_>| !matches!(value, Value::Null);
        if self.exists.is_some_and(|exists| exists != values.clone().any(present)) {
            return false;
        }
        if !self.ops.is_empty() && !values.clone().any(|value| self.some_element_passes(&value)) {
            return false;
        }
        self.not.as_ref().is_none_or(|not| !not.holds(values))
    }

    fn some_element_passes(&self, value: &Value<'_>) -> bool {
        match value {
            Value::Array(_) => value.any_element(&mut |element| self.element_passes(element)),
            scalar => self.element_passes(scalar),
        }
    }

    fn element_passes(&self, element: &Value<'_>) -> bool {
        self.ops.iter().all(|op| op.holds(element))
    }
}

impl Op {
    /// Whether a value that is not an array passes. Null and objects pass nothing.
    fn holds(&self, value: &Value<'_>) -> bool {
        match self {
            Op::Equals(scalar) => scalar.equals(value),
            Op::In(items) => items.contains(value),
            Op::Prefix(texts) => any_text(value, texts, starts_with),
            Op::Suffix(texts) => any_text(value, texts, ends_with),
            Op::Contains(texts) => any_text(value, texts, contains),
            Op::Regex(regex) => matches!(value, Value::String(text) if regex.is_match(text)),
            Op::Gt(bound) => value.as_number().is_some_and(|number| number > *bound),
            Op::Gte(bound) => value.as_number().is_some_and(|number| number >= *bound),
            Op::Lt(bound) => value.as_number().is_some_and(|number| number < *bound),
            Op::Lte(bound) => value.as_number().is_some_and(|number| number <= *bound),
        }
    }
}

impl Scalar {
    /// Equality is within one JSON type.
    fn equals(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Scalar::Bool(a), Value::Bool(b)) => a == b,
            (Scalar::Number(a), Value::Number(b)) => *a == b.as_f64(),
            (Scalar::Text(a), Value::String(b)) => a.eq_ignore_ascii_case(b),
            _ => false,
        }
    }
}

impl Items {
    fn contains(&self, value: &Value<'_>) -> bool {
        match value {
            Value::String(text) => self.contains_text(text),
            value => self.others.iter().any(|other| other.equals(value)),
        }
    }

    /// Looks a text up in lower case; a copy is only made of long texts with capitals.
    fn contains_text(&self, text: &str) -> bool {
        let mut short = [0; 128];
        if !text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return self.texts.contains(text);
        }
        match short.get_mut(..text.len()) {
            Some(copy) => {
                copy.copy_from_slice(text.as_bytes());
                copy.make_ascii_lowercase();
                std::str::from_utf8(copy).is_ok_and(|lowercase| self.texts.contains(lowercase))
            }
            None => self.texts.contains(&text.to_ascii_lowercase()),
        }
    }
}

fn any_text(value: &Value<'_>, texts: &[String], test: fn(&[u8], &[u8]) -> bool) -> bool {
    match value {
        Value::String(value) => texts.iter().any(|text| test(value.as_bytes(), text.as_bytes())),
        _ => false,
    }
}

fn starts_with(value: &[u8], text: &[u8]) -> bool {
    value.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text))
}

fn ends_with(value: &[u8], text: &[u8]) -> bool {
    let start = value.len().checked_sub(text.len());
    start.is_some_and(|start| value[start..].eq_ignore_ascii_case(text))
}

/// `text` is in lower case.
fn contains(value: &[u8], text: &[u8]) -> bool {
    let Some(&first) = text.first() else { return true };
    let Some(last_start) = value.len().checked_sub(text.len()) else { return false };
    memchr::memchr2_iter(first, first.to_ascii_uppercase(), &value[..=last_start])
        .any(|start| value[start..start + text.len()].eq_ignore_ascii_case(text))
}

impl NumberTest {
    /// Whether a score passes, rounded as it is for comparisons.
    pub fn holds(&self, value: f64) -> bool {
        match self {
            NumberTest::All(all) => all.iter().all(|test| test.holds(value)),
            NumberTest::Not(test) => !test.holds(value),
            NumberTest::Equals(other) => value == *other,
            NumberTest::In(others) => others.contains(&value),
            NumberTest::Gt(bound) => value > *bound,
            NumberTest::Gte(bound) => value >= *bound,
            NumberTest::Lt(bound) => value < *bound,
            NumberTest::Lte(bound) => value <= *bound,
            NumberTest::Always(holds) => *holds,
        }
    }
}

impl Matcher {
    /// Whether an event is meant.
    pub fn matches(&self, event: &Scan<'_>) -> bool {
        match self {
            Matcher::All(all) => all.iter().all(|matcher| matcher.matches(event)),
            Matcher::Any(any) => any.iter().any(|matcher| matcher.matches(event)),
            Matcher::Not(matcher) => !matcher.matches(event),
            Matcher::Field(field, test) => test.holds(event.values(*field)),
        }
    }
}

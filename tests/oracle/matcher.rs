//! Tests of values and matchers of events (§2).

use regex::Regex;
use serde_json::Value;

use super::event::Event;

#[derive(Debug)]
pub enum Matcher {
    All(Vec<Matcher>),
    Any(Vec<Matcher>),
    Not(Box<Matcher>),
    Field(String, Test),
}

impl Matcher {
    pub fn matches(&self, event: &Event) -> bool {
        match self {
            Matcher::All(parts) => parts.iter().all(|part| part.matches(event)),
            Matcher::Any(parts) => parts.iter().any(|part| part.matches(event)),
            Matcher::Not(part) => !part.matches(event),
            Matcher::Field(field, test) => {
                let values = event.values(field);
                test.holds(&values.iter().collect::<Vec<_>>())
            }
        }
    }
}

/// What one field must pass: all of `each` on one and the same element, and the rest on the whole field.
#[derive(Debug, Default)]
pub struct Test {
    pub each: Vec<Operator>,
    pub exists: Option<bool>,
    pub not: Option<Box<Test>>,
}

#[derive(Debug)]
pub enum Operator {
    Equals(Value),
    In(Vec<Value>),
    Prefix(Vec<String>),
    Suffix(Vec<String>),
    Contains(Vec<String>),
    Regex(Regex),
    Gt(f64),
    Gte(f64),
    Lt(f64),
    Lte(f64),
}

impl Test {
    /// Whether the values at a field pass. More than one: the path went through an array.
    pub fn holds(&self, values: &[&Value]) -> bool {
        let mut elements = Vec::new();
        for value in values {
            flatten(value, &mut elements);
        }
        let each = self.each.is_empty()
            || elements.iter().any(|element| self.each.iter().all(|operator| operator.holds(element)));
        // Choice: an empty array exists.
        let present = values.iter().any(|value| !value.is_null());
        each && self.exists.is_none_or(|wanted| wanted == present)
            && self.not.as_ref().is_none_or(|test| !test.holds(values))
    }
}

/// The elements of a field: of arrays those within, to any depth; nulls are none.
fn flatten<'v>(value: &'v Value, elements: &mut Vec<&'v Value>) {
    match value {
        Value::Null => {}
        Value::Array(items) => items.iter().for_each(|item| flatten(item, elements)),
        other => elements.push(other),
    }
}

impl Operator {
    fn holds(&self, value: &Value) -> bool {
        let text = value.as_str().map(str::to_ascii_lowercase);
        let any = |wanted: &[String], passes: fn(&str, &str) -> bool| {
            text.as_ref().is_some_and(|text| wanted.iter().any(|w| passes(text, &w.to_ascii_lowercase())))
        };
        let number = number(value);
        match self {
            Operator::Equals(wanted) => equal(value, wanted),
            Operator::In(wanted) => wanted.iter().any(|wanted| equal(value, wanted)),
            Operator::Prefix(wanted) => any(wanted, |text, part| text.starts_with(part)),
            Operator::Suffix(wanted) => any(wanted, |text, part| text.ends_with(part)),
            Operator::Contains(wanted) => any(wanted, |text, part| text.contains(part)),
            Operator::Regex(regex) => value.as_str().is_some_and(|text| regex.is_match(text)),
            Operator::Gt(bound) => number.is_some_and(|n| n > *bound),
            Operator::Gte(bound) => number.is_some_and(|n| n >= *bound),
            Operator::Lt(bound) => number.is_some_and(|n| n < *bound),
            Operator::Lte(bound) => number.is_some_and(|n| n <= *bound),
        }
    }
}

/// Equality within one JSON type, numbers by value, strings without regard to ASCII case.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a.eq_ignore_ascii_case(b),
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Bool(a), Value::Bool(b)) => a == b,
        _ => false,
    }
}

/// A number, or a string that is a finite JSON number and nothing else.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => {
            if text.trim() != text {
                return None;
            }
            match serde_json::from_str::<Value>(text) {
                Ok(Value::Number(number)) => number.as_f64(),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The values at a path, which steps into every element of an array on its way.
pub fn values_at(value: &Value, path: &[&str], found: &mut Vec<Value>) {
    match (path, value) {
        ([], value) => found.push(value.clone()),
        ([key, rest @ ..], Value::Object(map)) => {
            if let Some(value) = map.get(*key) {
                values_at(value, rest, found);
            }
        }
        (path, Value::Array(items)) => items.iter().for_each(|item| values_at(item, path, found)),
        _ => {}
    }
}

/// Choice: where one value is wanted, the first that is not null, in document order.
pub fn first(values: &[Value]) -> Option<&Value> {
    values.iter().find(|value| !value.is_null())
}

/// `first`, if it is a string, a number or a boolean.
pub fn scalar(values: &[Value]) -> Option<&Value> {
    first(values).filter(|value| !value.is_array() && !value.is_object())
}

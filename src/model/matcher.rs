//! Tests of single values and matchers of events, compiled.

use super::compiled::Field;
use crate::event::Value;
use crate::event::scan::Scan;
use std::sync::Arc;

/// A test of one field: every part must hold.
#[derive(Debug, Clone, Default)]
pub struct Test {
    /// `exists`: looks at the whole field.
    pub exists: Option<bool>,
    /// `not`: negates the test that it holds, over the whole field.
    pub not: Option<Box<Test>>,
    /// One and the same element must pass all of these.
    pub ops: Vec<Op>,
}

/// A single comparison; texts are ASCII-lowercased when compiled. What comes from a named list is shared.
#[derive(Debug, Clone)]
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
    pub texts: hashbrown::HashSet<String, super::compiled::NameHasher>,
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
#[derive(Debug, Clone)]
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
            Value::String(text) => in_lowercase(text, |text| self.texts.contains(text)),
            value => self.others.iter().any(|other| other.equals(value)),
        }
    }
}

/// Looks a text up in lower case; nothing is allocated but for long texts with capitals.
pub(super) fn in_lowercase<T>(text: &str, look_up: impl FnOnce(&str) -> T) -> T {
    if !text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return look_up(text);
    }
    let mut short = [0; 128];
    if let Some(copy) = short.get_mut(..text.len()) {
        copy.copy_from_slice(text.as_bytes());
        copy.make_ascii_lowercase();
        if let Ok(lowercase) = std::str::from_utf8(copy) {
            return look_up(lowercase);
        }
    }
    look_up(&text.to_ascii_lowercase())
}

fn any_text(value: &Value<'_>, texts: &[String], test: fn(&[u8], &[u8]) -> bool) -> bool {
    match value {
        Value::String(value) => texts.iter().any(|text| test(value.as_bytes(), text.as_bytes())),
        _ => false,
    }
}

fn starts_with(value: &[u8], text: &[u8]) -> bool {
    value.get(..text.len()).is_some_and(|start| same(start, text))
}

fn ends_with(value: &[u8], text: &[u8]) -> bool {
    let start = value.len().checked_sub(text.len());
    start.is_some_and(|start| same(&value[start..], text))
}

/// Whether texts of one length are equal but for ASCII case. The last byte tells most apart: addresses begin alike.
#[inline]
fn same(one: &[u8], other: &[u8]) -> bool {
    let last = |text: &[u8]| text.last().map(u8::to_ascii_lowercase);
    last(one) == last(other) && one.eq_ignore_ascii_case(other)
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
    /// Matches every event.
    pub const ALWAYS: Matcher = Matcher::All(Vec::new());

    /// Whether an event is meant.
    pub fn matches(&self, event: &Scan<'_>) -> bool {
        match self {
            Matcher::All(all) => all.iter().all(|matcher| matcher.matches(event)),
            Matcher::Any(any) => any.iter().any(|matcher| matcher.matches(event)),
            Matcher::Not(matcher) => !matcher.matches(event),
            // Most fields that models ask for are not in most events.
            Matcher::Field(field, test) if !test.ops.is_empty() && event.lacks(*field) => false,
            Matcher::Field(field, test) => test.holds(event.values(*field)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Number;
    use std::borrow::Cow;

    fn number(text: &str) -> Value<'_> {
        Value::Number(Number(text))
    }

    fn text(text: &str) -> Value<'_> {
        Value::String(Cow::Borrowed(text))
    }

    /// The test as a model writes it.
    fn test(yaml: &str) -> Test {
        let model = format!(
            "model: m\nversion: 1\nstages: [ {{ name: a }}, {{ name: b }} ]\nlists: {{ l: ['@gmail.com', Acme] }}\n\
             transitions: [ {{ name: t, from: a, to: b, when: {{ traits.x: {yaml} }} }} ]"
        );
        let loaded = crate::model::Model::load("m", model.as_bytes(), &mut |_| unreachable!());
        loaded.unwrap_or_else(|found| panic!("{yaml}: {found:?}")).model.facts.remove(0).test
    }

    #[track_caller]
    fn check(yaml: &str, passes: &[Value<'_>], fails: &[Value<'_>]) {
        let test = test(yaml);
        for value in passes {
            assert!(test.holds(std::iter::once(value.clone())), "{yaml} should pass {value:?}");
        }
        for value in fails {
            assert!(!test.holds(std::iter::once(value.clone())), "{yaml} should not pass {value:?}");
        }
    }

    #[test]
    fn equality_is_within_one_type() {
        check(
            "5",
            &[number("5"), number("5.0"), number("50e-1")],
            &[text("5"), number("6"), Value::Bool(true)],
        );
        check("'5'", &[text("5")], &[number("5"), text("5.0")]);
        check("true", &[Value::Bool(true)], &[text("true"), Value::Bool(false), number("1")]);
        check("Ada", &[text("ADA"), text("ada")], &[text("Adah"), text(" ada")]);
        check("ÄRA", &[text("Ära")], &[text("ära")]);
        check(
            "[1, x, true]",
            &[number("1.0"), text("X"), Value::Bool(true)],
            &[text("1"), number("2"), Value::Null],
        );
    }

    #[test]
    fn texts_ignore_ascii_case() {
        check(
            "{ prefix: /Pricing }",
            &[text("/pricing/eu"), text("/PRICING")],
            &[text("/pric"), text("a/pricing")],
        );
        check("{ suffix: $l }", &[text("ada@GMAIL.com"), text("acme")], &[text("ada@gmail.de"), number("1")]);
        check(
            "{ contains: [Manager, lead] }",
            &[text("sales MANAGER"), text("leader")],
            &[text("manage"), text("")],
        );
        check("{ contains: aab }", &[text("aaab"), text("aAB")], &[text("aaaa"), text("ab")]);
        check("{ regex: 'a.c' }", &[text("xabcx")], &[text("ABC"), number("1")]);
        check("{ regex: '(?i)^abc$' }", &[text("ABC")], &[text("abcd")]);
        check("$l", &[text("ACME"), text("@gmail.com")], &[text("a@gmail.com")]);
    }

    #[test]
    fn long_texts_are_found_in_lists() {
        let long = "Acme".repeat(100);
        check(&format!("[{long}]"), &[text(&long.to_uppercase()), text(&long)], &[text("acme")]);
    }

    #[test]
    fn order_takes_numbers_and_their_texts() {
        check(
            "{ gte: 10 }",
            &[number("10"), text("10"), text("1e2")],
            &[number("9.9"), text("10 "), text("ten"), text("")],
        );
        check("{ gt: 1, lt: 3 }", &[number("2")], &[number("1"), number("3"), Value::Bool(true)]);
        check("{ lte: 0 }", &[number("-1"), number("0")], &[Value::Null, Value::Object("{}"), text("1")]);
    }

    #[test]
    fn one_and_the_same_element_passes_all_operators() {
        check("{ gt: 1, lt: 3 }", &[Value::Array("[0,2]")], &[Value::Array("[0,5]"), Value::Array("[]")]);
        check(
            "red",
            &[Value::Array(r#"["blue","RED"]"#), Value::Array(r#"[["red"]]"#)],
            &[Value::Array(r#"["blue"]"#)],
        );
        let between = test("{ gt: 1, lt: 3 }");
        assert!(between.holds([number("0"), number("2")].into_iter()));
        assert!(!between.holds([number("0"), number("5")].into_iter()));
    }

    #[test]
    fn not_and_exists_look_at_the_whole_field() {
        check(
            "{ not: red }",
            &[Value::Null, Value::Array(r#"["blue"]"#)],
            &[Value::Array(r#"["blue","red"]"#)],
        );
        check("{ not: { not: red } }", &[text("red")], &[Value::Null, text("blue")]);
        check("{ exists: true, not: red }", &[text("blue")], &[Value::Null, text("red")]);
        check(
            "{ exists: true }",
            &[Value::Array("[]"), Value::Object("{}"), text(""), Value::Bool(false)],
            &[Value::Null],
        );
        check("{ exists: false }", &[Value::Null], &[number("0"), Value::Array("[null]")]);
        check("{ gt: 1, not: { gt: 5 } }", &[Value::Array("[2,3]")], &[Value::Array("[2,9]")]);
    }

    #[test]
    fn a_missing_field_passes_only_not_and_exists_false() {
        let missing = |yaml: &str| test(yaml).holds(std::iter::empty());
        assert!(
            missing("{ exists: false }") && missing("{ not: 5 }") && missing("{ not: { exists: true } }")
        );
        assert!(!missing("5") && !missing("{ exists: true }") && !missing("{ lte: 5 }") && !missing("[a]"));
        assert!(!missing("{ exists: false, gt: 1 }"));
    }

    #[test]
    fn scores_are_compared_as_numbers() {
        let test = NumberTest::All(vec![
            NumberTest::Gte(1.0),
            NumberTest::Not(Box::new(NumberTest::In(vec![2.0, 3.0]))),
        ]);
        assert!(test.holds(1.0) && test.holds(4.0) && !test.holds(3.0) && !test.holds(0.5));
        assert!(NumberTest::Always(true).holds(0.0) && !NumberTest::Equals(1.0).holds(2.0));
        assert!(
            NumberTest::Gt(1.0).holds(2.0)
                && NumberTest::Lt(1.0).holds(0.0)
                && NumberTest::Lte(1.0).holds(1.0)
        );
    }
}

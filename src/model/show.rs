//! Compiled tests in words: what a value must be.

use super::matcher::{NumberTest, Op, Scalar, Test};
use std::fmt;

/// Items of a list that are named; of longer ones the rest is counted.
const NAMED: usize = 4;

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.exists.map(|exists| if exists { "is known" } else { "is not known" }.to_owned()));
        parts.extend(self.ops.iter().map(ToString::to_string));
        parts.extend(self.not.iter().map(|not| format!("not: {not}")));
        f.write_str(&parts.join(" and "))
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Op::Equals(scalar) => write!(f, "is {scalar}"),
            Op::In(items) => {
                let mut texts: Vec<&str> = items.texts.iter().map(String::as_str).collect();
                texts.sort_unstable();
                let others = items.others.iter().map(ToString::to_string);
                write!(f, "is {}", one_of(texts.iter().map(|text| (*text).to_owned()).chain(others)))
            }
            Op::Prefix(texts) => write!(f, "begins with {}", one_of(texts.iter().cloned())),
            Op::Suffix(texts) => write!(f, "ends with {}", one_of(texts.iter().cloned())),
            Op::Contains(texts) => write!(f, "contains {}", one_of(texts.iter().cloned())),
            Op::Regex(regex) => write!(f, "matches {regex}"),
            Op::Gt(bound) => write!(f, "> {bound}"),
            Op::Gte(bound) => write!(f, "≥ {bound}"),
            Op::Lt(bound) => write!(f, "< {bound}"),
            Op::Lte(bound) => write!(f, "≤ {bound}"),
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Bool(value) => value.fmt(f),
            Scalar::Number(number) => number.fmt(f),
            Scalar::Text(text) => text.fmt(f),
        }
    }
}

impl fmt::Display for NumberTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NumberTest::All(all) => {
                let parts: Vec<String> = all.iter().map(ToString::to_string).collect();
                f.write_str(&parts.join(" and "))
            }
            NumberTest::Not(test) => write!(f, "not {test}"),
            NumberTest::Equals(bar) => write!(f, "= {bar}"),
            NumberTest::In(bars) => write!(f, "= {}", one_of(bars.iter().map(ToString::to_string))),
            NumberTest::Gt(bar) => write!(f, "> {bar}"),
            NumberTest::Gte(bar) => write!(f, "≥ {bar}"),
            NumberTest::Lt(bar) => write!(f, "< {bar}"),
            NumberTest::Lte(bar) => write!(f, "≤ {bar}"),
            NumberTest::Always(true) => write!(f, "any"),
            NumberTest::Always(false) => write!(f, "what no number is"),
        }
    }
}

/// `a, b or c`; of many `a, b, c, d or 17 more`.
fn one_of(items: impl Iterator<Item = String>) -> String {
    let mut items: Vec<String> = items.collect();
    if items.len() > NAMED + 1 {
        let more = items.len() - NAMED;
        items.truncate(NAMED);
        items.push(format!("{more} more"));
    }
    match items.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} or {last}", first.join(", ")),
        None => String::new(),
    }
}

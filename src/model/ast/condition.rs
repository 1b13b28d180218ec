//! Matchers of events, conditions about leads, and the tests that both are made of.

use super::{Duration, Field, Items, Number, Scalar, Span, Spanned, Text, TraitPath};
use schemars::JsonSchema;
use std::fmt;

/// Which events are meant: all entries must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Matcher {
    pub entries: Vec<MatcherEntry>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum MatcherEntry {
    All(Vec<Matcher>),
    Any(Vec<Matcher>),
    Not(Matcher),
    Field(Spanned<Field>, Spanned<Test>),
}

/// What must be true of a lead: all entries must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Condition {
    pub entries: Vec<Spanned<ConditionEntry>>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ConditionEntry {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Condition),
    Score(Text, Spanned<Test>),
    Grade(Text, GradeTest),
    Trait(Spanned<TraitPath>, Spanned<Test>),
    Stage(StageTest),
    Identified(bool),
    Qualified(Text, QualifiedTest),
    Seen(Seen),
}

/// `A`, `[A, B]`, or `{ at_least: B }`, which compares bars.
#[derive(Debug, Clone, PartialEq)]
pub enum GradeTest {
    OneOf(Items<String>),
    AtLeast(Text),
}

/// `mql`, `[mql, sal]`, or `{ not: mql }`.
#[derive(Debug, Clone, PartialEq)]
pub enum StageTest {
    OneOf(Items<String>),
    Not(Box<StageTest>),
}

/// How many criteria of a qualification must hold.
#[derive(Debug, Clone, PartialEq)]
pub enum QualifiedTest {
    All,
    AtLeast(Spanned<u32>),
}

/// What the lead did before.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema)]
#[schemars(rename = "SeenRule", deny_unknown_fields)]
pub struct Seen {
    /// The signal.
    pub signal: Text,
    /// How many occurrences, or distinct values, there must be (1 to 1000).
    #[schemars(with = "u32", range(min = 1, max = 1000), default = "once")]
    pub at_least: Option<Spanned<u32>>,
    /// How recent they must be: a duration, or `stage` for those since the lead entered its stage.
    pub within: Option<Spanned<SeenWithin>>,
    /// Count different values of this field of the event; `day` counts days (UTC).
    pub distinct: Option<Spanned<Distinct>>,
}

fn once() -> u32 {
    1
}

#[derive(Debug, Clone, PartialEq)]
pub enum SeenWithin {
    Duration(Duration),
    Stage,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Distinct {
    Day,
    Field(Field),
}

/// A test of one value.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// It equals this.
    Equals(Spanned<Scalar>),
    /// It is one of these.
    In(Items<Scalar>),
    /// All of these hold.
    Operators(Box<Operators>),
}

impl Default for Test {
    fn default() -> Self {
        Test::Operators(Box::default())
    }
}

/// A test by operators; all that are given must hold.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema)]
#[schemars(rename = "Operators", deny_unknown_fields)]
pub struct Operators {
    /// It equals this. Texts are equal whatever the case of their letters A to Z.
    pub equals: Option<Spanned<Scalar>>,
    /// It is one of these.
    #[schemars(rename = "in")]
    pub one_of: Option<Items<Scalar>>,
    /// It begins with this, or with one of these.
    pub prefix: Option<Items<String>>,
    /// It ends with this, or with one of these.
    pub suffix: Option<Items<String>>,
    /// This, or one of these, stands somewhere in it.
    pub contains: Option<Items<String>>,
    /// This regular expression is found in it; case counts, unless the expression begins with `(?i)`.
    pub regex: Option<Text>,
    /// It is a number greater than this.
    pub gt: Option<Spanned<Number>>,
    /// It is a number greater than this, or equal to it.
    pub gte: Option<Spanned<Number>>,
    /// It is a number less than this.
    pub lt: Option<Spanned<Number>>,
    /// It is a number less than this, or equal to it.
    pub lte: Option<Spanned<Number>>,
    /// Whether there is any value at all.
    pub exists: Option<bool>,
    /// This test does not hold.
    pub not: Option<Spanned<Test>>,
}

/// As YAML, in one line and one spelling, so that equal tests have equal texts.
impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Test::Equals(scalar) => scalar.fmt(f),
            Test::In(items) => items.fmt(f),
            Test::Operators(operators) => operators.fmt(f),
        }
    }
}

impl fmt::Display for Operators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        fn part(parts: &mut Vec<String>, name: &str, value: Option<&dyn fmt::Display>) {
            parts.extend(value.map(|value| format!("{name}: {value}")));
        }
        fn shown<T: fmt::Display>(value: &Option<T>) -> Option<&dyn fmt::Display> {
            value.as_ref().map(|value| value as &dyn fmt::Display)
        }
        let texts = |items: &Option<Items<String>>| items.clone().map(quote_items);
        part(&mut parts, "equals", shown(&self.equals));
        part(&mut parts, "in", shown(&self.one_of));
        part(&mut parts, "prefix", shown(&texts(&self.prefix)));
        part(&mut parts, "suffix", shown(&texts(&self.suffix)));
        part(&mut parts, "contains", shown(&texts(&self.contains)));
        part(&mut parts, "regex", shown(&self.regex.as_ref().map(|text| Scalar::Text(text.value.clone()))));
        part(&mut parts, "gt", shown(&self.gt));
        part(&mut parts, "gte", shown(&self.gte));
        part(&mut parts, "lt", shown(&self.lt));
        part(&mut parts, "lte", shown(&self.lte));
        part(&mut parts, "exists", shown(&self.exists));
        part(&mut parts, "not", shown(&self.not));
        write!(f, "{{ {} }}", parts.join(", "))
    }
}

fn quote_items(items: Items<String>) -> Items<Scalar> {
    match items {
        Items::List(name) => Items::List(name),
        Items::Inline(items) => Items::Inline(
            items.into_iter().map(|item| Spanned::new(Scalar::Text(item.value), item.span)).collect(),
        ),
    }
}

impl fmt::Display for Distinct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Distinct::Day => write!(f, "day"),
            Distinct::Field(field) => field.fmt(f),
        }
    }
}

impl Condition {
    /// The place of its first entry.
    pub fn span(&self) -> Span {
        self.entries.first().map(|entry| entry.span).unwrap_or_default()
    }
}

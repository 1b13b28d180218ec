//! The small values of which a model is made.

use super::{Spanned, Text};
use std::fmt;

/// Entries by name, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Named<T>(pub Vec<(Text, T)>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Named(Vec::new())
    }
}

impl<T> Named<T> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Text, &T)> + Clone {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

/// A number, or `$name` for a threshold.
#[derive(Debug, Clone, PartialEq)]
pub enum Number {
    Literal(f64),
    /// Without the `$`.
    Threshold(String),
}

impl Default for Number {
    fn default() -> Self {
        Number::Literal(0.0)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Literal(number) => number.fmt(f),
            Number::Threshold(name) => write!(f, "${name}"),
        }
    }
}

/// A duration in milliseconds; in YAML `500ms 90s 5m 24h 30d 2w`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration {
    pub ms: i64,
}

/// The units of durations, the longest first.
pub const UNITS: [(&str, i64); 6] =
    [("w", 7 * 86_400_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

impl fmt::Display for Duration {
    /// In the longest unit that holds it exactly.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.iter().find(|(_, ms)| self.ms % ms == 0 && self.ms > 0) {
            Some((unit, ms)) => write!(f, "{}{unit}", self.ms / ms),
            None => write!(f, "0s"),
        }
    }
}

/// A text, a number, true or false.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    Bool(bool),
    Number(f64),
    Text(String),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Bool(value) => value.fmt(f),
            Scalar::Number(value) => value.fmt(f),
            Scalar::Text(value) => quoted(value, f),
        }
    }
}

/// Writes a text in single quotes, as YAML reads it back.
pub(super) fn quoted(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "'{}'", text.replace('\'', "''"))
}

/// A field of an event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Field {
    #[default]
    Kind,
    /// The name of a track, page or screen.
    Event,
    Lead,
    Properties(Vec<String>),
    Context(Vec<String>),
    /// The event's own traits.
    Traits(Vec<String>),
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Field::Kind => write!(f, "kind"),
            Field::Event => write!(f, "event"),
            Field::Lead => write!(f, "lead"),
            Field::Properties(steps) => write!(f, "properties.{}", steps.join(".")),
            Field::Context(steps) => write!(f, "context.{}", steps.join(".")),
            Field::Traits(steps) => write!(f, "traits.{}", steps.join(".")),
        }
    }
}

/// The path of a trait of the lead, without `traits.` before it: `company.name`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct TraitPath {
    pub steps: Vec<String>,
}

impl fmt::Display for TraitPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.join(".").fmt(f)
    }
}

/// `[min, max]`, both included; `null`: unbounded on that side.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    pub min: Option<Spanned<Number>>,
    pub max: Option<Spanned<Number>>,
}

/// The items of a list: written out, or `$name` for a named list.
#[derive(Debug, Clone, PartialEq)]
pub enum Items<T> {
    Inline(Vec<Spanned<T>>),
    /// Without the `$`.
    List(Text),
}

impl<T: fmt::Display> fmt::Display for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Items::List(name) => write!(f, "${name}"),
            Items::Inline(items) => {
                write!(f, "[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if index > 0 { ", " } else { "" })?;
                }
                write!(f, "]")
            }
        }
    }
}

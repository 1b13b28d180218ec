//! Texts, numbers, durations, fields.

use super::{Literal, Reader};
use crate::model::ast::{Duration, Field, Items, Number, Range, Scalar, TraitPath};
use crate::model::diagnostic::{Spanned, Text, shorten};
use crate::model::yaml::{Node, NodeKind, Plain};

/// `at_most`, `at_least` and `touches` (SPEC §1).
const MAX_COUNT: f64 = 1000.0;
/// Longer durations are slips; the sum of a time and a duration must stay a time.
const MAX_YEARS: i64 = 1000;
const MAX_DURATION_MS: i64 = MAX_YEARS * 365 * 86_400_000;
/// The largest whole number that a JSON number holds exactly.
const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;

impl Reader<'_> {
    /// A text that is not empty. A number or a boolean is taken as it is written: `label: 404` needs no quotes.
    pub(crate) fn text(&mut self, node: &Node) -> Text {
        match &node.kind {
            NodeKind::Scalar(text, plain) if *plain != Plain::Null => {
                if text.is_empty() {
                    self.error(node.span, "this text is empty", "fill it, or remove the line");
                }
                Text::new(text.clone(), node.span)
            }
            _ => {
                self.mismatch(node, "a text");
                Text::new(String::new(), node.span)
            }
        }
    }

    pub(crate) fn bool(&mut self, node: &Node) -> bool {
        match &node.kind {
            NodeKind::Scalar(_, Plain::Bool(value)) => *value,
            NodeKind::Scalar(text, Plain::Text)
                if matches!(&*text.to_ascii_lowercase(), "yes" | "no" | "on" | "off") =>
            {
                let meant = matches!(&*text.to_ascii_lowercase(), "yes" | "on");
                let message = format!("expected true or false, found the text '{text}'");
                self.error(node.span, message, format!("write {meant}"));
                meant
            }
            _ => {
                self.mismatch(node, "true or false");
                false
            }
        }
    }

    /// A number as such, not a threshold.
    pub(crate) fn literal(&mut self, node: &Node) -> Literal {
        let value = match &node.kind {
            NodeKind::Scalar(_, Plain::Number(value)) if value.is_finite() => *value,
            NodeKind::Scalar(text, Plain::Number(_)) => {
                let message = format!("{} is not a finite number", shorten(text));
                self.error(
                    node.span,
                    message,
                    "write a number in digits; in a range null stands for no limit",
                );
                0.0
            }
            NodeKind::Scalar(text, Plain::Text) if text.trim().parse::<f64>().is_ok_and(f64::is_finite) => {
                let message = format!("expected a number, found {}", node.describe());
                self.error(node.span, message, "remove the quotes");
                0.0
            }
            _ => {
                self.mismatch(node, "a number");
                0.0
            }
        };
        // A YAML −0 is 0: records never show a negative zero.
        Spanned::new(value + 0.0, node.span)
    }

    /// A number or `$name` of a threshold.
    pub(super) fn number(&mut self, node: &Node) -> Spanned<Number> {
        if let NodeKind::Scalar(text, Plain::Text) = &node.kind
            && let Some(name) = text.strip_prefix('$')
        {
            return Spanned::new(Number::Threshold(name.to_owned()), node.span);
        }
        let literal = self.literal(node);
        Spanned::new(Number::Literal(literal.value), node.span)
    }

    pub(crate) fn whole(&mut self, node: &Node) -> Spanned<u64> {
        let value = self.literal(node).value;
        if value < 0.0 || value.fract() != 0.0 || value > MAX_WHOLE {
            let message = format!("expected a whole number such as 3, found {}", node.describe());
            self.error(node.span, message, "leave the fraction out and count up by 1 with each change");
            return Spanned::new(0, node.span);
        }
        Spanned::new(value as u64, node.span)
    }

    /// A whole number from 1 to 1000.
    pub(crate) fn count(&mut self, node: &Node) -> Spanned<u32> {
        if let NodeKind::Scalar(_, Plain::Number(value)) = &node.kind
            && value.fract() == 0.0
            && (1.0..=MAX_COUNT).contains(value)
        {
            return Spanned::new(*value as u32, node.span);
        }
        self.mismatch(node, "a whole number from 1 to 1000");
        Spanned::new(1, node.span)
    }

    /// A duration, also 0.
    pub(crate) fn duration(&mut self, node: &Node) -> Duration {
        let expected = "a duration such as 90s, 5m, 24h, 30d or 2w";
        let NodeKind::Scalar(text, plain) = &node.kind else {
            self.mismatch(node, expected);
            return Duration { ms: 1 };
        };
        match crate::duration::parse_ms(text) {
            Some(ms) if ms <= MAX_DURATION_MS => return Duration { ms },
            Some(_) => {
                let message = format!("a duration is at most {MAX_YEARS} years");
                self.error(
                    node.span,
                    message,
                    "check the number of digits, and the unit: w stands for weeks",
                );
            }
            None => {
                let hint = match plain {
                    Plain::Number(value) if *value < 0.0 => "a duration is never negative".to_owned(),
                    Plain::Number(value) if value.fract() == 0.0 => {
                        format!("write the unit right after the number: {text}s, {text}m, {text}h, {text}d")
                    }
                    _ if text.starts_with('-') => "a duration is never negative".to_owned(),
                    _ => "write a whole number and its unit (ms, s, m, h, d, w) without a space".to_owned(),
                };
                self.error(node.span, format!("expected {expected}, found {}", node.describe()), hint);
            }
        }
        Duration { ms: 1 }
    }

    /// A duration above 0.
    pub(crate) fn period(&mut self, node: &Node) -> Duration {
        let duration = self.duration(node);
        if duration.ms == 0 {
            self.error(
                node.span,
                "this duration must be longer than 0",
                "write a time such as 7d, or leave it out",
            );
            return Duration { ms: 1 };
        }
        duration
    }

    pub(super) fn scalar(&mut self, node: &Node) -> Spanned<Scalar> {
        let scalar = match &node.kind {
            NodeKind::Scalar(text, Plain::Text) => Scalar::Text(text.clone()),
            NodeKind::Scalar(_, Plain::Bool(value)) => Scalar::Bool(*value),
            NodeKind::Scalar(_, Plain::Number(_)) => Scalar::Number(self.literal(node).value),
            NodeKind::Scalar(_, Plain::Null) => {
                self.error(
                    node.span,
                    "nothing is equal to null",
                    "to test for a missing value write `{ exists: false }`",
                );
                Scalar::Bool(false)
            }
            _ => {
                self.mismatch(node, "a text, a number, true or false");
                Scalar::Bool(false)
            }
        };
        Spanned::new(scalar, node.span)
    }

    /// The items of a list, or `$name`.
    pub(super) fn items<T>(
        &mut self,
        node: &Node,
        read: impl FnMut(&mut Self, &Node) -> Spanned<T>,
    ) -> Items<T> {
        match self.list_name(node) {
            Some(name) => Items::List(name),
            None => Items::Inline(self.several(node, read)),
        }
    }

    /// A text, a list of texts, or `$name`.
    pub(super) fn text_or_items(&mut self, node: &Node) -> Items<String> {
        match self.list_name(node) {
            Some(name) => Items::List(name),
            None => Items::Inline(self.one_or_several(node, Reader::plain_text)),
        }
    }

    /// `$name` of a list, without the `$`.
    pub(super) fn list_name(&self, node: &Node) -> Option<Text> {
        match &node.kind {
            NodeKind::Scalar(text, Plain::Text) => {
                text.strip_prefix('$').map(|name| Text::new(name.to_owned(), node.span))
            }
            _ => None,
        }
    }

    /// A text to compare with; unlike a name it must be written as one, for a number never equals a text.
    fn plain_text(&mut self, node: &Node) -> Text {
        match &node.kind {
            NodeKind::Scalar(text, Plain::Text) => Text::new(text.clone(), node.span),
            NodeKind::Scalar(text, plain) if *plain != Plain::Null => {
                let message = format!("expected a text, found {}", node.describe());
                self.error(node.span, message, format!("put it in quotes: '{}'", shorten(text)));
                Text::new(text.clone(), node.span)
            }
            _ => {
                self.mismatch(node, "a text");
                Text::new(String::new(), node.span)
            }
        }
    }

    pub(super) fn range(&mut self, node: &Node) -> Spanned<Range> {
        let NodeKind::List(items) = &node.kind else {
            self.mismatch(node, "a range such as [0, 100]");
            return Spanned::new(Range { min: None, max: None }, node.span);
        };
        let [min, max] = items.as_slice() else {
            self.error(
                node.span,
                "a range has two numbers: [lowest, highest]",
                "write null for no limit: [0, null]",
            );
            return Spanned::new(Range { min: None, max: None }, node.span);
        };
        let mut bound = |node: &Node| match node.kind {
            NodeKind::Scalar(_, Plain::Null) => None,
            _ => Some(self.number(node)),
        };
        Spanned::new(Range { min: bound(min), max: bound(max) }, node.span)
    }

    /// A field of an event.
    pub(super) fn field(&mut self, node: &Node) -> Spanned<Field> {
        let text = self.text(node);
        self.field_of(&text)
    }

    pub(super) fn field_of(&mut self, text: &Text) -> Spanned<Field> {
        let (first, rest) =
            text.split_once('.').map_or((text.as_str(), None), |(first, rest)| (first, Some(rest)));
        let field = match (first, rest) {
            ("kind", None) => Field::Kind,
            ("event", None) => Field::Event,
            ("lead", None) => Field::Lead,
            ("properties", Some(rest)) => Field::Properties(self.steps(text, rest)),
            ("context", Some(rest)) => Field::Context(self.steps(text, rest)),
            ("traits", Some(rest)) => Field::Traits(self.steps(text, rest)),
            ("properties" | "context" | "traits", None) => {
                let message = format!("'{first}' alone is not a field");
                self.error(text.span, message, format!("name what stands in it: `{first}.something`"));
                Field::default()
            }
            _ => {
                // An empty text is already reported.
                if !text.is_empty() {
                    self.unknown_field(text, first, rest);
                }
                Field::default()
            }
        };
        Spanned::new(field, text.span)
    }

    fn unknown_field(&mut self, text: &Text, first: &str, rest: Option<&str>) {
        let paths = ["properties", "context", "traits"];
        let words = ["kind", "event", "lead"];
        let hint = match rest {
            Some(_) if matches!(first, "property" | "props") => Some("did you mean 'properties'?".to_owned()),
            Some(_) => self.diagnostics.suggest(first, paths.into_iter()),
            None => self.diagnostics.suggest(first, words.into_iter().chain(paths)),
        };
        let hint = hint.unwrap_or_else(|| {
            format!(
                "fields are kind, event, lead, properties.…, context.…, traits.…: perhaps `properties.{}`",
                shorten(text)
            )
        });
        self.error(text.span, format!("unknown field '{}'", shorten(text)), hint);
    }

    /// The steps of a path; `text` is all of it.
    pub(super) fn steps(&mut self, text: &Text, path: &str) -> Vec<String> {
        if path.split('.').any(str::is_empty) {
            let message = format!("'{}' has an empty step", shorten(text));
            self.error(text.span, message, "names stand between the dots: `company.name`");
        }
        path.split('.').map(str::to_owned).collect()
    }

    /// `traits.company.name`, as `requires` writes it.
    pub(super) fn required_trait(&mut self, node: &Node) -> Spanned<TraitPath> {
        let text = self.text(node);
        let steps = match text.strip_prefix("traits.") {
            Some(path) => self.steps(&text, path),
            None if text.is_empty() => Vec::new(),
            None => {
                let message = format!("expected a trait, found '{}'", shorten(&text));
                self.error(node.span, message, format!("write `traits.{}`", shorten(&text)));
                Vec::new()
            }
        };
        Spanned::new(TraitPath { steps }, node.span)
    }

    /// `company.name`, as `emit.traits` writes it.
    pub(super) fn emitted_trait(&mut self, node: &Node) -> Spanned<TraitPath> {
        let text = self.text(node);
        if let Some(path) = text.strip_prefix("traits.") {
            let message = format!("traits stand here without `traits.`, found '{}'", shorten(&text));
            self.error(node.span, message, format!("write `{}`", shorten(path)));
        }
        let steps = if text.is_empty() { Vec::new() } else { self.steps(&text, &text) };
        Spanned::new(TraitPath { steps }, node.span)
    }
}

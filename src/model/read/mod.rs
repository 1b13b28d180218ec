//! From the YAML tree to the types of [`super::ast`]: the shape of everything is checked here, names are not yet
//! looked up. Every function returns something, also for a mistake that it has reported, so that one pass finds all.

mod condition;
mod funnel;
mod scores;
mod values;

use super::ast::{List, Model, Named, Signal};
use super::diagnostic::{Diagnostics, Span, Spanned, Text, shorten};
use super::yaml::{Node, NodeKind, Plain};
use crate::suggest::similar;

/// Reads a whole model.
pub fn model(root: &Node, diagnostics: &mut Diagnostics) -> Model {
    let r = &mut Reader::new(diagnostics);
    let Some(mut map) = r.map(root, "the model") else { return Model::default() };
    let model = Model {
        model: map.required(r, "model", Reader::text),
        version: map.required(r, "version", Reader::whole),
        thresholds: map.optional(r, "thresholds", |r, n| r.named(n, Reader::literal)).unwrap_or_default(),
        lists: map.optional(r, "lists", |r, n| r.named(n, Reader::list)).unwrap_or_default(),
        signals: map.optional(r, "signals", |r, n| r.named(n, Reader::signal)).unwrap_or_default(),
        scores: map.optional(r, "scores", |r, n| r.named(n, Reader::score)).unwrap_or_default(),
        qualifications: map
            .optional(r, "qualifications", |r, n| r.named(n, |r, n| r.named(n, Reader::condition)))
            .unwrap_or_default(),
        stages: map.required(r, "stages", |r, n| r.several(n, Reader::stage)),
        transitions: map
            .optional(r, "transitions", |r, n| r.several(n, Reader::transition))
            .unwrap_or_default(),
        alerts: map.optional(r, "alerts", |r, n| r.named(n, Reader::alert)).unwrap_or_default(),
        slas: map.optional(r, "slas", |r, n| r.named(n, Reader::sla)).unwrap_or_default(),
        attribution: map.optional(r, "attribution", Reader::attribution),
        emit: map.optional(r, "emit", Reader::emit),
        spend: map.optional(r, "spend", Reader::spend),
    };
    map.finish(r);
    model
}

/// Reads nodes and reports what is wrong with them.
pub(crate) struct Reader<'d> {
    pub(crate) diagnostics: &'d mut Diagnostics,
}

impl<'d> Reader<'d> {
    pub(crate) fn new(diagnostics: &'d mut Diagnostics) -> Self {
        Reader { diagnostics }
    }
}

impl Reader<'_> {
    pub(crate) fn error(&mut self, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.diagnostics.error_hint(span, message, hint);
    }

    /// `expected …, found …`.
    pub(crate) fn mismatch(&mut self, node: &Node, expected: &str) {
        let message = match &node.kind {
            NodeKind::Scalar(_, Plain::Null) => format!("{expected} is missing here"),
            _ => format!("expected {expected}, found {}", node.describe()),
        };
        match instead_of(node, expected) {
            Some(hint) => self.diagnostics.error_hint(node.span, message, hint),
            None => self.diagnostics.error(node.span, message),
        }
    }

    /// A map whose keys are known; ask it for each, then [`Fields::finish`] it.
    pub(crate) fn map<'n>(&mut self, node: &'n Node, what: &'static str) -> Option<Fields<'n>> {
        match &node.kind {
            NodeKind::Map(entries) => Some(Fields { span: node.span, what, entries, asked: Vec::new() }),
            _ => {
                self.mismatch(node, &format!("{what} as a map (`name: value`)"));
                None
            }
        }
    }

    /// A map whose keys are names that the model's writer chose.
    pub(crate) fn named<T>(&mut self, node: &Node, mut read: impl FnMut(&mut Self, &Node) -> T) -> Named<T> {
        let NodeKind::Map(entries) = &node.kind else {
            self.mismatch(node, "a map (`name: value`)");
            return Named::default();
        };
        if entries.is_empty() {
            self.error(node.span, "this map is empty", "fill it, or leave it out");
        }
        Named(entries.iter().map(|(name, node)| (name.clone(), read(self, node))).collect())
    }

    /// A list of any things.
    pub(crate) fn several<T>(&mut self, node: &Node, mut read: impl FnMut(&mut Self, &Node) -> T) -> Vec<T> {
        let NodeKind::List(items) = &node.kind else {
            self.mismatch(node, "a list");
            return Vec::new();
        };
        if items.is_empty() {
            self.error(node.span, "this list is empty", "fill it, or leave it out");
        }
        items.iter().map(|item| read(self, item)).collect()
    }

    /// A list; one item alone may stand without brackets.
    pub(crate) fn one_or_several<T>(
        &mut self,
        node: &Node,
        mut read: impl FnMut(&mut Self, &Node) -> T,
    ) -> Vec<T> {
        match &node.kind {
            NodeKind::List(_) => self.several(node, read),
            _ => vec![read(self, node)],
        }
    }

    fn list(&mut self, node: &Node) -> List {
        if let NodeKind::Map(_) = &node.kind
            && let Some(mut map) = self.map(node, "a list")
        {
            let file = map.required(self, "file", Reader::text);
            map.finish(self);
            return List::File(file);
        }
        List::Items(self.several(node, |r, item| match &item.kind {
            NodeKind::Scalar(text, Plain::Text) => {
                if text.is_empty() {
                    r.error(item.span, "this item is empty", "every item of a list is a text");
                }
                Text::new(text.clone(), item.span)
            }
            NodeKind::Scalar(text, plain) if *plain != Plain::Null => {
                let message = format!("expected a text, found {}", item.describe());
                r.error(item.span, message, format!("put it in quotes: '{}'", shorten(text)));
                Text::default()
            }
            _ => {
                r.mismatch(item, "a text");
                Text::default()
            }
        }))
    }

    fn signal(&mut self, node: &Node) -> Signal {
        let Some(mut map) = self.map(node, "a signal") else { return Signal::default() };
        let signal = Signal {
            matcher: map.required(self, "match", Reader::matcher),
            label: map.optional(self, "label", Reader::text),
            activity: map.optional(self, "activity", Reader::bool),
        };
        map.finish(self);
        signal
    }
}

/// What to write instead of a node that is of the wrong kind.
fn instead_of(node: &Node, expected: &str) -> Option<String> {
    let NodeKind::Scalar(text, plain) = &node.kind else {
        let one = match &node.kind {
            NodeKind::List(_) if expected.contains("a map") => {
                return Some("write `name: value` entries, without '-' and []".to_owned());
            }
            NodeKind::List(_) => "one value, without '-' and []",
            _ if expected.contains("a list") => "a list: its entries begin with '-', or stand in []",
            _ => "one value, without {} and without indented lines below",
        };
        return Some(format!("write {one}"));
    };
    let text = shorten(text);
    Some(match plain {
        Plain::Null => "write it after the ':' or the '-'; quote text that begins with # or ~".to_owned(),
        _ if expected.starts_with("a list") => format!("put it in brackets: [{text}]"),
        _ if expected.starts_with("a stage") => format!("write `{{ name: {text} }}`"),
        _ if expected.starts_with("a number") && text.contains(',') => {
            "write a point before decimals, and nothing between thousands: 0.5, 1000".to_owned()
        }
        _ if expected.starts_with("a number") && text.ends_with('%') => "write 40% as 0.4".to_owned(),
        _ if expected.starts_with("a number") => "write it in digits: 50, or 0.5".to_owned(),
        _ if expected.starts_with("true or false") => "write true or false, without quotes".to_owned(),
        Plain::Number(_) if expected.starts_with("a whole number") => "choose one of these".to_owned(),
        _ if expected.starts_with("a whole number") => "write it in digits, such as 3".to_owned(),
        _ if expected.starts_with("a range") => format!("write [0, {text}], or [0, null] for no upper limit"),
        _ if expected.starts_with("a duration") => {
            "write a whole number and its unit, such as 14d".to_owned()
        }
        _ if expected.contains("half_life") => {
            "half is left after each half_life; a lifespan fades evenly to 0; a window ends at once"
                .to_owned()
        }
        _ if expected.contains("`{") => return None,
        _ => "write `name: value` entries, indented by two more spaces".to_owned(),
    })
}

/// How an entry that is needed may look.
fn example(key: &str) -> &str {
    match key {
        "model" => "model: my-company",
        "version" => "version: 1",
        "stages" => "stages: [ { name: visitor }, { name: lead } ]",
        "match" => "match: { event: Demo Requested }",
        "file" => "file: names.txt",
        "name" => "name: …",
        "from" => "from: lead",
        "to" => "to: …",
        "points" => "points: …",
        "when" => "when: { traits.country: DE }",
        "signal" => "signal: …",
        "at_least" => "at_least: …",
        "start" => "start: { on: … }",
        "stop" => "stop: { on: … }",
        "due" => "due: 1d",
        "after" => "after: 30d",
        "half_life" => "half_life: 7d",
        "channel" => "channel: properties.channel",
        "amount" => "amount: properties.amount",
        other => other,
    }
}

/// The entries of a map with known keys.
pub(crate) struct Fields<'n> {
    span: Span,
    what: &'static str,
    entries: &'n [(Text, Node)],
    /// The keys that it can have.
    asked: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// The entry of this key.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<&'n (Text, Node)> {
        self.asked.push(key);
        self.entries.iter().find(|(name, _)| name.value == key)
    }

    pub(crate) fn optional<'d, T>(
        &mut self,
        reader: &mut Reader<'d>,
        key: &'static str,
        read: impl FnOnce(&mut Reader<'d>, &'n Node) -> T,
    ) -> Option<T> {
        let (name, node) = self.get(key)?;
        if let NodeKind::Scalar(_, Plain::Null) = node.kind {
            let message = format!("`{key}` has no value");
            reader.error(name.span, message, "write one after the ':', or remove the line");
            return None;
        }
        Some(read(reader, node))
    }

    pub(crate) fn required<'d, T: Default>(
        &mut self,
        reader: &mut Reader<'d>,
        key: &'static str,
        read: impl FnOnce(&mut Reader<'d>, &'n Node) -> T,
    ) -> T {
        // A misspelled key is told as such.
        let misspelled = |(name, _): &(Text, Node)| similar(name, [key].into_iter()).is_some();
        if !self.entries.iter().any(misspelled) {
            let message = format!("{} needs `{key}`", self.what);
            reader.error(self.start(), message, format!("add `{}`", example(key)));
        }
        self.optional(reader, key, read).unwrap_or_default()
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(name, _)| name.value == key)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Where the map begins.
    pub(crate) fn start(&self) -> Span {
        Span { end_line: self.span.line, end_column: self.span.column, ..self.span }
    }

    /// Reports keys that nobody asked for.
    pub(crate) fn finish(self, reader: &mut Reader<'_>) {
        for (name, _) in self.entries {
            if !name.is_empty() && !self.asked.contains(&name.value.as_str()) {
                let asked = self.asked.iter().copied();
                let hint = reader
                    .diagnostics
                    .suggest(name, asked)
                    .unwrap_or_else(|| format!("{} has: {}", self.what, self.asked.join(", ")));
                let message = format!("unknown key '{}' in {}", shorten(name), self.what);
                reader.error(name.span, message, hint);
            }
        }
    }

    /// The key's place, for messages about it.
    pub(crate) fn key(&self, key: &str) -> Span {
        self.entries.iter().find(|(name, _)| name.value == key).map_or(self.span, |(name, _)| name.span)
    }
}

/// A literal number with its place.
pub(crate) type Literal = Spanned<f64>;

//! YAML 1.2 (core schema) to a tree in which every key and value knows its place.

use super::diagnostic::{Diagnostics, Span, Text, shorten};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, StrInput, Tag};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Bytes of a model's text: about 20,000 signals.
pub const MAX_BYTES: usize = 2 << 20;
/// Maps and lists inside each other. Everything that walks the tree recurses at most so deep.
const MAX_DEPTH: usize = 64;
/// What the tree may cost, where a node costs 64 and its text: aliases of aliases must not fill the memory.
const MAX_COST: usize = 96 << 20;

/// A value and its place.
#[derive(Debug, Clone)]
pub struct Node {
    pub span: Span,
    pub kind: NodeKind,
}

#[derive(Debug, Clone)]
pub enum NodeKind {
    /// A scalar as it was written and what it means.
    Scalar(String, Plain),
    List(Vec<Node>),
    Map(Vec<(Text, Node)>),
}

/// What a scalar means in the core schema.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Plain {
    Null,
    Bool(bool),
    Number(f64),
    Text,
}

impl Node {
    /// What it is, for messages.
    pub fn describe(&self) -> String {
        match &self.kind {
            NodeKind::Scalar(_, Plain::Null) => "nothing".to_owned(),
            NodeKind::Scalar(text, Plain::Text) => format!("the text '{}'", shorten(text)),
            NodeKind::Scalar(text, Plain::Number(_)) => format!("the number {}", shorten(text)),
            NodeKind::Scalar(text, Plain::Bool(_)) => format!("`{text}`"),
            NodeKind::List(_) => "a list".to_owned(),
            NodeKind::Map(_) => "a map".to_owned(),
        }
    }

    fn cost(&self) -> usize {
        64 + match &self.kind {
            NodeKind::Scalar(text, _) => text.len(),
            NodeKind::List(items) => items.iter().map(Node::cost).sum(),
            NodeKind::Map(entries) => entries.iter().map(|(key, value)| 64 + key.len() + value.cost()).sum(),
        }
    }

    fn depth(&self) -> usize {
        match &self.kind {
            NodeKind::Scalar(..) => 0,
            NodeKind::List(items) => 1 + items.iter().map(Node::depth).max().unwrap_or(0),
            NodeKind::Map(entries) => 1 + entries.iter().map(|(_, node)| node.depth()).max().unwrap_or(0),
        }
    }
}

/// Reads one document. `None` if its text cannot be understood at all; the reasons are in `diagnostics`. `begin` is the
/// hint for an empty file: how to begin.
pub fn parse(text: &[u8], begin: &str, diagnostics: &mut Diagnostics) -> Option<Node> {
    let text = readable(text, diagnostics)?;
    let mut builder =
        Builder { diagnostics, open: Vec::new(), anchors: BTreeMap::new(), cost: 0, root: None };
    for event in Parser::new(StrInput::new(text)) {
        let proceed = match event {
            Ok((event, span)) => builder.event(event, place(span.start, span.end)),
            Err(error) => {
                builder.syntax_error(&error);
                None
            }
        };
        proceed?;
    }
    let Some(root) = builder.root.take() else {
        diagnostics.error_hint(Span::default(), "the file is empty", begin);
        return None;
    };
    Some(root)
}

/// The text, if it is UTF-8, not too long and free of control characters.
fn readable<'t>(text: &'t [u8], diagnostics: &mut Diagnostics) -> Option<&'t str> {
    if text.len() > MAX_BYTES {
        let message = format!("the file is longer than {} MiB", MAX_BYTES >> 20);
        diagnostics.error_hint(
            Span::default(),
            message,
            "put long lists into files of their own: `lists: { name: { file: names.txt } }`",
        );
        return None;
    }
    let text = match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => {
            let valid = String::from_utf8_lossy(&text[..error.valid_up_to()]);
            diagnostics.error_hint(
                end_of(&valid),
                "this is not UTF-8 text",
                "save the file with the encoding UTF-8",
            );
            return None;
        }
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let odd = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    if let Some(at) = text.find(odd) {
        diagnostics.error_hint(
            end_of(&text[..at]),
            "a control character stands here",
            "delete it; inside quotes write it as an escape such as \"\\u0007\"",
        );
        return None;
    }
    Some(text)
}

/// The place just after a text.
pub fn end_of(text: &str) -> Span {
    let line = 1 + text.bytes().filter(|&byte| byte == b'\n').count();
    let column = 1 + text.rsplit('\n').next().unwrap_or("").chars().count();
    let (line, column) = (count(line), count(column));
    Span { line, column, end_line: line, end_column: column }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn place(start: Marker, end: Marker) -> Span {
    Span {
        line: count(start.line()),
        column: count(start.col() + 1),
        end_line: count(end.line()),
        end_column: count(end.col() + 1),
    }
}

/// A map or list that is not closed yet.
struct Open {
    span: Span,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<(Text, Node)>, key: Option<Text>, lines: BTreeMap<String, u32> },
}

/// Builds the tree from the parser's events, without recursion.
struct Builder<'d> {
    diagnostics: &'d mut Diagnostics,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    cost: usize,
    root: Option<Node>,
}

impl Builder<'_> {
    /// `None`: there is no point in reading on.
    fn event(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                self.diagnostics.error_hint(
                    span,
                    "a second document begins here",
                    "one file holds one model: remove the line `---` or `...`",
                );
                return None;
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.pay(64 + text.len(), span)?;
                let kind = self.scalar(text.into_owned(), style, tag, span);
                self.complete(Node { span, kind }, anchor)?;
            }
            Event::Alias(anchor) => {
                let Some(mut node) = self.anchors.get(&anchor).cloned() else {
                    self.diagnostics.error_hint(
                        span,
                        "this alias stands inside what it refers to",
                        "write out what is meant",
                    );
                    return None;
                };
                if self.open.len() + node.depth() > MAX_DEPTH {
                    return self.too_deep(span);
                }
                self.pay(node.cost(), span)?;
                node.span = span;
                self.complete(node, 0)?;
            }
            Event::SequenceStart(anchor, tag) => {
                self.start(Content::List(Vec::new()), anchor, tag, span)?;
            }
            Event::MappingStart(anchor, tag) => {
                let content = Content::Map { entries: Vec::new(), key: None, lines: BTreeMap::new() };
                self.start(content, anchor, tag, span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let open = self.open.pop()?;
                let kind = match open.content {
                    Content::List(items) => NodeKind::List(items),
                    Content::Map { entries, .. } => NodeKind::Map(entries),
                };
                self.complete(Node { span: open.span, kind }, open.anchor)?;
            }
            _ => {}
        }
        Some(())
    }

    fn start(
        &mut self,
        content: Content,
        anchor: usize,
        tag: Option<Cow<'_, Tag>>,
        span: Span,
    ) -> Option<()> {
        if let Some(Open { content: Content::Map { key: None, .. }, .. }) = self.open.last() {
            self.diagnostics.error_hint(
                span,
                "a name was expected here, not a map or list",
                "put text that begins with { or [ in quotes",
            );
            return None;
        }
        if self.open.len() >= MAX_DEPTH {
            return self.too_deep(span);
        }
        self.pay(64, span)?;
        self.refuse_tag(tag.as_deref(), span);
        self.open.push(Open { span, anchor, content });
        Some(())
    }

    fn pay(&mut self, cost: usize, span: Span) -> Option<()> {
        self.cost += cost;
        if self.cost > MAX_COST {
            self.diagnostics.error_hint(
                span,
                "the model becomes too large here",
                "use fewer aliases (*name)",
            );
            return None;
        }
        Some(())
    }

    fn too_deep(&mut self, span: Span) -> Option<()> {
        let message = format!("more than {MAX_DEPTH} maps and lists are open inside each other");
        self.diagnostics.error(span, message);
        None
    }

    /// Puts a finished node where it belongs.
    fn complete(&mut self, node: Node, anchor: usize) -> Option<()> {
        if anchor > 0 {
            self.pay(node.cost(), node.span)?;
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { entries, key, lines }) => match key.take() {
                Some(name) => entries.push((name, node)),
                None => *key = Some(Self::name(self.diagnostics, lines, node)?),
            },
        }
        Some(())
    }

    /// A key of a map. Whatever scalar it is, its text is the name: `404:` and `true:` are the names 404 and true.
    fn name(diagnostics: &mut Diagnostics, lines: &mut BTreeMap<String, u32>, node: Node) -> Option<Text> {
        let NodeKind::Scalar(text, plain) = node.kind else {
            diagnostics.error(node.span, "a name was expected here, not a map or list");
            return None;
        };
        if plain == Plain::Null || text.is_empty() {
            diagnostics.error_hint(node.span, "a name is missing before the ':'", "write `name: value`");
            return Some(Text::new(String::new(), node.span));
        }
        match lines.get(&text) {
            Some(line) => {
                let message = format!("'{}' appears twice (first in line {line})", shorten(&text));
                diagnostics.error_hint(node.span, message, "remove one of them, or give it another name");
            }
            None => {
                lines.insert(text.clone(), node.span.line);
            }
        }
        Some(Text::new(text, node.span))
    }

    fn scalar(
        &mut self,
        text: String,
        style: ScalarStyle,
        tag: Option<Cow<'_, Tag>>,
        span: Span,
    ) -> NodeKind {
        let is_text = match tag.as_deref() {
            Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => true,
            tag => {
                self.refuse_tag(tag, span);
                style != ScalarStyle::Plain
            }
        };
        let plain = if is_text { Plain::Text } else { resolve(&text) };
        NodeKind::Scalar(text, plain)
    }

    fn refuse_tag(&mut self, tag: Option<&Tag>, span: Span) {
        if let Some(tag) = tag {
            let message = format!("the tag {} is not used in models", shorten(&tag.to_string()));
            self.diagnostics.error_hint(span, message, "put text that begins with ! in quotes");
        }
    }

    fn syntax_error(&mut self, error: &ScanError) {
        let (message, hint) = explain(error.info());
        let span = place(*error.marker(), *error.marker());
        match hint {
            Some(hint) => self.diagnostics.error_hint(span, message, hint),
            None => self.diagnostics.error(span, message),
        }
    }
}

/// The parser's message in the words of people who write models.
fn explain(info: &str) -> (String, Option<&'static str>) {
    let has = |part: &str| info.contains(part);
    let (message, hint) = if has("tab") && !has("start") || has("found a tab") {
        ("a tab stands where spaces are needed", "indent with spaces, never with tabs")
    } else if has("mapping values are not allowed") || has("illegal placement of ':'") {
        (
            "a ':' stands where none can be",
            "put text that holds ': ' in quotes, and check the indentation of this line and the one above",
        )
    } else if has("simple key expect") {
        (
            "this line is not of the form `name: value`",
            "check this line and the one above: each name needs a ':' and a space after it",
        )
    } else if has("expected ',' or '}'") {
        (
            "a ',' or '}' is missing before this",
            "check that every { has its }, that commas separate the entries, and that text with ': ' stands in quotes",
        )
    } else if has("expected ',' or ']'") {
        (
            "a ',' or ']' is missing before this",
            "check that every [ has its ] and that items are separated by commas",
        )
    } else if has("misplaced bracket") {
        (
            "a closing bracket stands here that nothing opened",
            "check that every { has its } and every [ its ]",
        )
    } else if has("invalid indentation in flow") {
        ("a { or [ further up is not closed", "check that every { has its } and every [ its ]")
    } else if has("did not find expected key")
        || has("expected '-'")
        || has("invalid indentation")
        || has("wrongly indented")
    {
        (
            "the indentation is wrong here",
            "entries that belong together begin in the same column; above, each { and [ must be closed",
        )
    } else if has("block sequence entries are not allowed") {
        (
            "a '-' stands where no list item can be",
            "begin the list on a line of its own, and check the indentation",
        )
    } else if has("unknown anchor") {
        ("this alias refers to nothing", "put text that begins with * in quotes")
    } else if has("unexpected end of stream") || has("unexpected eof") || has("unexpected end") {
        ("the text ends too early", "check for a missing quote, } or ]")
    } else if has("unknown escape") || has("hexadecimal") || has("escape code") {
        (
            "this escape is not known inside double quotes",
            "use single quotes for text with backslashes, as regular expressions have",
        )
    } else if has("trailing content") {
        (
            "text follows after the closing quote",
            "put the whole text in quotes; inside '…' write '' for a single quote",
        )
    } else if has("unexpected character") || has("cannot start") {
        ("text cannot begin with this character", "put it in quotes")
    } else if has("recursion limit") {
        ("too many brackets are open inside each other", "check that every { has its } and every [ its ]")
    } else {
        return (format!("this cannot be read as YAML: {}", shorten(info)), None);
    };
    (message.to_owned(), Some(hint))
}

/// The core schema of YAML 1.2: what a plain scalar means.
fn resolve(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "true" | "True" | "TRUE" => return Plain::Bool(true),
        "false" | "False" | "FALSE" => return Plain::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Plain::Number(f64::NAN),
        _ => {}
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Plain::Number(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    // Rust reads all of `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`, and a few words besides.
    let is_number = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    match text.parse() {
        Ok(number) if is_number => Plain::Number(number),
        _ => Plain::Text,
    }
}

fn radix(digits: &str, radix: u32) -> Plain {
    let value = digits
        .chars()
        .try_fold(0.0, |value, c| Some(value * f64::from(radix) + f64::from(c.to_digit(radix)?)));
    match value {
        Some(value) if !digits.is_empty() => Plain::Number(value),
        _ => Plain::Text,
    }
}

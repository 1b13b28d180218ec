//! What is wrong with a model, and where: messages for people who do not program.

use crate::suggest::similar;
use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::ops::Deref;

/// A place in a file: lines and columns count characters from 1; the end is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub line: u32,
    pub column: u32,
    pub end_line: u32,
    pub end_column: u32,
}

/// The beginning of the file.
impl Default for Span {
    fn default() -> Self {
        Span { line: 1, column: 1, end_line: 1, end_column: 1 }
    }
}

/// A value of the model's text and where it stands. Equality and `Debug` look at the value alone, so that two
/// mentions of one thing are equal.
#[derive(Clone, Default)]
pub struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

impl<T> Spanned<T> {
    pub fn new(value: T, span: Span) -> Self {
        Spanned { value, span }
    }
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Spanned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: fmt::Display> fmt::Display for Spanned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Spanned<T> {}

impl<T: Hash> Hash for Spanned<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}

/// A name or other text of the model with its place. An empty one stands for a text whose error is already reported.
pub type Text = Spanned<String>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The model cannot be used.
    Error,
    /// The model can be used, but probably does not do what its writer means.
    Warning,
}

impl Severity {
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// One finding about a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    /// The model's file, or a list's.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// Line and column just after the place, if it is known to be longer than a point.
    pub end: Option<(u32, u32)>,
    pub message: String,
    pub hint: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = self.severity.name();
        write!(f, "{}:{}:{}: {severity}: {}", self.file, self.line, self.column, self.message)?;
        self.hint.iter().try_for_each(|hint| write!(f, "\n  hint: {hint}"))
    }
}

/// After so many findings the rest is not kept: nobody reads on, and a hostile file must not fill the memory.
const MAX_FINDINGS: usize = 500;
/// Only so many hints search for similar names: a search reads all names.
const MAX_SEARCHES: usize = 100;

/// Collects findings about one file.
#[derive(Debug)]
pub struct Diagnostics {
    file: String,
    found: Vec<Diagnostic>,
    places: HashSet<(u32, u32, String), BuildHasherDefault<xxhash_rust::xxh3::Xxh3Default>>,
    errors: usize,
    searches: usize,
}

impl Diagnostics {
    pub fn new(file: &str) -> Self {
        Diagnostics {
            file: file.to_owned(),
            found: Vec::new(),
            places: HashSet::default(),
            errors: 0,
            searches: 0,
        }
    }

    pub fn error(&mut self, span: Span, message: impl Into<String>) {
        self.add(Severity::Error, None, span, message.into(), None);
    }

    pub fn error_hint(&mut self, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.add(Severity::Error, None, span, message.into(), Some(hint.into()));
    }

    pub fn warning(&mut self, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.add(Severity::Warning, None, span, message.into(), Some(hint.into()));
    }

    /// An error in another file than the model's.
    pub fn error_in(&mut self, file: &str, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.add(Severity::Error, Some(file), span, message.into(), Some(hint.into()));
    }

    /// `unknown signal 'x'`, with what the writer may have meant.
    pub fn unknown<'n>(&mut self, what: &str, name: &Text, known: impl Iterator<Item = &'n str> + Clone) {
        // An empty name is one whose error is already reported.
        if name.is_empty() {
            return;
        }
        let hint = self.suggest(name, known.clone()).or_else(|| match (what, list_few(what, known)) {
            // The name of an event often stands where a signal's is wanted.
            ("signal", few) => {
                let few = few.map(|few| few + "; ").unwrap_or_default();
                Some(few + "under `signals:` an event gets the name that is wanted here")
            }
            (_, few) => few,
        });
        let message = format!("unknown {what} '{}'", shorten(name));
        self.add(Severity::Error, None, name.span, message, hint);
    }

    /// `did you mean 'y'?`, if a known name is similar.
    pub fn suggest<'n>(&mut self, name: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
        self.searches += 1;
        if self.searches > MAX_SEARCHES {
            return None;
        }
        similar(name, known).map(|best| format!("did you mean '{best}'?"))
    }

    fn add(
        &mut self,
        severity: Severity,
        file: Option<&str>,
        span: Span,
        message: String,
        hint: Option<String>,
    ) {
        self.errors += usize::from(severity == Severity::Error);
        // What an anchor holds is read again at each of its aliases, but its mistakes are told once.
        if self.found.len() >= MAX_FINDINGS || !self.places.insert((span.line, span.column, message.clone()))
        {
            return;
        }
        let end = (span.end_line, span.end_column);
        self.found.push(Diagnostic {
            severity,
            file: file.unwrap_or(&self.file).to_owned(),
            line: span.line,
            column: span.column,
            end: (end > (span.line, span.column)).then_some(end),
            message,
            hint,
        });
    }

    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Everything found, in the order of the file.
    pub fn into_vec(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|found| (found.line, found.column));
        self.found
    }
}

/// A text as a message quotes it: cut when it is long.
pub fn shorten(text: &str) -> String {
    cut(text, 60)
}

/// A text of at most so many characters.
pub fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}

/// `known signals: a, b`, if they are few.
fn list_few<'n>(what: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    const FEW: usize = 12;
    let names: Vec<_> = known.take(FEW + 1).map(shorten).collect();
    match names.len() {
        0 => Some(format!("the model defines no {what}")),
        n if n > FEW => None,
        _ => Some(format!("known: {}", names.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_a_mistake_once() {
        let mut diagnostics = Diagnostics::new("m.yaml");
        let span = Span { line: 2, column: 3, end_line: 2, end_column: 5 };
        diagnostics.error(span, "x");
        diagnostics.error(span, "x");
        let found = diagnostics.into_vec();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].to_string(), "m.yaml:2:3: error: x");
    }
}

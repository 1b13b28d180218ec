//! Tests and matchers.

use super::Compiler;
use crate::event::Kind;
use crate::model::ast::{self, Items as AstItems, Operators, Scalar as AstScalar};
use crate::model::compiled::NameHasher;
use crate::model::diagnostic::{Span, Spanned, Text, cut, shorten};
use crate::model::matcher::{Items, Matcher, NumberTest, Op, Scalar, Test};
use std::sync::Arc;

/// Bytes of one compiled regular expression.
const REGEX_BYTES: usize = 512 << 10;
/// Different regular expressions of a model.
const MAX_REGEXES: usize = 300;

/// The kinds of events as the model writes them, in the order of [`Kind`].
pub const KINDS: [(&str, Kind); 6] = [
    ("track", Kind::Track),
    ("page", Kind::Page),
    ("screen", Kind::Screen),
    ("identify", Kind::Identify),
    ("group", Kind::Group),
    ("alias", Kind::Alias),
];

/// Makes a comparison with a number.
type FromNumber<T> = fn(f64) -> T;

impl Compiler<'_> {
    pub(super) fn matcher(&mut self, matcher: &ast::Matcher) -> Matcher {
        let entries = matcher.entries.iter().map(|entry| self.matcher_entry(entry)).collect();
        one_or(entries, Matcher::All)
    }

    fn matcher_entry(&mut self, entry: &ast::MatcherEntry) -> Matcher {
        match entry {
            ast::MatcherEntry::All(all) => {
                one_or(all.iter().map(|m| self.matcher(m)).collect(), Matcher::All)
            }
            ast::MatcherEntry::Any(any) => {
                one_or(any.iter().map(|m| self.matcher(m)).collect(), Matcher::Any)
            }
            ast::MatcherEntry::Not(not) => Matcher::Not(Box::new(self.matcher(not))),
            ast::MatcherEntry::Field(field, test) => {
                if matches!(field.value, ast::Field::Kind | ast::Field::Event | ast::Field::Lead) {
                    self.check_text_only(&field.value, test);
                }
                Matcher::Field(self.field(field), self.test(test))
            }
        }
    }

    /// `kind`, `event` and `lead` are always texts: a test that compares them with anything else is a slip.
    fn check_text_only(&mut self, field: &ast::Field, test: &ast::Test) {
        let scalars: Vec<&Spanned<AstScalar>> = match test {
            ast::Test::Equals(scalar) => vec![scalar],
            ast::Test::In(AstItems::Inline(items)) => items.iter().collect(),
            ast::Test::In(AstItems::List(_)) => Vec::new(),
            ast::Test::Operators(operators) => {
                if let Some(not) = &operators.not {
                    self.check_text_only(field, not);
                }
                let inline = match &operators.one_of {
                    Some(AstItems::Inline(items)) => items.as_slice(),
                    _ => &[],
                };
                operators.equals.iter().chain(inline).collect()
            }
        };
        for scalar in scalars {
            match &scalar.value {
                AstScalar::Text(text) if *field == ast::Field::Kind => self.check_kind(text, scalar.span),
                AstScalar::Text(_) => {}
                other => {
                    let message = format!("`{field}` is always a text, never {other}");
                    self.diagnostics.error_hint(scalar.span, message, format!("put it in quotes: '{other}'"));
                }
            }
        }
    }

    fn check_kind(&mut self, text: &str, span: Span) {
        if !KINDS.iter().any(|(name, _)| name.eq_ignore_ascii_case(text)) {
            let name = Text::new(text.to_owned(), span);
            self.diagnostics.unknown("kind of event", &name, KINDS.iter().map(|(name, _)| *name));
        }
    }

    pub(super) fn test(&mut self, test: &ast::Test) -> Test {
        match test {
            ast::Test::Equals(scalar) => Test { ops: vec![Op::Equals(lowercase(scalar))], ..Test::default() },
            ast::Test::In(items) => Test { ops: vec![Op::In(self.items(items))], ..Test::default() },
            ast::Test::Operators(operators) => self.operators(operators),
        }
    }

    fn operators(&mut self, operators: &Operators) -> Test {
        let mut ops = Vec::new();
        ops.extend(operators.equals.as_ref().map(|scalar| Op::Equals(lowercase(scalar))));
        ops.extend(operators.one_of.as_ref().map(|items| Op::In(self.items(items))));
        ops.extend(operators.prefix.as_ref().map(|texts| Op::Prefix(self.texts(texts))));
        ops.extend(operators.suffix.as_ref().map(|texts| Op::Suffix(self.texts(texts))));
        ops.extend(operators.contains.as_ref().map(|texts| Op::Contains(self.texts(texts))));
        let orders: [(_, FromNumber<Op>); 4] = [
            (&operators.gt, Op::Gt),
            (&operators.gte, Op::Gte),
            (&operators.lt, Op::Lt),
            (&operators.lte, Op::Lte),
        ];
        for (number, op) in orders {
            ops.extend(number.as_ref().and_then(|number| self.number(number)).map(op));
        }
        // The dearest comes last.
        ops.extend(operators.regex.as_ref().and_then(|pattern| self.regex(pattern)).map(Op::Regex));
        let not = operators.not.as_ref().map(|not| Box::new(self.test(not)));
        Test { exists: operators.exists, not, ops }
    }

    fn items(&mut self, items: &AstItems<AstScalar>) -> Arc<Items> {
        let items = match items {
            AstItems::List(name) => return self.lists.find(name, self.diagnostics).items,
            AstItems::Inline(items) => items,
        };
        let mut compiled =
            Items { texts: hashbrown::HashSet::with_hasher(NameHasher::default()), others: Vec::new() };
        for item in items {
            match lowercase(item) {
                Scalar::Text(text) => {
                    compiled.texts.insert(text);
                }
                other => compiled.others.push(other),
            }
        }
        Arc::new(compiled)
    }

    fn texts(&mut self, texts: &AstItems<String>) -> Arc<[String]> {
        match texts {
            AstItems::List(name) => self.lists.find(name, self.diagnostics).lowercase,
            AstItems::Inline(items) => items.iter().map(|item| item.to_ascii_lowercase()).collect(),
        }
    }

    fn regex(&mut self, pattern: &Text) -> Option<regex::Regex> {
        if let Some(regex) = self.regexes.get(&pattern.value) {
            return Some(regex.clone());
        }
        if self.regexes.len() >= MAX_REGEXES {
            let message = format!("a model has at most {MAX_REGEXES} regular expressions");
            self.diagnostics.error_hint(pattern.span, message, "use prefix, suffix and contains with lists");
            return None;
        }
        let built =
            regex::RegexBuilder::new(pattern).size_limit(REGEX_BYTES).dfa_size_limit(REGEX_BYTES).build();
        match built {
            Ok(regex) => {
                self.regexes.insert(pattern.value.clone(), regex.clone());
                Some(regex)
            }
            Err(error) => {
                let (message, hint) = explain_regex(pattern, &error);
                self.diagnostics.error_hint(pattern.span, message, hint);
                None
            }
        }
    }

    /// A test of a score. A score always exists and is a number, so tests of texts are slips.
    pub(super) fn number_test(&mut self, test: &Spanned<ast::Test>) -> NumberTest {
        match &test.value {
            ast::Test::Equals(scalar) => NumberTest::Equals(self.score_number(scalar)),
            ast::Test::In(items) => self.number_items(items),
            ast::Test::Operators(operators) => self.number_operators(operators),
        }
    }

    fn number_operators(&mut self, operators: &Operators) -> NumberTest {
        let mut all = Vec::new();
        all.extend(operators.equals.as_ref().map(|scalar| NumberTest::Equals(self.score_number(scalar))));
        all.extend(operators.one_of.as_ref().map(|items| self.number_items(items)));
        let orders: [(_, FromNumber<NumberTest>); 4] = [
            (&operators.gt, NumberTest::Gt),
            (&operators.gte, NumberTest::Gte),
            (&operators.lt, NumberTest::Lt),
            (&operators.lte, NumberTest::Lte),
        ];
        for (number, op) in orders {
            all.extend(number.as_ref().and_then(|number| self.number(number)).map(op));
        }
        let texts = [&operators.prefix, &operators.suffix, &operators.contains];
        for texts in texts.into_iter().flatten() {
            let span = match texts {
                AstItems::List(name) => name.span,
                AstItems::Inline(items) => items.first().map(|item| item.span).unwrap_or_default(),
            };
            self.not_a_score(span);
        }
        if let Some(pattern) = &operators.regex {
            self.not_a_score(pattern.span);
        }
        all.extend(operators.exists.map(NumberTest::Always));
        all.extend(operators.not.as_ref().map(|not| NumberTest::Not(Box::new(self.number_test(not)))));
        one_or(all, NumberTest::All)
    }

    fn number_items(&mut self, items: &AstItems<AstScalar>) -> NumberTest {
        match items {
            AstItems::Inline(items) => {
                NumberTest::In(items.iter().map(|item| self.score_number(item)).collect())
            }
            AstItems::List(name) => {
                let hint = if self.thresholds.contains_key(name.as_str()) {
                    format!("write `{{ gte: ${} }}`", name.value)
                } else {
                    "write a comparison: `{ gte: 50 }`".to_owned()
                };
                self.diagnostics.error_hint(name.span, "a score is a number, not one of a list", hint);
                NumberTest::Always(false)
            }
        }
    }

    fn score_number(&mut self, scalar: &Spanned<AstScalar>) -> f64 {
        match scalar.value {
            AstScalar::Number(value) => value,
            _ => {
                self.not_a_score(scalar.span);
                0.0
            }
        }
    }

    fn not_a_score(&mut self, span: Span) {
        self.diagnostics.error_hint(
            span,
            "a score is a number: it cannot be compared with a text",
            "write a comparison: `{ gte: 50 }`",
        );
    }
}

/// One thing as it is, several as one.
pub(super) fn one_or<T>(mut parts: Vec<T>, join: fn(Vec<T>) -> T) -> T {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            join(parts)
        }
    }
}

fn lowercase(scalar: &AstScalar) -> Scalar {
    match scalar {
        AstScalar::Bool(value) => Scalar::Bool(*value),
        AstScalar::Number(value) => Scalar::Number(*value),
        AstScalar::Text(text) => Scalar::Text(text.to_ascii_lowercase()),
    }
}

fn explain_regex(pattern: &str, error: &regex::Error) -> (String, &'static str) {
    let pattern = shorten(pattern);
    match error {
        regex::Error::CompiledTooBig(_) => {
            let message = format!("the regular expression '{pattern}' is too large");
            (message, "use smaller repetitions, or prefix, suffix and contains with a list")
        }
        error => {
            // The last line of the message tells what is wrong; those before it draw the pattern.
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            let message = format!("the regular expression '{pattern}' is wrong: {}", cut(&reason, 150));
            let hint = if reason.contains("look-around") {
                "split it into two tests: `{ regex: …, not: { regex: … } }`"
            } else if reason.contains("backreference") {
                "use a list of the texts that you mean: `contains: [vp, chief]`"
            } else if reason.contains("unclosed group") || reason.contains("unopened group") {
                r"check that every ( has its ); write \( for a bracket in the text"
            } else {
                "a list of texts often does what a regular expression does: `contains: [vp, chief]`"
            };
            (message, hint)
        }
    }
}

//! Matchers, conditions and tests.

use super::Reader;
use crate::model::ast::{
    Condition, ConditionEntry, Distinct, GradeTest, Items, Matcher, MatcherEntry, Operators, QualifiedTest,
    Seen, SeenWithin, StageTest, Test, TraitPath,
};
use crate::model::diagnostic::{Spanned, Text, shorten};
use crate::model::yaml::{Node, NodeKind, Plain};
use crate::suggest::similar;

impl Reader<'_> {
    pub(super) fn matcher(&mut self, node: &Node) -> Matcher {
        let entries = self.named_entries(node, "a matcher", Reader::matcher_entry);
        Matcher { entries: entries.into_iter().map(|entry| entry.value).collect() }
    }

    fn matcher_entry(&mut self, key: &Text, node: &Node) -> Option<MatcherEntry> {
        Some(match key.as_str() {
            "all" => MatcherEntry::All(self.several(node, Reader::matcher)),
            "any" => MatcherEntry::Any(self.several(node, Reader::matcher)),
            "not" => MatcherEntry::Not(self.matcher(node)),
            _ => MatcherEntry::Field(self.field_of(key), self.test(node)),
        })
    }

    pub(super) fn condition(&mut self, node: &Node) -> Condition {
        Condition { entries: self.named_entries(node, "a condition", Reader::condition_entry) }
    }

    /// The entries of a map whose keys say what they are.
    fn named_entries<T>(
        &mut self,
        node: &Node,
        what: &str,
        read: fn(&mut Self, &Text, &Node) -> Option<T>,
    ) -> Vec<Spanned<T>> {
        let NodeKind::Map(entries) = &node.kind else {
            self.mismatch(node, &format!("{what} as a map (`field: test`)"));
            return Vec::new();
        };
        if entries.is_empty() {
            let hint = match what {
                "a matcher" => "say which events are meant: `{ event: Demo Requested }`",
                _ => "say what must be true of the lead: `{ traits.country: DE }`",
            };
            self.error(node.span, format!("{what} cannot be empty"), hint);
        }
        let entries = entries.iter().filter(|(key, _)| !key.is_empty());
        entries.filter_map(|(key, node)| Some(Spanned::new(read(self, key, node)?, key.span))).collect()
    }

    fn condition_entry(&mut self, key: &Text, node: &Node) -> Option<ConditionEntry> {
        let word = match key.as_str() {
            "all" => Some(ConditionEntry::All(self.several(node, Reader::condition))),
            "any" => Some(ConditionEntry::Any(self.several(node, Reader::condition))),
            "not" => Some(ConditionEntry::Not(self.condition(node))),
            "stage" => Some(ConditionEntry::Stage(self.stage_test(node))),
            "identified" => Some(ConditionEntry::Identified(self.bool(node))),
            "seen" => Some(ConditionEntry::Seen(self.seen(node))),
            _ => None,
        };
        if word.is_some() {
            return word;
        }
        let (first, name) = key.split_once('.').unwrap_or((key, ""));
        let rest = Text::new(name.to_owned(), key.span);
        Some(match first {
            "score" if !name.is_empty() => ConditionEntry::Score(rest, self.test(node)),
            "grade" if !name.is_empty() => ConditionEntry::Grade(rest, self.grade_test(node)),
            "qualified" if !name.is_empty() => ConditionEntry::Qualified(rest, self.qualified_test(node)),
            "traits" if !name.is_empty() => {
                let steps = self.steps(key, name);
                ConditionEntry::Trait(Spanned::new(TraitPath { steps }, key.span), self.test(node))
            }
            _ => {
                self.unknown_entry(key, first);
                return None;
            }
        })
    }

    fn unknown_entry(&mut self, key: &Text, first: &str) {
        if matches!(first, "score" | "grade" | "qualified" | "traits") {
            let message = format!("'{}' names nothing", shorten(key));
            self.error(key.span, message, format!("write `{first}.name: …`"));
            return;
        }
        let known =
            ["score", "grade", "traits", "stage", "identified", "qualified", "seen", "any", "all", "not"];
        let hint = match first {
            "properties" | "context" | "event" | "kind" => {
                "conditions are about the lead; give the event a name under `signals:` and write `on: signal` or `seen: signal`"
                    .to_owned()
            }
            _ => similar(first, known.into_iter()).map(|best| format!("did you mean '{best}{}'?", &key[first.len()..])).unwrap_or_else(|| {
                "conditions have: score.…, grade.…, traits.…, stage, identified, qualified.…, seen, any, all, not".to_owned()
            }),
        };
        self.error(key.span, format!("unknown condition '{}'", shorten(key)), hint);
    }

    /// A scalar, a list or `$name`, or a map of operators.
    pub(super) fn test(&mut self, node: &Node) -> Spanned<Test> {
        let test = match &node.kind {
            NodeKind::Map(_) => Test::Operators(Box::new(self.operators(node))),
            NodeKind::List(_) => Test::In(self.items(node, Reader::scalar)),
            NodeKind::Scalar(..) => match self.list_name(node) {
                Some(_) => Test::In(self.items(node, Reader::scalar)),
                None => Test::Equals(self.scalar(node)),
            },
        };
        Spanned::new(test, node.span)
    }

    fn operators(&mut self, node: &Node) -> Operators {
        let Some(mut map) = self.map(node, "a test") else { return Operators::default() };
        if map.entries.is_empty() {
            self.error(node.span, "a test cannot be empty", "write what the value must be: `{ gte: 10 }`");
        }
        let operators = Operators {
            equals: map.optional(self, "equals", Reader::scalar),
            one_of: map.optional(self, "in", |r, n| r.items(n, Reader::scalar)),
            prefix: map.optional(self, "prefix", Reader::text_or_items),
            suffix: map.optional(self, "suffix", Reader::text_or_items),
            contains: map.optional(self, "contains", Reader::text_or_items),
            regex: map.optional(self, "regex", Reader::text),
            gt: map.optional(self, "gt", Reader::number),
            gte: map.optional(self, "gte", Reader::number),
            lt: map.optional(self, "lt", Reader::number),
            lte: map.optional(self, "lte", Reader::number),
            exists: map.optional(self, "exists", Reader::bool),
            not: map.optional(self, "not", Reader::test),
        };
        map.finish(self);
        operators
    }

    fn grade_test(&mut self, node: &Node) -> GradeTest {
        match &node.kind {
            NodeKind::Map(_) => match self.map(node, "a grade test") {
                Some(mut map) => {
                    let least = map.required(self, "at_least", Reader::text);
                    map.finish(self);
                    GradeTest::AtLeast(least)
                }
                None => GradeTest::AtLeast(Text::default()),
            },
            _ => GradeTest::OneOf(self.names(node)),
        }
    }

    /// A name, a list of names, or `$name` of a list.
    fn names(&mut self, node: &Node) -> Items<String> {
        match self.list_name(node) {
            Some(name) => Items::List(name),
            None => Items::Inline(self.one_or_several(node, Reader::text)),
        }
    }

    /// Stage names are fixed, so of the operators only `equals`, `in` and `not` make sense.
    fn stage_test(&mut self, node: &Node) -> StageTest {
        let NodeKind::Map(_) = &node.kind else { return StageTest::OneOf(self.names(node)) };
        let nothing = StageTest::OneOf(Items::Inline(Vec::new()));
        let Some(mut map) = self.map(node, "a stage test") else { return nothing };
        if map.entries.len() != 1 {
            self.error(
                node.span,
                "a stage test has exactly one of equals, in, not",
                "write `stage: [mql, sal]`",
            );
        }
        let test = map
            .optional(self, "not", |r, n| StageTest::Not(Box::new(r.stage_test(n))))
            .into_iter()
            .chain(map.optional(self, "in", |r, n| StageTest::OneOf(r.names(n))))
            .chain(map.optional(self, "equals", |r, n| StageTest::OneOf(r.names(n))))
            .next();
        map.finish(self);
        test.unwrap_or(nothing)
    }

    fn qualified_test(&mut self, node: &Node) -> QualifiedTest {
        if let NodeKind::Map(_) = &node.kind
            && let Some(mut map) = self.map(node, "a test of a qualification")
        {
            let least = map.required(self, "at_least", Reader::count);
            map.finish(self);
            return QualifiedTest::AtLeast(least);
        }
        match &node.kind {
            NodeKind::Scalar(text, _) if text == "all" => {}
            _ => self.mismatch(node, "`all` or `{ at_least: 3 }`"),
        }
        QualifiedTest::All
    }

    fn seen(&mut self, node: &Node) -> Seen {
        let NodeKind::Map(_) = &node.kind else {
            return Seen { signal: self.text(node), ..Seen::default() };
        };
        let Some(mut map) = self.map(node, "`seen`") else { return Seen::default() };
        let seen = Seen {
            signal: map.required(self, "signal", Reader::text),
            at_least: map.optional(self, "at_least", Reader::count),
            within: map.optional(self, "within", Reader::seen_within),
            distinct: map.optional(self, "distinct", Reader::distinct),
        };
        map.finish(self);
        seen
    }

    fn seen_within(&mut self, node: &Node) -> Spanned<SeenWithin> {
        let within = match &node.kind {
            NodeKind::Scalar(text, _) if text == "stage" => SeenWithin::Stage,
            NodeKind::Scalar(text, Plain::Text) if !text.starts_with(|c: char| c.is_ascii_digit()) => {
                self.mismatch(node, "a duration such as 14d, or `stage`");
                SeenWithin::Stage
            }
            _ => SeenWithin::Duration(self.period(node)),
        };
        Spanned::new(within, node.span)
    }

    fn distinct(&mut self, node: &Node) -> Spanned<Distinct> {
        let distinct = match &node.kind {
            NodeKind::Scalar(text, _) if text == "day" => Distinct::Day,
            _ => Distinct::Field(self.field(node).value),
        };
        Spanned::new(distinct, node.span)
    }
}

//! Conditions about leads.

use super::Compiler;
use super::test::one_or;
use crate::model::ast::{self, ConditionEntry, GradeTest, Items, QualifiedTest, SeenWithin, StageTest};
use crate::model::compiled::{Condition, Distinct, IndexSet, Seen, Within};
use crate::model::diagnostic::{Spanned, Text};

impl Compiler<'_> {
    pub(super) fn condition(&mut self, condition: &ast::Condition) -> Condition {
        let entries = condition.entries.iter().filter_map(|entry| self.condition_entry(entry)).collect();
        one_or(entries, Condition::All)
    }

    fn conditions(
        &mut self,
        conditions: &[ast::Condition],
        join: fn(Vec<Condition>) -> Condition,
    ) -> Condition {
        one_or(conditions.iter().map(|condition| self.condition(condition)).collect(), join)
    }

    /// `None` for an entry whose mistake is reported.
    fn condition_entry(&mut self, entry: &Spanned<ConditionEntry>) -> Option<Condition> {
        Some(match &entry.value {
            ConditionEntry::All(all) => self.conditions(all, Condition::All),
            ConditionEntry::Any(any) => self.conditions(any, Condition::Any),
            ConditionEntry::Not(not) => Condition::Not(Box::new(self.condition(not))),
            ConditionEntry::Trait(path, test) => Condition::Fact(self.fact(path, test)),
            ConditionEntry::Identified(value) => Condition::Identified(*value),
            ConditionEntry::Stage(test) => Condition::Stage(self.stage_test(test)),
            ConditionEntry::Score(name, test) => {
                let test = self.number_test(test);
                Condition::Score(self.names.scores.find(name, self.diagnostics)?, test)
            }
            ConditionEntry::Grade(name, test) => self.grade_test(name, test)?,
            ConditionEntry::Qualified(name, test) => self.qualified_test(name, test)?,
            ConditionEntry::Seen(seen) => self.seen(seen)?,
        })
    }

    fn stage_test(&mut self, test: &StageTest) -> IndexSet {
        match test {
            StageTest::OneOf(names) => {
                let names = self.names_of(names);
                names
                    .iter()
                    .filter_map(|name| self.names.stages.find(name, self.diagnostics))
                    .map(usize::from)
                    .collect()
            }
            StageTest::Not(test) => {
                let set = self.stage_test(test);
                (0..self.names.stages.len()).filter(|&stage| !set.contains(stage)).collect()
            }
        }
    }

    /// Names written out or in a list; those of a list stand where the list is used.
    fn names_of(&mut self, items: &Items<String>) -> Vec<Text> {
        match items {
            Items::Inline(names) => names.clone(),
            Items::List(list) => {
                let found = self.lists.find(list, self.diagnostics);
                found.texts.iter().map(|name| Text::new(name.clone(), list.span)).collect()
            }
        }
    }

    fn grade_test(&mut self, name: &Text, test: &GradeTest) -> Option<Condition> {
        let score = self.names.scores.find(name, self.diagnostics)?;
        if self.source.scores.0.get(usize::from(score)).is_some_and(|(_, score)| score.grades.is_empty()) {
            let message = format!("the score '{}' has no grades", name.value);
            self.diagnostics.error_hint(name.span, message, "give it some: `grades: { A: 70, B: 40, C: 0 }`");
            return None;
        }
        let set = match test {
            GradeTest::OneOf(items) => {
                let names = self.names_of(items);
                names.iter().filter_map(|grade| self.grade(score, grade)).collect()
            }
            // The highest bar stands first, so that all grades before this one are at least as good.
            GradeTest::AtLeast(least) => (0..=self.grade(score, least)?).collect(),
        };
        Some(Condition::Grade(score, set))
    }

    fn grade(&mut self, score: u16, name: &Text) -> Option<usize> {
        let graded = self.grades.get(usize::from(score))?;
        let position = graded.position(name);
        if position.is_none() {
            self.diagnostics.unknown("grade", name, graded.grades.iter().map(|(grade, _)| grade.as_str()));
        }
        position
    }

    fn qualified_test(&mut self, name: &Text, test: &QualifiedTest) -> Option<Condition> {
        let qualification = self.names.qualifications.find(name, self.diagnostics)?;
        let (_, criteria) = self.source.qualifications.0.get(usize::from(qualification))?;
        let count = u32::try_from(criteria.len()).unwrap_or(u32::MAX);
        let at_least = match test {
            QualifiedTest::All => count,
            QualifiedTest::AtLeast(least) if least.value > count => {
                let criteria = if count == 1 { "criterion" } else { "criteria" };
                let message =
                    format!("'{}' has only {count} {criteria}: {} can never hold", name.value, least.value);
                self.diagnostics.error_hint(least.span, message, "ask for fewer, or for `all`");
                return None;
            }
            QualifiedTest::AtLeast(least) => least.value,
        };
        Some(Condition::Qualified { qualification, at_least })
    }

    fn seen(&mut self, seen: &ast::Seen) -> Option<Condition> {
        let signal = self.names.signals.find(&seen.signal, self.diagnostics)?;
        let at_least = seen.at_least.as_ref().map_or(1, |least| least.value);
        let within = match seen.within.as_ref().map(|within| &within.value) {
            None => Within::Ever,
            Some(SeenWithin::Duration(duration)) => Within::Last(duration.ms),
            Some(SeenWithin::Stage) => Within::Stage,
        };
        let key = (signal, seen.distinct.as_ref().map(ToString::to_string).unwrap_or_default());
        let id = match self.seen.get(&key) {
            Some(&id) => id,
            None => {
                let distinct = seen.distinct.as_ref().map(|distinct| match &distinct.value {
                    ast::Distinct::Day => Distinct::Day,
                    ast::Distinct::Field(field) => Distinct::Field(self.field(field)),
                });
                let id = self.add_seen(Seen { signal, distinct, keep: 1, timed: false });
                self.seen.insert(key, id);
                id
            }
        };
        if let Some(slot) = self.model.seen.get_mut(usize::from(id)) {
            slot.keep = slot.keep.max(at_least);
            slot.timed |= within != Within::Ever;
        }
        Some(Condition::Seen { seen: id, at_least, within })
    }
}

//! What the conditions of a model mean for a lead as it stands: fingerprints that are equal in two versions of a model
//! if the same lead passes both, whatever numbers its names have there.
//!
//! They are kept with the name tables ([`super::tables`]). A program that words them otherwise only causes a migration
//! more.

use crate::model::compiled::*;
use crate::model::matcher::{Items, Op, Test};
use std::fmt::Write;
use xxhash_rust::xxh3::xxh3_64;

/// The fingerprint of a text.
pub fn fingerprint(text: &str) -> String {
    format!("{:016x}", xxh3_64(text.as_bytes()))
}

/// The facts, scores and qualifications of a model, each worded once, so that what rests on them stays short.
pub struct Meanings<'a> {
    model: &'a Model,
    facts: Vec<String>,
    scores: Vec<String>,
    qualifications: Vec<Option<String>>,
}

impl<'a> Meanings<'a> {
    pub fn of(model: &'a Model) -> Meanings<'a> {
        let mut meanings = Meanings {
            model,
            facts: model.facts.iter().map(|fact| fingerprint(&fact_text(model, fact))).collect(),
            scores: vec![String::new(); model.scores.len()],
            qualifications: vec![None; model.qualifications.len()],
        };
        for &id in &model.score_order {
            meanings.scores[usize::from(id)] = meanings.score(&model.scores[usize::from(id)]);
        }
        meanings
    }

    /// One fingerprint of all facts, in their order.
    pub fn all_facts(&self) -> String {
        fingerprint(&self.facts.join(" "))
    }

    /// What decides whether a condition holds of a lead.
    pub fn condition(&mut self, condition: &Condition) -> String {
        let mut text = String::new();
        self.write_condition(condition, &mut text);
        fingerprint(&text)
    }

    /// What a score is worth: neither the points of coming occurrences nor `at_most` change that.
    fn score(&mut self, score: &Score) -> String {
        let mut text = format!("{} {:?} {:?}", score.name, score.range, score.grades);
        match &score.kind {
            ScoreKind::Points(points) => self.write_points(points, &mut text),
            ScoreKind::Sum(parts) => {
                parts.iter().for_each(|&(id, weight)| {
                    push(&mut text, format_args!(" {weight:?} of {}", self.scores[usize::from(id)]))
                });
            }
            ScoreKind::Max(parts) => {
                parts
                    .iter()
                    .for_each(|&id| push(&mut text, format_args!(" max {}", self.scores[usize::from(id)])));
            }
        }
        fingerprint(&text)
    }

    fn write_points(&mut self, points: &PointsScore, text: &mut String) {
        let model = self.model;
        for group in &points.groups {
            push(text, format_args!(" group {} {:?}", group.name, group.range));
            for contribution in &model.contributions[usize::from(group.start)..usize::from(group.end)] {
                let signal = &model.signals[usize::from(contribution.signal)].name;
                push(text, format_args!(" {signal} {:?}", contribution.decay));
            }
        }
        for entry in &points.criteria {
            let (word, criteria) = match entry {
                CriterionEntry::One(criterion) => (" one", std::slice::from_ref(criterion)),
                CriterionEntry::First(criteria) => (" first", criteria.as_slice()),
            };
            text.push_str(word);
            for criterion in criteria {
                push(text, format_args!(" {:?} if ", criterion.points));
                self.write_condition(&criterion.when, text);
            }
        }
        push(text, format_args!(" {:?}", points.inactivity));
        for &id in &points.unknown_without {
            push(text, format_args!(" needs {}", model.traits[usize::from(id)].name));
        }
    }

    fn write_condition(&mut self, condition: &Condition, text: &mut String) {
        match condition {
            Condition::All(all) => self.write_all("all", all, text),
            Condition::Any(any) => self.write_all("any", any, text),
            Condition::Not(inner) => self.write_all("not", std::slice::from_ref(inner), text),
            Condition::Fact(id) => push(text, format_args!("fact {}", self.facts[usize::from(*id)])),
            Condition::Identified(wanted) => push(text, format_args!("identified {wanted}")),
            Condition::Stage(stages) => {
                let stages = self.model.stages.iter().enumerate().filter(|(at, _)| stages.contains(*at));
                let mut names: Vec<&str> = stages.map(|(_, stage)| stage.name.as_str()).collect();
                names.sort_unstable();
                push(text, format_args!("stage {names:?}"));
            }
            Condition::Score(id, test) => {
                push(text, format_args!("score {} {test:?}", self.scores[usize::from(*id)]));
            }
            Condition::Grade(id, wanted) => {
                push(text, format_args!("grade {} {wanted:?}", self.scores[usize::from(*id)]));
            }
            Condition::Qualified { qualification, at_least } => {
                let meaning = self.qualification(*qualification);
                push(text, format_args!("qualified {meaning} {at_least}"));
            }
            Condition::Seen { seen, at_least, within } => {
                let seen = &self.model.seen[usize::from(*seen)];
                let signal = &self.model.signals[usize::from(seen.signal)].name;
                let distinct = distinct_text(self.model, seen.distinct);
                push(text, format_args!("seen {signal} {distinct:?} {at_least} {within:?}"));
            }
        }
    }

    fn write_all(&mut self, word: &str, parts: &[impl std::borrow::Borrow<Condition>], text: &mut String) {
        text.push_str(word);
        text.push('(');
        for part in parts {
            self.write_condition(part.borrow(), text);
            text.push(';');
        }
        text.push(')');
    }

    fn qualification(&mut self, id: QualificationId) -> String {
        let at = usize::from(id);
        if let Some(known) = &self.qualifications[at] {
            return known.clone();
        }
        let model = self.model;
        let mut text = String::new();
        for (_, criterion) in &model.qualifications[at].criteria {
            self.write_condition(criterion, &mut text);
            text.push(';');
        }
        self.qualifications[at].insert(fingerprint(&text)).clone()
    }
}

/// What of a signal's occurrences counts as one: the field as a model writes it; nothing: each one.
pub fn distinct_text(model: &Model, distinct: Option<Distinct>) -> String {
    let field = match distinct {
        None => return String::new(),
        Some(Distinct::Day) => return "day".to_owned(),
        Some(Distinct::Field(field)) => field,
    };
    let (root, steps) = match field {
        Field::Kind => return "kind".to_owned(),
        Field::Name => return "event".to_owned(),
        Field::Lead => return "lead".to_owned(),
        Field::Path(id) => match &model.event_paths[usize::from(id)] {
            EventPath::Properties(steps) => ("properties", steps),
            EventPath::Context(steps) => ("context", steps),
            EventPath::Traits(steps) => ("traits", steps),
        },
    };
    format!("{root}.{}", steps.join("."))
}

fn fact_text(model: &Model, fact: &Fact) -> String {
    let mut text = format!("{} ", model.traits[usize::from(fact.trait_id)].name);
    write_test(&fact.test, &mut text);
    text
}

fn write_test(test: &Test, text: &mut String) {
    push(text, format_args!("{:?}", test.exists));
    for op in &test.ops {
        match op {
            Op::In(items) => write_items(items, text),
            op => push(text, format_args!(" {op:?}")),
        }
    }
    if let Some(not) = &test.not {
        text.push_str(" not(");
        write_test(not, text);
        text.push(')');
    }
}

/// In an order that does not depend on how the set keeps them.
fn write_items(items: &Items, text: &mut String) {
    let mut texts: Vec<&str> = items.texts.iter().map(String::as_str).collect();
    texts.sort_unstable();
    push(text, format_args!(" in {texts:?} {:?}", items.others));
}

fn push(text: &mut String, more: std::fmt::Arguments<'_>) {
    text.write_fmt(more).expect("a string takes all");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The meaning of an alert's `when`.
    fn meaning(when: &str, stages: &str, bar: &str, domains: &str) -> String {
        let text = format!(
            "model: m\nversion: 1\nsignals: {{ a: {{ match: {{ event: A }} }}, b: {{ match: {{ event: B }} }} }}\n\
             lists: {{ free: {domains} }}\n\
             scores:\n  s: {{ groups: {{ g: {{ points: {{ a: 1 }} }} }} }}\n  \
             fit: {{ criteria: [ {{ when: {{ traits.email: {{ suffix: $free }} }}, points: 5 }}, \
             {{ when: {{ traits.region: [x, y, z] }}, points: 5 }} ], grades: {{ A: 5, B: 0 }} }}\n  \
             total: {{ sum: {{ s: 1, fit: 0.5 }} }}\n\
             qualifications: {{ bant: {{ need: {{ score.s: {{ gte: {bar} }} }} }} }}\n\
             stages: {stages}\nalerts: {{ hot: {{ when: {when} }} }}\n"
        );
        let loaded = Model::load("m", text.as_bytes(), &mut |_| unreachable!());
        let model = loaded.unwrap_or_else(|found| panic!("{when}: {found:#?}")).model;
        let when = model.alerts[0].when.as_ref().unwrap();
        Meanings::of(&model).condition(when)
    }

    const STAGES: &str = "[ { name: x }, { name: y }, { name: z } ]";

    #[test]
    fn a_condition_means_what_it_rests_on() {
        let all = "{ score.total: { gte: 1 }, grade.fit: A, qualified.bant: all }";
        let first = meaning(all, STAGES, "5", "['@a.com']");
        assert_eq!(first, meaning(all, STAGES, "5", "['@a.com']"));
        assert_ne!(first, meaning(all, STAGES, "6", "['@a.com']"), "a bar of a qualification");
        assert_ne!(first, meaning(all, STAGES, "5", "['@b.com']"), "a list of a criterion");
        let fit = "{ score.fit: { gte: 1 } }";
        assert_eq!(meaning(fit, STAGES, "5", "['@a.com']"), meaning(fit, STAGES, "6", "['@a.com']"));
    }

    #[test]
    fn the_order_of_stages_means_nothing() {
        let (stage, other) = ("{ stage: [x, z] }", "[ { name: z }, { name: y }, { name: x } ]");
        let one = |when, stages| meaning(when, stages, "1", "['@a.com']");
        assert_eq!(one(stage, STAGES), one(stage, other));
        assert_ne!(one(stage, STAGES), one("{ stage: [x, y] }", STAGES));
        let not = "{ not: { stage: [x, z] } }";
        assert_ne!(one(stage, STAGES), one(not, STAGES));
    }

    #[test]
    fn what_is_counted_is_told_by_its_field() {
        let one = |when| meaning(when, STAGES, "1", "['@a.com']");
        let seen = one("{ seen: { signal: a, distinct: properties.x, at_least: 2 } }");
        assert_eq!(seen, one("{ all: [ { seen: { signal: a, distinct: properties.x, at_least: 2 } } ] }"));
        for other in [
            "{ seen: { signal: b, distinct: properties.x, at_least: 2 } }",
            "{ seen: { signal: a, distinct: context.x, at_least: 2 } }",
            "{ seen: { signal: a, distinct: properties.x, at_least: 3 } }",
            "{ seen: { signal: a, distinct: properties.x, at_least: 2, within: 1d } }",
        ] {
            assert_ne!(seen, one(other), "{other}");
        }
    }
}

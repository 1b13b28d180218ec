//! From the types of [`super::ast`] to the compiled model: names are looked up, thresholds and lists filled in,
//! defaults applied, and what can only be seen as a whole is checked. Nothing here can fail half-way: a mistake is
//! reported, a stand-in takes its place, and the model is thrown away in the end.

mod by_traits;
mod condition;
mod dispatch;
mod funnel;
mod lists;
mod names;
mod scores;
mod test;
#[cfg(test)]
mod tests;

use super::ast;
use super::compiled::{
    Attribution, Contribution, EventPath, Fact, FactId, Field, Model, On, Seen, Signal, SignalId, TraitId,
    TraitPath,
};
use super::diagnostic::{Diagnostics, Span, Spanned, Text};
use super::matcher::Matcher;
use crate::words::trait_test;
use lists::Lists;
use names::{Graded, Names};
use std::collections::BTreeMap;

/// Reads the file of a list.
pub type ReadFile<'f> = dyn FnMut(&str) -> std::io::Result<Vec<u8>> + 'f;

/// Ids are 16 bits wide.
const MAX_IDS: usize = u16::MAX as usize;

/// Compiles a model; `None` if there were errors.
pub fn compile(
    source: &ast::Model,
    read_file: &mut ReadFile<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Model> {
    let lists = Lists::load(&source.lists, read_file, diagnostics);
    let names = Names::of(source, diagnostics);
    let thresholds = source.thresholds.iter().map(|(name, number)| (name.as_str(), number.value)).collect();
    let mut compiler = Compiler {
        source,
        diagnostics,
        names,
        thresholds,
        lists,
        grades: Vec::new(),
        regexes: BTreeMap::new(),
        paths: BTreeMap::new(),
        traits: BTreeMap::new(),
        facts: BTreeMap::new(),
        seen: BTreeMap::new(),
        model: Model { name: source.model.value.clone(), version: source.version.value, ..Model::default() },
    };
    compiler.signals();
    compiler.scores();
    compiler.qualifications();
    compiler.stages();
    compiler.transitions();
    compiler.alerts();
    compiler.slas();
    compiler.attribution();
    compiler.emit();
    compiler.spend();
    compiler.check_sizes();
    let mut model = compiler.model;
    if diagnostics.has_errors() {
        return None;
    }
    let signals = model.signals.iter_mut();
    model.dispatch = dispatch::dispatch(signals.map(|signal| (&signal.matcher, &mut signal.rest)));
    if let Some(Attribution { channels, dispatch, .. }) = &mut model.attribution {
        let channels = channels.iter_mut();
        *dispatch = dispatch::dispatch(channels.map(|channel| (&channel.matcher, &mut channel.rest)));
    }
    by_traits::mark(&mut model);
    Some(model)
}

struct Compiler<'a> {
    source: &'a ast::Model,
    diagnostics: &'a mut Diagnostics,
    names: Names<'a>,
    thresholds: BTreeMap<&'a str, f64>,
    lists: Lists<'a>,
    /// The grades of every score, highest bar first.
    grades: Vec<Graded<'a>>,
    regexes: BTreeMap<String, regex::Regex>,
    paths: BTreeMap<ast::Field, u16>,
    traits: BTreeMap<Vec<String>, TraitId>,
    /// By trait and the test's text.
    facts: BTreeMap<(TraitId, String), FactId>,
    seen: BTreeMap<(SignalId, String), u16>,
    model: Model,
}

/// The id of the next entry of a table; [`Compiler::check_sizes`] refuses models whose tables are too long.
fn next_id<T>(table: &[T]) -> u16 {
    u16::try_from(table.len()).unwrap_or(u16::MAX)
}

impl<'a> Compiler<'a> {
    fn signals(&mut self) {
        for (name, signal) in self.source.signals.iter() {
            if name.value == "activity" {
                self.diagnostics.error_hint(
                    name.span,
                    "no signal can be called 'activity'",
                    "`on: activity` stands for any activity; choose another name",
                );
            }
            let matcher = self.matcher(&signal.matcher);
            self.model.signals.push(Signal {
                name: name.value.clone(),
                label: signal.label.as_ref().unwrap_or(name).value.clone(),
                matcher,
                rest: Matcher::ALWAYS,
                activity: signal.activity.unwrap_or(true),
                contributions: Vec::new(),
                seen: Vec::new(),
            });
        }
    }

    /// The value of a number or threshold.
    fn number(&mut self, number: &Spanned<ast::Number>) -> Option<f64> {
        match &number.value {
            ast::Number::Literal(value) => Some(*value),
            ast::Number::Threshold(name) => {
                let value = self.thresholds.get(name.as_str()).copied();
                if value.is_none() {
                    let name = Text::new(format!("${name}"), number.span);
                    let known: Vec<String> = self.thresholds.keys().map(|name| format!("${name}")).collect();
                    self.diagnostics.unknown("threshold", &name, known.iter().map(String::as_str));
                }
                value
            }
        }
    }

    /// A signal, or `activity`.
    fn on(&mut self, name: &Text) -> Option<On> {
        if name.value == "activity" {
            return Some(On::Activity);
        }
        Some(On::Signal(self.names.signals.find(name, self.diagnostics)?))
    }

    fn field(&mut self, field: &ast::Field) -> Field {
        let path = match field {
            ast::Field::Kind => return Field::Kind,
            ast::Field::Event => return Field::Name,
            ast::Field::Lead => return Field::Lead,
            ast::Field::Properties(steps) => EventPath::Properties(steps.clone()),
            ast::Field::Context(steps) => EventPath::Context(steps.clone()),
            ast::Field::Traits(steps) => EventPath::Traits(steps.clone()),
        };
        let paths = &mut self.model.event_paths;
        Field::Path(*self.paths.entry(field.clone()).or_insert_with(|| {
            let id = next_id(paths);
            paths.push(path);
            id
        }))
    }

    /// The kept trait of this path.
    fn kept_trait(&mut self, path: &ast::TraitPath) -> TraitId {
        let traits = &mut self.model.traits;
        *self.traits.entry(path.steps.clone()).or_insert_with(|| {
            let id = next_id(traits);
            traits.push(TraitPath { name: path.to_string(), steps: path.steps.clone(), facts: Vec::new() });
            id
        })
    }

    /// A test of a kept trait; equal tests share one fact.
    fn fact(&mut self, path: &ast::TraitPath, test: &Spanned<ast::Test>) -> FactId {
        let trait_id = self.kept_trait(path);
        let key = (trait_id, test.to_string());
        if let Some(&id) = self.facts.get(&key) {
            return id;
        }
        let thresholds = &self.thresholds;
        let words = trait_test(path, test, &|name| thresholds.get(name).copied().unwrap_or(0.0));
        let test = self.test(test);
        let id = next_id(&self.model.facts);
        self.model.facts.push(Fact { trait_id, test, words });
        if let Some(kept) = self.model.traits.get_mut(usize::from(trait_id)) {
            kept.facts.push(id);
        }
        self.facts.insert(key, id);
        id
    }

    fn check_sizes(&mut self) {
        let model = &self.model;
        let tables = [
            ("fields of events", model.event_paths.len()),
            ("traits", model.traits.len()),
            ("tests of traits", model.facts.len()),
            ("signals", model.signals.len()),
            ("points of signals", model.contributions.len()),
            ("`seen` conditions", model.seen.len()),
            ("scores", model.scores.len()),
            ("qualifications", model.qualifications.len()),
            ("transitions", model.transitions.len()),
            ("alerts", model.alerts.len()),
            ("SLAs", model.slas.len()),
            ("channels", model.attribution.as_ref().map_or(0, |attribution| attribution.channels.len())),
        ];
        for (what, len) in tables {
            if len > MAX_IDS {
                self.diagnostics.error(
                    Span::default(),
                    format!("the model has {len} {what}: at most {MAX_IDS} are possible"),
                );
            }
        }
    }

    fn add_contribution(&mut self, contribution: Contribution) {
        let id = next_id(&self.model.contributions);
        if let Some(signal) = self.model.signals.get_mut(usize::from(contribution.signal)) {
            signal.contributions.push(id);
        }
        self.model.contributions.push(contribution);
    }

    fn add_seen(&mut self, seen: Seen) -> u16 {
        let id = next_id(&self.model.seen);
        if let Some(signal) = self.model.signals.get_mut(usize::from(seen.signal)) {
            signal.seen.push(id);
        }
        self.model.seen.push(seen);
        id
    }
}

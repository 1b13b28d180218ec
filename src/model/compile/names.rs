//! What each name of the model stands for.

use crate::model::ast;
use crate::model::diagnostic::{Diagnostics, Text, shorten};
use std::collections::BTreeMap;

/// Sets of stages are kept as bits, one set per condition and transition.
const MAX_STAGES: usize = 1000;

/// The names of one sort of thing, in model order.
pub struct Index<'a> {
    /// `signal`, `stage`: for messages.
    what: &'static str,
    ids: BTreeMap<&'a str, u16>,
    order: Vec<&'a str>,
}

impl<'a> Index<'a> {
    fn new(what: &'static str, names: impl Iterator<Item = &'a Text>) -> Self {
        let mut index = Index { what, ids: BTreeMap::new(), order: Vec::new() };
        for name in names {
            let id = u16::try_from(index.order.len()).unwrap_or(u16::MAX);
            index.order.push(name);
            // Repeated names are errors that are reported elsewhere; the first keeps the name.
            index.ids.entry(name).or_insert(id);
        }
        index
    }

    /// As [`Index::new`], for names that YAML itself does not keep apart: those of a list's entries.
    fn of_list(
        what: &'static str,
        names: impl Iterator<Item = &'a Text> + Clone,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        refuse_repeats(what, names.clone(), diagnostics);
        Index::new(what, names)
    }

    /// The id of a name; an unknown one is reported.
    pub fn find(&self, name: &Text, diagnostics: &mut Diagnostics) -> Option<u16> {
        let id = self.get(name);
        if id.is_none() {
            diagnostics.unknown(self.what, name, self.order.iter().copied());
        }
        id
    }

    pub fn get(&self, name: &str) -> Option<u16> {
        self.ids.get(name).copied()
    }

    pub fn len(&self) -> usize {
        self.order.len()
    }
}

/// The names of a model.
pub struct Names<'a> {
    pub signals: Index<'a>,
    pub scores: Index<'a>,
    pub qualifications: Index<'a>,
    pub stages: Index<'a>,
}

impl<'a> Names<'a> {
    pub fn of(source: &'a ast::Model, diagnostics: &mut Diagnostics) -> Self {
        let stages = source.stages.iter().map(|stage| &stage.name);
        if source.stages.len() > MAX_STAGES
            && let Some(stage) = source.stages.get(MAX_STAGES)
        {
            diagnostics.error(stage.name.span, format!("a model has at most {MAX_STAGES} stages"));
        }
        let stages = stages.take(MAX_STAGES);
        if let Some(any) = stages.clone().find(|name| name.value == "any") {
            diagnostics.error_hint(
                any.span,
                "no stage can be called 'any'",
                "`from: any` stands for every stage; choose another name",
            );
        }
        refuse_repeats(
            "transition",
            source.transitions.iter().map(|transition| &transition.name),
            diagnostics,
        );
        Names {
            signals: Index::new("signal", source.signals.iter().map(|(name, _)| name)),
            scores: Index::new("score", source.scores.iter().map(|(name, _)| name)),
            qualifications: Index::new("qualification", source.qualifications.iter().map(|(name, _)| name)),
            stages: Index::of_list("stage", stages, diagnostics),
        }
    }
}

/// Reports names that stand twice in a list.
pub fn refuse_repeats<'a>(what: &str, names: impl Iterator<Item = &'a Text>, diagnostics: &mut Diagnostics) {
    let mut lines: BTreeMap<&str, u32> = BTreeMap::new();
    for name in names.filter(|name| !name.is_empty()) {
        if let Some(line) = lines.get(name.as_str()) {
            let message = format!("the {what} '{}' appears twice (first in line {line})", shorten(name));
            diagnostics.error_hint(name.span, message, "give one of them another name, or remove it");
        } else {
            lines.insert(name, name.span.line);
        }
    }
}

/// The grades of one score, highest bar first.
pub struct Graded<'a> {
    pub grades: Vec<(&'a Text, f64)>,
}

impl Graded<'_> {
    pub fn position(&self, name: &str) -> Option<usize> {
        self.grades.iter().position(|(grade, _)| grade.value == name)
    }
}

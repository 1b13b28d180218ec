//! Every name that a file of tests expects must be one of its model's, or the test could never pass, and why would be
//! hard to see.

use super::file::*;
use crate::model::Model;
use crate::model::ast::{Named, Text};
use crate::model::compiled::{CriterionEntry, PointsScore, Score, ScoreKind};
use crate::model::diagnostic::{Diagnostic, Diagnostics};

const SLA_STATES: [&str; 5] = ["due", "past_due", "met", "breached", "cancelled"];

/// The names that the model does not know.
///
/// # Errors
/// All of them at once, each with what may have been meant.
pub fn check(name: &str, file: &File, model: &Model) -> Result<(), Vec<Diagnostic>> {
    let mut names = Names { model, diagnostics: Diagnostics::new(name) };
    for test in &file.tests {
        test.steps.iter().filter_map(|step| step.expect.as_ref()).for_each(|expect| names.expect(expect));
    }
    if names.diagnostics.has_errors() { Err(names.diagnostics.into_vec()) } else { Ok(()) }
}

struct Names<'m> {
    model: &'m Model,
    diagnostics: Diagnostics,
}

impl<'m> Names<'m> {
    fn known<'n>(&mut self, what: &str, name: &Text, known: impl Iterator<Item = &'n str> + Clone) {
        if !known.clone().any(|known| known == name.value) {
            self.diagnostics.unknown(what, name, known);
        }
    }

    fn expect(&mut self, expect: &Expect) {
        let model = self.model;
        let stages = model.stages.iter().map(|stage| stage.name.as_str());
        let transitions = model.transitions.iter().map(|transition| transition.name.as_str());
        let alerts = model.alerts.iter().map(|alert| alert.name.as_str());
        let slas = model.slas.iter().map(|sla| sla.name.as_str());
        expect.stage.iter().for_each(|stage| self.known("stage", stage, stages.clone()));
        expect.scores.iter().for_each(|(score, _)| {
            self.score(score);
        });
        expect.groups.iter().for_each(|(score, groups)| self.groups(score, groups));
        for (score, grades) in expect.grades.iter() {
            let Some(score) = self.score(score) else { continue };
            let known = score.grades.iter().map(|grade| grade.name.as_str());
            grades.iter().flatten().for_each(|grade| self.known("grade", grade, known.clone()));
        }
        for (name, qualified) in expect.qualified.iter() {
            self.qualified(name, qualified);
        }
        for field in expect.missing.iter().flatten() {
            let fields: Vec<String> =
                model.traits.iter().map(|path| format!("traits.{}", path.name)).collect();
            self.known("trait", field, fields.iter().map(String::as_str));
        }
        expect.reasons.iter().for_each(|reason| self.reason(reason));
        expect.running.iter().flatten().for_each(|sla| self.known("SLA", sla, slas.clone()));
        for transition in expect.transitions.iter().flatten() {
            self.known("transition", &transition.name, transitions.clone());
            let named = [&transition.from, &transition.to].into_iter().flatten();
            named.for_each(|stage| self.known("stage", stage, stages.clone()));
        }
        expect.alerts.iter().flatten().for_each(|alert| self.known("alert", &alert.name, alerts.clone()));
        for sla in expect.slas.iter().flatten() {
            self.known("SLA", &sla.name, slas.clone());
            self.known("state of an SLA", &sla.state, SLA_STATES.into_iter());
        }
    }

    fn score(&mut self, name: &Text) -> Option<&'m Score> {
        let scores = &self.model.scores;
        self.known("score", name, scores.iter().map(|score| score.name.as_str()));
        scores.iter().find(|score| score.name == name.value)
    }

    fn groups(&mut self, score: &Text, groups: &Named<Bounds>) {
        let model = self.model;
        self.score(score);
        let points = points(model).find(|(name, _)| *name == score.value);
        let known =
            points.into_iter().flat_map(|(_, points)| points.groups.iter().map(|group| group.name.as_str()));
        groups.iter().for_each(|(group, _)| self.known("group", group, known.clone()));
    }

    fn qualified(&mut self, name: &Text, qualified: &Qualified) {
        let qualifications = &self.model.qualifications;
        self.known("qualification", name, qualifications.iter().map(|known| known.name.as_str()));
        let Qualified::Criteria(criteria) = qualified else { return };
        let found = qualifications.iter().find(|known| known.name == name.value);
        let known = found.into_iter().flat_map(|found| found.criteria.iter().map(|(name, _)| name.as_str()));
        criteria.iter().for_each(|criterion| self.known("criterion", criterion, known.clone()));
    }

    fn reason(&mut self, reason: &Reason) {
        let model = self.model;
        let signals = model.signals.iter().flat_map(|signal| [signal.name.as_str(), signal.label.as_str()]);
        let criteria = points(model).flat_map(|(_, points)| points.criteria.iter());
        let criteria = criteria.flat_map(|entry| match entry {
            CriterionEntry::One(one) => std::slice::from_ref(one),
            CriterionEntry::First(several) => several,
        });
        let labels = criteria.filter_map(|criterion| criterion.label.as_deref());
        self.known("reason", &reason.of, signals.chain(labels).chain(["inactivity"]));
        if let Some(score) = &reason.score {
            self.score(score);
        }
        let groups =
            points(model).flat_map(|(_, points)| points.groups.iter().map(|group| group.name.as_str()));
        reason.group.iter().for_each(|group| self.known("group", group, groups.clone()));
    }
}

/// The scores that have points, by name.
fn points(model: &Model) -> impl Iterator<Item = (&str, &PointsScore)> + Clone {
    model.scores.iter().filter_map(|score| match &score.kind {
        ScoreKind::Points(points) => Some((score.name.as_str(), points)),
        ScoreKind::Sum(_) | ScoreKind::Max(_) => None,
    })
}

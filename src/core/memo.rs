//! What was judged already, for the lead and the span at hand.

use super::curve::Curves;
use super::due::Suspects;
use super::judge::{Interval, Truth};
use super::lead::Lead;
use crate::model::Model;
use crate::model::compiled::{QualificationId, ScoreId};

/// A score over a span.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judged {
    /// Clamped; at a moment not yet rounded.
    pub value: Interval,
    /// The same, rounded to 6 decimals.
    pub rounded: Interval,
    /// It has a grade at all (SPEC §4: unknown is not bad).
    pub known: bool,
}

/// How many criteria of a qualification hold over a span.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted {
    pub sure: u32,
    pub possible: u32,
}

impl Counted {
    pub fn at_least(self, bar: u32) -> Truth {
        match (self.sure >= bar, self.possible >= bar) {
            (true, _) => Truth::Yes,
            (_, false) => Truth::No,
            _ => Truth::Unsettled,
        }
    }
}

/// Scores and qualifications that were judged already. Those that traits alone decide stay while the lead's traits do,
/// whatever the span.
#[derive(Debug, Default)]
pub struct Memo {
    /// Numbers the spans.
    span: u64,
    /// The first span of the lead as it is.
    lead: u64,
    scores: Vec<Option<(u64, Judged)>>,
    qualifications: Vec<Option<(u64, Counted)>>,
    /// What spans are judged by.
    pub(super) curves: Curves,
    pub(super) suspects: Suspects,
}

impl Memo {
    /// Forgets everything: another lead, or other traits.
    pub fn clear(&mut self) {
        self.next_span();
        self.lead = self.span;
    }

    /// Forgets what traits do not decide: another span, another stage, other contributions.
    pub fn next_span(&mut self) {
        self.span += 1;
    }

    /// Clears it and prepares for spans that begin at `base` or later; the lead must not change meanwhile.
    pub fn prepare(&mut self, model: &Model, lead: &Lead, base: i64) {
        self.clear();
        self.curves.build(model, lead, base);
    }

    /// Makes room for what a model has.
    #[inline]
    pub(super) fn fit(&mut self, model: &Model) {
        if self.scores.len() != model.scores.len() {
            self.scores.resize(model.scores.len(), None);
        }
        if self.qualifications.len() != model.qualifications.len() {
            self.qualifications.resize(model.qualifications.len(), None);
        }
    }

    #[inline]
    pub(super) fn score(&self, model: &Model, id: ScoreId) -> Option<Judged> {
        let (span, judged) = self.scores[usize::from(id)]?;
        self.holds_good(span, model.scores[usize::from(id)].by_traits).then_some(judged)
    }

    pub(super) fn note_score(&mut self, id: ScoreId, judged: Judged) {
        self.scores[usize::from(id)] = Some((self.span, judged));
    }

    #[inline]
    pub(super) fn qualification(&self, model: &Model, id: QualificationId) -> Option<Counted> {
        let (span, counted) = self.qualifications[usize::from(id)]?;
        self.holds_good(span, model.qualifications[usize::from(id)].by_traits).then_some(counted)
    }

    pub(super) fn note_qualification(&mut self, id: QualificationId, counted: Counted) {
        self.qualifications[usize::from(id)] = Some((self.span, counted));
    }

    #[inline]
    fn holds_good(&self, span: u64, by_traits: bool) -> bool {
        span == self.span || by_traits && span >= self.lead
    }
}

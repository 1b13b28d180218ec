//! What was judged already, for the lead and the span at hand.

use super::bits::Bits;
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

/// For so many sets of facts what they decide is kept: most leads share theirs with many others.
const FACTS_KEPT: usize = 256;

/// What decides by traits alone: the facts of the traits, which of them are known, and whether the lead is identified.
#[derive(Debug, Default)]
struct Facts {
    hold: Bits,
    known: Bits,
    identified: bool,
}

impl Facts {
    fn read(&mut self, lead: &Lead) {
        self.hold.copy_from(&lead.facts);
        self.known.clear();
        let known = lead.traits.iter().filter(|held| !held.text.is_empty());
        known.for_each(|held| self.known.insert(usize::from(held.id)));
        self.identified = lead.identified;
    }

    fn hash(&self) -> usize {
        let mix = |hash: u64, word: &u64| (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        let words = self.hold.words().iter().chain(self.known.words());
        (words.fold(u64::from(self.identified), mix) >> 32) as usize
    }

    fn same(&self, other: &Facts) -> bool {
        self.identified == other.identified && self.hold.same(&other.hold) && self.known.same(&other.known)
    }
}

/// What such facts decide, for any lead.
#[derive(Debug, Default)]
struct ByFacts {
    facts: Facts,
    /// The sums of scores, before they are clamped.
    scores: Vec<Option<f64>>,
    qualifications: Vec<Option<Counted>>,
}

/// Scores and qualifications that were judged already. Those that traits alone decide stay while the lead's traits do,
/// whatever the span; what they come to is kept for other leads too. A memo is for one model.
#[derive(Debug, Default)]
pub struct Memo {
    /// Numbers the spans.
    span: u64,
    /// The first span of the lead as it is.
    lead: u64,
    scores: Vec<Option<(u64, Judged)>>,
    qualifications: Vec<Option<(u64, Counted)>>,
    by_facts: Vec<ByFacts>,
    /// The lead's, while they are looked up.
    facts: Facts,
    /// Which of these is the lead's.
    own_facts: Option<usize>,
    /// What spans are judged by.
    pub(super) curves: Curves,
    pub(super) suspects: Suspects,
}

impl Memo {
    /// Forgets everything: another lead, or other traits.
    pub fn clear(&mut self) {
        self.next_span();
        self.lead = self.span;
        self.own_facts = None;
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
        let by_traits = model.scores[usize::from(id)].by_traits;
        (span == self.span || by_traits && span >= self.lead).then_some(judged)
    }

    pub(super) fn note_score(&mut self, id: ScoreId, judged: Judged) {
        self.scores[usize::from(id)] = Some((self.span, judged));
    }

    /// The sum of a score that traits decide.
    pub(super) fn sum_by_traits(&mut self, model: &Model, lead: &Lead, id: ScoreId) -> &mut Option<f64> {
        &mut self.by_facts(model, lead).scores[usize::from(id)]
    }

    #[inline]
    pub(super) fn qualification(
        &mut self,
        model: &Model,
        lead: &Lead,
        id: QualificationId,
    ) -> Option<Counted> {
        if model.qualifications[usize::from(id)].by_traits {
            return self.by_facts(model, lead).qualifications[usize::from(id)];
        }
        let (span, counted) = self.qualifications[usize::from(id)]?;
        (span == self.span).then_some(counted)
    }

    pub(super) fn note_qualification(
        &mut self,
        model: &Model,
        lead: &Lead,
        id: QualificationId,
        counted: Counted,
    ) {
        if model.qualifications[usize::from(id)].by_traits {
            self.by_facts(model, lead).qualifications[usize::from(id)] = Some(counted);
        } else {
            self.qualifications[usize::from(id)] = Some((self.span, counted));
        }
    }

    /// What the lead's facts decide.
    fn by_facts(&mut self, model: &Model, lead: &Lead) -> &mut ByFacts {
        let at = self.own_facts.unwrap_or_else(|| self.find_facts(model, lead));
        self.own_facts = Some(at);
        &mut self.by_facts[at]
    }

    /// Where the lead's facts have their place; what others left there goes.
    fn find_facts(&mut self, model: &Model, lead: &Lead) -> usize {
        if self.by_facts.is_empty() {
            self.by_facts.resize_with(FACTS_KEPT, ByFacts::default);
        }
        self.facts.read(lead);
        let at = self.facts.hash() % FACTS_KEPT;
        let kept = &mut self.by_facts[at];
        let fits = kept.scores.len() == model.scores.len()
            && kept.qualifications.len() == model.qualifications.len()
            && kept.facts.same(&self.facts);
        if !fits {
            std::mem::swap(&mut kept.facts, &mut self.facts);
            kept.scores.clear();
            kept.scores.resize(model.scores.len(), None);
            kept.qualifications.clear();
            kept.qualifications.resize(model.qualifications.len(), None);
        }
        at
    }
}

//! How a lead's groups decay from one moment on, summed up once, so that a search over many spans of time
//! ([`super::due`]) does not look at every contribution each time.

use super::contribution::{Parts, add_worth, remaining};
use super::lead::{Held, Lead};
use crate::model::Model;
use crate::model::compiled::{ContributionId, Decay, Group, ScoreKind};

/// The curves of all groups in which a lead holds something.
#[derive(Debug, Default)]
pub struct Curves {
    /// When they begin, ms.
    base: i64,
    /// By the first contribution of their group, ascending.
    groups: Vec<Curve>,
    terms: Vec<Term>,
    /// Contributions with slots, which are looked at one by one.
    slotted: Vec<Held>,
}

/// How one group decays.
#[derive(Debug, Clone, Copy)]
pub(super) struct Curve {
    /// The group's first contribution.
    pub start: u16,
    /// What does not decay.
    constant: Parts,
    terms: (u32, u32),
    slotted: (u32, u32),
}

/// All contributions of a group with one half-life.
#[derive(Debug, Clone, Copy)]
struct Term {
    half_life: i64,
    parts: Parts,
}

impl Curves {
    /// Sums up the groups of a lead as they are at `base`.
    pub fn build(&mut self, model: &Model, lead: &Lead, base: i64) {
        self.base = base;
        self.groups.clear();
        self.terms.clear();
        self.slotted.clear();
        let mut held = &lead.held[..];
        while let Some(first) = held.first() {
            let group = group_of(model, first);
            let (in_group, rest) = held.split_at(held.iter().take_while(|held| held.id < group.end).count());
            held = rest;
            self.add_group(model, lead, group.start, in_group);
        }
    }

    fn add_group(&mut self, model: &Model, lead: &Lead, start: u16, held: &[Held]) {
        let (first_term, first_slotted) = (self.terms.len(), self.slotted.len());
        let mut constant = Parts::default();
        for held in held {
            let contribution = &model.contributions[usize::from(held.id)];
            match contribution.decay {
                Decay::None => add_worth(&mut constant, lead, held, contribution, self.base),
                Decay::Lifespan { .. } | Decay::Window { .. } => self.slotted.push(*held),
                Decay::HalfLife(half_life) => {
                    let at = self.terms[first_term..].iter().position(|term| term.half_life == half_life);
                    let at = at.map_or(self.terms.len(), |at| first_term + at);
                    if at == self.terms.len() {
                        self.terms.push(Term { half_life, parts: Parts::default() });
                    }
                    add_worth(&mut self.terms[at].parts, lead, held, contribution, self.base);
                }
            }
        }
        self.groups.push(Curve {
            start,
            constant,
            terms: (first_term as u32, self.terms.len() as u32),
            slotted: (first_slotted as u32, self.slotted.len() as u32),
        });
    }

    /// The curves of the group that starts at a contribution, and of those behind it.
    pub(super) fn from(&self, start: ContributionId) -> &[Curve] {
        &self.groups[self.groups.partition_point(|curve| curve.start < start)..]
    }

    /// The sums of a group's positive and negative parts at a clock that is not before the curves begin.
    pub(super) fn at(&self, model: &Model, lead: &Lead, curve: &Curve, clock: i64) -> Parts {
        let mut parts = curve.constant;
        for term in &self.terms[curve.terms.0 as usize..curve.terms.1 as usize] {
            let left = remaining(term.half_life, clock - self.base);
            parts.add_left(&term.parts, left);
        }
        for held in &self.slotted[curve.slotted.0 as usize..curve.slotted.1 as usize] {
            add_worth(&mut parts, lead, held, &model.contributions[usize::from(held.id)], clock);
        }
        parts
    }
}

fn group_of<'m>(model: &'m Model, held: &Held) -> &'m Group {
    let contribution = &model.contributions[usize::from(held.id)];
    let ScoreKind::Points(points) = &model.scores[usize::from(contribution.score)].kind else {
        unreachable!("contributions are to scores that have groups");
    };
    &points.groups[usize::from(contribution.group)]
}

//! Transitions that can chase each other round, and those that take a lead back at the bar where it came in.

use super::Lint;
use super::scores::hovers;
use super::together::{Alternative, alternatives};
use crate::model::compiled::{Model, Transition};
use crate::words::number;

/// The longest circle that is looked for.
const LONGEST: usize = 4;
/// After so many circles the rest is not looked for.
const MOST_TOLD: usize = 20;

/// Transitions that a lead's condition alone makes fire, with their alternatives: no event and no time is waited for,
/// and the scores stay as they are.
fn immediate(model: &Model) -> Vec<(usize, &Transition, Vec<Alternative>)> {
    let at_once = |t: &&(usize, &Transition)| {
        t.1.on.is_none() && t.1.after.is_none() && t.1.inactive_for.is_none() && t.1.reset.is_empty()
    };
    let all = model.transitions.iter().enumerate();
    all.filter(|t| at_once(&t))
        .filter_map(|(id, transition)| {
            let mut when = alternatives(model, transition.when.as_ref()?, true)?;
            when.retain(|alternative| !alternative.waits());
            Some((id, transition, when))
        })
        .collect()
}

/// A circle of transitions that can all hold at the same moment: the lead goes round with every event.
pub fn chases(lint: &mut Lint<'_>) {
    let all = immediate(lint.model);
    let mut search = Search { lint, all: &all, told: Vec::new() };
    for (start, (_, transition, when)) in all.iter().enumerate() {
        for from in (0..search.lint.model.stages.len()).filter(|&stage| transition.from.contains(stage)) {
            for alternative in when {
                search.go_on(&mut vec![start], from, alternative);
            }
        }
    }
}

struct Search<'s, 'l> {
    lint: &'s mut Lint<'l>,
    all: &'s [(usize, &'s Transition, Vec<Alternative>)],
    /// Circles by their transitions in order of their ids.
    told: Vec<Vec<usize>>,
}

impl Search<'_, '_> {
    /// Looks for a way from the end of the path back to where it began.
    fn go_on(&mut self, path: &mut Vec<usize>, start: usize, holds: &Alternative) {
        let all = self.all;
        let Some(&last) = path.last() else { return };
        let here = usize::from(all[last].1.to);
        if here == start {
            return self.tell(path);
        }
        let enough = path.len() == LONGEST || self.told.len() == MOST_TOLD;
        if enough || !self.lint.budget.spend(all.len()) {
            return;
        }
        for (next, (_, transition, when)) in all.iter().enumerate() {
            // The circle is found from its first transition in the file.
            if next <= path[0] || path.contains(&next) || !transition.from.contains(here) {
                continue;
            }
            for alternative in when {
                if let Some(both) = holds.certainly_and(self.lint.model, alternative) {
                    path.push(next);
                    self.go_on(path, start, &both);
                    path.pop();
                }
            }
        }
    }

    fn tell(&mut self, path: &[usize]) {
        let mut circle: Vec<usize> = path.iter().map(|&at| self.all[at].0).collect();
        circle.sort_unstable();
        if self.told.len() == MOST_TOLD || self.told.contains(&circle) {
            return;
        }
        let Some(&last) = circle.last() else { return };
        let model = self.lint.model;
        let names: Vec<String> = circle.iter().map(|&id| quoted(&model.transitions[id].name)).collect();
        let place = self.lint.source.transitions[last].name.span;
        let message = match names.as_slice() {
            [only] => format!("the transition {only} leads back into its own stage, again with every event"),
            names => format!(
                "the transitions {} can chase each other round: all can hold at once",
                crate::words::and(names)
            ),
        };
        let hint = "let what sends a lead one way be what keeps it from going the other way";
        self.lint.diagnostics.warning(place, message, hint);
        self.told.push(circle);
    }
}

fn quoted(name: &str) -> String {
    format!("'{name}'")
}

/// In at 50, out below 50: a lead near the bar goes to and fro.
pub fn flapping(lint: &mut Lint<'_>) {
    let all = immediate(lint.model);
    for (_, enter, enters) in &all {
        for (id, leave, leaves) in &all {
            let back =
                enter.from.contains(usize::from(leave.to)) && leave.from.contains(usize::from(enter.to));
            if !back || !lint.budget.spend(enters.len() * leaves.len()) {
                continue;
            }
            let found = enters
                .iter()
                .find_map(|one| leaves.iter().find_map(|other| same_bar(lint.model, one, other)));
            let Some((score, bar)) = found else { continue };
            let written = &lint.source.transitions[*id];
            let span = written.when.as_ref().map_or(written.name.span, |when| when.span());
            let (score, to) =
                (&lint.model.scores[usize::from(score)].name, &lint.model.stages[usize::from(enter.to)].name);
            let message = format!(
                "a lead enters '{to}' with {} of '{score}' ('{}') and leaves it below {} again: near the bar it goes to and fro",
                number(bar),
                enter.name,
                number(bar)
            );
            lint.diagnostics.warning(span, message, "leave a gap: let it go at a clearly lower bar");
        }
    }
}

/// The score that one asks to have reached a bar and the other to be below the very same, and its bar.
fn same_bar(model: &Model, enter: &Alternative, leave: &Alternative) -> Option<(u16, f64)> {
    let (score, bar) = enter.scores.iter().find_map(|(id, reached)| {
        let below = leave.scores.get(id)?;
        let same = reached.lo.is_finite() && below.hi < reached.lo && reached.lo - below.hi < 2e-6;
        // The bar itself, whether the comparison includes it or not.
        (same && hovers(model, *id)).then_some((*id, reached.lo.midpoint(below.hi)))
    })?;
    // The rest must be able to hold both ways.
    let without = |alternative: &Alternative| {
        let mut rest = alternative.clone();
        rest.scores.remove(&score);
        rest
    };
    let (enter, leave) = (without(enter), without(leave));
    (enter.certainly_and(model, &leave).is_some() || leave.certainly_and(model, &enter).is_some())
        .then_some((score, bar))
}

//! `qualifyd describe`: the model as Markdown for marketing and sales: what a stage means, what scores how much and for
//! how long, who is told when. Words come from [`crate::words`].

mod fading;
mod funnel;
mod markdown;
mod mermaid;
mod reactions;
mod scoring;
#[cfg(test)]
mod tests;

use crate::model::Loaded;
use crate::model::compiled::{IndexSet, Model, Transition};
use crate::words::{Words, counted};
use markdown::Page;

pub use mermaid::diagram;

/// The model as one page of Markdown.
pub fn describe(loaded: &Loaded) -> String {
    let model = &loaded.model;
    let mut page = Page::default();
    page.title(&model.name);
    let counts = [
        (model.signals.len(), "signal"),
        (model.scores.len(), "score"),
        (model.stages.len(), "stage"),
        (model.transitions.len(), "transition"),
        (model.alerts.len(), "alert"),
        (model.slas.len(), "SLA"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(count, what)| counted(count, what)).collect();
    page.text(&format!("Version {}: {}.", model.version, crate::words::and(&counts)));
    let about = About { loaded, model, words: Words::of(model) };
    about.funnel(&mut page);
    about.qualifications(&mut page);
    about.scores(&mut page);
    about.fading(&mut page);
    about.alerts(&mut page);
    about.slas(&mut page);
    about.attribution(&mut page);
    about.signals(&mut page);
    about.records(&mut page);
    page.finish()
}

/// What each part of the page needs.
struct About<'m> {
    loaded: &'m Loaded,
    model: &'m Model,
    words: Words<'m>,
}

/// Transitions out of most stages are told and drawn once, not at every stage.
fn from_nearly_anywhere(model: &Model, transition: &Transition) -> bool {
    let from = count(model, &transition.from);
    from >= 4 && from * 2 >= model.stages.len()
}

fn count(model: &Model, stages: &IndexSet) -> usize {
    (0..model.stages.len()).filter(|&stage| stages.contains(stage)).count()
}

/// `any stage`, or all but a few, or the list of a set of stages.
fn stages_of(model: &Model, set: &IndexSet) -> String {
    let names = |inside: bool| -> Vec<String> {
        let stages = model.stages.iter().enumerate();
        stages.filter(|(id, _)| set.contains(*id) == inside).map(|(_, stage)| stage.name.clone()).collect()
    };
    let (inside, outside) = (names(true), names(false));
    match outside.len() {
        0 => "any stage".to_owned(),
        few if few <= 3 && few < inside.len() => format!("any stage but {}", crate::words::and(&outside)),
        _ => crate::words::or(&inside),
    }
}

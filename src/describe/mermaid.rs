//! The stages as a Mermaid diagram.

use super::{from_nearly_anywhere, stages_of};
use crate::model::compiled::{Model, Transition};

/// A Mermaid flowchart of the stages: an arrow for each way, named by its transitions; dotted where time alone brings
/// a lead along.
pub fn diagram(model: &Model) -> String {
    let mut out = "flowchart TD\n".to_owned();
    for (id, stage) in model.stages.iter().enumerate() {
        let owner = stage.owner.as_ref().map(|owner| format!("<br/><small>{}</small>", label(owner)));
        let text = format!("\"<b>{}</b>{}\"", label(&stage.name), owner.unwrap_or_default());
        let (open, close) = if stage.side { ("([", "])") } else { ("[", "]") };
        out += &format!("  s{id}{open}{text}{close}\n");
    }
    // Links that are not drawn keep the funnel in one column.
    let steps: Vec<String> =
        (0..model.stages.len()).filter(|&id| !model.stages[id].side).map(|id| format!("s{id}")).collect();
    if steps.len() > 1 {
        out += &format!("  {}\n", steps.join(" ~~~ "));
    }
    let mut wide: Vec<String> = Vec::new();
    for arrow in arrows(model) {
        let from = match &arrow.from {
            From::Stage(id) => format!("s{id}"),
            From::Many(text) => {
                let known = wide.iter().position(|known| known == text);
                let id = known.unwrap_or_else(|| {
                    out += &format!("  many{}{{{{\"{}\"}}}}\n", wide.len(), label(text));
                    wide.push(text.clone());
                    wide.len() - 1
                });
                format!("many{id}")
            }
        };
        let line = if arrow.by_time { "-.->" } else { "-->" };
        let names: Vec<String> = arrow.names.iter().map(|name| label(name)).collect();
        out += &format!("  {from} {line}|\"{}\"| s{}\n", names.join("<br/>"), arrow.to);
    }
    out += "  classDef side stroke-dasharray: 4 3\n  classDef many fill:none,stroke:none,font-style:italic\n";
    let class = |name: &str, ids: Vec<String>| match ids.is_empty() {
        true => String::new(),
        false => format!("  class {} {name}\n", ids.join(",")),
    };
    let side = model.stages.iter().enumerate().filter(|(_, stage)| stage.side);
    out += &class("side", side.map(|(id, _)| format!("s{id}")).collect());
    out += &class("many", (0..wide.len()).map(|id| format!("many{id}")).collect());
    out
}

#[derive(PartialEq)]
enum From {
    Stage(usize),
    /// From most stages: one arrow from a note that names them.
    Many(String),
}

struct Arrow<'m> {
    from: From,
    to: u16,
    by_time: bool,
    names: Vec<&'m str>,
}

/// One arrow for all transitions of a kind between two stages, in the order of the funnel.
fn arrows(model: &Model) -> Vec<Arrow<'_>> {
    let mut arrows: Vec<Arrow<'_>> = Vec::new();
    let mut add = |from: From, transition: &'_ Transition, name| {
        let by_time =
            transition.on.is_none() && (transition.after.is_some() || transition.inactive_for.is_some());
        let same = |arrow: &&mut Arrow<'_>| {
            arrow.from == from && arrow.to == transition.to && arrow.by_time == by_time
        };
        match arrows.iter_mut().find(same) {
            Some(arrow) => arrow.names.push(name),
            None => arrows.push(Arrow { from, to: transition.to, by_time, names: vec![name] }),
        }
    };
    for transition in &model.transitions {
        let name = transition.name.as_str();
        if from_nearly_anywhere(model, transition) {
            add(From::Many(stages_of(model, &transition.from)), transition, name);
            continue;
        }
        for stage in (0..model.stages.len()).filter(|&stage| transition.from.contains(stage)) {
            add(From::Stage(stage), transition, name);
        }
    }
    // The way up first: the layout follows the first arrows.
    arrows.sort_by_key(|arrow| match arrow.from {
        From::Stage(from) => (from >= usize::from(arrow.to), from),
        From::Many(_) => (true, usize::MAX),
    });
    arrows
}

/// A text inside quotation marks, without what Mermaid or HTML would read.
fn label(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain
        .replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('#', "&num;")
}

//! `qualifyd diff`: what changed between two models, in words. Each model is told as a list of [`Thing`]s with their
//! [`Facet`]s; two such lists are compared by name, whatever the things are.

mod funnel;
mod scoring;
#[cfg(test)]
mod tests;

use crate::model::Loaded;
use crate::words::{Words, and};
use serde::Serialize;
use std::fmt::Write;

/// All that changed from one model to the other.
#[derive(Debug, Serialize)]
pub struct Diff {
    pub old: Version,
    pub new: Version,
    pub changes: Vec<Change>,
}

/// A model's name and version.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct Version {
    pub model: String,
    pub version: u64,
}

/// One thing that changed.
#[derive(Debug, Serialize)]
pub struct Change {
    /// The part of the model: `stages`, `points`, …
    pub section: &'static str,
    /// What changed: a stage's name, a signal in its group.
    pub name: String,
    pub kind: Kind,
    /// Which property of it, where it is there in both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub property: Option<&'static str>,
    /// What was said of it before and after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// The change in words.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Added,
    Removed,
    Renamed,
    Changed,
    Reordered,
}

/// What a model says of one thing.
#[derive(Debug)]
struct Thing {
    name: String,
    /// Names that it had before.
    former: Vec<String>,
    facets: Vec<Facet>,
}

/// One property of a thing.
#[derive(Debug)]
struct Facet {
    property: &'static str,
    /// Phrases; several must all hold, or are all meant.
    value: Vec<String>,
}

impl Thing {
    fn new(name: impl Into<String>) -> Self {
        Thing { name: name.into(), former: Vec::new(), facets: Vec::new() }
    }

    /// With a property, unless it has no value.
    fn with(mut self, property: &'static str, value: impl IntoIterator<Item = String>) -> Self {
        let value: Vec<String> = value.into_iter().filter(|text| !text.is_empty()).collect();
        if !value.is_empty() {
            self.facets.push(Facet { property, value });
        }
        self
    }

    fn facet(&self, property: &str) -> &[String] {
        self.facets.iter().find(|facet| facet.property == property).map_or(&[], |facet| &facet.value)
    }

    /// Everything said of it.
    fn summary(&self) -> String {
        let said: Vec<String> = self
            .facets
            .iter()
            .map(|facet| format!("{} {}", facet.property, and(&facet.value)).trim_start().to_owned())
            .collect();
        said.join("; ")
    }
}

/// The things of one part of a model.
struct Section {
    name: &'static str,
    things: Vec<Thing>,
    /// Whether their order means something: the first that fits is taken.
    ordered: bool,
}

/// What changed from `old` to `new`.
pub fn diff(old: &Loaded, new: &Loaded) -> Diff {
    let mut changes = Vec::new();
    for (old, new) in sections(old).iter().zip(&sections(new)) {
        compare(old, new, &mut changes);
    }
    // That a stage has another name is told once, not again wherever it stands.
    let renamed = renamed_stages(old, new);
    changes.retain(|change| !renamed.iter().any(|(old, new)| only_renamed(change, old, new)));
    Diff { old: version(old), new: version(new), changes }
}

/// Stages by the names that they had and have.
fn renamed_stages<'m>(old: &'m Loaded, new: &'m Loaded) -> Vec<(&'m str, &'m str)> {
    let mut renamed = Vec::new();
    for stage in &new.model.stages {
        let was = |before: &&crate::model::compiled::Stage| stage.renamed_from.contains(&before.name);
        renamed.extend(old.model.stages.iter().find(was).map(|was| (was.name.as_str(), stage.name.as_str())));
    }
    renamed
}

/// Whether old and new say the same, but for the name of a stage.
fn only_renamed(change: &Change, old: &str, new: &str) -> bool {
    let about_stages = !matches!(change.section, "signals" | "lists" | "channels" | "criteria" | "stages");
    let (Some(before), Some(after)) = (&change.old, &change.new) else { return false };
    let words = |text: &str| -> Vec<String> {
        text.split([' ', ','])
            .map(|word| if word == old { new.to_owned() } else { word.to_owned() })
            .collect()
    };
    change.kind == Kind::Changed && about_stages && words(before) == words(after)
}

fn version(loaded: &Loaded) -> Version {
    Version { model: loaded.model.name.clone(), version: loaded.model.version }
}

/// Every part of a model, always the same ones in the same order.
fn sections(loaded: &Loaded) -> Vec<Section> {
    let part = |name, things| Section { name, things, ordered: false };
    let in_order = |name, things| Section { name, things, ordered: true };
    let told = Told { loaded, words: Words::of(&loaded.model) };
    vec![
        part("thresholds", told.thresholds()),
        part("lists", told.lists()),
        part("signals", told.signals()),
        part("scores", told.scores()),
        part("points", told.points()),
        in_order("criteria", told.criteria()),
        part("checklists", told.qualifications()),
        in_order("stages", told.stages()),
        in_order("transitions", told.transitions()),
        part("alerts", told.alerts()),
        part("service levels", told.slas()),
        in_order("channels", told.channels()),
        part("attribution", told.attribution()),
        part("records", told.records()),
    ]
}

/// A model that tells of its things.
struct Told<'m> {
    loaded: &'m Loaded,
    words: Words<'m>,
}

fn compare(old: &Section, new: &Section, changes: &mut Vec<Change>) {
    let section = new.name;
    let by_name = |things: &'_ [Thing], name: &str| things.iter().position(|thing| thing.name == name);
    // The old thing that a new one was: of its name, or of a name that it had.
    let was = |thing: &Thing| {
        let former = thing.former.iter().filter(|name| by_name(&new.things, name).is_none());
        std::iter::once(&thing.name).chain(former).find_map(|name| by_name(&old.things, name))
    };
    let change = |name: &str, kind, text| Change {
        section,
        name: name.to_owned(),
        kind,
        property: None,
        old: None,
        new: None,
        text,
    };
    let mut kept = Vec::new();
    for thing in &new.things {
        let Some(before) = was(thing) else {
            let summary = thing.summary();
            let text = if summary.is_empty() {
                format!("{} is new", thing.name)
            } else {
                format!("{} is new: {summary}", thing.name)
            };
            changes.push(Change { new: Some(summary), ..change(&thing.name, Kind::Added, text) });
            continue;
        };
        kept.push(before);
        let before = &old.things[before];
        if before.name != thing.name {
            let text = format!("{} is now called {}", before.name, thing.name);
            let renamed = change(&thing.name, Kind::Renamed, text);
            changes.push(Change { old: Some(before.name.clone()), new: Some(thing.name.clone()), ..renamed });
        }
        changes.extend(properties(section, before, thing));
    }
    for (_, thing) in old.things.iter().enumerate().filter(|(index, _)| !kept.contains(index)) {
        let text = format!("{} is gone", thing.name);
        changes.push(Change { old: Some(thing.summary()), ..change(&thing.name, Kind::Removed, text) });
    }
    if new.ordered && !kept.is_sorted() {
        let names: Vec<&str> = new.things.iter().map(|thing| thing.name.as_str()).collect();
        let text = format!("the order is another: {}", names.join(", "));
        changes.push(change("", Kind::Reordered, text));
    }
}

/// What changed of a thing that is in both models.
fn properties<'c>(
    section: &'static str,
    old: &'c Thing,
    new: &'c Thing,
) -> impl Iterator<Item = Change> + 'c {
    let gone = old.facets.iter().filter(|facet| new.facet(facet.property).is_empty());
    let all = new.facets.iter().chain(gone).map(|facet| facet.property);
    all.filter_map(move |property| {
        let (before, after) = (old.facet(property), new.facet(property));
        (before != after).then(|| Change {
            section,
            name: new.name.clone(),
            kind: Kind::Changed,
            property: Some(property),
            old: (!before.is_empty()).then(|| and(before)),
            new: (!after.is_empty()).then(|| and(after)),
            text: format!("{}: {}", new.name, said(property, before, after)),
        })
    })
}

/// A change of one property in words.
fn said(property: &str, before: &[String], after: &[String]) -> String {
    let named = |text: String| format!("{property} {text}").trim_start().to_owned();
    match (before, after) {
        ([], after) => format!("now {}", named(and(after))),
        (before, []) => format!("no longer {}", named(and(before))),
        ([before], [after]) => named(arrow(before, after)),
        (before, after) => {
            let only = |these: &[String], others: &[String]| -> Vec<String> {
                these.iter().filter(|text| !others.contains(text)).cloned().collect()
            };
            match (only(before, after).as_slice(), only(after, before).as_slice()) {
                ([], []) => named(format!("in another order: {}", after.join(", "))),
                ([before], [after]) => named(arrow(before, after)),
                (gone, []) => named(format!("no longer {}", and(gone))),
                ([], added) => named(format!("now also {}", and(added))),
                (gone, added) => named(format!("{} instead of {}", and(added), and(gone))),
            }
        }
    }
}

/// `10 → 12 points`: what both begin or end with is said once.
fn arrow(before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.split(' ').collect(), after.split(' ').collect());
    let same =
        |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| pairs.take_while(|(old, new)| old == new).count();
    let shortest = old.len().min(new.len());
    let front = same(&mut old.iter().zip(&new)).min(shortest);
    let back = same(&mut old.iter().rev().zip(new.iter().rev())).min(shortest - front);
    // Only a single word between the same words is said alone: more would tear phrases apart.
    let whole = |word: &str| word.contains('“') == word.contains('”') && !word.contains(['(', ')']);
    let single = old.len() - front - back == 1 && new.len() - front - back == 1;
    if single && whole(old[front]) && whole(new[front]) {
        let words = [&old[..=front], &["→"], &new[front..]].concat();
        return words.join(" ");
    }
    format!("{before} → {after}")
}

impl Diff {
    /// For people: grouped by the parts of the model.
    pub fn text(&self) -> String {
        let Diff { old, new, changes } = self;
        let mut out = match old == new {
            true => format!("{} version {}", new.model, new.version),
            false => format!("{} version {} → {} version {}", old.model, old.version, new.model, new.version),
        };
        if changes.is_empty() {
            out += ": both say the same";
        }
        out.push('\n');
        let mut section = "";
        for change in changes {
            if change.section != section {
                section = change.section;
                // Writing to a text never fails.
                let _ = write!(out, "\n{}\n", capitalized(section));
            }
            let mark = match change.kind {
                Kind::Added => '+',
                Kind::Removed => '-',
                Kind::Renamed | Kind::Changed | Kind::Reordered => '~',
            };
            let _ = writeln!(out, "  {mark} {}", change.text);
        }
        out
    }
}

fn capitalized(text: &str) -> String {
    let (first, rest) = text.split_at(text.len().min(1));
    first.to_uppercase() + rest
}

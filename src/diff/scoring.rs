//! What counts and how much: thresholds, lists, signals, scores, points, criteria.

use super::{Thing, Told};
use crate::model::ast;
use crate::model::compiled::{Contribution, Criterion, CriterionEntry, Decay, Range, ScoreKind};
use crate::words::{at_most, decay, inactivity, matcher, number, quoted, range};

impl Told<'_> {
    pub(super) fn thresholds(&self) -> Vec<Thing> {
        let thresholds = self.loaded.source.thresholds.iter();
        thresholds.map(|(name, value)| Thing::new(&name.value).with("", [number(**value)])).collect()
    }

    pub(super) fn lists(&self) -> Vec<Thing> {
        let lists = self.loaded.source.lists.iter();
        lists
            .map(|(name, list)| {
                let items = match list {
                    ast::List::Items(items) => items.iter().map(|item| quoted(item)).collect(),
                    ast::List::File(file) => vec![format!("the lines of {}", file.value)],
                };
                Thing::new(&name.value).with("", items)
            })
            .collect()
    }

    pub(super) fn signals(&self) -> Vec<Thing> {
        let written = self.loaded.source.signals.iter();
        let signals = self.loaded.model.signals.iter().zip(written);
        signals
            .map(|(signal, (_, written))| {
                let activity = if signal.activity { "" } else { "no activity" };
                Thing::new(&signal.name)
                    .with("", [matcher(&written.matcher, &self.loaded.source)])
                    .with("called", (signal.label != signal.name).then(|| quoted(&signal.label)))
                    .with("counts as", [activity.to_owned()])
            })
            .collect()
    }

    pub(super) fn scores(&self) -> Vec<Thing> {
        let mut things = Vec::new();
        for (score, (_, written)) in self.loaded.model.scores.iter().zip(self.loaded.source.scores.iter()) {
            let name = |id: &u16| self.words.score(*id).to_owned();
            let mut thing = Thing::new(&score.name).with("values", [range(score.range)]);
            match &score.kind {
                ScoreKind::Points(points) => {
                    thing = thing.with("silence", points.inactivity.iter().map(inactivity));
                }
                ScoreKind::Sum(parts) => {
                    let parts =
                        parts.iter().map(|(id, weight)| format!("{} × {}", number(*weight), name(id)));
                    thing = thing.with("sum of", parts);
                }
                ScoreKind::Max(parts) => thing = thing.with("largest of", parts.iter().map(name)),
            }
            things.push(thing);
            for grade in &score.grades {
                things.push(
                    Thing::new(format!("{} grade {}", score.name, grade.name))
                        .with("from", [number(grade.bar)]),
                );
            }
            let ScoreKind::Points(points) = &score.kind else { continue };
            for (group, (_, written)) in points.groups.iter().zip(written.groups.iter()) {
                let limits = if group.range == Range::UNBOUNDED { String::new() } else { range(group.range) };
                let fading = written.decay.map_or(decay(Decay::None), said);
                things.push(
                    Thing::new(format!("{} / {}", score.name, group.name))
                        .with("limits", [limits])
                        .with("", [fading]),
                );
            }
        }
        things
    }

    pub(super) fn points(&self) -> Vec<Thing> {
        let mut things = Vec::new();
        for (score, (_, written)) in self.loaded.model.scores.iter().zip(self.loaded.source.scores.iter()) {
            let ScoreKind::Points(points) = &score.kind else { continue };
            for (group, (_, written)) in points.groups.iter().zip(written.groups.iter()) {
                let ids = usize::from(group.start)..usize::from(group.end);
                let contributions = self.loaded.model.contributions[ids].iter().zip(written.points.iter());
                for (contribution, (_, written)) in contributions {
                    let name = format!(
                        "{} / {}: {}",
                        score.name,
                        group.name,
                        self.words.signal(contribution.signal)
                    );
                    things.push(self.contribution(contribution, written, name));
                }
            }
        }
        things
    }

    fn contribution(&self, contribution: &Contribution, written: &ast::Points, name: String) -> Thing {
        // A decay of the group is told there.
        let own = matches!(written, ast::Points::Rule(rule) if rule.decay.is_some());
        Thing::new(name)
            .with("", [self.words.worth(contribution.points)])
            .with("counts", contribution.at_most.map(at_most))
            .with("by itself", own.then(|| decay(contribution.decay)))
    }

    pub(super) fn criteria(&self) -> Vec<Thing> {
        let mut things: Vec<Thing> = Vec::new();
        for score in &self.loaded.model.scores {
            let ScoreKind::Points(points) = &score.kind else { continue };
            for entry in &points.criteria {
                let (criteria, first) = match entry {
                    CriterionEntry::One(one) => (std::slice::from_ref(one), ""),
                    CriterionEntry::First(first) => (first.as_slice(), "the first that holds"),
                };
                for criterion in criteria {
                    let thing = self.criterion(criterion, &score.name, &things);
                    things.push(thing.with("counts", [first.to_owned()]));
                }
            }
        }
        things
    }

    /// Named by its label, or by what it asks; the second of a name is told apart.
    fn criterion(&self, criterion: &Criterion, score: &str, before: &[Thing]) -> Thing {
        let asks = self.words.condition(&criterion.when);
        let label = criterion.label.as_ref().map(|label| quoted(label));
        let name = format!("{score}: {}", label.as_ref().unwrap_or(&asks));
        let same = before
            .iter()
            .filter(|thing| thing.name == name || thing.name.starts_with(&format!("{name} (")))
            .count();
        let name = if same == 0 { name } else { format!("{name} ({})", same + 1) };
        Thing::new(name)
            .with("", [crate::words::points(criterion.points)])
            .with("with", if label.is_some() { self.words.parts(&criterion.when) } else { Vec::new() })
    }
}

/// The decay of a group.
fn said(of_group: ast::Decay) -> String {
    let life = |duration: ast::Duration| duration.ms;
    decay(match of_group {
        ast::Decay::None => Decay::None,
        ast::Decay::HalfLife(half) => Decay::HalfLife(life(half)),
        ast::Decay::Lifespan(span) => Decay::Lifespan { life: life(span), slot: 0 },
        ast::Decay::Window(window) => Decay::Window { life: life(window), slot: 0 },
    })
}

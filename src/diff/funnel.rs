//! Stages, transitions, checklists; alerts, SLAs, attribution, records.

use super::{Thing, Told};
use crate::model::ast::{self, AttributionModel};
use crate::model::compiled::{Alert, Route};
use crate::words::{duration, matcher, number};

impl Told<'_> {
    pub(super) fn qualifications(&self) -> Vec<Thing> {
        let lists = self.loaded.model.qualifications.iter();
        lists
            .flat_map(|list| {
                let criteria = list.criteria.iter();
                criteria.map(|(name, when)| {
                    Thing::new(format!("{} / {name}", list.name)).with("", self.words.parts(when))
                })
            })
            .collect()
    }

    pub(super) fn stages(&self) -> Vec<Thing> {
        let stages = self.loaded.model.stages.iter();
        stages
            .map(|stage| {
                let requires = stage.requires.iter();
                let requires = requires.map(|id| self.loaded.model.traits[usize::from(*id)].name.clone());
                let mut thing = Thing::new(format!("stage {}", stage.name))
                    .with("owner", stage.owner.clone())
                    .with("to do", stage.action.clone())
                    .with("stands", stage.side.then(|| "beside the funnel".to_owned()))
                    .with("needs", requires);
                thing.former = stage.renamed_from.iter().map(|name| format!("stage {name}")).collect();
                thing
            })
            .collect()
    }

    pub(super) fn transitions(&self) -> Vec<Thing> {
        let transitions = self.loaded.model.transitions.iter();
        transitions
            .map(|transition| {
                let waits_for = self.words.waits_for(transition);
                // What comes from any other stage stays so, however many there are.
                let from = match self.words.from(transition).as_str() {
                    any @ "any other stage" => vec![any.to_owned()],
                    _ => self.words.stages(&transition.from),
                };
                let waits_for =
                    if waits_for.is_empty() { vec!["nothing: fires at once".to_owned()] } else { waits_for };
                Thing::new(&transition.name)
                    .with("from", from)
                    .with("to", [self.words.stage(transition.to).to_owned()])
                    .with("needs", waits_for)
                    .with("starts anew", transition.reset.iter().map(|id| self.words.score(*id).to_owned()))
                    .with("reason in", transition.reason.map(|field| self.words.field(field)))
            })
            .collect()
    }

    pub(super) fn alerts(&self) -> Vec<Thing> {
        let alerts = self.loaded.model.alerts.iter();
        alerts
            .map(|alert| {
                Thing::new(&alert.name)
                    .with("fires with", self.words.fires_on(alert))
                    .with("again with", alert.rearm.iter().flat_map(|rearm| self.words.parts(rearm)))
                    .with("again after", (alert.cooldown > 0).then(|| duration(alert.cooldown)))
                    .with("goes to", self.route(alert))
                    .with("priority", alert.priority.clone())
            })
            .collect()
    }

    fn route(&self, alert: &Alert) -> Vec<String> {
        match &alert.route {
            Route::None => Vec::new(),
            Route::To(to) => vec![to.clone()],
            Route::FirstOf(entries) => entries
                .iter()
                .map(|(when, to)| match when {
                    Some(when) => format!("{to} with {}", self.words.condition(when)),
                    None => format!("{to} otherwise"),
                })
                .collect(),
        }
    }

    pub(super) fn slas(&self) -> Vec<Thing> {
        let slas = self.loaded.model.slas.iter();
        slas.map(|sla| {
            Thing::new(&sla.name)
                .with("starts with", [self.words.edge(sla.start)])
                .with("stops with", [self.words.edge(sla.stop)])
                .with("void with", sla.cancel.map(|edge| self.words.edge(edge)))
                .with("due after", [duration(sla.due)])
                .with("told again after", sla.past_due.map(duration))
        })
        .collect()
    }

    pub(super) fn channels(&self) -> Vec<Thing> {
        let channels =
            self.loaded.source.attribution.iter().flat_map(|attribution| attribution.channels.iter());
        channels
            .map(|(name, events)| Thing::new(&name.value).with("", [matcher(events, &self.loaded.source)]))
            .collect()
    }

    pub(super) fn attribution(&self) -> Vec<Thing> {
        let mut things = Vec::new();
        if let (Some(compiled), Some(source)) =
            (&self.loaded.model.attribution, &self.loaded.source.attribution)
        {
            let value = compiled.value.iter();
            let value = value.map(|(signal, field)| {
                format!("{} in {}", self.words.signal(*signal), self.words.field(*field))
            });
            things.push(
                Thing::new("credit")
                    .with("on entering", self.words.stages(&compiled.credit))
                    .with("shared by", source.models.iter().map(|model| shared(model)))
                    .with("keeps", [format!("{} touches", compiled.touches)])
                    .with("takes as one what lies within", [duration(compiled.gap)])
                    .with("leaves out what is older than", compiled.window.map(duration))
                    .with("value of", value),
            );
        }
        if let (Some(compiled), Some(source)) = (&self.loaded.model.spend, &self.loaded.source.spend) {
            things.push(
                Thing::new("spend")
                    .with("", [matcher(&source.matcher, &self.loaded.source)])
                    .with("channel in", [self.words.field(compiled.channel)])
                    .with("amount in", [self.words.field(compiled.amount)]),
            );
        }
        things
    }

    pub(super) fn records(&self) -> Vec<Thing> {
        let model = &self.loaded.model;
        let traits = model.emit_traits.iter().map(|id| model.traits[usize::from(*id)].name.clone());
        let mut things = vec![Thing::new("every record").with("carries", traits)];
        things.extend(model.emit_scores.map(|emit| {
            Thing::new("score records")
                .with("sent on a change of", [number(emit.on_change_of)])
                .with("at most once in", (emit.every > 0).then(|| duration(emit.every)))
        }));
        things.retain(|thing| !thing.facets.is_empty());
        things
    }
}

fn shared(model: &AttributionModel) -> String {
    match model {
        AttributionModel::First => "first touch".to_owned(),
        AttributionModel::Last => "last touch".to_owned(),
        AttributionModel::Linear => "equal shares".to_owned(),
        AttributionModel::TimeDecay { half_life: ast::Duration { ms } } => {
            format!("time decay of {}", duration(*ms))
        }
        AttributionModel::Position { first, last } => {
            format!("position ({} % first, {} % last)", number(first * 100.0), number(last * 100.0))
        }
    }
}

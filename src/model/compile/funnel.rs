//! Qualifications, stages, transitions, alerts, SLAs, attribution, and what records carry.

use super::Compiler;
use super::names::refuse_repeats;
use super::scores::{MAX_NESTED, first_too_deep, sorted_parts_first};
use crate::model::ast::{self, ConditionEntry};
use crate::model::compiled::{
    Alert, Attribution, AttributionModel, Channel, Dispatch, Edge, EmitScores, IndexSet, Qualification,
    Route, Sla, Spend, Stage, StageId, Transition,
};
use crate::model::diagnostic::{Text, shorten};
use crate::model::matcher::Matcher;
use std::collections::BTreeMap;

/// Touches kept per lead unless the model says otherwise.
const TOUCHES: u32 = 20;
/// The stretch in which touches of a channel are one, unless the model says otherwise.
const GAP_MS: i64 = 30 * 60_000;
/// Criteria that are judged for one qualification, those of the qualifications that it asks for included.
const MAX_JUDGED: usize = 10_000;

impl Compiler<'_> {
    pub(super) fn qualifications(&mut self) {
        for (name, criteria) in self.source.qualifications.iter() {
            let criteria = criteria.iter();
            let criteria = criteria.map(|(name, when)| (name.value.clone(), self.condition(when))).collect();
            self.model.qualifications.push(Qualification {
                name: name.value.clone(),
                criteria,
                by_traits: false,
            });
        }
        let all = &self.source.qualifications.0;
        let parts = |id: usize| {
            let mut parts = Vec::new();
            all[id].1.iter().for_each(|(_, when)| self.qualifications_in(when, &mut parts));
            parts
        };
        let order = match sorted_parts_first(all.len(), parts) {
            Ok(order) => order,
            Err(circle) => {
                let name = &all[circle[0]].0;
                let names: Vec<&str> = circle.iter().map(|&id| all[id].0.as_str()).collect();
                let message =
                    format!("the qualification '{}' asks for itself: {}", name.value, names.join(" → "));
                self.diagnostics.error_hint(name.span, message, "take one `qualified.…` out of them");
                return;
            }
        };
        // A qualification is judged anew wherever it is asked for.
        let mut judged = vec![0_usize; all.len()];
        let too_wide = order.iter().copied().find(|&id| {
            let asked_for = parts(id).into_iter().map(|part| judged[part]);
            judged[id] = asked_for.fold(all[id].1.iter().count(), usize::saturating_add);
            judged[id] > MAX_JUDGED
        });
        if let Some(id) = too_wide.or_else(|| first_too_deep(&order, parts)) {
            let name = &all[id].0;
            let message = format!(
                "the qualification '{}' asks for others that ask for others, more than {MAX_NESTED} deep or more than {MAX_JUDGED} criteria in all",
                shorten(name)
            );
            self.diagnostics.error_hint(name.span, message, "take some `qualified.…` out of it");
        }
    }

    /// The qualifications that a condition asks for.
    fn qualifications_in(&self, condition: &ast::Condition, found: &mut Vec<usize>) {
        for entry in &condition.entries {
            match &entry.value {
                ConditionEntry::All(parts) | ConditionEntry::Any(parts) => {
                    parts.iter().for_each(|part| self.qualifications_in(part, found));
                }
                ConditionEntry::Not(part) => self.qualifications_in(part, found),
                ConditionEntry::Qualified(name, _) => {
                    found.extend(self.names.qualifications.get(name).map(usize::from));
                }
                _ => {}
            }
        }
    }

    pub(super) fn stages(&mut self) {
        let stages = &self.source.stages;
        let mut former: BTreeMap<&str, &Text> = BTreeMap::new();
        for stage in stages {
            for name in stage.renamed_from.iter().filter(|name| !name.is_empty()) {
                if self.names.stages.get(name).is_some() {
                    let message = format!("'{}' is still the name of a stage", shorten(name));
                    self.diagnostics.error_hint(
                        name.span,
                        message,
                        "`renamed_from` takes names that no stage has any more",
                    );
                } else if let Some(other) = former.insert(name, &stage.name) {
                    let message = format!("'{}' became the stage '{}' already", shorten(name), other.value);
                    self.diagnostics.error_hint(name.span, message, "leads can only move to one of them");
                }
            }
            let mut requires = Vec::new();
            for path in stage.requires.iter().filter(|path| !path.steps.is_empty()) {
                let id = self.kept_trait(path);
                if requires.contains(&id) {
                    let message = format!("the trait '{}' stands here twice", path.value);
                    self.diagnostics.error_hint(path.span, message, "remove one of them");
                }
                requires.push(id);
            }
            let text = |text: &Option<Text>| text.as_ref().map(|text| text.value.clone());
            self.model.stages.push(Stage {
                name: stage.name.value.clone(),
                owner: text(&stage.owner),
                action: text(&stage.action),
                side: stage.side,
                requires,
                renamed_from: stage.renamed_from.iter().map(|name| name.value.clone()).collect(),
            });
        }
    }

    pub(super) fn transitions(&mut self) {
        for transition in &self.source.transitions {
            let to = self.stage(&transition.to);
            let from = self.from(transition, to);
            let on = transition.on.as_ref().and_then(|on| self.on(on));
            let when = transition.when.as_ref().map(|when| self.condition(when));
            let reset = self.reset(&transition.reset);
            let reason = transition.reason.as_ref().map(|field| self.field(field));
            self.model.transitions.push(Transition {
                name: transition.name.value.clone(),
                from,
                to: to.unwrap_or(0),
                on,
                when,
                after: transition.after.map(|after| after.ms),
                inactive_for: transition.inactive_for.map(|duration| duration.ms),
                reset,
                reason,
            });
        }
    }

    fn stage(&mut self, name: &Text) -> Option<StageId> {
        self.names.stages.find(name, self.diagnostics)
    }

    /// `any` is every stage but the target; beside other names it is a slip.
    fn from(&mut self, transition: &ast::Transition, to: Option<StageId>) -> IndexSet {
        if let [only] = transition.from.as_slice()
            && only.value == "any"
        {
            return (0..self.names.stages.len())
                .filter(|&stage| to.map(usize::from) != Some(stage))
                .collect();
        }
        refuse_repeats("stage", transition.from.iter(), self.diagnostics);
        let mut from = IndexSet::default();
        for name in &transition.from {
            if name.value == "any" {
                let message = "`any` stands for all stages and cannot stand beside others";
                self.diagnostics.error_hint(name.span, message, "write `from: any` alone");
                continue;
            }
            if let Some(stage) = self.stage(name) {
                from.insert(usize::from(stage));
            }
        }
        from
    }

    fn reset(&mut self, names: &[Text]) -> Vec<u16> {
        refuse_repeats("score", names.iter(), self.diagnostics);
        let mut reset = Vec::new();
        for name in names {
            let Some(id) = self.names.scores.find(name, self.diagnostics) else { continue };
            if self.source.scores.0[usize::from(id)].1.groups.is_empty() {
                let message = format!("the score '{}' has no groups: there is nothing to reset", name.value);
                self.diagnostics.error_hint(name.span, message, "reset the scores of which it is made");
            }
            reset.push(id);
        }
        reset
    }

    pub(super) fn alerts(&mut self) {
        for (name, alert) in self.source.alerts.iter() {
            let on = alert.on.as_ref().and_then(|on| self.on(on));
            let when = alert.when.as_ref().map(|when| self.condition(when));
            let rearm = alert.rearm.as_ref().map(|rearm| self.condition(rearm));
            let route = match &alert.route {
                None => Route::None,
                Some(ast::Route::To(to)) => Route::To(to.value.clone()),
                Some(ast::Route::FirstOf(entries)) => Route::FirstOf(self.routes(entries)),
            };
            self.model.alerts.push(Alert {
                name: name.value.clone(),
                on,
                when,
                rearm,
                cooldown: alert.cooldown.map_or(0, |cooldown| cooldown.ms),
                route,
                priority: alert.priority.as_ref().map(|priority| priority.value.clone()),
            });
        }
    }

    fn routes(
        &mut self,
        entries: &[ast::RouteEntry],
    ) -> Vec<(Option<super::super::compiled::Condition>, String)> {
        if let Some((_, before)) = entries.split_last()
            && let Some(early) = before.iter().find(|entry| entry.when.is_none())
        {
            self.diagnostics.warning(
                early.to.span,
                "what follows in this route is never reached",
                "an entry without `when` always fits: put it last",
            );
        }
        let route = |entry: &ast::RouteEntry| {
            (entry.when.as_ref().map(|when| self.condition(when)), entry.to.value.clone())
        };
        entries.iter().map(route).collect()
    }

    pub(super) fn slas(&mut self) {
        for (name, sla) in self.source.slas.iter() {
            let start = self.edge(&sla.start);
            let stop = self.edge(&sla.stop);
            let cancel = sla.cancel.as_ref().map(|cancel| self.edge(cancel));
            // A stand-in for edges whose mistake is reported.
            let nothing = Edge::Enter(0);
            self.model.slas.push(Sla {
                name: name.value.clone(),
                start: start.unwrap_or(nothing),
                stop: stop.unwrap_or(nothing),
                cancel: cancel.map(|cancel| cancel.unwrap_or(nothing)),
                due: sla.due.ms,
                past_due: sla.past_due.map(|past| past.ms),
            });
        }
    }

    fn edge(&mut self, edge: &ast::Edge) -> Option<Edge> {
        let on = edge.on.as_ref().and_then(|on| self.on(on)).map(Edge::On);
        let enter = edge.enter.as_ref().and_then(|stage| self.stage(stage)).map(Edge::Enter);
        let leave = edge.leave.as_ref().and_then(|stage| self.stage(stage)).map(Edge::Leave);
        on.or(enter).or(leave)
    }

    pub(super) fn attribution(&mut self) {
        let Some(attribution) = &self.source.attribution else { return };
        let channels = attribution.channels.iter();
        let channels = channels
            .map(|(name, matcher)| Channel {
                name: name.value.clone(),
                matcher: self.matcher(matcher),
                rest: Matcher::ALWAYS,
            })
            .collect();
        let models: Vec<_> = attribution.models.iter().map(|model| attribution_model(model.value)).collect();
        for (index, model) in models.iter().enumerate() {
            if models[..index].iter().any(|other| other.name() == model.name()) {
                let message = format!("the attribution model '{}' appears twice", model.name());
                self.diagnostics.error_hint(
                    attribution.models[index].span,
                    message,
                    "records tell the models apart by name",
                );
            }
        }
        refuse_repeats("stage", attribution.credit.iter(), self.diagnostics);
        let credit = attribution.credit.iter().filter_map(|name| self.stage(name)).map(usize::from).collect();
        let mut value = Vec::new();
        for (signal, field) in attribution.value.iter() {
            let field = self.field(field);
            value.extend(self.names.signals.find(signal, self.diagnostics).map(|signal| (signal, field)));
        }
        value.sort_by_key(|(signal, _)| *signal);
        self.model.attribution = Some(Attribution {
            channels,
            dispatch: Dispatch::default(),
            touches: attribution.touches.as_ref().map_or(TOUCHES, |touches| touches.value),
            gap: attribution.gap.map_or(GAP_MS, |gap| gap.ms),
            window: attribution.window.map(|window| window.ms),
            models,
            credit,
            value,
        });
    }

    pub(super) fn emit(&mut self) {
        let Some(emit) = &self.source.emit else { return };
        for path in emit.traits.iter().filter(|path| !path.steps.is_empty()) {
            let id = self.kept_trait(path);
            if self.model.emit_traits.contains(&id) {
                let message = format!("the trait '{}' stands here twice", path.value);
                self.diagnostics.error_hint(path.span, message, "remove one of them");
            }
            self.model.emit_traits.push(id);
        }
        self.model.emit_scores = emit.scores.as_ref().map(|scores| EmitScores {
            on_change_of: scores.on_change_of.unwrap_or(1.0),
            every: scores.every.map_or(0, |every| every.ms),
        });
    }

    pub(super) fn spend(&mut self) {
        let Some(spend) = &self.source.spend else { return };
        let matcher = self.matcher(&spend.matcher);
        let (channel, amount) = (self.field(&spend.channel), self.field(&spend.amount));
        self.model.spend = Some(Spend { matcher, channel, amount });
    }
}

fn attribution_model(model: ast::AttributionModel) -> AttributionModel {
    match model {
        ast::AttributionModel::First => AttributionModel::First,
        ast::AttributionModel::Last => AttributionModel::Last,
        ast::AttributionModel::Linear => AttributionModel::Linear,
        ast::AttributionModel::TimeDecay { half_life } => {
            AttributionModel::TimeDecay { half_life: half_life.ms }
        }
        ast::AttributionModel::Position { first, last } => AttributionModel::Position { first, last },
    }
}

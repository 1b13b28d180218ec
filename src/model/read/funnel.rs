//! Stages and transitions, alerts, SLAs, attribution, and what records carry.

use super::Reader;
use crate::model::ast::{
    Alert, Attribution, AttributionModel, Duration, Edge, Emit, EmitScores, Route, RouteEntry, Sla, Spend,
    Stage, Transition,
};
use crate::model::diagnostic::Spanned;
use crate::model::yaml::{Node, NodeKind};

impl Reader<'_> {
    pub(super) fn stage(&mut self, node: &Node) -> Stage {
        let Some(mut map) = self.map(node, "a stage") else { return Stage::default() };
        let stage = Stage {
            name: map.required(self, "name", Reader::text),
            owner: map.optional(self, "owner", Reader::text),
            action: map.optional(self, "action", Reader::text),
            side: map.optional(self, "side", Reader::bool).unwrap_or(false),
            requires: map
                .optional(self, "requires", |r, n| r.one_or_several(n, Reader::required_trait))
                .unwrap_or_default(),
            renamed_from: map
                .optional(self, "renamed_from", |r, n| r.one_or_several(n, Reader::text))
                .unwrap_or_default(),
        };
        map.finish(self);
        stage
    }

    pub(super) fn transition(&mut self, node: &Node) -> Transition {
        let Some(mut map) = self.map(node, "a transition") else { return Transition::default() };
        let transition = Transition {
            name: map.required(self, "name", Reader::text),
            from: map.required(self, "from", |r, n| r.one_or_several(n, Reader::text)),
            to: map.required(self, "to", Reader::text),
            on: map.optional(self, "on", Reader::text),
            when: map.optional(self, "when", Reader::condition),
            after: map.optional(self, "after", Reader::duration),
            inactive_for: map.optional(self, "inactive_for", Reader::duration),
            reset: map.optional(self, "reset", |r, n| r.one_or_several(n, Reader::text)).unwrap_or_default(),
            reason: map.optional(self, "reason", Reader::field),
        };
        if !["on", "when", "after", "inactive_for"].into_iter().any(|key| map.has(key)) {
            self.diagnostics.warning(
                map.key("name"),
                "this transition fires at once: it has none of on, when, after, inactive_for",
                "say what it waits for",
            );
        }
        map.finish(self);
        transition
    }

    pub(super) fn alert(&mut self, node: &Node) -> Alert {
        let Some(mut map) = self.map(node, "an alert") else { return Alert::default() };
        let alert = Alert {
            on: map.optional(self, "on", Reader::text),
            when: map.optional(self, "when", Reader::condition),
            rearm: map.optional(self, "rearm", Reader::condition),
            cooldown: map.optional(self, "cooldown", Reader::duration),
            route: map.optional(self, "route", Reader::route),
            priority: map.optional(self, "priority", Reader::text),
        };
        if !map.has("on") && !map.has("when") {
            self.error(
                map.start(),
                "an alert needs `on` or `when`",
                "`on: signal` for each such event, `when: …` for a state of the lead",
            );
        } else if map.has("rearm") && map.has("on") {
            self.error(
                map.key("rearm"),
                "an alert with `on` has no `rearm`",
                "remove it; a `cooldown` keeps it from firing too often",
            );
        }
        map.finish(self);
        alert
    }

    fn route(&mut self, node: &Node) -> Route {
        match &node.kind {
            NodeKind::List(_) => Route::FirstOf(self.several(node, Reader::route_entry)),
            NodeKind::Scalar(..) => Route::To(self.text(node)),
            NodeKind::Map(_) => {
                self.mismatch(node, "a name, or a list of `{ when: …, to: name }`");
                Route::FirstOf(Vec::new())
            }
        }
    }

    fn route_entry(&mut self, node: &Node) -> RouteEntry {
        let Some(mut map) = self.map(node, "an entry of a route") else { return RouteEntry::default() };
        let entry = RouteEntry {
            when: map.optional(self, "when", Reader::condition),
            to: map.required(self, "to", Reader::text),
        };
        map.finish(self);
        entry
    }

    pub(super) fn sla(&mut self, node: &Node) -> Sla {
        let Some(mut map) = self.map(node, "an SLA") else { return Sla::default() };
        let sla = Sla {
            start: map.required(self, "start", |r, n| r.edge(n, "start")),
            stop: map.required(self, "stop", |r, n| r.edge(n, "stop")),
            cancel: map.optional(self, "cancel", |r, n| r.edge(n, "cancel")),
            due: map.required(self, "due", Reader::period),
            past_due: map.optional(self, "past_due", Reader::period),
        };
        if map.has("due") && sla.past_due.is_some_and(|past| past <= sla.due) {
            self.error(
                map.key("past_due"),
                "`past_due` must be longer than `due`",
                "both are counted from the start",
            );
        }
        map.finish(self);
        sla
    }

    fn edge(&mut self, node: &Node, what: &str) -> Edge {
        let Some(mut map) = self.map(node, "a moment") else { return Edge::default() };
        let edge = Edge {
            on: map.optional(self, "on", Reader::text),
            enter: map.optional(self, "enter", Reader::text),
            leave: map.optional(self, "leave", Reader::text),
        };
        if what == "start" && map.has("leave") {
            self.error(
                map.key("leave"),
                "an SLA cannot start with `leave`",
                "start it with `enter` of the next stage",
            );
        }
        if ["on", "enter", "leave"].into_iter().filter(|key| map.has(key)).count() != 1 {
            let choice = if what == "start" { "on, enter" } else { "on, enter, leave" };
            self.error(
                map.start(),
                format!("`{what}` needs exactly one of {choice}"),
                "`{ on: signal }` or `{ enter: stage }`",
            );
        }
        map.finish(self);
        edge
    }

    pub(super) fn attribution(&mut self, node: &Node) -> Attribution {
        let Some(mut map) = self.map(node, "attribution") else { return Attribution::default() };
        let attribution = Attribution {
            channels: map.optional(self, "channels", |r, n| r.named(n, Reader::matcher)).unwrap_or_default(),
            touches: map.optional(self, "touches", Reader::count),
            gap: map.optional(self, "gap", Reader::duration),
            window: map.optional(self, "window", Reader::period),
            models: map
                .optional(self, "models", |r, n| r.several(n, Reader::attribution_model))
                .unwrap_or_default(),
            credit: map
                .optional(self, "credit", |r, n| r.one_or_several(n, Reader::text))
                .unwrap_or_default(),
            value: map.optional(self, "value", |r, n| r.named(n, Reader::field)).unwrap_or_default(),
        };
        for key in ["channels", "models"] {
            if map.has("credit") && !map.has(key) {
                self.error(
                    map.key("credit"),
                    format!("`credit` needs `{key}`"),
                    "channels say where a lead came from, models how the credit is shared",
                );
            }
        }
        if !map.has("credit") && !map.has("value") {
            self.diagnostics.warning(
                map.start(),
                "nothing is credited",
                "name the stages whose entry is credited: `credit: [customer]`",
            );
        }
        map.finish(self);
        attribution
    }

    fn attribution_model(&mut self, node: &Node) -> Spanned<AttributionModel> {
        let model = match &node.kind {
            NodeKind::Map(_) => self.attribution_rule(node),
            NodeKind::Scalar(text, _) => match text.as_str() {
                "first" => AttributionModel::First,
                "last" => AttributionModel::Last,
                "linear" => AttributionModel::Linear,
                "time_decay" => {
                    self.error(
                        node.span,
                        "time_decay needs a half-life",
                        "write `{ time_decay: { half_life: 7d } }`",
                    );
                    AttributionModel::Linear
                }
                "position" => {
                    self.error(
                        node.span,
                        "position needs its shares",
                        "write `{ position: { first: 0.4, last: 0.4 } }`",
                    );
                    AttributionModel::Linear
                }
                _ => {
                    let text = self.text(node);
                    let known = ["first", "last", "linear", "time_decay", "position"];
                    self.diagnostics.unknown("attribution model", &text, known.into_iter());
                    AttributionModel::Linear
                }
            },
            NodeKind::List(_) => {
                self.mismatch(node, "an attribution model");
                AttributionModel::Linear
            }
        };
        Spanned::new(model, node.span)
    }

    fn attribution_rule(&mut self, node: &Node) -> AttributionModel {
        let Some(mut map) = self.map(node, "an attribution model") else { return AttributionModel::Linear };
        let decay = map.optional(self, "time_decay", Reader::time_decay);
        let position = map.optional(self, "position", Reader::position);
        if map.entries.len() != 1 {
            self.error(
                node.span,
                "an entry of `models` is one model",
                "begin each with a '-', or separate them by commas",
            );
        }
        map.finish(self);
        decay.or(position).unwrap_or(AttributionModel::Linear)
    }

    fn time_decay(&mut self, node: &Node) -> AttributionModel {
        let Some(mut map) = self.map(node, "time_decay") else { return AttributionModel::Linear };
        let half_life: Duration = map.required(self, "half_life", Reader::period);
        map.finish(self);
        AttributionModel::TimeDecay { half_life }
    }

    fn position(&mut self, node: &Node) -> AttributionModel {
        let Some(mut map) = self.map(node, "position") else { return AttributionModel::Linear };
        let first = map.required(self, "first", Reader::share);
        let last = map.required(self, "last", Reader::share);
        if first + last > 1.0 {
            self.error(
                map.key("last"),
                "the shares of `first` and `last` are more than 1 together",
                "the rest goes to the touches between them",
            );
        }
        map.finish(self);
        AttributionModel::Position { first, last }
    }

    fn share(&mut self, node: &Node) -> f64 {
        let share = self.literal(node).value;
        if !(0.0..=1.0).contains(&share) {
            self.error(node.span, "a share is a number from 0 to 1", "write 40 percent as 0.4");
            return 0.0;
        }
        share
    }

    pub(super) fn emit(&mut self, node: &Node) -> Emit {
        let Some(mut map) = self.map(node, "emit") else { return Emit::default() };
        let emit = Emit {
            traits: map
                .optional(self, "traits", |r, n| r.one_or_several(n, Reader::emitted_trait))
                .unwrap_or_default(),
            scores: map.optional(self, "scores", Reader::emit_scores),
        };
        map.finish(self);
        emit
    }

    /// May be empty: `scores: {}` asks for score records with all defaults.
    fn emit_scores(&mut self, node: &Node) -> EmitScores {
        let Some(mut map) = self.map(node, "emit.scores") else { return EmitScores::default() };
        let on_change_of = map.optional(self, "on_change_of", Reader::literal);
        if let Some(change) = &on_change_of
            && change.value <= 0.0
        {
            self.error(
                change.span,
                "`on_change_of` must be above 0",
                "1 sends a record whenever a score moves by one point",
            );
        }
        let scores = EmitScores {
            on_change_of: on_change_of.map(|change| change.value),
            every: map.optional(self, "every", Reader::duration),
        };
        map.finish(self);
        scores
    }

    pub(super) fn spend(&mut self, node: &Node) -> Spend {
        let Some(mut map) = self.map(node, "spend") else { return Spend::default() };
        let spend = Spend {
            matcher: map.required(self, "match", Reader::matcher),
            channel: map.required(self, "channel", Reader::field),
            amount: map.required(self, "amount", Reader::field),
        };
        map.finish(self);
        spend
    }
}

//! Who is told what: alerts, SLAs, attribution, spend, records; and what counts as a signal.

use super::About;
use super::markdown::{Item, Page};
use crate::model::compiled::{Alert, AttributionModel, Route};
use crate::words::{and, duration, matcher, number};

impl About<'_> {
    pub(super) fn alerts(&self, page: &mut Page) {
        if self.model.alerts.is_empty() {
            return;
        }
        page.section("Alerts");
        for alert in &self.model.alerts {
            page.subsection(&alert.name);
            let mut items = vec![Item::of("Fires with", self.words.fires_on(alert)), self.route(alert)];
            items.push(Item::new(format!("Again: {}", self.again(alert))));
            items.extend(alert.priority.iter().map(|priority| Item::new(format!("Priority: {priority}"))));
            page.list(&items);
        }
    }

    fn route(&self, alert: &Alert) -> Item {
        match &alert.route {
            Route::None => Item::new("Goes to: nobody in particular"),
            Route::To(to) => Item::new(format!("Goes to: {to}")),
            Route::FirstOf(entries) => {
                let said = |(index, (when, to)): (usize, &(Option<_>, String))| match when {
                    Some(when) => format!("{to}, with {}", self.words.condition(when)),
                    None if index == 0 => to.clone(),
                    None => format!("{to} otherwise"),
                };
                Item::under("Goes to the first that fits:", entries.iter().enumerate().map(said).collect())
            }
        }
    }

    fn again(&self, alert: &Alert) -> String {
        let pause = (alert.cooldown > 0)
            .then(|| format!("{} after the last time at the earliest", duration(alert.cooldown)));
        let armed = match (&alert.rearm, alert.on) {
            (_, Some(_)) => pause.is_none().then(|| "with each such event".to_owned()),
            (Some(rearm), None) => Some(format!("once there was {}", self.words.condition(rearm))),
            (None, None) => Some("once the above no longer held".to_owned()),
        };
        armed.into_iter().chain(pause).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn slas(&self, page: &mut Page) {
        if self.model.slas.is_empty() {
            return;
        }
        page.section("Service levels");
        let rows: Vec<Vec<String>> = self
            .model
            .slas
            .iter()
            .map(|sla| {
                vec![
                    sla.name.clone(),
                    self.words.edge(sla.start),
                    self.words.edge(sla.stop),
                    duration(sla.due),
                    sla.past_due.map(duration).unwrap_or_default(),
                    sla.cancel.map(|edge| self.words.edge(edge)).unwrap_or_default(),
                ]
            })
            .collect();
        page.table(
            &[
                "Promise",
                "The clock starts with",
                "What must follow",
                "Within",
                "Told again after",
                "Void with",
            ],
            &rows,
        );
    }

    pub(super) fn attribution(&self, page: &mut Page) {
        let source = &self.loaded.source;
        if let Some(attribution) = &self.model.attribution {
            page.section("Attribution");
            let written = source.attribution.iter().flat_map(|attribution| attribution.channels.iter());
            let rows: Vec<Vec<String>> =
                written.map(|(name, events)| vec![name.value.clone(), matcher(events, source)]).collect();
            if !rows.is_empty() {
                page.text("A touch belongs to the first channel that fits:");
                page.table(&["Channel", "Events"], &rows);
            }
            let credited = self.words.stages(&attribution.credit);
            let mut items = Vec::new();
            if !credited.is_empty() {
                items.push(Item::new(format!("Credit is shared on entering {}", and(&credited))));
                items.push(Item::under(
                    "It is shared in these ways:",
                    attribution.models.iter().map(shared).collect(),
                ));
            }
            if !rows.is_empty() {
                items.push(Item::new(format!("Kept per lead: {} touches", attribution.touches)));
                if attribution.gap > 0 {
                    items.push(Item::new(format!(
                        "Touches of one channel within {} are one",
                        duration(attribution.gap)
                    )));
                }
                items.extend(
                    attribution
                        .window
                        .map(|ms| Item::new(format!("Touches older than {} get no credit", duration(ms)))),
                );
            }
            let value = attribution.value.iter().map(|(signal, field)| {
                format!("{}: `{}`", self.words.signal(*signal), self.words.field(*field))
            });
            let value: Vec<String> = value.collect();
            if !value.is_empty() {
                items.push(Item::under("What a customer is worth comes with:", value));
            }
            page.list(&items);
        }
        if let (Some(spend), Some(written)) = (&self.model.spend, &source.spend) {
            page.section("Spend");
            page.text(&format!(
                "{} tells what was spent: `{}` on the channel in `{}`.",
                matcher(&written.matcher, source),
                self.words.field(spend.amount),
                self.words.field(spend.channel),
            ));
        }
    }

    pub(super) fn signals(&self, page: &mut Page) {
        if self.model.signals.is_empty() {
            return;
        }
        page.section("What counts as what");
        page.text("Signals without a mark say something about a lead, but are no sign of life.");
        let source = &self.loaded.source;
        let rows: Vec<Vec<String>> = self
            .model
            .signals
            .iter()
            .zip(source.signals.iter())
            .map(|(signal, (_, written))| {
                let activity = if signal.activity { "✓" } else { "" };
                vec![
                    signal.label.clone(),
                    format!("`{}`", signal.name),
                    matcher(&written.matcher, source),
                    activity.to_owned(),
                ]
            })
            .collect();
        page.table(&["Signal", "Name", "Events", "Activity"], &rows);
    }

    pub(super) fn records(&self, page: &mut Page) {
        let traits: Vec<String> = self
            .model
            .emit_traits
            .iter()
            .map(|id| format!("`{}`", self.model.traits[usize::from(*id)].name))
            .collect();
        let mut sentences = Vec::new();
        if !traits.is_empty() {
            sentences.push(format!("Every record carries {}, as far as known.", and(&traits)));
        }
        sentences.extend(self.model.emit_scores.map(|emit| {
            let every = if emit.every > 0 {
                format!(", at most once in {}", duration(emit.every))
            } else {
                String::new()
            };
            format!(
                "A lead's state goes out when its stage or a grade changed or a score moved by {}{every}.",
                number(emit.on_change_of)
            )
        }));
        if !sentences.is_empty() {
            page.section("What records say");
            page.text(&sentences.join(" "));
        }
    }
}

fn shared(model: &AttributionModel) -> String {
    match model {
        AttributionModel::First => "`first`: all to the first touch".to_owned(),
        AttributionModel::Last => "`last`: all to the last touch".to_owned(),
        AttributionModel::Linear => "`linear`: equally to all touches".to_owned(),
        AttributionModel::TimeDecay { half_life } => {
            format!("`time_decay`: half as much for each {} of age", duration(*half_life))
        }
        AttributionModel::Position { first, last } => format!(
            "`position`: {} % to the first touch, {} % to the last, the rest to those between",
            number(first * 100.0),
            number(last * 100.0)
        ),
    }
}

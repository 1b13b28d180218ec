//! Stages with the ways in and out, and the checklists that these ask for.

use super::markdown::{Item, Page};
use super::{About, from_nearly_anywhere, mermaid, stages_of};
use crate::model::compiled::{Condition, Edge, QualificationId, Route, StageId, Transition};
use crate::words::{and, duration};

impl About<'_> {
    pub(super) fn funnel(&self, page: &mut Page) {
        page.section("The funnel");
        page.code("mermaid", &mermaid::diagram(self.model));
        page.text("Round boxes stand beside the funnel. Dotted arrows are ways that open after a while. A transition's name stands at its arrow; what it takes is told below, where the first transition that fits is the one taken.");
        for id in 0..self.model.stages.len() {
            self.stage(page, id);
        }
    }

    fn stage(&self, page: &mut Page, id: usize) {
        let stage = &self.model.stages[id];
        page.subsection(&stage.name);
        let mut facts = Vec::new();
        if id == 0 {
            facts.push("Every lead begins here.".to_owned());
        }
        if stage.side {
            facts.push("Beside the funnel.".to_owned());
        }
        facts.extend(stage.owner.iter().map(|owner| format!("Owner: {owner}.")));
        facts.extend(stage.action.iter().map(|action| format!("To do: {action}.")));
        if !stage.requires.is_empty() {
            let fields: Vec<String> = stage
                .requires
                .iter()
                .map(|id| format!("`{}`", self.model.traits[usize::from(*id)].name))
                .collect();
            facts.push(format!("Nobody enters without {}.", and(&fields)));
        }
        facts.extend(self.promises(id).map(|promise| format!("Promise: {promise}.")));
        if self.model.attribution.as_ref().is_some_and(|attribution| attribution.credit.contains(id)) {
            facts.push("Entering it is credited to channels.".to_owned());
        }
        if !facts.is_empty() {
            page.text(&facts.join(" "));
        }
        let all = self.model.transitions.iter();
        let ways_in = all
            .clone()
            .filter(|t| usize::from(t.to) == id)
            .map(|t| self.way(t, &format!("from {} by `{}`", stages_of(self.model, &t.from), t.name)));
        // What leads out of most stages is told where it leads to.
        let (wide, near): (Vec<&Transition>, Vec<&Transition>) =
            all.filter(|t| t.from.contains(id)).partition(|t| from_nearly_anywhere(self.model, t));
        let ways_out =
            near.into_iter().map(|t| self.way(t, &format!("to {} by `{}`", self.words.stage(t.to), t.name)));
        let ways_out = ways_out.chain(wide.into_iter().map(|t| {
            Item::new(format!("to {} by `{}`, as from most stages", self.words.stage(t.to), t.name))
        }));
        for (label, ways) in [("In", ways_in.collect::<Vec<_>>()), ("Out", ways_out.collect())] {
            if !ways.is_empty() {
                page.label(label);
                page.list(&ways);
            }
        }
    }

    /// What a transition takes, and what it does besides.
    fn way(&self, transition: &Transition, text: &str) -> Item {
        let mut parts = self.words.waits_for(transition);
        if parts.is_empty() {
            parts.push("at once".to_owned());
        }
        let mut also = Vec::new();
        if !transition.reset.is_empty() {
            let scores: Vec<String> =
                transition.reset.iter().map(|id| self.words.score(*id).to_owned()).collect();
            let start = if scores.len() == 1 { "starts" } else { "start" };
            also.push(format!("{} {start} anew", and(&scores)));
        }
        also.extend(
            transition.reason.map(|field| format!("the reason is told in `{}`", self.words.field(field))),
        );
        let also = if also.is_empty() { String::new() } else { format!(" ({})", also.join("; ")) };
        Item::of(&format!("{text}{also}"), parts)
    }

    /// The SLAs that entering the stage starts.
    fn promises(&self, id: usize) -> impl Iterator<Item = String> {
        self.model.slas.iter().filter_map(move |sla| match sla.start {
            Edge::Enter(stage) if stage == id as StageId => {
                Some(format!("{} within {} (`{}`)", self.words.edge(sla.stop), duration(sla.due), sla.name))
            }
            _ => None,
        })
    }

    pub(super) fn qualifications(&self, page: &mut Page) {
        if self.model.qualifications.is_empty() {
            return;
        }
        page.section("Checklists");
        for (id, qualification) in (0..=QualificationId::MAX).zip(&self.model.qualifications) {
            page.subsection(&qualification.name);
            let asked: Vec<String> = self.asked_by(id);
            if !asked.is_empty() {
                page.text(&format!("Asked for by {}.", and(&asked)));
            }
            let rows: Vec<Vec<String>> = qualification
                .criteria
                .iter()
                .map(|(name, when)| vec![name.clone(), self.words.condition(when)])
                .collect();
            page.table(&["Point", "Holds with"], &rows);
        }
    }

    /// The transitions, alerts and other checklists that ask for the checklist.
    fn asked_by(&self, id: QualificationId) -> Vec<String> {
        let model = self.model;
        let asks = |when: &Option<Condition>| when.as_ref().is_some_and(|when| mentions(when, id));
        let transitions = model.transitions.iter().filter(|t| asks(&t.when));
        let alerts = model.alerts.iter().filter(|alert| {
            let routes: &[(Option<Condition>, String)] = match &alert.route {
                Route::FirstOf(entries) => entries,
                _ => &[],
            };
            asks(&alert.when) || asks(&alert.rearm) || routes.iter().any(|(when, _)| asks(when))
        });
        let lists = model.qualifications.iter();
        let lists = lists.filter(|list| list.criteria.iter().any(|(_, when)| mentions(when, id)));
        let transitions = transitions.map(|t| format!("`{}`", t.name));
        let alerts = alerts.map(|alert| format!("the alert `{}`", alert.name));
        transitions.chain(alerts).chain(lists.map(|list| format!("the checklist `{}`", list.name))).collect()
    }
}

fn mentions(condition: &Condition, id: QualificationId) -> bool {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(|part| mentions(part, id)),
        Condition::Not(not) => mentions(not, id),
        Condition::Qualified { qualification, .. } => *qualification == id,
        _ => false,
    }
}

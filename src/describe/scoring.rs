//! Scores: points, criteria, grades.

use super::About;
use super::markdown::{Item, Page};
use crate::model::compiled::{Criterion, CriterionEntry, PointsScore, Range, Score, ScoreKind};
use crate::words::{and, at_most, decay, inactivity, number, or, range};

impl About<'_> {
    pub(super) fn scores(&self, page: &mut Page) {
        if self.model.scores.is_empty() {
            return;
        }
        page.section("Scores");
        for score in &self.model.scores {
            page.subsection(&score.name);
            page.text(&self.made_of(score));
            if !score.grades.is_empty() {
                let grades: Vec<Item> = score
                    .grades
                    .iter()
                    .map(|grade| Item::new(format!("{} from {}", grade.name, number(grade.bar))))
                    .collect();
                page.label("Grades");
                page.list(&grades);
            }
            if let ScoreKind::Points(points) = &score.kind {
                self.groups(page, points);
                self.criteria(page, points);
            }
        }
    }

    fn made_of(&self, score: &Score) -> String {
        let name = |id: u16| self.words.score(id).to_owned();
        let made_of = match &score.kind {
            ScoreKind::Points(points) => {
                let mut sentences = Vec::new();
                if !points.unknown_without.is_empty() {
                    let traits: Vec<String> = points
                        .unknown_without
                        .iter()
                        .map(|id| format!("`{}`", self.model.traits[usize::from(*id)].name))
                        .collect();
                    sentences.push(format!(
                        "A lead without any of {} has no grade: unknown is not bad.",
                        or(&traits)
                    ));
                }
                sentences
                    .extend(points.inactivity.iter().map(|rule| format!("Silence: {}.", inactivity(rule))));
                sentences.join(" ")
            }
            ScoreKind::Sum(parts) => {
                let parts: Vec<String> =
                    parts.iter().map(|(id, weight)| format!("{} × {}", number(*weight), name(*id))).collect();
                format!("The sum of {}.", and(&parts))
            }
            ScoreKind::Max(parts) => {
                let parts: Vec<String> = parts.iter().map(|id| name(*id)).collect();
                format!("The largest of {}; records name the winner.", and(&parts))
            }
        };
        let limits = match range(score.range) {
            text if text == "unbounded" => "Without limits.".to_owned(),
            text => format!("Values: {text}."),
        };
        format!("{limits} {made_of}").trim_end().to_owned()
    }

    fn groups(&self, page: &mut Page, score: &PointsScore) {
        let mut rows = Vec::new();
        for group in &score.groups {
            let limits = if group.range == Range::UNBOUNDED {
                String::new()
            } else {
                format!(" ({})", range(group.range))
            };
            for id in group.start..group.end {
                let contribution = &self.model.contributions[usize::from(id)];
                let first = if id == group.start { format!("{}{limits}", group.name) } else { String::new() };
                rows.push(vec![
                    first,
                    self.model.signals[usize::from(contribution.signal)].label.clone(),
                    self.words.worth(contribution.points),
                    contribution.at_most.map(at_most).unwrap_or_default(),
                    decay(contribution.decay),
                ]);
            }
        }
        if !rows.is_empty() {
            page.table(&["Group (its limits)", "What a lead does", "Points", "Counts", "Fading"], &rows);
        }
    }

    fn criteria(&self, page: &mut Page, score: &PointsScore) {
        let mut rows = Vec::new();
        for entry in &score.criteria {
            match entry {
                CriterionEntry::One(criterion) => rows.push(self.criterion(criterion, "")),
                CriterionEntry::First(first) => {
                    for (index, criterion) in first.iter().enumerate() {
                        rows.push(self.criterion(criterion, if index == 0 { "" } else { "else " }));
                    }
                }
            }
        }
        if !rows.is_empty() {
            page.table(&["No.", "What is known", "Points", "Called"], &rows);
        }
    }

    fn criterion(&self, criterion: &Criterion, before: &str) -> Vec<String> {
        vec![
            criterion.position.to_string(),
            format!("{before}{}", self.words.condition(&criterion.when)),
            number(criterion.points),
            criterion.label.clone().unwrap_or_default(),
        ]
    }
}

//! Fills the public records with what is known of a lead at a moment (SPEC §8).

use super::contribution::{Parts, add_worth, not_over};
use super::judge::{Judge, Truth, round6};
use super::rules::InHand;
use crate::model::compiled::*;
use crate::records::*;

/// Reasons per record.
const REASONS: usize = 5;

/// What all records of a lead say at the judge's moment.
pub fn common<'a>(
    judge: &mut Judge<'a>,
    lead: &'a str,
    seq: u64,
    clock: i64,
    in_hand: Option<&InHand<'a>>,
) -> Common<'a> {
    let model = judge.model;
    let scores =
        (0..model.scores.len()).map(|id| (model.scores[id].name.as_str(), Shown(judge.value(id as ScoreId))));
    let scores = Named(scores.collect());
    Common {
        lead,
        seq,
        at: Moment(clock),
        model: ModelRef { name: &model.name, version: model.version },
        stage: &model.stages[usize::from(judge.lead.stage)].name,
        scores,
        grades: grades(judge),
        profiles: profiles(judge),
        cause: cause(model, in_hand),
        traits: traits(judge),
        reasons: reasons(judge, clock),
    }
}

fn cause<'a>(model: &'a Model, in_hand: Option<&InHand<'a>>) -> Cause<'a> {
    match in_hand {
        None => Cause { kind: CauseKind::Time, message_id: None, signals: Vec::new() },
        Some(in_hand) => Cause {
            kind: CauseKind::Event,
            message_id: in_hand.event.message_id,
            signals: in_hand.matched.iter().map(|&id| model.signals[usize::from(id)].name.as_str()).collect(),
        },
    }
}

fn grades<'a>(judge: &mut Judge<'a>) -> Named<'a, Option<&'a str>> {
    let model = judge.model;
    let graded = model.scores.iter().enumerate().filter(|(_, score)| !score.grades.is_empty());
    let grades = graded.map(|(id, score)| {
        let grade = judge.grade(id as ScoreId);
        (score.name.as_str(), grade.map(|grade| score.grades[usize::from(grade)].name.as_str()))
    });
    Named(grades.collect())
}

fn profiles<'a>(judge: &mut Judge<'a>) -> Option<Named<'a, &'a str>> {
    let model = judge.model;
    let mut winners = Vec::new();
    for score in &model.scores {
        let ScoreKind::Max(parts) = &score.kind else { continue };
        let mut best: Option<(f64, ScoreId)> = None;
        for &part in parts {
            let value = judge.value(part);
            if best.is_none_or(|(highest, _)| value > highest) {
                best = Some((value, part));
            }
        }
        if let Some((_, winner)) = best {
            winners.push((score.name.as_str(), model.scores[usize::from(winner)].name.as_str()));
        }
    }
    (!winners.is_empty()).then_some(Named(winners))
}

fn traits<'a>(judge: &Judge<'a>) -> Named<'a, Raw<'a>> {
    let (model, lead) = (judge.model, judge.lead);
    let known = model.emit_traits.iter().filter_map(|&id| {
        let text = std::str::from_utf8(lead.trait_text(id)?).ok()?;
        let value = serde_json::from_str(text).ok()?;
        Some((model.traits[usize::from(id)].name.as_str(), Raw(value)))
    });
    Named(known.collect())
}

/// The parts of scores that weigh most at the judge's moment, the largest first; ties in model order.
pub fn reasons<'a>(judge: &mut Judge<'a>, clock: i64) -> Vec<Reason<'a>> {
    let mut reasons = Reasons::default();
    let model = judge.model;
    for score in &model.scores {
        let ScoreKind::Points(points) = &score.kind else { continue };
        for (group, held) in judge.held_in_groups(points) {
            for held in held {
                let contribution = &model.contributions[usize::from(held.id)];
                let mut parts = Parts::default();
                add_worth(&mut parts, judge.lead, held, contribution, clock);
                let signal = &model.signals[usize::from(contribution.signal)];
                reasons.offer(parts.sum(), |points| {
                    let (count, last_at) = not_over(judge.lead, held, contribution, clock);
                    Reason {
                        group: Some(&group.name),
                        signal: Some(&signal.name),
                        label: Some(&signal.label),
                        count: Some(count),
                        last_at: Some(Moment(last_at)),
                        ..reason(&score.name, points)
                    }
                });
            }
        }
        for criterion in counting_criteria(judge, &points.criteria) {
            reasons.offer(criterion.points, |points| Reason {
                criterion: Some(criterion.position),
                label: criterion.label.as_deref(),
                ..reason(&score.name, points)
            });
        }
        if let Some(inactivity) = &points.inactivity {
            let deduction = judge.inactivity(inactivity, clock);
            reasons.offer(deduction, |points| Reason {
                label: Some("inactivity"),
                ..reason(&score.name, points)
            });
        }
    }
    reasons.largest
}

fn reason(score: &str, points: f64) -> Reason<'_> {
    let points = Shown(points);
    Reason {
        score,
        group: None,
        signal: None,
        criterion: None,
        label: None,
        points,
        count: None,
        last_at: None,
    }
}

#[derive(Default)]
struct Reasons<'a> {
    /// At most [`REASONS`], largest first.
    largest: Vec<Reason<'a>>,
}

impl<'a> Reasons<'a> {
    fn offer(&mut self, points: f64, reason: impl FnOnce(f64) -> Reason<'a>) {
        let points = round6(points);
        if Shown(points).number() == 0.0 {
            return;
        }
        let place = self.largest.partition_point(|kept| kept.points.0.abs() >= points.abs());
        if place < REASONS {
            self.largest.truncate(REASONS - 1);
            self.largest.insert(place, reason(points));
        }
    }
}

/// The criteria that hold and count: of a `first` list only the first that holds.
pub fn counting_criteria<'a>(judge: &mut Judge<'a>, entries: &'a [CriterionEntry]) -> Vec<&'a Criterion> {
    let counting = entries.iter().filter_map(|entry| match entry {
        CriterionEntry::One(criterion) => (judge.holds(&criterion.when) == Truth::Yes).then_some(criterion),
        CriterionEntry::First(criteria) => {
            criteria.iter().find(|criterion| judge.holds(&criterion.when) == Truth::Yes)
        }
    });
    counting.collect()
}

/// For each score with groups its groups' values, clamped.
pub fn groups<'a>(judge: &Judge<'a>) -> Named<'a, Named<'a, Shown>> {
    let mut scores = Vec::new();
    for score in &judge.model.scores {
        let ScoreKind::Points(points) = &score.kind else { continue };
        if !points.groups.is_empty() {
            let groups = judge
                .held_in_groups(points)
                .map(|(group, held)| (group.name.as_str(), Shown(round6(judge.group_now(group, held)))));
            scores.push((score.name.as_str(), Named(groups.collect())));
        }
    }
    Named(scores)
}

/// For each qualification which of its criteria hold.
pub fn qualified<'a>(judge: &mut Judge<'a>) -> Named<'a, Named<'a, bool>> {
    let model = judge.model;
    let qualifications = model.qualifications.iter().map(|qualification| {
        let criteria = qualification.criteria.iter();
        let criteria = criteria.map(|(name, when)| (name.as_str(), judge.holds(when) == Truth::Yes));
        (qualification.name.as_str(), Named(criteria.collect()))
    });
    Named(qualifications.collect())
}

//! How the lead stands at the end: what its scores are made of, why it is not further, what time will bring.

use super::chapter::{cut_off, group_of};
use super::words::{moment, number, span};
use super::{Ending, NotFurther, Outlook, because};
use crate::core::codec::Corrupt;
use crate::core::effects::Topic;
use crate::core::inspect::view::{GroupView, ScoreView, View, view};
use crate::core::inspect::{Forecast, Way, decode, forecast};
use crate::core::memo::Memo;
use crate::core::rules::Rules;
use crate::model::Model;
use crate::records::Moment;
use crate::words::quoted;
use serde_json::Value;
use std::sync::Arc;

/// How the lead with these bytes stands at the largest of `now` (ms) and its clock: also what the daemon answers when
/// somebody asks for one lead.
///
/// # Errors
/// If the bytes are not those of a lead of this model.
pub fn standing(rules: &Arc<Rules>, bytes: &[u8], now: i64) -> Result<Ending, Corrupt> {
    let (_, lead) = decode(rules, bytes)?;
    let mut memo = Memo::default();
    let view = view(rules, &lead, now, &mut memo);
    let not_further = view.ways.iter().map(not_further).collect();
    let outlook = forecast(rules, bytes, view.at.0)?;
    Ok(Ending {
        at: view.at,
        standing: lines(&rules.model, &view),
        not_further,
        outlook: outlook.iter().filter_map(outlook_of).collect(),
        view: serde_json::to_value(&view).unwrap_or(Value::Null),
    })
}

fn lines(model: &Model, view: &View<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let since = view.at.0 - view.entered_stage_at.0;
    lines.push(format!("stage {} since {} ({})", view.stage, moment(view.entered_stage_at.0), span(since)));
    for score in &view.scores {
        lines.push(score_line(model, score));
        lines.extend(score.groups.iter().filter_map(|group| group_line(model, score.score, group)));
    }
    for qualification in &view.qualifications {
        let met = qualification.criteria.iter().filter(|(_, check)| check.holds);
        let met: Vec<&str> = met.map(|(name, _)| *name).collect();
        let all = qualification.criteria.len();
        let names = if met.is_empty() { String::new() } else { format!(": {}", met.join(", ")) };
        lines.push(format!("{} {} of {all}{names}", qualification.qualification, met.len()));
    }
    lines.extend(view.slas.iter().map(|sla| {
        let overdue = if sla.overdue { "overdue since" } else { "due at" };
        format!("SLA {} runs since {}, {overdue} {}", sla.sla, moment(sla.started_at.0), moment(sla.due_at.0))
    }));
    if !view.missing.is_empty() {
        lines.push(format!("missing {}", view.missing.join(", ")));
    }
    lines
}

/// `engagement 24.8 (cold) = web 12.8 + content 12`.
fn score_line(model: &Model, view: &ScoreView<'_>) -> String {
    let grade = match view.grade {
        Some(Some(grade)) => format!(" ({grade})"),
        Some(None) => " (no grade)".to_owned(),
        None => String::new(),
    };
    let mut terms: Vec<String> = Vec::new();
    let groups = view.groups.iter().filter(|group| group.value.number() != 0.0);
    terms.extend(groups.map(|group| format!("{} {}", group.group, number(group.value.0))));
    terms.extend(view.criteria.iter().filter(|criterion| criterion.points.number() != 0.0).map(
        |criterion| {
            let label =
                criterion.label.map_or_else(|| format!("criterion {}", criterion.criterion), str::to_owned);
            format!("{label} {}", number(criterion.points.0))
        },
    ));
    terms.extend(view.inactivity.map(|deduction| format!("inactivity {}", number(deduction.0))));
    let largest = view.parts.iter().any(|part| part.weight.is_none());
    terms.extend(view.parts.iter().map(|part| match part.weight {
        Some(weight) => format!("{weight} × {} {}", part.score, number(part.value.0)),
        None => format!("{} {}", part.score, number(part.value.0)),
    }));
    let made_of = match (terms.is_empty(), largest) {
        (true, _) => String::new(),
        (false, true) => format!(" = the largest of {}", terms.join(", ")),
        (false, false) => format!(" = {}", terms.join(" + ")),
    };
    let range = model.scores.iter().find(|score| score.name == view.score).map(|score| score.range);
    let cut = view.unclamped.zip(range).map(|(raw, range)| format!(" ({})", cut_off(raw, range)));
    format!("{} {}{grade}{made_of}{}", view.score, number(view.value.0), cut.unwrap_or_default())
}

/// `web 12.8: Viewed pricing 10.2 (2×, last 2026-03-02 09:00:00), …`.
fn group_line(model: &Model, score: &str, view: &GroupView<'_>) -> Option<String> {
    let signals = view.signals.iter().filter(|signal| signal.points.number() != 0.0);
    let signals: Vec<String> = signals
        .map(|signal| {
            let last = signal.last_at.map_or_else(String::new, |at| format!(", last {}", moment(at.0)));
            format!("{} {} ({}×{last})", signal.label, number(signal.points.0), signal.count)
        })
        .collect();
    let range = group_of(model, score, view.group).map(|group| group.range);
    let cut = view.unclamped.zip(range).map(|(raw, range)| format!(" ({})", cut_off(raw, range)));
    let line = || {
        format!(
            "  {} {}{}: {}",
            view.group,
            number(view.value.0),
            cut.unwrap_or_default(),
            signals.join(", ")
        )
    };
    (!signals.is_empty()).then(line)
}

fn not_further(way: &Way<'_>) -> NotFurther {
    let (mut lacks, mut holds) = (Vec::new(), Vec::new());
    if let Some(on) = &way.on {
        match (on.pending, on.signal) {
            (true, _) => holds.push(format!("{} was there", quoted(on.label))),
            (false, "activity") => lacks.push("new activity".to_owned()),
            (false, _) => lacks.push(quoted(on.label)),
        }
    }
    for (wait, what) in [(way.after, "in the stage"), (way.inactive_for, "without activity")] {
        match wait {
            Some(wait) if wait.holds => holds.push(format!("long enough {what}")),
            Some(wait) => lacks.push(format!("time {what} until {}", moment(wait.at.0))),
            None => {}
        }
    }
    if let Some(when) = &way.when {
        if when.holds {
            holds.push(because::holds(when));
        } else {
            lacks.push(because::lacks(when));
        }
    }
    lacks.extend(way.lacks_fields.iter().map(|field| format!("the field {field}")));
    NotFurther {
        transition: way.transition.to_owned(),
        to: way.to.to_owned(),
        lacks,
        holds,
        would_do: way.would_do.iter().map(|label| (*label).to_owned()).collect(),
    }
}

fn outlook_of(forecast: &Forecast) -> Option<Outlook> {
    let data: Value = serde_json::from_str(forecast.record.get()).ok()?;
    let text = |key: &str| data[key].as_str().unwrap_or_default().to_owned();
    let what = match forecast.topic {
        Topic::Transitions => format!("{}: {} → {}", text("transition"), text("from"), text("to")),
        Topic::Alerts => format!("alert {} to {}", text("alert"), data["route"].as_str().unwrap_or("nobody")),
        Topic::Slas => format!("SLA {} {}", text("sla"), text("state").replace('_', " ")),
        Topic::Scores => return None,
    };
    Some(Outlook { at: Moment(forecast.at.0), what })
}

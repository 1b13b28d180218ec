//! Conditions in words, with the values that they look at: why one holds, and what one lacks.

use super::words::number;
use crate::core::inspect::check::{Check, CheckKind, SeenWithin};
use crate::records::Shown;
use crate::words::{duration, or, quoted};

/// Why a condition holds: `engagement 52.1 ≥ 50 and grade B of fit is C or better`.
pub fn holds(check: &Check<'_>) -> String {
    match &check.kind {
        CheckKind::All { of } => joined(of.iter().map(holds), " and "),
        CheckKind::Any { of } => joined(of.iter().filter(|part| part.holds).take(1).map(holds), " and "),
        CheckKind::Not { of } => state(of),
        _ => state(check),
    }
}

/// What a condition lacks: `7.9 more engagement (42.1, needs ≥ 50)`. Of alternatives all are told.
pub fn lacks(check: &Check<'_>) -> String {
    match &check.kind {
        CheckKind::All { of } => joined(of.iter().filter(|part| !part.holds).map(lacks), " and "),
        CheckKind::Any { of } => bracketed(of.iter().map(lacks), " or "),
        CheckKind::Not { of } => format!("no longer {}", holds(of)),
        CheckKind::Trait { value, wanted, .. } => match value {
            None => format!("{wanted} (it is not known)"),
            Some(value) => format!("{wanted} (it is {})", value.0.get()),
        },
        CheckKind::Identified { wanted: true } => "an event that says who it is".to_owned(),
        CheckKind::Identified { wanted: false } => "not to be known".to_owned(),
        CheckKind::Stage { stage, wanted } => format!("the stage {} (it is {stage})", one_of(wanted)),
        CheckKind::Score { score, value, wanted, lacks } => {
            let by = lacks.map(|by| (by.0, exact(by.0.abs(), |shown| shown > 0.0)));
            let value = exact(value.0, |shown| !wanted.holds(shown));
            match by {
                Some((by, far)) if by > 0.0 => format!("{far} more {score} ({value}, needs {wanted})"),
                Some((by, far)) if by < 0.0 => format!("{far} less {score} ({value}, needs {wanted})"),
                _ => format!("{score} {wanted} (it is {value})"),
            }
        }
        CheckKind::Grade { score, value, grade, wanted, bar, or_better } => {
            let wanted = grades(wanted, *or_better);
            let is = grade.map_or_else(|| "it has none".to_owned(), |grade| format!("it is {grade}"));
            let bar = bar.filter(|bar| *or_better && bar.0 > value.0);
            let far = bar.map(|bar| format!(": {} of {}", number(value.0), number(bar.0)));
            format!("grade {wanted} of {score} ({is}{})", far.unwrap_or_default())
        }
        CheckKind::Qualified { qualification, at_least, holding, criteria } => {
            let open = criteria.iter().filter(|(_, check)| !check.holds);
            let open = joined(open.map(|(name, check)| format!("{name}: {}", lacks(check))), "; ");
            match *at_least as usize == criteria.len() {
                true => format!("{qualification} fulfilled (lacks {open})"),
                false => format!("{at_least} points of {qualification} (has {holding}; lacks {open})"),
            }
        }
        CheckKind::Seen { label, at_least, found, within, distinct, .. } => {
            let label = quoted(label);
            let (within, distinct) = (within_words(*within), distinct_words(distinct));
            match (*found, *at_least) {
                (0, 1) => format!("{label}{within}"),
                (found, least) => {
                    format!(
                        "{} more {label}{distinct}{within} ({found} of {least})",
                        least - found.min(least)
                    )
                }
            }
        }
    }
}

/// How a single thing stands, whether that is wanted or not.
fn state(check: &Check<'_>) -> String {
    match &check.kind {
        CheckKind::All { of } if check.holds => joined(of.iter().map(state), " and "),
        CheckKind::All { of } => joined(of.iter().filter(|part| !part.holds).take(1).map(state), " and "),
        CheckKind::Any { of } if check.holds => {
            joined(of.iter().filter(|part| part.holds).take(1).map(state), " and ")
        }
        CheckKind::Any { of } => joined(of.iter().map(state), " and "),
        CheckKind::Not { of } => state(of),
        CheckKind::Trait { name, value: None, .. } => format!("{name} is not known"),
        CheckKind::Trait { value: Some(value), wanted, unwanted, .. } => {
            let words = if check.holds { wanted } else { unwanted };
            format!("{words} (it is {})", value.0.get())
        }
        CheckKind::Identified { wanted } => {
            if *wanted == check.holds { "it is known who it is" } else { "it is not known who it is" }
                .to_owned()
        }
        CheckKind::Stage { stage, .. } => format!("the stage is {stage}"),
        CheckKind::Score { score, value, wanted, .. } => {
            let not = if check.holds { "" } else { "not " };
            let value = exact(value.0, |shown| wanted.holds(shown) == check.holds);
            format!("{score} {value} {not}{wanted}")
        }
        CheckKind::Grade { score, grade, wanted, or_better, .. } => {
            let not = if check.holds { "" } else { "not " };
            match grade {
                None => format!("{score} has no grade"),
                Some(grade) if check.holds && (wanted.len() == 1 || wanted.last() == Some(grade)) => {
                    format!("{score} is {grade}")
                }
                Some(grade) => format!("{score} is {grade}, {not}{}", grades(wanted, *or_better)),
            }
        }
        CheckKind::Qualified { qualification, holding, criteria, .. } => {
            let met = criteria.iter().filter(|(_, check)| check.holds).map(|(name, _)| (*name).to_owned());
            let met = joined(met, ", ");
            match (*holding, criteria.len()) {
                (0, all) => format!("{qualification} 0 of {all}"),
                (holding, all) => format!("{qualification} {holding} of {all} ({met})"),
            }
        }
        CheckKind::Seen { label, found, within, distinct, .. } => {
            let label = quoted(label);
            let (within, distinct) = (within_words(*within), distinct_words(distinct));
            match found {
                0 => format!("no {label}{within}"),
                found => format!("{found}× {label}{distinct}{within}"),
            }
        }
    }
}

/// A number with two decimals, or, where these would say something else than it does (30 is not less than 30), six.
fn exact(value: f64, says_the_same: impl Fn(f64) -> bool) -> String {
    if says_the_same(Shown(value).number()) { number(value) } else { crate::words::number(value) }
}

fn within_words(within: SeenWithin) -> String {
    match within {
        SeenWithin::Ever => String::new(),
        SeenWithin::Last(ms) => format!(" within {}", duration(ms)),
        SeenWithin::Stage => " since it entered the stage".to_owned(),
    }
}

fn distinct_words(distinct: &Option<String>) -> String {
    match distinct.as_deref() {
        None => String::new(),
        Some("day") => " on different days".to_owned(),
        Some(field) => format!(" with different {field}"),
    }
}

fn grades(wanted: &[&str], or_better: bool) -> String {
    match wanted {
        [only] => (*only).to_owned(),
        [.., worst] if or_better => format!("{worst} or better"),
        _ => one_of(wanted),
    }
}

fn one_of(names: &[&str]) -> String {
    or(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
}

fn joined(parts: impl Iterator<Item = String>, between: &str) -> String {
    parts.collect::<Vec<_>>().join(between)
}

fn bracketed(parts: impl Iterator<Item = String>, between: &str) -> String {
    let parts: Vec<String> = parts.collect();
    if parts.len() > 1 { format!("({})", parts.join(between)) } else { parts.join(between) }
}

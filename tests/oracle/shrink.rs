//! Makes a failing case smaller while it still fails.

use super::doc::Doc;
use super::generate::Case;

/// The smallest case found of which `fails` still says true.
pub fn shrink(case: &Case, fails: &dyn Fn(&Case) -> bool) -> Case {
    let mut best = case.clone();
    loop {
        let before = size(&best);
        best = drop_lines(best, fails);
        best = drop_parts_of_model(best, fails);
        best = drop_fields(best, fails);
        if size(&best) == before {
            return best;
        }
    }
}

fn size(case: &Case) -> usize {
    case.input().len() + case.model.to_json().len()
}

fn drop_lines(mut best: Case, fails: &dyn Fn(&Case) -> bool) -> Case {
    let mut chunk = best.lines.len();
    while chunk > 0 {
        let mut at = 0;
        while at < best.lines.len() {
            let mut smaller = best.clone();
            smaller.lines.drain(at..(at + chunk).min(best.lines.len()));
            if fails(&smaller) {
                best = smaller;
            } else {
                at += chunk;
            }
        }
        chunk /= 2;
    }
    best
}

/// Tries the model without each of its maps' entries and lists' items, the outermost first.
fn drop_parts_of_model(mut best: Case, fails: &dyn Fn(&Case) -> bool) -> Case {
    let mut at = 0;
    loop {
        let mut countdown = at;
        let mut smaller = best.clone();
        if !drop_part(&mut smaller.model, &mut countdown) {
            return best;
        }
        if fails(&smaller) {
            best = smaller;
        } else {
            at += 1;
        }
    }
}

/// Drops the part at which the countdown ends; false: there are fewer parts.
fn drop_part(doc: &mut Doc, countdown: &mut usize) -> bool {
    let parts = match doc {
        Doc::Scalar(_) => 0,
        Doc::List(items) => items.len(),
        Doc::Map(entries) => entries.len(),
    };
    if *countdown < parts {
        match doc {
            Doc::Scalar(_) => {}
            Doc::List(items) => drop(items.remove(*countdown)),
            Doc::Map(entries) => drop(entries.remove(*countdown)),
        }
        return true;
    }
    *countdown -= parts;
    match doc {
        Doc::Scalar(_) => false,
        Doc::List(items) => items.iter_mut().any(|item| drop_part(item, countdown)),
        Doc::Map(entries) => entries.iter_mut().any(|(_, value)| drop_part(value, countdown)),
    }
}

/// Tries each event without each of its fields.
fn drop_fields(mut best: Case, fails: &dyn Fn(&Case) -> bool) -> Case {
    for at in 0..best.lines.len() {
        let Ok(serde_json::Value::Object(event)) = serde_json::from_slice(&best.lines[at]) else { continue };
        for field in event.keys() {
            let Ok(serde_json::Value::Object(mut event)) = serde_json::from_slice(&best.lines[at]) else {
                continue;
            };
            event.remove(field);
            let mut smaller = best.clone();
            smaller.lines[at] = serde_json::Value::Object(event).to_string().into_bytes();
            if fails(&smaller) {
                best = smaller;
            }
        }
    }
    best
}

//! Whether one test of a trait can only hold if another holds.

use crate::model::matcher::{Items, Op, Scalar, Test};

/// `a` holds only where `b` holds. False when in doubt.
pub fn implies(a: &Test, b: &Test) -> bool {
    let exists = match b.exists {
        None => true,
        Some(true) => needs_a_value(a),
        Some(false) => a.exists == Some(false),
    };
    let not = match (&a.not, &b.not) {
        (_, None) => true,
        (Some(a), Some(b)) => implies(b, a),
        (None, Some(_)) => false,
    };
    // The element that passes all operators of `a` passes all of `b`, too.
    exists && not && b.ops.iter().all(|wanted| a.ops.iter().any(|given| op_implies(given, wanted)))
}

/// What passes an operator is there.
fn needs_a_value(test: &Test) -> bool {
    test.exists == Some(true) || !test.ops.is_empty()
}

/// Nothing passes both. Two values exclude each other only within one element, and a list may hold both.
pub fn exclude_each_other(a: &Test, b: &Test) -> bool {
    let absent = |a: &Test, b: &Test| a.exists == Some(false) && needs_a_value(b);
    let denied = |a: &Test, b: &Test| a.not.as_ref().is_some_and(|not| implies(b, not));
    absent(a, b) || absent(b, a) || denied(a, b) || denied(b, a)
}

/// Nothing passes the test.
pub fn is_empty(test: &Test) -> bool {
    exclude_each_other(test, test) || bounds_cross(&test.ops)
}

/// `{ gte: 10, lt: 5 }`.
fn bounds_cross(ops: &[Op]) -> bool {
    let mut low = (f64::NEG_INFINITY, false);
    let mut high = (f64::INFINITY, false);
    for op in ops {
        match *op {
            Op::Gt(bound) if bound >= low.0 => low = (bound, true),
            Op::Gte(bound) if bound > low.0 => low = (bound, false),
            Op::Lt(bound) if bound <= high.0 => high = (bound, true),
            Op::Lte(bound) if bound < high.0 => high = (bound, false),
            _ => {}
        }
    }
    low.0 > high.0 || (low.0 == high.0 && (low.1 || high.1))
}

fn op_implies(given: &Op, wanted: &Op) -> bool {
    match (given, wanted) {
        (Op::Equals(scalar), wanted) => scalar_passes(scalar, wanted),
        (Op::In(items), wanted) => {
            let texts = items.texts.iter().all(|text| text_passes(text, wanted));
            texts && items.others.iter().all(|other| scalar_passes(other, wanted))
        }
        (Op::Gte(a), Op::Gte(b)) | (Op::Gt(a), Op::Gt(b) | Op::Gte(b)) => a >= b,
        (Op::Gte(a), Op::Gt(b)) => a > b,
        (Op::Lte(a), Op::Lte(b)) | (Op::Lt(a), Op::Lt(b) | Op::Lte(b)) => a <= b,
        (Op::Lte(a), Op::Lt(b)) => a < b,
        (Op::Prefix(a), Op::Prefix(b)) => every(a, |a| b.iter().any(|b| a.starts_with(b.as_str()))),
        (Op::Suffix(a), Op::Suffix(b)) => every(a, |a| b.iter().any(|b| a.ends_with(b.as_str()))),
        (Op::Prefix(a) | Op::Suffix(a) | Op::Contains(a), Op::Contains(b)) => {
            every(a, |a| b.iter().any(|b| a.contains(b.as_str())))
        }
        (Op::Regex(a), Op::Regex(b)) => a.as_str() == b.as_str(),
        _ => false,
    }
}

/// Long lists are not compared with long lists.
fn every(texts: &[String], passes: impl Fn(&String) -> bool) -> bool {
    texts.len() <= 100 && texts.iter().all(passes)
}

fn scalar_passes(scalar: &Scalar, wanted: &Op) -> bool {
    match (scalar, wanted) {
        (Scalar::Text(text), wanted) => text_passes(text, wanted),
        (scalar, Op::Equals(other)) => scalar == other,
        (scalar, Op::In(items)) => items.others.contains(scalar),
        (Scalar::Number(value), Op::Gt(bound)) => value > bound,
        (Scalar::Number(value), Op::Gte(bound)) => value >= bound,
        (Scalar::Number(value), Op::Lt(bound)) => value < bound,
        (Scalar::Number(value), Op::Lte(bound)) => value <= bound,
        _ => false,
    }
}

/// Texts of compiled tests are in lower case, as are those they are compared with.
fn text_passes(text: &str, wanted: &Op) -> bool {
    let few = |texts: &[String]| texts.len() <= 100;
    match wanted {
        Op::Equals(Scalar::Text(other)) => text == other,
        Op::In(items) => has_text(items, text),
        Op::Prefix(texts) => few(texts) && texts.iter().any(|prefix| text.starts_with(prefix.as_str())),
        Op::Suffix(texts) => few(texts) && texts.iter().any(|suffix| text.ends_with(suffix.as_str())),
        Op::Contains(texts) => few(texts) && texts.iter().any(|part| text.contains(part.as_str())),
        _ => false,
    }
}

fn has_text(items: &Items, text: &str) -> bool {
    items.texts.contains(text)
}

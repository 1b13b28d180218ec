//! Tests of fields and traits, and matchers of events, as their writers wrote them: names of lists and capital letters
//! are kept, which the compiled tests no longer have.

use super::{and, number, or, pattern::pattern, quoted};
use crate::model::Model;
use crate::model::ast::{Field, Items, Matcher, MatcherEntry, Number, Operators, Scalar, Test, TraitPath};

/// Resolves `$name` to the number of a threshold.
type Threshold<'t> = &'t dyn Fn(&str) -> f64;

/// What a test of a trait asks: `title containing “manager”`. The negation comes second: `title not containing …`.
pub(crate) fn trait_test(path: &TraitPath, test: &Test, threshold: Threshold<'_>) -> [String; 2] {
    let path = path.to_string();
    [said(&path, test, threshold, false), said(&path, test, threshold, true)]
}

/// The test of one field in words.
fn said(field: &str, test: &Test, threshold: Threshold<'_>, negated: bool) -> String {
    let not = if negated { "not " } else { "" };
    match test {
        Test::Equals(scalar) => equals(field, scalar, negated),
        Test::In(items) => format!("{field} {not}{}", among(items)),
        Test::Operators(operators) => {
            let parts = parts(operators, threshold);
            match (&operators.exists, &parts[..]) {
                (Some(exists), []) => {
                    format!("{field} {}", if *exists != negated { "known" } else { "unknown" })
                }
                (None, [(only, false)]) => format!("{field} {not}{only}"),
                // Negated twice.
                (None, [(only, true)]) => format!("{field} {}{only}", if negated { "" } else { "not " }),
                (exists, _) => {
                    let exists = exists.map(|exists| if exists { "known" } else { "unknown" }.to_owned());
                    let parts = parts
                        .iter()
                        .map(|(part, not)| if *not { format!("not {part}") } else { part.clone() });
                    let all = and(&exists.into_iter().chain(parts).collect::<Vec<_>>());
                    if negated { format!("{field} not ({all})") } else { format!("{field} {all}") }
                }
            }
        }
    }
}

fn equals(field: &str, scalar: &Scalar, negated: bool) -> String {
    match (scalar, negated) {
        (Scalar::Bool(value), false) => format!("{field} marked {value}"),
        (Scalar::Bool(value), true) => format!("{field} not marked {value}"),
        (scalar, false) => format!("{field} {}", shown(scalar)),
        (scalar, true) => format!("{field} other than {}", shown(scalar)),
    }
}

fn shown(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Text(text) => quoted(text),
        Scalar::Number(value) => number(*value),
        Scalar::Bool(value) => value.to_string(),
    }
}

/// Each operator as a phrase, and whether it is negated (`not:`).
fn parts(operators: &Operators, threshold: Threshold<'_>) -> Vec<(String, bool)> {
    let mut parts: Vec<(String, bool)> = Vec::new();
    let mut add = |phrase: String| parts.push((phrase, false));
    if let Some(scalar) = &operators.equals {
        add(format!("equal to {}", shown(scalar)));
    }
    if let Some(items) = &operators.one_of {
        add(among(items));
    }
    for (texts, phrase) in [
        (&operators.prefix, "beginning with"),
        (&operators.suffix, "ending in"),
        (&operators.contains, "containing"),
    ] {
        if let Some(texts) = texts {
            add(format!("{phrase} {}", one_of(texts)));
        }
    }
    if let Some(regex) = &operators.regex {
        add(pattern(regex));
    }
    let bounds: Vec<String> = [
        (&operators.gt, "more than"),
        (&operators.gte, "at least"),
        (&operators.lt, "less than"),
        (&operators.lte, "at most"),
    ]
    .iter()
    .filter_map(|(bound, phrase)| {
        bound.as_ref().map(|bound| format!("{phrase} {}", number(value(bound, threshold))))
    })
    .collect();
    if !bounds.is_empty() {
        add(format!("of {}", and(&bounds)));
    }
    if let Some(not) = &operators.not {
        parts.extend(negated_parts(&not.value, threshold));
    }
    parts
}

fn negated_parts(test: &Test, threshold: Threshold<'_>) -> Vec<(String, bool)> {
    match test {
        Test::Equals(scalar) => vec![(shown(scalar), true)],
        Test::In(items) => vec![(among(items), true)],
        Test::Operators(operators) => {
            let inner = parts(operators, threshold);
            match (&operators.exists, &inner[..]) {
                (None, [(only, false)]) => vec![(only.clone(), true)],
                _ => vec![(format!("({})", said("", test, threshold, false).trim_start()), true)],
            }
        }
    }
}

fn value(bound: &Number, threshold: Threshold<'_>) -> f64 {
    match bound {
        Number::Literal(value) => *value,
        Number::Threshold(name) => threshold(name),
    }
}

/// More items than this are not told one by one.
const FEW: usize = 25;

fn among(items: &Items<Scalar>) -> String {
    match items {
        Items::List(name) => format!("on the list {}", name.value),
        Items::Inline(items) => {
            let shown: Vec<String> = items.iter().take(FEW).map(|item| shown(item)).collect();
            match items.len() {
                1 => format!("equal to {}", shown[0]),
                n if n > FEW => format!("among {} and {} more", shown.join(", "), n - FEW),
                _ => format!("among {}", or(&shown)),
            }
        }
    }
}

fn one_of(texts: &Items<String>) -> String {
    match texts {
        Items::List(name) => format!("an entry of the list {}", name.value),
        Items::Inline(items) => {
            let mut shown: Vec<String> = items.iter().take(FEW).map(|item| quoted(item)).collect();
            if items.len() > FEW {
                shown.push(format!("one of {} more", items.len() - FEW));
            }
            or(&shown)
        }
    }
}

/// Which events a matcher means: `“Document Downloaded” with properties.stage “bofu”`.
pub fn matcher(matcher: &Matcher, model: &crate::model::ast::Model) -> String {
    let threshold = |name: &str| threshold_of(model, name);
    all(matcher, &threshold, false, false)
}

/// The number of a threshold; 0 for one that is not there, which no checked model has.
pub(crate) fn threshold_of(model: &crate::model::ast::Model, name: &str) -> f64 {
    model.thresholds.iter().find(|(known, _)| known.value == name).map_or(0.0, |(_, number)| number.value)
}

/// All entries hold; negated: not all do. In brackets if it stands `inside` others that it could be confused with.
fn all(matcher: &Matcher, threshold: Threshold<'_>, negated: bool, inside: bool) -> String {
    let several = matcher.entries.len() > 1;
    // Kind and name come first and are what the others are "with".
    let is_what = |part: &&MatcherEntry| match part {
        MatcherEntry::Field(field, test) => !negated && what(&field.value, &test.value).is_some(),
        _ => false,
    };
    let (first, rest): (Vec<_>, Vec<_>) = matcher.entries.iter().partition(is_what);
    let say = |parts: Vec<&MatcherEntry>| -> Vec<String> {
        parts.into_iter().map(|part| entry(part, threshold, negated, inside || several)).collect()
    };
    let (first, rest) = (say(first), say(rest));
    let bracket = |text: String| if inside && rest.len() > 1 { format!("({text})") } else { text };
    match (first.is_empty(), rest.is_empty()) {
        (false, false) => format!("{} with {}", first.join(" "), bracket(and(&rest))),
        (false, true) => first.join(" "),
        (true, _) => bracket(if negated { or(&rest) } else { and(&rest) }),
    }
}

fn entry(entry: &MatcherEntry, threshold: Threshold<'_>, negated: bool, inside: bool) -> String {
    let join = |parts: &[Matcher], word: fn(&[String]) -> String| {
        let several = parts.len() > 1;
        let said: Vec<String> =
            parts.iter().map(|part| all(part, threshold, negated, inside || several)).collect();
        if inside && several { format!("({})", word(&said)) } else { word(&said) }
    };
    match entry {
        MatcherEntry::All(parts) => join(parts, if negated { or } else { and }),
        MatcherEntry::Any(parts) => join(parts, if negated { and } else { or }),
        MatcherEntry::Not(not) => all(not, threshold, !negated, inside),
        MatcherEntry::Field(field, test) => match what(&field.value, &test.value) {
            Some(what) if !negated => what,
            _ => said(&field.value.to_string(), &test.value, threshold, negated),
        },
    }
}

/// `a page view`, `“Demo Requested”`: the kind or name of the event, if it is asked for plainly.
fn what(field: &Field, test: &Test) -> Option<String> {
    let names: Vec<&str> = match test {
        Test::Equals(scalar) => vec![text_of(scalar)?],
        Test::In(Items::Inline(items)) => items.iter().map(|item| text_of(item)).collect::<Option<_>>()?,
        Test::Operators(operators) => match &operators.one_of {
            Some(Items::Inline(items))
                if **operators
                    == (Operators { one_of: operators.one_of.clone(), ..Operators::default() }) =>
            {
                items.iter().map(|item| text_of(item)).collect::<Option<_>>()?
            }
            _ => return None,
        },
        Test::In(Items::List(_)) => return None,
    };
    let named: Vec<String> = match field {
        Field::Event => names.into_iter().map(quoted).collect(),
        Field::Kind => names.into_iter().map(kind).collect(),
        _ => return None,
    };
    Some(or(&named))
}

fn text_of(scalar: &Scalar) -> Option<&str> {
    match scalar {
        Scalar::Text(text) => Some(text),
        _ => None,
    }
}

fn kind(name: &str) -> String {
    match name.to_ascii_lowercase().as_str() {
        "page" => "a page view".to_owned(),
        "screen" => "a screen view".to_owned(),
        "track" => "an event".to_owned(),
        "identify" => "an identification".to_owned(),
        other => format!("a {other} event"),
    }
}

impl super::Words<'_> {
    /// A test of a kept trait, or its negation.
    pub(super) fn fact(&self, id: u16, negated: bool) -> String {
        let model: &Model = self.model;
        model.facts[usize::from(id)].words[usize::from(negated)].clone()
    }
}

//! Random tests, matchers and conditions over the vocabulary of the streams.

use super::super::doc::{Doc, list, map};
use super::{Pace, Rng};

/// What a model's parts may refer to, as far as it is made.
pub struct Names {
    pub signals: Vec<String>,
    pub scores: Vec<String>,
    /// Scores with grades, and these.
    pub graded: Vec<(String, Vec<String>)>,
    /// Qualifications, and how many criteria each has.
    pub qualifications: Vec<(String, i64)>,
    pub stages: Vec<String>,
}

pub const EVENTS: [&str; 4] = ["Alpha", "Beta", "Gamma Ray", "Delta"];
pub const TAGS: [&str; 5] = ["red", "RED", "blue", "green tea", "x@gmail.com"];
pub const PATHS: [&str; 4] = ["/", "/pricing", "/Pricing/plans", "/docs"];
pub const MEDIUMS: [&str; 4] = ["cpc", "email", "social", "PPC"];
pub const TITLES: [&str; 4] = ["VP Sales", "Manager", "intern", "chief manager"];
pub const REGIONS: [&str; 3] = ["emea", "amer", "apac"];

fn texts(items: &[&str]) -> Doc {
    list(items.iter().map(|item| Doc::from(*item)))
}

/// A bar for a score: a number or a threshold.
pub fn number(rng: &mut Rng, low: i64, high: i64) -> Doc {
    match rng.below(6) {
        0 => Doc::from(format!("$t{}", rng.below(3))),
        1 => Doc::from(rng.between(low, high) as f64 + 0.5),
        _ => Doc::from(rng.between(low, high)),
    }
}

fn number_test(rng: &mut Rng, bar: impl Fn(&mut Rng) -> Doc) -> Doc {
    match rng.below(8) {
        0 => map([("gt", bar(rng))]),
        1 => map([("lt", bar(rng))]),
        2 => map([("lte", bar(rng))]),
        3 => map([("gte", bar(rng)), ("lt", bar(rng))]),
        4 => map([("not", map([("gte", bar(rng))]))]),
        _ => map([("gte", bar(rng))]),
    }
}

fn plain_number_test(rng: &mut Rng) -> Doc {
    match rng.below(5) {
        0 => Doc::from(rng.between(0, 6)),
        1 => list([Doc::from(rng.between(0, 6)), Doc::from("3"), Doc::from(rng.between(0, 9) as f64 / 2.0)]),
        _ => number_test(rng, |rng| Doc::from(rng.between(0, 8))),
    }
}

fn text_test(rng: &mut Rng, words: &[&str]) -> Doc {
    let word = *rng.pick(words);
    let other = *rng.pick(words);
    let start = &word[..1 + rng.below(word.len() as u64) as usize];
    let end = &word[rng.below(word.len() as u64) as usize..];
    match rng.below(12) {
        0 => Doc::from(word),
        1 => texts(&[word, other]),
        2 => Doc::from("$l0"),
        3 => map([("prefix", Doc::from(start))]),
        4 => map([("suffix", Doc::from("$l0"))]),
        5 => map([("contains", texts(&[end, other]))]),
        6 => map([("regex", Doc::from(format!("^(?i){}", start.replace(['/', '@', '.'], "."))))]),
        7 => map([("regex", Doc::from("[A-Z]"))]),
        8 => map([("exists", Doc::from(rng.one_in(2)))]),
        9 => map([("not", Doc::from(word))]),
        10 => map([("prefix", Doc::from(start)), ("not", map([("contains", Doc::from(end))]))]),
        _ => map([("exists", Doc::from(true)), ("not", map([("in", texts(&[word, other]))]))]),
    }
}

fn flag_test(rng: &mut Rng) -> Doc {
    match rng.below(3) {
        0 => map([("exists", Doc::from(rng.one_in(2)))]),
        _ => Doc::from(rng.one_in(2)),
    }
}

/// A field of an event and a test of it.
fn field_test(rng: &mut Rng) -> (&'static str, Doc) {
    match rng.below(12) {
        0 => ("kind", Doc::from(*rng.pick(&["page", "Track", "identify", "group", "screen"]))),
        1 => ("properties.n", plain_number_test(rng)),
        2 => ("properties.items.n", plain_number_test(rng)),
        3 => ("properties.items.sku", text_test(rng, &TAGS)),
        4 => ("properties.tag", text_test(rng, &TAGS)),
        5 => ("properties.tags", text_test(rng, &TAGS)),
        6 => ("context.page.path", text_test(rng, &PATHS)),
        7 => ("context.campaign.medium", text_test(rng, &MEDIUMS)),
        8 => ("traits.title", text_test(rng, &TITLES)),
        9 => ("properties.flag", flag_test(rng)),
        10 => ("lead", map([("prefix", Doc::from(*rng.pick(&["l", "L1", "7"])))])),
        _ => ("traits.company.size", plain_number_test(rng)),
    }
}

pub fn matcher(rng: &mut Rng) -> Doc {
    let event = *rng.pick(&EVENTS);
    let (field, test) = field_test(rng);
    match rng.below(10) {
        0 => map([("event", texts(&[event, "Home"])), (field, test)]),
        1 => map([(field, test)]),
        2 => map([("kind", Doc::from("page")), ("context.page.path", map([("prefix", Doc::from("/pri"))]))]),
        3 => map([("any", list([map([("event", Doc::from(event))]), map([(field, test)])]))]),
        4 => map([("event", Doc::from(event)), ("not", map([(field, test)]))]),
        5 => {
            map([("all", list([map([("event", map([("exists", Doc::from(true))]))]), map([(field, test)])]))])
        }
        _ => map([("event", Doc::from(event))]),
    }
}

fn trait_condition(rng: &mut Rng) -> Doc {
    match rng.below(8) {
        0 => map([("traits.title", text_test(rng, &TITLES))]),
        1 => map([("traits.region", text_test(rng, &REGIONS))]),
        2 => map([("traits.company.size", plain_number_test(rng))]),
        3 => map([("traits.budget", plain_number_test(rng))]),
        4 => map([("traits.email", map([("suffix", Doc::from("$l1"))]))]),
        5 => map([("traits.tags", text_test(rng, &TAGS))]),
        6 => map([("traits.company.name", map([("exists", Doc::from(true))]))]),
        _ => map([("traits.vip", flag_test(rng))]),
    }
}

fn seen(rng: &mut Rng, names: &Names, pace: Pace, in_fit: bool) -> Doc {
    let signal = Doc::from(rng.pick(&names.signals).as_str());
    if rng.one_in(3) {
        return map([("seen", signal)]);
    }
    let mut seen = map([("signal", signal)]);
    if !rng.one_in(4) {
        seen.put("at_least", Doc::from(rng.between(1, 3)));
    }
    match rng.below(4) {
        0 => {}
        1 if !in_fit => seen.put("within", Doc::from("stage")),
        _ => seen.put("within", pace.duration(rng)),
    }
    if rng.one_in(3) {
        let field =
            rng.pick(&["day", "properties.tag", "properties.n", "properties.items.sku", "context.page.path"]);
        seen.put("distinct", Doc::from(*field));
    }
    map([("seen", seen)])
}

/// What a fit criterion may be judged by.
pub fn fit_condition(rng: &mut Rng, names: &Names, pace: Pace) -> Doc {
    match rng.below(8) {
        0 => map([("identified", Doc::from(true))]),
        1 => seen(rng, names, pace, true),
        2 => map([("any", list([trait_condition(rng), trait_condition(rng)]))]),
        3 => map([("not", trait_condition(rng))]),
        _ => trait_condition(rng),
    }
}

pub fn condition(rng: &mut Rng, names: &Names, pace: Pace) -> Doc {
    let depth = rng.below(3);
    nested(rng, names, pace, depth)
}

fn nested(rng: &mut Rng, names: &Names, pace: Pace, depth: u64) -> Doc {
    if depth > 0 && rng.one_in(2) {
        let (a, b) = (nested(rng, names, pace, depth - 1), nested(rng, names, pace, depth - 1));
        return match rng.below(3) {
            0 => map([("any", list([a, b]))]),
            1 => map([("all", list([a, b]))]),
            _ => map([("not", a)]),
        };
    }
    let score = format!("score.{}", rng.pick(&names.scores));
    match rng.below(10) {
        0 => trait_condition(rng),
        1 | 2 => seen(rng, names, pace, false),
        3 if !names.graded.is_empty() => {
            let (score, grades) = rng.pick(&names.graded).clone();
            let grade = Doc::from(rng.pick(&grades).as_str());
            let test = match rng.below(3) {
                0 => grade,
                1 => list([grade, Doc::from(rng.pick(&grades).as_str())]),
                _ => map([("at_least", grade)]),
            };
            map([(&format!("grade.{score}"), test)])
        }
        4 if !names.qualifications.is_empty() => {
            let (qualification, criteria) = rng.pick(&names.qualifications).clone();
            let at_least = map([("at_least", Doc::from(rng.between(1, criteria)))]);
            let test = if rng.one_in(2) { Doc::from("all") } else { at_least };
            map([(&format!("qualified.{qualification}"), test)])
        }
        5 if !names.stages.is_empty() => {
            let stage = Doc::from(rng.pick(&names.stages).as_str());
            let test = if rng.one_in(2) { list([stage]) } else { stage };
            map([("stage", test), (&score, number_test(rng, |rng| number(rng, 0, 30)))])
        }
        6 => map([("identified", Doc::from(true))]),
        _ => map([(&score, number_test(rng, |rng| number(rng, -5, 40)))]),
    }
}

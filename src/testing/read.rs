//! From YAML to [`super::file`], with every mistake and its place.

use super::file::*;
use crate::duration::parse_ms;
use crate::event::time::parse_text;
use crate::model::ast::{Spanned, Text};
use crate::model::diagnostic::{Diagnostic, Diagnostics, shorten};
use crate::model::read::{Fields, Reader};
use crate::model::yaml::{self, Node, NodeKind, Plain};
use serde_json::{Number, Value};

/// The hint for an empty file.
const BEGIN: &str = "begin with the model's file, such as `model: ../b2b-saas.yaml`";

/// Reads a file of tests; `name` is its name in messages.
///
/// # Errors
/// All its mistakes at once, in the order of the file.
pub fn read(name: &str, text: &[u8]) -> Result<File, Vec<Diagnostic>> {
    let mut diagnostics = Diagnostics::new(name);
    let file = yaml::parse(text, BEGIN, &mut diagnostics)
        .map(|root| file(&mut Reader::new(&mut diagnostics), &root));
    match file {
        Some(file) if !diagnostics.has_errors() => Ok(file),
        _ => Err(diagnostics.into_vec()),
    }
}

fn file(r: &mut Reader<'_>, root: &Node) -> File {
    let Some(mut map) = r.map(root, "a file of tests") else { return File::default() };
    let file = File {
        model: map.required(r, "model", Reader::text),
        start: map.optional(r, "start", moment).flatten(),
        tolerance: map.optional(r, "tolerance", tolerance),
        tests: map.required(r, "tests", |r, n| r.several(n, test)),
    };
    map.finish(r);
    file
}

fn test(r: &mut Reader<'_>, node: &Node) -> Test {
    let Some(mut map) = r.map(node, "a test") else { return Test::default() };
    let test = Test {
        name: map.required(r, "name", Reader::text),
        start: map.optional(r, "start", moment).flatten(),
        lead: map.optional(r, "lead", Reader::text),
        user: map.optional(r, "user", Reader::text),
        steps: map.required(r, "steps", |r, n| r.several(n, step)),
    };
    if let (Some(_), Some(user)) = (&test.lead, &test.user) {
        let hint = "keep `lead` for somebody who is not known at first, `user` for somebody who is";
        r.error(user.span, "a test has either `lead` or `user`", hint);
    }
    map.finish(r);
    test
}

fn step(r: &mut Reader<'_>, node: &Node) -> Step {
    let Some(mut map) = r.map(node, "a step") else { return Step::default() };
    let step = Step {
        at: map.optional(r, "at", when).flatten(),
        track: map.optional(r, "track", Reader::text),
        page: map.optional(r, "page", Reader::text),
        screen: map.optional(r, "screen", Reader::text),
        identify: map.optional(r, "identify", object),
        group: map.optional(r, "group", object),
        event: map.optional(r, "event", object),
        properties: map.optional(r, "properties", object),
        context: map.optional(r, "context", object),
        traits: map.optional(r, "traits", object),
        id: map.optional(r, "id", Reader::text),
        arrives: map.optional(r, "arrives", when).flatten(),
        times: map.optional(r, "times", Reader::count),
        every: map.optional(r, "every", |r, n| r.period(n).ms),
        outcome: map.optional(r, "outcome", outcome).flatten(),
        expect: map.optional(r, "expect", expect),
        span: node.span,
    };
    check_step(r, &map, &step);
    map.finish(r);
    step
}

/// A step is one event or one expectation, and has only what belongs to that.
fn check_step(r: &mut Reader<'_>, map: &Fields<'_>, step: &Step) {
    const EVENTS: [&str; 6] = ["track", "page", "screen", "identify", "group", "event"];
    let kinds: Vec<&str> = EVENTS.into_iter().chain(["expect"]).filter(|key| map.has(key)).collect();
    match kinds[..] {
        [_] => {}
        [] => {
            let hint = "give it one of track, page, screen, identify, group, event, expect";
            r.error(map.start(), "this step neither does nor expects anything", hint);
        }
        [first, second, ..] => {
            let message = format!("a step is one thing, not `{first}` and `{second}`");
            r.error(map.key(second), message, "make two steps of it: `- { at: 1d, … }`");
        }
    }
    let only_events = ["properties", "context", "traits", "id", "arrives", "times", "every", "outcome"];
    for key in only_events.into_iter().filter(|key| step.expect.is_some() && map.has(key)) {
        r.error(map.key(key), format!("`{key}` belongs to an event, not to `expect`"), "remove it here");
    }
    for key in ["properties", "context", "traits"] {
        if step.event.is_some() && map.has(key) {
            let message = format!("`event` is the whole event, so that `{key}` stands in it");
            r.error(map.key(key), message, format!("write `event: {{ {key}: … }}`"));
        }
    }
    if step.identify.is_some() && map.has("traits") {
        let hint = "write all of them under `identify`";
        r.error(map.key("traits"), "`identify` holds the traits itself", hint);
    }
    if map.has("times") != map.has("every") {
        let (has, lacks) = if map.has("times") { ("times", "every") } else { ("every", "times") };
        r.error(map.key(has), format!("`{has}` needs `{lacks}`"), "write both: `times: 3, every: 1d`");
    }
}

fn expect(r: &mut Reader<'_>, node: &Node) -> Expect {
    let Some(mut map) = r.map(node, "`expect`") else { return Expect::default() };
    let expect = Expect {
        stage: map.optional(r, "stage", Reader::text),
        scores: map.optional(r, "scores", |r, n| r.named(n, bounds)).unwrap_or_default(),
        groups: map.optional(r, "groups", |r, n| r.named(n, |r, n| r.named(n, bounds))).unwrap_or_default(),
        grades: map.optional(r, "grades", |r, n| r.named(n, grades)).unwrap_or_default(),
        qualified: map.optional(r, "qualified", |r, n| r.named(n, qualified)).unwrap_or_default(),
        missing: map.optional(r, "missing", texts),
        reasons: map.optional(r, "reasons", |r, n| list(r, n, reason)).unwrap_or_default(),
        running: map.optional(r, "running", texts),
        transitions: map.optional(r, "transitions", |r, n| list(r, n, transition)),
        alerts: map.optional(r, "alerts", |r, n| list(r, n, alert)),
        slas: map.optional(r, "slas", |r, n| list(r, n, sla)),
        nothing_else: map.optional(r, "nothing_else", Reader::bool),
    };
    if map.is_empty() {
        r.error(node.span, "`expect` is empty", "say what is expected, such as `stage: mql`");
    }
    map.finish(r);
    expect
}

/// A list that may be empty: nothing is a thing to expect. One item alone may stand without brackets.
fn list<T>(r: &mut Reader<'_>, node: &Node, mut read: impl FnMut(&mut Reader<'_>, &Node) -> T) -> Vec<T> {
    match &node.kind {
        NodeKind::List(items) => items.iter().map(|item| read(r, item)).collect(),
        _ => vec![read(r, node)],
    }
}

fn texts(r: &mut Reader<'_>, node: &Node) -> Vec<Text> {
    list(r, node, |r, node| r.text(node))
}

fn bounds(r: &mut Reader<'_>, node: &Node) -> Bounds {
    if !matches!(node.kind, NodeKind::Map(_)) {
        return Bounds { equals: Some(r.literal(node).value), ..Bounds::default() };
    }
    let Some(mut map) = r.map(node, "a number's bounds") else { return Bounds::default() };
    let mut bound = |r: &mut Reader<'_>, key| map.optional(r, key, |r, n| r.literal(n).value);
    let bounds = Bounds {
        equals: bound(r, "equals"),
        within: bound(r, "within"),
        gt: bound(r, "gt"),
        gte: bound(r, "gte"),
        lt: bound(r, "lt"),
        lte: bound(r, "lte"),
    };
    if bounds.within.is_some() && bounds.equals.is_none() {
        let hint = "write `{ equals: 52, within: 0.5 }`, or bounds: `{ gte: 50, lt: 55 }`";
        r.error(map.key("within"), "`within` says how far from `equals`", hint);
    }
    if map.is_empty() {
        r.error(node.span, "these bounds are empty", "write a number, or bounds such as `{ gte: 50 }`");
    }
    map.finish(r);
    bounds
}

fn grades(r: &mut Reader<'_>, node: &Node) -> Vec<Option<Text>> {
    list(r, node, |r, node| match node.kind {
        NodeKind::Scalar(_, Plain::Null) => None,
        _ => Some(r.text(node)),
    })
}

fn qualified(r: &mut Reader<'_>, node: &Node) -> Qualified {
    match &node.kind {
        NodeKind::List(items) => Qualified::Criteria(items.iter().map(|item| r.text(item)).collect()),
        NodeKind::Scalar(_, Plain::Number(_)) => Qualified::Count(r.whole(node).value as u32),
        NodeKind::Scalar(text, Plain::Text) if text == "all" => Qualified::All,
        NodeKind::Scalar(text, Plain::Text) if text == "none" => Qualified::Count(0),
        _ => {
            r.mismatch(node, "`all`, `none`, how many criteria hold, or a list of those that do");
            Qualified::default()
        }
    }
}

fn reason(r: &mut Reader<'_>, node: &Node) -> Reason {
    if !matches!(node.kind, NodeKind::Map(_)) {
        return Reason { of: r.text(node), ..Reason::default() };
    }
    let Some(mut map) = r.map(node, "a reason") else { return Reason::default() };
    let reason = Reason {
        of: map.required(r, "of", Reader::text),
        score: map.optional(r, "score", Reader::text),
        group: map.optional(r, "group", Reader::text),
        points: map.optional(r, "points", bounds),
        count: map.optional(r, "count", Reader::whole),
    };
    map.finish(r);
    reason
}

fn transition(r: &mut Reader<'_>, node: &Node) -> Transition {
    if !matches!(node.kind, NodeKind::Map(_)) {
        return Transition { name: r.text(node), ..Transition::default() };
    }
    let Some(mut map) = r.map(node, "a transition") else { return Transition::default() };
    let transition = Transition {
        name: map.required(r, "name", Reader::text),
        from: map.optional(r, "from", Reader::text),
        to: map.optional(r, "to", Reader::text),
        at: map.optional(r, "at", when).flatten(),
        reason: map.optional(r, "reason", json),
        value: map.optional(r, "value", |r, n| r.literal(n).value),
    };
    map.finish(r);
    transition
}

fn alert(r: &mut Reader<'_>, node: &Node) -> Alert {
    if !matches!(node.kind, NodeKind::Map(_)) {
        return Alert { name: r.text(node), ..Alert::default() };
    }
    let Some(mut map) = r.map(node, "an alert") else { return Alert::default() };
    let route = map.get("route").map(|(_, node)| match node.kind {
        NodeKind::Scalar(_, Plain::Null) => None,
        _ => Some(r.text(node)),
    });
    let alert = Alert {
        name: map.required(r, "name", Reader::text),
        route,
        at: map.optional(r, "at", when).flatten(),
    };
    map.finish(r);
    alert
}

fn sla(r: &mut Reader<'_>, node: &Node) -> Sla {
    let Some(mut map) = matches!(node.kind, NodeKind::Map(_)).then(|| r.map(node, "an SLA")).flatten() else {
        let text = r.text(node);
        let mut words = text.split_whitespace();
        let words = (words.next(), words.next(), words.next());
        let part = |part: &str| Text::new(part.to_owned(), text.span);
        return match words {
            (Some(name), Some(state), None) => Sla { name: part(name), state: part(state), at: None },
            _ if text.is_empty() => Sla::default(),
            _ => {
                let hint = "write its name and its state: `acceptance met` (due, past_due, met, breached, cancelled)";
                r.error(node.span, format!("'{}' does not say what became of an SLA", shorten(&text)), hint);
                Sla::default()
            }
        };
    };
    let sla = Sla {
        name: map.required(r, "name", Reader::text),
        state: map.required(r, "state", Reader::text),
        at: map.optional(r, "at", when).flatten(),
    };
    map.finish(r);
    sla
}

fn outcome(r: &mut Reader<'_>, node: &Node) -> Option<Outcome> {
    let text = r.text(node);
    let known = Outcome::ALL.into_iter().find(|outcome| outcome.name() == text.value);
    if known.is_none() {
        r.diagnostics.unknown("outcome", &text, Outcome::ALL.iter().map(|outcome| outcome.name()));
    }
    known
}

fn tolerance(r: &mut Reader<'_>, node: &Node) -> Spanned<f64> {
    let tolerance = r.literal(node);
    if tolerance.value < 0.0 {
        r.error(node.span, "a tolerance is never negative", "write 0 or more");
    }
    tolerance
}

fn moment(r: &mut Reader<'_>, node: &Node) -> Option<Spanned<i64>> {
    let text = r.text(node);
    let ms = parse_text(&text);
    if ms.is_none() && !text.is_empty() {
        let hint = "write a day or a moment (UTC): 2026-03-02 or 2026-03-02 09:00:00";
        r.error(node.span, format!("'{}' is not a time", shorten(&text)), hint);
    }
    Some(Spanned::new(ms?, node.span))
}

/// `2d`, `1d 4h`, or a moment.
fn when(r: &mut Reader<'_>, node: &Node) -> Option<Spanned<When>> {
    let text = r.text(node);
    let parts: Option<Vec<i64>> = text.split_whitespace().map(parse_ms).collect();
    let since =
        parts.filter(|parts| !parts.is_empty()).map(|parts| parts.into_iter().fold(0, i64::saturating_add));
    // Longer ones would end up outside the times that there are.
    const LONGEST: i64 = 1000 * 365 * 86_400_000;
    let when = match since {
        Some(ms) => (ms <= LONGEST).then_some(When::Since(ms)),
        None if text.bytes().all(|byte| byte.is_ascii_digit()) => None,
        None => parse_text(&text).map(When::Moment),
    };
    if when.is_none() && !text.is_empty() {
        let hint = "write the time since the start (`2d`, `1d 4h 30m`) or a moment (`2026-03-02 09:00:00`)";
        r.error(node.span, format!("'{}' is not a time", shorten(&text)), hint);
    }
    Some(Spanned::new(when?, node.span))
}

/// What an event carries: any map.
fn object(r: &mut Reader<'_>, node: &Node) -> Object {
    match json(r, node) {
        Value::Object(object) => object,
        _ => {
            r.mismatch(node, "a map (`name: value`)");
            Object::new()
        }
    }
}

fn json(r: &mut Reader<'_>, node: &Node) -> Value {
    match &node.kind {
        NodeKind::Scalar(text, Plain::Text) => Value::String(text.clone()),
        NodeKind::Scalar(_, Plain::Null) => Value::Null,
        NodeKind::Scalar(_, Plain::Bool(value)) => Value::Bool(*value),
        NodeKind::Scalar(text, Plain::Number(_)) => match text.parse::<i64>() {
            Ok(whole) => Value::Number(whole.into()),
            Err(_) => Number::from_f64(r.literal(node).value).map_or(Value::Null, Value::Number),
        },
        NodeKind::List(items) => Value::Array(items.iter().map(|item| json(r, item)).collect()),
        NodeKind::Map(entries) => {
            entries.iter().map(|(name, node)| (name.value.clone(), json(r, node))).collect::<Object>().into()
        }
    }
}

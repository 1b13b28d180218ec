//! Where two replays differ, told so that a person can see it.

use std::fmt::Write;

use serde_json::{Map, Value};

/// The first difference; none: both printed the same.
pub fn difference(expected: &[Value], got: &[Value]) -> Option<String> {
    for at in 0..expected.len().max(got.len()) {
        let (expected, got) = (expected.get(at).map(comparable), got.get(at).map(comparable));
        let (Some(e), Some(g)) = (&expected, &got) else {
            return Some(format!("line {at}:\n  expected {}\n  got      {}", shown(&expected), shown(&got)));
        };
        let mut differences = String::new();
        differ(e, g, "", &mut differences);
        if !differences.is_empty() {
            return Some(format!("line {at}:\n{differences}  expected {e}\n  got      {g}"));
        }
    }
    None
}

fn shown(line: &Option<Value>) -> String {
    line.as_ref().map_or_else(|| "nothing more".to_string(), Value::to_string)
}

/// A line without what is free to differ: the words of `detail`, the order of `missing`, the spelling
/// of numbers.
fn comparable(line: &Value) -> Value {
    let mut line = numbers_by_value(line);
    if let Some(data) = line.get_mut("data").and_then(Value::as_object_mut) {
        data.remove("detail");
        if let Some(missing) = data.get_mut("missing").and_then(Value::as_array_mut) {
            missing.sort_by_key(Value::to_string);
        }
    }
    line
}

fn numbers_by_value(value: &Value) -> Value {
    match value {
        // Adding 0 makes one of the two zeros.
        Value::Number(number) => number.as_f64().map_or(Value::Null, |number| Value::from(number + 0.0)),
        Value::Array(items) => items.iter().map(numbers_by_value).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), numbers_by_value(value)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// Writes a line for each place at which two values differ.
fn differ(expected: &Value, got: &Value, at: &str, out: &mut String) {
    match (expected, got) {
        (Value::Object(e), Value::Object(g)) => {
            let keys = e.keys().chain(g.keys().filter(|key| !e.contains_key(*key)));
            for key in keys {
                let at = format!("{at}/{key}");
                match (e.get(key), g.get(key)) {
                    (Some(e), Some(g)) => differ(e, g, &at, out),
                    (e, g) => tell(&at, e, g, out),
                }
            }
        }
        (Value::Array(e), Value::Array(g)) if e.len() == g.len() => {
            for (index, (e, g)) in e.iter().zip(g).enumerate() {
                differ(e, g, &format!("{at}/{index}"), out);
            }
        }
        _ if expected == got => {}
        _ => tell(at, Some(expected), Some(got), out),
    }
}

fn tell(at: &str, expected: Option<&Value>, got: Option<&Value>, out: &mut String) {
    let show = |value: Option<&Value>| value.map_or_else(|| "absent".to_string(), Value::to_string);
    writeln!(out, "  {at}: expected {}, got {}", show(expected), show(got)).expect("a string takes all");
}

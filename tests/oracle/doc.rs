//! A model file as a tree that keeps the order of its maps: YAML 1.2 core, of which JSON is a part.

use std::fmt::Write;

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Number, Value};

#[derive(Clone, Debug, PartialEq)]
pub enum Doc {
    Scalar(Value),
    List(Vec<Doc>),
    Map(Vec<(String, Doc)>),
}

impl Doc {
    pub fn read(text: &str) -> Doc {
        let mut events = Parser::new_from_str(text)
            .map(|event| event.expect("readable YAML").0)
            .filter(|event| !matches!(event, Event::Nothing | Event::StreamStart | Event::DocumentStart(_)));
        let first = events.next().expect("a document");
        node(first, &mut events)
    }

    pub fn get(&self, key: &str) -> Option<&Doc> {
        match self {
            Doc::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    pub fn entries(&self) -> &[(String, Doc)] {
        match self {
            Doc::Map(entries) => entries,
            other => panic!("a map is expected, not {other:?}"),
        }
    }

    /// Adds an entry to a map.
    pub fn put(&mut self, key: &str, value: Doc) {
        match self {
            Doc::Map(entries) => entries.push((key.to_string(), value)),
            other => panic!("a map is expected, not {other:?}"),
        }
    }

    pub fn items(&self) -> &[Doc] {
        match self {
            Doc::List(items) => items,
            other => panic!("a list is expected, not {other:?}"),
        }
    }

    pub fn text(&self) -> &str {
        match self {
            Doc::Scalar(Value::String(text)) => text,
            other => panic!("a text is expected, not {other:?}"),
        }
    }

    pub fn is_map(&self) -> bool {
        matches!(self, Doc::Map(_))
    }

    /// One line of JSON, which is YAML too.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.write_json(&mut out);
        out
    }

    fn write_json(&self, out: &mut String) {
        match self {
            Doc::Scalar(value) => write!(out, "{value}").expect("a string takes all"),
            Doc::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { ", " });
                    item.write_json(out);
                }
                out.push(']');
            }
            Doc::Map(entries) => {
                out.push('{');
                for (at, (key, value)) in entries.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { ", " });
                    write!(out, "{}: ", Value::from(key.as_str())).expect("a string takes all");
                    value.write_json(out);
                }
                out.push('}');
            }
        }
    }
}

impl<T: Into<Value>> From<T> for Doc {
    fn from(scalar: T) -> Doc {
        Doc::Scalar(scalar.into())
    }
}

pub fn map<const N: usize>(entries: [(&str, Doc); N]) -> Doc {
    Doc::Map(entries.into_iter().map(|(key, value)| (key.to_string(), value)).collect())
}

pub fn list(items: impl IntoIterator<Item = Doc>) -> Doc {
    Doc::List(items.into_iter().collect())
}

fn node<'a>(event: Event<'a>, rest: &mut impl Iterator<Item = Event<'a>>) -> Doc {
    match event {
        Event::Scalar(text, ScalarStyle::Plain, ..) => Doc::Scalar(plain(&text)),
        Event::Scalar(text, ..) => Doc::Scalar(Value::from(text.as_ref())),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match rest.next().expect("the end of a list") {
                    Event::SequenceEnd => return Doc::List(items),
                    item => items.push(node(item, rest)),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut entries = Vec::new();
            loop {
                match rest.next().expect("the end of a map") {
                    Event::MappingEnd => return Doc::Map(entries),
                    Event::Scalar(key, ..) => {
                        let value = rest.next().expect("a value");
                        entries.push((key.into_owned(), node(value, rest)));
                    }
                    other => panic!("a key is expected, not {other:?}"),
                }
            }
        }
        other => panic!("{other:?} is not used in models"),
    }
}

/// A plain scalar by the YAML 1.2 core schema, as far as models use it.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => {
            if let Ok(number) = text.parse::<i64>() {
                return Value::from(number);
            }
            let numeric = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
            match text.parse::<f64>().ok().filter(|_| numeric).and_then(Number::from_f64) {
                Some(number) => Value::Number(number),
                None => Value::from(text),
            }
        }
    }
}

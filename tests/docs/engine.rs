//! What the engine makes of the events on the pages.

use qualifyd::model::Model;
use qualifyd::replay::{Options, Summary, replay};
use serde_json::Value;
use serde_json::value::RawValue;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// What is printed for these lines with the model that the pages name.
fn run(lines: &str, until: Option<&str>) -> (Vec<String>, Summary) {
    let file = path("deploy/models/b2b-saas.yaml");
    let text = std::fs::read(&file).unwrap();
    let mut lists = |name: &str| std::fs::read(file.with_file_name(name));
    let model = Arc::new(Model::load("b2b-saas.yaml", &text, &mut lists).unwrap().model);
    let until_ms = until.map(|until| qualifyd::event::time::parse_text(until).unwrap());
    let mut out = Vec::new();
    let summary = replay(&model, lines.as_bytes(), &Options { until_ms, scores: false }, &mut out).unwrap();
    let printed = String::from_utf8(out).unwrap();
    (printed.lines().map(str::to_owned).collect(), summary)
}

/// What became of each line, in words.
pub fn outcomes(lines: &[String]) -> String {
    let mut before = Summary::default();
    let mut outcomes = Vec::new();
    for count in 1..=lines.len() {
        let (_, now) = run(&lines[..count].join("\n"), None);
        let counters = |summary: &Summary| {
            let Summary { applied, ignored, duplicates, spend, rejected, .. } = *summary;
            [
                ("applied", applied),
                ("ignored", ignored),
                ("duplicate", duplicates),
                ("spend", spend),
                ("rejected", rejected),
            ]
        };
        let changed = counters(&before).into_iter().zip(counters(&now)).find(|(old, new)| old != new);
        outcomes.push(changed.map_or("nothing", |(_, (name, _))| name));
        before = now;
    }
    outcomes.join(" ")
}

/// Reason and detail of a rejected event.
pub fn rejection(event: &str) -> (String, String) {
    let (records, _) = run(event, None);
    let record: Value = serde_json::from_str(&records[0]).unwrap();
    let data = &record["data"];
    let text = |key: &str| data[key].as_str().unwrap_or_default().to_owned();
    (text("reason"), text("detail"))
}

/// The page with the record of that id under each line `<!-- record ID -->`, in place of what stands there.
pub fn with_records(page: &str) -> String {
    let events = std::fs::read_to_string(path("docs/examples/first-month.jsonl")).unwrap();
    let (records, _) = run(&events, Some("2026-04-12"));
    let mut text = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("<!-- record ") {
        let (id, after) = after.split_once(" -->\n").expect("a marker stands alone in its line");
        let start = match id {
            "dead-letter" => "{\"topic\":\"dead-letter\"".to_owned(),
            _ => format!(",\"id\":\"{id}\""),
        };
        let record = records.iter().find(|record| record.contains(&start));
        let record = record.unwrap_or_else(|| panic!("there is no record {id}"));
        text.push_str(&format!("{before}<!-- record {id} -->\n\n```json\n{}\n```\n", pretty(record)));
        let old = after.strip_prefix("\n```json\n").and_then(|old| old.split_once("\n```\n"));
        rest = old.map_or(after, |(_, after)| after);
    }
    text + rest
}

/// As JSON of short lines: what fits a line stands in one.
fn pretty(line: &str) -> String {
    let record = Json::parse(line);
    let Json::Object(fields) = &record else { panic!("a record is an object") };
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    match field("key") {
        Some(Json::Plain(key)) if key == "null" => record.spaced(),
        _ => field("data").expect("a record has data").indented(0),
    }
}

/// JSON whose fields stay in their order.
enum Json {
    Object(Vec<(String, Json)>),
    Array(Vec<Json>),
    /// As it is written.
    Plain(String),
}

impl Json {
    fn parse(text: &str) -> Json {
        match text.as_bytes()[0] {
            b'{' => {
                let Fields(fields) = serde_json::from_str(text).unwrap();
                Json::Object(fields.into_iter().map(|(key, value)| (key, Json::parse(value.get()))).collect())
            }
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(text).unwrap();
                Json::Array(items.into_iter().map(|item| Json::parse(item.get())).collect())
            }
            _ => Json::Plain(text.to_owned()),
        }
    }

    fn indented(&self, depth: usize) -> String {
        const WIDTH: usize = 110;
        let whole = self.spaced();
        if depth > 0 && whole.len() + 2 * depth <= WIDTH {
            return whole;
        }
        let (open, items, close) = match self {
            Json::Object(fields) => {
                let field =
                    |(key, value): &(String, Json)| format!("\"{key}\": {}", value.indented(depth + 1));
                ("{", fields.iter().map(field).collect::<Vec<_>>(), "}")
            }
            Json::Array(items) => ("[", items.iter().map(|item| item.indented(depth + 1)).collect(), "]"),
            Json::Plain(_) => return whole,
        };
        let (pad, end) = ("  ".repeat(depth + 1), "  ".repeat(depth));
        format!("{open}\n{pad}{}\n{end}{close}", items.join(&format!(",\n{pad}")))
    }

    /// In one line, with spaces.
    fn spaced(&self) -> String {
        match self {
            Json::Object(fields) if fields.is_empty() => "{}".to_owned(),
            Json::Object(fields) => {
                let fields = fields.iter().map(|(key, value)| format!("\"{key}\": {}", value.spaced()));
                format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
            }
            Json::Array(items) => {
                format!("[{}]", items.iter().map(Json::spaced).collect::<Vec<_>>().join(", "))
            }
            Json::Plain(text) => text.clone(),
        }
    }
}

/// An object's fields in their order.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Fields<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> serde::de::Visitor<'de> for InOrder {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(InOrder).map(Fields)
    }
}

//! The YAML of a scenario: a title, a sentence of story, the model, and what happens when.

use super::render;
use config::{Config, File, FileFormat};
use qualifyd::event::time::{parse_text, write_rfc3339};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

pub struct Story {
    pub title: String,
    pub story: String,
    pub model: ModelSource,
    pub steps: Vec<Step>,
    /// Up to when time goes on after the last event, ms.
    pub until: Option<i64>,
    /// Worked out by hand from the specification: the snapshot must say this, in this order …
    pub says: Vec<String>,
    /// … and nowhere this.
    pub never_says: Vec<String>,
}

pub enum ModelSource {
    File(PathBuf),
    Inline(String),
}

pub enum Step {
    /// A record of the input, its event time in ms if that is told, and how the snapshot tells it.
    Event { line: String, at: Option<i64>, shown: String },
    /// Shows every lead's scores at that moment, ms.
    Scores { at: i64 },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    title: String,
    story: String,
    /// Path from the project's root.
    model: Option<PathBuf>,
    /// Or the model itself.
    inline: Option<String>,
    start: String,
    events: Vec<WrittenEvent>,
    until: Option<String>,
    #[serde(default)]
    says: Vec<String>,
    #[serde(default)]
    never_says: Vec<String>,
}

/// One line under `events`. Times are moments or durations since `start`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEvent {
    at: Option<String>,
    /// When the record reached the collector, if that was another time.
    received: Option<String>,
    lead: Option<String>,
    anonymous: Option<String>,
    /// Message id.
    id: Option<String>,
    track: Option<String>,
    /// Path of the page.
    page: Option<String>,
    /// Traits of the person, of the company.
    identify: Option<Map<String, Value>>,
    group: Option<Map<String, Value>>,
    /// Properties.
    #[serde(default)]
    with: Map<String, Value>,
    /// Traits that come with a track or page (`context.traits`).
    traits: Option<Map<String, Value>>,
    #[serde(default)]
    context: Map<String, Value>,
    /// The record as it stands, instead of all of the above.
    raw: Option<String>,
    /// Shows all leads' scores.
    #[serde(default)]
    scores: bool,
}

impl Story {
    pub fn read(path: &Path) -> Result<Story, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let source = Config::builder().add_source(File::from_str(&text, FileFormat::Yaml));
        let written: Written = source
            .build()
            .and_then(Config::try_deserialize)
            .map_err(|error| format!("cannot be read: {error}"))?;
        let model = match (written.model, written.inline) {
            (Some(path), None) => ModelSource::File(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)),
            (None, Some(text)) => ModelSource::Inline(text),
            _ => return Err("give either `model` or `inline`".to_owned()),
        };
        let start = parse_text(&written.start).ok_or("`start` is no moment")?;
        let mut steps = Vec::new();
        for event in written.events {
            steps.push(event.step(start)?);
        }
        let until = written.until.map(|text| moment(start, &text)).transpose()?;
        let Written { title, story, says, never_says, .. } = written;
        Ok(Story { title, story, model, steps, until, says, never_says })
    }
}

impl WrittenEvent {
    fn step(mut self, start: i64) -> Result<Step, String> {
        if let Some(line) = self.raw {
            let shown = format!("                     raw record {line}");
            return Ok(Step::Event { line, at: None, shown });
        }
        let at = moment(start, self.at.as_deref().ok_or("an event without `at`")?)?;
        if self.scores {
            return Ok(Step::Scores { at });
        }
        let received = self.received.take().map(|text| moment(start, &text)).transpose()?;
        let mut record = Map::from_iter([("timestamp".to_owned(), json!(rfc3339(at)))]);
        if let Some(received) = received {
            record.insert("receivedAt".to_owned(), json!(rfc3339(received)));
        }
        for (key, value) in
            [("userId", &self.lead), ("anonymousId", &self.anonymous), ("messageId", &self.id)]
        {
            if let Some(value) = value {
                record.insert(key.to_owned(), json!(value));
            }
        }
        let mut what = self.describe(&mut record)?;
        if !self.context.is_empty() {
            what.push_str(&format!(" with {}", render::plain(&self.context)));
        }
        if let Some(traits) = &self.traits {
            self.context.insert("traits".to_owned(), json!(traits));
        }
        for (key, value) in [("properties", self.with), ("context", self.context)] {
            if !value.is_empty() {
                merge(record.entry(key).or_insert_with(|| json!({})), value);
            }
        }
        if let Some(id) = &self.id {
            what.push_str(&format!(" (message {id})"));
        }
        let lead = self.lead.or(self.anonymous).unwrap_or_else(|| "?".to_owned());
        let mut shown = format!("{}  {lead}  · {what}", render::moment(at));
        if let Some(received) = received {
            shown.push_str(&format!(" (received {})", render::moment(received)));
        }
        Ok(Step::Event { line: Value::Object(record).to_string(), at: Some(at), shown })
    }

    /// Fills in what kind of event it is; returns it in words.
    fn describe(&self, record: &mut Map<String, Value>) -> Result<String, String> {
        let mut set = |key: &str, value: Value| record.insert(key.to_owned(), value);
        let with =
            if self.with.is_empty() { String::new() } else { format!(" {}", render::plain(&self.with)) };
        let what = match (&self.track, &self.page, &self.identify, &self.group) {
            (Some(name), None, None, None) => {
                set("type", json!("track"));
                set("event", json!(name));
                format!("{name}{with}")
            }
            (None, Some(path), None, None) => {
                set("type", json!("page"));
                set("context", json!({ "page": { "path": path } }));
                format!("page {path}{with}")
            }
            (None, None, Some(traits), None) => {
                set("type", json!("identify"));
                set("traits", json!(traits));
                format!("is {}", render::plain(traits))
            }
            (None, None, None, Some(traits)) => {
                set("type", json!("group"));
                set("groupId", json!("company"));
                set("traits", json!(traits));
                format!("works at {}", render::plain(traits))
            }
            _ => return Err("an event is one of track, page, identify, group".to_owned()),
        };
        Ok(match &self.traits {
            Some(traits) => format!("{what}, is {}", render::plain(traits)),
            None => what,
        })
    }
}

fn merge(into: &mut Value, from: Map<String, Value>) {
    let Value::Object(into) = into else { return };
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(known @ Value::Object(_)), Value::Object(value)) => merge(known, value),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

/// A moment (`2026-03-02 09:00:00`) or the time since `start` (`2d 4h`, `90m`).
fn moment(start: i64, text: &str) -> Result<i64, String> {
    if let Some(at) = parse_text(text) {
        return Ok(at);
    }
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    let parts = text.split_whitespace().map(|part| {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let unit = units.iter().find(|(unit, _)| *unit == &part[end..]);
        match (part[..end].parse::<i64>(), unit) {
            (Ok(count), Some((_, ms))) => Ok(count * ms),
            _ => Err(format!("'{text}' is neither a moment nor a duration")),
        }
    });
    parts.sum::<Result<i64, String>>().map(|since| start + since)
}

fn rfc3339(ms: i64) -> String {
    let mut text = Vec::new();
    write_rfc3339(&mut text, ms);
    String::from_utf8_lossy(&text).into_owned()
}

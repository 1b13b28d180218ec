//! From a line to an event (§1).

use serde_json::{Map, Value};

use super::matcher::{number, scalar, values_at};
use super::model::Model;
use super::time;

const FUTURE_SKEW: i64 = 5 * time::MINUTE;
const EVENT_BYTES: usize = 256 * 1024;
const TRAIT_BYTES: usize = 1024;
const LEAD_BYTES: usize = 512;
const DEPTH: usize = 64;

#[derive(Clone, Debug)]
pub struct Event {
    pub kind: String,
    pub name: Option<String>,
    pub lead: String,
    /// The event's own time.
    pub time: i64,
    /// The record's timestamp.
    pub recorded: i64,
    pub message_id: Option<String>,
    pub has_user_id: bool,
    properties: Value,
    context: Value,
    /// `traits`, those of a group under `company`.
    traits: Value,
    context_traits: Value,
}

#[derive(Debug)]
pub enum Outcome {
    Event(Box<Event>),
    Spend,
    Rejected(&'static str),
}

pub fn read(model: &Model, line: &[u8]) -> Outcome {
    match read_event(model, line) {
        Ok(Some(event)) => Outcome::Event(Box::new(event)),
        Ok(None) => Outcome::Spend,
        Err(reason) => Outcome::Rejected(reason),
    }
}

fn read_event(model: &Model, line: &[u8]) -> Result<Option<Event>, &'static str> {
    if line.len() > EVENT_BYTES {
        return Err("too_large");
    }
    let text = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
    let value: Value = serde_json::from_slice(text).map_err(|error| {
        let too_deep = error.to_string().starts_with("recursion limit");
        if too_deep { "too_deep" } else { "not_json" }
    })?;
    if depth(&value) > DEPTH {
        return Err("too_deep");
    }
    let Value::Object(envelope) = value else { return Err("not_object") };
    let kind = match present(&envelope, "type").or(present(&envelope, "action")) {
        Some(Value::String(kind)) => kind.to_ascii_lowercase(),
        _ => return Err("unknown_kind"),
    };
    if !["track", "page", "screen", "identify", "group", "alias"].contains(&kind.as_str()) {
        return Err("unknown_kind");
    }
    let properties = object(&envelope, "properties");
    let context = object(&envelope, "context");
    let own_traits = object(&envelope, "traits");
    let context_traits = match context.get("traits") {
        Some(traits @ Value::Object(_)) => traits.clone(),
        _ => Value::Null,
    };
    let traits = if kind == "group" {
        Value::Object(Map::from_iter([("company".to_string(), own_traits.clone())]))
    } else {
        own_traits.clone()
    };
    let name = match kind.as_str() {
        "track" => text_of(present(&envelope, "event")),
        "page" | "screen" => text_of(present(&envelope, "name")).or(text_of(properties.get("name"))),
        _ => None,
    };
    let user_id = present(&envelope, "userId").or(present(&envelope, "user_id"));
    let mut event = Event {
        name,
        lead: String::new(),
        time: 0,
        recorded: 0,
        message_id: text_of(present(&envelope, "messageId").or(present(&envelope, "message_id"))),
        has_user_id: user_id.is_some(),
        properties,
        context,
        traits,
        context_traits,
        kind,
    };
    let nameless = event.kind == "track" && event.name.is_none();
    if !nameless && model.spend.as_ref().is_some_and(|spend| spend.matches(&event)) {
        return Ok(None);
    }
    event.lead = lead_id(&envelope, &event, &own_traits)?;
    if nameless {
        return Err("missing_name");
    }
    (event.time, event.recorded) = times(&envelope).ok_or("bad_time")?;
    Ok(Some(event))
}

/// How many arrays and objects are open at once.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// An envelope field, of which null and "" count as absent.
fn present<'e>(envelope: &'e Map<String, Value>, field: &str) -> Option<&'e Value> {
    envelope.get(field).filter(|value| !is_empty(value))
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}

fn object(envelope: &Map<String, Value>, field: &str) -> Value {
    envelope.get(field).filter(|value| value.is_object()).cloned().unwrap_or(Value::Null)
}

/// A non-empty string.
fn text_of(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_string)
}

fn lead_id(envelope: &Map<String, Value>, event: &Event, own: &Value) -> Result<String, &'static str> {
    let id = ["userId", "user_id", "anonymousId", "anonymous_id"]
        .iter()
        .find_map(|field| present(envelope, field))
        .cloned();
    let own = if event.kind == "group" { &Value::Null } else { own };
    let email = || {
        [own, &event.context_traits, &event.properties]
            .iter()
            .filter_map(|holder| holder.get("email").and_then(Value::as_str))
            .find(|email| email.contains('@'))
            .map(|email| Value::from(email.to_ascii_lowercase()))
    };
    match id.or_else(email) {
        None => Err("missing_lead"),
        Some(Value::String(id)) if id.len() <= LEAD_BYTES => Ok(id),
        // Choice: an integer is a number written without fraction and exponent.
        Some(Value::Number(id)) if id.is_i64() => Ok(id.to_string()),
        Some(_) => Err("bad_lead"),
    }
}

/// The event's time and the record's timestamp; none: `bad_time`.
fn times(envelope: &Map<String, Value>) -> Option<(i64, i64)> {
    let field = |camel: &str, snake: &str| present(envelope, camel).or(present(envelope, snake));
    let received = field("receivedAt", "received_at");
    let stated = field("timestamp", "timestamp")
        .or(field("originalTimestamp", "original_timestamp"))
        .or(field("sentAt", "sent_at"))
        .or(received);
    let recorded = received.and_then(time::read);
    let own = match stated {
        Some(value) => time::read(value)?,
        None => return None,
    };
    let recorded = recorded.unwrap_or(own);
    let own = if own - recorded > FUTURE_SKEW { recorded } else { own };
    Some((own, recorded))
}

impl Event {
    /// The values at a field of a matcher.
    pub fn values(&self, field: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let (root, path) = field.split_once('.').unwrap_or((field, ""));
        let path: Vec<&str> = path.split('.').collect();
        match root {
            "kind" => found.push(Value::from(self.kind.as_str())),
            "event" => found.extend(self.name.as_deref().map(Value::from)),
            "lead" => found.push(Value::from(self.lead.as_str())),
            "properties" => values_at(&self.properties, &path, &mut found),
            "context" => values_at(&self.context, &path, &mut found),
            "traits" => {
                values_at(&self.traits, &path, &mut found);
                if found.is_empty() {
                    values_at(&self.context_traits, &path, &mut found);
                }
            }
            other => panic!("no field {other}"),
        }
        found
    }

    /// What the event says of a trait; null: it removes it; none: it says nothing.
    pub fn trait_at(&self, path: &str) -> Option<Value> {
        let within = |root: &Value| {
            path.split('.').try_fold(root.clone(), |value, key| match value {
                Value::Object(map) => map.get(key).cloned(),
                _ => None,
            })
        };
        // Choice: a trait that is too large hides the one of the same path in `context.traits`.
        let value = within(&self.traits).or_else(|| within(&self.context_traits))?;
        if value.to_string().len() > TRAIT_BYTES {
            return None;
        }
        Some(if is_empty(&value) { Value::Null } else { value })
    }

    pub fn identifies(&self) -> bool {
        self.has_user_id || self.trait_at("email").is_some_and(|email| !email.is_null())
    }

    pub fn number_at(&self, field: &str) -> Option<f64> {
        super::matcher::first(&self.values(field)).and_then(number)
    }

    pub fn scalar_at(&self, field: &str) -> Option<Value> {
        scalar(&self.values(field)).cloned()
    }
}

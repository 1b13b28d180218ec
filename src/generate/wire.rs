//! Events as trackers send them: one JSON object in the Segment shape.

use super::journey::{Fields, Planned, Value, What};
use super::people::Person;
use super::site::{Entry, HOST, Page};
use crate::event::time::write_rfc3339;
use serde_json::{Map, Value as Json, json};

/// Writes an event of a person; `number` counts their events.
pub fn write(person: &Person, planned: &Planned, number: usize) -> Vec<u8> {
    let mut event = Map::new();
    let (kind, body) = match &planned.what {
        What::Page { page, entry, before } => ("page", page_view(page, *entry, *before)),
        What::Track { event, properties } => {
            ("track", json!({ "event": event, "properties": object(properties) }))
        }
        What::Identify { contact, profile, more } => {
            ("identify", json!({ "traits": traits(person, *contact, *profile, more) }))
        }
        What::Group => ("group", group(person)),
    };
    event.insert("type".into(), kind.into());
    event.insert("messageId".into(), format!("{}-{number}", &person.id[..13]).into());
    event.insert("timestamp".into(), time(planned.at_ms));
    event.insert("receivedAt".into(), time(planned.at_ms + planned.delay_ms));
    event.insert("anonymousId".into(), person.id.as_str().into());
    if planned.known {
        event.insert("userId".into(), person.id.as_str().into());
    }
    if let Json::Object(body) = body {
        event.extend(body);
    }
    Json::Object(event).to_string().into_bytes()
}

/// What an advertising channel cost on a day.
pub fn spend(channel: &str, amount: f64, at_ms: i64) -> Vec<u8> {
    let event = json!({
        "type": "track",
        "event": "Ad Spend Recorded",
        "messageId": format!("spend-{channel}-{at_ms}"),
        "timestamp": time(at_ms),
        "receivedAt": time(at_ms),
        "properties": { "channel": channel, "amount": amount, "currency": "USD" }
    });
    event.to_string().into_bytes()
}

fn page_view(page: &Page, entry: Option<Entry>, before: Option<&Page>) -> Json {
    let mut context = json!({ "path": page.path, "url": format!("{HOST}{}", page.path), "title": page.name });
    let referrer = match before {
        Some(before) => Some(format!("{HOST}{}", before.path)),
        None => entry.and_then(Entry::referrer).map(str::to_owned),
    };
    if let Some(referrer) = referrer {
        context["referrer"] = referrer.into();
    }
    let mut context = json!({ "page": context });
    if let Some([source, medium, name]) = entry.and_then(Entry::campaign) {
        context["campaign"] = json!({ "source": source, "medium": medium, "name": name });
    }
    json!({ "name": page.name, "properties": { "path": page.path }, "context": context })
}

fn traits(person: &Person, contact: bool, profile: bool, more: &Fields) -> Map<String, Json> {
    let mut traits = object(more);
    if contact {
        traits.insert("email".into(), person.email.as_str().into());
        traits.insert("first_name".into(), person.first_name.into());
        traits.insert("last_name".into(), person.last_name.into());
    }
    if profile {
        traits.insert("title".into(), person.title.into());
        traits.insert("country".into(), person.country.into());
        if person.company.is_some() {
            traits.insert("company".into(), company(person));
        }
    }
    traits
}

fn group(person: &Person) -> Json {
    let domain = person.company.as_ref().map(|company| company.domain.as_str());
    json!({ "groupId": domain, "traits": company(person) })
}

fn company(person: &Person) -> Json {
    let Some(company) = &person.company else { return json!({}) };
    json!({
        "name": company.name,
        "domain": company.domain,
        "employees": company.employees,
        "industry": company.industry
    })
}

fn object(fields: &Fields) -> Map<String, Json> {
    let value = |value: &Value| match value {
        Value::Text(text) => Json::from(*text),
        Value::Owned(text) => Json::from(text.as_str()),
        Value::Number(number) => Json::from(*number),
        Value::Flag(flag) => Json::from(*flag),
    };
    fields.iter().map(|(name, field)| ((*name).to_owned(), value(field))).collect()
}

fn time(ms: i64) -> Json {
    let mut text = Vec::with_capacity(24);
    write_rfc3339(&mut text, ms);
    String::from_utf8_lossy(&text).into_owned().into()
}

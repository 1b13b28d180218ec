//! From the short forms of a test to events as they come in.

use super::file::{LEAD, Object, START_MS, Step, Test};
use crate::records::Moment;
use crate::story::words;
use serde_json::{Value, json};

/// A step at its time.
pub struct Timed<'t> {
    /// When it takes its turn: at its own time, or when it arrives, ms.
    pub at: i64,
    pub step: &'t Step,
    /// The event's JSON; `None` for an expectation.
    pub event: Option<Vec<u8>>,
}

/// When a test begins, ms.
pub fn start(test: &Test, of_file: Option<i64>) -> i64 {
    test.start.as_ref().map(|start| start.value).or(of_file).unwrap_or(START_MS)
}

/// The id of the test's lead.
pub fn lead(test: &Test) -> &str {
    test.user.as_ref().or(test.lead.as_ref()).map_or(LEAD, |lead| lead.as_str())
}

/// All steps of a test in the order of time; those of one time as they are written.
pub fn timeline(test: &Test, start: i64) -> Vec<Timed<'_>> {
    let mut timeline = Vec::new();
    let mut above = start;
    for step in &test.steps {
        let first = step.at.as_ref().map_or(above, |at| at.ms(start));
        let times = step.times.as_ref().map_or(1, |times| times.value);
        for count in 0..times {
            let happens = first.saturating_add(i64::from(count).saturating_mul(step.every.unwrap_or(0)));
            let event = step.expect.is_none().then(|| record(test, step, happens, start));
            let at = step.arrives.as_ref().map_or(happens, |arrives| arrives.ms(start));
            timeline.push(Timed { at, step, event });
            above = happens;
        }
    }
    timeline.sort_by_key(|timed| timed.at);
    timeline
}

/// The event of a step that happens at `at`, as JSON.
fn record(test: &Test, step: &Step, at: i64, start: i64) -> Vec<u8> {
    let mut record = step.event.clone().unwrap_or_default();
    describe(step, &mut record);
    let has = |record: &Object, keys: &[&str]| keys.iter().any(|key| record.contains_key(*key));
    if !has(&record, &["userId", "user_id", "anonymousId", "anonymous_id"]) {
        let key = if test.user.is_some() { "userId" } else { "anonymousId" };
        record.insert(key.to_owned(), json!(lead(test)));
    }
    const TIMES: [&str; 5] = ["timestamp", "originalTimestamp", "original_timestamp", "sentAt", "sent_at"];
    if !has(&record, &TIMES) {
        record.insert("timestamp".to_owned(), json!(Moment(at)));
    }
    if let Some(arrives) = &step.arrives {
        record.insert("receivedAt".to_owned(), json!(Moment(arrives.ms(start))));
    }
    if let Some(id) = &step.id {
        record.insert("messageId".to_owned(), json!(id.value));
    }
    Value::Object(record).to_string().into_bytes()
}

/// Fills in what the short form says.
fn describe(step: &Step, record: &mut Object) {
    let mut set = |key: &str, value: Value| {
        record.entry(key).or_insert(value);
    };
    let mut properties = step.properties.clone().unwrap_or_default();
    let mut context = step.context.clone().unwrap_or_default();
    if let Some(name) = &step.track {
        set("type", json!("track"));
        set("event", json!(name.value));
    } else if let Some(page) = &step.page {
        set("type", json!("page"));
        let page = page_of(page);
        merge(&mut context, json!({ "page": page }));
        merge(&mut properties, page);
    } else if let Some(name) = &step.screen {
        set("type", json!("screen"));
        set("name", json!(name.value));
    } else if let Some(traits) = &step.identify {
        set("type", json!("identify"));
        set("traits", json!(traits));
    } else if let Some(traits) = &step.group {
        set("type", json!("group"));
        set("groupId", json!("company"));
        set("traits", json!(traits));
    } else {
        set("type", json!("track"));
    }
    if let Some(traits) = &step.traits {
        merge(&mut context, json!({ "traits": traits }));
    }
    for (key, value) in [("properties", properties), ("context", context)] {
        if !value.is_empty() {
            set(key, Value::Object(value));
        }
    }
}

/// What trackers say of a page: its path, and of an address also that.
fn page_of(page: &str) -> Value {
    let Some((_, rest)) = page.split_once("://") else { return json!({ "path": page }) };
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    let path = path.split(['?', '#']).next().unwrap_or(path);
    json!({ "path": path, "url": page })
}

/// Adds what is not there yet, also inside maps.
fn merge(into: &mut Object, from: Value) {
    let Value::Object(from) = from else { return };
    for (key, value) in from {
        match into.get_mut(&key) {
            Some(Value::Object(known)) => merge(known, value),
            Some(_) => {}
            None => {
                into.insert(key, value);
            }
        }
    }
}

/// A time as the test tells it: since its start, if it lies after that.
pub fn told(at: i64, start: i64) -> String {
    match at - start {
        0 => "0d".to_owned(),
        since @ 1.. => words::span(since),
        _ => words::moment(at),
    }
}

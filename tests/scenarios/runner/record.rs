//! The records as `replay` prints them, checked against their published schemas.

use jsonschema::Validator;
use qualifyd::schema::Of;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

/// One line of output.
#[derive(Deserialize)]
pub struct Record {
    pub topic: String,
    pub key: Option<String>,
    pub data: Data,
}

/// The fields of all kinds of records; a kind has some of them.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Data {
    pub at: String,
    pub stage: String,
    pub scores: Ordered<f64>,
    pub grades: Ordered<Option<String>>,
    pub profiles: Ordered<String>,
    pub reasons: Vec<Reason>,
    pub from: String,
    pub to: String,
    pub transition: String,
    pub owner: Option<String>,
    pub action: Option<String>,
    pub seconds_in_from: f64,
    pub entered_before: bool,
    pub attribution: Option<Ordered<Ordered<f64>>>,
    pub value: Option<f64>,
    pub reason: Option<Value>,
    pub alert: String,
    pub route: Option<String>,
    pub priority: Option<String>,
    pub sla: String,
    pub state: String,
    pub due_at: String,
    pub elapsed_seconds: f64,
    pub groups: Ordered<Ordered<f64>>,
    pub qualified: Ordered<Ordered<bool>>,
    pub missing: Vec<String>,
    pub line: u64,
    pub detail: String,
}

#[derive(Deserialize)]
pub struct Reason {
    pub score: String,
    pub signal: Option<String>,
    pub criterion: Option<u32>,
    pub label: Option<String>,
    pub points: f64,
    pub count: Option<u32>,
}

impl Record {
    /// The clock at which it was decided, ms; dead letters have none.
    pub fn at_ms(&self) -> Option<i64> {
        qualifyd::event::time::parse_text(&self.data.at)
    }

    /// Reads what was printed; every record must fit its schema.
    pub fn read_all(printed: &[u8], schemas: &Schemas) -> Result<Vec<Record>, String> {
        let text = std::str::from_utf8(printed).map_err(|error| error.to_string())?;
        text.lines()
            .map(|line| {
                let record: Record =
                    serde_json::from_str(line).map_err(|error| format!("{error} in {line}"))?;
                schemas.check(&record.topic, line)?;
                Ok(record)
            })
            .collect()
    }
}

/// An object in the order in which it was written.
pub struct Ordered<V>(pub Vec<(String, V)>);

impl<V> Default for Ordered<V> {
    fn default() -> Self {
        Ordered(Vec::new())
    }
}

impl<V> Ordered<V> {
    pub fn get(&self, name: &str) -> Option<&V> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Ordered<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for Entries<V> {
            type Value = Ordered<V>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}

/// The schemas of the topics.
pub struct Schemas(HashMap<&'static str, Validator>);

impl Schemas {
    pub fn generated() -> Schemas {
        let topics = [
            ("transitions", Of::Transition),
            ("alerts", Of::Alert),
            ("slas", Of::Sla),
            ("scores", Of::Score),
        ];
        Schemas(topics.map(|(topic, of)| (topic, validator(of))).into())
    }

    /// Dead letters as `replay` prints them have no schema: they never leave it.
    fn check(&self, topic: &str, line: &str) -> Result<(), String> {
        let Some(validator) = self.0.get(topic) else { return Ok(()) };
        let record: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        validator.validate(&record["data"]).map_err(|error| format!("{error} in {line}"))
    }
}

fn validator(of: Of) -> Validator {
    let schema = of.schema().to_value();
    jsonschema::validator_for(&schema).expect("what schemars generates is a JSON Schema")
}

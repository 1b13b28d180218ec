//! The public records (SPEC §8): the types that are written out and from which `schemas/` is generated.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A moment as RFC 3339 with milliseconds and `Z`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment(pub i64);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = crate::event::time::rfc3339(self.0);
        serializer.serialize_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
            "description": "UTC, RFC 3339 with milliseconds."
        })
    }
}

/// A number shown with two decimals, rounded half away from zero from the six that scores are kept with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shown(pub f64);

impl Shown {
    /// The number that is shown.
    pub fn number(self) -> f64 {
        let millionths = self.0 * 1e6;
        if millionths.abs() >= 4.5e15 {
            return self.0;
        }
        // `f64::round` and `f64::fract` are function calls on plain x86-64.
        let whole = millionths as i64;
        let up = (millionths - whole as f64).abs() >= 0.5;
        let hundredths = whole.abs() + i64::from(up) + 5_000;
        let shown = (hundredths / 10_000) as f64 / 100.0;
        if self.0 < 0.0 && shown != 0.0 { -shown } else { shown }
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_number(self.number(), serializer)
    }
}

impl JsonSchema for Shown {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Shown".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number" })
    }
}

/// Milliseconds, shown as seconds with up to three decimals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seconds(pub i64);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_number(self.0 as f64 / 1000.0, serializer)
    }
}

impl JsonSchema for Seconds {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Seconds".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number" })
    }
}

/// Whole numbers without a decimal point.
fn serialize_number<S: Serializer>(number: f64, serializer: S) -> Result<S::Ok, S::Error> {
    let whole = number as i64;
    if number.abs() < 9e15 && whole as f64 == number {
        serializer.serialize_i64(whole)
    } else {
        serializer.serialize_f64(number)
    }
}

/// An object whose keys are names of the model, in the model's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Named<'a, V>(pub Vec<(&'a str, V)>);

impl<V> Default for Named<'_, V> {
    fn default() -> Self {
        Named(Vec::new())
    }
}

impl<V: Serialize> Serialize for Named<'_, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<V: JsonSchema> JsonSchema for Named<'_, V> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Named_{}", V::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let values = generator.subschema_for::<V>();
        json_schema!({ "type": "object", "additionalProperties": values })
    }
}

/// Any JSON, as it is.
#[derive(Debug, Clone, Copy, serde::Serialize)]
#[serde(transparent)]
pub struct Raw<'a>(pub &'a RawValue);

impl JsonSchema for Raw<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Any".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({})
    }
}

/// The model that decided.
#[derive(Debug, Clone, Copy, serde::Serialize, JsonSchema)]
pub struct ModelRef<'a> {
    pub name: &'a str,
    pub version: u64,
}

/// What the record follows from.
#[derive(Debug, Clone, Copy, serde::Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CauseKind {
    /// An event of the lead.
    Event,
    /// Time alone.
    Time,
}

/// What the record follows from.
#[derive(Debug, Clone, serde::Serialize, JsonSchema)]
pub struct Cause<'a> {
    pub kind: CauseKind,
    /// The event's message id, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<&'a str>,
    /// All signals that the event matched, in the model's order; left out if none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub signals: Vec<&'a str>,
}

/// One part of a score, with what it is worth now.
#[derive(Debug, Clone, serde::Serialize, JsonSchema)]
pub struct Reason<'a> {
    pub score: &'a str,
    /// Group of the signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<&'a str>,
    /// Position of the criterion in its score, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub criterion: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<&'a str>,
    /// Points now, before any clamp of the group or the score.
    pub points: Shown,
    /// Counted occurrences that are not over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// The latest event time of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_at: Option<Moment>,
}

/// What all records say of the lead.
#[derive(Debug, Clone, serde::Serialize, JsonSchema)]
pub struct Common<'a> {
    /// The lead's id; also the record's key.
    pub lead: &'a str,
    /// Counts the lead's records from 1, over all topics.
    pub seq: u64,
    /// The lead's clock when this was decided.
    pub at: Moment,
    pub model: ModelRef<'a>,
    /// The lead's stage; in a transition its `to`.
    pub stage: &'a str,
    pub scores: Named<'a, Shown>,
    /// Of the scores that have grades; null: no grade.
    pub grades: Named<'a, Option<&'a str>>,
    /// For each `max` score the score that gave it its value; left out if the model has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profiles: Option<Named<'a, &'a str>>,
    pub cause: Cause<'a>,
    /// The traits of `emit.traits` that are known.
    pub traits: Named<'a, Raw<'a>>,
    /// Up to five parts of scores that weigh most now, the largest first.
    pub reasons: Vec<Reason<'a>>,
}

/// A lead has moved to another stage. Topic `transitions`, type `qualifyd.transition.v1`.
#[derive(Debug, Clone, serde::Serialize, JsonSchema)]
pub struct Transition<'a> {
    #[serde(flatten)]
    pub common: Common<'a>,
    pub from: &'a str,
    pub to: &'a str,
    /// The transition's name in the model.
    pub transition: &'a str,
    /// Who owns leads in `to`.
    pub owner: Option<&'a str>,
    /// What is to be done with leads in `to`.
    pub action: Option<&'a str>,
    pub seconds_in_from: Seconds,
    /// The lead has been in `to` before.
    pub entered_before: bool,
    /// On entry into a credited stage: for each attribution model the weight of each channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribution: Option<Named<'a, Named<'a, f64>>>,
    /// The value that the event brought, on the last transition that follows from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The reason that the event gave, if the transition asks for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Raw<'a>>,
}

/// An alert about a lead. Topic `alerts`, type `qualifyd.alert.v1`.
#[derive(Debug, Clone, serde::Serialize, JsonSchema)]
pub struct Alert<'a> {
    #[serde(flatten)]
    pub common: Common<'a>,
    /// The alert's name in the model.
    pub alert: &'a str,
    /// To whom it goes; null if no route holds.
    pub route: Option<&'a str>,
    pub priority: Option<&'a str>,
}

/// Where an SLA stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlaState {
    Due,
    PastDue,
    Met,
    Breached,
    Cancelled,
}

/// An SLA of a lead has become due or has ended. Topic `slas`, type `qualifyd.sla.v1`.
#[derive(Debug, Clone, serde::Serialize, JsonSchema)]
pub struct Sla<'a> {
    #[serde(flatten)]
    pub common: Common<'a>,
    /// The SLA's name in the model.
    pub sla: &'a str,
    pub state: SlaState,
    pub started_at: Moment,
    pub due_at: Moment,
    pub elapsed_seconds: Seconds,
}

/// The latest state of a lead. Topic `scores`, compacted, type `qualifyd.score.v1`.
#[derive(Debug, Clone, serde::Serialize, JsonSchema)]
pub struct Score<'a> {
    #[serde(flatten)]
    pub common: Common<'a>,
    /// For each score with groups the value of each group, clamped to its range.
    pub groups: Named<'a, Named<'a, Shown>>,
    /// For each qualification which of its criteria hold.
    pub qualified: Named<'a, Named<'a, bool>>,
    /// Fields without which a pending transition cannot fire; left out if none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub missing: Vec<String>,
    /// The latest activity; null if there was none.
    pub last_activity: Option<Moment>,
    pub entered_stage_at: Moment,
    pub first_seen: Moment,
}

/// Headers of a record in the dead-letter topic, beside the record's own. Its key, value and headers are byte for byte
/// those of the rejected record.
#[derive(Debug, Clone, serde::Serialize, JsonSchema)]
pub struct DeadLetterHeaders {
    /// Why it was rejected.
    #[serde(rename = "qualifyd-reason")]
    pub reason: crate::event::Reason,
    /// One line that says what to fix.
    #[serde(rename = "qualifyd-detail")]
    pub detail: String,
    /// The topic that it came from.
    #[serde(rename = "qualifyd-topic")]
    pub topic: String,
    #[serde(rename = "qualifyd-partition")]
    #[schemars(regex(pattern = r"^\d+$"))]
    pub partition: String,
    #[serde(rename = "qualifyd-offset")]
    #[schemars(regex(pattern = r"^\d+$"))]
    pub offset: String,
    /// The record's timestamp in milliseconds; -1: it had none.
    #[serde(rename = "qualifyd-timestamp")]
    #[schemars(regex(pattern = r"^-?\d+$"))]
    pub timestamp: String,
    /// What was left out as the record was too large for the dead-letter topic: `value`, `value, headers` or
    /// `value, headers, key`.
    #[serde(rename = "qualifyd-truncated", skip_serializing_if = "Option::is_none")]
    pub truncated: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_two_decimals_rounded_half_away_from_zero() {
        for (value, shown) in
            [(0.145, 0.15), (-0.145, -0.15), (52.104, 52.1), (-0.004, 0.0), (1e20, 1e20), (7.0, 7.0)]
        {
            assert_eq!(Shown(value).number(), shown, "{value}");
        }
        assert_eq!(
            serde_json::to_string(&(Shown(40.0), Shown(52.104), Seconds(1_500))).unwrap(),
            "[40,52.1,1.5]"
        );
    }
}

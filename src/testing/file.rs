//! A file of tests as its writers see it. The JSON Schema of test files comes from these types and their comments, so
//! the comments speak to those writers.

use crate::model::ast::{Named, Span, Spanned, Text, schema_of};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// An object of any content.
pub type Object = Map<String, Value>;

/// When every test begins, unless it says otherwise: Monday, 5 January 2026, 09:00 UTC.
pub const START_MS: i64 = 1_767_603_600_000;
/// The lead's id, unless a test says otherwise.
pub const LEAD: &str = "lead";
/// By how much a score may differ, unless a test says otherwise: records show two decimals.
pub const TOLERANCE: f64 = 0.01;

/// The JSON Schema (2020-12) of a file of tests.
pub fn json_schema() -> Schema {
    schema_of::<File>("qualifyd tests")
}

/// Tests of a scoring model, written by its owners.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(rename = "Tests", deny_unknown_fields)]
pub struct File {
    /// The model's file, relative to this one.
    pub model: Text,
    /// When every test begins, such as `2026-03-02 09:00:00`; by default Monday, 5 January 2026, 09:00 UTC.
    #[schemars(with = "Option<String>")]
    pub start: Option<Spanned<i64>>,
    /// By how much a score may differ from what is expected (0.01).
    #[schemars(range(min = 0))]
    pub tolerance: Option<Spanned<f64>>,
    /// The tests; each is about one lead, who is new.
    pub tests: Vec<Test>,
}

/// One lead's story, and what is expected of it.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(rename = "Test", deny_unknown_fields)]
pub struct Test {
    /// What the test shows, as a sentence.
    pub name: Text,
    /// When the test begins, such as `2026-03-02 09:00:00`.
    #[schemars(with = "Option<String>")]
    pub start: Option<Spanned<i64>>,
    /// The lead's anonymous id; the lead is known once an event brings an e-mail address.
    pub lead: Option<Text>,
    /// The lead's user id, instead of `lead`: the lead is known from the first event on.
    pub user: Option<Text>,
    /// What happens, and what is expected when. All of it is put in the order of time.
    pub steps: Vec<Step>,
}

/// An event (one of `track`, `page`, `screen`, `identify`, `group`, `event`), or what is expected at that time.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(rename = "Step", deny_unknown_fields)]
pub struct Step {
    /// When: the time since the start (`2d`, `1d 4h 30m`) or a moment (`2026-03-02 09:00:00`). By default the time of
    /// the step above it. With `expect`, time goes on until then.
    #[schemars(with = "Option<String>")]
    pub at: Option<Spanned<When>>,
    /// The name of a track event.
    pub track: Option<Text>,
    /// The path (`/pricing`) or address of a page that was viewed.
    pub page: Option<Text>,
    /// The name of a screen that was viewed.
    pub screen: Option<Text>,
    /// Who the lead is: traits of the person.
    pub identify: Option<Object>,
    /// Where the lead works: traits of the company, which stand under `company.` in the model.
    pub group: Option<Object>,
    /// An event as it comes in, as a whole; what it leaves out (type, id, time) is filled in.
    pub event: Option<Object>,
    /// The event's properties.
    pub properties: Option<Object>,
    /// The event's context, such as `{ campaign: { medium: cpc } }`.
    pub context: Option<Object>,
    /// Traits of the person that come with a track, page or screen.
    pub traits: Option<Object>,
    /// The event's message id: a second event with the same one is a duplicate.
    pub id: Option<Text>,
    /// When the event arrives, if that is not when it happened. As `at`.
    #[schemars(with = "Option<String>")]
    pub arrives: Option<Spanned<When>>,
    /// How many times the event happens (1 to 1000; by default once).
    #[schemars(with = "Option<u32>", range(min = 1, max = 1000))]
    pub times: Option<Spanned<u32>>,
    /// With `times`: the time from one to the next, such as `1d`.
    #[schemars(with = "Option<String>")]
    pub every: Option<i64>,
    /// What must become of the event. Unless it says so, a rejected one fails the test.
    pub outcome: Option<Outcome>,
    /// What is expected at this time.
    pub expect: Option<Expect>,
    #[schemars(skip)]
    pub span: Span,
}

/// A time since the start of the test, or a moment; ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Since(i64),
    Moment(i64),
}

impl When {
    /// Milliseconds since the epoch.
    pub fn ms(self, start: i64) -> i64 {
        match self {
            When::Since(ms) => start + ms,
            When::Moment(ms) => ms,
        }
    }
}

/// What becomes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It matched a signal, was a touch of a channel, changed a trait that the model knows, or identified the lead.
    Applied,
    /// It is a good event, but the model does not care.
    Ignored,
    /// An event with this message id was there before.
    Duplicate,
    /// It is spend for a channel.
    Spend,
    /// It cannot be understood.
    Rejected,
}

impl Outcome {
    pub const ALL: [Outcome; 5] =
        [Outcome::Applied, Outcome::Ignored, Outcome::Duplicate, Outcome::Spend, Outcome::Rejected];

    pub fn name(self) -> &'static str {
        match self {
            Outcome::Applied => "applied",
            Outcome::Ignored => "ignored",
            Outcome::Duplicate => "duplicate",
            Outcome::Spend => "spend",
            Outcome::Rejected => "rejected",
        }
    }
}

/// What is expected of the lead at a time. What happened is looked at since the last `expect` before it.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(rename = "Expect", deny_unknown_fields)]
pub struct Expect {
    /// The lead's stage.
    pub stage: Option<Text>,
    /// Scores: a number, or bounds such as `{ gte: 50 }`.
    #[schemars(default)]
    pub scores: Named<Bounds>,
    /// Values of groups, by score: `{ engagement: { web: 30 } }`.
    #[schemars(default)]
    pub groups: Named<Named<Bounds>>,
    /// Grades: one, several of which one, or null for none.
    #[schemars(with = "Named<GradesSchema>", default)]
    pub grades: Named<Vec<Option<Text>>>,
    /// For each qualification the criteria that hold, how many do, `all` or `none`.
    #[schemars(default)]
    pub qualified: Named<Qualified>,
    /// The fields that keep a transition from firing, such as `traits.email`: exactly these.
    pub missing: Option<Vec<Text>>,
    /// Reasons that are among the five that weigh most.
    #[schemars(default)]
    pub reasons: Vec<Reason>,
    /// SLAs that are running: exactly these.
    pub running: Option<Vec<Text>>,
    /// The transitions that fired: exactly these, in this order.
    pub transitions: Option<Vec<Transition>>,
    /// The alerts that fired: exactly these, in this order.
    pub alerts: Option<Vec<Alert>>,
    /// What became of SLAs, such as `acceptance met`: exactly this, in this order.
    pub slas: Option<Vec<Sla>>,
    /// True: besides the transitions, alerts and SLAs that are named here there were none.
    pub nothing_else: Option<bool>,
}

/// A number, or bounds that it must keep.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bounds {
    pub equals: Option<f64>,
    pub within: Option<f64>,
    pub gt: Option<f64>,
    pub gte: Option<f64>,
    pub lt: Option<f64>,
    pub lte: Option<f64>,
}

impl JsonSchema for Bounds {
    fn schema_name() -> Cow<'static, str> {
        "Bounds".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let number = |what: &str| json_schema!({ "type": "number", "description": what });
        json_schema!({
            "description": "A number, or bounds that it must keep.",
            "anyOf": [{ "type": "number" }, {
                "type": "object",
                "properties": {
                    "equals": number("It is this number, give or take `within`."),
                    "within": { "type": "number", "minimum": 0, "description": "By how much it may differ from `equals`." },
                    "gt": number("It is greater than this."),
                    "gte": number("It is greater than this, or equal to it."),
                    "lt": number("It is less than this."),
                    "lte": number("It is less than this, or equal to it."),
                },
                "additionalProperties": false,
                "minProperties": 1,
            }],
        })
    }
}

/// How `grades` writes one entry.
struct GradesSchema;

impl JsonSchema for GradesSchema {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Grades".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A grade, several of which it is one, or null for none.",
            "type": ["string", "array", "null"],
            "items": { "type": ["string", "null"] },
        })
    }
}

/// What is expected of a qualification.
#[derive(Debug, Clone)]
pub enum Qualified {
    All,
    Count(u32),
    /// Exactly these criteria hold.
    Criteria(Vec<Text>),
}

impl Default for Qualified {
    fn default() -> Self {
        Qualified::Count(0)
    }
}

impl JsonSchema for Qualified {
    fn schema_name() -> Cow<'static, str> {
        "Qualified".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The criteria that hold, how many do, `all` or `none`.",
            "anyOf": [
                { "enum": ["all", "none"] },
                { "type": "integer", "minimum": 0 },
                { "type": "array", "items": { "type": "string" } },
            ],
        })
    }
}

/// One of the reasons; of what is left out anything goes.
#[derive(Debug, Clone, Default)]
pub struct Reason {
    /// A signal's or a criterion's label, a signal's name, or `inactivity`.
    pub of: Text,
    pub score: Option<Text>,
    pub group: Option<Text>,
    pub points: Option<Bounds>,
    pub count: Option<Spanned<u64>>,
}

/// A transition that fired; of what is left out anything goes.
#[derive(Debug, Clone, Default)]
pub struct Transition {
    pub name: Text,
    pub from: Option<Text>,
    pub to: Option<Text>,
    pub at: Option<Spanned<When>>,
    pub reason: Option<Value>,
    pub value: Option<f64>,
}

/// An alert that fired; of what is left out anything goes.
#[derive(Debug, Clone, Default)]
pub struct Alert {
    pub name: Text,
    /// `Some(None)`: to nobody.
    pub route: Option<Option<Text>>,
    pub at: Option<Spanned<When>>,
}

/// What became of an SLA; of what is left out anything goes.
#[derive(Debug, Clone, Default)]
pub struct Sla {
    pub name: Text,
    pub state: Text,
    pub at: Option<Spanned<When>>,
}

/// What is written as a name alone or as a map.
fn name_or(text: &str, properties: Value, required: &[&str]) -> Schema {
    json_schema!({
        "anyOf": [{ "type": "string", "description": text }, {
            "type": "object", "properties": properties, "required": required, "additionalProperties": false,
        }],
    })
}

macro_rules! name_or_map {
    ($type:ty, $name:literal, $text:literal, [$($required:literal),*], $properties:tt) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let _ = generator.subschema_for::<Bounds>();
                name_or($text, serde_json::json!($properties), &[$($required),*])
            }
        }
    };
}

name_or_map!(Reason, "Reason", "A signal's or criterion's label, or a signal's name.", ["of"], {
    "of": { "type": "string", "description": "A signal's or criterion's label, a signal's name, or `inactivity`." },
    "score": { "type": "string", "description": "The score to which it counts." },
    "group": { "type": "string", "description": "The group in that score." },
    "points": { "$ref": "#/$defs/Bounds" },
    "count": { "type": "integer", "description": "How often it counted." },
});
name_or_map!(Transition, "Transition", "The transition's name.", ["name"], {
    "name": { "type": "string", "description": "The transition's name." },
    "from": { "type": "string", "description": "The stage that the lead left." },
    "to": { "type": "string", "description": "The stage that the lead entered." },
    "at": { "type": "string", "description": "When it fired, to the second." },
    "reason": { "description": "The reason that the event gave." },
    "value": { "type": "number", "description": "The value that the event brought." },
});
name_or_map!(Alert, "Alert", "The alert's name.", ["name"], {
    "name": { "type": "string", "description": "The alert's name." },
    "route": { "description": "To whom it went; null: to nobody.", "anyOf": [{ "type": "string" }, { "const": null }] },
    "at": { "type": "string", "description": "When it fired, to the second." },
});
name_or_map!(Sla, "Sla", "The SLA's name and its state, such as `acceptance met`.", ["name", "state"], {
    "name": { "type": "string", "description": "The SLA's name." },
    "state": { "enum": ["due", "past_due", "met", "breached", "cancelled"] },
    "at": { "type": "string", "description": "When, to the second." },
});

//! The JSON Schema of the model. Structs derive theirs; what YAML writes in several ways is described here.

use super::*;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::Value;
use std::borrow::Cow;

/// The JSON Schema (2020-12) of a model, for editors and for tools that write models.
pub fn json_schema() -> Schema {
    schema_of::<Model>("qualifyd model")
}

/// The JSON Schema (2020-12) of something that people write in YAML.
pub(crate) fn schema_of<T: JsonSchema>(title: &str) -> Schema {
    let settings = SchemaSettings::draft2020_12().with_transform(WithoutNull);
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    schema
}

/// An optional entry of a model is left out, never `null`.
#[derive(Debug, Clone)]
struct WithoutNull;

impl Transform for WithoutNull {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            properties.values_mut().for_each(drop_null);
        }
        transform_subschemas(self, schema);
    }
}

fn drop_null(property: &mut Value) {
    let Some(property) = property.as_object_mut() else { return };
    if property.get("default").is_some_and(Value::is_null) {
        property.remove("default");
    }
    if let Some(Value::Array(types)) = property.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            property.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = property.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            property.remove("anyOf");
            property.extend(only);
        }
    }
}

/// Describes a type by a schema written out: `described!(Type, "Name", |generator| json_schema!({ … }))`.
macro_rules! described {
    ($type:ty, $name:literal, $schema:expr) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let describe: fn(&mut SchemaGenerator) -> Schema = $schema;
                describe(generator)
            }
        }
    };
}

impl<T: JsonSchema> JsonSchema for Spanned<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Named_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        json_schema!({ "type": "object", "additionalProperties": value, "minProperties": 1 })
    }
}

impl<T: JsonSchema> JsonSchema for Items<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Items_{}", T::schema_name()).into()
    }

    /// One item alone is written without brackets where `prefix`, `suffix` and `contains` take it.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let item = generator.subschema_for::<T>();
        json_schema!({
            "description": "A list, or $name of a named list",
            "anyOf": [{ "type": "array", "items": item, "minItems": 1 }, { "type": "string" }],
        })
    }
}

described!(List, "List", |_| json_schema!({
    "description": "A list of texts, or the file that holds one a line",
    "anyOf": [
        { "type": "array", "items": { "type": "string", "minLength": 1 }, "minItems": 1 },
        {
            "type": "object",
            "properties": { "file": { "type": "string", "description": "A file beside the model" } },
            "required": ["file"],
            "additionalProperties": false,
        },
    ],
}));

described!(Number, "Number", |_| json_schema!({
    "description": "A number, or $name of a threshold",
    "anyOf": [{ "type": "number" }, { "type": "string", "pattern": "^\\$." }],
}));

described!(Duration, "Duration", |_| json_schema!({
    "description": "A duration: 500ms 90s 5m 24h 30d 2w",
    "type": "string",
    "pattern": "^[0-9]+(ms|s|m|h|d|w)$",
}));

described!(Scalar, "Scalar", |_| json_schema!({
    "description": "A text, a number, true or false",
    "type": ["string", "number", "boolean"],
}));

described!(Field, "Field", |_| json_schema!({
    "description": "A field of the event: kind, event (its name), lead, properties.…, context.…, traits.…",
    "type": "string",
    "pattern": "^(kind|event|lead|(properties|context|traits)(\\.[^.]+)+)$",
}));

described!(TraitPath, "TraitPath", |_| json_schema!({ "type": "string", "pattern": "^[^.]+(\\.[^.]+)*$" }));

described!(Range, "Range", |generator| {
    let number = generator.subschema_for::<Number>();
    let bound = serde_json::json!({ "anyOf": [number, { "type": "null" }] });
    json_schema!({
        "description": "[lowest, highest]; null: unbounded",
        "type": "array",
        "items": bound,
        "minItems": 2,
        "maxItems": 2,
    })
});

described!(SeenWithin, "SeenWithin", |generator| {
    let duration = generator.subschema_for::<Duration>();
    json_schema!({ "anyOf": [duration, { "const": "stage" }] })
});

described!(Distinct, "Distinct", |generator| {
    let field = generator.subschema_for::<Field>();
    json_schema!({ "anyOf": [field, { "const": "day" }] })
});

described!(Test, "Test", |generator| {
    let (scalar, operators) = (generator.subschema_for::<Scalar>(), generator.subschema_for::<Operators>());
    json_schema!({
        "description": "A value (equals), a list or $list (one of these), or operators",
        "anyOf": [scalar, { "type": "array", "items": scalar, "minItems": 1 }, operators],
    })
});

described!(Matcher, "Matcher", |generator| {
    let (test, matcher) = (generator.subschema_for::<Test>(), generator.subschema_for::<Matcher>());
    let several = serde_json::json!({ "type": "array", "items": matcher, "minItems": 1 });
    json_schema!({
        "description": "Which events are meant: all entries must hold",
        "type": "object",
        "minProperties": 1,
        "properties": {
            "all": about(&several, "All of these hold"),
            "any": about(&several, "At least one of these holds"),
            "not": about(&matcher, "This does not hold"),
            "kind": about(&test, "track, page, screen, identify, group or alias"),
            "event": about(&test, "The name of the event, or of the page or screen"),
            "lead": about(&test, "The lead's id"),
        },
        "patternProperties": {
            "^(properties|context|traits)(\\.[^.]+)+$": about(&test, "A field of the event, by its path"),
        },
        "additionalProperties": false,
    })
});

described!(Condition, "Condition", |generator| {
    let (test, condition) = (generator.subschema_for::<Test>(), generator.subschema_for::<Condition>());
    let (signal, seen) = (generator.subschema_for::<String>(), generator.subschema_for::<Seen>());
    let names = generator.subschema_for::<Names>();
    let several = serde_json::json!({ "type": "array", "items": condition, "minItems": 1 });
    let count = serde_json::json!({
        "description": "So many, or more",
        "type": "integer",
        "minimum": 1,
        "maximum": 1000,
    });
    let grade = serde_json::json!({ "description": "This grade, or a better one", "type": "string" });
    json_schema!({
        "description": "What must be true of the lead: all entries must hold",
        "type": "object",
        "minProperties": 1,
        "properties": {
            "all": about(&several, "All of these hold"),
            "any": about(&several, "At least one of these holds"),
            "not": about(&condition, "This does not hold"),
            "stage": {
                "description": "The lead's stage: a name, a list, or `{ not: name }`",
                "anyOf": [names, { "$ref": "#/$defs/Operators" }],
            },
            "identified": {
                "description": "Whether an event carried the lead's user id or e-mail address",
                "type": "boolean",
            },
            "seen": {
                "description": "What the lead did: a signal, or how often, how recently, how many different",
                "anyOf": [signal, seen],
            },
        },
        "patternProperties": {
            "^score\\..": about(&test, "The value of a score: `score.engagement: { gte: 50 }`"),
            "^grade\\..": {
                "description": "The grade of a score: one, a list, or `{ at_least: B }`",
                "anyOf": [names, object("at_least", &grade)],
            },
            "^traits(\\.[^.]+)+$": about(&test, "What is known of the lead, by its path"),
            "^qualified\\..": {
                "description": "How many criteria of a qualification hold: `all`, or `{ at_least: 3 }`",
                "anyOf": [{ "const": "all" }, object("at_least", &count)],
            },
        },
        "additionalProperties": false,
    })
});

described!(Decay, "Decay", |generator| {
    let duration = generator.subschema_for::<Duration>().to_value();
    json_schema!({
        "description": "How points fade as time goes by",
        "anyOf": [
            { "const": "none" },
            object("half_life", &about(&duration, "After each such time half is left")),
            object("lifespan", &about(&duration, "Evenly down to 0 in this time")),
            object("window", &about(&duration, "In full for this time, then nothing")),
        ],
    })
});

described!(Points, "Points", |generator| {
    let (number, rule) = (generator.subschema_for::<Number>(), generator.subschema_for::<PointsRule>());
    json_schema!({ "description": "Points of a signal: a number, or a rule", "anyOf": [number, rule] })
});

described!(CriterionEntry, "CriterionEntry", |generator| {
    let criterion = generator.subschema_for::<Criterion>();
    let several = serde_json::json!({
        "type": "array",
        "items": criterion,
        "minItems": 1,
        "description": "Only the first of these that holds counts",
    });
    json_schema!({ "anyOf": [criterion, object("first", &several)] })
});

described!(AttributionModel, "AttributionModel", |generator| {
    let duration = generator.subschema_for::<Duration>().to_value();
    let share = |whose: &str| serde_json::json!({ "description": whose, "type": "number", "minimum": 0, "maximum": 1 });
    let half_life = about(&duration, "The credit halves with each such age of a touch");
    let position = serde_json::json!({
        "type": "object",
        "description": "Fixed shares for the first and the last touch; those between share the rest",
        "properties": { "first": share("The share of the first touch"), "last": share("The share of the last touch") },
        "required": ["first", "last"],
        "additionalProperties": false,
    });
    json_schema!({
        "description": "A way to share the credit among touches",
        "anyOf": [
            { "enum": ["first", "last", "linear"] },
            object("time_decay", &about(&object("half_life", &half_life), "Later touches get more")),
            object("position", &position),
        ],
    })
});

described!(Names, "Names", |_| json_schema!({
    "description": "A name, or a list of names",
    "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" }, "minItems": 1 }],
}));

/// A schema with the text that editors show over an entry.
fn about(schema: &(impl serde::Serialize + ?Sized), text: &str) -> Value {
    let mut schema = serde_json::json!(schema);
    if let Value::Object(entries) = &mut schema {
        entries.insert("description".to_owned(), text.into());
    }
    schema
}

/// A map with one entry.
fn object(key: &str, value: &Value) -> Value {
    serde_json::json!({
        "type": "object",
        "properties": { key: value },
        "required": [key],
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::diagnostic::Diagnostics;
    use super::super::super::yaml::{Node, NodeKind, Plain, parse};
    use super::*;

    fn to_json(node: &Node) -> Value {
        match &node.kind {
            NodeKind::Scalar(_, Plain::Null) => Value::Null,
            NodeKind::Scalar(_, Plain::Bool(value)) => (*value).into(),
            NodeKind::Scalar(text, Plain::Number(number)) => {
                text.parse::<i64>().map_or((*number).into(), Value::from)
            }
            NodeKind::Scalar(text, Plain::Text) => text.clone().into(),
            NodeKind::List(items) => items.iter().map(to_json).collect(),
            NodeKind::Map(entries) => {
                entries.iter().map(|(key, node)| (key.value.clone(), to_json(node))).collect()
            }
        }
    }

    fn errors(yaml: &str) -> Vec<String> {
        let model = to_json(&parse(yaml.as_bytes(), "", &mut Diagnostics::new("m")).unwrap());
        let validator = jsonschema::validator_for(json_schema().as_value()).unwrap();
        validator.iter_errors(&model).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    #[test]
    fn accepts_the_example() {
        let example = include_str!("../../../tests/models/contract-example.yaml");
        assert_eq!(errors(example), Vec::<String>::new());
    }

    #[test]
    fn refuses_what_the_reader_refuses() {
        let right = "model: m\nversion: 1\nstages: [ { name: a } ]\n";
        assert_eq!(errors(right), Vec::<String>::new());
        for wrong in [
            "signal: { a: { match: { kind: page } } }",
            "signals: { a: { mach: { kind: page } } }",
            "signals: { a: { match: {} } }",
            "signals: { a: { match: { kind: { equal: page } } } }",
            "signals: { a: { match: { kind: page }, label: null } }",
            "scores: { s: { groups: { g: { decay: { half_life: 30 }, points: { a: 1 } } } } }",
            "scores: { s: { range: [0], sum: { a: 1 } } }",
            "transitions: [ { name: t, from: a } ]",
            "alerts: { a: { when: { properties.a: 1 } } }",
            "attribution: { models: [frist] }",
        ] {
            assert_ne!(errors(&format!("{right}{wrong}")), Vec::<String>::new(), "{wrong}");
        }
    }

    /// Editors show these texts: every entry that can be written has one, of its own or of its type.
    #[test]
    fn every_entry_is_described() {
        fn undescribed(schema: &Value, types: &Value, path: &str, found: &mut Vec<String>) {
            let Some(entries) = schema.as_object() else {
                let items = schema.as_array().into_iter().flatten();
                return items.for_each(|item| undescribed(item, types, path, found));
            };
            for (key, part) in entries {
                if key == "properties" || key == "patternProperties" {
                    for (name, entry) in part.as_object().unwrap() {
                        let of_type =
                            entry["$ref"].as_str().and_then(|name| types.get(name.rsplit('/').next()?));
                        if entry.get("description").or(of_type.and_then(|of| of.get("description"))).is_none()
                        {
                            found.push(format!("{path}/{name}"));
                        }
                        undescribed(entry, types, &format!("{path}/{name}"), found);
                    }
                } else {
                    undescribed(part, types, &format!("{path}/{key}"), found);
                }
            }
        }
        let schema = json_schema().to_value();
        let mut found = Vec::new();
        undescribed(&schema, &schema["$defs"], "", &mut found);
        assert_eq!(found, Vec::<String>::new());
    }
}

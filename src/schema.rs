//! `qualifyd schema`: JSON Schemas of the model and of the records, generated from their types. `schemas/` holds them.

use crate::records::{Alert, DeadLetterHeaders, Score, Sla, Transition};
use schemars::{Schema, generate::SchemaSettings};

/// What has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Of {
    Model,
    Test,
    Transition,
    Alert,
    Sla,
    Score,
    DeadLetterHeaders,
}

impl Of {
    pub const ALL: [Of; 7] =
        [Of::Model, Of::Test, Of::Transition, Of::Alert, Of::Sla, Of::Score, Of::DeadLetterHeaders];

    /// Its file in `schemas/`.
    pub fn file_name(self) -> &'static str {
        match self {
            Of::Model => "model.schema.json",
            Of::Test => "test.schema.json",
            Of::Transition => "transition.schema.json",
            Of::Alert => "alert.schema.json",
            Of::Sla => "sla.schema.json",
            Of::Score => "score.schema.json",
            Of::DeadLetterHeaders => "dead-letter-headers.schema.json",
        }
    }

    pub fn schema(self) -> Schema {
        // Schemas say what is written: a field that is left out when empty is not required.
        let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
        match self {
            Of::Model => crate::model::json_schema(),
            Of::Test => crate::testing::json_schema(),
            Of::Transition => generator.into_root_schema_for::<Transition<'static>>(),
            Of::Alert => generator.into_root_schema_for::<Alert<'static>>(),
            Of::Sla => generator.into_root_schema_for::<Sla<'static>>(),
            Of::Score => generator.into_root_schema_for::<Score<'static>>(),
            Of::DeadLetterHeaders => generator.into_root_schema_for::<DeadLetterHeaders>(),
        }
    }
}

/// The schema as it stands in its file.
pub fn text(of: Of) -> String {
    let mut text = serde_json::to_string_pretty(&of.schema()).expect("a schema is plain JSON");
    text.push('\n');
    text
}

//! The model as its writers see it: one type per part of the YAML, with names and places as they stand in the file.
//! The JSON Schema of the model comes from these types and their comments, so the comments speak to its writers.

mod condition;
mod funnel;
mod schema;
mod scores;
mod values;

pub use condition::*;
pub use funnel::*;
pub use schema::json_schema;
pub(crate) use schema::schema_of;
pub use scores::*;
pub use values::*;

pub use super::diagnostic::{Span, Spanned, Text};
use schemars::JsonSchema;

/// A lead-qualification model: what counts as engagement, how it scores, which stages a lead goes through, and who
/// is told when.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(rename = "Model", deny_unknown_fields)]
pub struct Model {
    /// The model's name; every record carries it.
    pub model: Text,
    /// The model's version, a whole number; every record carries it. Raise it with each change.
    pub version: Spanned<u64>,
    /// Named numbers: `$name` stands for one wherever points, a range, a bar, a weight or a limit is expected.
    #[schemars(default)]
    pub thresholds: Named<Spanned<f64>>,
    /// Named lists of texts: `$name` stands for one wherever a test takes a list.
    #[schemars(default)]
    pub lists: Named<List>,
    /// What counts as engagement: names for events by their content.
    #[schemars(default)]
    pub signals: Named<Signal>,
    /// The scores that every lead has.
    #[schemars(default)]
    pub scores: Named<Score>,
    /// Checklists such as BANT: each a map of criteria.
    #[schemars(default)]
    pub qualifications: Named<Named<Condition>>,
    /// The funnel in its order; the first stage is the one where every lead begins.
    pub stages: Vec<Stage>,
    /// How leads move between stages; tried in this order, the first that fits fires.
    #[schemars(default)]
    pub transitions: Vec<Transition>,
    /// Whom to tell at once about what.
    #[schemars(default)]
    pub alerts: Named<Alert>,
    /// Promises of time: how soon something must follow.
    #[schemars(default)]
    pub slas: Named<Sla>,
    /// Which channels get the credit when a lead enters a stage.
    pub attribution: Option<Attribution>,
    /// What else records carry.
    pub emit: Option<Emit>,
    /// Events that report what was spent on a channel.
    pub spend: Option<Spend>,
}

/// A named list of texts.
#[derive(Debug, Clone)]
pub enum List {
    Items(Vec<Text>),
    /// A file beside the model, one text a line.
    File(Text),
}

/// A name for events by their content.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(rename = "Signal", deny_unknown_fields)]
pub struct Signal {
    /// Which events are meant: all entries must hold.
    #[schemars(rename = "match")]
    pub matcher: Matcher,
    /// How records and people call it; by default the signal's name.
    pub label: Option<Text>,
    /// Whether it counts as activity of the lead. False for what others do, such as a call that was logged.
    #[schemars(default = "yes")]
    pub activity: Option<bool>,
}

fn yes() -> Option<bool> {
    Some(true)
}

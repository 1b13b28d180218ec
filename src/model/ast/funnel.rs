//! Stages and transitions, alerts, SLAs, attribution, and what records carry.

use super::{Condition, Duration, Field, Matcher, Named, Spanned, Text, TraitPath};
use schemars::JsonSchema;

/// A step of the funnel.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(rename = "Stage", deny_unknown_fields)]
pub struct Stage {
    /// The stage's name.
    pub name: Text,
    /// Who is responsible for leads in it, such as `marketing` or `sales`.
    pub owner: Option<Text>,
    /// What is to be done with them, such as `nurture`.
    pub action: Option<Text>,
    /// Beside the funnel, not a step of it: recycled, disqualified.
    #[schemars(default)]
    pub side: bool,
    /// Traits that must be known before a lead can enter: `traits.email`.
    #[schemars(default, with = "Names")]
    pub requires: Vec<Spanned<TraitPath>>,
    /// Names that the stage had before, so that leads in it are found again.
    #[schemars(default, with = "Names")]
    pub renamed_from: Vec<Text>,
}

/// A name, or a list of names (for the schema only).
pub(super) struct Names;

/// How a lead moves from one stage to another. All parts that are given must hold.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(rename = "Transition", deny_unknown_fields)]
pub struct Transition {
    /// The transition's name.
    pub name: Text,
    /// The stages in which it applies: a name, a list, or `any` for all but the target.
    #[schemars(with = "Names")]
    pub from: Vec<Text>,
    /// The stage that the lead enters.
    pub to: Text,
    /// The signal of the event in hand, or `activity`.
    pub on: Option<Text>,
    /// What must be true of the lead.
    pub when: Option<Condition>,
    /// How long the lead has been in its stage.
    pub after: Option<Duration>,
    /// How long the lead has done nothing.
    pub inactive_for: Option<Duration>,
    /// Scores that begin anew.
    #[schemars(default, with = "Names")]
    pub reset: Vec<Text>,
    /// The field of the event that tells the reason.
    pub reason: Option<Spanned<Field>>,
}

/// Tells somebody at once.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(rename = "Alert", deny_unknown_fields)]
pub struct Alert {
    /// The signal of the event in hand, or `activity`.
    pub on: Option<Text>,
    /// What must be true of the lead.
    pub when: Option<Condition>,
    /// What must be true before it can fire again; by default that `when` is not.
    pub rearm: Option<Condition>,
    /// The shortest time between two; by default 0s.
    pub cooldown: Option<Duration>,
    /// Whom it is for: a name, or a list of which the first that fits is taken.
    pub route: Option<Route>,
    /// How urgent it is.
    pub priority: Option<Text>,
}

/// Whom an alert is for.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub enum Route {
    To(Text),
    FirstOf(Vec<RouteEntry>),
}

/// One possible receiver.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(rename = "RouteEntry", deny_unknown_fields)]
pub struct RouteEntry {
    /// What must be true of the lead; by default nothing.
    pub when: Option<Condition>,
    /// The receiver.
    pub to: Text,
}

/// A promise of time: what starts must be stopped in time.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(rename = "Sla", deny_unknown_fields)]
pub struct Sla {
    /// What starts the clock: `on` or `enter`.
    pub start: Edge,
    /// What fulfils the promise.
    pub stop: Edge,
    /// What makes it void.
    pub cancel: Option<Edge>,
    /// The time allowed.
    pub due: Duration,
    /// When it is told once more, later than `due`.
    pub past_due: Option<Duration>,
}

/// A moment: exactly one of `on`, `enter`, `leave`.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(rename = "Moment", deny_unknown_fields)]
pub struct Edge {
    /// An event of this signal, or `activity`.
    pub on: Option<Text>,
    /// The lead enters this stage.
    pub enter: Option<Text>,
    /// The lead leaves this stage.
    pub leave: Option<Text>,
}

/// Which channels get the credit.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(rename = "Attribution", deny_unknown_fields)]
pub struct Attribution {
    /// Channels by the events that come through them; the first that matches counts.
    #[schemars(default)]
    pub channels: Named<Matcher>,
    /// How many touches are kept per lead (1 to 1000); by default 20.
    #[schemars(with = "Option<u32>", range(min = 1, max = 1000))]
    pub touches: Option<Spanned<u32>>,
    /// Touches of one channel in one stretch of this length are one; by default 30m.
    pub gap: Option<Duration>,
    /// Older touches get no credit; by default none are too old.
    pub window: Option<Duration>,
    /// How the credit is shared.
    #[schemars(default)]
    pub models: Vec<Spanned<AttributionModel>>,
    /// The stages whose entry is credited.
    #[schemars(default, with = "Names")]
    pub credit: Vec<Text>,
    /// Signals and the field that holds their value.
    #[schemars(default)]
    pub value: Named<Spanned<Field>>,
}

/// A way to share the credit among touches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AttributionModel {
    First,
    Last,
    Linear,
    TimeDecay { half_life: Duration },
    Position { first: f64, last: f64 },
}

/// What else records carry.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(rename = "Emit", deny_unknown_fields)]
pub struct Emit {
    /// Traits that every record carries, written without `traits.`: `company.name`.
    #[schemars(default, with = "Names")]
    pub traits: Vec<Spanned<TraitPath>>,
    /// Send the state of a lead when it changed.
    pub scores: Option<EmitScores>,
}

/// When the state of a lead is sent.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(rename = "EmitScores", deny_unknown_fields)]
pub struct EmitScores {
    /// By how much a score must have moved; by default 1.
    pub on_change_of: Option<f64>,
    /// The shortest time between two; by default 0s.
    pub every: Option<Duration>,
}

/// Events that report what was spent on a channel.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(rename = "Spend", deny_unknown_fields)]
pub struct Spend {
    /// Which events are meant.
    #[schemars(rename = "match")]
    pub matcher: Matcher,
    /// The field with the channel's name.
    pub channel: Spanned<Field>,
    /// The field with the amount.
    pub amount: Spanned<Field>,
}

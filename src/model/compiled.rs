//! The model as the engine runs it: every name resolved to a dense index, every duration in milliseconds, every
//! threshold and list filled in. The YAML reader produces it, `core` reads it, and nothing changes it afterwards.

use super::matcher::{Matcher, NumberTest, Test, in_lowercase};
use crate::event::scan::Scan;

/// Index into [`Model::event_paths`].
pub type PathId = u16;
/// Index into [`Model::traits`].
pub type TraitId = u16;
/// Index into [`Model::facts`].
pub type FactId = u16;
/// Index into [`Model::signals`].
pub type SignalId = u16;
/// Index into [`Model::scores`].
pub type ScoreId = u16;
/// Index into [`Model::contributions`].
pub type ContributionId = u16;
/// Index into [`Model::seen`].
pub type SeenId = u16;
/// Index into [`Model::stages`].
pub type StageId = u16;
/// Index into [`Model::transitions`].
pub type TransitionId = u16;
/// Index into [`Model::alerts`].
pub type AlertId = u16;
/// Index into [`Model::slas`].
pub type SlaId = u16;
/// Index into [`Attribution::channels`].
pub type ChannelId = u16;
/// Index into [`Model::qualifications`].
pub type QualificationId = u16;
/// Index into [`Score::grades`].
pub type GradeId = u8;

/// A duration in milliseconds.
pub type DurationMs = i64;

/// A compiled scoring model.
#[derive(Debug, Default)]
pub struct Model {
    pub name: String,
    pub version: u64,
    /// Of the model's text, its lists and this program's version: leads that were armed by the same fingerprint are
    /// armed right.
    pub fingerprint: u64,
    /// Every event field that anything in the model reads, without repeats.
    pub event_paths: Vec<EventPath>,
    /// The lead's kept traits, without repeats: those that conditions, `requires` and `emit` name.
    pub traits: Vec<TraitPath>,
    /// Every distinct test of a kept trait. Their results are kept with the lead and renewed only when the trait changes.
    pub facts: Vec<Fact>,
    pub signals: Vec<Signal>,
    /// Which signals can match an event, by its name and kind.
    pub dispatch: Dispatch,
    /// All (score, group, signal) triples in model order: scores, in each its groups, in each its signals.
    pub contributions: Vec<Contribution>,
    /// What has to be remembered for `seen` conditions, without repeats of (signal, distinct).
    pub seen: Vec<Seen>,
    pub scores: Vec<Score>,
    /// Scores so ordered that every part of a `sum` or `max` comes before it.
    pub score_order: Vec<ScoreId>,
    pub qualifications: Vec<Qualification>,
    /// The first is the initial one.
    pub stages: Vec<Stage>,
    pub transitions: Vec<Transition>,
    pub alerts: Vec<Alert>,
    pub slas: Vec<Sla>,
    pub attribution: Option<Attribution>,
    /// `emit.traits`, in the model's order.
    pub emit_traits: Vec<TraitId>,
    /// `emit.scores`.
    pub emit_scores: Option<EmitScores>,
    pub spend: Option<Spend>,
}

/// A field of an event by its path; the path's first step is the enum variant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum EventPath {
    /// `properties.a.b`
    Properties(Vec<String>),
    /// `context.a.b`
    Context(Vec<String>),
    /// `traits.a.b`: the event's own traits, `context.traits` beneath them, a group's under `company.`
    Traits(Vec<String>),
}

/// What a matcher or `from`, `value`, `reason`, `distinct` reads from an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// `kind`, in lower case.
    Kind,
    /// `event`: the name of a track, page or screen.
    Name,
    /// `lead`: the lead's id.
    Lead,
    Path(PathId),
}

/// A kept trait.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TraitPath {
    /// `company.name`, without `traits.`: the key in records.
    pub name: String,
    pub steps: Vec<String>,
    /// The facts that judge this trait.
    pub facts: Vec<FactId>,
}

/// A test of a kept trait.
#[derive(Debug)]
pub struct Fact {
    pub trait_id: TraitId,
    pub test: Test,
    /// The test in words, and its negation: the compiled test has forgotten capital letters and names of lists.
    pub words: [String; 2],
}

#[derive(Debug)]
pub struct Signal {
    pub name: String,
    pub label: String,
    pub matcher: Matcher,
    /// What of the matcher is left to ask of an event for which [`Dispatch`] names the signal.
    pub rest: Matcher,
    pub activity: bool,
    pub contributions: Vec<ContributionId>,
    pub seen: Vec<SeenId>,
}

/// Candidates (signals or channels, by their index) by event name and kind, each list in model order and without repeats.
#[derive(Debug, Default)]
pub struct Dispatch {
    /// Those that can only match an event of this name (ASCII-lowercased).
    pub by_name: hashbrown::HashMap<String, Vec<u16>, NameHasher>,
    /// All others, by the kinds that they can match (index: `Kind as usize`).
    pub by_kind: [Vec<u16>; 6],
}

impl Dispatch {
    /// Those that an event may match: by its name, and by its kind.
    pub fn candidates(&self, scan: &Scan<'_>) -> [&[u16]; 2] {
        let by_name = scan.name().filter(|_| !self.by_name.is_empty());
        let by_name = by_name.and_then(|name| in_lowercase(name, |name| self.by_name.get(name)));
        [by_name.map_or(&[], Vec::as_slice), &self.by_kind[scan.kind() as usize]]
    }
}

/// Hashes short names without a random seed, so that `core` stays without randomness: the names are the model's own.
pub type NameHasher = foldhash::fast::FixedState;

/// Both ends included; the largest finite numbers where unbounded, so that no score becomes infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    pub min: f64,
    pub max: f64,
}

impl Range {
    pub const UNBOUNDED: Range = Range { min: f64::MIN, max: f64::MAX };

    /// The nearest value inside the range.
    #[inline]
    pub fn clamp(&self, value: f64) -> f64 {
        value.max(self.min).min(self.max)
    }
}

/// The points of one signal in one group of one score.
#[derive(Debug)]
pub struct Contribution {
    pub score: ScoreId,
    /// Index into the score's groups.
    pub group: u16,
    pub signal: SignalId,
    pub points: Points,
    pub decay: Decay,
    pub at_most: Option<AtMost>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Points {
    Fixed(f64),
    /// The event's number times `scale`, clamped to `range`; no number: 0.
    From {
        field: Field,
        scale: f64,
        range: Range,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decay {
    None,
    HalfLife(DurationMs),
    /// Linear to 0. Occurrences of one slot `floor(t / slot)` count at the latest of their times.
    Lifespan {
        life: DurationMs,
        slot: DurationMs,
    },
    /// Full, then 0; slots as for a lifespan.
    Window {
        life: DurationMs,
        slot: DurationMs,
    },
}

/// `at_most: n, per: d`; without `per` the first n ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtMost {
    pub n: u32,
    pub per: Option<DurationMs>,
}

/// What is remembered of a signal for `seen`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Seen {
    pub signal: SignalId,
    pub distinct: Option<Distinct>,
    /// The largest `at_least` of the conditions that use it: so many of the most recent are kept.
    pub keep: u32,
    /// Whether a condition asks for `within`; if not and nothing is distinct, a count is enough.
    pub timed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Distinct {
    /// UTC days.
    Day,
    Field(Field),
}

#[derive(Debug)]
pub struct Score {
    pub name: String,
    pub range: Range,
    pub kind: ScoreKind,
    /// Highest bar first. Empty: the score has no grades.
    pub grades: Vec<Grade>,
    /// The lead's traits, and whether it is identified, alone decide it: neither other events nor time.
    pub by_traits: bool,
}

#[derive(Debug)]
pub struct Grade {
    pub name: String,
    pub bar: f64,
}

#[derive(Debug)]
pub enum ScoreKind {
    Points(PointsScore),
    /// Weighted sum of other scores' clamped values.
    Sum(Vec<(ScoreId, f64)>),
    /// The largest of other scores; ties go to the first named.
    Max(Vec<ScoreId>),
}

#[derive(Debug, Default)]
pub struct PointsScore {
    pub groups: Vec<Group>,
    pub criteria: Vec<CriterionEntry>,
    pub inactivity: Option<Inactivity>,
    /// For a score with criteria and no groups: the traits that its criteria name. While the lead has none of them
    /// the score is unknown and has no grade. Empty: always graded.
    pub unknown_without: Vec<TraitId>,
}

#[derive(Debug)]
pub struct Group {
    pub name: String,
    pub range: Range,
    /// The group's contributions: `contributions[start..end]` of the model.
    pub start: ContributionId,
    pub end: ContributionId,
    /// Its value without any contribution.
    pub empty: f64,
}

#[derive(Debug)]
pub enum CriterionEntry {
    One(Criterion),
    /// Only the first that holds counts.
    First(Vec<Criterion>),
}

#[derive(Debug)]
pub struct Criterion {
    /// From 1, counted through all `first` lists.
    pub position: u32,
    pub when: Condition,
    pub points: f64,
    pub label: Option<String>,
}

/// `points · (1 + floor((gap − after) / every))` once the gap since the last activity is at least `after`.
#[derive(Debug, Clone, Copy)]
pub struct Inactivity {
    pub after: DurationMs,
    pub points: f64,
    pub every: Option<DurationMs>,
}

#[derive(Debug)]
pub struct Qualification {
    pub name: String,
    pub criteria: Vec<(String, Condition)>,
    /// As of a score.
    pub by_traits: bool,
}

/// A set of small indices (stages, grades).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexSet {
    words: Vec<u64>,
}

impl IndexSet {
    pub fn insert(&mut self, index: usize) {
        if self.words.len() <= index / 64 {
            self.words.resize(index / 64 + 1, 0);
        }
        self.words[index / 64] |= 1 << (index % 64);
    }

    #[inline]
    pub fn contains(&self, index: usize) -> bool {
        self.words.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }
}

impl FromIterator<usize> for IndexSet {
    fn from_iter<I: IntoIterator<Item = usize>>(indices: I) -> Self {
        let mut set = IndexSet::default();
        indices.into_iter().for_each(|index| set.insert(index));
        set
    }
}

#[derive(Debug)]
pub enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// A test of a trait of the lead.
    Fact(FactId),
    Identified(bool),
    /// The lead's stage is one of these.
    Stage(IndexSet),
    Score(ScoreId, NumberTest),
    /// The score's grade is one of these (indices into its `grades`); no grade fails.
    Grade(ScoreId, IndexSet),
    /// At least so many of its criteria hold.
    Qualified {
        qualification: QualificationId,
        at_least: u32,
    },
    Seen {
        seen: SeenId,
        at_least: u32,
        within: Within,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    Ever,
    /// Event time > clock − d.
    Last(DurationMs),
    /// Event time > entered_at.
    Stage,
}

#[derive(Debug)]
pub struct Stage {
    pub name: String,
    pub owner: Option<String>,
    pub action: Option<String>,
    /// Not a step of the funnel.
    pub side: bool,
    /// Traits that must be present for a transition into the stage, in the model's order.
    pub requires: Vec<TraitId>,
    /// Names that the stage had in earlier versions.
    pub renamed_from: Vec<String>,
}

#[derive(Debug)]
pub struct Transition {
    pub name: String,
    /// `any` is resolved: every stage but the target.
    pub from: IndexSet,
    pub to: StageId,
    pub on: Option<On>,
    pub when: Option<Condition>,
    pub after: Option<DurationMs>,
    pub inactive_for: Option<DurationMs>,
    pub reset: Vec<ScoreId>,
    pub reason: Option<Field>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// Any event that counts as activity.
    Activity,
    Signal(SignalId),
}

#[derive(Debug)]
pub struct Alert {
    pub name: String,
    pub on: Option<On>,
    pub when: Option<Condition>,
    pub rearm: Option<Condition>,
    pub cooldown: DurationMs,
    pub route: Route,
    pub priority: Option<String>,
}

#[derive(Debug)]
pub enum Route {
    None,
    To(String),
    /// The first whose condition holds (or that has none).
    FirstOf(Vec<(Option<Condition>, String)>),
}

#[derive(Debug)]
pub struct Sla {
    pub name: String,
    /// Never `Edge::Leave`.
    pub start: Edge,
    pub stop: Edge,
    pub cancel: Option<Edge>,
    pub due: DurationMs,
    pub past_due: Option<DurationMs>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    On(On),
    Enter(StageId),
    Leave(StageId),
}

#[derive(Debug)]
pub struct Attribution {
    /// The first that matches names the channel.
    pub channels: Vec<Channel>,
    /// Which channels can match an event, by its name and kind.
    pub dispatch: Dispatch,
    /// Touches kept per lead, at least 1.
    pub touches: u32,
    /// 0: no touches are merged.
    pub gap: DurationMs,
    pub window: Option<DurationMs>,
    pub models: Vec<AttributionModel>,
    pub credit: IndexSet,
    /// Signal and the field that holds its value, in the order of the signals.
    pub value: Vec<(SignalId, Field)>,
}

#[derive(Debug)]
pub struct Channel {
    pub name: String,
    pub matcher: Matcher,
    /// What of the matcher is left to ask of an event for which [`Attribution::dispatch`] names the channel.
    pub rest: Matcher,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AttributionModel {
    First,
    Last,
    Linear,
    TimeDecay { half_life: DurationMs },
    Position { first: f64, last: f64 },
}

impl AttributionModel {
    /// The name that records and metrics use.
    pub fn name(&self) -> &'static str {
        match self {
            AttributionModel::First => "first",
            AttributionModel::Last => "last",
            AttributionModel::Linear => "linear",
            AttributionModel::TimeDecay { .. } => "time_decay",
            AttributionModel::Position { .. } => "position",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EmitScores {
    pub on_change_of: f64,
    pub every: DurationMs,
}

#[derive(Debug)]
pub struct Spend {
    pub matcher: Matcher,
    pub channel: Field,
    pub amount: Field,
}

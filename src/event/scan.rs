//! One pass over a record's JSON: validates all of it and notes where the fields stand that the model asks for.

use super::capture::{At, Capture, Captures, MAX_DEPTH};
use super::envelope::Lead;
use super::plan::{CONTEXT_TRAITS_DEPTH, NOWHERE, NodeId, Places, kept};
use super::{Event, EventLimits, Kind, Rejection, Value, reject, time};
use crate::model::compiled::{Field, TraitId};
use std::borrow::Cow;

pub use super::plan::Plan;

/// A kept trait of more compact JSON than this is taken as not in the event (SPEC §1).
const MAX_TRAIT_BYTES: usize = 1024;

/// Buffers that are reused from record to record.
#[derive(Debug, Default)]
pub struct Scanner {
    captures: Captures,
    /// An e-mail address that is the lead's id, in lower case.
    email: String,
}

impl Scanner {
    /// Reads a record's value up to the point where its kind and name are known (checks `too_large` to
    /// `unknown_kind`). No allocation once the buffers have grown, but for a rejection.
    pub fn scan<'a>(
        &'a mut self,
        plan: &'a Plan,
        limits: &EventLimits,
        value: &'a [u8],
    ) -> Result<Scan<'a>, Rejection> {
        // Captures hold 32-bit offsets.
        let limit = limits.event_bytes.min(u32::MAX as usize - 1);
        if value.len() > limit {
            return Err(reject::too_large(value.len(), limit));
        }
        let text =
            simdutf8::compat::from_utf8(value).map_err(|error| reject::not_utf8(error.valid_up_to()))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let Scanner { captures, email } = self;
        let depth = captures
            .read(text, plan)
            .map_err(|syntax| reject::not_json(text, syntax, value.len() - text.len()))?;
        if depth > MAX_DEPTH {
            return Err(reject::too_deep(depth));
        }
        if !text.trim_ascii_start().starts_with('{') {
            return Err(reject::not_object(text));
        }
        let mut scan = Scan { text, captures, plan, kind: Kind::Track, name: None, lead: Lead::Missing };
        scan.kind = scan.find_kind()?;
        scan.name = scan.find_name(scan.kind);
        scan.lead = scan.find_lead(email);
        Ok(scan)
    }
}

/// A record whose JSON, kind and name are known; the rest is judged by [`Scan::event`].
#[derive(Debug)]
pub struct Scan<'a> {
    pub(super) text: &'a str,
    pub(super) captures: &'a Captures,
    pub(super) plan: &'a Plan,
    kind: Kind,
    name: Option<&'a str>,
    pub(super) lead: Lead<'a>,
}

impl<'a> Scan<'a> {
    /// Checks the rest (`missing_lead` to `bad_time`).
    pub fn event(
        &'a self,
        limits: &EventLimits,
        record_time_ms: Option<i64>,
    ) -> Result<Event<'a>, Rejection> {
        let lead = self.valid_lead()?;
        if self.kind == Kind::Track && self.name.is_none() {
            return Err(self.missing_name());
        }
        let sent_ms = self.time_ms(record_time_ms)?;
        let latest_ms = record_time_ms.map_or(i64::MAX, |ms| ms.saturating_add(limits.future_skew_ms));
        let clamped = sent_ms > latest_ms;
        let time_ms = match record_time_ms {
            Some(ms) if clamped => time::in_range(ms).ok_or_else(|| reject::bad_clamp(ms))?,
            _ => sent_ms,
        };
        Ok(Event {
            kind: self.kind,
            lead,
            identifies: self.identifies(),
            name: self.name,
            time_ms,
            record_time_ms,
            clamped,
            message_id: self.message_id(),
            dropped_traits: self.dropped_traits(),
            scan: self,
        })
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The name of a track, page or screen. A track without a name is rejected by [`Scan::event`], and is no `spend`.
    pub fn name(&self) -> Option<&'a str> {
        self.name
    }

    /// The values at a field, in the order of the document: none if it is missing, several if the path goes through
    /// arrays. A value at the end of the path that is itself an array comes as that array.
    pub fn values(&self, field: Field) -> Values<'a> {
        let values = |single, node, objects_to| Values {
            single,
            text: self.text,
            captures: self.captures,
            at: self.captures.at(node),
            objects_to,
        };
        match field {
            Field::Kind => values(Some(self.kind.name()), NOWHERE, 0),
            Field::Name => values(self.name, NOWHERE, 0),
            Field::Lead => values(self.lead.id(), NOWHERE, 0),
            Field::Path(id) => {
                let places = self.plan.path(id);
                match self.captures.has(self.own(places)) {
                    true => values(None, self.own(places), 0),
                    // `context.traits` is an object, or there are no traits in it.
                    false => values(None, places.beneath, CONTEXT_TRAITS_DEPTH),
                }
            }
        }
    }

    /// Whether there is certainly nothing at a field.
    #[inline]
    pub fn lacks(&self, field: Field) -> bool {
        match field {
            Field::Path(id) => {
                let places = self.plan.path(id);
                !self.captures.has(self.own(places)) && !self.captures.has(places.beneath)
            }
            Field::Kind | Field::Name | Field::Lead => false,
        }
    }

    /// The first value at a field if it is a scalar (string, number, boolean): what `distinct` and `reason` take.
    pub fn scalar(&self, field: Field) -> Option<Value<'a>> {
        self.first(field).filter(|value| !matches!(value, Value::Array(_) | Value::Object(_)))
    }

    /// The first value at a field if it is a number: what `from` and `value` take (SPEC §2: numbers, and strings that
    /// are a finite JSON number and nothing else).
    pub fn number(&self, field: Field) -> Option<f64> {
        self.first(field)?.as_number()
    }

    /// The first value; null is the same as missing, so it is passed over.
    fn first(&self, field: Field) -> Option<Value<'a>> {
        self.values(field).find(|value| *value != Value::Null)
    }

    /// The event's value for a kept trait: `None` if its path is not present (or the value is over 1 KiB of compact
    /// JSON), `Some(Value::Null)` if the event removes it (`null` or `""`).
    pub fn kept_trait(&self, id: TraitId) -> Option<Value<'a>> {
        self.present_trait(id).filter(|value| !value.is_longer_than(MAX_TRAIT_BYTES))
    }

    /// Whether any kept trait is present in the event, so that most events need not ask for each.
    pub fn has_kept_traits(&self) -> bool {
        let own = if self.kind == Kind::Group { kept::GROUP } else { kept::OWN };
        self.captures.has_kept(own | kept::BENEATH)
    }

    fn dropped_traits(&self) -> u32 {
        if !self.has_kept_traits() {
            return 0;
        }
        let dropped =
            |id: &TraitId| self.present_trait(*id).is_some_and(|value| value.is_longer_than(MAX_TRAIT_BYTES));
        self.plan.kept_traits().filter(dropped).count() as u32
    }

    /// A kept trait whatever its size: one of `traits` hides that of `context.traits` also if it is too large.
    fn present_trait(&self, id: TraitId) -> Option<Value<'a>> {
        let places = self.plan.kept_trait(id);
        let through_objects = |node| self.captures.at(node).find(|capture| capture.through_objects());
        let capture = through_objects(self.own(places)).or_else(|| through_objects(places.beneath))?;
        Some(if capture.is_empty() { Value::Null } else { self.captures.value(self.text, capture) })
    }

    fn own(&self, places: Places) -> NodeId {
        if self.kind == Kind::Group { places.group } else { places.own }
    }

    pub(super) fn captured_text(&self, capture: &Capture) -> &'a str {
        self.captures.text(self.text, capture)
    }
}

/// The values at a field.
#[derive(Debug, Clone)]
pub struct Values<'a> {
    /// Of `kind`, `event` and `lead`.
    single: Option<&'a str>,
    pub(super) text: &'a str,
    captures: &'a Captures,
    at: At<'a>,
    /// Down to this depth of the trie the path must go through objects.
    objects_to: u8,
}

impl<'a> Iterator for Values<'a> {
    type Item = Value<'a>;

    #[inline]
    fn next(&mut self) -> Option<Value<'a>> {
        if let Some(text) = self.single.take() {
            return Some(Value::String(Cow::Borrowed(text)));
        }
        let objects_to = self.objects_to;
        let capture = self.at.find(|capture| capture.through_objects_to(objects_to))?;
        Some(self.captures.value(self.text, capture))
    }
}

//! One pass over a record's JSON: validates all of it and notes where the fields stand that the model asks for.

use super::{Event, EventLimits, Kind, Rejection, Value};
use crate::model::Model;
use crate::model::compiled::{EventPath, Field, TraitId, TraitPath};

/// Which paths to look for: a trie over keys, compiled once from the model.
#[derive(Debug)]
pub struct Plan {}

impl Plan {
    pub fn new(_model: &Model) -> Plan {
        Self::of(&_model.event_paths, &_model.traits)
    }

    pub fn of(_paths: &[EventPath], _traits: &[TraitPath]) -> Plan {
        todo!()
    }
}

/// Buffers that are reused from record to record.
#[derive(Debug, Default)]
pub struct Scanner {}

impl Scanner {
    /// Reads a record's value up to the point where its kind and name are known (checks `too_large` to
    /// `unknown_kind`). No allocation once the buffers have grown, but for a rejection.
    pub fn scan<'a>(
        &'a mut self,
        _plan: &'a Plan,
        _limits: &EventLimits,
        _value: &'a [u8],
    ) -> Result<Scan<'a>, Rejection> {
        todo!()
    }
}

/// A record whose JSON, kind and name are known; the rest is judged by [`Scan::event`].
#[derive(Debug)]
pub struct Scan<'a> {
    _value: &'a [u8],
}

impl<'a> Scan<'a> {
    /// Checks the rest (`missing_lead` to `bad_time`).
    pub fn event(
        &'a self,
        _limits: &EventLimits,
        _record_time_ms: Option<i64>,
    ) -> Result<Event<'a>, Rejection> {
        todo!()
    }

    pub fn kind(&self) -> Kind {
        todo!()
    }

    /// The name of a track, page or screen.
    pub fn name(&self) -> Option<&'a str> {
        todo!()
    }

    /// The values at a field, in the order of the document: none if it is missing, several if the path goes through
    /// arrays. A value at the end of the path that is itself an array comes as that array.
    pub fn values(&self, _field: Field) -> impl Iterator<Item = Value<'a>> + Clone {
        std::iter::empty()
    }

    /// The first value at a field if it is a scalar (string, number, boolean): what `distinct` and `reason` take.
    pub fn scalar(&self, _field: Field) -> Option<Value<'a>> {
        todo!()
    }

    /// The first value at a field if it is a number: what `from` and `value` take (SPEC §2: numbers, and strings that
    /// are a finite JSON number and nothing else).
    pub fn number(&self, _field: Field) -> Option<f64> {
        todo!()
    }

    /// The event's value for a kept trait: `None` if its path is not present (or the value is over 1 KiB of compact
    /// JSON), `Some(Value::Null)` if the event removes it (`null` or `""`).
    pub fn kept_trait(&self, _id: TraitId) -> Option<Value<'a>> {
        todo!()
    }

    /// Whether any kept trait is present in the event, so that most events need not ask for each.
    pub fn has_kept_traits(&self) -> bool {
        todo!()
    }

    /// `receivedAt` as a time, if it is there and readable: `replay` takes it for the record's timestamp.
    pub fn received_at_ms(&self) -> Option<i64> {
        todo!()
    }
}

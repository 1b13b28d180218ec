//! Tests of everything from a record's bytes to an event.

mod differential;
mod envelope;
mod fields;
mod json;
mod rejections;
mod times;
mod values;

use super::scan::{Plan, Scan, Scanner};
use super::{Event, EventLimits, Reason, Rejection, Value};
use crate::model::compiled::{EventPath, Field, TraitPath};

pub(super) const LIMITS: EventLimits = EventLimits { event_bytes: 262_144, future_skew_ms: 300_000 };
/// The record's timestamp in tests: 2026-03-01T00:00:00Z.
pub(super) const RECORD_MS: i64 = 1_772_323_200_000;

/// `properties.a.b` as an event path.
pub(super) fn event_path(path: &str) -> EventPath {
    let (first, steps) = path.split_once('.').unwrap();
    let steps = steps.split('.').map(str::to_owned).collect();
    match first {
        "properties" => EventPath::Properties(steps),
        "context" => EventPath::Context(steps),
        "traits" => EventPath::Traits(steps),
        other => panic!("no such section: {other}"),
    }
}

pub(super) fn trait_path(name: &str) -> TraitPath {
    TraitPath {
        name: name.to_owned(),
        steps: name.split('.').map(str::to_owned).collect(),
        facts: Vec::new(),
    }
}

pub(super) fn plan(paths: &[&str], traits: &[&str]) -> Plan {
    let paths: Vec<_> = paths.iter().map(|path| event_path(path)).collect();
    let traits: Vec<_> = traits.iter().map(|name| trait_path(name)).collect();
    Plan::of(&paths, &traits)
}

/// Reads a record that the envelope accepts and hands its scan over.
pub(super) fn with_scan<T>(plan: &Plan, json: &str, judge: impl FnOnce(&Scan<'_>) -> T) -> T {
    let mut scanner = Scanner::default();
    let scan =
        scanner.scan(plan, &LIMITS, json.as_bytes()).unwrap_or_else(|error| panic!("{json}: {error:?}"));
    judge(&scan)
}

/// Reads a whole event and hands it over.
pub(super) fn with_event<T>(
    json: &str,
    record_ms: Option<i64>,
    judge: impl FnOnce(Result<&Event<'_>, Rejection>) -> T,
) -> T {
    let plan = plan(&[], &[]);
    let mut scanner = Scanner::default();
    let scan = match scanner.scan(&plan, &LIMITS, json.as_bytes()) {
        Ok(scan) => scan,
        Err(rejection) => return judge(Err(rejection)),
    };
    match scan.event(&LIMITS, record_ms) {
        Ok(event) => judge(Ok(&event)),
        Err(rejection) => judge(Err(rejection)),
    }
}

/// Why a record is rejected, if it is.
pub(super) fn outcome(record: &[u8]) -> Result<(), Reason> {
    let plan = plan(&[], &[]);
    let mut scanner = Scanner::default();
    let scan = scanner.scan(&plan, &LIMITS, record).map_err(|rejection| rejection.reason)?;
    scan.event(&LIMITS, Some(RECORD_MS)).map(|_| ()).map_err(|rejection| rejection.reason)
}

/// The values at the plan's first path, as compact JSON.
pub(super) fn values_at(path: &str, json: &str) -> Vec<String> {
    with_scan(&plan(&[path], &[]), json, |scan| {
        scan.values(Field::Path(0)).map(|value| compact(&value)).collect()
    })
}

pub(super) fn compact(value: &Value<'_>) -> String {
    let mut out = Vec::new();
    value.write_compact(&mut out);
    String::from_utf8(out).unwrap()
}

//! Any bytes as records: what is read of each, and what a partition makes of them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qualifyd::core::partition::{Limits, Timestamp};
use qualifyd::event::scan::{Scan, Scanner};
use qualifyd::event::{Reason, Rejection, Value};
use qualifyd::model::compiled::Field;
use qualifyd_fuzz::{RULES, apply_all, check_kept, records};

/// Two hours, in which slots end, cooldowns pass and inactivity counts.
const PASS_MS: i64 = 2 * 3_600_000;

fuzz_target!(|input: &[u8]| {
    let mut scanner = Scanner::default();
    for given in records(input) {
        read(&mut scanner, given.value, given.timestamp);
    }
    // Every fourth input lives on, for that takes most of the time.
    let lives_on = input.iter().fold(0, |sum: u8, &byte| sum.wrapping_add(byte)) % 4 == 0;
    let partition = apply_all(&RULES, input, if lives_on { PASS_MS } else { 0 });
    if lives_on {
        check_kept(&RULES, &partition);
    }
});

fn read(scanner: &mut Scanner, record: &[u8], timestamp: Timestamp) {
    let limits = Limits::default().event;
    let text = record.strip_prefix("\u{feff}".as_bytes()).unwrap_or(record);
    let tree = serde_json::from_slice::<serde_json::Value>(text);
    match scanner.scan(&RULES.plan, &limits, record) {
        Ok(scan) => {
            assert!(tree.is_ok_and(|tree| tree.is_object()), "another reader refuses it");
            look_at(&scan);
            let record_ms = match timestamp {
                Timestamp::At(ms) => Some(ms),
                Timestamp::None => None,
                Timestamp::Received => scan.received_at_ms(),
            };
            match scan.event(&limits, record_ms) {
                Ok(event) => {
                    assert!((0..=qualifyd::event::time::LATEST_MS).contains(&event.time_ms));
                    assert!(!event.lead.is_empty() && event.lead.len() <= 512);
                }
                Err(rejection) => check(&rejection),
            }
        }
        Err(rejection) => {
            check(&rejection);
            assert!(rejection.reason != Reason::NotJson || tree.is_err(), "another reader takes it");
        }
    }
}

/// Reads every field and trait of the model.
fn look_at(scan: &Scan<'_>) {
    let paths = (0..RULES.model.event_paths.len()).map(|id| Field::Path(id as u16));
    for field in paths.chain([Field::Kind, Field::Name, Field::Lead]) {
        scan.values(field).for_each(|value| check_value(&value));
        if let Some(value) = scan.scalar(field) {
            check_value(&value);
        }
        assert!(scan.number(field).is_none_or(f64::is_finite));
    }
    for id in 0..RULES.model.traits.len() {
        if let Some(value) = scan.kept_trait(id as u16) {
            assert!(compact(&value).len() <= 1024);
            check_value(&value);
        }
    }
}

/// Compact JSON reads back as the same value.
fn check_value(value: &Value<'_>) {
    let bytes = compact(value);
    let again = Value::from_compact(&bytes).expect("compact JSON is JSON");
    assert_eq!(compact(&again), bytes);
}

fn compact(value: &Value<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    value.write_compact(&mut out);
    out
}

/// A rejection is one short line.
fn check(rejection: &Rejection) {
    let detail = &rejection.detail;
    assert!(detail.len() <= 600 && !detail.contains(char::is_control), "{detail:?}");
}

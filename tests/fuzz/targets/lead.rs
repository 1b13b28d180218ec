//! Any bytes as a lead that is restored. Blind bytes are hardly ever a lead, so the mutator makes leads from events, and
//! sets the parts of a lead to extremes.
#![no_main]

mod extremes;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use qualifyd::core::codec;
use qualifyd::core::due::{first_due, next_second};
use qualifyd::core::effects::Effects;
use qualifyd::core::judge::Memo;
use qualifyd::core::lead::Lead;
use qualifyd::core::partition::{Limits, Partition, Record, Timestamp};
use qualifyd::event::time::{LATEST_MS, write_rfc3339};
use qualifyd_fuzz::{RULES, check_kept, check_outputs, encoded};

const DAY_MS: i64 = 86_400_000;

fuzz_target!(|bytes: &[u8]| {
    let (mut lead, mut id) = (Lead::default(), String::new());
    if codec::decode(bytes, &RULES.bounds, &mut lead, &mut id).is_err() {
        return;
    }
    let again = encoded(&RULES, &lead, &id);
    codec::decode(&again, &RULES.bounds, &mut lead, &mut id).expect("what was written can be read");
    assert_eq!(encoded(&RULES, &lead, &id), again, "a lead has one encoding");

    first_due(&RULES, &lead, &mut Memo::default(), next_second(&lead), i64::MAX);
    live_on(bytes, &id, lead.clock);
});

/// Restores the lead and gives it events before, at and after its clock.
fn live_on(bytes: &[u8], id: &str, clock: i64) {
    let mut partition = Partition::new(RULES.clone(), Limits::default());
    if partition.restore(bytes).is_err() {
        return;
    }
    let mut effects = Effects::default();
    for (event, time) in [("A", clock), ("C", clock - DAY_MS), ("B", clock + 1), ("E", clock + DAY_MS)] {
        let record = event_of(id, event, time.clamp(0, LATEST_MS));
        partition.apply(
            Record { value: Some(record.as_bytes()), timestamp: Timestamp::None },
            None,
            &mut effects,
        );
        check_outputs(&effects);
        effects.clear();
    }
    partition.advance_until((clock + DAY_MS + 3_600_000).min(LATEST_MS), &mut effects);
    check_outputs(&effects);
    assert_eq!(partition.len(), 1, "the events are the lead's own");
    check_kept(&RULES, &partition);
}

fn event_of(id: &str, event: &str, time_ms: i64) -> String {
    let mut time = Vec::new();
    write_rfc3339(&mut time, time_ms);
    serde_json::json!({
        "type": "track", "event": event, "userId": id, "timestamp": String::from_utf8_lossy(&time),
        "properties": { "n": 1.7e308, "email": event }, "traits": { "title": event, "company": { "size": 500 } },
        "context": { "campaign": { "medium": "cpc" } },
    })
    .to_string()
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut random = extremes::Random(u64::from(seed));
    let made = match random.below(16) {
        0 => Some(extremes::lived(&mut random)),
        1..9 => extremes::twisted(&data[..size], &mut random),
        _ => None,
    };
    match made {
        Some(made) if made.len() <= max_size => {
            data[..made.len()].copy_from_slice(&made);
            made.len()
        }
        _ => fuzzer_mutate(data, size, max_size),
    }
});

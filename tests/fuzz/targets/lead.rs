//! Any bytes as a lead that is restored. Blind bytes are hardly ever a lead, so the mutator makes leads from events, and
//! sets the parts of a lead to extremes.
#![no_main]

mod extremes;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use qualifyd::core::codec::{self, Told};
use qualifyd::core::due::{first_due, next_second};
use qualifyd::core::effects::Effects;
use qualifyd::core::memo::Memo;
use qualifyd::core::lead::Lead;
use qualifyd::core::partition::{Limits, Partition, Record, Timestamp};
use qualifyd::event::time::{LATEST_MS, write_rfc3339};
use qualifyd_fuzz::{RULES, check_kept, check_outputs, encoded};

const DAY_MS: i64 = 86_400_000;

fuzz_target!(|bytes: &[u8]| {
    let (mut lead, mut id) = (Lead::default(), String::new());
    let decoded = codec::decode(bytes, &RULES.bounds, &mut lead, &mut Told::default(), &mut id);
    if decoded.and_then(|_| lead.message_ids.check()).is_err() {
        return;
    }
    let again = encoded(&RULES, &lead, &id);
    codec::decode(&again, &RULES.bounds, &mut lead, &mut Told::default(), &mut id).expect("what was written can be read");
    assert_eq!(encoded(&RULES, &lead, &id), again, "a lead has one encoding");

    first_due(&RULES, &lead, &mut Memo::default(), next_second(&lead), i64::MAX);
    // An event cannot name any other id.
    if (1..=512).contains(&id.len()) {
        live_on(bytes, &id, lead.clock);
    }
});

/// Restores the lead and gives it two events, before, at or after its clock, which the bytes choose.
fn live_on(bytes: &[u8], id: &str, clock: i64) {
    let mut partition = Partition::new(RULES.clone(), Limits::default());
    if partition.restore(bytes).is_err() {
        return;
    }
    let mut effects = Effects::default();
    let choice = bytes.iter().fold(bytes.len(), |sum, &byte| sum + usize::from(byte));
    for choice in [choice % 20, choice / 20 % 20] {
        let event = ["A", "B", "C", "E"][choice % 4];
        let time = clock + [0, 1, -DAY_MS, DAY_MS, 15 * DAY_MS][choice / 4];
        let value = event_of(id, event, time.clamp(0, LATEST_MS));
        let record = Record { value: Some(value.as_bytes()), timestamp: Timestamp::None };
        partition.apply(record, None, &mut effects);
        check_outputs(&effects);
        effects.clear();
    }
    partition.advance_until(partition.stream_time_ms() + 2 * 3_600_000, &mut effects);
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
    let made = match random.below(64) {
        0 => Some(extremes::lived(&mut random)),
        1..32 => extremes::twisted(&data[..size], &mut random),
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

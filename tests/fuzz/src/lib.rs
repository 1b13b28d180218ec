//! What the fuzz targets share: a model in which everything occurs, how an input becomes records, and what must hold of
//! a partition whatever it was given.

use qualifyd::core::codec::{self, Told};
use qualifyd::core::effects::Effects;
use qualifyd::core::lead::Lead;
use qualifyd::core::partition::{Limits, Partition, Record, Timestamp};
use qualifyd::core::rules::Rules;
use qualifyd::model::Model;
use std::sync::{Arc, LazyLock};

/// 2026-03-01T00:00:00Z.
pub const NOW_MS: i64 = 1_772_323_200_000;

/// The model `rich.yaml`.
pub static RULES: LazyLock<Arc<Rules>> = LazyLock::new(|| {
    let text = include_bytes!("../rich.yaml");
    let loaded = Model::load("rich.yaml", text, &mut |_| Err(std::io::ErrorKind::NotFound.into()));
    Arc::new(Rules::new(Arc::new(loaded.expect("the model is checked").model)))
});

/// A record of an input, with what the broker and the clock say.
pub struct Given<'a> {
    pub value: &'a [u8],
    pub timestamp: Timestamp,
    pub wall_ms: Option<i64>,
}

/// An input is records with blank lines between them; the first byte of each chooses its timestamp and the wall clock.
pub fn records(input: &[u8]) -> impl Iterator<Item = Given<'_>> {
    let mut rest = Some(input);
    let pieces = std::iter::from_fn(move || {
        let piece = rest?;
        match piece.windows(2).position(|pair| pair == b"\n\n") {
            Some(at) => {
                rest = Some(&piece[at + 2..]);
                Some(&piece[..at])
            }
            None => rest.take(),
        }
    });
    pieces.filter_map(|piece| {
        let (&choice, value) = piece.split_first()?;
        Some(Given { value, timestamp: timestamp(choice), wall_ms: wall_ms(choice) })
    })
}

fn timestamp(choice: u8) -> Timestamp {
    match choice % 16 {
        0 => Timestamp::None,
        1 => Timestamp::Received,
        2 => Timestamp::At(0),
        3 => Timestamp::At(-2),
        4 => Timestamp::At(i64::MAX),
        5 => Timestamp::At(i64::MIN),
        6 => Timestamp::At(qualifyd::event::time::LATEST_MS),
        7 => Timestamp::At(qualifyd::event::time::LATEST_MS + 1),
        days => Timestamp::At(NOW_MS + i64::from(days - 8) * 86_400_000),
    }
}

fn wall_ms(choice: u8) -> Option<i64> {
    (choice >= 128).then_some(NOW_MS + 3_600_000)
}

/// Applies the records of an input to a new partition, and then lets time pass.
pub fn apply_all(rules: &Arc<Rules>, input: &[u8], pass_ms: i64) -> Partition {
    let mut partition = Partition::new(rules.clone(), Limits::default());
    let mut effects = Effects::default();
    for given in records(input) {
        let record = Record { value: Some(given.value), timestamp: given.timestamp };
        partition.apply(record, given.wall_ms, &mut effects);
        check_outputs(&effects);
        effects.clear();
    }
    partition.advance_until(partition.stream_time_ms() + pass_ms, &mut effects);
    check_outputs(&effects);
    partition
}

/// Records are JSON in which every score and every reason's points are a number.
pub fn check_outputs(effects: &Effects) {
    for output in effects.outputs() {
        let data = std::str::from_utf8(output.data).expect("a record is text");
        serde_json::from_str::<serde::de::IgnoredAny>(data).expect("a record is JSON");
        // A number that is none is written as null.
        let (_, scores) = data.split_once("\"scores\":{").expect("a record has scores");
        let (scores, _) = scores.split_once('}').expect("a map ends");
        assert!(!scores.contains("null") && !data.contains("\"points\":null"), "{data}");
    }
}

/// What is kept of a partition restores another one that keeps the same.
pub fn check_kept(rules: &Arc<Rules>, partition: &Partition) {
    let mut restored = Partition::new(rules.clone(), Limits::default());
    restored.restore_stream_time(partition.stream_time_ms(), false);
    let (mut lead, mut id) = (Lead::default(), String::new());
    for bytes in partition.lead_bytes() {
        codec::decode(bytes, &rules.bounds, &mut lead, &mut Told::default(), &mut id).expect("a lead's bytes are readable");
        assert_eq!(encoded(rules, &lead, &id), bytes, "a lead has one encoding");
        restored.restore(bytes).expect("a lead's bytes can be restored");
    }
    assert_eq!(restored.len(), partition.len());
}

/// All bytes of a lead.
pub fn encoded(rules: &Rules, lead: &Lead, id: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    codec::write_prefix(&mut bytes, id);
    codec::encode(lead, 0, &mut Told::default(), &mut bytes);
    bytes
}

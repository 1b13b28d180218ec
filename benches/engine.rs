//! What an event costs: decode and apply over many leads, a lead's bytes, a whole replay.
//!
//! `cargo bench --bench engine`

mod support;

use divan::Bencher;
use divan::counter::ItemsCount;
use qualifyd::core::effects::Effects;
use qualifyd::core::partition::{Limits, Partition, Record, Timestamp};
use qualifyd::core::rules::Rules;
use qualifyd::model::Model;
use std::sync::Arc;
use support::{SMALL_MODEL, Stream};

const BATCH: usize = 50_000;

fn main() {
    divan::main();
}

fn small_model() -> Arc<Rules> {
    let loaded =
        Model::load("small", SMALL_MODEL.as_bytes(), &mut |_| Err(std::io::Error::other("no files")));
    Arc::new(Rules::new(Arc::new(loaded.expect("the model is valid").model)))
}

fn feed<'a>(partition: &mut Partition, lines: impl Iterator<Item = &'a [u8]>, effects: &mut Effects) {
    for line in lines {
        let record = Record { value: Some(line), timestamp: Timestamp::Received };
        divan::black_box(partition.apply(record, None, effects));
        effects.clear();
    }
}

/// Decode and apply 340-byte track events, leads drawn uniformly.
#[divan::bench(args = [10_000, 100_000, 1_000_000], sample_count = 20, sample_size = 1)]
fn decode_and_apply(bencher: Bencher, leads: u64) {
    let mut partition = Partition::new(small_model(), Limits::default());
    let mut effects = Effects::default();
    let mut stream = Stream::new(leads, 2 * leads, 30);
    feed(&mut partition, stream.each().iter(), &mut effects);
    bencher
        .counter(ItemsCount::new(BATCH))
        .with_inputs(|| stream.batch(BATCH))
        .bench_local_refs(|lines| feed(&mut partition, lines.iter(), &mut effects));
}

/// One million leads, two million events, from bytes to records.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn whole_replay(bencher: Bencher) {
    const EVENTS: usize = 2_000_000;
    let lines = Stream::new(1_000_000, EVENTS as u64, 30).batch(EVENTS);
    let lines: Vec<u8> = lines.iter().flat_map(|line| line.iter().copied().chain([b'\n'])).collect();
    let rules = small_model();
    bencher.counter(ItemsCount::new(EVENTS)).bench_local(|| {
        let options = qualifyd::replay::Options::default();
        qualifyd::replay::replay(&rules.model, &lines[..], &options, std::io::sink())
            .expect("a sink takes all")
    });
}

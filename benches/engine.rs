//! What an event costs: decode and apply over many leads, a lead's bytes, a whole replay.
//!
//! `cargo bench --bench engine`

mod support;

use divan::Bencher;
use divan::counter::ItemsCount;
use qualifyd::core::codec::{self, Told};
use qualifyd::core::effects::Effects;
use qualifyd::core::lead::Lead;
use qualifyd::core::partition::{Limits, Partition, Record, Timestamp};
use qualifyd::core::rules::Rules;
use qualifyd::model::Model;
use std::sync::Arc;
use support::{Lines, SMALL_MODEL, Stream, b2b};

const BATCH: usize = 50_000;

fn main() {
    divan::main();
}

fn small_model() -> Arc<Rules> {
    let loaded =
        Model::load("small", SMALL_MODEL.as_bytes(), &mut |_| Err(std::io::Error::other("no files")));
    Arc::new(Rules::new(Arc::new(loaded.expect("the model is valid").model)))
}

fn b2b_model() -> Arc<Rules> {
    let loaded = qualifyd::check::load(std::path::Path::new("deploy/models/b2b-saas.yaml"));
    Arc::new(Rules::new(Arc::new(loaded.expect("the model is valid").model)))
}

fn feed<'a>(partition: &mut Partition, lines: impl Iterator<Item = &'a [u8]>, effects: &mut Effects) {
    for line in lines {
        let record = Record { value: Some(line), timestamp: Timestamp::Received };
        divan::black_box(partition.apply(record, None, effects));
        effects.clear();
    }
}

/// Bytes to records for events of leads that are there already.
fn decode_and_apply(bencher: Bencher, rules: Arc<Rules>, first: &Lines, batch: impl FnMut() -> Lines) {
    let mut partition = Partition::new(rules, Limits::default());
    let mut effects = Effects::default();
    feed(&mut partition, first.iter(), &mut effects);
    bencher
        .counter(ItemsCount::new(BATCH))
        .with_inputs(batch)
        .bench_local_refs(|lines| feed(&mut partition, lines.iter(), &mut effects));
}

/// 340-byte track events, leads drawn uniformly: flat but for cache misses.
#[divan::bench(args = [10_000, 100_000, 1_000_000], sample_count = 20, sample_size = 1)]
fn decode_and_apply_small(bencher: Bencher, leads: u64) {
    let mut stream = Stream::new(leads, 2 * leads, 30);
    let first = stream.each();
    decode_and_apply(bencher, small_model(), &first, || stream.batch(BATCH));
}

/// A realistic stream for the b2b-saas model.
#[divan::bench(args = [10_000, 100_000, 1_000_000], sample_count = 20, sample_size = 1)]
fn decode_and_apply_b2b(bencher: Bencher, leads: u64) {
    let mut stream = b2b::Stream::new(leads, 10 * leads, 30);
    let first = stream.each();
    decode_and_apply(bencher, b2b_model(), &first, || stream.batch(BATCH));
}

/// The leads that a realistic stream leaves, as bytes and taken apart.
fn b2b_leads(rules: &Rules) -> (Vec<Vec<u8>>, Vec<(Lead, String)>) {
    let mut partition = Partition::new(Arc::new(Rules::new(rules.model.clone())), Limits::default());
    feed(&mut partition, b2b::Stream::new(1_000, 20_000, 30).batch(20_000).iter(), &mut Effects::default());
    let bytes: Vec<Vec<u8>> = partition.lead_bytes().map(<[u8]>::to_vec).collect();
    let decoded = bytes.iter().map(|bytes| {
        let (mut lead, mut id) = (Lead::default(), String::new());
        let decoded = codec::decode(bytes, &rules.bounds, &mut lead, &mut Told::default(), &mut id);
        decoded.expect("a lead's bytes are readable");
        (lead, id)
    });
    let decoded = decoded.collect();
    (bytes, decoded)
}

#[divan::bench]
fn encode_lead(bencher: Bencher) {
    let rules = b2b_model();
    let (_, leads) = b2b_leads(&rules);
    let (mut told, mut out) = (Told::default(), Vec::new());
    bencher.counter(ItemsCount::new(leads.len())).bench_local(|| {
        for (lead, id) in &leads {
            out.clear();
            codec::write_prefix(&mut out, id);
            codec::encode(divan::black_box(lead), 0, &mut told, &mut out);
        }
        out.len()
    });
}

#[divan::bench]
fn decode_lead(bencher: Bencher) {
    let rules = b2b_model();
    let (leads, _) = b2b_leads(&rules);
    let (mut lead, mut told, mut id) = (Lead::default(), Told::default(), String::new());
    bencher.counter(ItemsCount::new(leads.len())).bench_local(|| {
        leads.iter().all(|bytes| {
            codec::decode(divan::black_box(bytes), &rules.bounds, &mut lead, &mut told, &mut id).is_ok()
        })
    });
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

//! A partition's state is its leads' bytes and its stream time: one that is put back from them goes on as if nothing
//! had happened, and a lead's bytes say all there is to say.

mod oracle;

use oracle::generate::Case;
use qualifyd::core::codec::{self, Bounds, Told};
use qualifyd::core::effects::Effects;
use qualifyd::core::lead::Lead;
use qualifyd::core::partition::{Limits, Partition, Record, Timestamp};
use qualifyd::core::rules::Rules;
use qualifyd::model::Model;
use std::sync::Arc;

const SEEDS: u64 = 300;

fn rules(case: &Case) -> Arc<Rules> {
    let text = case.model.to_json();
    let loaded = Model::load("model", text.as_bytes(), &mut |_| Err(std::io::Error::other("no files")));
    Arc::new(Rules::new(Arc::new(loaded.expect("the generated model is valid").model)))
}

/// The records that lines bring about, as text.
fn apply(partition: &mut Partition, lines: &[Vec<u8>]) -> Vec<String> {
    let mut effects = Effects::default();
    for line in lines {
        partition.apply(Record { value: Some(line), timestamp: Timestamp::Received }, None, &mut effects);
    }
    records(&effects)
}

fn until(partition: &mut Partition, case: &Case) -> Vec<String> {
    let mut effects = Effects::default();
    partition.advance_until(case.until.unwrap_or_default(), &mut effects);
    records(&effects)
}

fn records(effects: &Effects) -> Vec<String> {
    let text = |data: &[u8]| String::from_utf8(data.to_vec()).expect("records are UTF-8");
    effects.outputs().map(|output| format!("{}/{} {}", output.lead, output.seq, text(output.data))).collect()
}

fn sorted_bytes(partition: &Partition) -> Vec<Vec<u8>> {
    let mut all: Vec<_> = partition.lead_bytes().map(<[u8]>::to_vec).collect();
    all.sort();
    all
}

#[test]
fn two_halves_through_the_leads_bytes_equal_one_whole() {
    for seed in 0..SEEDS {
        let case = Case::of(seed);
        let rules = rules(&case);
        let mut whole = Partition::new(rules.clone(), Limits::default());
        let mut expected = apply(&mut whole, &case.lines);
        expected.extend(until(&mut whole, &case));

        let (first_lines, second_lines) = case.lines.split_at(case.lines.len() / 2);
        let mut first = Partition::new(rules.clone(), Limits::default());
        let mut got = apply(&mut first, first_lines);
        let mut second = Partition::new(rules, Limits::default());
        for bytes in first.lead_bytes() {
            second.restore(bytes).expect("the bytes are those of a lead of this model");
        }
        second.restore_stream_time(first.stream_time_ms(), false);
        got.extend(apply(&mut second, second_lines));
        got.extend(until(&mut second, &case));

        assert_eq!(got, expected, "seed {seed}");
        assert_eq!(sorted_bytes(&second), sorted_bytes(&whole), "seed {seed}");
    }
}

#[test]
fn a_leads_bytes_round_trip() {
    let (mut lead, mut told, mut id, mut again) =
        (Lead::default(), Told::default(), String::new(), Vec::new());
    let mut leads = 0;
    for seed in 0..SEEDS {
        let case = Case::of(seed);
        let rules = rules(&case);
        let mut partition = Partition::new(rules.clone(), Limits::default());
        apply(&mut partition, &case.lines);
        let bounds = Bounds::of(&rules.model);
        for bytes in partition.lead_bytes() {
            let tables =
                codec::decode(bytes, &bounds, &mut lead, &mut told, &mut id).expect("a lead's own bytes");
            again.clear();
            codec::write_prefix(&mut again, &id);
            codec::encode(&lead, tables, &mut told, &mut again);
            assert_eq!(again, bytes, "seed {seed}, lead {id}");
            leads += 1;
            for cut in 0..bytes.len() {
                // Cut short they are refused, never misread.
                let read = codec::decode(&bytes[..cut], &bounds, &mut lead, &mut told, &mut id);
                assert!(read.and_then(|_| lead.message_ids.check()).is_err(), "seed {seed}, cut at {cut}");
            }
        }
    }
    assert!(leads > 500, "{leads} leads are too few to trust the test");
}

#[test]
fn an_event_that_changes_only_existing_contributions_allocates_nothing() {
    const MODEL: &str = "
model: small
version: 1
signals:
  page_viewed: { match: { event: page_viewed } }
  pricing_viewed: { match: { kind: page, context.page.path: { prefix: /pricing } } }
scores:
  score:
    groups:
      engagement: { decay: { half_life: 30d }, points: { page_viewed: 1, pricing_viewed: { points: 8, at_most: 3, per: 1d } } }
  fit: { criteria: [ { when: { traits.title: { contains: chief } }, points: 40 } ] }
stages: [ { name: lead }, { name: mql } ]
transitions:
  - { name: qualify, from: lead, to: mql, when: { score.score: { gte: 5000 } } }
";
    let loaded = Model::load("model", MODEL.as_bytes(), &mut |_| Err(std::io::Error::other("no files")));
    let rules = Arc::new(Rules::new(Arc::new(loaded.expect("the model is valid").model)));
    let mut partition = Partition::new(rules, Limits::default());
    let mut effects = Effects::default();
    let line = |n: i64, kind: &str, name: &str| {
        let time = rfc3339(1_772_323_200_000 + n * 60_000);
        format!(
            r#"{{"type":"{kind}","messageId":"m{n}","userId":"u-{}","{name}":"page_viewed","timestamp":"{time}","context":{{"page":{{"path":"/pricing"}}}}}}"#,
            n % 10
        )
    };
    let kinds = [("track", "event"), ("page", "name")];
    let lines: Vec<String> =
        (0..4_000).map(|n| line(n, kinds[n as usize / 10 % 2].0, kinds[n as usize / 10 % 2].1)).collect();
    let mut feed = |lines: &[String]| {
        for line in lines {
            let record = Record { value: Some(line.as_bytes()), timestamp: Timestamp::Received };
            partition.apply(record, None, &mut effects);
        }
    };
    // Until every lead holds all contributions and as many message ids as are kept, and the buffers have grown.
    feed(&lines[..3_000]);
    let counted = allocation_counter::measure(|| feed(&lines[3_000..]));
    assert_eq!(counted.count_total, 0);
}

fn rfc3339(ms: i64) -> String {
    let mut text = Vec::new();
    qualifyd::event::time::write_rfc3339(&mut text, ms);
    String::from_utf8(text).expect("digits and dashes")
}

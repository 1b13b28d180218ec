//! Leads of random models under other random models: whatever the edit, they stay leads of the model that is in force.

mod oracle;

use oracle::doc::Doc;
use oracle::generate::{Case, Rng};
use qualifyd::core::alert;
use qualifyd::core::codec::{self, Told};
use qualifyd::core::effects::Effects;
use qualifyd::core::judge::Judge;
use qualifyd::core::lead::Lead;
use qualifyd::core::memo::Memo;
use qualifyd::core::migrate::{Dropped, Migration};
use qualifyd::core::partition::{Limits, Partition, Record, Timestamp};
use qualifyd::core::rules::Rules;
use qualifyd::core::tables::Tables;
use qualifyd::model::Model;
use std::sync::Arc;

const SEEDS: u64 = 150;

fn rules(model: &Doc) -> Arc<Rules> {
    let text = model.to_json();
    let loaded = Model::load("model", text.as_bytes(), &mut |_| Err(std::io::Error::other("no files")));
    Arc::new(Rules::new(Arc::new(loaded.expect("the generated model is valid").model)))
}

/// A partition to which lines have come.
fn partition(rules: &Arc<Rules>, lines: &[Vec<u8>]) -> Partition {
    let mut partition = Partition::new(rules.clone(), Limits::default());
    feed(&mut partition, lines);
    partition
}

fn feed(partition: &mut Partition, lines: &[Vec<u8>]) {
    let mut effects = Effects::default();
    for line in lines {
        effects.clear();
        partition.apply(Record { value: Some(line), timestamp: Timestamp::Received }, None, &mut effects);
    }
}

fn sorted_bytes(partition: &Partition) -> Vec<Vec<u8>> {
    let mut all: Vec<_> = partition.lead_bytes().map(<[u8]>::to_vec).collect();
    all.sort();
    all
}

/// A lead's bytes after an edit of the model.
fn migrated(old: &Tables, rules: &Rules, bytes: &[u8]) -> (Vec<u8>, Lead, Dropped) {
    let (mut lead, mut told, mut id) = (Lead::default(), Told::default(), String::new());
    codec::decode(bytes, &old.bounds(), &mut lead, &mut told, &mut id).expect("a lead of the old model");
    let before = (lead.clock, lead.seq, lead.first_seen, lead.last_activity, lead.identified);
    let dropped = Migration::new(old, rules).apply(rules, &mut lead);
    assert_eq!((lead.clock, lead.seq, lead.first_seen, lead.last_activity, lead.identified), before);
    let mut again = Vec::new();
    codec::write_prefix(&mut again, &id);
    codec::encode(&lead, 0, &mut told, &mut again);
    (again, lead, dropped)
}

/// All leads of a partition after an edit of the model.
fn edited(partition: &Partition, from: &Rules, to: &Arc<Rules>) -> (Partition, Dropped) {
    let old = Tables::of(&from.model);
    let (mut next, mut dropped) = (Partition::new(to.clone(), Limits::default()), Dropped::default());
    for bytes in partition.lead_bytes() {
        let (bytes, _, gone) = migrated(&old, to, bytes);
        next.restore(&bytes).expect("the bytes are those of a lead of the new model");
        dropped += gone;
    }
    next.restore_stream_time(partition.stream_time_ms(), false);
    (next, dropped)
}

/// No alert that never fired is about to fire only because the model is another.
fn pages_nobody(rules: &Rules, lead: &Lead) -> bool {
    let mut memo = Memo::default();
    rules.timed_alerts.iter().all(|&id| {
        let held = lead.alert(id);
        let mut judge = Judge::at(&rules.model, lead, lead.clock, &mut memo);
        held.disarmed || held.fired_at.is_some() || !alert::may_change(&mut judge, id, lead.clock)
    })
}

#[test]
fn leads_live_on_under_any_other_model() {
    let (mut leads, mut kept, mut lost) = (0, 0, Dropped::default());
    for seed in 0..SEEDS {
        let (case, other) = (Case::of(seed), Case::of(seed + SEEDS));
        let (first, second) = (rules(&case.model), rules(&other.model));
        let (early, late) = case.lines.split_at(case.lines.len() / 2);
        let before = partition(&first, early);
        let old = Tables::of(&first.model);
        for bytes in before.lead_bytes() {
            let (bytes, lead, _) = migrated(&old, &second, bytes);
            assert!(usize::from(lead.stage) < second.model.stages.len(), "seed {seed}");
            assert!(lead.been_in.contains(usize::from(lead.stage)), "seed {seed}");
            assert!(pages_nobody(&second, &lead), "seed {seed}");
            // Migrated to the model that it is of, nothing changes any more.
            let (again, _, dropped) = migrated(&Tables::of(&second.model), &second, &bytes);
            assert_eq!((again, dropped), (bytes, Dropped::default()), "seed {seed}");
            leads += 1;
            kept += lead.held.len() + lead.seen.len() + lead.traits.len() + lead.touches.len();
        }
        let (mut after, dropped) = edited(&before, &first, &second);
        lost += dropped;
        feed(&mut after, late);
        let (mut effects, mut records) = (Effects::default(), 0);
        after.advance_until(after.stream_time_ms() + 60_000, &mut effects);
        after.score_records(0, &mut effects, |_| records += 1);
        assert_eq!(records, after.len(), "seed {seed}");
    }
    assert!(leads > 300 && kept > 500, "{leads} leads that kept {kept} are too few to trust the test");
    let all = lost.by_kind();
    let never: Vec<_> = all.iter().filter(|(_, count)| *count == 0).map(|(kind, _)| kind).collect();
    assert!(never.is_empty(), "never dropped: {never:?}");
}

#[test]
fn the_same_model_changes_nothing() {
    for seed in 0..SEEDS {
        let case = Case::of(seed);
        let rules = rules(&case.model);
        let before = partition(&rules, &case.lines);
        let (after, dropped) = edited(&before, &rules, &rules);
        assert_eq!(dropped, Dropped::default(), "seed {seed}");
        assert_eq!(sorted_bytes(&after), sorted_bytes(&before), "seed {seed}");
    }
}

/// Bytes that were damaged and still are a lead's.
#[test]
fn damaged_leads_are_migrated_too() {
    let (mut rng, mut survived) = (Rng::new(7), 0);
    let (mut lead, mut told, mut id) = (Lead::default(), Told::default(), String::new());
    for seed in 0..SEEDS {
        let (case, other) = (Case::of(seed), Case::of(seed + 1));
        let (first, second) = (rules(&case.model), rules(&other.model));
        let old = Tables::of(&first.model);
        for bytes in partition(&first, &case.lines).lead_bytes() {
            for _ in 0..10 {
                let mut bytes = bytes.to_vec();
                for _ in 0..rng.between(1, 3) {
                    let at = rng.below(bytes.len() as u64) as usize;
                    bytes[at] = rng.next() as u8;
                }
                if codec::decode(&bytes, &old.bounds(), &mut lead, &mut told, &mut id).is_err() {
                    continue;
                }
                let (bytes, _, _) = migrated(&old, &second, &bytes);
                codec::decode(&bytes, &second.bounds, &mut lead, &mut told, &mut id).expect("a lead");
                survived += 1;
            }
        }
    }
    assert!(survived > 1000, "{survived} damaged leads are too few to trust the test");
}

/// The model with everything that has a name in another order, so that nearly all numbers differ.
fn reordered(rng: &mut Rng, model: &Doc) -> Doc {
    let Doc::Map(sections) = model else { panic!("a model is a map") };
    let sections = sections.iter().map(|(name, section)| {
        let section = match (name.as_str(), section.clone()) {
            ("signals" | "scores" | "alerts" | "slas", section) => shuffled(rng, section),
            ("transitions", section) => shuffled(rng, section),
            ("stages", Doc::List(mut stages)) => {
                rng.shuffle(&mut stages[1..]);
                Doc::List(stages)
            }
            ("attribution", Doc::Map(parts)) => Doc::Map(
                parts
                    .into_iter()
                    .map(|(name, part)| match name.as_str() {
                        "channels" => (name, shuffled(rng, part)),
                        _ => (name, part),
                    })
                    .collect(),
            ),
            (_, section) => section,
        };
        (name.clone(), section)
    });
    Doc::Map(sections.collect())
}

fn shuffled(rng: &mut Rng, mut section: Doc) -> Doc {
    match &mut section {
        Doc::Map(entries) => rng.shuffle(entries),
        Doc::List(items) => rng.shuffle(items),
        Doc::Scalar(_) => {}
    }
    section
}

#[test]
fn another_order_loses_nothing_there_and_back() {
    let mut moved = 0;
    for seed in 0..SEEDS {
        let case = Case::of(seed);
        let other = reordered(&mut Rng::new(seed), &case.model);
        let (first, second) = (rules(&case.model), rules(&other));
        let before = partition(&first, &case.lines);
        let (there, lost) = edited(&before, &first, &second);
        let (back, lost_again) = edited(&there, &second, &first);
        assert_eq!((lost, lost_again), (Dropped::default(), Dropped::default()), "seed {seed}");
        assert_eq!(sorted_bytes(&back), sorted_bytes(&before), "seed {seed}");
        moved += usize::from(sorted_bytes(&there) != sorted_bytes(&before));
    }
    assert!(
        moved > SEEDS as usize / 2,
        "{moved} models came out in another order, too few to trust the test"
    );
}

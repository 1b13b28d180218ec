//! The partition as the daemon uses it, with everything that can go wrong between two commits: transactions given up,
//! crashes, commits that are under way while the next records are applied, budgets that end among due times. Whatever
//! happens, the committed records and leads are those of an undisturbed run.

mod oracle;

use oracle::generate::Case;
use qualifyd::core::effects::Effects;
use qualifyd::core::leads::Cause;
use qualifyd::core::partition::{Limits, NEVER, Partition, Record, Timestamp};
use qualifyd::core::rules::Rules;
use qualifyd::model::Model;
use std::collections::BTreeMap;
use std::sync::Arc;

const SEEDS: u64 = 400;

fn rules(case: &Case) -> Arc<Rules> {
    let text = case.model.to_json();
    let loaded = Model::load("model", text.as_bytes(), &mut |_| Err(std::io::Error::other("no files")));
    Arc::new(Rules::new(Arc::new(loaded.expect("the generated model is valid").model)))
}

fn records(effects: &Effects) -> Vec<String> {
    let text = |data: &[u8]| String::from_utf8(data.to_vec()).expect("records are UTF-8");
    effects.outputs().map(|output| format!("{}/{} {}", output.lead, output.seq, text(output.data))).collect()
}

fn assert_same(got: &[String], expected: &[String], seed: u64) {
    for (at, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert_eq!(got, expected, "record {at}, seed {seed}");
    }
    assert_eq!(got.len(), expected.len(), "records, seed {seed}");
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// What the brokers hold: only what was committed.
#[derive(Debug, Default, Clone)]
struct Committed {
    records: Vec<String>,
    /// The changelog after compaction.
    leads: BTreeMap<Vec<u8>, Vec<u8>>,
    stream_time: i64,
    left_over_event: bool,
    next_line: usize,
}

/// A transaction that was begun.
#[derive(Debug, Default)]
struct Handed {
    records: Vec<String>,
    changes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    stream_time: i64,
    left_over_event: bool,
    next_line: usize,
}

struct Simulation {
    rules: Arc<Rules>,
    limits: Limits,
    lines: Vec<Vec<u8>>,
    random: Random,
    committed: Committed,
    partition: Partition,
    effects: Effects,
    next_line: usize,
    /// A commit that is under way.
    handed: Option<Handed>,
}

impl Simulation {
    fn new(case: &Case, seed: u64) -> Simulation {
        let rules = rules(case);
        let limits = Limits::default();
        let mut partition = Partition::new(rules.clone(), limits.clone());
        partition.track_changes();
        Simulation {
            rules,
            limits,
            lines: case.lines.clone(),
            random: Random(seed),
            committed: Committed::default(),
            partition,
            effects: Effects::default(),
            next_line: 0,
            handed: None,
        }
    }

    fn hand_over(&mut self) {
        let changes = self.partition.changed();
        let changes = changes
            .map(|change| (change.prefix.to_vec(), change.rest.map(|rest| [change.prefix, rest].concat())))
            .collect();
        self.handed = Some(Handed {
            records: records(&self.effects),
            changes,
            stream_time: self.partition.stream_time_ms(),
            left_over_event: self.partition.left_over() == Some(Cause::Event),
            next_line: self.next_line,
        });
        self.effects.clear();
        self.partition.hand_over();
    }

    fn settle(&mut self) {
        let Some(handed) = self.handed.take() else { return };
        self.committed.records.extend(handed.records);
        for (prefix, bytes) in handed.changes {
            match bytes {
                Some(bytes) => self.committed.leads.insert(prefix, bytes),
                None => self.committed.leads.remove(&prefix),
            };
        }
        self.committed.stream_time = handed.stream_time;
        self.committed.left_over_event = handed.left_over_event;
        self.committed.next_line = handed.next_line;
        self.partition.committed();
    }

    /// The transaction under way, if any, and all after it came to nothing.
    fn give_up(&mut self) {
        self.handed = None;
        self.effects.clear();
        self.partition.roll_back(self.committed.stream_time, self.committed.left_over_event);
        self.next_line = self.committed.next_line;
        assert_eq!(self.leads(), self.committed.leads);
        self.check_census();
    }

    fn crash(&mut self) {
        self.handed = None;
        self.effects.clear();
        self.partition = Partition::new(self.rules.clone(), self.limits.clone());
        for bytes in self.committed.leads.values() {
            self.partition.restore(bytes).expect("bytes that were committed");
        }
        self.partition.restore_stream_time(self.committed.stream_time, self.committed.left_over_event);
        self.partition.track_changes();
        self.next_line = self.committed.next_line;
    }

    /// The leads are counted as if somebody had counted them just now, one by one.
    fn check_census(&self) {
        let mut counted = Partition::new(self.rules.clone(), self.limits.clone());
        for bytes in self.partition.lead_bytes() {
            counted.restore_unchecked(bytes, NEVER).expect("a lead");
        }
        counted.finish_restore(false).expect("leads");
        assert_eq!(self.partition.census(), counted.census());
    }

    fn leads(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let prefix = |bytes: &[u8]| qualifyd::core::codec::prefix_length(bytes).expect("a lead");
        self.partition.lead_bytes().map(|bytes| (bytes[..prefix(bytes)].to_vec(), bytes.to_vec())).collect()
    }

    fn step(&mut self) {
        match self.random.below(20) {
            0 => self.crash(),
            1 => self.give_up(),
            2..5 => self.settle(),
            5..8 if self.handed.is_none() => self.hand_over(),
            _ if self.next_line < self.lines.len() => {
                let value = Some(&self.lines[self.next_line][..]);
                let record = Record { value, timestamp: Timestamp::Received };
                let mut budget = self.random.below(4) as usize;
                if self.partition.apply_within(record, None, &mut budget, &mut self.effects).is_some() {
                    self.next_line += 1;
                }
            }
            _ => {}
        }
    }

    fn run(&mut self) {
        while self.committed.next_line < self.lines.len() {
            self.step();
            if self.random.below(60) == 0 {
                self.check_census();
            }
        }
        self.give_up();
    }
}

#[test]
fn whatever_goes_wrong_the_committed_records_are_those_of_an_undisturbed_run() {
    let mut all = 0;
    for seed in 0..SEEDS {
        let case = Case::of(seed);
        let mut simulation = Simulation::new(&case, seed);
        let mut whole = Partition::new(simulation.rules.clone(), Limits::default());
        let mut effects = Effects::default();
        for line in &case.lines {
            whole.apply(Record { value: Some(line), timestamp: Timestamp::Received }, None, &mut effects);
        }
        simulation.run();
        assert_same(&simulation.committed.records, &records(&effects), seed);
        let mut expected: Vec<_> = whole.lead_bytes().map(<[u8]>::to_vec).collect();
        expected.sort();
        let mut got: Vec<_> = simulation.committed.leads.into_values().collect();
        got.sort();
        assert_eq!(got, expected, "seed {seed}");
        all += effects.outputs().count();
    }
    assert!(all > 1_000, "the cases are too quiet: {all} records");
}

#[test]
fn time_that_goes_on_in_small_steps_fires_what_one_large_step_fires() {
    for seed in 0..SEEDS {
        let case = Case::of(seed);
        let rules = rules(&case);
        let mut expected = Effects::default();
        let mut whole = Partition::new(rules.clone(), Limits::default());
        let mut stepwise = Partition::new(rules, Limits::default());
        let mut got = Effects::default();
        for line in &case.lines {
            let record = Record { value: Some(line), timestamp: Timestamp::Received };
            whole.apply(record, None, &mut expected);
            stepwise.apply(record, None, &mut got);
        }
        let until = whole.stream_time_ms() + 20 * 60_000;
        assert!(whole.advance_clock(until, &mut usize::MAX.clone(), &mut expected));
        let mut random = Random(seed);
        while !stepwise.advance_clock(until, &mut (random.below(3) as usize), &mut got) {}
        assert_same(&records(&got), &records(&expected), seed);
    }
}

#[test]
fn a_lead_is_dropped_when_its_retention_is_over_and_nothing_is_due() {
    let model = "
model: m
version: 1
stages: [ { name: new }, { name: cold } ]
signals: { visit: { match: { kind: page } } }
transitions: [ { name: cools, from: new, to: cold, inactive_for: 5d } ]
";
    let loaded = Model::load("model", model.as_bytes(), &mut |_| Err(std::io::Error::other("no files")));
    let rules = Arc::new(Rules::new(Arc::new(loaded.expect("the model is valid").model)));
    const DAY_MS: i64 = 86_400_000;
    let limits = Limits { retention_ms: Some(10 * DAY_MS), grace_ms: 0, ..Limits::default() };
    let mut partition = Partition::new(rules, limits);
    partition.track_changes();
    let mut effects = Effects::default();
    let start = 1_700_000_000_000;
    let event = format!(r#"{{"type":"page","messageId":"1","userId":"u","timestamp":{start}}}"#);
    let record = Record { value: Some(event.as_bytes()), timestamp: Timestamp::At(start) };
    partition.apply(record, None, &mut effects);
    partition.hand_over();
    partition.committed();
    let mut advance = |partition: &mut Partition, days: i64| {
        assert!(partition.advance_clock(start + days * DAY_MS, &mut usize::MAX.clone(), &mut effects));
        partition.len()
    };
    // Its last due time was after five days; ten more have to pass.
    assert_eq!(advance(&mut partition, 14), 1);
    assert_eq!(advance(&mut partition, 15), 0);
    assert_eq!(partition.forgotten(), 1);
    let changed: Vec<bool> = partition.changed().map(|change| change.rest.is_some()).collect();
    assert_eq!(changed, [false], "the changelog has to hear of it");
    assert_eq!(partition.census().stages.iter().map(|stage| stage.leads).sum::<i64>(), 0);
    partition.roll_back(start, false);
    let stages: Vec<_> = partition.census().stages.iter().map(|stage| (stage.leads, stage.entered)).collect();
    assert_eq!(stages, [(1, 1), (0, 0)], "as it was at the commit");
    assert_eq!(advance(&mut partition, 14), 1);
    assert_eq!(advance(&mut partition, 16), 0);
}

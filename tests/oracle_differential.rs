//! The engine against the oracle: random models and streams, record by record.
//!
//! `QUALIFYD_ORACLE_SEEDS=5000` runs more seeds, `QUALIFYD_ORACLE_FROM=123` begins with another one.

mod oracle;

use std::env;
use std::panic::{self, AssertUnwindSafe};

use oracle::engine::Failure;
use oracle::generate::Case;
use oracle::{Model, Options, compare, engine, shrink};

enum Verdict {
    Same,
    Differs(String),
    /// The engine does not run the model or the stream, or does not come to an end.
    Fails(Failure),
}

#[derive(PartialEq)]
enum Kind {
    Differs,
    /// The first complaint, without the place.
    Refuses(String),
    Stuck,
}

impl Verdict {
    fn kind(&self) -> Option<Kind> {
        match self {
            Verdict::Same => None,
            Verdict::Differs(_) => Some(Kind::Differs),
            Verdict::Fails(Failure::Refuses(message)) => {
                let complaint = message.lines().next().unwrap_or_default();
                Some(Kind::Refuses(complaint.rsplit("error: ").next().unwrap_or_default().to_string()))
            }
            Verdict::Fails(Failure::Stuck) => Some(Kind::Stuck),
        }
    }
}

fn judge(case: &Case) -> Verdict {
    let text = case.model.to_json();
    let options = Options { until: case.until, scores: case.scores, every_second: false };
    let expected = oracle::replay(&Model::read(&text), &case.input(), options);
    match engine::replay(&text, &case.input(), case.until, case.scores) {
        Err(failure) => Verdict::Fails(failure),
        Ok(got) => match compare::difference(&expected, &got) {
            None => Verdict::Same,
            Some(difference) => Verdict::Differs(difference),
        },
    }
}

/// A smaller case with a failure of the same kind, and a text that tells it.
fn explain(case: &Case, kind: &Kind) -> String {
    eprintln!("seed {} fails; looking for a smaller case", case.seed);
    let hook = panic::take_hook();
    // A model that was made too small is not readable for the oracle: not the failure that is sought.
    panic::set_hook(Box::new(|_| {}));
    let fails = |case: &Case| {
        let verdict = panic::catch_unwind(AssertUnwindSafe(|| judge(case)));
        verdict.is_ok_and(|verdict| verdict.kind().as_ref() == Some(kind))
    };
    let small = shrink::shrink(case, &fails);
    panic::set_hook(hook);
    let message = match judge(&small) {
        Verdict::Same => "a failure that comes and goes".to_string(),
        Verdict::Differs(difference) => difference,
        Verdict::Fails(Failure::Refuses(message)) => format!("the engine refuses it: {message}"),
        Verdict::Fails(Failure::Stuck) => "the engine does not come to an end".to_string(),
    };
    let lines: Vec<_> = small.lines.iter().map(|line| String::from_utf8_lossy(line)).collect();
    format!(
        "seed {}, made smaller\nmodel: {}\nuntil: {:?} scores: {}\nevents:\n{}\n{message}",
        small.seed,
        small.model.to_json(),
        small.until.map(oracle::time::write),
        small.scores,
        lines.join("\n"),
    )
}

fn number_of(variable: &str, default: u64) -> u64 {
    env::var(variable).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn the_engine_prints_what_the_oracle_prints() {
    let from = number_of("QUALIFYD_ORACLE_FROM", 0);
    for seed in from..from + number_of("QUALIFYD_ORACLE_SEEDS", 100) {
        let case = Case::of(seed);
        if let Some(kind) = judge(&case).kind() {
            panic!("{}", explain(&case, &kind));
        }
    }
}

//! From the bytes of a 340-byte track to an event, for models that read 0, 3 and 30 fields.

use divan::{Bencher, black_box};
use qualifyd::event::EventLimits;
use qualifyd::event::scan::{Plan, Scanner};
use qualifyd::model::compiled::{EventPath, Field};

const LIMITS: EventLimits = EventLimits { event_bytes: 262_144, future_skew_ms: 300_000 };
const RECORD_MS: i64 = 1_772_323_200_000;
const EVENT: &str = concat!(
    r#"{"type":"track","messageId":"6f1c2a9e-03d1-4b7a-9f3c-5a1be7c09d42","userId":"u-104729","#,
    r#""event":"page_viewed","timestamp":"2026-03-01T00:00:00.000Z","#,
    r#""properties":{"path":"/pricing","title":"Pricing","plan":"pro"},"context":{"ip":"203.0.113.7","#,
    r#""page":{"path":"/pricing","url":"https://www.example.com/pricing","referrer":"https://www.google.com/"},"#,
    r#""campaign":{"source":"google","medium":"cpc","name":"spring"}}}"#
);

fn main() {
    divan::main();
}

/// A model's fields: the first ones are in the event, most of the others are not.
fn paths(count: usize) -> Vec<EventPath> {
    let steps = |path: &str| path.split('.').map(str::to_owned).collect();
    let found = ["page.path", "campaign.medium", "page.referrer", "campaign.source", "campaign.name"];
    let mut paths: Vec<_> = found.iter().map(|path| EventPath::Context(steps(path))).collect();
    paths.extend(["plan", "path", "title"].map(|path| EventPath::Properties(steps(path))));
    paths.extend((0..12).map(|n| EventPath::Properties(steps(&format!("property_{n}")))));
    paths.extend((0..10).map(|n| EventPath::Traits(steps(&format!("company.trait_{n}")))));
    paths.truncate(count);
    paths
}

#[divan::bench(args = [0, 3, 30], sample_count = 100, sample_size = 1000)]
fn scan_and_event(bencher: Bencher, count: usize) {
    let plan = Plan::of(&paths(count), &[]);
    let mut scanner = Scanner::default();
    bencher.bench_local(|| {
        let scan = scanner.scan(&plan, &LIMITS, black_box(EVENT.as_bytes())).ok()?;
        scan.event(&LIMITS, Some(RECORD_MS)).ok().map(|event| (event.time_ms, event.lead.len()))
    });
}

/// The same, and every field's values looked at once.
#[divan::bench(args = [3, 30], sample_count = 100, sample_size = 1000)]
fn scan_event_and_values(bencher: Bencher, count: usize) {
    let paths = paths(count);
    let plan = Plan::of(&paths, &[]);
    let mut scanner = Scanner::default();
    bencher.bench_local(|| {
        let scan = scanner.scan(&plan, &LIMITS, black_box(EVENT.as_bytes())).ok()?;
        let event = scan.event(&LIMITS, Some(RECORD_MS)).ok()?;
        let values = |id| event.scan.values(Field::Path(id)).count();
        Some((0..paths.len() as u16).map(values).sum::<usize>())
    });
}

use super::*;
use std::collections::HashSet;

fn options() -> Options {
    Options { leads: 150, days: 90, ..Options::default() }
}

#[test]
fn the_same_options_give_the_same_bytes() {
    let events: Vec<Event> = Generator::new(options()).collect();
    assert!(events.len() > 500, "{}", events.len());
    assert!(Generator::new(options()).eq(events.iter().cloned()));
    assert!(Generator::new(Options { seed: 2, ..options() }).ne(events));
}

#[test]
fn events_come_in_the_order_of_arrival_within_the_days() {
    let options = options();
    let end = options.start_ms + 90 * DAY;
    let mut last = options.start_ms;
    for event in Generator::new(options) {
        assert!(event.arrives_ms >= last && event.arrives_ms < end);
        last = event.arrives_ms;
    }
    assert!(last > end - 3 * DAY, "the stream does not dry up");
}

#[test]
fn a_lead_keeps_its_id_when_it_says_who_it_is() {
    let faultless = Options { malformed: 0.0, ..options() };
    let (mut anonymous, mut known) = (HashSet::new(), HashSet::new());
    for event in Generator::new(faultless) {
        let value: serde_json::Value = serde_json::from_slice(&event.value).expect("JSON");
        if value["event"] == "Ad Spend Recorded" {
            continue;
        }
        assert_eq!(value["anonymousId"], event.key.as_str());
        if value["userId"].is_null() {
            anonymous.insert(event.key);
        } else {
            assert_eq!(value["userId"], event.key.as_str());
            known.insert(event.key);
        }
    }
    assert!(anonymous.intersection(&known).count() > 20);
    assert!(anonymous.difference(&known).count() > 20);
}

#[test]
fn an_endless_stream_goes_on_with_new_leads() {
    let mut generator = Generator::new(Options { endless: true, ..options() });
    let last = generator.by_ref().nth(20_000).expect("it goes on");
    assert!(last.arrives_ms > options().start_ms + 90 * DAY);
    assert!(generator.leads() > 300);
}

#[test]
fn the_shares_of_faults_are_kept() {
    let count = |options: Options| Generator::new(options).count() as f64;
    let clean = Options { duplicates: 0.0, malformed: 0.0, late: 0.0, ..options() };
    let base = count(clean.clone());
    let doubled = count(Options { duplicates: 1.0, ..clean.clone() });
    // Spend comes once.
    assert!(doubled > 1.8 * base && doubled <= 2.0 * base, "{doubled} of {base}");
    let is_late = |event: &Event| {
        let value: serde_json::Value = serde_json::from_slice(&event.value).expect("JSON");
        let time = crate::event::time::parse_text(value["timestamp"].as_str().expect("a time"));
        event.arrives_ms - time.expect("a time") > HOUR
    };
    assert_eq!(Generator::new(clean.clone()).filter(is_late).count(), 0);
    let late = Generator::new(Options { late: 0.5, ..clean }).filter(is_late).count() as f64;
    assert!((0.2..0.5).contains(&(late / base)), "{late} of {base}");
}

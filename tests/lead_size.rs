//! What a lead costs in memory, everything counted: its bytes, its place in the index, its timer.
//!
//! `cargo test --test lead_size -- --nocapture` prints the parts.

use qualifyd::core::effects::Effects;
use qualifyd::core::partition::{Limits, Outcome, Partition, Record, Timestamp};
use qualifyd::core::rules::Rules;
use std::path::Path;
use std::sync::Arc;

const LEADS: u64 = 10_000;
/// A guard against growing; vectors and tables here have the slack that they have at any size.
const MOST_BYTES: f64 = 400.0;
const START_MS: i64 = 1_772_323_200_000;
const HOUR_MS: i64 = 3_600_000;

fn partition() -> Partition {
    let loaded = qualifyd::check::load(Path::new("deploy/models/b2b-saas.yaml"));
    Partition::new(
        Arc::new(Rules::new(Arc::new(loaded.expect("the model is valid").model))),
        Limits::default(),
    )
}

fn feed(partition: &mut Partition, line: &str) {
    let mut effects = Effects::default();
    let record = Record { value: Some(line.as_bytes()), timestamp: Timestamp::Received };
    let outcome = partition.apply(record, None, &mut effects);
    assert_eq!(outcome, Outcome::Applied, "{line}");
}

/// A UUID that depends on both numbers in every digit.
fn uuid(a: u64, b: u64) -> String {
    let mix = |n: u64| {
        (n ^ n >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    };
    let (x, y) = (mix(a * 1_000 + b + 1), mix(mix(a * 1_000 + b + 7)));
    let (x1, x2, x3) = (x >> 32, x >> 16 & 0xffff, x & 0xfff);
    format!("{x1:08x}-{x2:04x}-4{x3:03x}-a{:03x}-{:012x}", y >> 52, y & 0xffff_ffff_ffff)
}

fn time(ms: i64) -> String {
    let mut text = Vec::new();
    qualifyd::event::time::write_rfc3339(&mut text, ms);
    String::from_utf8(text).expect("digits and dashes")
}

/// Ten touches of a few channels over three weeks, eight signals, four traits, eight message ids.
fn typical_lead(lead: u64) -> Vec<(i64, String)> {
    let id = uuid(lead, 0);
    let start = START_MS + (lead as i64 * 7_919_333) % (5 * 24 * HOUR_MS);
    let page = |n: u64, hours: i64, path: &str, context: &str, identified: bool| {
        let at = start + hours * HOUR_MS + (lead * 13 + n * 7_907) as i64 % HOUR_MS;
        let message = if identified { format!(r#""messageId":"{}","#, uuid(lead, n)) } else { String::new() };
        let text = format!(
            r#"{{"type":"page","userId":"{id}",{message}"timestamp":"{}","context":{{"page":{{"path":"{path}"{context}}}}}}}"#,
            time(at)
        );
        (at, text)
    };
    let campaign = |n: u64, hours: i64, event: &str, medium: &str| {
        let at = start + hours * HOUR_MS + (lead * 17 + n * 104_729) as i64 % HOUR_MS;
        let text = format!(
            r#"{{"type":"track","event":"{event}","userId":"{id}","messageId":"{}","timestamp":"{}","context":{{"campaign":{{"medium":"{medium}"}}}}}}"#,
            uuid(lead, n),
            time(at)
        );
        (at, text)
    };
    let google = r#","referrer":"https://www.google.com/""#;
    let identify = format!(
        r#"{{"type":"identify","userId":"{id}","messageId":"{}","timestamp":"{}","traits":{{"email":"lead{lead:06}@company.example","title":"Head of Operations","country":"DE","company":{{"employees":250}}}}}}"#,
        uuid(lead, 1),
        time(start + HOUR_MS)
    );
    vec![
        page(20, 0, "/", google, false),
        (start + HOUR_MS, identify),
        campaign(2, 30, "Document Downloaded", "cpc"),
        page(21, 54, "/product/scoring", google, false),
        campaign(3, 100, "Email Link Clicked", "email"),
        page(22, 101, "/pricing", google, false),
        campaign(4, 200, "Webinar Registered", "partner"),
        campaign(5, 260, "Webinar Attended", "partner"),
        campaign(6, 330, "Email Link Clicked", "email"),
        campaign(7, 400, "Form Submitted", "paid_social"),
        campaign(8, 480, "Document Downloaded", "cpc"),
    ]
}

#[test]
fn a_typical_lead_stays_small() {
    let mut partition = partition();
    let mut events: Vec<_> = (0..LEADS).flat_map(typical_lead).collect();
    events.sort();
    events.iter().for_each(|(_, line)| feed(&mut partition, line));
    assert_eq!(partition.len() as u64, LEADS);
    let encoded: usize = partition.lead_bytes().map(<[u8]>::len).sum();
    let [blocks, entries, index, timers] = partition.heap_bytes();
    let each = |bytes: usize| bytes as f64 / LEADS as f64;
    let all = each(blocks + entries + index + timers);
    println!(
        "bytes per typical lead: encoded {:.1}, blocks {:.1}, entries {:.1}, index {:.1}, timers {:.1}: {all:.1} in all",
        each(encoded),
        each(blocks),
        each(entries),
        each(index),
        each(timers)
    );
    assert!(all <= MOST_BYTES, "{all:.1} bytes per lead");
}

/// Every signal of the model, traits, 20 touches and 64 message ids, again and again.
#[test]
fn the_fullest_lead_stays_in_bounds() {
    let events = std::fs::read_to_string("deploy/models/b2b-saas.yaml").expect("the model is there");
    // What stands behind `event:` in the signals: a name or a list of names.
    let names: Vec<&str> = events
        .lines()
        .filter(|line| line.contains("{ match: {") || line.trim_start().starts_with("event: {"))
        .filter_map(|line| line.split_once("event: "))
        .flat_map(|(_, rest)| match rest.strip_prefix("{ in: [") {
            Some(list) => list.split(']').next().unwrap_or_default().split(", ").collect::<Vec<_>>(),
            None => vec![rest.split([',', '}']).next().unwrap_or_default().trim()],
        })
        .filter(|&name| name != "Ad Spend Recorded")
        .collect();
    assert!(names.len() > 50, "{names:?}");
    let mut partition = partition();
    let id = uuid(1, 0);
    let mediums = ["cpc", "email", "paid_social", "partner"];
    let pages = ["/pricing", "/product/x", "/compare/x", "/careers", "/"];
    let mut fullest = 0;
    for n in 0..400_u64 {
        let at = time(START_MS + n as i64 * (HOUR_MS * 7 + 1_234));
        let message = uuid(n, 3);
        let line = if n % 3 == 0 {
            let path = pages[n as usize / 3 % pages.len()];
            format!(
                r#"{{"type":"page","userId":"{id}","messageId":"{message}","timestamp":"{at}","context":{{"page":{{"path":"{path}"}},"sessionStart":true}}}}"#
            )
        } else {
            let (event, medium) = (names[n as usize % names.len()], mediums[n as usize % 4]);
            format!(
                r#"{{"type":"track","event":"{event}","userId":"{id}","messageId":"{message}","timestamp":"{at}","properties":{{"seconds":50,"points":1,"type":"hard","stage":"bofu","plan":"trial","email":"{n}@x.example"}},"context":{{"campaign":{{"medium":"{medium}"}}}},"traits":{{"email":"lead000001@company.example","title":"Head of Operations","country":"DE","first_name":"Ada","last_name":"Lovelace","budget":50000,"company":{{"name":"Company","domain":"company.example","employees":250,"industry":"software"}}}}}}"#
            )
        };
        feed(&mut partition, &line);
        let bytes = partition.lead_bytes().next().map_or(0, <[u8]>::len);
        fullest = fullest.max(bytes);
        if [1, 5, 10, 20, 50, 100, 200, 400].contains(&(n + 1)) {
            println!("bytes of a lead after {} events of all kinds: {bytes}", n + 1);
        }
    }
    println!("bytes of the fullest lead: {fullest}");
    assert!(fullest <= 3_072, "{fullest} bytes");
}

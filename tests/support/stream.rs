//! A generated stream of events and a model that makes something of each kind of them.

use super::kafka::Record;

pub const MODEL: &str = "
model: pipeline
version: 1
signals:
  visit:     { match: { kind: page, properties.path: { prefix: /pricing } } }
  download:  { match: { event: Document Downloaded } }
  demo:      { match: { event: Demo Requested } }
  contacted: { match: { event: Call Logged }, activity: false }
  order:     { match: { event: Order Completed } }
scores:
  engagement:
    range: [0, 100]
    inactivity: { after: 10d, points: -10, every: 10d }
    groups:
      content:
        decay: { half_life: 7d }
        points:
          visit: { points: 12, at_most: 3, per: 1d }
          download: 5
          demo: { points: 40, decay: { lifespan: 30d } }
  fit:
    criteria:
      - { when: { traits.title: { contains: chief } }, points: 40, label: Decision maker }
      - { when: { traits.company.employees: { gte: 200 } }, points: 30 }
    grades: { A: 70, B: 30, C: 0 }
stages:
  - { name: visitor }
  - { name: lead, owner: marketing, action: nurture }
  - { name: mql, owner: marketing }
  - { name: customer, owner: success, requires: [traits.email] }
transitions:
  - { name: identify, from: visitor, to: lead, when: { identified: true } }
  - { name: qualify, from: lead, to: mql, when: { score.engagement: { gte: 50 } } }
  - { name: cool, from: mql, to: lead, when: { score.engagement: { lt: 20 } } }
  - { name: win, from: any, to: customer, on: order }
alerts:
  hot: { when: { score.engagement: { gte: 60 } }, rearm: { score.engagement: { lt: 40 } }, cooldown: 24h, route: sales, priority: high }
slas:
  speed: { start: { on: demo }, stop: { on: contacted }, due: 5m, past_due: 30m }
attribution:
  channels:
    paid: { context.campaign.medium: { in: [cpc, ppc] } }
    site: { kind: page }
  models: [first, last, linear]
  credit: [mql, customer]
  value: { order: properties.total }
emit: { traits: [email, company.name], scores: { on_change_of: 5 } }
";

/// 2025-03-01T00:00:00Z
const START_MS: i64 = 1_740_787_200_000;
const LEADS: u64 = 40;

/// Events of some leads over some weeks, now and then late, repeated, null or broken, each in its lead's partition.
pub fn generate(count: u64, partitions: i32) -> Vec<Record> {
    let mut random = Random(1);
    let mut now_ms = START_MS;
    (0..count)
        .map(|number| {
            now_ms += random.below(15 * 60_000) as i64;
            let lead = random.below(LEADS);
            let value = match random.below(40) {
                0 => None,
                1 => Some(r#"{"type":"track","userId":"#.into()),
                2 => Some(r#"{"type":"page","messageId":"nobody"}"#.into()),
                _ => Some(event(&mut random, number, lead, now_ms)),
            };
            let partition = (lead % partitions as u64) as i32;
            Record {
                partition,
                offset: 0,
                timestamp_ms: Some(now_ms),
                key: Some(format!("lead-{lead}").into_bytes()),
                value: value.map(String::into_bytes),
                headers: vec![("trace".into(), Some(number.to_be_bytes().to_vec()))],
            }
        })
        .collect()
}

fn event(random: &mut Random, number: u64, lead: u64, now_ms: i64) -> String {
    let late_ms = if random.below(10) == 0 { random.below(3 * 86_400_000) as i64 } else { 0 };
    let time = now_ms - late_ms;
    // Numbers that come again in one lead or another, with times near and far.
    let message = if random.below(5) == 0 { number % 7 } else { number };
    let body = match random.below(12) {
        0..=4 => r#""type":"page","name":"Pricing","properties":{"path":"/pricing/teams"},"context":{"campaign":{"medium":"cpc"}}"#.to_owned(),
        5 => r#""type":"page","name":"Home","properties":{"path":"/"}"#.to_owned(),
        6 | 7 => r#""type":"track","event":"Document Downloaded""#.to_owned(),
        8 => r#""type":"track","event":"Demo Requested""#.to_owned(),
        9 => r#""type":"track","event":"Call Logged""#.to_owned(),
        10 => format!(
            r#""type":"identify","traits":{{"email":"lead-{lead}@example.com","title":"Chief {lead}","company":{{"name":"Müller & Co","employees":{}}}}}"#,
            100 + random.below(200)
        ),
        _ => format!(r#""type":"track","event":"Order Completed","properties":{{"total":{}}}"#, random.below(1_000)),
    };
    format!(r#"{{"messageId":"m-{message}","anonymousId":"lead-{lead}","timestamp":{time},{body}}}"#)
}

/// A small generator of numbers that are the same in every run.
pub struct Random(pub u64);

impl Random {
    /// From 0 to one below the bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

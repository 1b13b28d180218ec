//! Leads as they come to be, and leads whose parts are set to what arithmetic stumbles over.

use qualifyd::core::codec::{self, Told};
use qualifyd::core::lead::*;
use qualifyd::event::time::LATEST_MS;
use qualifyd_fuzz::{NOW_MS, RULES, apply_all, encoded};
use std::fmt::Write;

/// splitmix64 (Steele, Lea and Flood, 2014).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize]
    }

    /// Not after `clock`.
    fn time(&mut self, clock: i64) -> i64 {
        let ago =
            [0, 1, 999, 1000, 89_999, 90_000, 3_600_000, 86_400_000, 1_209_600_000, 1_209_600_001, i64::MAX];
        (clock - self.pick(&ago).min(clock)).max(0)
    }

    fn count(&mut self) -> u32 {
        self.pick(&[0, 1, 2, 3, 4, 1000, u32::MAX - 1, u32::MAX])
    }

    fn points(&mut self) -> f64 {
        let usual = [0.0, -0.0, 1.0, -1.0, 5.0, 10.0, 49.999_999_5, 50.0, 500.0, 1000.0, 1e9, 1e15];
        let odd = [f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, -5e-324, 0.1, 4.5e9, -4.5e9];
        if self.below(2) == 0 { self.pick(&usual) } else { self.pick(&odd) }
    }

    fn item<'a, T>(&mut self, items: &'a mut [T]) -> Option<&'a mut T> {
        let at = self.below(items.len().max(1) as u64) as usize;
        items.get_mut(at)
    }
}

/// The bytes of a lead after some events.
pub fn lived(random: &mut Random) -> Vec<u8> {
    let mut events = String::new();
    let mut time_ms = NOW_MS;
    for number in 0..1 + random.below(12) {
        time_ms += random.pick(&[0, 1, 1000, 90_000, 3_600_000, 86_400_000, -86_400_000, 1_209_600_000]);
        let kind = random.pick(&["track", "track", "track", "page", "identify", "group"]);
        let event = random.pick(&["A", "B", "C", "E", "S", "Z"]);
        let points = random.pick(&["1", "-1", "5", "1000", "1.7e308", "-1.7e308", "1e-300", "\"x\""]);
        let traits = random.pick(&[
            "",
            r#""email":"x@gmail.com""#,
            r#""title":"VP","budget":20000"#,
            r#""company":{"name":"é","size":200}"#,
            r#""email":null,"tags":["a",{"b":"\""}]"#,
        ]);
        let id = random.pick(&["u", "u", "u", "0b54e0f2-0c1d-4f6a-9b7e-1f2d3c4b5a69"]);
        let _ = write!(
            events,
            "\0{{\"type\":\"{kind}\",\"event\":\"{event}\",\"userId\":\"{id}\",\"messageId\":\"{number}\",\
             \"timestamp\":{time_ms},\"properties\":{{\"n\":{points},\"email\":\"{number}\"}},\"traits\":{{{traits}}},\
             \"context\":{{\"campaign\":{{\"medium\":\"cpc\"}},\"page\":{{\"path\":\"/p\"}}}}}}\n\n"
        );
    }
    let partition = apply_all(&RULES, events.as_bytes(), 0);
    partition.lead_bytes().last().unwrap_or_default().to_vec()
}

/// The bytes of a lead with some parts set to extremes; `None` for bytes that are no lead's.
pub fn twisted(bytes: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let (mut lead, mut id) = (Lead::default(), String::new());
    codec::decode(bytes, &RULES.bounds, &mut lead, &mut Told::default(), &mut id).ok()?;
    for _ in 0..1 + random.below(4) {
        twist(&mut lead, random);
    }
    Some(encoded(&RULES, &lead, &id))
}

fn twist(lead: &mut Lead, random: &mut Random) {
    let (bounds, clock) = (&RULES.bounds, lead.clock);
    let time = random.time(clock);
    match random.below(16) {
        0 => lead.clock = random.pick(&[0, 1, 999, LATEST_MS, LATEST_MS - 1, NOW_MS]),
        1 => lead.entered_at = time,
        2 => lead.first_seen = time,
        3 => lead.last_activity = Some(time),
        4 => lead.seq = random.pick(&[0, 1, u64::from(u32::MAX), i64::MAX as u64, u64::MAX]),
        5 => lead.stage = random.below(bounds.stages as u64) as u16,
        6 => lead.pending.insert(random.below(bounds.transitions as u64) as usize),
        7 => lead.fired_by_time.insert(random.below(bounds.transitions as u64) as usize),
        8 => twist_held(lead, random),
        9 => {
            if let Some(seen) = random.item(&mut lead.seen) {
                seen.count = random.count();
            }
        }
        10 => {
            let fired_at = random.pick(&[None, Some(time)]);
            let id = random.below(bounds.alerts as u64) as u16;
            lead.set_alert(AlertHeld { id, disarmed: random.below(2) == 0, fired_at });
        }
        11 => {
            if let Some(sla) = random.item(&mut lead.slas) {
                (sla.started_at, sla.due_sent) = (time, random.below(2) == 0);
            }
        }
        12 => {
            if let Some(score) = random.item(&mut lead.sent_scores) {
                score.value = random.points();
                score.grade = random.pick(&[None, Some(0), Some(200), Some(254)]);
            }
        }
        13 => lead.resets.push(Reset { score: random.below(bounds.scores as u64) as u16, until: time }),
        14 => lead.touches.push(Touch { channel: random.below(bounds.channels as u64) as u16, time }),
        _ => lead.message_ids.push(random.below(u64::MAX), time, 64),
    }
}

fn twist_held(lead: &mut Lead, random: &mut Random) {
    let Lead { held, slots, times, clock, .. } = lead;
    let Some(held) = random.item(held) else { return };
    match random.below(5) {
        0 => held.value = random.points(),
        1 => held.count = random.count(),
        2 => held.last_at = random.time(*clock),
        3 => {
            if let Some(slot) = random.item(slots.get_mut(held.slots)) {
                (slot.points, slot.count) = (random.points(), random.count());
            }
        }
        _ => {
            let time = times.get(held.times).last().copied().unwrap_or(0);
            times.push(&mut held.times, time);
        }
    }
}

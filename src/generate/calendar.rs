//! When people do things: by the hour of the day and the day of the week, where they live.

use super::random::Random;

pub const MINUTE: i64 = 60_000;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

/// Whose day it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rhythm {
    /// At work: office hours, hardly ever on a weekend.
    Office,
    /// In their own time: also at night and on weekends.
    Leisure,
}

/// How likely each hour of the local day is.
const OFFICE: [f64; 24] = [
    0.1, 0.05, 0.05, 0.05, 0.1, 0.3, 1.0, 2.5, 6.0, 10.0, 11.0, 10.0, 6.5, 8.0, 10.0, 9.5, 8.0, 5.0, 2.5,
    1.8, 1.8, 1.5, 0.8, 0.3,
];
const LEISURE: [f64; 24] = [
    2.0, 1.0, 0.5, 0.3, 0.3, 0.5, 1.0, 2.0, 3.0, 3.5, 4.0, 4.5, 5.0, 5.0, 5.0, 5.0, 5.5, 6.0, 7.0, 8.5, 9.0,
    8.0, 6.0, 4.0,
];
const OPEN: i64 = 9 * HOUR;
const CLOSE: i64 = 18 * HOUR;

/// A moment about `days` after `from_ms`, later than it, at a likely hour where the clock is `offset_hours` ahead of UTC.
pub fn later(random: &mut Random, from_ms: i64, days: f64, rhythm: Rhythm, offset_hours: i64) -> i64 {
    let local = from_ms + offset_hours * HOUR + (days * DAY as f64) as i64;
    let mut day = local.div_euclid(DAY);
    if rhythm == Rhythm::Office && is_weekend(day) && random.chance(0.9) {
        day += 8 - weekday(day);
    }
    let hours = match rhythm {
        Rhythm::Office => &OFFICE,
        Rhythm::Leisure => &LEISURE,
    };
    let at = day * DAY + draw_hour(random, hours) * HOUR + random.below(HOUR as u64) as i64;
    let at = at - offset_hours * HOUR;
    if at > from_ms { at } else { from_ms + random.from_to(10, 90) as i64 * MINUTE }
}

/// The moment itself if offices are open there, else the next opening.
pub fn office_open(at_ms: i64, offset_hours: i64) -> i64 {
    let local = at_ms + offset_hours * HOUR;
    let (day, time) = (local.div_euclid(DAY), local.rem_euclid(DAY));
    if !is_weekend(day) && (OPEN..CLOSE).contains(&time) {
        return at_ms;
    }
    let mut opens = if time < OPEN { day } else { day + 1 };
    if is_weekend(opens) {
        opens += 8 - weekday(opens);
    }
    opens * DAY + OPEN - offset_hours * HOUR
}

/// Monday is 1, Sunday 7; 1970 began on a Thursday.
fn weekday(day: i64) -> i64 {
    (day + 3).rem_euclid(7) + 1
}

fn is_weekend(day: i64) -> bool {
    weekday(day) > 5
}

fn draw_hour(random: &mut Random, weights: &[f64; 24]) -> i64 {
    let mut at = random.unit() * weights.iter().sum::<f64>();
    let found = weights.iter().position(|weight| {
        at -= weight;
        at < 0.0
    });
    found.unwrap_or(23) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::time::parse_text;

    fn at(text: &str) -> i64 {
        parse_text(text).expect("a time")
    }

    #[test]
    fn offices_open_on_working_days() {
        // A Friday, 18:30 in Berlin (summer time is left out).
        assert_eq!(office_open(at("2026-03-06T17:30:00Z"), 1), at("2026-03-09T08:00:00Z"));
        assert_eq!(office_open(at("2026-03-08T12:00:00Z"), 0), at("2026-03-09T09:00:00Z"));
        assert_eq!(office_open(at("2026-03-09T05:00:00Z"), 0), at("2026-03-09T09:00:00Z"));
        assert_eq!(office_open(at("2026-03-09T12:34:00Z"), 0), at("2026-03-09T12:34:00Z"));
    }

    #[test]
    fn people_at_work_come_on_working_days() {
        let mut random = Random::new(1, 1);
        let from = at("2026-03-02");
        let mut weekend = 0;
        for _ in 0..2_000 {
            let days = random.between(0.0, 30.0);
            let came = later(&mut random, from, days, Rhythm::Office, -5);
            assert!(came > from);
            weekend += i32::from(is_weekend((came - 5 * HOUR).div_euclid(DAY)));
        }
        assert!((10..150).contains(&weekend), "{weekend}");
    }
}

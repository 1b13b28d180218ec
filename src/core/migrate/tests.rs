//! Sums and slots into one another, and what is kept of lists that become shorter.

use super::*;

const DAY_MS: i64 = 86_400_000;
const START_MS: i64 = 1_772_323_200_000;

fn held(value: f64, count: u32) -> Held {
    let (times, slots) = <_>::default();
    Held { id: 0, value, count, last_at: START_MS + 30 * DAY_MS, times, slots }
}

fn slot(day: i64, points: f64) -> Slot {
    Slot { time: START_MS + day * DAY_MS, points, count: 1 }
}

/// What becomes of a contribution with these slots (none: of a sum of 20 points).
#[track_caller]
fn check(before_ms: i64, slots: &[Slot], now_ms: i64, decay: Decay, value: f64, expected: &[Slot]) {
    let mut pool = Pool::default();
    let mut held = if slots.is_empty() { held(20.0, 2) } else { held(0.0, slots.len() as u32) };
    held.slots = pool.list(slots);
    let moved = MovedContribution { id: 0, slot_before_ms: before_ms, slot_ms: now_ms, times: 0 };
    convert(&mut held, &moved, decay, &mut pool);
    assert_eq!((held.value, pool.get(held.slots)), (value, expected));
}

#[test]
fn sums_become_one_slot_and_slots_a_sum() {
    let window = |slot| Decay::Window { life: 90 * slot, slot };
    let one = Slot { time: START_MS + 30 * DAY_MS, points: 20.0, count: 2 };
    check(0, &[], DAY_MS, window(DAY_MS), 0.0, &[one]);
    check(0, &[], 0, Decay::HalfLife(DAY_MS), 20.0, &[]);
    let slots = [slot(0, 10.0), slot(30, 10.0)];
    check(DAY_MS, &slots, 0, Decay::None, 20.0, &[]);
    check(DAY_MS, &slots, 0, Decay::HalfLife(30 * DAY_MS), 15.0, &[]);
    check(DAY_MS, &slots, DAY_MS, window(DAY_MS), 0.0, &slots);
}

#[test]
fn longer_slots_take_in_shorter_ones_at_their_latest() {
    let days = [slot(0, 1.0), slot(1, 2.0), slot(29, 4.0), slot(30, 8.0)];
    // Slots are counted from 1970: day 0 is the 20,513th, so that days 0 to 6 share one and days 27 to 36 another.
    assert_eq!(days[0].time.div_euclid(DAY_MS), 20_513);
    let joined = [Slot { count: 2, ..slot(1, 3.0) }, Slot { count: 2, ..slot(30, 12.0) }];
    let tens = Decay::Lifespan { life: 900 * DAY_MS, slot: 10 * DAY_MS };
    check(DAY_MS, &days, 10 * DAY_MS, tens, 0.0, &joined);
}

#[test]
fn sums_of_slots_stay_numbers() {
    let slots = [slot(0, 1.7e308), slot(1, 1.7e308), slot(2, -1.7e308)];
    let mut pool = Pool::default();
    let mut held = held(0.0, 3);
    held.slots = pool.list(&slots);
    let moved = MovedContribution { id: 0, slot_before_ms: DAY_MS, slot_ms: 0, times: 0 };
    convert(&mut held, &moved, Decay::None, &mut pool);
    assert!(held.value.is_finite());
}

#[test]
fn the_latest_are_kept() {
    let mut pool = Pool::default();
    let (mut list, mut short) = (pool.list(&[1, 2, 3]), pool.list(&[4]));
    keep_last(&mut pool, &mut list, 2);
    keep_last(&mut pool, &mut short, 2);
    assert_eq!((pool.get(list), pool.get(short)), (&[2, 3][..], &[4][..]));
}

#[test]
fn no_two_take_the_same_place() {
    assert_eq!(matched(&["a", "b", "a"], &["x", "a"], |name| *name), [Some(1), None, None]);
}

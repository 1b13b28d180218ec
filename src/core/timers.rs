//! A hierarchical timer wheel (Varghese and Lauck, 1987): seven levels of 64 buckets cover every second until 9999.
//!
//! An entry is four bytes, the lead's number; when it is due stands with the lead. A lead whose deadline moves out keeps
//! its entry and is looked at early; one whose deadline moves in gets a second entry, and the first is found stale. So
//! nothing is ever searched or removed, and idle timers cost nothing while time passes.

const LEVELS: usize = 7;
const BITS: u32 = 6;
const BUCKETS: usize = 1 << BITS;

/// Which leads are to be looked at in which second.
#[derive(Debug)]
pub struct Timers {
    /// The next second that has not been handed out.
    now: i64,
    buckets: Vec<Vec<u32>>,
    /// Which buckets of a level hold entries.
    occupied: [u64; LEVELS],
}

impl Default for Timers {
    fn default() -> Self {
        Timers { now: 0, buckets: (0..LEVELS * BUCKETS).map(|_| Vec::new()).collect(), occupied: [0; LEVELS] }
    }
}

impl Timers {
    /// Arms a lead for a second; one that has passed already counts as the next one.
    pub fn insert(&mut self, lead: u32, second: i64) {
        let second = second.max(self.now);
        let level = ((63 - ((second ^ self.now) | 1).leading_zeros()) / BITS) as usize;
        let level = level.min(LEVELS - 1);
        let bucket = index(second, level);
        push_lean(&mut self.buckets[level * BUCKETS + bucket], lead);
        self.occupied[level] |= 1 << bucket;
    }

    /// The next second with entries that is not after `horizon`; its entries are moved to `leads`. `second_of` tells
    /// for which second a lead is armed.
    pub fn pop(&mut self, horizon: i64, leads: &mut Vec<u32>, second_of: impl Fn(u32) -> i64) -> Option<i64> {
        loop {
            let (level, bucket) = self.next_bucket()?;
            let start = self.start_of(level, bucket);
            if start > horizon {
                return None;
            }
            if level > 0 {
                self.advance(start, &second_of);
                continue;
            }
            leads.append(&mut self.take(0, bucket));
            self.advance(start + 1, &second_of);
            return Some(start);
        }
    }

    /// Whether any entry may be due by then.
    #[inline]
    pub fn may_be_due(&self, horizon: i64) -> bool {
        self.next_bucket().is_some_and(|(level, bucket)| self.start_of(level, bucket) <= horizon)
    }

    /// The entries, stale ones included.
    pub fn len(&self) -> usize {
        self.buckets.iter().map(Vec::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.occupied.iter().all(|&bits| bits == 0)
    }

    /// Bytes on the heap.
    pub fn bytes(&self) -> usize {
        self.buckets.iter().map(|bucket| bucket.capacity() * 4 + size_of::<Vec<u32>>()).sum()
    }

    /// The bucket with the earliest entries: lower levels lie before higher ones.
    fn next_bucket(&self) -> Option<(usize, usize)> {
        (0..LEVELS).find_map(|level| {
            let later = self.occupied[level] & (u64::MAX << index(self.now, level));
            (later != 0).then(|| (level, later.trailing_zeros() as usize))
        })
    }

    fn start_of(&self, level: usize, bucket: usize) -> i64 {
        let shift = BITS * level as u32;
        let above = self.now >> (shift + BITS) << (shift + BITS);
        above | (bucket as i64) << shift
    }

    /// Moves on to a second, sorting the buckets that begin to matter into lower levels.
    fn advance(&mut self, second: i64, second_of: &impl Fn(u32) -> i64) {
        self.now = second;
        for level in (1..LEVELS).rev() {
            let bucket = index(second, level);
            if self.occupied[level] >> bucket & 1 == 0 {
                continue;
            }
            let range = BITS * level as u32;
            for lead in self.take(level, bucket) {
                let due = second_of(lead);
                // Armed for later than this bucket: there is another entry for that, this one is stale.
                if due >> range <= second >> range {
                    self.insert(lead, due);
                }
            }
        }
    }

    fn take(&mut self, level: usize, bucket: usize) -> Vec<u32> {
        self.occupied[level] &= !(1 << bucket);
        std::mem::take(&mut self.buckets[level * BUCKETS + bucket])
    }
}

/// Adds an item; of long lists only an eighth of the memory lies idle, not up to half.
pub(super) fn push_lean<T>(list: &mut Vec<T>, item: T) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len() / 8 + 4);
    }
    list.push(item);
}

fn index(second: i64, level: usize) -> usize {
    (second >> (BITS * level as u32)) as usize & (BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(timers: &mut Timers, due: &[i64], horizon: i64) -> Vec<(i64, Vec<u32>)> {
        let mut popped = Vec::new();
        let mut leads = Vec::new();
        while let Some(second) = timers.pop(horizon, &mut leads, |lead| due[lead as usize]) {
            leads.sort_unstable();
            popped.push((second, std::mem::take(&mut leads)));
        }
        popped
    }

    #[test]
    fn hands_out_seconds_in_order() {
        let due = [5, 63, 64, 65, 4_096, 1_700_000_000, 1_700_000_001, 253_402_300_799, 64];
        let mut timers = Timers::default();
        due.iter().enumerate().for_each(|(lead, &second)| timers.insert(lead as u32, second));
        let popped = seconds(&mut timers, &due, 64);
        assert_eq!(popped, [(5, vec![0]), (63, vec![1]), (64, vec![2, 8])]);
        assert!(!timers.may_be_due(64) && timers.may_be_due(65));
        let rest = seconds(&mut timers, &due, i64::MAX);
        let expected: Vec<_> = [3, 4, 5, 6, 7].map(|lead: u32| (due[lead as usize], vec![lead])).into();
        assert_eq!(rest, expected);
        assert!(timers.is_empty());
    }

    #[test]
    fn agrees_with_a_sorted_list_under_random_inserts() {
        let mut random = 7_u64;
        let mut next = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % below
        };
        let (mut timers, mut due, mut expected) = (Timers::default(), Vec::new(), Vec::new());
        let mut horizon = 1_600_000_000;
        for _ in 0..300 {
            for _ in 0..next(20) {
                let reach = 1 << (1 + next(22));
                let second = horizon + 1 + next(reach) as i64;
                timers.insert(due.len() as u32, second);
                expected.push((second, due.len() as u32));
                due.push(second);
            }
            horizon += next(40_000) as i64;
            expected.sort_unstable();
            let ripe: Vec<_> = expected.extract_if(.., |(second, _)| *second <= horizon).collect();
            let popped = seconds(&mut timers, &due, horizon);
            let flat: Vec<_> =
                popped.iter().flat_map(|(second, leads)| leads.iter().map(|&lead| (*second, lead))).collect();
            assert_eq!(flat, ripe);
        }
    }
}

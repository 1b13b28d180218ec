//! Stops when too many of the recent records are rejected: a wrong topic or format must not drain a topic into dead
//! letters. What it saw is committed state, so that restarts do not help it along.

use crate::core::codec::Corrupt;
use crate::core::varint::{Reader, write_varint};

/// The outcomes of a partition's last records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Breaker {
    /// One bit for each of the last records: it was rejected. A ring.
    rejected: Vec<u8>,
    window: usize,
    /// Where the next one goes.
    next: usize,
    count: usize,
}

impl Breaker {
    /// Looks at so many records.
    pub fn new(window: usize) -> Breaker {
        Breaker { rejected: vec![0; window.div_ceil(8)], window, next: 0, count: 0 }
    }

    /// Notes the outcome of a record.
    #[inline]
    pub fn note(&mut self, rejected: bool) {
        // Nothing was rejected for a whole window: nothing to forget either.
        if self.window == 0 || !rejected && self.count == 0 {
            return;
        }
        let (byte, bit) = (self.next / 8, 1_u8 << (self.next % 8));
        let before = self.rejected[byte] & bit != 0;
        self.count = self.count - usize::from(before) + usize::from(rejected);
        self.rejected[byte] = if rejected { self.rejected[byte] | bit } else { self.rejected[byte] & !bit };
        self.next = (self.next + 1) % self.window;
    }

    /// How many of the last records were rejected.
    pub fn rejected(&self) -> usize {
        self.count
    }

    /// More than this share of the window was rejected.
    pub fn is_tripped(&self, share: f64) -> bool {
        self.window > 0 && self.count as f64 > share * self.window as f64
    }

    /// The same records seen through a window of another size: all are forgotten unless it is the same.
    pub fn resized(self, window: usize) -> Breaker {
        if self.window == window { self } else { Breaker::new(window) }
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        write_varint(out, self.window as u64);
        write_varint(out, self.count as u64);
        // Mostly nothing was rejected, and the record stays small.
        if self.count > 0 {
            write_varint(out, self.next as u64);
            out.extend_from_slice(&self.rejected);
        }
    }

    pub fn read(reader: &mut Reader<'_>) -> Result<Breaker, Corrupt> {
        let window = usize::try_from(reader.varint()?).map_err(|_| Corrupt("a window out of range"))?;
        let count = usize::try_from(reader.varint()?).map_err(|_| Corrupt("a count out of range"))?;
        if count == 0 {
            // A window that is not believable is not allocated.
            return if window <= 1 << 24 {
                Ok(Breaker::new(window))
            } else {
                Err(Corrupt("a window out of range"))
            };
        }
        let next = usize::try_from(reader.varint()?).ok().filter(|&next| next < window);
        let next = next.ok_or(Corrupt("a place out of range"))?;
        let rejected = reader.take(window.div_ceil(8))?.to_vec();
        let counted: u32 = rejected.iter().map(|byte| byte.count_ones()).sum();
        if counted as usize != count {
            return Err(Corrupt("a count that is not so"));
        }
        Ok(Breaker { rejected, window, next, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trips_when_more_than_its_share_of_the_window_is_rejected() {
        let mut breaker = Breaker::new(10);
        for _ in 0..5 {
            breaker.note(true);
            breaker.note(false);
        }
        assert!(!breaker.is_tripped(0.5));
        breaker.note(true);
        assert!(!breaker.is_tripped(0.5), "the oldest rejection left the window");
        breaker.note(true);
        assert!(breaker.is_tripped(0.5));
        for _ in 0..10 {
            breaker.note(false);
        }
        assert_eq!(breaker.rejected(), 0);
    }

    #[test]
    fn comes_back_as_it_was() {
        let mut breaker = Breaker::new(21);
        for at in 0..50 {
            breaker.note(at % 3 == 0);
            let mut bytes = Vec::new();
            breaker.write(&mut bytes);
            assert_eq!(Breaker::read(&mut Reader::new(&bytes)).as_ref(), Ok(&breaker));
        }
        assert_eq!(breaker.clone().resized(20), Breaker::new(20));
        assert_eq!(breaker.clone().resized(21), breaker);
    }
}

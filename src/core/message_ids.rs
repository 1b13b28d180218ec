//! The message ids that a lead saw last, for recognising duplicates. They are worked on as bytes: most events add one
//! in front and only compare the others.

use super::codec::{Corrupt, Told};
use super::varint::{Reader, write_varint, write_zigzag};

/// Up to so many ids their times are worth the work of telling them shortly.
const FEW: usize = 16;

/// Ids as hashes with their event times, the latest arrival first.
#[derive(Debug, Clone, Default)]
pub struct MessageIds {
    count: usize,
    /// The time of the latest arrival, ms.
    time: i64,
    /// Each id's hash; between two the time of the first less that of the second.
    bytes: Vec<u8>,
    /// Where the bytes with a new id in front are put together.
    spare: Vec<u8>,
}

impl MessageIds {
    pub fn clear(&mut self) {
        self.count = 0;
        self.bytes.clear();
    }

    /// Whether the id was seen at a time at most `window_ms` away.
    pub fn contains(&self, hash: u64, time: i64, window_ms: i64) -> bool {
        self.iter().any(|(known, at)| known == hash && at.abs_diff(time) <= window_ms as u64)
    }

    /// Adds an id; of more than `most` the oldest arrivals go.
    pub fn push(&mut self, hash: u64, time: i64, most: usize) {
        if most == 0 {
            return;
        }
        self.keep(most - 1);
        self.spare.clear();
        self.spare.extend_from_slice(&hash.to_le_bytes());
        if self.count > 0 {
            write_zigzag(&mut self.spare, time - self.time);
        }
        self.spare.extend_from_slice(&self.bytes);
        std::mem::swap(&mut self.bytes, &mut self.spare);
        self.time = time;
        self.count += 1;
    }

    /// Keeps the latest arrivals.
    fn keep(&mut self, most: usize) {
        if self.count <= most {
            return;
        }
        let mut entries = self.entries();
        let left = (0..most).fold(self.bytes.len(), |_, _| {
            let left = entries.reader.left().saturating_sub(8);
            entries.next();
            left
        });
        self.bytes.truncate(if most == 0 { 0 } else { self.bytes.len() - left });
        self.count = most;
    }

    fn entries(&self) -> Entries<'_> {
        Entries { reader: Reader::new(&self.bytes), time: self.time }
    }

    /// Hashes and times, the latest arrival first.
    pub fn iter(&self) -> impl Iterator<Item = (u64, i64)> + '_ {
        self.entries()
    }

    /// Written last in a lead's bytes: the ids take all that is left. The times of a few ids are told like all others,
    /// for most of them were told before; those of many stay the distances that they are kept as.
    pub fn encode(&self, told: &mut Told, out: &mut Vec<u8>) {
        write_varint(out, self.count as u64);
        if self.count <= FEW {
            for (hash, time) in self.entries() {
                out.extend_from_slice(&hash.to_le_bytes());
                told.write(out, time);
            }
        } else {
            write_varint(out, (told.clock() - self.time) as u64);
            out.extend_from_slice(&self.bytes);
        }
    }

    /// Reads what `encode` wrote.
    pub fn decode(&mut self, told: &mut Told, reader: &mut Reader<'_>) -> Result<(), Corrupt> {
        self.clear();
        let count = reader.length(8)?;
        if count <= FEW {
            let mut before = None;
            for _ in 0..count {
                let (hash, time) = (reader.array::<8>()?, told.read(reader)?);
                match before {
                    None => self.time = time,
                    Some(before) => write_zigzag(&mut self.bytes, before - time),
                }
                self.bytes.extend_from_slice(&hash);
                before = Some(time);
            }
        } else {
            self.time = reader.ago(told.clock())?;
            self.bytes.extend_from_slice(reader.take(reader.left())?);
        }
        self.count = count;
        Ok(())
    }

    /// Whether there are as many ids as counted, with times from 1970 on. In memory they always are.
    pub fn check(&self) -> Result<(), Corrupt> {
        let mut entries = self.entries();
        let times = (&mut entries).take(self.count).filter(|&(_, time)| time >= 0).count();
        let whole = times == self.count && entries.reader.is_empty();
        if whole { Ok(()) } else { Err(Corrupt("message ids that do not fit")) }
    }
}

struct Entries<'a> {
    reader: Reader<'a>,
    /// Of the next id.
    time: i64,
}

impl Iterator for Entries<'_> {
    type Item = (u64, i64);

    #[inline]
    fn next(&mut self) -> Option<(u64, i64)> {
        let hash = u64::from_le_bytes(self.reader.array().ok()?);
        let time = self.time;
        if !self.reader.is_empty() {
            self.time = time.checked_sub(self.reader.zigzag().ok()?)?;
        }
        Some((hash, time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_latest_arrivals_with_their_times() {
        for most in [5, FEW, FEW + 1, 40] {
            keeps_the_latest(most);
        }
    }

    fn keeps_the_latest(most: usize) {
        let (mut ids, mut kept) = (MessageIds::default(), Vec::new());
        for n in 0..200_u64 {
            let time = 1_772_323_200_000 + (n as i64 * 7_919_003) % 90_000_000;
            ids.push(n * n, time, most);
            kept.insert(0, (n * n, time));
            kept.truncate(most);
            assert_eq!(ids.iter().collect::<Vec<_>>(), kept);
            let (mut bytes, mut again) = (Vec::new(), MessageIds::default());
            let mut told = Told::default();
            told.begin(1_772_500_000_000);
            ids.encode(&mut told, &mut bytes);
            told.begin(1_772_500_000_000);
            again.decode(&mut told, &mut Reader::new(&bytes)).unwrap();
            again.check().unwrap();
            assert_eq!(again.iter().collect::<Vec<_>>(), kept);
            again.push(1, time, most);
            assert_eq!(again.iter().next(), Some((1, time)));
        }
        assert!(ids.contains(199 * 199, kept[0].1 + 10, 10) && !ids.contains(199 * 199, kept[0].1 + 11, 10));
        ids.push(7, 3, 1);
        assert_eq!(ids.iter().collect::<Vec<_>>(), [(7, 3)]);
    }
}

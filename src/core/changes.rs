//! What changed since the last commit: which leads, and how each was before. So the daemon knows what to write to the
//! changelog, and can go back when a transaction is given up.
//!
//! Two generations are open at most: the one that is being committed, and the one that goes on meanwhile.

/// A partition's changes. Off until [`Changes::track`]: offline nobody commits.
#[derive(Debug, Default)]
pub struct Changes {
    tracked: bool,
    /// One bit for each lead by its number: it has changed in the open generation.
    marked: Vec<u64>,
    open: Generation,
    handed: Generation,
}

/// What changed between two commits, in order.
#[derive(Debug, Default)]
pub struct Generation {
    entries: Vec<Entry>,
    /// The bytes before, one lead after the other.
    before: Vec<u8>,
    /// Leads that were removed; their numbers are free once nobody goes back.
    removed: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    lead: u32,
    /// Where its bytes end in `before`; none: it was not there.
    end: usize,
}

impl Generation {
    fn clear(&mut self) {
        self.entries.clear();
        self.before.clear();
        self.removed.clear();
    }

    /// Each lead with its bytes before; none: it was not there.
    fn entries(&self) -> impl DoubleEndedIterator<Item = (u32, &[u8])> {
        (0..self.entries.len()).map(|at| {
            let start = at.checked_sub(1).map_or(0, |before| self.entries[before].end);
            let Entry { lead, end } = self.entries[at];
            (lead, &self.before[start..end])
        })
    }
}

impl Changes {
    /// From now on changes are noted.
    pub fn track(&mut self) {
        self.tracked = true;
    }

    /// Notes that a lead is about to change, and its bytes; none: it is new.
    #[inline]
    pub fn note(&mut self, lead: u32, before: &[u8]) {
        if !self.tracked {
            return;
        }
        let (word, bit) = (lead as usize / 64, 1 << (lead % 64));
        if word >= self.marked.len() {
            self.marked.resize(word + 1, 0);
        }
        if self.marked[word] & bit == 0 {
            self.marked[word] |= bit;
            self.open.before.extend_from_slice(before);
            self.open.entries.push(Entry { lead, end: self.open.before.len() });
        }
    }

    /// Notes that a lead, noted before, is gone. Its number is not to be used again before [`Changes::settled`] or
    /// [`Changes::undone`] hands it out. `false`: changes are not tracked, and the number is free at once.
    pub fn note_removed(&mut self, lead: u32) -> bool {
        if self.tracked {
            self.open.removed.push(lead);
        }
        self.tracked
    }

    /// How many leads changed in the open generation.
    pub fn len(&self) -> usize {
        self.open.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.open.entries.is_empty()
    }

    /// The leads that changed in the open generation, each with its bytes before; none: it is new.
    pub fn open(&self) -> impl Iterator<Item = (u32, &[u8])> {
        self.open.entries()
    }

    /// The open generation is being committed; a new one begins.
    pub fn hand_over(&mut self) {
        debug_assert!(self.handed.entries.is_empty(), "one commit at a time");
        for entry in &self.open.entries {
            self.marked[entry.lead as usize / 64] = 0;
        }
        std::mem::swap(&mut self.open, &mut self.handed);
    }

    /// What was handed over is committed. Returns the numbers that became free.
    pub fn settled(&mut self) -> impl Iterator<Item = u32> {
        self.handed.entries.clear();
        self.handed.before.clear();
        self.handed.removed.drain(..)
    }

    /// Nothing since the last commit took place: calls `back` with each lead and its bytes before, latest change first,
    /// and forgets them.
    pub fn undone(&mut self, mut back: impl FnMut(u32, &[u8])) {
        for generation in [&mut self.open, &mut self.handed] {
            generation.entries().rev().for_each(|(lead, before)| back(lead, before));
            generation.clear();
        }
        self.marked.clear();
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let bytes = |generation: &Generation| {
            generation.entries.capacity() * size_of::<Entry>() + generation.before.capacity()
        };
        self.marked.capacity() * 8 + bytes(&self.open) + bytes(&self.handed)
    }
}

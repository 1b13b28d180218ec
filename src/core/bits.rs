//! A growing set of small indices, kept with a lead: stages it has been in, transitions that wait, facts that hold.

/// A set of indices that reuses its memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bits {
    words: Vec<u64>,
}

impl Bits {
    #[inline]
    pub fn contains(&self, index: usize) -> bool {
        self.words.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    #[inline]
    pub fn insert(&mut self, index: usize) {
        if self.words.len() <= index / 64 {
            self.words.resize(index / 64 + 1, 0);
        }
        self.words[index / 64] |= 1 << (index % 64);
    }

    pub fn set(&mut self, index: usize, value: bool) {
        if value {
            self.insert(index);
        } else if let Some(word) = self.words.get_mut(index / 64) {
            *word &= !(1 << (index % 64));
        }
    }

    #[inline]
    pub fn clear(&mut self) {
        self.words.clear();
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(at, &word)| {
            std::iter::successors((word != 0).then_some(word), |rest| {
                let rest = rest & (rest - 1);
                (rest != 0).then_some(rest)
            })
            .map(move |rest| at * 64 + rest.trailing_zeros() as usize)
        })
    }

    /// Whether both hold the same indices.
    pub fn same(&self, other: &Bits) -> bool {
        let longest = self.words.len().max(other.words.len());
        (0..longest).all(|at| self.words.get(at).unwrap_or(&0) == other.words.get(at).unwrap_or(&0))
    }

    pub fn copy_from(&mut self, other: &Bits) {
        self.words.clone_from(&other.words);
    }

    /// The words without trailing zeros, for encoding.
    pub fn words(&self) -> &[u64] {
        let used = self.words.iter().rposition(|&word| word != 0).map_or(0, |last| last + 1);
        &self.words[..used]
    }

    pub fn push_word(&mut self, word: u64) {
        self.words.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iterates_in_order_over_words() {
        let mut bits = Bits::default();
        for index in [130, 3, 0, 63, 64] {
            bits.insert(index);
        }
        assert_eq!(bits.iter().collect::<Vec<_>>(), [0, 3, 63, 64, 130]);
        bits.set(130, false);
        assert_eq!(bits.words().len(), 2);
        assert!(bits.contains(64) && !bits.contains(130) && !bits.contains(9999));
    }
}

//! "Did you mean": the known name that is nearest to an unknown one.

/// The nearest candidate, if it is near enough to be a slip of the pen: a third of the letters may differ.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = |candidate: &&str| {
        distance(word, candidate) * 3 <= word.chars().count().max(candidate.chars().count())
    };
    candidates.into_iter().filter(near).min_by_key(|candidate| distance(word, candidate))
}

/// Insertions, deletions and replacements that turn one into the other, and swaps of neighbours, each counted once.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_slips_and_nothing_else() {
        let names = ["pricing_visit", "demo_request", "order"];
        assert_eq!(closest("pricing_vist", names), Some("pricing_visit"));
        assert_eq!(closest("oredr", names), Some("order"));
        assert_eq!(closest("demorequest", names), Some("demo_request"));
        assert_eq!(closest("banana", names), None);
        assert_eq!(closest("", names), None);
    }
}

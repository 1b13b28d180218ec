//! "Did you mean": the known name that is nearest to an unknown one.

/// The name nearest to `name`, if it is near enough to be a slip of the pen.
pub fn similar<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    const LONGEST: usize = 100;
    let name: Vec<char> = name.chars().take(LONGEST + 1).map(|c| c.to_ascii_lowercase()).collect();
    if name.len() > LONGEST {
        return None;
    }
    let most = (name.len() / 3).min(4);
    known
        .filter(|other| other.len().abs_diff(name.len()) <= most * 4 && other.len() <= LONGEST * 4)
        .filter_map(|other| {
            let letters: Vec<char> = other.chars().map(|c| c.to_ascii_lowercase()).collect();
            (letters.len().abs_diff(name.len()) <= most).then(|| (distance(&name, &letters), other))
        })
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other)
}

/// Edits from one word to the other: a letter put in, left out or replaced, or two neighbours swapped.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_nearest_name() {
        let known = ["pricing_visit", "demo_request", "order"];
        assert_eq!(similar("pricing_vist", known.into_iter()), Some("pricing_visit"));
        assert_eq!(similar("Demo_Reqeust", known.into_iter()), Some("demo_request"));
        assert_eq!(similar("odrer", known.into_iter()), Some("order"));
        assert_eq!(similar("webinar", known.into_iter()), None);
        assert_eq!(similar("", known.into_iter()), None);
        assert_eq!(similar("d", ["A", "B", "D"].into_iter()), Some("D"));
        assert_eq!(similar("C", ["A", "B", "D"].into_iter()), None);
    }
}

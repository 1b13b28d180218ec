//! Regular expressions, said as a list of words where they are no more than that.

use super::{or, quoted};

/// `containing one of the words “vp” or “chief”` for `(?i)\b(vp|chief)\b`; anything else is quoted as the pattern that it is.
pub fn pattern(regex: &str) -> String {
    match words(regex) {
        Some(words) if words.len() > 1 => format!("containing one of the words {}", or(&words)),
        Some(words) => format!("containing the word {}", or(&words)),
        None => format!("matching the pattern `{regex}`"),
    }
}

/// The alternatives of a pattern that only lists whole words.
fn words(regex: &str) -> Option<Vec<String>> {
    let listed = regex.strip_prefix("(?i)").unwrap_or(regex).strip_prefix(r"\b")?.strip_suffix(r"\b")?;
    let listed = match listed.strip_prefix('(') {
        Some(inside) => inside.strip_suffix(')')?,
        None if listed.contains('|') => return None,
        None => listed,
    };
    let listed = listed.strip_prefix("?:").unwrap_or(listed);
    listed.split('|').map(word).collect()
}

/// A word with perhaps a hyphen or space that may be missing (`co-?founder`), or with a gap for letters (`c[a-z]o`).
fn word(pattern: &str) -> Option<String> {
    let said = pattern.replace("-?", "-").replace(" ?", " ").replace("[a-z]", "…");
    let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '…' | '\'' | '&' | '/');
    (!said.is_empty() && said.chars().all(plain)).then(|| quoted(&said))
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn lists_of_words_are_said_as_such() {
        for (regex, said) in [
            (r"(?i)\b(vp|co-?founder|c[a-z]o)\b", "containing one of the words “vp”, “co-founder”, or “c…o”"),
            (r"\bdirector\b", "containing the word “director”"),
            (r"(?i)\b(vp)\b", "containing the word “vp”"),
        ] {
            assert_eq!(pattern(regex), said);
        }
    }

    #[test]
    fn other_patterns_are_quoted() {
        for regex in
            [r"^[^@\s]+@[^@\s]+$", "vp|chief", r"\bvp|chief\b", r"\b(vp|chief).*(a)\b", r"\b(a||b)\b"]
        {
            assert_eq!(pattern(regex), format!("matching the pattern `{regex}`"));
        }
    }
}

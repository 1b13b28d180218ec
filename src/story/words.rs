//! Moments, spans of time and numbers as people read them.

use crate::event::time::write_rfc3339;
use crate::records::Shown;

/// `2026-03-02 09:00:00`, in UTC; milliseconds only if there are any.
pub fn moment(ms: i64) -> String {
    let mut text = Vec::new();
    write_rfc3339(&mut text, ms);
    let text = String::from_utf8_lossy(&text).replacen('T', " ", 1);
    text.trim_end_matches('Z').trim_end_matches(".000").to_owned()
}

const UNITS: [(i64, &str); 5] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")];

/// `2d 4h`, to the second; to the millisecond only what is shorter than a second.
pub fn span(ms: i64) -> String {
    let ms = ms.abs();
    let mut left = if ms < 1000 { ms } else { (ms + 500) / 1000 * 1000 };
    let mut parts = Vec::new();
    for (size, unit) in UNITS {
        if left / size > 0 {
            parts.push(format!("{}{unit}", left / size));
            left %= size;
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

/// `52.1`: a score as records show it, without needless zeros.
pub fn number(value: f64) -> String {
    format!("{}", Shown(value).number())
}

/// As [`number`], with its sign: `+12`, `-10`.
pub fn signed(value: f64) -> String {
    format!("{:+}", Shown(value).number())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_numbers_are_short_and_exact() {
        assert_eq!(moment(1_767_603_600_000), "2026-01-05 09:00:00");
        assert_eq!(moment(1_767_603_600_120), "2026-01-05 09:00:00.120");
        assert_eq!(span(0), "0s");
        assert_eq!(span(2 * 86_400_000 + 4 * 3_600_000 + 501), "2d 4h 1s");
        assert_eq!(span(501), "501ms");
        assert_eq!(
            (number(52.104), number(40.0), signed(12.0), signed(-0.5)),
            ("52.1".into(), "40".into(), "+12".into(), "-0.5".into())
        );
    }
}

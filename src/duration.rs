//! Durations as models and settings write them: `500ms 90s 5m 24h 30d 2w`.

/// The units in milliseconds, the longest first.
const UNITS: [(&str, i64); 6] =
    [("w", 7 * 86_400_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// `30d` in milliseconds; `None` if it is not a duration, `i64::MAX` if it is too long.
pub fn parse_ms(text: &str) -> Option<i64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, ms) = UNITS.iter().find(|(name, _)| *name == unit)?;
    if number.is_empty() {
        return None;
    }
    // Only a number that is too large fails to parse here.
    Some(number.parse::<i64>().ok().and_then(|number| number.checked_mul(*ms)).unwrap_or(i64::MAX))
}

/// Milliseconds in the longest unit that holds them exactly.
pub fn format_ms(ms: i64) -> String {
    match UNITS.iter().find(|(_, unit)| ms % unit == 0 && ms > 0) {
        Some((name, unit)) => format!("{}{name}", ms / unit),
        None => "0s".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_every_unit() {
        for (text, ms) in [
            ("0s", 0),
            ("500ms", 500),
            ("90s", 90_000),
            ("5m", 300_000),
            ("25h", 90_000_000),
            ("30d", 2_592_000_000),
            ("2w", 1_209_600_000),
        ] {
            assert_eq!(parse_ms(text), Some(ms), "{text}");
            assert_eq!(format_ms(ms), text);
        }
        assert_eq!(parse_ms("99999999999999999999w"), Some(i64::MAX));
        assert_eq!(parse_ms("9223372036854775807w"), Some(i64::MAX));
    }

    #[test]
    fn refuses_anything_else() {
        for text in ["", "5", "d", "5 m", "1.5h", "-1d", "+1d", "5min", "5D", "s5"] {
            assert_eq!(parse_ms(text), None, "{text}");
        }
    }
}

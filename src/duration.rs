//! Durations as they are written in settings: `500ms 90s 5m 24h 30d 2w`.

use std::time::Duration;

const UNITS: [(&str, u64); 6] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];

/// Reads a whole number with a unit; `None` if it is anything else or beyond `i64` milliseconds.
pub fn parse(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let &(_, ms_per_unit) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let ms = number.parse::<u64>().ok()?.checked_mul(ms_per_unit)?;
    i64::try_from(ms).ok()?;
    Some(Duration::from_millis(ms))
}

/// Writes a duration of whole milliseconds in the largest unit that keeps it whole.
pub fn format(duration: Duration) -> String {
    let ms = duration.as_millis();
    let whole = |per_unit: u64| ms > 0 && ms.is_multiple_of(u128::from(per_unit));
    let (unit, ms_per_unit) =
        UNITS.into_iter().rev().find(|&(_, per_unit)| whole(per_unit)).unwrap_or(("ms", 1));
    format!("{}{unit}", ms / u128::from(ms_per_unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_every_unit() {
        for (text, ms) in [
            ("0ms", 0),
            ("500ms", 500),
            ("90s", 90_000),
            ("5m", 300_000),
            ("25h", 90_000_000),
            ("30d", 2_592_000_000),
            ("2w", 1_209_600_000),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(ms)), "{text}");
            assert_eq!(format(Duration::from_millis(ms)), text);
        }
        assert_eq!(format(Duration::from_millis(1_500)), "1500ms");
    }

    #[test]
    fn refuses_anything_else() {
        for text in [
            "",
            "5",
            "ms",
            "-5s",
            "+5s",
            "1.5s",
            "5 s",
            "5S",
            "5y",
            "s5",
            "99999999999999999999w",
            "9223372036854775807w",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}

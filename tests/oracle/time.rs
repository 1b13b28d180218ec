//! Times and durations: integers of milliseconds.

use serde_json::Value;

pub const SECOND: i64 = 1_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;
/// The last millisecond of the year 9999.
const LAST: i64 = 253_402_300_799_999;

/// A time as §1 reads it; none: not readable.
pub fn read(value: &Value) -> Option<i64> {
    let time = match value {
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole_epoch(whole)?,
            None => fractional_epoch(number.as_f64()?)?,
        },
        Value::String(text) => read_text(text)?,
        _ => return None,
    };
    (0..=LAST).contains(&time).then_some(time)
}

/// `read` of a text: RFC 3339, a date, or the digits of an epoch.
pub fn read_text(text: &str) -> Option<i64> {
    let time = if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        whole_epoch(text.parse().ok()?)?
    } else {
        read_date_time(text)?
    };
    (0..=LAST).contains(&time).then_some(time)
}

fn whole_epoch(number: i64) -> Option<i64> {
    if number < 100_000_000_000 { number.checked_mul(1000) } else { Some(number) }
}

fn fractional_epoch(number: f64) -> Option<i64> {
    let ms = if number < 1e11 { number * 1000.0 } else { number };
    // A little before 1970 is before 1970, though it would round to 0.
    (number >= 0.0 && ms < 1e15).then_some(ms.round() as i64)
}

fn read_date_time(text: &str) -> Option<i64> {
    if !text.is_ascii() || text.len() < 10 {
        return None;
    }
    let (date, rest) = text.split_at(10);
    let days = read_date(date)?;
    if rest.is_empty() {
        return Some(days * DAY);
    }
    if !rest.starts_with(['T', 't', ' ']) || rest.len() < 9 {
        return None;
    }
    let (clock, mut rest) = rest[1..].split_at(8);
    let b = clock.as_bytes();
    if b[2] != b':' || b[5] != b':' {
        return None;
    }
    let (h, m, s) = (digits(&clock[..2])?, digits(&clock[3..5])?, digits(&clock[6..])?);
    if h > 23 || m > 59 || s > 59 {
        return None;
    }
    let mut ms = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if length == 0 {
            return None;
        }
        ms = digits(&format!("{:0<3}", &fraction[..length])[..3])?;
        rest = &fraction[length..];
    }
    Some(days * DAY + h * HOUR + m * MINUTE + s * SECOND + ms - read_offset(rest)?)
}

fn read_offset(text: &str) -> Option<i64> {
    if matches!(text, "" | "Z" | "z") {
        return Some(0);
    }
    let sign = match text.as_bytes()[0] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (h, m) = match (text.len(), text.as_bytes().get(3)) {
        (6, Some(b':')) => (digits(&text[1..3])?, digits(&text[4..])?),
        (5, _) => (digits(&text[1..3])?, digits(&text[3..])?),
        _ => return None,
    };
    (h <= 23 && m <= 59).then_some(sign * (h * HOUR + m * MINUTE))
}

fn digits(text: &str) -> Option<i64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since the epoch, counted year by year and month by month.
fn read_date(text: &str) -> Option<i64> {
    let b = text.as_bytes();
    if b[4] != b'-' || b[7] != b'-' {
        return None;
    }
    let (year, month, day) = (digits(&text[..4])?, digits(&text[5..7])?, digits(&text[8..])?);
    if !(1..=12).contains(&month) || day < 1 || day > days_of_month(year, month) {
        return None;
    }
    if year < 1970 {
        // 1969-12-31 can still be 1970 by its offset.
        return (year == 1969 && month == 12 && day == 31).then_some(-1);
    }
    let years: i64 = (1970..year).map(|y| 365 + i64::from(is_leap(y))).sum();
    let months: i64 = (1..month).map(|m| days_of_month(year, m)).sum();
    Some(years + months + day - 1)
}

/// RFC 3339 with milliseconds and `Z`.
pub fn write(time: i64) -> String {
    let (mut days, rest) = (time.div_euclid(DAY), time.rem_euclid(DAY));
    let mut year = 1970;
    while days >= 365 + i64::from(is_leap(year)) {
        days -= 365 + i64::from(is_leap(year));
        year += 1;
    }
    let mut month = 1;
    while days >= days_of_month(year, month) {
        days -= days_of_month(year, month);
        month += 1;
    }
    format!(
        "{year:04}-{month:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        days + 1,
        rest / HOUR,
        rest / MINUTE % 60,
        rest / SECOND % 60,
        rest % SECOND
    )
}

/// A duration of the model: `500ms 90s 5m 24h 30d 2w`.
pub fn duration(text: &str) -> i64 {
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).expect("a unit");
    let number: i64 = text[..unit_at].parse().expect("a number");
    number
        * match &text[unit_at..] {
            "ms" => 1,
            "s" => SECOND,
            "m" => MINUTE,
            "h" => HOUR,
            "d" => DAY,
            "w" => 7 * DAY,
            unit => panic!("unknown unit {unit}"),
        }
}

/// The first whole second at or after a moment.
pub fn whole_second(time: i64) -> i64 {
    time.div_euclid(SECOND) * SECOND + if time.rem_euclid(SECOND) == 0 { 0 } else { SECOND }
}

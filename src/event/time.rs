//! Times: reading what producers send (SPEC §1), writing RFC 3339.

/// 9999-12-31T23:59:59.999Z: the latest time that there is, ms.
pub const LATEST_MS: i64 = 253_402_300_799_999;
const DAY_MS: i64 = 86_400_000;

/// A time that a record may have: not before 1970, not after 9999.
pub(super) fn in_range(ms: i64) -> Option<i64> {
    (0..=LATEST_MS).contains(&ms).then_some(ms)
}

/// Reads a time from text, in ms since the epoch; `None` if it is none of the forms of SPEC §1 or lies before 1970 or
/// after 9999.
pub fn parse_text(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if let Some(pairs) = bytes.try_into().ok().and_then(usual_form) {
        return usual_ms(pairs);
    }
    if !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit) {
        return parse_number(text);
    }
    let (&[y1, y2, y3, y4, b1, m1, m2, b2, d1, d2], rest) = bytes.split_first_chunk()?;
    let (century, year, month, day) = (two(y1, y2), two(y3, y4), two(m1, m2), two(d1, d2));
    if b1 != b'-' || b2 != b'-' || century > 99 || year > 99 {
        return None;
    }
    let day_ms = days(century * 100 + year, month, day)? * DAY_MS;
    match rest {
        [] => in_range(day_ms),
        [b'T' | b't' | b' ', clock @ ..] => in_range(day_ms + clock_ms(clock)?),
        _ => None,
    }
}

/// What most producers send, `YYYY-MM-DDThh:mm:ss.mmmZ`, as three words in which the byte of a digit is ten times that
/// digit and the next one; `None` for any other form.
fn usual_form(bytes: &[u8; 24]) -> Option<[u64; 3]> {
    const FORM: &[u8; 24] = b"0000-00-00T00:00:00.000Z";
    const HIGH: u64 = 0x8080_8080_8080_8080;
    /// What takes a digit's value above 9, and anything else's above 0, into the high bit.
    const ABOVE: [u64; 3] = {
        let mut above = [0; 3];
        let mut at = 0;
        while at < 24 {
            let digit = FORM[at] == b'0';
            above[at / 8] |= if digit { 0x76 } else { 0x7f } << (at % 8 * 8);
            at += 1;
        }
        above
    };
    let words = |bytes: &[u8; 24]| {
        let (words, _) = bytes.as_chunks();
        [words[0], words[1], words[2]].map(u64::from_le_bytes)
    };
    let (form, text) = (words(FORM), words(bytes));
    let values = [text[0] ^ form[0], text[1] ^ form[1], text[2] ^ form[2]];
    // A sum that carries into the next byte comes from a value whose own high bit is set.
    let marks = |at: usize| values[at].wrapping_add(ABOVE[at]) | values[at];
    let usual = (marks(0) | marks(1) | marks(2)) & HIGH == 0;
    usual.then(|| values.map(|word| word.wrapping_mul(10).wrapping_add(word >> 8)))
}

/// Milliseconds since the epoch of a [`usual_form`].
fn usual_ms([date, clock, rest]: [u64; 3]) -> Option<i64> {
    let pair = |word: u64, at: u32| i64::from((word >> (at * 8)) as u8);
    let day = days(pair(date, 0) * 100 + pair(date, 2), pair(date, 5), pair(clock, 0))?;
    let (hour, minute, second) = (pair(clock, 3), pair(clock, 6), pair(rest, 1));
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // The byte of the last digit is ten times it and the `Z`, which counts as 0.
    let millis = pair(rest, 4) * 10 + pair(rest, 6) / 10;
    in_range(day * DAY_MS + (hour * 3600 + minute * 60 + second) * 1000 + millis)
}

/// Days from the epoch to a date; `None` if there is no such.
#[inline]
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    /// The days of each month, from January; the 29th of February is looked at apart.
    const DAYS: [u8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let &length = DAYS.get((month - 1) as usize)?;
    if day == 0 || day > i64::from(length) {
        return None;
    }
    if month == 2 && day == 29 && (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0)) {
        return None;
    }
    // Years that begin in March put the leap day at their end: the days before a month follow one formula.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let century = year.div_euclid(100);
    let leap_days = (year >> 2) - century + (century >> 2);
    Some(year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468)
}

/// Milliseconds from midnight UTC to `hh:mm:ss[.fraction][offset]`.
fn clock_ms(clock: &[u8]) -> Option<i64> {
    let (&[h1, h2, b':', m1, m2, b':', s1, s2], rest) = clock.split_first_chunk()? else { return None };
    let (hour, minute, second) = (two(h1, h2), two(m1, m2), two(s1, s2));
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (millis, offset) = match rest {
        [b'.', fraction @ ..] => {
            let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (digits, offset) = fraction.split_at(length);
            let digit = |at: usize| digits.get(at).map_or(0, |digit| i64::from(digit - b'0'));
            if length == 0 {
                return None;
            }
            (digit(0) * 100 + digit(1) * 10 + digit(2), offset)
        }
        _ => (0, rest),
    };
    Some((hour * 3600 + minute * 60 + second) * 1000 + millis - offset_ms(offset)?)
}

/// How far a time zone is ahead of UTC: `Z`, `z`, `±hh:mm`, `±hhmm` or nothing.
fn offset_ms(offset: &[u8]) -> Option<i64> {
    let (sign, h1, h2, m1, m2) = match *offset {
        [] | [b'Z' | b'z'] => return Some(0),
        [sign, h1, h2, b':', m1, m2] | [sign, h1, h2, m1, m2] => (sign, h1, h2, m1, m2),
        _ => return None,
    };
    let (hours, minutes) = (two(h1, h2), two(m1, m2));
    let ms = (hours * 60 + minutes) * 60_000;
    match sign {
        _ if hours > 23 || minutes > 59 => None,
        b'+' => Some(ms),
        b'-' => Some(-ms),
        _ => None,
    }
}

/// The number of two ASCII digits; one that no clock or calendar has if they are none.
#[inline(always)]
fn two(tens: u8, ones: u8) -> i64 {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    if tens < 10 && ones < 10 { i64::from(tens * 10 + ones) } else { i64::from(u8::MAX) }
}

/// Reads the epoch from a JSON number: seconds if it is below 1e11, otherwise ms; rounded to a ms, half away from
/// zero. Works on the decimal digits, for a double would turn 1609459200.123 into a neighbour.
pub(super) fn parse_number(number: &str) -> Option<i64> {
    let (negative, number) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // Leading zeros count for nothing; what is left is 0.d₁d₂d₃… · 10^point.
    let mut digits = whole.bytes().chain(fraction.bytes()).skip_while(|&digit| digit == b'0').peekable();
    if digits.peek().is_none() {
        return Some(0);
    }
    let zeros = whole.bytes().chain(fraction.bytes()).take_while(|&digit| digit == b'0').count();
    let point = saturating_exponent(exponent) + whole.len() as i64 - zeros as i64;
    let point = if point <= 11 { point + 3 } else { point };
    if point < 0 {
        return Some(0);
    }
    if point > 15 {
        return None;
    }
    let mut ms = 0;
    for _ in 0..point {
        ms = ms * 10 + digits.next().map_or(0, |digit| i64::from(digit - b'0'));
    }
    ms += i64::from(digits.next().is_some_and(|digit| digit >= b'5'));
    // A time that rounds to the epoch is not before it.
    in_range(if negative { -ms } else { ms })
}

/// An exponent as far as it matters: no record has so many digits that more could come back into range.
fn saturating_exponent(text: &str) -> i64 {
    const FAR: i64 = 1 << 40;
    match text.parse::<i64>() {
        Ok(exponent) => exponent.clamp(-FAR, FAR),
        Err(_) if text.starts_with('-') => -FAR,
        Err(_) => FAR,
    }
}

/// Appends `2026-03-01T00:00:00.000Z`.
pub fn write_rfc3339(out: &mut Vec<u8>, ms: i64) {
    out.extend_from_slice(&rfc3339(ms));
}

/// `2026-03-01T00:00:00.000Z`: ASCII.
pub fn rfc3339(ms: i64) -> [u8; 24] {
    let (days, rest) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
    // The inverse of `days`: 400 years have 146,097 days, a year begins in March.
    let since = days + 719_468;
    let era = since.div_euclid(146_097);
    let day = since.rem_euclid(146_097);
    let year_of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (0, month + 3) } else { (1, month - 9) };
    let year = (year + era * 400 + year_of_era).rem_euclid(10_000);

    let mut text = *b"0000-00-00T00:00:00.000Z";
    let rest = rest as u32;
    let pairs = [
        (0, year as u32 / 100),
        (2, year as u32 % 100),
        (5, month as u32),
        (8, day as u32),
        (11, rest / 3_600_000),
        (14, rest / 60_000 % 60),
        (17, rest / 1000 % 60),
        (20, rest % 1000 / 10),
    ];
    for (at, pair) in pairs {
        text[at] = b'0' + (pair / 10) as u8;
        text[at + 1] = b'0' + (pair % 10) as u8;
    }
    text[22] = b'0' + (rest % 10) as u8;
    text
}

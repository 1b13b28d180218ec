//! JSON strings: where they end, and what their escapes stand for.

use super::json::{Problem, Scalar, Syntax};
use std::borrow::Cow;
use wide::u8x16;

/// Bytes that are looked at together.
const CHUNK: usize = 16;

/// A key as most are, after a comma or a brace: shorter than a chunk, without escapes, no white space around it.
#[derive(Clone, Copy)]
pub(super) struct ShortKey {
    /// Less than [`CHUNK`].
    pub len: usize,
    /// See [`word`].
    pub word: u128,
    /// What its value begins with.
    pub value: u8,
}

impl ShortKey {
    /// The key behind the `mark` that stands at `pos`, if it is such a key and not near the end of the text.
    #[inline(always)]
    pub fn after(mark: u8, text: &[u8], pos: usize) -> Option<ShortKey> {
        // One look at the length of the text is enough for all of it.
        let window: &[u8; 2 * CHUNK] = text.get(pos..)?.first_chunk()?;
        if window[0] != mark || window[1] != b'"' {
            return None;
        }
        let chunk = window[2..].first_chunk()?;
        let special = special_bytes(chunk);
        // The bits beyond 15 are clear, so that no index is beyond the window.
        let len = special.trailing_zeros() as usize % CHUNK;
        let value = window[4 + len];
        let usual = special != 0 && window[2 + len] == b'"' && window[3 + len] == b':' && value > b' ';
        usual.then(|| ShortKey { len, word: u128::from_le_bytes(*chunk) | PADS[len], value })
    }
}

/// What follows a string in its [`word`].
const PADS: [u128; CHUNK] = {
    let mut pads = [u128::MAX; CHUNK];
    let mut len = 1;
    while len < CHUNK {
        pads[len] = u128::MAX << (len * 8);
        len += 1;
    }
    pads
};

/// The first 16 bytes of a string as a number; a shorter one is followed by 0xff, which no text has.
pub(super) fn word(text: &[u8]) -> u128 {
    let mut chunk = [0xff; CHUNK];
    chunk.iter_mut().zip(text).for_each(|(to, &from)| *to = from);
    u128::from_le_bytes(chunk)
}

/// The first quote, backslash or control character from `pos` on; the end of the text if there is none.
#[inline(always)]
pub(super) fn plain_end(text: &[u8], mut pos: usize) -> usize {
    let mut rest = text.get(pos..).unwrap_or_default();
    while let Some((chunk, behind)) = rest.split_first_chunk() {
        let special = special_bytes(chunk);
        if special != 0 {
            return pos + special.trailing_zeros() as usize;
        }
        pos += CHUNK;
        rest = behind;
    }
    plain_end_near_the_end(text, pos)
}

#[inline(never)]
fn plain_end_near_the_end(text: &[u8], pos: usize) -> usize {
    let special = match text.last_chunk() {
        // The last chunk has bytes before `pos`, which do not count.
        Some(chunk) => special_bytes(chunk) >> (pos + CHUNK - text.len()),
        None => {
            let mut chunk = [b' '; CHUNK];
            chunk.iter_mut().zip(text.iter().skip(pos)).for_each(|(to, &from)| *to = from);
            special_bytes(&chunk)
        }
    };
    if special == 0 { text.len() } else { pos + special.trailing_zeros() as usize }
}

/// A bit for each byte that ends the plain part of a string, the lowest for the first byte.
#[inline(always)]
fn special_bytes(chunk: &[u8; CHUNK]) -> u32 {
    let bytes = u8x16::new(*chunk);
    // With bit 1 flipped the quote (0x22) is 0x20, and what was 0x20 and 0x21 is above: one comparison finds the quote
    // and the control characters.
    let flipped = bytes ^ u8x16::splat(0x02);
    let quote_or_control = flipped.min(u8x16::splat(0x20)).cmp_eq(flipped);
    let backslash = bytes.cmp_eq(u8x16::splat(b'\\'));
    (quote_or_control | backslash).move_mask().cast_unsigned()
}

/// Reads the rest of a string from its first byte that is not plain: past its closing quote.
#[inline(never)]
pub(super) fn end_with_escapes(text: &[u8], mut pos: usize) -> Result<usize, Syntax> {
    loop {
        match text.get(pos) {
            Some(b'"') => return Ok(pos + 1),
            Some(b'\\') => pos = escape_end(text, pos)?,
            Some(_) => return Err(Syntax { at: pos, problem: Problem::ControlCharacter }),
            None => return Err(Syntax { at: pos, problem: Problem::UnclosedString }),
        }
        pos = plain_end(text, pos);
    }
}

fn escape_end(text: &[u8], pos: usize) -> Result<usize, Syntax> {
    match text.get(pos + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(pos + 2),
        Some(b'u') => match unicode_escape(&text[pos + 1..]) {
            Some((_, length)) => Ok(pos + 1 + length),
            None => {
                let surrogate = text.get(pos + 2..pos + 6).is_some_and(|digits| hex4(digits).is_some());
                let problem = if surrogate { Problem::LoneSurrogate } else { Problem::Escape };
                Err(Syntax { at: pos, problem })
            }
        },
        Some(_) => Err(Syntax { at: pos, problem: Problem::Escape }),
        None => Err(Syntax { at: pos + 1, problem: Problem::UnclosedString }),
    }
}

/// Appends the value of a string that stands in valid JSON (without its quotes).
pub(super) fn unescape(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let (character, length) = match escape.as_bytes().first() {
            Some(b'u') => {
                unicode_escape(escape.as_bytes()).unwrap_or((char::REPLACEMENT_CHARACTER, escape.len()))
            }
            Some(b'b') => ('\u{8}', 1),
            Some(b'f') => ('\u{c}', 1),
            Some(b'n') => ('\n', 1),
            Some(b'r') => ('\r', 1),
            Some(b't') => ('\t', 1),
            Some(&other) => (other as char, 1),
            None => break,
        };
        out.push(character);
        rest = &escape[length..];
    }
    out.push_str(rest);
}

/// The value of a string that stands in valid JSON (without its quotes).
pub(super) fn unescaped(scalar: Scalar, text: &str) -> Cow<'_, str> {
    if scalar == Scalar::Plain {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    unescape(text, &mut out);
    Cow::Owned(out)
}

/// The character of `uXXXX` or `uXXXX\uXXXX` at the start of the bytes, and how many of them it takes; `None` for
/// anything else, a lone surrogate included.
fn unicode_escape(bytes: &[u8]) -> Option<(char, usize)> {
    let unit = hex4(bytes.get(1..5)?)?;
    match unit {
        0xD800..=0xDBFF => {
            let low = bytes.get(5..11).filter(|next| next.starts_with(b"\\u"))?;
            let low = hex4(&low[2..]).filter(|low| (0xDC00..=0xDFFF).contains(low))?;
            Some((char::from_u32(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00))?, 11))
        }
        _ => Some((char::from_u32(unit)?, 5)),
    }
}

fn hex4(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, &digit| Some(value << 4 | (digit as char).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::{CHUNK, special_bytes};

    #[test]
    fn special_bytes_are_found_at_every_place() {
        for byte in 0..=u8::MAX {
            for other in [b'"', b'#', b' ', b'\\', 0x00, 0x7f, 0x80, 0xff] {
                for at in 0..CHUNK {
                    let mut chunk = [other; CHUNK];
                    chunk[at] = byte;
                    let ends = |byte: u8| matches!(byte, b'"' | b'\\' | 0..0x20);
                    let expected = (0..CHUNK).map(|at| u32::from(ends(chunk[at])) << at).sum::<u32>();
                    assert_eq!(special_bytes(&chunk), expected, "{chunk:x?}");
                }
            }
        }
    }
}

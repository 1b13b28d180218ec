//! The JSON grammar (RFC 8259), strictly and in one pass: no recursion, no tree, no copies. A [`Visitor`] sees where
//! keys, scalars, arrays and objects stand and keeps what it wants.

use std::borrow::Cow;

/// What a [`parse`] calls as it goes. Positions are byte offsets into the text.
pub(super) trait Visitor {
    /// An array or object begins at its bracket.
    fn open(&mut self, object: bool, start: usize);
    /// The innermost array or object ends before `end`.
    fn close(&mut self, end: usize);
    /// A key of the innermost object, without its quotes; its value follows.
    fn key(&mut self, start: usize, end: usize, escaped: bool);
    /// A value that is no array or object; a string comes without its quotes.
    fn scalar(&mut self, scalar: Scalar, start: usize, end: usize);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    Null,
    True,
    False,
    Number,
    /// Without escapes: its text is its value.
    Plain,
    /// With at least one backslash.
    Escaped,
}

/// Where a text stops being JSON, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Syntax {
    pub at: usize,
    pub problem: Problem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    Empty,
    Value,
    Key,
    Colon,
    CommaOrBrace,
    CommaOrBracket,
    TrailingText,
    UnclosedString,
    ControlCharacter,
    Escape,
    LoneSurrogate,
    Number,
    LeadingZero,
    NumberRange,
}

/// Checks that the text is one JSON value and shows it to the visitor. Returns how many arrays and objects were open
/// at once. Memory: one bit for each of these.
pub(super) fn parse(text: &str, visitor: &mut impl Visitor) -> Result<usize, Syntax> {
    let mut reader = Reader::new(text);
    reader.document(visitor).map_err(|Invalid| reader.syntax)
}

/// Whether the text is one JSON value.
pub(super) fn is_json(text: &str) -> bool {
    struct Nobody;
    impl Visitor for Nobody {
        fn open(&mut self, _: bool, _: usize) {}
        fn close(&mut self, _: usize) {}
        fn key(&mut self, _: usize, _: usize, _: bool) {}
        fn scalar(&mut self, _: Scalar, _: usize, _: usize) {}
    }
    parse(text, &mut Nobody).is_ok()
}

/// Whether the text is a JSON number that is finite as a double, and nothing else.
pub(super) fn is_number(text: &str) -> bool {
    let mut reader = Reader::new(text);
    matches!(reader.peek(), b'-' | b'0'..=b'9') && reader.number().is_ok() && reader.pos == text.len()
}

/// The kind and the text of a JSON text that is one scalar.
pub(super) fn scalar(text: &str) -> Option<(Scalar, &str)> {
    let mut reader = Reader::new(text);
    let scalar = reader.scalar().ok()?;
    let quote = usize::from(matches!(scalar, Scalar::Plain | Scalar::Escaped));
    (reader.pos == text.len()).then(|| (scalar, &text[quote..text.len() - quote]))
}

/// The end of the value that starts at `start`, in a text that is known to be JSON.
pub(super) fn value_end(text: &str, start: usize) -> usize {
    let mut reader = Reader { pos: start, ..Reader::new(text) };
    let mut open = 0usize;
    loop {
        match reader.peek() {
            b'{' | b'[' => {
                open += 1;
                reader.pos += 1;
            }
            b'}' | b']' => {
                open = open.saturating_sub(1);
                reader.pos += 1;
            }
            b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' => reader.pos += 1,
            _ if reader.scalar().is_err() => return text.len(),
            _ => {}
        }
        if open == 0 || reader.pos >= text.len() {
            return reader.pos;
        }
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

/// Reading stopped; `Reader::syntax` says where and why.
struct Invalid;

struct Reader<'t> {
    bytes: &'t [u8],
    pos: usize,
    syntax: Syntax,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Reader { bytes: text.as_bytes(), pos: 0, syntax: Syntax { at: 0, problem: Problem::Empty } }
    }

    #[cold]
    fn fail(&mut self, problem: Problem) -> Invalid {
        self.syntax = Syntax { at: self.pos, problem };
        Invalid
    }

    /// The byte in hand; 0, which is nowhere allowed, at the end.
    #[inline(always)]
    fn peek(&self) -> u8 {
        self.bytes.get(self.pos).copied().unwrap_or(0)
    }

    #[inline(always)]
    fn white(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.pos += 1;
        }
    }

    #[inline]
    fn document(&mut self, visitor: &mut impl Visitor) -> Result<usize, Invalid> {
        let mut nesting = Nesting::default();
        self.white();
        if self.pos == self.bytes.len() {
            return Err(self.fail(Problem::Empty));
        }
        'value: loop {
            let start = self.pos;
            match self.peek() {
                bracket @ (b'{' | b'[') => {
                    let object = bracket == b'{';
                    self.pos += 1;
                    nesting.push(object);
                    visitor.open(object, start);
                    self.white();
                    // In ASCII a closing bracket stands two after its opening one.
                    if self.peek() != bracket + 2 {
                        if object {
                            self.key(visitor)?;
                        }
                        continue 'value;
                    }
                }
                b'"' => {
                    let scalar = self.string()?;
                    visitor.scalar(scalar, start + 1, self.pos - 1);
                }
                _ => {
                    let scalar = self.scalar()?;
                    visitor.scalar(scalar, start, self.pos);
                }
            }
            // A value has ended, and with it perhaps the arrays and objects around it.
            loop {
                self.white();
                let Some(object) = nesting.innermost_is_object() else {
                    return match self.pos == self.bytes.len() {
                        true => Ok(nesting.deepest),
                        false => Err(self.fail(Problem::TrailingText)),
                    };
                };
                match self.peek() {
                    b',' => {
                        self.pos += 1;
                        self.white();
                        if object {
                            self.key(visitor)?;
                        }
                        continue 'value;
                    }
                    b'}' if object => {}
                    b']' if !object => {}
                    _ if object => return Err(self.fail(Problem::CommaOrBrace)),
                    _ => return Err(self.fail(Problem::CommaOrBracket)),
                }
                self.pos += 1;
                nesting.pop();
                visitor.close(self.pos);
            }
        }
    }

    #[inline(always)]
    fn key(&mut self, visitor: &mut impl Visitor) -> Result<(), Invalid> {
        if self.peek() != b'"' {
            return Err(self.fail(Problem::Key));
        }
        let start = self.pos + 1;
        let scalar = self.string()?;
        visitor.key(start, self.pos - 1, scalar == Scalar::Escaped);
        self.white();
        if self.peek() != b':' {
            return Err(self.fail(Problem::Colon));
        }
        self.pos += 1;
        self.white();
        Ok(())
    }

    #[inline]
    fn scalar(&mut self) -> Result<Scalar, Invalid> {
        match self.peek() {
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number().map(|()| Scalar::Number),
            b't' => self.literal(b"true", Scalar::True),
            b'f' => self.literal(b"false", Scalar::False),
            b'n' => self.literal(b"null", Scalar::Null),
            _ => Err(self.fail(Problem::Value)),
        }
    }

    #[inline]
    fn literal(&mut self, literal: &[u8], scalar: Scalar) -> Result<Scalar, Invalid> {
        if !self.bytes[self.pos..].starts_with(literal) {
            return Err(self.fail(Problem::Value));
        }
        self.pos += literal.len();
        Ok(scalar)
    }

    /// Reads a string from its opening quote past its closing one.
    #[inline(always)]
    fn string(&mut self) -> Result<Scalar, Invalid> {
        self.pos += 1;
        self.plain();
        match self.peek() {
            b'"' => {
                self.pos += 1;
                Ok(Scalar::Plain)
            }
            _ => self.string_with_escapes(),
        }
    }

    #[inline(never)]
    fn string_with_escapes(&mut self) -> Result<Scalar, Invalid> {
        loop {
            match self.peek() {
                b'"' => {
                    self.pos += 1;
                    return Ok(Scalar::Escaped);
                }
                b'\\' => self.escape()?,
                _ if self.pos == self.bytes.len() => return Err(self.fail(Problem::UnclosedString)),
                _ => return Err(self.fail(Problem::ControlCharacter)),
            }
            self.plain();
        }
    }

    /// Goes on to the next quote, backslash or control character, or to the end.
    #[inline(always)]
    fn plain(&mut self) {
        while let Some(word) = self.bytes.get(self.pos..).and_then(|rest| rest.first_chunk::<8>()) {
            let special = special_bytes(u64::from_le_bytes(*word));
            if special != 0 {
                self.pos += special.trailing_zeros() as usize / 8;
                return;
            }
            self.pos += 8;
        }
        while self.pos < self.bytes.len() && !matches!(self.peek(), b'"' | b'\\' | 0..0x20) {
            self.pos += 1;
        }
    }

    fn escape(&mut self) -> Result<(), Invalid> {
        match self.bytes.get(self.pos + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.pos += 2,
            Some(b'u') => match unicode_escape(&self.bytes[self.pos + 1..]) {
                Some((_, length)) => self.pos += 1 + length,
                None => {
                    let digits = self.bytes.get(self.pos + 2..self.pos + 6);
                    let surrogate = digits.is_some_and(|digits| hex4(digits).is_some());
                    return Err(self.fail(if surrogate { Problem::LoneSurrogate } else { Problem::Escape }));
                }
            },
            None => {
                self.pos += 1;
                return Err(self.fail(Problem::UnclosedString));
            }
            Some(_) => return Err(self.fail(Problem::Escape)),
        }
        Ok(())
    }

    #[inline(never)]
    fn number(&mut self) -> Result<(), Invalid> {
        let start = self.pos;
        self.pos += usize::from(self.peek() == b'-');
        let digits = match self.peek() {
            b'0' => {
                self.pos += 1;
                if self.peek().is_ascii_digit() {
                    self.pos -= 1;
                    return Err(self.fail(Problem::LeadingZero));
                }
                1
            }
            _ => self.digits()?,
        };
        if self.peek() == b'.' {
            self.pos += 1;
            self.digits()?;
        }
        let mut exponent_digits = 0;
        if matches!(self.peek(), b'e' | b'E') {
            self.pos += 1;
            self.pos += usize::from(matches!(self.peek(), b'+' | b'-'));
            exponent_digits = self.digits()?;
        }
        // 10^99 · 10^99 is far inside a double: only what may be larger is worth computing.
        if digits + exponent_digits > 100 || exponent_digits > 2 {
            let text = std::str::from_utf8(&self.bytes[start..self.pos]).unwrap_or_default();
            if !text.parse::<f64>().is_ok_and(f64::is_finite) {
                self.pos = start;
                return Err(self.fail(Problem::NumberRange));
            }
        }
        Ok(())
    }

    /// At least one digit; returns how many.
    #[inline(always)]
    fn digits(&mut self) -> Result<usize, Invalid> {
        let start = self.pos;
        while self.peek().is_ascii_digit() {
            self.pos += 1;
        }
        match self.pos - start {
            0 => Err(self.fail(Problem::Number)),
            count => Ok(count),
        }
    }
}

/// The high bits of those bytes that end the plain part of a string: quote, backslash, control characters. Exact for
/// the lowest such byte; a borrow may mark others above it.
#[inline(always)]
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES << 7;
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let zero = (quote.wrapping_sub(ONES) & !quote) | (backslash.wrapping_sub(ONES) & !backslash);
    (zero | (word.wrapping_sub(ONES * 0x20) & !word)) & HIGH
}

/// Which of the open brackets are objects: a bit for each, so that a hostile record cannot take much memory.
#[derive(Default)]
struct Nesting {
    /// The innermost bracket is the lowest bit.
    word: u64,
    depth: usize,
    deepest: usize,
    /// Full words of the outer brackets.
    outer: Vec<u64>,
}

impl Nesting {
    #[inline(always)]
    fn push(&mut self, object: bool) {
        if self.depth != 0 && self.depth.is_multiple_of(64) {
            self.outer.push(self.word);
        }
        self.word = self.word << 1 | u64::from(object);
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
    }

    #[inline(always)]
    fn pop(&mut self) {
        self.depth -= 1;
        self.word = match self.depth != 0 && self.depth.is_multiple_of(64) {
            true => self.outer.pop().unwrap_or(0),
            false => self.word >> 1,
        };
    }

    #[inline(always)]
    fn innermost_is_object(&self) -> Option<bool> {
        (self.depth != 0).then_some(self.word & 1 == 1)
    }
}

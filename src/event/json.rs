//! The JSON grammar (RFC 8259), strictly and in one pass: no recursion, no tree, no copies. A [`Visitor`] sees where
//! keys, scalars, arrays and objects stand and keeps what it wants.

use super::string::{self, Short};

/// What a [`parse`] calls as it goes. Positions are byte offsets into the text.
pub(super) trait Visitor {
    /// An array or object begins at its bracket.
    fn open(&mut self, object: bool, start: usize);
    /// The innermost array or object ends before `end`.
    fn close(&mut self, end: usize);
    /// A key of the innermost object; its value follows.
    fn key(&mut self, key: Key);
    /// A value that is no array or object; a string comes without its quotes.
    fn scalar(&mut self, scalar: Scalar, start: usize, end: usize);
}

/// Where a key stands, without its quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub start: usize,
    pub end: usize,
    pub escaped: bool,
    /// See [`string::word`]; as it stands in the text.
    pub word: u128,
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

impl Scalar {
    /// Strings are shown without their quotes.
    #[inline(always)]
    fn show(self, visitor: &mut impl Visitor, start: usize, end: usize) {
        match self {
            Scalar::Plain | Scalar::Escaped => visitor.scalar(self, start + 1, end - 1),
            _ => visitor.scalar(self, start, end),
        }
    }
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
    Reader::new(text).document(visitor)
}

/// Whether the text is one JSON value.
pub(super) fn is_json(text: &str) -> bool {
    struct Nobody;
    impl Visitor for Nobody {
        fn open(&mut self, _: bool, _: usize) {}
        fn close(&mut self, _: usize) {}
        fn key(&mut self, _: Key) {}
        fn scalar(&mut self, _: Scalar, _: usize, _: usize) {}
    }
    parse(text, &mut Nobody).is_ok()
}

/// Whether the text is a JSON number that is finite as a double, and nothing else.
pub(super) fn is_number(text: &str) -> bool {
    scalar(text).is_some_and(|(scalar, _)| scalar == Scalar::Number)
}

/// The kind and the text of a JSON text that is one scalar.
pub(super) fn scalar(text: &str) -> Option<(Scalar, &str)> {
    let reader = Reader::new(text);
    let (scalar, end) = reader.scalar(reader.peek(0), 0).ok()?;
    let quote = usize::from(matches!(scalar, Scalar::Plain | Scalar::Escaped));
    (end == text.len()).then(|| (scalar, &text[quote..text.len() - quote]))
}

/// The end of the value that starts at `start`, in a text that is known to be JSON.
pub(super) fn value_end(text: &str, start: usize) -> usize {
    let reader = Reader::new(text);
    let mut pos = start;
    let mut open = 0usize;
    loop {
        match reader.peek(pos) {
            b'{' | b'[' => {
                open += 1;
                pos += 1;
            }
            b'}' | b']' => {
                open = open.saturating_sub(1);
                pos += 1;
            }
            b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' => pos += 1,
            first => match reader.scalar(first, pos) {
                Ok((_, end)) => pos = end,
                Err(_) => return text.len(),
            },
        }
        if open == 0 || pos >= text.len() {
            return pos;
        }
    }
}

/// Reads a text from positions that it is given: what is called out of line leaves the position in a register.
#[derive(Clone, Copy)]
struct Reader<'t> {
    bytes: &'t [u8],
}

#[cold]
fn fail<T>(at: usize, problem: Problem) -> Result<T, Syntax> {
    Err(Syntax { at, problem })
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Reader { bytes: text.as_bytes() }
    }

    /// The byte at the position; 0, which is nowhere allowed, at the end.
    #[inline(always)]
    fn peek(self, pos: usize) -> u8 {
        self.bytes.get(pos).copied().unwrap_or(0)
    }

    /// Skips white space; what follows it and where.
    #[inline(always)]
    fn token(self, pos: usize) -> (u8, usize) {
        match self.peek(pos) {
            0..=b' ' => self.token_after_white(pos),
            byte => (byte, pos),
        }
    }

    #[inline(never)]
    fn token_after_white(self, mut pos: usize) -> (u8, usize) {
        while matches!(self.peek(pos), b' ' | b'\n' | b'\r' | b'\t') {
            pos += 1;
        }
        (self.peek(pos), pos)
    }

    #[inline(always)]
    fn document(self, visitor: &mut impl Visitor) -> Result<usize, Syntax> {
        let mut nesting = Nesting::default();
        let (first, start) = self.token(0);
        if start == self.bytes.len() {
            return fail(start, Problem::Empty);
        }
        let end = match first {
            b'{' | b'[' => self.container(first, start, visitor, &mut nesting)?,
            _ => {
                let (scalar, end) = self.scalar(first, start)?;
                scalar.show(visitor, start, end);
                end
            }
        };
        let (_, end) = self.token(end);
        match end == self.bytes.len() {
            true => Ok(nesting.deepest),
            false => fail(end, Problem::TrailingText),
        }
    }

    /// Reads an array or object, which begins with `byte`, and all that is in it; its end.
    #[inline(always)]
    fn container(
        self,
        mut byte: u8,
        mut pos: usize,
        visitor: &mut impl Visitor,
        nesting: &mut Nesting,
    ) -> Result<usize, Syntax> {
        'value: loop {
            // A value begins with `byte`, at `pos`.
            match byte {
                b'"' => {
                    let (scalar, end) = self.string(pos)?;
                    visitor.scalar(scalar, pos + 1, end - 1);
                    pos = end;
                }
                b'{' | b'[' => {
                    let object = byte == b'{';
                    nesting.push(object);
                    visitor.open(object, pos);
                    let (first, at) = self.token(pos + 1);
                    // In ASCII a closing bracket stands two after its opening one.
                    if first != byte + 2 {
                        (byte, pos) = if object { self.key(at, visitor)? } else { (first, at) };
                        continue 'value;
                    }
                    pos = at;
                }
                _ => {
                    let (scalar, end) = self.scalar(byte, pos)?;
                    visitor.scalar(scalar, pos, end);
                    pos = end;
                }
            }
            // A value has ended, and with it perhaps the arrays and objects around it.
            while nesting.depth > 0 {
                let object = nesting.innermost_is_object();
                let (next, at) = self.token(pos);
                match next {
                    b',' => {
                        (byte, pos) = if object { self.key(at + 1, visitor)? } else { self.token(at + 1) };
                        continue 'value;
                    }
                    b'}' if object => {}
                    b']' if !object => {}
                    _ if object => return fail(at, Problem::CommaOrBrace),
                    _ => return fail(at, Problem::CommaOrBracket),
                }
                pos = at + 1;
                nesting.pop();
                visitor.close(pos);
            }
            return Ok(pos);
        }
    }

    /// Reads a key and its colon; the byte that its value begins with, and where.
    #[inline(always)]
    fn key(self, pos: usize, visitor: &mut impl Visitor) -> Result<(u8, usize), Syntax> {
        if let Some(key) = Short::at(self.bytes, pos)
            && let [b':', first @ b'!'..=0xff] = key.next()
        {
            let (start, end) = (pos + 1, pos + 1 + key.len);
            visitor.key(Key { start, end, escaped: false, word: key.word() });
            return Ok((first, end + 2));
        }
        self.any_key(pos, visitor)
    }

    #[inline(never)]
    fn any_key(self, pos: usize, visitor: &mut impl Visitor) -> Result<(u8, usize), Syntax> {
        let (first, pos) = self.token(pos);
        if first != b'"' {
            return fail(pos, Problem::Key);
        }
        let (scalar, after) = self.string(pos)?;
        let (start, end) = (pos + 1, after - 1);
        let word = string::word(&self.bytes[start..end]);
        visitor.key(Key { start, end, escaped: scalar == Scalar::Escaped, word });
        match self.token(after) {
            (b':', at) => Ok(self.token(at + 1)),
            (_, at) => fail(at, Problem::Colon),
        }
    }

    /// Reads a scalar that begins with `first`; what it is and where it ends.
    #[inline]
    fn scalar(self, first: u8, pos: usize) -> Result<(Scalar, usize), Syntax> {
        match first {
            b'"' => self.string(pos),
            b'-' | b'0'..=b'9' => Ok((Scalar::Number, self.number(pos)?)),
            b't' => self.literal(b"true", Scalar::True, pos),
            b'f' => self.literal(b"false", Scalar::False, pos),
            b'n' => self.literal(b"null", Scalar::Null, pos),
            _ => fail(pos, Problem::Value),
        }
    }

    #[inline]
    fn literal(self, literal: &[u8], scalar: Scalar, pos: usize) -> Result<(Scalar, usize), Syntax> {
        match self.bytes[pos..].starts_with(literal) {
            true => Ok((scalar, pos + literal.len())),
            false => fail(pos, Problem::Value),
        }
    }

    /// Reads a string from its opening quote past its closing one.
    #[inline(always)]
    fn string(self, pos: usize) -> Result<(Scalar, usize), Syntax> {
        if let Some(short) = Short::at(self.bytes, pos) {
            return Ok((Scalar::Plain, pos + short.len + 2));
        }
        let end = string::plain_end(self.bytes, pos + 1);
        match self.peek(end) {
            b'"' => Ok((Scalar::Plain, end + 1)),
            _ => Ok((Scalar::Escaped, string::end_with_escapes(self.bytes, end)?)),
        }
    }

    #[inline(never)]
    fn number(self, start: usize) -> Result<usize, Syntax> {
        let mut pos = start + usize::from(self.peek(start) == b'-');
        let whole = pos;
        pos = self.digits(pos)?;
        let mut digits = pos - whole;
        if digits > 1 && self.peek(whole) == b'0' {
            return fail(whole, Problem::LeadingZero);
        }
        if self.peek(pos) == b'.' {
            pos = self.digits(pos + 1)?;
        }
        if matches!(self.peek(pos), b'e' | b'E') {
            let sign = usize::from(matches!(self.peek(pos + 1), b'+' | b'-'));
            let exponent = pos + 1 + sign;
            pos = self.digits(exponent)?;
            digits += pos - exponent;
            if pos - exponent > 2 {
                return self.finite(start, pos);
            }
        }
        // 10^99 · 10^99 is far inside a double: only what may be larger is worth computing.
        if digits > 100 { self.finite(start, pos) } else { Ok(pos) }
    }

    #[cold]
    fn finite(self, start: usize, end: usize) -> Result<usize, Syntax> {
        let text = std::str::from_utf8(&self.bytes[start..end]).unwrap_or_default();
        match text.parse::<f64>().is_ok_and(f64::is_finite) {
            true => Ok(end),
            false => fail(start, Problem::NumberRange),
        }
    }

    /// Reads at least one digit; where they end.
    #[inline(always)]
    fn digits(self, start: usize) -> Result<usize, Syntax> {
        let mut pos = start;
        while self.peek(pos).is_ascii_digit() {
            pos += 1;
        }
        if pos == start { fail(pos, Problem::Number) } else { Ok(pos) }
    }
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
    fn innermost_is_object(&self) -> bool {
        self.word & 1 == 1
    }
}

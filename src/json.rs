//! Writes records as JSON: what `serde_json` writes, compact, without its price per byte. Records are text, whole numbers
//! and numbers of two decimals for the greatest part.

use serde::Serialize;
use serde::ser::{self, Impossible, SerializeMap, SerializeSeq, SerializeStruct};
use serde_json::Error;

/// The name under which `serde_json::value::RawValue` shows itself to a serializer.
const RAW: &str = "$serde_json::private::RawValue";

/// Appends the value as compact JSON.
///
/// # Errors
/// If a key of a map is no text, or the value has parts that no record has (tuples, enums with data).
pub fn write(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
    value.serialize(Writer { out, raw: false })
}

/// Appends a text in its quotes.
pub fn write_text(out: &mut Vec<u8>, text: &str) {
    if is_plain(text.as_bytes()) {
        out.reserve(text.len() + 2);
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        let written = serde_json::to_writer(out, text);
        debug_assert!(written.is_ok(), "a text can be written into memory");
    }
}

/// Whether JSON escapes nothing of a text. Names are short: eight bytes at once, and then the last ones.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    let (words, rest) = text.as_chunks::<8>();
    let rest = match text.last_chunk::<8>() {
        Some(last) => u64::from_le_bytes(*last),
        None => rest.iter().fold(FILLER, |word, &byte| word << 8 | u64::from(byte)),
    };
    words.iter().fold(odd(rest), |found, word| found | odd(u64::from_le_bytes(*word))) == 0
}

/// Eight bytes that need no escape.
const FILLER: u64 = EACH * b' ' as u64;
/// Times a byte: eight of it.
const EACH: u64 = 0x0101_0101_0101_0101;

/// Not 0 if one of eight bytes is a control character, a quote or a backslash.
#[inline]
fn odd(word: u64) -> u64 {
    // A byte that is less than `bound` borrows into its highest bit, which it did not have itself.
    let below = |word: u64, bound: u8| word.wrapping_sub(EACH * u64::from(bound)) & !word;
    let quote = word ^ (EACH * u64::from(b'"'));
    let backslash = word ^ (EACH * u64::from(b'\\'));
    (below(word, b' ') | below(quote, 1) | below(backslash, 1)) & (EACH * 0x80)
}

/// Appends a whole number in decimal digits.
pub fn write_whole(out: &mut Vec<u8>, negative: bool, mut number: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    if negative {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[start..]);
}

/// Appends a number in its shortest form.
fn write_float(out: &mut Vec<u8>, number: f64) -> Result<(), Error> {
    let size = number.abs();
    let hundredths = (size * 100.0 + 0.5) as u64;
    // So few digits have no shorter form.
    if hundredths < 1_000_000_000_000 && hundredths as f64 / 100.0 == size && size != 0.0 {
        write_whole(out, number < 0.0, hundredths / 100);
        let (tenths, rest) = ((hundredths / 10 % 10) as u8, (hundredths % 10) as u8);
        out.extend_from_slice(&[b'.', b'0' + tenths]);
        if rest != 0 {
            out.push(b'0' + rest);
        }
        return Ok(());
    }
    serde_json::to_writer(out, &number)
}

struct Writer<'o> {
    out: &'o mut Vec<u8>,
    /// A text is JSON already.
    raw: bool,
}

/// What is written between two brackets.
struct Items<'o> {
    out: &'o mut Vec<u8>,
    any: bool,
    /// `None`: it is a `RawValue`, which comes without brackets.
    end: Option<u8>,
}

impl<'o> Writer<'o> {
    fn open(self, start: u8, end: u8) -> Items<'o> {
        self.out.push(start);
        Items { out: self.out, any: false, end: Some(end) }
    }
}

impl Items<'_> {
    #[inline]
    fn next(&mut self) {
        if self.any {
            self.out.push(b',');
        }
        self.any = true;
    }

    fn close(self) {
        self.out.extend(self.end);
    }
}

fn unused<T>(what: &str) -> Result<T, Error> {
    Err(ser::Error::custom(format_args!("no record has a part that is {what}")))
}

macro_rules! whole {
    ($to:ident: $($name:ident $type:ty),*) => {
        $(fn $name(self, number: $type) -> Result<(), Error> {
            self.$to(number.into())
        })*
    };
}

impl<'o> ser::Serializer for Writer<'o> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Items<'o>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Items<'o>;
    type SerializeStruct = Items<'o>;
    type SerializeStructVariant = Impossible<(), Error>;

    whole!(serialize_i64: serialize_i8 i8, serialize_i16 i16, serialize_i32 i32);
    whole!(serialize_u64: serialize_u8 u8, serialize_u16 u16, serialize_u32 u32);

    fn serialize_i64(self, number: i64) -> Result<(), Error> {
        write_whole(self.out, number < 0, number.unsigned_abs());
        Ok(())
    }

    fn serialize_u64(self, number: u64) -> Result<(), Error> {
        write_whole(self.out, false, number);
        Ok(())
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_f32(self, number: f32) -> Result<(), Error> {
        self.serialize_f64(number.into())
    }

    fn serialize_f64(self, number: f64) -> Result<(), Error> {
        write_float(self.out, number)
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, text: &str) -> Result<(), Error> {
        match self.raw {
            true => self.out.extend_from_slice(text.as_bytes()),
            false => write_text(self.out, text),
        }
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Error> {
        unused("bytes")
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        unused("a variant with data")
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'o>, Error> {
        Ok(self.open(b'[', b']'))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Error> {
        unused("a tuple")
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Error> {
        unused("a tuple")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        unused("a variant with data")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Items<'o>, Error> {
        Ok(self.open(b'{', b'}'))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Items<'o>, Error> {
        match name {
            RAW => Ok(Items { out: self.out, any: false, end: None }),
            _ => Ok(self.open(b'{', b'}')),
        }
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        unused("a variant with data")
    }
}

impl SerializeSeq for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.next();
        write(self.out, value)
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

impl SerializeMap for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.next();
        write(self.out, key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.out.push(b':');
        write(self.out, value)
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

impl SerializeStruct for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        if self.end.is_none() {
            return value.serialize(Writer { out: self.out, raw: true });
        }
        self.out.extend_from_slice(if self.any { b",\"" } else { b"\"" });
        self.any = true;
        // The name of a field has nothing to escape.
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        write(self.out, value)
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn same(value: &(impl Serialize + ?Sized)) {
        let mut out = Vec::new();
        write(&mut out, value).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(value).unwrap());
    }

    #[test]
    fn numbers_are_written_as_serde_json_writes_them() {
        for hundredths in -20_000..20_000_i64 {
            same(&(hundredths as f64 / 100.0));
            same(&(hundredths as f64 / 1000.0));
        }
        for number in [
            0.1 + 0.2,
            1e-7,
            -1e300,
            5e-324,
            f64::MAX,
            f64::MIN,
            -0.0,
            1e15,
            1e16,
            9_999_999_999.99,
            99_999_999_999.99,
            123_456_789_012.25,
            f64::NAN,
            f64::INFINITY,
        ] {
            same(&number);
        }
        [0, 9, 10, -1, i64::MIN, i64::MAX].iter().for_each(same);
        [0, 10, u64::MAX].iter().for_each(same);
        same(&(7_u8));
        same(&(-7_i16));
    }

    #[test]
    fn texts_and_containers_are_written_as_serde_json_writes_them() {
        for length in 0..40 {
            for odd in ["", "\"", "\\", "\n", "\u{1}", "\u{7f}", "é", "\u{2028}"] {
                same(&format!("{}{odd}{odd}", "x".repeat(length)));
                same(&format!("{odd}{}", "\u{ff}~ ".repeat(length)));
            }
        }
        same(&json!({ "a": [1, null, true, {}, []], "b": { "c\"": "d" }, "e": [[]], "f": 'x' }));
        same(&Some(serde_json::value::RawValue::from_string("{\"a\" :  [1]}".into()).unwrap()));
    }
}

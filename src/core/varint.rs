//! Varints, trimmed floats and sets: the letters of a lead's bytes.

use super::bits::Bits;
use super::codec::Corrupt;

/// LEB128.
#[inline]
pub fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// LEB128 of a signed number with its sign in the lowest bit.
#[inline]
pub fn write_zigzag(out: &mut Vec<u8>, value: i64) {
    write_varint(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// Appends the float's big-endian bytes without trailing zeros and returns how many there are (0 to 8).
#[inline]
pub fn write_f64(out: &mut Vec<u8>, value: f64) -> u8 {
    let bits = value.to_bits();
    let length = 8 - (bits.trailing_zeros() / 8).min(8) as usize;
    out.extend_from_slice(&bits.to_be_bytes()[..length]);
    length as u8
}

/// A set: the number of its bytes, and these without trailing zeros.
pub fn write_bits(out: &mut Vec<u8>, bits: &Bits) {
    let words = bits.words();
    let zeros = words.last().map_or(0, |last| last.leading_zeros() as usize / 8);
    let length = words.len() * 8 - zeros;
    write_varint(out, length as u64);
    let start = out.len();
    words.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
    out.truncate(start + length);
}

/// An index of a list of `bound` items, which is at most 65,536.
pub fn index_below(index: u64, bound: usize) -> Result<u16, Corrupt> {
    if index < bound as u64 { Ok(index as u16) } else { Err(Corrupt("an index out of range")) }
}

/// Reads what the functions above wrote. Every method fails at the end of the bytes and on values out of range.
pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes }
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub fn left(&self) -> usize {
        self.bytes.len()
    }

    #[inline]
    pub fn byte(&mut self) -> Result<u8, Corrupt> {
        let (&first, rest) = self.bytes.split_first().ok_or(Corrupt("cut short"))?;
        self.bytes = rest;
        Ok(first)
    }

    #[inline]
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], Corrupt> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or(Corrupt("cut short"))?;
        self.bytes = rest;
        Ok(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Corrupt> {
        let (&taken, rest) = self.bytes.split_first_chunk::<N>().ok_or(Corrupt("cut short"))?;
        self.bytes = rest;
        Ok(taken)
    }

    #[inline]
    pub fn varint(&mut self) -> Result<u64, Corrupt> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(u64::from(first));
        }
        let mut value = u64::from(first & 0x7f);
        for shift in (7..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Corrupt("a number over 64 bits"))
    }

    pub fn u32(&mut self) -> Result<u32, Corrupt> {
        u32::try_from(self.varint()?).map_err(|_| Corrupt("a count out of range"))
    }

    #[inline]
    pub fn zigzag(&mut self) -> Result<i64, Corrupt> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A time at or before `clock`, and not before 1970.
    #[inline]
    pub fn ago(&mut self, clock: i64) -> Result<i64, Corrupt> {
        let ago = self.varint()?;
        if ago <= clock as u64 { Ok(clock - ago as i64) } else { Err(Corrupt("a time before 1970")) }
    }

    /// A time by its signed distance to the one `before` it in a list, neither before 1970 nor after the clock.
    #[inline]
    pub fn before(&mut self, before: i64, clock: i64) -> Result<i64, Corrupt> {
        let time = before.checked_sub(self.zigzag()?);
        time.filter(|time| (0..=clock).contains(time)).ok_or(Corrupt("a time out of range"))
    }

    /// A finite float of so many bytes.
    #[inline]
    pub fn f64(&mut self, length: u8) -> Result<f64, Corrupt> {
        if length > 8 {
            return Err(Corrupt("a float over 8 bytes"));
        }
        let taken = self.take(usize::from(length))?;
        let mut bytes = [0; 8];
        bytes[..taken.len()].copy_from_slice(taken);
        let value = f64::from_be_bytes(bytes);
        if value.is_finite() { Ok(value) } else { Err(Corrupt("a float that is no number")) }
    }

    /// The length of a list whose items take at least `item` bytes each: never more than the bytes can hold.
    pub fn length(&mut self, item: usize) -> Result<usize, Corrupt> {
        let length = self.varint()?;
        if length <= (self.bytes.len() / item) as u64 {
            Ok(length as usize)
        } else {
            Err(Corrupt("a list longer than its bytes"))
        }
    }

    pub fn index(&mut self, bound: usize) -> Result<u16, Corrupt> {
        index_below(self.varint()?, bound)
    }

    /// A set of indices below `bound`.
    pub fn bits(&mut self, bits: &mut Bits, bound: usize) -> Result<(), Corrupt> {
        let length = self.length(1)?;
        let taken = self.take(length)?;
        for chunk in taken.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            bits.push_word(u64::from_le_bytes(word));
        }
        let words = bits.words();
        let highest = words.last().map_or(0, |last| words.len() * 64 - last.leading_zeros() as usize);
        if highest <= bound { Ok(()) } else { Err(Corrupt("an index out of range")) }
    }
}

//! `oauth_nonce` (RFC 5849 §3.3).

use super::codes::Encoding;
use super::percent;
use super::sink::Sink;

/// A nonce: text that no other request with the same timestamp and credentials has.
#[derive(Clone, Copy, Debug)]
pub struct Nonce<'a>(Source<'a>);

#[derive(Clone, Copy, Debug)]
enum Source<'a> {
    Bits(u128),
    Text(&'a str),
}

impl<'a> Nonce<'a> {
    /// Thirty hexadecimal digits, made of the lower 120 of these bits, which should come from a source that nobody can
    /// predict. Stock servers take twenty to thirty letters and digits.
    pub fn from_bits(bits: u128) -> Self {
        Self(Source::Bits(bits))
    }

    #[inline]
    pub(super) fn text(self) -> NonceText<'a> {
        match self.0 {
            Source::Bits(bits) => NonceText::Digits(digits(bits)),
            Source::Text(text) => NonceText::Any(text),
        }
    }
}

/// The text of a nonce, not encoded.
pub(super) enum NonceText<'a> {
    /// They stand for themselves in any encoding.
    Digits([u8; NONCE_DIGITS]),
    Any(&'a str),
}

/// How many digits a nonce has that is made of bits.
pub(super) const NONCE_DIGITS: usize = 30;

impl NonceText<'_> {
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Digits(digits) => digits,
            Self::Any(text) => text.as_bytes(),
        }
    }

    /// Writes the nonce as it stands in a header or a base string.
    pub(super) fn write_encoded(&self, sink: &mut impl Sink, encoding: &Encoding) {
        match self {
            Self::Digits(digits) => sink.write(digits),
            Self::Any(text) => percent::encode(sink, text.as_bytes(), encoding),
        }
    }
}

impl<'a> From<&'a str> for Nonce<'a> {
    /// A nonce that somebody else has made. It may hold any character.
    fn from(text: &'a str) -> Self {
        Self(Source::Text(text))
    }
}

#[inline]
fn digits(bits: u128) -> [u8; NONCE_DIGITS] {
    let mut text = [0; NONCE_DIGITS];
    let pairs = text.as_chunks_mut().0.iter_mut().rev();
    for (pair, byte) in pairs.zip(bits.to_le_bytes()) {
        *pair = DIGITS[usize::from(byte)];
    }
    text
}

/// The two digits of each byte.
static DIGITS: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < pairs.len() {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    pairs
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_made_of_the_lower_bits_as_thirty_digits() {
        let check = |bits, expected: &str| {
            assert_eq!(
                Nonce::from_bits(bits).text().as_bytes(),
                expected.as_bytes()
            );
        };
        check(0, "000000000000000000000000000000");
        check(u128::MAX, "ffffffffffffffffffffffffffffff");
        let bits = 0xfe01_2345_6789_abcd_ef01_2345_6789_abcd;
        check(bits, "0123456789abcdef0123456789abcd");
        assert_eq!(
            Nonce::from_bits(bits).text().as_bytes(),
            format!("{:030x}", bits & (u128::MAX >> 8)).as_bytes()
        );
    }
}

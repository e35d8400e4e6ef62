//! `oauth_nonce` (RFC 5849 §3.3).

/// A nonce of thirty hexadecimal digits: stock servers take twenty to thirty letters and digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce([u8; 30]);

impl Nonce {
    /// A nonce made of the lower 120 of these bits, which should come from a source that nobody can predict.
    pub fn from_bits(bits: u128) -> Self {
        let mut text = [0; 30];
        for (pair, byte) in text
            .as_chunks_mut()
            .0
            .iter_mut()
            .rev()
            .zip(bits.to_le_bytes())
        {
            *pair = DIGITS[usize::from(byte)];
        }
        Self(text)
    }

    /// The nonce as text.
    pub fn as_str(&self) -> &str {
        // Digits are ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
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
        let check = |bits, expected: &str| assert_eq!(Nonce::from_bits(bits).as_str(), expected);
        check(0, "000000000000000000000000000000");
        check(u128::MAX, "ffffffffffffffffffffffffffffff");
        let bits = 0xfe01_2345_6789_abcd_ef01_2345_6789_abcd;
        check(bits, "0123456789abcdef0123456789abcd");
        assert_eq!(
            Nonce::from_bits(bits).as_str(),
            format!("{:030x}", bits & (u128::MAX >> 8))
        );
    }
}

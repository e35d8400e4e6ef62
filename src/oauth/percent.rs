//! Percent-encoding (RFC 5849 §3.6).

use super::codes::{BLOCK, Codes, Encoding, ROOM, is_unreserved};
use super::sink::Sink;

/// Encodes every byte but the unreserved ones of RFC 3986 §2.3, with upper-case digits.
pub(super) fn encode(sink: &mut impl Sink, bytes: &[u8], encoding: &Encoding) {
    let mut room = [0; ROOM];
    let mut codes = Codes::new(sink, &mut room);
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    for block in blocks {
        codes.put(block.map(|byte| encoding.code(byte)));
    }
    for &byte in rest {
        codes.put([encoding.code(byte)]);
    }
    codes.finish();
}

/// `=` and `&` as they stand between parameters that are themselves a part of a base string.
pub(super) const EQUALS: &[u8] = b"%3D";
pub(super) const AMPERSAND: &[u8] = b"%26";

/// Decodes what [`encode`] wrote, with digits of either case; `None` for anything that it would not have
/// written: a byte that had to be encoded, or an escape cut short.
pub(super) fn decode_strict(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, behind)) = next_encoded(rest) {
        decoded.push(byte);
        rest = behind;
    }
    rest.is_empty().then_some(decoded)
}

/// Where the first byte is that [`encode`] would not have written.
pub(super) fn first_not_encoded(text: &[u8]) -> Option<usize> {
    let mut rest = text;
    while let Some((_, behind)) = next_encoded(rest) {
        rest = behind;
    }
    (!rest.is_empty()).then(|| text.len() - rest.len())
}

/// The next byte of encoded text, decoded, and what follows it.
fn next_encoded(text: &[u8]) -> Option<(u8, &[u8])> {
    match text.split_first() {
        Some((&byte, behind)) if is_unreserved(byte) => Some((byte, behind)),
        _ => Some((escaped_byte(text)?, &text[3..])),
    }
}

/// The byte that an escape at the start of the text stands for (RFC 3986 §2.1).
pub(crate) fn escaped_byte(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = *text else {
        return None;
    };
    byte_of(high, low)
}

/// The byte with these two hexadecimal digits.
#[inline]
pub(super) fn byte_of(high: u8, low: u8) -> Option<u8> {
    let value = |digit: u8| DIGIT_VALUES[usize::from(digit)];
    // What is no digit has a value that is none, either.
    let (high, low) = (value(high), value(low));
    ((high | low) < 16).then_some(high << 4 | low)
}

/// The values of hexadecimal digits of either case.
static DIGIT_VALUES: [u8; 256] = {
    let mut values = [u8::MAX; 256];
    let mut value = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value] as usize] = value as u8;
        values[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use super::super::codes::{ONCE, TWICE};
    use super::*;

    fn encoded(bytes: &[u8], encoding: &Encoding) -> String {
        let mut out = Vec::new();
        encode(&mut out, bytes, encoding);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_unreserved_bytes_stay_unencoded() {
        let unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
        for byte in 0..=u8::MAX {
            let expected = if unreserved.as_bytes().contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            };
            assert_eq!(encoded(&[byte], &ONCE), expected);
        }
    }

    #[test]
    fn encoding_twice_is_encoding_what_was_encoded() {
        let bytes: Vec<u8> = (0..=u8::MAX).collect();
        let once = encoded(&bytes, &ONCE);
        assert_eq!(encoded(&bytes, &TWICE), encoded(once.as_bytes(), &ONCE));
    }

    #[test]
    fn text_of_any_length_is_encoded_whole() {
        for length in 0..600 {
            let check = |text: &[u8], expected: &str| {
                let text = text.repeat(length);
                assert_eq!(encoded(&text, &TWICE), expected.repeat(length));
            };
            check(b"a", "a");
            check(b" ", "%2520");
            check(b"a ~", "a%2520~");
        }
    }

    #[test]
    fn strict_decoding_refuses_what_encoding_would_not_write() {
        let check = |text: &[u8], expected: Option<&[u8]>| {
            assert_eq!(decode_strict(text).as_deref(), expected);
        };
        check(b"", Some(b""));
        check(b"r%20b~%c3%A9", Some(b"r b~\xc3\xa9"));
        check(b"a+b", None);
        check(b"a=", None);
        check(b"a b", None);
        check(b"%", None);
        check(b"%4", None);
        check(b"%zz", None);
        check(b"\xc3", None);
    }
}

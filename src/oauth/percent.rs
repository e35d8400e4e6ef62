//! Percent-encoding (RFC 5849 §3.6).

use super::sink::Sink;

/// Encodes every byte but the unreserved ones of RFC 3986 §2.3, with upper-case digits.
pub(super) fn encode(sink: &mut impl Sink, bytes: &[u8], encoding: &Encoding) {
    // Names, keys, nonces and numbers seldom have anything to escape, and are then copied at once.
    if encoding.keeps_all(bytes) {
        sink.write(bytes);
    } else {
        write_codes(sink, bytes, encoding);
    }
}

/// How many bytes are gathered on the stack before a sink gets them.
pub(super) const ROOM: usize = 256;

fn write_codes(sink: &mut impl Sink, bytes: &[u8], encoding: &Encoding) {
    let mut gathered = [0; ROOM];
    let mut length = 0;
    for &byte in bytes {
        let code = encoding.code(byte);
        if length > ROOM - Code::SIZE {
            sink.write(&gathered[..length]);
            length = 0;
        }
        length += put(code, &mut gathered, length);
    }
    sink.write(&gathered[..length]);
}

/// Puts a code at a place in the text; returns the length of it.
///
/// Copying a fixed number of bytes, of which some will be overwritten next, spares a branch.
#[inline]
pub(super) fn put(code: Code, text: &mut [u8; ROOM], at: usize) -> usize {
    text[at..at + Code::SIZE].copy_from_slice(&code.0.to_le_bytes());
    code.length()
}

/// What each byte becomes.
pub(super) struct Encoding([Code; 256]);

/// As a parameter is encoded, and so as it stands in a header (RFC 5849 §3.6).
pub(super) static ONCE: Encoding = Encoding::escaping_with(b"%");

/// As a parameter stands in a base string, of which it is a part that is encoded once more (RFC 5849 §3.4.1.1): in
/// an escape, the percent sign is itself escaped.
pub(super) static TWICE: Encoding = Encoding::escaping_with(b"%25");

/// `=` and `&` as they stand between parameters that are themselves a part of a base string.
pub(super) const EQUALS: &[u8] = b"%3D";
pub(super) const AMPERSAND: &[u8] = b"%26";

/// Decodes what [`encode`] wrote, with digits of either case; `None` for anything that it would not have
/// written: a byte that had to be encoded, or an escape cut short.
pub(super) fn decode_strict(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        if is_unreserved(byte) {
            decoded.push(byte);
            rest = tail;
        } else {
            decoded.push(escaped_byte(rest)?);
            rest = &rest[3..];
        }
    }
    Some(decoded)
}

/// The byte that an escape at the start of the text stands for.
pub(super) fn escaped_byte(text: &[u8]) -> Option<u8> {
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

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// What a byte becomes: at most five bytes of text (`%25` and two digits) from the lowest up, and in the highest byte,
/// how many. It is moved in one go.
#[derive(Clone, Copy)]
pub(super) struct Code(u64);

impl Code {
    pub(super) const SIZE: usize = 8;
    /// No text: what becomes of the byte depends on where it stands.
    pub(super) const NONE: Self = Self(0);

    const fn new(text: &[u8]) -> Self {
        let mut bytes = [0; Self::SIZE];
        bytes.split_at_mut(text.len()).0.copy_from_slice(text);
        bytes[Self::SIZE - 1] = text.len() as u8;
        Self(u64::from_le_bytes(bytes))
    }

    #[inline]
    pub(super) const fn length(self) -> usize {
        (self.0 >> 56) as usize
    }
}

impl Encoding {
    #[inline]
    pub(super) const fn code(&self, byte: u8) -> Code {
        self.0[byte as usize]
    }

    /// Whether each byte stays as it is. Unlike `all`, which stops early, this has no branch for each.
    #[inline]
    fn keeps_all(&self, bytes: &[u8]) -> bool {
        let lengths = bytes.iter().map(|&byte| self.code(byte).length());
        // The other lengths have further bits.
        lengths.fold(1, |all, length| all | length) == 1
    }

    pub(super) const fn with(mut self, byte: u8, code: Code) -> Self {
        self.0[byte as usize] = code;
        self
    }

    pub(super) const fn escaping_with(percent: &[u8]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        let mut codes = [Code::NONE; 256];
        // A `for` loop is not yet possible in a constant function.
        let mut byte = 0;
        while byte < codes.len() {
            codes[byte] = if is_unreserved(byte as u8) {
                Code::new(&[byte as u8])
            } else {
                let mut escape = [0; 5];
                let (escape, _) = escape.split_at_mut(percent.len() + 2);
                let (start, digits) = escape.split_at_mut(percent.len());
                start.copy_from_slice(percent);
                digits[0] = DIGITS[byte >> 4];
                digits[1] = DIGITS[byte & 15];
                Code::new(escape)
            };
            byte += 1;
        }
        Self(codes)
    }
}

#[cfg(test)]
mod tests {
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

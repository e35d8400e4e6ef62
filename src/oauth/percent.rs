//! Percent-encoding (RFC 5849 §3.6) and the decoding of `application/x-www-form-urlencoded` text.
//!
//! Encoders hand their output to a sink piece by piece, so that the same code fills a buffer or feeds a MAC.

use super::QueryPlus;

/// Gathers what is written, so that its sink is called for some hundred bytes at a time and not for each few.
pub(super) struct Writer<S: FnMut(&[u8])> {
    sink: S,
    gathered: [u8; 256],
    length: usize,
    passed_on: usize,
}

impl<S: FnMut(&[u8])> Writer<S> {
    /// Hands the sink everything that the closure writes, and returns what the closure returns.
    pub(super) fn run<T>(sink: S, write: impl FnOnce(&mut Self) -> T) -> T {
        let mut writer = Self {
            sink,
            gathered: [0; 256],
            length: 0,
            passed_on: 0,
        };
        let result = write(&mut writer);
        writer.flush();
        result
    }

    /// Writes bytes as they are.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        if self.length + bytes.len() > self.gathered.len() {
            self.flush();
            if bytes.len() > self.gathered.len() {
                self.passed_on += bytes.len();
                return (self.sink)(bytes);
            }
        }
        self.gathered[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }

    /// Encodes every byte but the unreserved ones of RFC 3986 §2.3, with upper-case digits.
    pub(super) fn encode(&mut self, bytes: impl IntoIterator<Item = u8>, encoding: &Encoding) {
        // A local variable stays in a register, where a field would be stored and loaded for each byte.
        let mut length = self.length;
        for byte in bytes {
            if length + LONGEST > self.gathered.len() {
                self.length = length;
                self.flush();
                length = 0;
            }
            // Copying a fixed number of bytes, of which some may be overwritten next, spares a branch.
            let code = &encoding.0[usize::from(byte)];
            self.gathered[length..length + LONGEST].copy_from_slice(&code.text);
            length += code.length;
        }
        self.length = length;
    }

    /// Encodes a slice. Names, keys, nonces and numbers seldom have anything to escape, and are then copied at once.
    pub(super) fn encode_slice(&mut self, bytes: &[u8], encoding: &Encoding) {
        // Unlike `all`, which stops early, this is compiled to look at many bytes at once.
        let unreserved = bytes
            .iter()
            .fold(true, |so_far, &byte| so_far & is_unreserved(byte));
        if unreserved {
            self.raw(bytes);
        } else {
            self.encode(bytes.iter().copied(), encoding);
        }
    }

    /// How many bytes have been written.
    pub(super) fn position(&self) -> usize {
        self.passed_on + self.length
    }

    fn flush(&mut self) {
        (self.sink)(&self.gathered[..self.length]);
        self.passed_on += self.length;
        self.length = 0;
    }
}

/// What each byte becomes.
pub(super) struct Encoding([Code; 256]);

/// As a parameter is encoded, and so as it stands in a header (RFC 5849 §3.6).
pub(super) static ONCE: Encoding = Encoding::escaping_with(b"%");

/// As a parameter stands in a base string, of which it is a part that is encoded once more (RFC 5849 §3.4.1.1): in
/// an escape, the percent sign is itself escaped.
pub(super) static TWICE: Encoding = Encoding::escaping_with(b"%25");

/// Decodes what [`Writer::encode`] wrote, with digits of either case; `None` for anything that it would not have
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

/// The bytes that form-encoded text stands for. A percent sign that starts no escape stands for itself.
#[derive(Clone)]
pub(super) struct FormBytes<'a> {
    text: &'a [u8],
    plus: QueryPlus,
}

impl<'a> FormBytes<'a> {
    pub(super) fn new(text: &'a [u8], plus: QueryPlus) -> Self {
        Self { text, plus }
    }
}

impl Iterator for FormBytes<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if let Some(byte) = escaped_byte(self.text) {
            self.text = &self.text[3..];
            return Some(byte);
        }
        let (&byte, tail) = self.text.split_first()?;
        self.text = tail;
        let is_space = byte == b'+' && self.plus == QueryPlus::Space;
        Some(if is_space { b' ' } else { byte })
    }
}

/// The byte that an escape at the start of the text stands for.
fn escaped_byte(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = *text else {
        return None;
    };
    let digit = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// The length of the longest code, `%25` and two digits.
const LONGEST: usize = 5;

#[derive(Clone, Copy)]
struct Code {
    text: [u8; LONGEST],
    length: usize,
}

impl Encoding {
    const fn escaping_with(percent: &[u8]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        let mut codes = [Code {
            text: [0; LONGEST],
            length: 1,
        }; 256];
        // A `for` loop is not yet possible in a constant function.
        let mut byte = 0;
        while byte < codes.len() {
            let Code { text, length } = &mut codes[byte];
            if is_unreserved(byte as u8) {
                text[0] = byte as u8;
            } else {
                let (start, digits) = text.split_at_mut(percent.len());
                start.copy_from_slice(percent);
                digits[0] = DIGITS[byte >> 4];
                digits[1] = DIGITS[byte & 15];
                *length = percent.len() + 2;
            }
            byte += 1;
        }
        Self(codes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the bytes are encoded as, one by one and as a slice alike.
    fn encoded(bytes: &[u8], encoding: &Encoding) -> String {
        let mut out = Vec::new();
        let sink = |piece: &[u8]| out.extend_from_slice(piece);
        Writer::run(sink, |writer| {
            writer.encode(bytes.iter().copied(), encoding);
            let as_iterator = writer.position();
            writer.encode_slice(bytes, encoding);
            assert_eq!(writer.position(), 2 * as_iterator);
        });
        let (first, second) = out.split_at(out.len() / 2);
        assert_eq!(first, second);
        String::from_utf8(first.to_vec()).unwrap()
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
        for length in 0..300 {
            assert_eq!(encoded(&vec![b'a'; length], &TWICE), "a".repeat(length));
            assert_eq!(encoded(&vec![b' '; length], &TWICE), "%2520".repeat(length));
        }
    }

    #[test]
    fn pieces_of_any_length_arrive_in_order() {
        for length in 0..600 {
            let mut out = Vec::new();
            let position = Writer::run(
                |piece| out.extend_from_slice(piece),
                |writer| {
                    writer.encode(*b"a b", &ONCE);
                    writer.raw(&vec![b'x'; length]);
                    writer.raw(b"y");
                    writer.position()
                },
            );
            assert_eq!(out, format!("a%20b{}y", "x".repeat(length)).into_bytes());
            assert_eq!(position, out.len());
        }
    }

    #[test]
    fn form_text_is_decoded_leniently() {
        let check = |text: &[u8], plus, expected: &[u8]| {
            let decoded: Vec<u8> = FormBytes::new(text, plus).collect();
            assert_eq!(decoded, expected, "{}", text.escape_ascii());
        };
        check(b"", QueryPlus::Space, b"");
        check(b"a+b%20c", QueryPlus::Space, b"a b c");
        check(b"a+b%20c%2B", QueryPlus::Literal, b"a+b c+");
        check(b"%2B%2b", QueryPlus::Space, b"++");
        check(b"%41%7e", QueryPlus::Space, b"A~");
        check(b"%zz", QueryPlus::Space, b"%zz");
        check(b"%", QueryPlus::Space, b"%");
        check(b"%4", QueryPlus::Space, b"%4");
        check(b"%+1", QueryPlus::Space, b"% 1");
        check(b"%%41", QueryPlus::Space, b"%A");
        check(b"%2541", QueryPlus::Space, b"%41");
        check(b"\xc3%A9\xff", QueryPlus::Space, b"\xc3\xa9\xff");
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

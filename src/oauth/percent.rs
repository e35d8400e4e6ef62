//! Percent-encoding (RFC 5849 §3.6) and the decoding of `application/x-www-form-urlencoded` text.
//!
//! Encoders write to a [`Sink`], so that the same code fills a buffer or feeds a MAC.

use smallvec::{Array, SmallVec};

use super::QueryPlus;

/// What takes encoded text, piece by piece.
pub(super) trait Sink {
    /// Takes the next piece as it is.
    fn write(&mut self, piece: &[u8]);
}

impl Sink for Vec<u8> {
    #[inline]
    fn write(&mut self, piece: &[u8]) {
        self.extend_from_slice(piece);
    }
}

impl<A: Array<Item = u8>> Sink for SmallVec<A> {
    #[inline]
    fn write(&mut self, piece: &[u8]) {
        self.extend_from_slice(piece);
    }
}

/// Gathers pieces for a function that had better be called for a thousand bytes at a time than for each few.
pub(super) struct Gather<'a> {
    gathered: &'a mut Vec<u8>,
    pass_on: &'a mut dyn FnMut(&[u8]),
}

impl<'a> Gather<'a> {
    /// Gathers as much at a time as this vector, which is overwritten, can hold without growing.
    pub(super) fn new(gathered: &'a mut Vec<u8>, pass_on: &'a mut dyn FnMut(&[u8])) -> Self {
        gathered.clear();
        Self { gathered, pass_on }
    }

    /// Passes on what is left.
    pub(super) fn finish(self) {
        (self.pass_on)(self.gathered);
    }
}

impl Sink for Gather<'_> {
    #[inline]
    fn write(&mut self, piece: &[u8]) {
        if piece.len() <= self.gathered.capacity() - self.gathered.len() {
            self.gathered.extend_from_slice(piece);
        } else {
            (self.pass_on)(self.gathered);
            self.gathered.clear();
            (self.pass_on)(piece);
        }
    }
}

/// Encodes every byte but the unreserved ones of RFC 3986 §2.3, with upper-case digits.
pub(super) fn encode(sink: &mut impl Sink, bytes: &[u8], encoding: &Encoding) {
    // Names, keys, nonces and numbers seldom have anything to escape, and are then copied at once.
    if encoding.keeps_all(bytes) {
        sink.write(bytes);
    } else {
        write_codes(sink, bytes, encoding);
    }
}

/// Reads a pair of form-encoded text, up to the next `&`, and encodes what it stands for [`TWICE`], as `name%3Dvalue`.
/// Returns the length of the name as written, and the text behind the `&`.
pub(super) fn encode_form_pair<'a>(
    sink: &mut impl Sink,
    text: &'a [u8],
    plus: QueryPlus,
) -> (usize, &'a [u8]) {
    let encoding = match plus {
        QueryPlus::Space => &FORM,
        QueryPlus::Literal => &FORM_WITH_LITERAL_PLUS,
    };
    let mut name_length = None;
    let mut gathered = [0; ROOM];
    let (mut length, mut passed_on) = (0, 0);
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        let mut code = encoding.code(byte);
        if code.length() == 0 {
            code = match (byte, bytes.as_slice()) {
                (b'&', _) => break,
                (b'=', _) if name_length.is_none() => {
                    name_length = Some(passed_on + length);
                    EQUALS
                }
                (b'%', &[high, low, ref behind @ ..]) if let Some(byte) = byte_of(high, low) => {
                    bytes = behind.iter();
                    TWICE.code(byte)
                }
                _ => TWICE.code(byte),
            };
        }
        if length > ROOM - Code::SIZE {
            sink.write(&gathered[..length]);
            passed_on += length;
            length = 0;
        }
        length += put(code, &mut gathered, length);
    }
    sink.write(&gathered[..length]);
    let name_length = name_length.unwrap_or_else(|| {
        sink.write(b"%3D");
        passed_on + length
    });
    (name_length, bytes.as_slice())
}

/// How many bytes are gathered on the stack before a sink gets them.
const ROOM: usize = 256;

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
fn put(code: Code, text: &mut [u8; ROOM], at: usize) -> usize {
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

/// The same for form-encoded text, in which a `+` stands for a space, and `&`, `=` and `%` need a closer look.
static FORM: Encoding = form_with_literal_plus().with(b'+', TWICE.code(b' '));
static FORM_WITH_LITERAL_PLUS: Encoding = form_with_literal_plus();

const fn form_with_literal_plus() -> Encoding {
    Encoding::escaping_with(b"%25")
        .with(b'&', Code::NONE)
        .with(b'=', Code::NONE)
        .with(b'%', Code::NONE)
}

/// What stands between name and value, which is encoded once.
const EQUALS: Code = ONCE.code(b'=');

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

    #[inline]
    fn next(&mut self) -> Option<u8> {
        let (&byte, tail) = self.text.split_first()?;
        if byte == b'%'
            && let Some(byte) = escaped_byte(self.text)
        {
            self.text = &self.text[3..];
            return Some(byte);
        }
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
    byte_of(high, low)
}

/// The byte with these two hexadecimal digits.
#[inline]
fn byte_of(high: u8, low: u8) -> Option<u8> {
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
struct Code(u64);

impl Code {
    const SIZE: usize = 8;
    /// No text: what becomes of the byte depends on where it stands.
    const NONE: Self = Self(0);

    const fn new(text: &[u8]) -> Self {
        let mut bytes = [0; Self::SIZE];
        bytes.split_at_mut(text.len()).0.copy_from_slice(text);
        bytes[Self::SIZE - 1] = text.len() as u8;
        Self(u64::from_le_bytes(bytes))
    }

    #[inline]
    const fn length(self) -> usize {
        (self.0 >> 56) as usize
    }
}

impl Encoding {
    #[inline]
    const fn code(&self, byte: u8) -> Code {
        self.0[byte as usize]
    }

    /// Whether each byte stays as it is. Unlike `all`, which stops early, this has no branch for each.
    #[inline]
    fn keeps_all(&self, bytes: &[u8]) -> bool {
        let lengths = bytes.iter().map(|&byte| self.code(byte).length());
        // The other lengths have further bits.
        lengths.fold(1, |all, length| all | length) == 1
    }

    const fn with(mut self, byte: u8, code: Code) -> Self {
        self.0[byte as usize] = code;
        self
    }

    const fn escaping_with(percent: &[u8]) -> Self {
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
    fn a_pair_is_encoded_as_the_bytes_it_stands_for() {
        let naive = |text: &[u8], plus| {
            let decoded: Vec<u8> = FormBytes::new(text, plus).collect();
            encoded(&decoded, &TWICE)
        };
        let check = |name: &[u8], value: &[u8], plus| {
            for behind in ["", "&", "&c=%41&"] {
                let mut out = Vec::new();
                let text = [name, b"=", value, behind.as_bytes()].concat();
                let (name_length, rest) = encode_form_pair(&mut out, &text, plus);
                let (name, value) = (naive(name, plus), naive(value, plus));
                assert_eq!(name_length, name.len());
                assert_eq!(String::from_utf8(out).unwrap(), format!("{name}%3D{value}"));
                assert_eq!(rest, behind.get(1..).unwrap_or_default().as_bytes());
            }
        };
        for plus in [QueryPlus::Space, QueryPlus::Literal] {
            for byte in (0..=u8::MAX).filter(|byte| !b"&=".contains(byte)) {
                check(&[byte], &[b'=', byte, b'%', byte], plus);
            }
            for length in 0..300 {
                for text in ["a", "+", "a+%20%", "%2B%zz"] {
                    let text = text.repeat(length).into_bytes();
                    check(&text, &text, plus);
                }
            }
        }
    }

    #[test]
    fn a_pair_without_a_separator_has_an_empty_value() {
        let mut out = Vec::new();
        let read = encode_form_pair(&mut out, b"a b&c", QueryPlus::Space);
        assert_eq!((read, out), ((7, &b"c"[..]), b"a%2520b%3D".to_vec()));
    }

    #[test]
    fn pieces_of_any_length_arrive_in_order() {
        for length in 0..2_100 {
            let mut out = Vec::new();
            let mut pass_on = |piece: &[u8]| out.extend_from_slice(piece);
            let mut room = Vec::with_capacity(1_000);
            let mut gather = Gather::new(&mut room, &mut pass_on);
            gather.write(b"a b");
            gather.write(&vec![b'x'; length]);
            gather.write(b"y");
            gather.finish();
            assert_eq!(out, format!("a b{}y", "x".repeat(length)).into_bytes());
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

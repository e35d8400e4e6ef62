//! Form-encoded text (`application/x-www-form-urlencoded`), decoded as RFC 5849 §3.4.1.3.1 has it.

use super::QueryPlus;
use super::codes::{BLOCK, Code, Codes, Encoding, ONCE, ROOM, TWICE};
use super::percent::{EQUALS, byte_of, escaped_byte};
use super::sink::Sink;

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
    let mut room = [0; ROOM];
    let mut codes = Codes::new(sink, &mut room);
    let mut name_length = None;
    let mut rest = text;
    'pair: loop {
        if let [a, b, c, d, behind @ ..] = rest {
            let block = [a, b, c, d].map(|byte| encoding.code(*byte));
            if !block.iter().any(|code| code.is_none()) {
                codes.put(block);
                rest = behind;
                continue;
            }
        }
        // Not only the next byte: after that, the following block would mostly have the same one in it.
        for _ in 0..BLOCK {
            let Some((&byte, behind)) = rest.split_first() else {
                break 'pair;
            };
            rest = behind;
            let mut code = encoding.code(byte);
            if code.is_none() {
                code = match (byte, rest) {
                    (b'&', _) => break 'pair,
                    (b'=', _) if name_length.is_none() => {
                        name_length = Some(codes.position());
                        ONCE.code(b'=')
                    }
                    (b'%', &[high, low, ref behind @ ..])
                        if let Some(byte) = byte_of(high, low) =>
                    {
                        rest = behind;
                        TWICE.code(byte)
                    }
                    _ => TWICE.code(byte),
                };
            }
            codes.put([code]);
        }
    }
    let length = codes.finish();
    let name_length = name_length.unwrap_or_else(|| {
        sink.write(EQUALS);
        length
    });
    (name_length, rest)
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

/// [`TWICE`] for form-encoded text, in which a `+` stands for a space, and `&`, `=` and `%` need a closer look.
static FORM: Encoding = form_with_literal_plus().with(b'+', TWICE.code(b' '));
static FORM_WITH_LITERAL_PLUS: Encoding = form_with_literal_plus();

const fn form_with_literal_plus() -> Encoding {
    Encoding::escaping_with(b"%25")
        .with(b'&', Code::NONE)
        .with(b'=', Code::NONE)
        .with(b'%', Code::NONE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::percent::encode;

    #[test]
    fn a_pair_is_encoded_as_the_bytes_it_stands_for() {
        let naive = |text: &[u8], plus| {
            let decoded: Vec<u8> = FormBytes::new(text, plus).collect();
            let mut out = Vec::new();
            encode(&mut out, &decoded, &TWICE);
            String::from_utf8(out).unwrap()
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
}

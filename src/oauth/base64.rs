//! Base64 (RFC 4648 §4) as it stands in a header: percent-encoded.
//!
//! The crate of that name would make text first, of which each byte was then looked up once more.

use super::codes::{BLOCK, Code, Codes, ONCE, ROOM};
use super::sink::Sink;

/// Writes bytes in base64, with padding, as [`encode`](super::percent::encode) writes that text.
#[inline]
pub(super) fn encode_base64(sink: &mut impl Sink, bytes: &[u8]) {
    let mut room = [0; ROOM];
    let mut codes = Codes::new(sink, &mut room);
    let (triples, rest) = bytes.as_chunks();
    for &triple in triples {
        codes.put(digits(triple));
    }
    match *rest {
        [a, b] => {
            let [first, second, third, _] = digits([a, b, 0]);
            codes.put([first, second, third, PADDING]);
        }
        [a] => {
            let [first, second, ..] = digits([a, 0, 0]);
            codes.put([first, second, PADDING, PADDING]);
        }
        _ => {}
    }
    codes.finish();
}

/// The four digits of three bytes.
#[inline]
fn digits([a, b, c]: [u8; 3]) -> [Code; BLOCK] {
    let bits = u32::from_be_bytes([0, a, b, c]);
    [18, 12, 6, 0].map(|shift| DIGITS[(bits >> shift & 0x3f) as usize])
}

const PADDING: Code = ONCE.code(b'=');

static DIGITS: [Code; 64] = {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut codes = [Code::NONE; 64];
    // A `for` loop is not yet possible in a constant.
    let mut value = 0;
    while value < codes.len() {
        codes[value] = ONCE.code(DIGITS[value]);
        value += 1;
    }
    codes
};

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_STANDARD};

    use super::*;
    use crate::oauth::percent::encode;

    #[test]
    fn bytes_of_any_value_and_number_are_written_as_encoded_base64() {
        for length in 0..300 {
            for step in [0, 1, 7, 93, 255] {
                let bytes: Vec<u8> = (0..length).map(|n| (n * step + length) as u8).collect();
                let (mut written, mut expected) = (Vec::new(), Vec::new());
                encode_base64(&mut written, &bytes);
                encode(
                    &mut expected,
                    BASE64_STANDARD.encode(&bytes).as_bytes(),
                    &ONCE,
                );
                assert_eq!(written, expected);
            }
        }
    }
}

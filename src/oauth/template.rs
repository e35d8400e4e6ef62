//! What is the same in each header and each base string of a signer, with room for what is not.

use std::ops::Range;

use super::codes::Encoding;
use super::nonce::{NONCE_DIGITS, NonceText};
use super::sink::Sink;
use super::stamp::StampTexts;

/// Text with room for a nonce and a timestamp.
///
/// Once it is made, it has both; only a signer makes any. Both are nearly always of the same length, so the text is
/// copied in one go, and they are put into their places.
#[derive(Clone, Debug, Default)]
pub(super) struct Template {
    text: Vec<u8>,
    nonce: Range<usize>,
    timestamp: Range<usize>,
}

/// Seconds since 1970 have ten digits from 2001 to 2286.
const TIMESTAMP_DIGITS: usize = 10;

impl Template {
    /// The text so far, to be continued.
    pub(super) fn text(&mut self) -> &mut Vec<u8> {
        &mut self.text
    }

    /// Leaves room for the nonce at the end of the text so far.
    pub(super) fn nonce_here(&mut self) {
        self.nonce = self.room(NONCE_DIGITS);
    }

    /// Leaves room for the timestamp at the end of the text so far.
    pub(super) fn timestamp_here(&mut self) {
        self.timestamp = self.room(TIMESTAMP_DIGITS);
    }

    /// Writes the text with this nonce, encoded, and this timestamp in it.
    #[inline]
    pub(super) fn write(&self, sink: &mut impl Sink, stamp: &StampTexts<'_>, encoding: &Encoding) {
        match &stamp.nonce {
            NonceText::Digits(digits) if stamp.timestamp.len() == TIMESTAMP_DIGITS => {
                sink.write_patched(&self.text, |text| {
                    text[self.nonce.clone()].copy_from_slice(digits);
                    text[self.timestamp.clone()].copy_from_slice(stamp.timestamp);
                });
            }
            _ => sink.write(&self.spliced(stamp, encoding)),
        }
    }

    /// The text with a nonce and a timestamp of any length.
    fn spliced(&self, stamp: &StampTexts<'_>, encoding: &Encoding) -> Vec<u8> {
        let mut encoded = Vec::new();
        stamp.nonce.write_encoded(&mut encoded, encoding);
        let mut holes = [(&self.nonce, &*encoded), (&self.timestamp, stamp.timestamp)];
        // From behind, so that the places before stay what they are.
        holes.sort_by_key(|(hole, _)| std::cmp::Reverse(hole.start));
        let mut text = self.text.clone();
        for (hole, value) in holes {
            text.splice(hole.clone(), value.iter().copied());
        }
        text
    }

    fn room(&mut self, length: usize) -> Range<usize> {
        let start = self.text.len();
        self.text.resize(start + length, b'0');
        start..self.text.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Nonce;
    use super::super::codes::TWICE;
    use super::super::sink::Gather;
    use super::*;

    #[test]
    fn nonces_and_timestamps_of_any_length_are_put_into_their_places() {
        let made = Nonce::from_bits(0xabc);
        let made_text = format!("{:030x}", 0xabc);
        let check = |nonce: Nonce<'_>, timestamp: &str, expected_nonce: &str| {
            let stamp = StampTexts {
                timestamp: timestamp.as_bytes(),
                nonce: nonce.text(),
                extra: &[],
            };
            for nonce_first in [true, false] {
                let mut template = Template::default();
                template.text().write(b"<");
                if nonce_first {
                    template.nonce_here();
                    template.text().write(b"|");
                    template.timestamp_here();
                } else {
                    template.timestamp_here();
                    template.text().write(b"|");
                    template.nonce_here();
                }
                template.text().write(b">");
                let expected = if nonce_first {
                    format!("<{expected_nonce}|{timestamp}>")
                } else {
                    format!("<{timestamp}|{expected_nonce}>")
                };
                // What has room for all of it, and what has not.
                for capacity in [0, 8, 64, 1_000] {
                    let (mut gathered, mut written) = (Vec::with_capacity(capacity), Vec::new());
                    let mut pass_on = |piece: &[u8]| written.extend_from_slice(piece);
                    let mut gather = Gather::behind(&mut gathered, &mut pass_on);
                    template.write(&mut gather, &stamp, &TWICE);
                    gather.finish();
                    assert_eq!(String::from_utf8(written).unwrap(), expected);
                }
            }
        };
        check(made, "1763900000", &made_text);
        check(made, "9", &made_text);
        check(made, "17639000000", &made_text);
        check("".into(), "1763900000", "");
        check("a b".into(), "1763900000", "a%2520b");
        check((&*made_text).into(), "", &made_text);
    }
}

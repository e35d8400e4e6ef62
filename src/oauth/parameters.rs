//! The request parameters of a base string (RFC 5849 §3.4.1.3): collected, encoded and put in order.

use std::{cmp::Ordering, ops::Range};

use smallvec::SmallVec;

use super::QueryPlus;
use super::codes::TWICE;
use super::form::encode_form_pair;
use super::names::PREFIX;
use super::percent::{self, AMPERSAND, EQUALS};
use super::sink::{Gather, PassOn, Sink};

/// A list of parameters, kept as they stand in the base string, that is percent-encoded twice.
///
/// They are sorted in that form, too. The second encoding only replaces each `%` by `%25`, and `%` is the least
/// of the characters that the first one leaves, so the order of RFC 5849 §3.4.1.3.2 is the same in both.
///
/// The list of pairs lives on the stack until a request is uncommonly large.
#[derive(Debug)]
pub(super) struct Parameters<'a> {
    text: &'a mut Vec<u8>,
    pairs: SmallVec<[Pair; 32]>,
}

impl<'a> Parameters<'a> {
    /// An empty list, whose text is kept in this memory, which is overwritten.
    pub(super) fn new(memory: &'a mut Vec<u8>) -> Self {
        memory.clear();
        Self {
            text: memory,
            pairs: SmallVec::new(),
        }
    }

    /// Adds a parameter as it is, not encoded.
    pub(super) fn push(&mut self, name: &str, value: &[u8]) {
        let start = self.text.len();
        percent::encode(self.text, name.as_bytes(), &TWICE);
        let name_end = self.text.len();
        self.text.write(EQUALS);
        percent::encode(self.text, value, &TWICE);
        self.push_pair(start, name_end);
    }

    /// Adds the parameters of a query or a form (RFC 5849 §3.4.1.3.1). Duplicates are kept.
    pub(super) fn push_form_encoded(&mut self, encoded: &[u8], plus: QueryPlus) {
        let mut rest = encoded;
        while let Some(&first) = rest.first() {
            // Nothing between two `&` is no parameter.
            if first == b'&' {
                rest = &rest[1..];
                continue;
            }
            let start = self.text.len();
            let (name_length, behind) = encode_form_pair(self.text, rest, plus);
            self.push_pair(start, start + name_length);
            rest = behind;
        }
    }

    /// Whether the name of one starts with `oauth_`.
    pub(super) fn has_protocol_name(&self) -> bool {
        let is_protocol = |pair: &Pair| self.text[pair.start..pair.name_end].starts_with(PREFIX);
        self.pairs.iter().any(is_protocol)
    }

    /// Puts them in order. The base string will be gathered behind their text, in the same memory.
    pub(super) fn sort<'b>(&'b mut self, pass_on: PassOn<'b>) -> Sorted<'b> {
        let Self { text, pairs } = self;
        // Or else each piece of the base string might be passed on by itself.
        text.reserve_exact(512);
        // Pairs that compare equal are the same bytes, so a stable sort would do no better.
        pairs.sort_unstable_by(|a, b| a.order(b, text));
        Sorted {
            pairs,
            base_string: Gather::behind(text, pass_on),
        }
    }

    /// The pair that the end of the text consists of.
    fn push_pair(&mut self, start: usize, name_end: usize) {
        self.pairs.push(Pair {
            head: head(&self.text[start..name_end]),
            start,
            name_end,
            value_end: self.text.len(),
        });
    }
}

/// Parameters in order, and the base string that they are to end.
pub(super) struct Sorted<'a> {
    pairs: &'a [Pair],
    /// What comes before them is written to this.
    pub(super) base_string: Gather<'a>,
}

impl<'a> Sorted<'a> {
    /// Finishes the base string with the normalised parameters (RFC 5849 §3.4.1.3.2).
    pub(super) fn write(mut self) {
        self.write_pairs(0..self.pairs.len());
        self.base_string.finish();
    }

    /// The same, with protocol parameters, in order, among them: `write_row` writes those. None of the others may have a
    /// [protocol name](Parameters::has_protocol_name), so that nothing comes between them.
    pub(super) fn write_around(mut self, write_row: impl FnOnce(&mut Gather<'a>)) {
        let row = self.pairs.partition_point(|pair| pair.head < PREFIX_HEAD);
        self.write_pairs(0..row);
        if row > 0 {
            self.base_string.write(AMPERSAND);
        }
        write_row(&mut self.base_string);
        if row < self.pairs.len() {
            self.base_string.write(AMPERSAND);
        }
        self.write_pairs(row..self.pairs.len());
        self.base_string.finish();
    }

    fn write_pairs(&mut self, range: Range<usize>) {
        for (index, pair) in self.pairs[range].iter().enumerate() {
            if index > 0 {
                self.base_string.write(AMPERSAND);
            }
            self.base_string.write_ready(pair.start..pair.value_end);
        }
    }
}

/// The [`head`] of each protocol parameter's name.
const PREFIX_HEAD: u64 = head(PREFIX);

/// Where a parameter stands in the text: `name%3Dvalue`.
#[derive(Clone, Copy, Debug)]
struct Pair {
    /// The [`head`] of the name.
    head: u64,
    start: usize,
    name_end: usize,
    value_end: usize,
}

/// The first eight bytes of a name. They are compared in one go, and mostly tell two names apart. A shorter name is
/// filled up with null bytes, which no encoded text has.
const fn head(name: &[u8]) -> u64 {
    if let Some(head) = name.first_chunk() {
        return u64::from_be_bytes(*head);
    }
    let mut head = [0; 8];
    head.split_at_mut(name.len()).0.copy_from_slice(name);
    u64::from_be_bytes(head)
}

impl Pair {
    /// The order that parameters are sorted in: names first, then values.
    fn order(&self, other: &Self, text: &[u8]) -> Ordering {
        let key = |pair: &Self| {
            let name = &text[pair.start..pair.name_end];
            let value = &text[pair.name_end + EQUALS.len()..pair.value_end];
            (name, value)
        };
        let by_head = self.head.cmp(&other.head);
        by_head.then_with(|| key(self).cmp(&key(other)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::codes::ONCE;

    /// The normalised parameters of a query, with the base string's own encoding taken off again.
    fn normalised(query: &str, plus: QueryPlus) -> String {
        let (mut memory, mut written) = (Vec::new(), Vec::new());
        let mut parameters = Parameters::new(&mut memory);
        parameters.push_form_encoded(query.as_bytes(), plus);
        let mut pass_on = |piece: &[u8]| written.extend_from_slice(piece);
        parameters.sort(&mut pass_on).write();
        String::from_utf8(percent::decode_strict(&written).unwrap()).unwrap()
    }

    #[test]
    fn parameters_are_split_decoded_encoded_and_sorted() {
        let check = |query: &str, expected: &str| {
            assert_eq!(normalised(query, QueryPlus::Space), expected, "{query}");
        };
        // Names without values, values without names, and separators.
        check("", "");
        check("a", "a=");
        check("a=", "a=");
        check("=x", "=x");
        check("=", "=");
        check("a=b=c", "a=b%3Dc");
        check("a;b=c", "a%3Bb=c");
        check("&&a=1&&b=2&", "a=1&b=2");
        check("a?b=?", "a%3Fb=%3F");
        // Decoding and encoding.
        check("a=%FF", "a=%FF");
        check("a=%ff", "a=%FF");
        check("a=%zz", "a=%25zz");
        check("a=1%", "a=1%25");
        check("a=x+y%20z%2B", "a=x%20y%20z%2B");
        check("a=!*'()", "a=%21%2A%27%28%29");
        check("a=-._~%7e", "a=-._~~");
        check("a=é", "a=%C3%A9");
        check("a=[b]|{c}", "a=%5Bb%5D%7C%7Bc%7D");
        // Order: names first, then values, as bytes, after encoding; duplicates stay.
        check("name10=1&name1=2&name=3", "name=3&name1=2&name10=1");
        check("a=2&a=1&a=1&a", "a=&a=1&a=1&a=2");
        check("b=1&B=1&_=1&~=1", "B=1&_=1&b=1&~=1");
        check("a-b=1&a=2&a%20=3", "a=2&a%20=3&a-b=1");
        check("é=1&z=1&A=1", "%C3%A9=1&A=1&z=1");
        check("a=~&a=%7B&a=z", "a=%7B&a=z&a=~");
        // APS: RQL, mixed with pairs.
        check(
            "implementing(http://aps-standard.org/types/core/resource/1.0),sort(+name),limit(0,10)",
            "implementing%28http%3A%2F%2Faps-standard.org%2Ftypes%2Fcore%2Fresource%2F1.0%29%2C\
             sort%28%20name%29%2Climit%280%2C10%29=",
        );
        check(
            "like(orderNumber,*CL000058)&id=1000017&prop=eq=value",
            "id=1000017&like%28orderNumber%2C%2ACL000058%29=&prop=eq%3Dvalue",
        );
    }

    #[test]
    fn a_plus_is_literal_where_the_server_reads_it_so() {
        assert_eq!(
            normalised("sort(+name)&a=1+2", QueryPlus::Literal),
            "a=1%2B2&sort%28%2Bname%29="
        );
    }

    #[test]
    fn sorting_text_encoded_twice_is_sorting_text_encoded_once() {
        let encoded = |byte: u8, encoding| {
            let mut out = Vec::new();
            percent::encode(&mut out, &[byte], encoding);
            out
        };
        for a in 0..=u8::MAX {
            for b in 0..=u8::MAX {
                let once = encoded(a, &ONCE).cmp(&encoded(b, &ONCE));
                let twice = encoded(a, &TWICE).cmp(&encoded(b, &TWICE));
                assert_eq!(once, twice);
            }
        }
    }
}

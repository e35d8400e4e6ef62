//! Parameters, and the ways in which a query or a form can be written that stands for them.

use proptest::{collection::vec, prelude::*};
use undersign::oauth::QueryPlus;

/// A parameter: its name and its value, decoded.
pub(crate) type Parameter = (Vec<u8>, Vec<u8>);

/// A parameter, and how it is written.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    name: Text,
    value: Text,
    /// How many empty pairs stand before it and behind it.
    empty_pairs: (usize, usize),
    /// Whether the `=` is left out if the value is empty.
    is_bare: bool,
}

/// Bytes, and how each is written.
#[derive(Clone, Debug)]
struct Text {
    bytes: Vec<u8>,
    /// Two bits for each of them.
    ways: u128,
}

/// Bytes of a text, at most; there are ways for as many.
const MAX_BYTES: usize = 40;

/// Any bytes, though those that mean something to the core more often than others.
pub(crate) fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let telling = proptest::sample::select(b"aZ09-._~%+&=?;/ ()*!'\"\\\xff".to_vec());
    vec(prop_oneof![telling, any::<u8>()], 0..MAX_BYTES)
}

/// Names and values; the few different ones among them make duplicates likely.
pub(crate) fn parameters() -> impl Strategy<Value = Vec<Written>> {
    // Protocol names, too, and their neighbours: what is sorted between the header's own.
    let text = || {
        let bytes = prop_oneof![
            4 => bytes(),
            4 => "[ab]?".prop_map(String::into_bytes),
            1 => "oauth(_|~|_[a-z]{0,2})".prop_map(String::into_bytes),
        ];
        (bytes, any::<u128>()).prop_map(|(bytes, ways)| Text { bytes, ways })
    };
    let empty_pairs = (0_usize..3, 0_usize..2);
    let parameter = (text(), text(), empty_pairs, any::<bool>()).prop_map(
        |(name, value, empty_pairs, is_bare)| Written {
            name,
            value,
            empty_pairs,
            is_bare,
        },
    );
    vec(parameter, 0..12)
}

/// What they stand for.
pub(crate) fn decoded(parameters: &[Written]) -> Vec<Parameter> {
    let decoded = |written: &Written| (written.name.bytes.clone(), written.value.bytes.clone());
    parameters.iter().map(decoded).collect()
}

/// A target with a query of these parameters, for a server that reads a `+` in it so.
pub(crate) fn target(query: &[Written], plus: QueryPlus) -> Vec<u8> {
    [b"/p?", encode(query, plus).as_slice()].concat()
}

/// A form of these parameters.
pub(crate) fn form(parameters: &[Written]) -> Vec<u8> {
    encode(parameters, QueryPlus::Space)
}

fn encode(parameters: &[Written], plus: QueryPlus) -> Vec<u8> {
    let pairs = parameters.iter().map(|written| {
        let (before, behind) = written.empty_pairs;
        let mut pair = vec![b'&'; before];
        pair.extend(written.name.encode(b"&=", plus));
        let [has_name, has_value] =
            [&written.name, &written.value].map(|text| !text.bytes.is_empty());
        if has_value || !has_name || !written.is_bare {
            pair.push(b'=');
            pair.extend(written.value.encode(b"&", plus));
        }
        pair.extend(vec![b'&'; behind]);
        pair
    });
    pairs.collect::<Vec<_>>().join(&b'&')
}

impl Text {
    /// Writes each byte in its way, but an escape for those that would mean something else there.
    fn encode(&self, separators: &[u8], plus: QueryPlus) -> Vec<u8> {
        let mut encoded = Vec::new();
        // From behind, because what follows a percent sign decides whether it can stand for itself.
        for (index, &byte) in self.bytes.iter().enumerate().rev() {
            let is_escape = encoded.len() >= 2 && encoded[..2].iter().all(u8::is_ascii_hexdigit);
            let means_something_else = separators.contains(&byte)
                || (byte == b'%' && is_escape)
                || (byte == b'+' && plus == QueryPlus::Space);
            let written = match self.ways >> (2 * index) & 3 {
                0 => format!("%{byte:02x}").into_bytes(),
                1 => format!("%{byte:02X}").into_bytes(),
                2 if byte == b' ' && plus == QueryPlus::Space => b"+".to_vec(),
                _ if means_something_else => format!("%{byte:02x}").into_bytes(),
                _ => vec![byte],
            };
            encoded.splice(..0, written);
        }
        encoded
    }
}

/// Parameters that need no escape to be read as they are.
pub(crate) fn as_they_are(parameters: &[Parameter]) -> Vec<u8> {
    let pairs = parameters
        .iter()
        .map(|(name, value)| [&name[..], b"=", &value[..]].concat());
    pairs.collect::<Vec<_>>().join(&b'&')
}

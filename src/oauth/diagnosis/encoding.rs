//! Percent-encoding as clients do it (RFC 5849 §3.6).

use super::mistake::{Made, Mistake, Place};
use crate::oauth::{QueryPlus, form::FormBytes, percent::byte_of};

/// What a client's encoding does to each byte.
#[derive(Clone, Copy)]
pub(super) struct Encoder {
    /// What stays as it is beside letters, digits and `-._`.
    kept: [&'static [u8]; 3],
    space_as_plus: bool,
    lower_case_digits: bool,
}

impl Encoder {
    /// As RFC 5849 §3.6 says.
    pub(super) const RIGHT: Self = Self {
        kept: [b"~", b"", b""],
        space_as_plus: false,
        lower_case_digits: false,
    };

    /// For names and values, the first time that they are encoded.
    pub(super) fn of_names_and_values(made: Made<'_>) -> Self {
        Self::at(made, |place| place != Some(Place::WholesAlone))
    }

    /// For the three parts of a base string, each as a whole.
    pub(super) fn of_wholes(made: Made<'_>) -> Self {
        Self::at(made, |place| place != Some(Place::NamesAndValuesAlone))
    }

    /// For the secrets.
    pub(super) fn of_key(made: Made<'_>) -> Self {
        let in_key = |place| matches!(place, Some(Place::KeyToo | Place::KeyAlone));
        match made.place() {
            place if in_key(place) => Self::with_all(made),
            _ => Self::RIGHT,
        }
    }

    /// With the mistakes of encoding, unless they are made elsewhere alone.
    fn at(made: Made<'_>, is_here: impl Fn(Option<Place>) -> bool) -> Self {
        let place = made.place();
        if place != Some(Place::KeyAlone) && is_here(place) {
            Self::with_all(made)
        } else {
            Self::RIGHT
        }
    }

    fn with_all(made: Made<'_>) -> Self {
        let keeps = |mistake, bytes: &'static [u8]| if made.has(mistake) { bytes } else { b"" };
        let tilde: &[u8] = if made.has(&Mistake::TildeEncoded) {
            b""
        } else {
            b"~"
        };
        let marks = if made.has(&Mistake::MarksUnencoded) {
            b"!*'()"
        } else {
            keeps(&Mistake::AsteriskUnencoded, b"*")
        };
        Self {
            kept: [tilde, marks, keeps(&Mistake::SlashUnencoded, b"/")],
            space_as_plus: made.has(&Mistake::SpaceAsPlus),
            lower_case_digits: made.has(&Mistake::LowerCaseDigits),
        }
    }

    pub(super) fn escape(self, bytes: &[u8]) -> Vec<u8> {
        let digits = if self.lower_case_digits {
            b"0123456789abcdef"
        } else {
            b"0123456789ABCDEF"
        };
        // Never grown: it may be a secret, of which no copy is to be left behind.
        let mut escaped = Vec::with_capacity(3 * bytes.len());
        for &byte in bytes {
            let is_kept = byte.is_ascii_alphanumeric()
                || b"-._".contains(&byte)
                || self.kept.iter().any(|kept| kept.contains(&byte));
            if byte == b' ' && self.space_as_plus {
                escaped.push(b'+');
            } else if is_kept {
                escaped.push(byte);
            } else {
                let digit = |value: u8| digits[usize::from(value)];
                escaped.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
            }
        }
        escaped
    }
}

/// Decodes escapes; a `%` that begins none stands for itself.
pub(super) fn unescape(text: &[u8]) -> Vec<u8> {
    FormBytes::new(text, QueryPlus::Literal).collect()
}

pub(super) fn to_hex(bytes: &[u8]) -> Vec<u8> {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    digits.collect::<String>().into_bytes()
}

/// `None` for what is not hexadecimal.
pub(super) fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_chunks::<2>() else {
        return None;
    };
    let mut bytes = Vec::with_capacity(pairs.len());
    for &[high, low] in pairs {
        bytes.push(byte_of(high, low)?);
    }
    Some(bytes)
}

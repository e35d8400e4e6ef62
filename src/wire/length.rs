//! `Content-Length` (RFC 9110 §8.6).

use std::str;

use memchr::memchr;

use super::fields::Fields;

/// What the `Content-Length` fields of a message say.
pub(crate) enum LengthField {
    Absent,
    Valid(u64),
    Invalid,
    /// More than one line, or a list.
    Repeated,
}

/// Reads the `Content-Length` fields of a message.
pub(crate) fn content_length(fields: &Fields) -> LengthField {
    let mut lines = fields.all("content-length");
    let Some(value) = lines.next() else {
        return LengthField::Absent;
    };
    if lines.next().is_some() || memchr(b',', value).is_some() {
        return LengthField::Repeated;
    }
    match parse_length(value) {
        Some(length) => LengthField::Valid(length),
        None => LengthField::Invalid,
    }
}

/// Reads one length: digits only, up to 2^63 - 1.
pub(crate) fn parse_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let length = str::from_utf8(value).ok()?.parse::<u64>().ok()?;
    (length <= i64::MAX as u64).then_some(length)
}

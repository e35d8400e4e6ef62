//! Percent-encoding as clients do it.

use super::mistake::{Made, Mistake};
use crate::oauth::{QueryPlus, form::FormBytes};

/// Encodes as RFC 5849 §3.6 says, but for the mistakes.
pub(super) fn escape(bytes: &[u8], made: Made<'_>) -> Vec<u8> {
    let marks: &[u8] = if made.has(&Mistake::MarksUnencoded) {
        b"!*'()"
    } else if made.has(&Mistake::AsteriskUnencoded) {
        b"*"
    } else {
        b""
    };
    let slash = made.has(&Mistake::SlashUnencoded);
    let tilde = !made.has(&Mistake::TildeEncoded);
    let plus = made.has(&Mistake::SpaceAsPlus);
    let mut escaped = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        let kept = byte.is_ascii_alphanumeric()
            || b"-._".contains(&byte)
            || (byte == b'~' && tilde)
            || (byte == b'/' && slash)
            || marks.contains(&byte);
        match byte {
            b' ' if plus => escaped.push(b'+'),
            _ if kept => escaped.push(byte),
            _ if made.has(&Mistake::LowerCaseDigits) => {
                escaped.extend_from_slice(format!("%{byte:02x}").as_bytes());
            }
            _ => escaped.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    escaped
}

/// Decodes escapes; a `%` that begins none stands for itself.
pub(super) fn unescape(text: &[u8]) -> Vec<u8> {
    FormBytes::new(text, QueryPlus::Literal).collect()
}

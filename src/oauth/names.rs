//! The names of the parameters in a query or a form, and what they alone tell: which are protocol parameters (RFC 5849
//! §3.1), that nobody else may send, and whose values nobody should see.

use std::borrow::Cow;

use memchr::memchr;

use super::QueryPlus;
use super::form::FormBytes;

/// What the names of protocol parameters start with.
pub(super) const PREFIX: &[u8] = b"oauth_";

/// The first parameter of a query or a form whose name, once decoded, starts with `oauth_`.
pub(super) fn protocol_parameter_in(encoded: &[u8]) -> Option<String> {
    names(encoded)
        .find(|name| name.clone().take(PREFIX.len()).eq(PREFIX.iter().copied()))
        .map(|name| String::from_utf8_lossy(&name.collect::<Vec<u8>>()).into_owned())
}

/// The decoded names of the parameters of a query or a form, as text.
pub(crate) fn parameter_names(encoded: &[u8]) -> impl Iterator<Item = String> {
    names(encoded).map(|name| String::from_utf8_lossy(&name.collect::<Vec<u8>>()).into_owned())
}

/// Whether the names of protocol parameters are made of such characters.
pub(crate) fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// A query as it may be shown: the value of each parameter that [`protocol_parameter_in`] would find is left out, since a
/// signature can be among them, or, with `PLAINTEXT`, the secrets themselves.
pub(crate) fn without_protocol_values(query: &[u8]) -> Cow<'_, [u8]> {
    if protocol_parameter_in(query).is_none() {
        return Cow::Borrowed(query);
    }
    let shown = query.split(|byte| *byte == b'&').map(|pair| {
        let name = pair.split(|byte| *byte == b'=').next().unwrap_or(pair);
        match protocol_parameter_in(name) {
            // An encoded "=" makes what follows a part of the name, though it is hardly meant so.
            Some(decoded) if !decoded.chars().all(is_name_character) => b"oauth_=REDACTED".to_vec(),
            Some(_) => [name, b"=REDACTED"].concat(),
            None => pair.to_vec(),
        }
    });
    Cow::Owned(shown.collect::<Vec<_>>().join(&b'&'))
}

/// The names in form-encoded text, decoded. Nothing between two `&` is no parameter.
fn names(encoded: &[u8]) -> impl Iterator<Item = FormBytes<'_>> {
    split(encoded, b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| &pair[..memchr(b'=', pair).unwrap_or(pair.len())])
        .map(|name| FormBytes::new(name, QueryPlus::Space))
}

/// The parts between separators, found many bytes at a time.
fn split(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        Some(match memchr(separator, text) {
            Some(at) => {
                rest = Some(&text[at + 1..]);
                &text[..at]
            }
            None => {
                rest = None;
                text
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocol_values_are_not_shown() {
        let check = |query: &str, shown: &str| {
            let found = without_protocol_values(query.as_bytes());
            assert_eq!(String::from_utf8_lossy(&found), shown);
        };
        check("a=1&like(b,*c*)", "a=1&like(b,*c*)");
        check(
            "a=1&&%6Fauth_signature=S%26=x&oauth_token&b",
            "a=1&&%6Fauth_signature=REDACTED&oauth_token=REDACTED&b",
        );
        check("oauth_signature%3DS&a", "oauth_=REDACTED&a");
    }

    #[test]
    fn a_protocol_parameter_is_found_under_any_encoding_of_its_name() {
        let check = |encoded: &str, expected: Option<&str>| {
            let found = protocol_parameter_in(encoded.as_bytes());
            assert_eq!(found.as_deref(), expected, "{encoded}");
        };
        check("", None);
        check("oauth_nonce=1", Some("oauth_nonce"));
        check("a=1&oauth%5Fnonce=1&oauth_token", Some("oauth_nonce"));
        check("%6f%61uth_x", Some("oauth_x"));
        check("oauth_", Some("oauth_"));
        check("oauth_%FF", Some("oauth_\u{fffd}"));
        check("oauth", None);
        check("a=oauth_nonce", None);
        check("xoauth_nonce=1", None);
        check("OAuth_nonce=1", None);
        check("like(oauth_nonce)", None);
    }
}

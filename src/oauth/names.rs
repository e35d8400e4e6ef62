//! The names of the parameters in a query or a form, and what they alone tell: which are protocol parameters (RFC 5849
//! §3.1), that nobody else may send, and whose values nobody should see.

use std::borrow::Cow;

use memchr::{memchr, memmem};

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

/// A query as it may be shown: the value of each parameter that is, or that some server may take for, one of the protocol's
/// is left out, since a signature can be among them, or, with `PLAINTEXT`, the secrets themselves.
pub(crate) fn without_protocol_values(query: &[u8]) -> Cow<'_, [u8]> {
    let pairs = || query.split(|byte| *byte == b'&');
    if !pairs().any(has_protocol_value) {
        return Cow::Borrowed(query);
    }
    let shown = pairs().map(|pair| {
        let name = pair.split(|byte| *byte == b'=').next().unwrap_or(pair);
        match protocol_parameter_in(name) {
            _ if !has_protocol_value(pair) => pair.to_vec(),
            Some(decoded) if decoded.chars().all(is_name_character) => {
                [name, b"=REDACTED"].concat()
            }
            // What stands before an encoded "=" or a ";" may be a value, too.
            _ => b"oauth_=REDACTED".to_vec(),
        }
    });
    Cow::Owned(shown.collect::<Vec<_>>().join(&b'&'))
}

/// Whether a pair of a query has the name of a protocol parameter, in whatever case and encoding, and even if it stands
/// where only some server or other would look for one.
fn has_protocol_value(pair: &[u8]) -> bool {
    let is_plain = |text: &[u8]| {
        let mut words = text.windows(PREFIX.len());
        !words.any(|word| word.eq_ignore_ascii_case(PREFIX))
    };
    if is_plain(pair) && !pair.contains(&b'%') {
        return false;
    }
    let decode = |text: &[u8]| FormBytes::new(text, QueryPlus::Space).collect::<Vec<u8>>();
    let text = decode(&decode(pair)).to_ascii_lowercase();
    let is_value = |start: usize| {
        let mut name = text[start..].iter();
        let end = name.position(|byte| !is_name_character(char::from(*byte)));
        end.is_some_and(|end| text[start + end] == b'=')
    };
    memmem::find_iter(&text, PREFIX).any(is_value) || protocol_parameter_in(pair).is_some()
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
        check("like(oauth_token,*a*)&b=%25", "like(oauth_token,*a*)&b=%25");
        for pair in [
            "a=1;oauth_signature=S",
            "+oauth_signature=S",
            "OAuth_signature=S",
            "%00oauth_signature=S",
            "amp;oauth_signature=S",
            "%256fauth_signature=S",
            "xoauth_signature=S",
        ] {
            check(&format!("b=1&{pair}&c"), "b=1&oauth_=REDACTED&c");
        }
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

//! The texts of single keys, made into types.

use std::net::Ipv6Addr;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::{Method, header::HeaderName};

use crate::{
    config::origin::{HostError, parse_host_and_port},
    oauth::{Realm, SignatureMethod},
};

/// A text that is sent in a header field.
pub(super) fn header_text(text: &str) -> Result<String, &'static str> {
    if text.contains(char::is_control) {
        Err("must hold no control characters")
    } else {
        Ok(text.to_owned())
    }
}

/// A text that is sent in a header field, and not empty.
pub(super) fn nonempty_header_text(text: &str) -> Result<String, &'static str> {
    match text {
        "" => Err("must not be empty"),
        text => header_text(text),
    }
}

/// `realm`.
pub(super) fn realm(text: &str) -> Result<Realm, &'static str> {
    match text {
        "" => Ok(Realm::None),
        "uri" => Ok(Realm::Uri),
        text => header_text(text).map(Realm::Fixed),
    }
}

/// `signature_method`, as it is written in a request (RFC 5849 §3.4).
pub(super) fn signature_method(text: &str) -> Result<SignatureMethod, &'static str> {
    SignatureMethod::from_name(text).ok_or(
        "must be HMAC-SHA1, HMAC-SHA256, HMAC-SHA512, RSA-SHA1, RSA-SHA256, RSA-SHA512 or PLAINTEXT",
    )
}

/// The name of a header field, in lower case.
pub(super) fn header_name(text: &str) -> Result<String, &'static str> {
    HeaderName::try_from(text)
        .map(|name| name.as_str().to_owned())
        .map_err(|_| "is no name of a header field")
}

/// The SHA-256 of a public key in base64; curl writes `sha256//` before it.
pub(super) fn pin(text: &str) -> Result<[u8; 32], &'static str> {
    let digest = text.strip_prefix("sha256//").unwrap_or(text);
    STANDARD
        .decode(digest)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or("is no pin: write the 32 bytes of the public key's SHA-256 in base64, as curl's --pinnedpubkey does")
}

/// A name or address to verify; an IPv6 address with or without brackets. An empty one is none.
pub(super) fn server_name(text: &str) -> Result<Option<String>, HostError> {
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(address) = text.parse::<Ipv6Addr>() {
        return Ok(Some(address.to_string()));
    }
    match parse_host_and_port(text)? {
        (host, None) => Ok(Some(host)),
        (_, Some(_)) => Err(HostError::Host),
    }
}

/// Where to connect to; an empty text is none.
pub(super) fn dial(text: &str) -> Result<Option<(String, u16)>, HostError> {
    if text.is_empty() {
        return Ok(None);
    }
    match parse_host_and_port(text)? {
        (host, Some(port)) => Ok(Some((host, port))),
        (_, None) => Err(HostError::Port),
    }
}

/// A `Host` value, in lower case: a host, with a port or without.
pub(super) fn allowed_host(text: &str) -> Result<String, HostError> {
    parse_host_and_port(text).map(|_| text.to_ascii_lowercase())
}

/// An `Origin` value, as browsers send it (RFC 6454 §6.1). `null` is sent by too many pages to mean any of them.
pub(super) fn allowed_origin(text: &str) -> Result<String, &'static str> {
    const PROBLEM: &str =
        "is no origin: write scheme://host or scheme://host:port, with nothing after it";
    let (scheme, host) = text.split_once("://").ok_or(PROBLEM)?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    if is_scheme && parse_host_and_port(host).is_ok() {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(PROBLEM)
    }
}

/// A request method. One in lower case is another method, which no server knows.
pub(super) fn method(text: &str) -> Result<String, &'static str> {
    match Method::from_bytes(text.as_bytes()) {
        Ok(_) if !text.contains(|c: char| c.is_ascii_lowercase()) => Ok(text.to_owned()),
        _ => Err("is no request method: write it in capitals, such as \"GET\""),
    }
}

/// What paths a rule allows. One that no request can match is a mistake: paths that servers read in different ways are
/// refused, and the others are compared as they read once they are decoded.
pub(super) fn path_glob(text: &str) -> Result<String, &'static str> {
    let mut segments = text.split('/').skip(1).peekable();
    let mut is_dotted = false;
    let mut is_gapped = false;
    while let Some(segment) = segments.next() {
        is_dotted |= matches!(segment, "." | "..");
        is_gapped |= segment.is_empty() && segments.peek().is_some();
    }
    if !text.starts_with('/') || text.contains(char::is_control) {
        Err("must begin with / and hold no control characters, such as \"/aps/2/**\"")
    } else if text.contains('%') {
        Err("must be written decoded, such as \"/a b\" for /a%20b")
    } else if is_dotted || is_gapped || text.contains(['?', '#', ';', '\\']) {
        Err(
            "can match no request: neither the query nor path parameters (;) are compared, and paths with //, /./, /../ or \\ are refused",
        )
    } else {
        Ok(text.to_owned())
    }
}

/// The name of a proxy. Variables and log records name it too, so it must be plain.
pub(super) fn is_proxy_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_read_with_and_without_the_prefix_of_curl() {
        let pin_of = |text: &str| pin(text).ok();
        let text = STANDARD.encode([7; 32]);
        assert_eq!(pin_of(&text), Some([7; 32]));
        assert_eq!(pin_of(&format!("sha256//{text}")), Some([7; 32]));
        assert_eq!(pin_of(&STANDARD.encode([7; 31])), None);
        assert_eq!(pin_of("sha256/AAAA"), None);
    }

    #[test]
    fn origins_are_what_a_browser_sends() {
        for (text, expected) in [
            ("https://App.example", true),
            ("http://localhost:3000", true),
            ("chrome-extension://abcdef", true),
            ("https://app.example/", false),
            ("https://*.example", false),
            ("null", false),
            ("*", false),
            ("app.example", false),
        ] {
            assert_eq!(allowed_origin(text).is_ok(), expected, "{text}");
        }
    }
}

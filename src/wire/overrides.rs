//! Fields by which a client could have a server do something else than the request line says.

/// Field names that take the place of the method or the path for one framework or server or another.
const OVERRIDES: [&str; 17] = [
    "X-HTTP-Method",
    "X-HTTP-Method-Override",
    "X-Method-Override",
    "X-Forwarded-Method",
    "X-Original-Method",
    "X-Envoy-Original-Method",
    "X-Envoy-Original-Path",
    "X-Forwarded-Path",
    "X-Forwarded-Prefix",
    "X-Forwarded-Uri",
    "X-HTTP-DestinationURL",
    "X-HTTP-Path-Override",
    "X-Original-Path",
    "X-Original-Uri",
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-Script-Name",
];

/// Whether a field of this name, or a parameter, could take the place of the method or the path.
///
/// A server that hands names on as CGI does takes no notice of their case and punctuation (RFC 3875 §4.1.18).
pub(crate) fn is_override(name: &[u8]) -> bool {
    let plain = |byte: &u8| match byte.to_ascii_lowercase() {
        byte if byte.is_ascii_alphanumeric() => byte,
        _ => b'_',
    };
    let is_named = |other: &&str| {
        let other = other.as_bytes().iter().map(plain);
        name.iter().map(plain).eq(other)
    };
    OVERRIDES.iter().any(is_named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_known_by_its_name_in_each_spelling_that_servers_make_one_of() {
        for name in [
            "X-HTTP-Method-Override",
            "x-http-method-override",
            "X_HTTP_Method_Override",
            "X.Http.Method.Override",
            "x-http-method",
            "X-ORIGINAL-URL",
            "X-Rewrite_Url",
        ] {
            assert!(is_override(name.as_bytes()), "{name}");
        }
        for name in ["Host", "X-HTTP", "X-HTTP-Methods", "APS-Token", ""] {
            assert!(!is_override(name.as_bytes()), "{name}");
        }
    }
}

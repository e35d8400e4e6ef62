//! The parts of an `Authorization` header (RFC 5849 §3.5.1), written.

use super::authorization::unquote;
use super::codes::ONCE;
use super::percent;
use super::sink::Sink;

/// Writes a parameter as `name="value"`, with both encoded.
pub(super) fn write_parameter(sink: &mut impl Sink, name: &str, value: &[u8]) {
    percent::encode(sink, name.as_bytes(), &ONCE);
    sink.write(b"=\"");
    percent::encode(sink, value, &ONCE);
    sink.write(b"\"");
}

/// Writes `realm="value"`, whose value is a quoted string (RFC 9110 §5.6.4), not percent-encoded, here in parts.
///
/// Only what is no printable ASCII becomes an escape nevertheless, so that the field value is always a valid one.
pub(super) fn write_realm(sink: &mut impl Sink, parts: &[&[u8]]) {
    sink.write(b"realm=\"");
    for &byte in parts.iter().copied().flatten() {
        match byte {
            b'"' | b'\\' => sink.write(&[b'\\', byte]),
            b' '..=b'~' => sink.write(&[byte]),
            _ => percent::encode(sink, &[byte], &ONCE),
        }
    }
    sink.write(b"\"");
}

/// The realm that a server reads where [`write_realm`] has written these parts.
pub(super) fn realm_of(parts: &[&[u8]]) -> String {
    let mut written = Vec::new();
    write_realm(&mut written, parts);
    let quoted = written
        .strip_prefix(b"realm=\"")
        .and_then(|rest| rest.strip_suffix(b"\""));
    // What is written is always well-formed.
    quoted.and_then(unquote).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_encoded() {
        let mut written = Vec::new();
        write_parameter(&mut written, "a b", b"+/=\"");
        assert_eq!(written, b"a%20b=\"%2B%2F%3D%22\"");
    }

    #[test]
    fn a_realm_is_quoted_and_not_percent_encoded() {
        let check = |realm: &str, expected: &str| {
            let mut written = Vec::new();
            write_realm(&mut written, &[realm.as_bytes()]);
            assert_eq!(String::from_utf8(written).unwrap(), expected);
        };
        check("", "realm=\"\"");
        check("http://sp.example.com/", "realm=\"http://sp.example.com/\"");
        check("123_SB1", "realm=\"123_SB1\"");
        check("a \"b\" \\c%20", "realm=\"a \\\"b\\\" \\\\c%20\"");
        check("a\r\nb\u{7f}ü", "realm=\"a%0D%0Ab%7F%C3%BC\"");
    }
}

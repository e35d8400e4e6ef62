//! Which bytes may stand where, in one table.

const TOKEN: u8 = 1;
const VALUE: u8 = 2;
const PATH: u8 = 4;
const QUERY: u8 = 8;

/// Whether a byte may stand in a token (RFC 9110 §5.6.2).
pub(crate) const fn is_token(byte: u8) -> bool {
    CLASSES[byte as usize] & TOKEN != 0
}

/// Whether a byte may stand in a field value (RFC 9110 §5.5), a reason phrase or a chunk extension: visible, blank or
/// obs-text.
pub(crate) const fn is_value_byte(byte: u8) -> bool {
    CLASSES[byte as usize] & VALUE != 0
}

/// Whether a byte may stand in a path as it is sent. Wider than RFC 3986, since RQL and others are, but for what URI
/// parsers refuse.
pub(crate) const fn is_path_byte(byte: u8) -> bool {
    CLASSES[byte as usize] & PATH != 0
}

/// Likewise in a query.
pub(crate) const fn is_query_byte(byte: u8) -> bool {
    CLASSES[byte as usize] & QUERY != 0
}

const CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < table.len() {
        let byte = index as u8;
        table[index] = class(byte);
        index += 1;
    }
    table
}

const fn class(byte: u8) -> u8 {
    let mut class = 0;
    if byte.is_ascii_alphanumeric() || is_token_mark(byte) {
        class |= TOKEN;
    }
    if matches!(byte, b'\t' | b' '..=b'~' | 0x80..) {
        class |= VALUE;
    }
    if matches!(byte, b'!' | b'"' | b'$'..=b';' | b'=' | b'@'..=b'_' | b'a'..=b'~' | 0x80..) {
        class |= PATH;
    }
    if matches!(byte, b'!' | b'$'..=b';' | b'=' | b'?'..=b'~' | 0x80..) {
        class |= QUERY;
    }
    class
}

const fn is_token_mark(byte: u8) -> bool {
    matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_as_the_rfc_lists_them() {
        let marks: Vec<u8> = (0..=u8::MAX)
            .filter(|byte| is_token(*byte) && !byte.is_ascii_alphanumeric())
            .collect();
        assert_eq!(marks, b"!#$%&'*+-.^_`|~");
    }

    #[test]
    fn what_uri_parsers_refuse_is_refused() {
        let refused = |allowed: fn(u8) -> bool| -> Vec<u8> {
            (b' '..=0x7f).filter(|byte| !allowed(*byte)).collect()
        };
        assert_eq!(refused(is_path_byte), b" #<>?`\x7f");
        assert_eq!(refused(is_query_byte), b" \"#<>\x7f");
        assert_eq!(refused(is_value_byte), b"\x7f");
    }
}

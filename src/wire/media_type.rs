//! Media types, as far as signing depends on them.

/// Whether the value of a `Content-Type` is the media type of a form, or a list with one, whatever its case and parameters,
/// and whatever ends its name for one server or another.
pub(crate) fn is_form(content_type: &[u8]) -> bool {
    members(content_type).any(|media_type| {
        let media_type = media_type.trim_ascii_start();
        let mut parts = media_type.split(|byte| matches!(byte, b';' | b' ' | b'\t'));
        let essence = parts.next().unwrap_or_default();
        essence.eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
    })
}

/// Whether the value of a `Content-Type` is a list, which says the same as a line for each of its members (RFC 9110 §5.3).
pub(crate) fn is_list(content_type: &[u8]) -> bool {
    members(content_type).count() > 1
}

/// What stands between commas, other than those in a quoted string (RFC 9110 §5.6.4).
fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    value.split(move |byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b',' => return !quoted,
            _ => {}
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_told_by_its_media_type_alone() {
        let table = [
            ("application/x-www-form-urlencoded", true),
            ("Application/X-WWW-Form-URLencoded ; charset=UTF-8", true),
            ("application/x-www-form-urlencoded;x", true),
            ("application/x-www-form-urlencoded, text/plain", true),
            (
                "text/plain;a=\"\\\"\" ,\tapplication/x-www-form-urlencoded",
                true,
            ),
            (
                "text/plain;a=\", application/x-www-form-urlencoded\"",
                false,
            ),
            (
                "text/plain;a=\"\\\", application/x-www-form-urlencoded\"",
                false,
            ),
            ("application/x-www-form-urlencoded charset=x", true),
            ("application/x-www-form-urlencoded2", false),
            (
                "multipart/form-data; boundary=application/x-www-form-urlencoded",
                false,
            ),
            ("application/json", false),
            ("", false),
        ];
        for (content_type, wanted) in table {
            assert_eq!(is_form(content_type.as_bytes()), wanted, "{content_type:?}");
        }
    }

    #[test]
    fn a_comma_makes_a_list_unless_it_is_quoted() {
        let table = [
            ("", false),
            ("application/x-www-form-urlencoded; x=\"a,b\"", false),
            ("a/b; x=\"\\\",\"", false),
            ("a/b; x=\"a", false),
            ("a/b, c/d", true),
            ("a/b,", true),
            ("a/b; x=\"\\\"\", c/d", true),
            ("a/b; x=\\\",c/d\"", false),
        ];
        for (content_type, wanted) in table {
            assert_eq!(is_list(content_type.as_bytes()), wanted, "{content_type:?}");
        }
    }
}

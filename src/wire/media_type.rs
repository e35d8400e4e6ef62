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

/// Whether some server might take the value of a `Content-Type` for the media type of a form, though it is none.
pub(crate) fn resembles_form(content_type: &[u8]) -> bool {
    const NAME: &[u8] = b"form-urlencoded";
    content_type
        .windows(NAME.len())
        .any(|window| window.eq_ignore_ascii_case(NAME))
}

/// Whether the text of a form of this media type may be in another encoding than its names are compared in, which all have
/// ASCII in common.
pub(crate) fn has_foreign_charset(content_type: &[u8]) -> bool {
    const KNOWN: [&str; 4] = ["utf-8", "us-ascii", "iso-8859-1", "windows-1252"];
    let parameters = content_type.split(|byte| *byte == b';').skip(1);
    parameters
        .filter_map(|parameter| {
            let mut parts = parameter.splitn(2, |byte| *byte == b'=');
            let [name, value] = [parts.next()?, parts.next()?].map(<[u8]>::trim_ascii);
            name.eq_ignore_ascii_case(b"charset").then_some(value)
        })
        .map(|value| {
            let unquoted = value
                .strip_prefix(b"\"")
                .and_then(|rest| rest.strip_suffix(b"\""));
            unquoted.unwrap_or(value)
        })
        .any(|value| {
            !KNOWN
                .iter()
                .any(|known| value.eq_ignore_ascii_case(known.as_bytes()))
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
    fn what_only_resembles_a_form_is_told_from_other_content() {
        for (content_type, wanted) in [
            ("Application/x-www-Form-URLencodedX", true),
            ("text/plain, application/x-www-form-urlencoded", true),
            ("application/json", false),
            ("multipart/form-data; boundary=x", false),
        ] {
            let found = resembles_form(content_type.as_bytes());
            assert_eq!(found, wanted, "{content_type:?}");
        }
    }

    #[test]
    fn a_charset_without_ascii_in_it_is_foreign() {
        for (parameters, wanted) in [
            ("", false),
            ("; charset=UTF-8", false),
            (";charset=\"utf-8\";x=y", false),
            ("; x=charset=utf-16", false),
            ("; charset=utf-16", true),
            (";a; Charset = \"IBM037\"", true),
            ("; charset=utf-8; charset=utf-7", true),
        ] {
            let content_type = format!("application/x-www-form-urlencoded{parameters}");
            let found = has_foreign_charset(content_type.as_bytes());
            assert_eq!(found, wanted, "{parameters:?}");
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

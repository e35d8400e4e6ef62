//! Media types, as far as signing depends on them.

/// Whether a media type is that of a form, whatever its case and parameters, and whatever ends its name for one server
/// or another.
pub(crate) fn is_form(content_type: &[u8]) -> bool {
    let essence = content_type
        .split(|byte| matches!(byte, b';' | b',' | b' ' | b'\t'))
        .next()
        .unwrap_or_default();
    essence.eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
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
}

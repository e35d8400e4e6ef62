//! Requests as text, with no more than a case needs.

/// Whatever the framing is taken for, this must never become a request of its own.
pub(crate) const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// The field line that makes content a form.
pub(crate) const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

/// A `GET` of a target.
pub(crate) fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// A `GET` with field lines, each with its CRLF.
pub(crate) fn get_with(fields: &str) -> String {
    format!("GET /thing HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")
}

/// A `GET` with a `Host`.
pub(crate) fn get_from(target: &str, host: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n")
}

/// A request without content.
pub(crate) fn request(method: &str, target: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// A `POST` with a `Content-Length` that fits.
pub(crate) fn post(fields: &str, content: &str) -> String {
    post_raw(
        &format!("{fields}Content-Length: {}\r\n", content.len()),
        content,
    )
}

/// A `POST` whose framing is up to the field lines.
pub(crate) fn post_raw(fields: &str, rest: &str) -> String {
    format!("POST /upload HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n{rest}")
}

/// A form that is posted to a target.
pub(crate) fn post_form(target: &str, form: &str) -> String {
    let length = form.len();
    format!(
        "POST {target} HTTP/1.1\r\nHost: localhost\r\n{FORM}Content-Length: {length}\r\n\r\n{form}"
    )
}

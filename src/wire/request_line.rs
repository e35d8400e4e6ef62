//! The request line (RFC 9112 §3) and the forms of its target.

use std::{ops::Range, str};

use bytes::Bytes;
use memchr::{memchr, memchr2};

use super::{
    authority::check_authority,
    class::{is_path_byte, is_query_byte, is_token},
    request_fault::RequestFault,
};

/// The longest request target, in bytes.
pub const MAX_TARGET_BYTES: usize = 64 * 1024;

/// The longest method, in bytes; registered ones have at most 17.
const MAX_METHOD_BYTES: usize = 64;

/// Bytes of the longest request line without its CRLF.
pub(crate) const MAX_REQUEST_LINE_BYTES: usize =
    MAX_METHOD_BYTES + 1 + MAX_TARGET_BYTES + " HTTP/1.1".len();

/// The protocol versions that are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    Http11,
}

/// A request line that is well formed; ranges are within the line.
#[derive(Clone, Debug)]
pub(crate) struct RequestLine {
    pub(super) method: Range<usize>,
    pub(super) target: Range<usize>,
    pub(super) version: Version,
}

/// Reads a request line without its CRLF; the field section need not have arrived yet.
///
/// # Errors
/// The first fault in it.
pub(crate) fn parse_request_line(line: &[u8]) -> Result<RequestLine, RequestFault> {
    let mut parts = line.split(|byte| *byte == b' ');
    let method = parts.next().unwrap_or_default();
    let target = parts.next().unwrap_or_default();
    let version = parts.next();
    if method.is_empty() || !method.iter().copied().all(is_token) {
        return Err(RequestFault::RequestLine("the method is not a token"));
    }
    if method.len() > MAX_METHOD_BYTES {
        return Err(RequestFault::RequestLine(
            "the method is over 64 bytes long",
        ));
    }
    let Some(version) = version else {
        return Err(RequestFault::NotHttp1("an HTTP/0.9 request"));
    };
    if parts.next().is_some() {
        return Err(RequestFault::RequestLine(
            "there is more than a method, a target and a version, each one space apart",
        ));
    }
    let version = parse_version(version)?;
    if matches!(method, b"CONNECT" | b"TRACE") {
        return Err(RequestFault::Method);
    }
    check_target(target)?;
    let target_start = method.len() + 1;
    Ok(RequestLine {
        method: 0..method.len(),
        target: target_start..target_start + target.len(),
        version,
    })
}

fn parse_version(version: &[u8]) -> Result<Version, RequestFault> {
    match version {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            Err(RequestFault::NotHttp1("an HTTP version that is not served"))
        }
        _ => Err(RequestFault::RequestLine(
            "the version is not HTTP/1.1 or HTTP/1.0",
        )),
    }
}

/// Refuses what no URI parser agrees on; all else is none of our business and stays as it is.
fn check_target(target: &[u8]) -> Result<(), RequestFault> {
    if target.is_empty() {
        return Err(RequestFault::Target("it is empty"));
    }
    let (path, query) = split_target(target);
    if memchr(b'#', target).is_some() {
        return Err(RequestFault::Target(
            "a fragment (#…) is never sent to a server",
        ));
    }
    let path_fits = path.iter().copied().all(is_path_byte);
    let query_fits = query.is_none_or(|query| query.iter().copied().all(is_query_byte));
    if !path_fits || !query_fits {
        return Err(RequestFault::Target(
            "a character in it must be percent-encoded",
        ));
    }
    if str::from_utf8(target).is_err() {
        return Err(RequestFault::Target(
            "bytes above 0x7F that are not UTF-8 must be percent-encoded",
        ));
    }
    Ok(())
}

/// Splits a target into an authority, if it is in absolute form, and a path with its query.
pub(super) fn origin_form(target: Bytes) -> Result<(Option<Bytes>, Bytes), RequestFault> {
    const HTTP: &[u8] = b"http://";
    if target.len() > MAX_TARGET_BYTES {
        return Err(RequestFault::TargetTooLong(MAX_TARGET_BYTES));
    }
    if target[0] == b'/' {
        Ok((None, target))
    } else if target.len() > HTTP.len() && target[..HTTP.len()].eq_ignore_ascii_case(HTTP) {
        let rest = target.slice(HTTP.len()..);
        let end = rest
            .iter()
            .position(|byte| matches!(byte, b'/' | b'?'))
            .unwrap_or(rest.len());
        let authority = rest.slice(..end);
        check_authority(&authority)?;
        let path = match rest.get(end) {
            Some(b'/') => rest.slice(end..),
            // An absolute form may leave the path out, an origin form can't (RFC 9112 §3.2.1).
            _ => [b"/", &rest[end..]].concat().into(),
        };
        Ok((Some(authority), path))
    } else {
        Err(RequestFault::Target(
            "it must begin with \"/\", or with \"http://\" and this proxy's own address",
        ))
    }
}

/// The method and the target of a head that is not fit to be read, for the record.
pub(super) fn glimpse(head: &[u8]) -> (Option<Bytes>, Option<Bytes>) {
    let head = head.trim_ascii_start();
    let end = memchr2(b'\r', b'\n', head);
    let line = &head[..end.unwrap_or(head.len())];
    let mut parts = line.splitn(3, |byte| *byte == b' ');
    let (Some(method), Some(target)) = (parts.next(), parts.next()) else {
        return (None, None);
    };
    if method.is_empty() || !method.iter().copied().all(is_token) {
        return (None, None);
    }
    let is_whole = parts.next().is_some() || end.is_some();
    let target = if target.len() > MAX_TARGET_BYTES {
        Some(&target[..MAX_TARGET_BYTES])
    } else {
        Some(target).filter(|target| is_whole && !target.is_empty())
    };
    // What stands behind a `#` is nobody's query, and nobody would look for secrets in it.
    let target = target.and_then(|target| target.split(|byte| *byte == b'#').next());
    let target = target.filter(|target| !target.is_empty());
    let target = target.map(Bytes::copy_from_slice).and_then(|target| {
        match origin_form(target.clone()) {
            Ok((_, origin_form)) => Some(origin_form),
            // Of any other, one can't say what is a path, and what a password in front of a host.
            Err(_) => Some(target).filter(|target| target.starts_with(b"/")),
        }
    });
    let method = &method[..method.len().min(MAX_METHOD_BYTES)];
    (Some(Bytes::copy_from_slice(method)), target)
}

/// Splits a target at its first `?`.
pub(crate) fn split_target(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr(b'?', target) {
        Some(at) => (&target[..at], Some(&target[at + 1..])),
        None => (target, None),
    }
}

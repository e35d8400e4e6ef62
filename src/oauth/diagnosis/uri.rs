//! The base string URI as clients make it.

use super::{
    Sent, default_port,
    encoding::{Encoder, unescape},
    mistake::{Made, Mistake},
};

/// The URI of RFC 5849 §3.4.1.2, but for the mistakes; not encoded yet.
pub(super) fn uri(sent: &Sent<'_>, made: Made<'_>) -> Vec<u8> {
    let mut uri = origin(sent, made).into_bytes();
    uri.extend(path(sent.request.path(), made));
    let query = sent.request.query();
    if made.has(&Mistake::QueryInUri) || made.has(&Mistake::QueryInUriAlone) {
        if !query.is_empty() {
            uri.push(b'?');
            uri.extend_from_slice(query);
        }
    } else if made.has(&Mistake::TrailingQuestionMark) {
        uri.push(b'?');
    }
    uri
}

fn origin(sent: &Sent<'_>, made: Made<'_>) -> String {
    if made.has(&Mistake::OriginLeftOut) {
        return String::new();
    }
    let other = made.find(|mistake| match mistake {
        Mistake::OtherOrigin(origin) => Some(origin.clone()),
        _ => None,
    });
    if let Some(other) = other {
        return other;
    }
    let host = if made.has(&Mistake::HostCaseKept) {
        sent.host.to_owned()
    } else {
        sent.host.to_ascii_lowercase()
    };
    let https = sent.https != made.has(&Mistake::OtherScheme);
    let scheme = if https { "https" } else { "http" };
    let default = default_port(https);
    // A port that goes without saying does so with either scheme.
    let port = sent.port.filter(|port| *port != default_port(sent.https));
    match port {
        Some(port) if !made.has(&Mistake::PortLeftOut) && port != default => {
            format!("{scheme}://{host}:{port}")
        }
        None if made.has(&Mistake::DefaultPortKept) => format!("{scheme}://{host}:{default}"),
        _ => format!("{scheme}://{host}"),
    }
}

fn path(path: &[u8], made: Made<'_>) -> Vec<u8> {
    let mut path = path.to_vec();
    if made.has(&Mistake::PathDecoded) {
        path = unescape(&path);
    } else if made.has(&Mistake::PathReencoded) {
        path = escape_segments(&unescape(&path), b"");
    } else if made.has(&Mistake::PathEscaped) {
        path = escape_segments(&path, b"%");
    } else if made.has(&Mistake::PathEncodedAgain) {
        path = escape_segments(&path, b"");
    }
    if made.has(&Mistake::PathSlashesMerged) {
        path.dedup_by(|a, b| *a == b'/' && *b == b'/');
    }
    if made.has(&Mistake::PathDotsResolved) {
        path = resolve_dots(&path);
    }
    if made.has(&Mistake::PathStartLeftOut)
        && let Some(end) = path.iter().skip(1).position(|byte| *byte == b'/')
    {
        path.drain(..=end);
    }
    let ends_with_slash = path.len() > 1 && path.ends_with(b"/");
    if made.has(&Mistake::PathSlashRemoved) && ends_with_slash {
        path.pop();
    }
    if made.has(&Mistake::PathSlashAdded) && !path.ends_with(b"/") {
        path.push(b'/');
    }
    if made.has(&Mistake::PathEmpty) && path == b"/" {
        path.clear();
    }
    path
}

/// Encodes all but slashes and the bytes in `kept`.
fn escape_segments(path: &[u8], kept: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(path.len());
    for byte in path {
        if *byte == b'/' || kept.contains(byte) {
            escaped.push(*byte);
        } else {
            escaped.extend(Encoder::RIGHT.escape(&[*byte]));
        }
    }
    escaped
}

/// RFC 3986 §5.2.4, for a path that begins with a slash.
fn resolve_dots(path: &[u8]) -> Vec<u8> {
    let segments: Vec<&[u8]> = path.split(|byte| *byte == b'/').skip(1).collect();
    let mut resolved: Vec<&[u8]> = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        let is_last = index + 1 == segments.len();
        match *segment {
            b"." => {}
            b".." => {
                resolved.pop();
            }
            segment => {
                resolved.push(segment);
                continue;
            }
        }
        if is_last {
            resolved.push(b"");
        }
    }
    [b"/", resolved.join(&b'/').as_slice()].concat()
}

//! The head of a request (RFC 9112 §3), read strictly: what is ambiguous is refused, never repaired.

use bytes::Bytes;

use super::{
    authority::check_authority,
    fields::Fields,
    framing::Framing,
    length::{LengthField, content_length},
    request_fault::RequestFault,
    request_line::{RequestLine, Version, glimpse, origin_form, split_target},
};

/// The head of a request that may be forwarded as far as its syntax goes.
#[derive(Clone, Debug)]
pub struct RequestHead {
    /// The method, as sent.
    pub method: Bytes,
    /// The target in origin form: path and query, byte for byte as sent.
    pub target: Bytes,
    /// The authority of a target in absolute form.
    pub authority: Option<Bytes>,
    /// The protocol version of the client.
    pub version: Version,
    /// The field section.
    pub fields: Fields,
    /// How the content is delimited.
    pub framing: Framing,
    /// Whether the client waits for `100 Continue` before it sends the content.
    pub expects_continue: bool,
}

impl RequestHead {
    /// The value of the `Host` field, if there is one; there is at most one.
    pub fn host(&self) -> Option<&[u8]> {
        self.fields.first("host")
    }

    /// Whether the response to this request has no content whatever its fields say.
    pub fn is_head(&self) -> bool {
        &self.method[..] == b"HEAD"
    }

    /// The target up to the first `?`.
    pub fn path(&self) -> &[u8] {
        split_target(&self.target).0
    }

    /// The target behind the first `?`.
    pub fn query(&self) -> Option<&[u8]> {
        split_target(&self.target).1
    }
}

/// A request whose head was refused, and as much of its request line as can be told.
#[derive(Clone, Debug)]
pub struct RefusedRequest {
    /// Why it was refused.
    pub fault: RequestFault,
    /// The method, as sent. It may be cut off.
    pub method: Option<Bytes>,
    /// The target in origin form, without a fragment. It may be cut off.
    pub target: Option<Bytes>,
}

impl RefusedRequest {
    /// A request of which `seen` has arrived.
    pub(super) fn new(fault: RequestFault, seen: &[u8]) -> Self {
        let (method, target) = glimpse(seen);
        Self {
            fault,
            method,
            target,
        }
    }
}

/// Reads the rest of a head that begins with `line`: the field section, each line with its CRLF, without the empty
/// line behind it.
///
/// # Errors
/// The first fault found.
pub(crate) fn parse_request(
    line: RequestLine,
    head: &Bytes,
    section: Bytes,
    header_bytes: usize,
) -> Result<RequestHead, RequestFault> {
    let RequestLine {
        method,
        target,
        version,
    } = line;
    let (method, target) = (head.slice(method), head.slice(target));
    if section.len() > header_bytes {
        return Err(RequestFault::HeaderTooLong(header_bytes));
    }
    let fields = Fields::parse(section)?;
    let (authority, target) = origin_form(target)?;
    check_host(&fields, version)?;
    let framing = request_framing(&fields, version)?;
    let expects_continue = expectation(&fields, version)?;
    Ok(RequestHead {
        method,
        target,
        authority,
        version,
        fields,
        framing,
        expects_continue,
    })
}

/// Checks that a request names its host as often as its version wants (RFC 9112 §3.2).
fn check_host(fields: &Fields, version: Version) -> Result<(), RequestFault> {
    let mut hosts = fields.all("host");
    match (hosts.next(), hosts.next()) {
        (None, _) if version == Version::Http10 => Ok(()),
        (None, _) => Err(RequestFault::Host("an HTTP/1.1 request needs a Host field")),
        (Some(_), Some(_)) => Err(RequestFault::Host("there is more than one Host field")),
        (Some(host), None) => check_authority(host),
    }
}

fn request_framing(fields: &Fields, version: Version) -> Result<Framing, RequestFault> {
    let mut codings = fields.all("transfer-encoding");
    let length = content_length(fields);
    let Some(coding) = codings.next() else {
        return match length {
            LengthField::Absent => Ok(Framing::None),
            LengthField::Valid(0) => Ok(Framing::None),
            LengthField::Valid(length) => Ok(Framing::Length(length)),
            LengthField::Invalid => Err(RequestFault::Framing(
                "Content-Length is not one decimal number",
            )),
            LengthField::Repeated => Err(RequestFault::Framing(
                "there is more than one Content-Length",
            )),
        };
    };
    if !matches!(length, LengthField::Absent) {
        return Err(RequestFault::Framing(
            "Content-Length and Transfer-Encoding contradict each other",
        ));
    }
    if version == Version::Http10 {
        return Err(RequestFault::Framing("HTTP/1.0 has no Transfer-Encoding"));
    }
    if codings.next().is_some() || coding.is_empty() {
        return Err(RequestFault::Framing(
            "Transfer-Encoding is empty or given more than once",
        ));
    }
    if coding.eq_ignore_ascii_case(b"chunked") {
        Ok(Framing::CHUNKED)
    } else {
        Err(RequestFault::TransferCoding)
    }
}

fn expectation(fields: &Fields, version: Version) -> Result<bool, RequestFault> {
    let mut expects_continue = false;
    for member in fields.members("expect") {
        if !member.eq_ignore_ascii_case(b"100-continue") {
            return Err(RequestFault::Expectation);
        }
        expects_continue = true;
    }
    // A 100-continue from an HTTP/1.0 client is ignored (RFC 9110 §10.1.1).
    Ok(expects_continue && version == Version::Http11)
}

#[cfg(test)]
mod tests;

//! The head of a response (RFC 9112 §4), read strictly.

use std::{ops::Range, str};

use bytes::Bytes;

use super::{
    class::is_value_byte,
    fields::{FieldFault, Fields},
    framing::{ChunkFault, Framing},
    length::{LengthField, content_length, parse_length},
};

/// The head of a response that may be passed on.
#[derive(Clone, Debug)]
pub(crate) enum ParsedResponse {
    /// An interim response (1xx), which another head follows.
    Interim(InterimHead),
    /// The response itself.
    Final(ResponseHead),
}

/// The head of an interim response (RFC 9110 §15.2), which is all there is of one.
#[derive(Clone, Debug)]
pub(crate) struct InterimHead {
    /// The status code, 100 to 199, but not 101.
    pub(crate) status: u16,
    /// The reason phrase, as sent; may be empty.
    pub(crate) reason: Bytes,
    /// The field section.
    pub(crate) fields: Fields,
}

/// The head of a final response that may be passed on.
#[derive(Clone, Debug)]
pub struct ResponseHead {
    /// The status code, 200 to 599.
    pub status: u16,
    /// The reason phrase, as sent; may be empty.
    pub reason: Bytes,
    /// The field section.
    pub fields: Fields,
    /// How the content is delimited.
    pub framing: Framing,
    /// Whether the connection may serve another request afterwards.
    pub keep_alive: bool,
}

/// Why a response can't be passed on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResponseFault {
    /// The status line.
    #[error("the status line is malformed: {0}")]
    StatusLine(&'static str),
    /// A line ended by a bare LF.
    #[error("a line of the head ends in LF instead of CRLF")]
    BareLf,
    /// A head over the limit.
    #[error("the head is longer than {0} bytes")]
    HeaderTooLong(usize),
    /// A line of the field section.
    #[error(transparent)]
    Field(#[from] FieldFault),
    /// Contradicting lengths.
    #[error("{0}")]
    Framing(&'static str),
    /// A transfer coding other than `chunked`.
    #[error("the only transfer coding that is understood is \"chunked\"")]
    TransferCoding,
    /// `101 Switching Protocols`, which was never asked for.
    #[error("a protocol switch (101) that was not asked for")]
    Upgrade,
    /// More interim responses than a server has reason to send.
    #[error("more than {MAX_INTERIM_RESPONSES} interim (1xx) responses")]
    TooManyInterim,
    /// Interim responses over the limit for all of them.
    #[error("the interim (1xx) responses are longer than {0} bytes together")]
    InterimTooLong(usize),
    /// The chunked coding of the content.
    #[error(transparent)]
    Chunk(#[from] ChunkFault),
    /// Bytes that answer no request.
    #[error("bytes that no request asked for")]
    Unsolicited,
}

/// The most header lines of a response: what limits them is the length of all, unlike those of a request, which come from
/// anybody.
const MAX_RESPONSE_FIELDS: usize = 1_000;

/// The most interim responses (1xx) before the final one.
pub const MAX_INTERIM_RESPONSES: u32 = 100;

/// Reads the rest of a head that begins with `line`: the field section, each line with its CRLF, without the empty
/// line behind it.
///
/// `to_head` tells that the request was a `HEAD`, whose answer has no content.
///
/// # Errors
/// The first fault found.
pub(crate) fn parse_response(
    line: StatusLine,
    head: &Bytes,
    section: Bytes,
    to_head: bool,
) -> Result<ParsedResponse, ResponseFault> {
    let mut fields = Fields::parse_up_to(MAX_RESPONSE_FIELDS, section)?;
    let reason = head.slice(line.reason);
    match line.status {
        101 => return Err(ResponseFault::Upgrade),
        status @ 100..=199 => {
            return Ok(ParsedResponse::Interim(InterimHead {
                status,
                reason,
                fields,
            }));
        }
        _ => {}
    }
    let bodiless = to_head || matches!(line.status, 204 | 304);
    let framing = response_framing(&mut fields, line.is_http10, bodiless)?;
    let says = |token: &[u8]| {
        fields
            .members("connection")
            .any(|member| member.eq_ignore_ascii_case(token))
    };
    let keep_alive = framing != Framing::UntilClose
        && !says(b"close")
        && (!line.is_http10 || says(b"keep-alive"));
    Ok(ParsedResponse::Final(ResponseHead {
        status: line.status,
        reason,
        fields,
        framing,
        keep_alive,
    }))
}

/// A status line that is well formed; the range is within the line.
#[derive(Clone, Debug)]
pub(crate) struct StatusLine {
    status: u16,
    reason: Range<usize>,
    is_http10: bool,
}

/// Reads a status line, without its CRLF, as soon as it is there.
///
/// # Errors
/// The fault in it.
pub(crate) fn parse_status_line(line: &[u8]) -> Result<StatusLine, ResponseFault> {
    let fault = ResponseFault::StatusLine;
    let is_http10 = match line.get(..9) {
        Some(b"HTTP/1.1 ") => false,
        Some(b"HTTP/1.0 ") => true,
        _ => return Err(fault("it does not begin with HTTP/1.1 or HTTP/1.0")),
    };
    let code = line.get(9..12).and_then(|code| {
        let digits = code.iter().all(u8::is_ascii_digit);
        digits.then(|| str::from_utf8(code).ok()?.parse::<u16>().ok())?
    });
    let status = match code {
        Some(status @ 100..=599) => status,
        Some(_) => return Err(fault("the status code is not within 100 to 599")),
        None => return Err(fault("the status code is not of three digits")),
    };
    let reason = match line.get(12..) {
        None | Some([]) => &line[line.len()..],
        Some([b' ', reason @ ..]) => reason,
        Some(_) => return Err(fault("the status code is not of three digits")),
    };
    if !reason.iter().copied().all(is_value_byte) {
        return Err(fault("the reason phrase has a control character"));
    }
    Ok(StatusLine {
        status,
        reason: line.len() - reason.len()..line.len(),
        is_http10,
    })
}

fn response_framing(
    fields: &mut Fields,
    is_http10: bool,
    bodiless: bool,
) -> Result<Framing, ResponseFault> {
    let mut codings = fields.all("transfer-encoding");
    let coding = codings.next();
    let repeated = codings.next().is_some();
    drop(codings);
    if let Some(coding) = coding {
        if is_http10 {
            return Err(ResponseFault::Framing("HTTP/1.0 has no Transfer-Encoding"));
        }
        if repeated || !coding.eq_ignore_ascii_case(b"chunked") {
            return Err(ResponseFault::TransferCoding);
        }
        // Transfer-Encoding overrides; passing both on would be ambiguous (RFC 9112 §6.3).
        fields.retain(|field| !field.is("content-length"));
        return Ok(if bodiless {
            Framing::None
        } else {
            Framing::CHUNKED
        });
    }
    let length = match content_length(fields) {
        LengthField::Absent => None,
        LengthField::Valid(length) => Some(length),
        LengthField::Invalid => {
            return Err(ResponseFault::Framing(
                "Content-Length is not one decimal number",
            ));
        }
        LengthField::Repeated => Some(same_length(fields)?),
    };
    Ok(match length {
        _ if bodiless => Framing::None,
        None => Framing::UntilClose,
        Some(0) => Framing::None,
        Some(length) => Framing::Length(length),
    })
}

/// Takes a length that is given more than once for one, if it is the same each time (RFC 9110 §8.6).
fn same_length(fields: &mut Fields) -> Result<u64, ResponseFault> {
    const FAULT: ResponseFault =
        ResponseFault::Framing("the Content-Length fields are a list or contradict each other");
    let first = fields.first("content-length").and_then(parse_length);
    let first = first.ok_or(FAULT)?;
    if fields
        .all("content-length")
        .any(|value| parse_length(value) != Some(first))
    {
        return Err(FAULT);
    }
    let mut seen = false;
    fields.retain(|field| !field.is("content-length") || !std::mem::replace(&mut seen, true));
    Ok(first)
}

#[cfg(test)]
mod tests;

//! The head of a response on its way to the client.

use std::fmt::Write as _;

use bytes::{BufMut, Bytes, BytesMut};

use super::{
    fields::Fields,
    framing::Framing,
    hyper_head::{announced_framing, fields_behind},
    response::InterimHead,
};

/// The head of a response that goes to the client.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// The status code.
    pub(crate) status: u16,
    /// The reason phrase.
    pub(crate) reason: Bytes,
    /// The field section, without `Connection`.
    pub(crate) fields: Fields,
    /// Whether the request was a `HEAD`.
    pub(crate) to_head: bool,
}

/// Writes an interim response, which no field may frame: the empty line ends it (RFC 9112 §6.3).
pub(super) fn write_interim(head: &InterimHead, out: &mut BytesMut) {
    out.reserve(head.fields.encoded_len() + 64);
    // Writing to a BytesMut can't fail: it grows.
    let _ = write!(out, "HTTP/1.1 {} ", head.status);
    out.put_slice(&head.reason);
    out.put_slice(b"\r\n");
    for field in head.fields.iter() {
        if !field.is("content-length") && !field.is("transfer-encoding") {
            out.put_slice(field.line);
            out.put_slice(b"\r\n");
        }
    }
    out.put_slice(b"\r\n");
}

/// Writes a response's head in the place of `hyper_head`, whose status line is `line_end` bytes long; returns how the
/// content is framed.
///
/// Without a reply, hyper answers by itself, and its head stays as it is.
pub(super) fn write_reply(
    reply: Option<&Reply>,
    hyper_head: &[u8],
    line_end: usize,
    out: &mut BytesMut,
) -> Framing {
    let hyper_fields = fields_behind(line_end, hyper_head);
    let Some(reply) = reply else {
        out.put_slice(hyper_head);
        return framing_of(&hyper_fields);
    };
    out.reserve(reply.fields.encoded_len() + 64);
    out.put_slice(&hyper_head[..b"HTTP/1.1 ".len()]);
    // Writing to a BytesMut can't fail: it grows.
    let _ = write!(out, "{} ", reply.status);
    out.put_slice(&reply.reason);
    out.put_slice(b"\r\n");
    write_reply_fields(reply, &hyper_fields, hyper_head, out)
}

/// Writes a reply's lines; the framing is what hyper has decided on, at the place where the upstream had it.
fn write_reply_fields(
    reply: &Reply,
    hyper: &Fields,
    hyper_head: &[u8],
    out: &mut BytesMut,
) -> Framing {
    let bodiless = reply.to_head || matches!(reply.status, 204 | 304);
    let chunked = hyper.contains("transfer-encoding");
    let is_http10 = hyper_head.starts_with(b"HTTP/1.0");
    let mut placed = false;
    for field in reply.fields.iter() {
        let keep = if field.is("transfer-encoding") {
            placed |= chunked;
            chunked || (bodiless && reply.status != 204 && !is_http10)
        } else if field.is("content-length") {
            placed |= !chunked;
            !chunked && reply.status != 204
        } else {
            true
        };
        if keep {
            out.put_slice(field.line);
            out.put_slice(b"\r\n");
        }
    }
    let framing = if bodiless {
        Framing::None
    } else {
        framing_of(hyper)
    };
    for field in hyper.iter() {
        let keep = if field.is("connection") {
            // What ends with the connection does not keep it alive, whatever hyper says to an HTTP/1.0 client.
            framing != Framing::UntilClose || !field.value.eq_ignore_ascii_case(b"keep-alive")
        } else {
            !placed && (field.is("transfer-encoding") || field.is("content-length"))
        };
        if keep {
            out.put_slice(field.line);
            out.put_slice(b"\r\n");
        }
    }
    out.put_slice(b"\r\n");
    framing
}

/// How hyper frames the content of a response behind these fields of its own.
fn framing_of(hyper: &Fields) -> Framing {
    announced_framing(hyper).unwrap_or(Framing::UntilClose)
}

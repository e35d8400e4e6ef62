//! The short heads that hyper writes, and those that it gets to read: how content is framed, and little else.

use std::fmt::Write as _;

use bytes::{BufMut, Bytes, BytesMut};

use super::{fields::Fields, framing::Framing, length::parse_length};

/// The fields of a head that hyper wrote, whose start line is `line_end` bytes long.
pub(super) fn fields_behind(line_end: usize, head: &[u8]) -> Fields {
    let section = Bytes::copy_from_slice(&head[line_end..head.len() - 2]);
    // hyper writes no line that its own types would not take; without them there is no framing to pass on.
    Fields::parse(section).unwrap_or_default()
}

/// How hyper frames the content behind these fields of its own, where they say so.
pub(super) fn announced_framing(fields: &Fields) -> Option<Framing> {
    if fields.contains("transfer-encoding") {
        return Some(Framing::CHUNKED);
    }
    let length = fields.first("content-length").and_then(parse_length)?;
    Some(Framing::Length(length))
}

/// Writes the line that tells hyper how content is framed; nothing where there is none, or where it ends with the
/// connection.
pub(super) fn write_framing(framing: Framing, feed: &mut BytesMut) {
    match framing {
        Framing::Length(length) => {
            // Writing to a BytesMut can't fail: it grows.
            let _ = write!(feed, "content-length: {length}\r\n");
        }
        Framing::Chunked(_) => feed.put_slice(b"transfer-encoding: chunked\r\n"),
        Framing::None | Framing::UntilClose => {}
    }
}

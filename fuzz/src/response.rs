//! Responses (RFC 9112 §4), as a client may understand them.

use crate::message::{Framing, Message, Reader, Stop};

/// A response of which at least the head is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// All else.
    pub message: Message,
}

impl Response {
    /// Reads one response, to a `HEAD` or not.
    ///
    /// # Errors
    /// Its head is not there, or is not one.
    pub fn read(reader: &mut Reader<'_>, to_head: bool) -> Result<Self, Stop> {
        const FAULT: Stop = Stop::Fault("a malformed status line");
        let line = reader.line()?;
        let (version, rest) = line.split_at_checked(b"HTTP/1.1 ".len()).ok_or(FAULT)?;
        let (status, reason) = rest.split_at_checked(3).ok_or(FAULT)?;
        let is_number = status[0] != b'0' && status.iter().all(u8::is_ascii_digit);
        if !matches!(version, b"HTTP/1.1 " | b"HTTP/1.0 ")
            || !is_number
            || reason.first() != Some(&b' ')
        {
            return Err(FAULT);
        }
        let status = status
            .iter()
            .fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));
        let mut message = Message {
            fields: reader.fields()?,
            ..Message::default()
        };
        let framing = message.framing()?.unwrap_or(Framing::UntilClose);
        let is_empty = to_head || status < 200 || matches!(status, 204 | 304);
        reader.content(if is_empty { Framing::None } else { framing }, &mut message);
        Ok(Self { status, message })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_read_to_their_end() {
        let check = |bytes: &str, to_head, status, content: &str, rest: &str| {
            let mut reader = Reader {
                rest: bytes.as_bytes(),
            };
            let response = Response::read(&mut reader, to_head).unwrap();
            assert_eq!((response.status, reader.rest), (status, rest.as_bytes()));
            assert_eq!(response.message.content, content.as_bytes());
        };
        check(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc",
            false,
            200,
            "ab",
            "c",
        );
        check(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc",
            true,
            200,
            "",
            "abc",
        );
        check("HTTP/1.1 204 \r\n\r\nabc", false, 204, "", "abc");
        check("HTTP/1.0 404 Not Found\r\n\r\nabc", false, 404, "abc", "");
        for bad in [
            "HTTP/1.1 2000 OK",
            "HTTP/1.1 20 OK",
            "HTTP/1.1 099 OK",
            "HTTP/1.2 200 OK",
            "SSH-2.0",
            "HTTP/1.1  200 OK",
        ] {
            let bytes = format!("{bad}\r\n\r\n");
            let read = Response::read(
                &mut Reader {
                    rest: bytes.as_bytes(),
                },
                false,
            );
            assert!(matches!(read, Err(Stop::Fault(_))), "{bad}");
        }
    }
}

//! Requests (RFC 9112 §3), as a proxy may understand them.

use crate::message::{Framing, Message, Reader, Stop, is_token};

/// A request of which at least the head is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The target, as sent.
    pub target: Vec<u8>,
    /// Whether it is HTTP/1.0.
    pub is_http10: bool,
    /// All else.
    pub message: Message,
}

impl Request {
    /// Reads one request.
    ///
    /// # Errors
    /// Its head is not there, or is not one.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, Stop> {
        let line = reader.line()?;
        let parts: Vec<&[u8]> = line.split(|&byte| byte == b' ').collect();
        let &[method, target, version] = &parts[..] else {
            return Err(Stop::Fault("a request line without three parts"));
        };
        let is_http10 = match version {
            b"HTTP/1.0" => true,
            b"HTTP/1.1" => false,
            _ => return Err(Stop::Fault("another version")),
        };
        if !is_token(method) || matches!(method, b"CONNECT" | b"TRACE") {
            return Err(Stop::Fault("another method"));
        }
        let mut message = Message {
            fields: reader.fields()?,
            ..Message::default()
        };
        let hosts = message.all("host").len();
        if hosts != 1 && !(hosts == 0 && is_http10) {
            return Err(Stop::Fault("not one Host"));
        }
        let framing = message.framing()?.unwrap_or(Framing::None);
        if is_http10 && framing == Framing::Chunked {
            return Err(Stop::Fault("chunks in HTTP/1.0"));
        }
        let request = Self {
            method: String::from_utf8_lossy(method).into_owned(),
            target: target.to_vec(),
            is_http10,
            message: Message::default(),
        };
        if request.origin_form().is_none() {
            return Err(Stop::Fault("a target without a path"));
        }
        reader.content(framing, &mut message);
        Ok(Self { message, ..request })
    }

    /// Reads all that a client may have sent on one connection, and why there is not more.
    pub fn read_all(bytes: &[u8]) -> (Vec<Self>, Stop) {
        let mut reader = Reader { rest: bytes };
        let mut requests: Vec<Self> = Vec::new();
        loop {
            // RFC 9112 §2.2.
            while let [b'\r', b'\n', rest @ ..] = reader.rest {
                reader.rest = rest;
            }
            match Self::read(&mut reader) {
                Ok(request) => requests.push(request),
                Err(stop) => return (requests, stop),
            }
            if let Some(stop) = requests.last().and_then(|last| last.message.broken) {
                return (requests, stop);
            }
        }
    }

    /// Path and query: what of an absolute form goes on behind the authority (RFC 9112 §3.2).
    pub fn origin_form(&self) -> Option<Vec<u8>> {
        let target = &self.target;
        if target.contains(&b'#') || !target.iter().all(|&byte| byte > b' ' && byte != 127) {
            return None;
        }
        if target.starts_with(b"/") {
            return Some(target.clone());
        }
        let (scheme, rest) = target.split_at_checked(b"http://".len())?;
        let end = rest.iter().position(|byte| b"/?".contains(byte));
        let (authority, path) = rest.split_at(end.unwrap_or(rest.len()));
        if !scheme.eq_ignore_ascii_case(b"http://")
            || authority.is_empty()
            || authority.contains(&b'@')
        {
            return None;
        }
        let slash: &[u8] = if path.starts_with(b"/") { b"" } else { b"/" };
        Some([slash, path].concat())
    }

    /// Whether the content is all there.
    pub fn is_whole(&self) -> bool {
        self.message.broken.is_none()
    }

    /// Whether the content is a form (RFC 5849 §3.4.1.3.1). Some servers end a media type's name only at `;`, others also
    /// at what can't stand in one; what any of them would read as a form is one.
    pub fn is_form(&self) -> bool {
        let types = self.message.all("content-type");
        types.iter().any(|value| {
            let end = value.iter().position(|byte| b";, \t".contains(byte));
            let name = &value[..end.unwrap_or(value.len())];
            name.eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(bytes: &str) -> (usize, Stop) {
        let (requests, stop) = Request::read_all(bytes.as_bytes());
        (requests.len(), stop)
    }

    #[test]
    fn requests_are_told_apart() {
        let get = "GET /a?b HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let post = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nGET /";
        let chunked =
            "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n";
        let whole = format!("\r\n{get}{post}{chunked}{get}");
        assert_eq!(count(&whole), (4, Stop::End));
        assert_eq!(count(&whole[..whole.len() - 1]), (3, Stop::End));
        assert_eq!(count("GET http://a?b HTTP/1.0\r\n\r\n"), (1, Stop::End));
        for bad in [
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n",
            "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET a HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
            "GET /\nHost: a\r\n\r\n",
            "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        ] {
            let (requests, stop) = count(&format!("{get}{bad}"));
            assert!(requests == 1 && matches!(stop, Stop::Fault(_)), "{bad:?}");
        }
    }
}

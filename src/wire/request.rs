//! The head of a request (RFC 9112 §3), read strictly: what is ambiguous is refused, never repaired.

use bytes::Bytes;

use super::{
    authority::check_host,
    fields::{FieldFault, Fields},
    framing::{ChunkFault, Framing},
    length::{LengthField, content_length},
    request_line::{MAX_TARGET_BYTES, RequestLine, origin_form, split_target},
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

/// The protocol versions that are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    Http11,
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

/// Why a request is refused before anything is known but its bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestFault {
    /// Not HTTP/1.0 or HTTP/1.1; such a connection is closed without an answer.
    #[error("{0}")]
    NotHttp1(&'static str),
    /// The request line (RFC 9112 §3).
    #[error("the request line is malformed: {0}")]
    RequestLine(&'static str),
    /// The target (RFC 9112 §3.2).
    #[error("the request target is not usable: {0}")]
    Target(&'static str),
    /// `CONNECT`, which a reverse proxy has no use for (RFC 9110 §9.3.6), or `TRACE`, whose answer would show the
    /// signature to the client (RFC 9110 §9.3.8).
    #[error("the methods CONNECT and TRACE are not served")]
    Method,
    /// A target over [`MAX_TARGET_BYTES`].
    #[error("the request target is longer than {MAX_TARGET_BYTES} bytes")]
    TargetTooLong,
    /// A line ended by a bare LF (RFC 9112 §2.2).
    #[error("a line of the head ends in LF instead of CRLF")]
    BareLf,
    /// A field section over the limit.
    #[error("the header section is longer than {0} bytes")]
    HeaderTooLong(usize),
    /// A line of the field section.
    #[error(transparent)]
    Field(#[from] FieldFault),
    /// The `Host` field (RFC 9112 §3.2).
    #[error("{0}")]
    Host(&'static str),
    /// `Content-Length` and `Transfer-Encoding` (RFC 9112 §6).
    #[error("{0}")]
    Framing(&'static str),
    /// A transfer coding other than `chunked` (RFC 9112 §6.1).
    #[error("the only transfer coding that is understood is \"chunked\"")]
    TransferCoding,
    /// An expectation other than `100-continue` (RFC 9110 §10.1.1).
    #[error("the only expectation that can be met is \"100-continue\"")]
    Expectation,
    /// The head did not arrive in time.
    #[error("the request's head did not arrive in time")]
    Timeout,
    /// The chunked coding of the content.
    #[error(transparent)]
    Chunk(#[from] ChunkFault),
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
mod tests {
    use super::{super::request_line::parse_request_line, *};

    fn parse(head: &str) -> Result<RequestHead, RequestFault> {
        let (line, _) = head.split_once("\r\n").unwrap();
        let section = head.len().min(line.len() + 2);
        let line = parse_request_line(line.as_bytes())?;
        let head = Bytes::copy_from_slice(head.as_bytes());
        parse_request(line, &head, head.slice(section..), 64 * 1024)
    }

    #[test]
    fn a_target_is_kept_byte_for_byte() {
        let targets = [
            "/aps/2/resources?implementing(http://a.org/t/1.0),like(name,*a*),sort(+name),limit(0,10)",
            "//evil/x",
            "/a/../b/%2e%2e/%2F\\[]|{}\"",
            "/caf\u{e9}?q=\u{20ac}&[x]|`^",
            "/?",
            "/%zz?a?b??",
            "/a;b=c/*",
        ];
        for target in targets {
            let head = parse(&format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n")).unwrap();
            assert_eq!(head.target, target.as_bytes());
            assert_eq!(head.authority, None);
        }
    }

    #[test]
    fn an_absolute_form_is_split_into_authority_and_origin_form() {
        let table = [
            ("http://127.0.0.1:8080/a?b", "127.0.0.1:8080", "/a?b"),
            ("HTTP://localhost", "localhost", "/"),
            ("http://localhost?x=/y", "localhost", "/?x=/y"),
            ("http://[::1]:80//x", "[::1]:80", "//x"),
        ];
        for (absolute, authority, target) in table {
            let head = parse(&format!("GET {absolute} HTTP/1.1\r\nHost: x\r\n")).unwrap();
            assert_eq!(head.authority.unwrap(), authority);
            assert_eq!(head.target, target);
        }
    }

    #[test]
    fn malformed_request_lines_are_refused() {
        let table = [
            "GET  / HTTP/1.1",
            "GET / HTTP/1.1 ",
            "GET /a b HTTP/1.1",
            "G(T / HTTP/1.1",
            " / HTTP/1.1",
            "GET / http/1.1",
            "GET / HTTP/1.1x",
            "GET foo HTTP/1.1",
            "GET * HTTP/1.1",
            "OPTIONS * HTTP/1.1",
            "GET evil:443 HTTP/1.1",
            "GET https://localhost/ HTTP/1.1",
            "GET ftp://localhost/ HTTP/1.1",
            "GET http://u@localhost/ HTTP/1.1",
            "GET http:///x HTTP/1.1",
            "GET /a#b HTTP/1.1",
            "GET /<b> HTTP/1.1",
            "GET /?a=\"b\" HTTP/1.1",
            "GET /\u{1} HTTP/1.1",
            "GET /\t HTTP/1.1",
        ];
        for line in table {
            let fault = parse(&format!("{line}\r\nHost: localhost\r\n")).unwrap_err();
            let malformed = matches!(
                fault,
                RequestFault::RequestLine(_) | RequestFault::Target(_) | RequestFault::Host(_)
            );
            assert!(malformed, "{line:?}: {fault:?}");
        }
        assert_eq!(
            parse("CONNECT a:443 HTTP/1.1\r\n").unwrap_err(),
            RequestFault::Method
        );
    }

    #[test]
    fn other_protocols_are_told_apart() {
        for line in [
            "GET /",
            "PRI * HTTP/2.0",
            "GET / HTTP/1.2",
            "GET / HTTP/0.9",
        ] {
            let fault = parse_request_line(line.as_bytes()).unwrap_err();
            assert!(matches!(fault, RequestFault::NotHttp1(_)), "{line:?}");
        }
    }

    #[test]
    fn a_host_is_there_once_and_well_formed() {
        let good = [
            "localhost",
            "127.0.0.1:8080",
            "[::1]",
            "[::1]:8080",
            "a-b.example:",
        ];
        for host in good {
            assert!(
                parse(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n")).is_ok(),
                "{host}"
            );
        }
        let bad = [
            "a b", "u@a", "", "a:b", "a:70000", "[::1", "[x]", "[::1]x", "a/b", "a:1:2", "\u{e9}",
        ];
        for host in bad {
            let fault = parse(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n")).unwrap_err();
            assert!(
                matches!(fault, RequestFault::Host(_)),
                "{host:?}: {fault:?}"
            );
        }
        assert!(matches!(
            parse("GET / HTTP/1.1\r\n"),
            Err(RequestFault::Host(_))
        ));
        assert!(parse("GET / HTTP/1.0\r\n").is_ok());
        let twice = "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n";
        assert!(matches!(parse(twice), Err(RequestFault::Host(_))));
    }

    #[test]
    fn the_framing_is_one_or_the_request_is_refused() {
        let good = [
            ("", Framing::None),
            ("Content-Length: 0\r\n", Framing::None),
            ("content-length: 007\r\n", Framing::Length(7)),
            ("Transfer-Encoding: Chunked\r\n", Framing::CHUNKED),
        ];
        for (fields, framing) in good {
            let head = parse(&format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}")).unwrap();
            assert_eq!(head.framing, framing, "{fields:?}");
        }
        let bad = [
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            "Content-Length: 5, 5\r\n",
            "Content-Length: +5\r\n",
            "Content-Length: -5\r\n",
            "Content-Length: 0x5\r\n",
            "Content-Length: 5 5\r\n",
            "Content-Length:\r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Content-Length: 9223372036854775808\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            "Transfer-Encoding:\r\n",
        ];
        for fields in bad {
            let fault = parse(&format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}")).unwrap_err();
            assert!(
                matches!(fault, RequestFault::Framing(_)),
                "{fields:?}: {fault:?}"
            );
        }
        for coding in [
            "gzip, chunked",
            "chunked, chunked",
            ",chunked",
            "xchunked",
            "identity",
            "chunked;q=1",
        ] {
            let head = format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {coding}\r\n");
            assert_eq!(
                parse(&head).unwrap_err(),
                RequestFault::TransferCoding,
                "{coding}"
            );
        }
        let old = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n";
        assert!(matches!(parse(old), Err(RequestFault::Framing(_))));
    }

    #[test]
    fn only_100_continue_can_be_expected() {
        let head = |value: &str| {
            parse(&format!(
                "POST / HTTP/1.1\r\nHost: a\r\nExpect: {value}\r\n"
            ))
        };
        assert!(head("100-Continue").unwrap().expects_continue);
        assert_eq!(head("200-ok").unwrap_err(), RequestFault::Expectation);
        assert_eq!(
            head("100-continue, x").unwrap_err(),
            RequestFault::Expectation
        );
        assert!(
            !parse("POST / HTTP/1.0\r\nExpect: 100-continue\r\n")
                .unwrap()
                .expects_continue
        );
    }

    #[test]
    fn long_targets_and_sections_are_refused() {
        let longest = format!("/{}", "a".repeat(MAX_TARGET_BYTES - 1));
        assert!(parse(&format!("GET {longest} HTTP/1.1\r\nHost: a\r\n")).is_ok());
        let fault = parse(&format!("GET {longest}a HTTP/1.1\r\nHost: a\r\n")).unwrap_err();
        assert_eq!(fault, RequestFault::TargetTooLong);
        let long = format!(
            "GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n",
            "a".repeat(64 * 1024)
        );
        assert!(matches!(parse(&long), Err(RequestFault::HeaderTooLong(_))));
    }
}

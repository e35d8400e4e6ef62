//! Why a request is refused.

use super::{fields::FieldFault, framing::ChunkFault};

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
    /// A target over the limit.
    #[error("the request target is longer than {0} bytes")]
    TargetTooLong(usize),
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

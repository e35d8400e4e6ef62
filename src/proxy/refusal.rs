//! Every refusal, and the one place that makes an answer of it.

use std::{borrow::Cow, fmt::Write as _, time::SystemTime};

use bytes::Bytes;
use hyper::{Response, StatusCode};

use super::{exchange::close_after, record::Record, relay::ReplyBody};
use crate::{
    upstream::{Alert, ConnectError, SendError, SendFault, Stage, TlsFailure},
    wire::{ChunkFault, FieldFault, Fields, Reply, RequestFault, ResponseFault, ServerPort},
};

/// Why an exchange ends with an answer of our own.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) error: ErrorType,
    pub(crate) detail: Cow<'static, str>,
    /// The upstream's alert, for `tls_alert_received`.
    alert: Option<Box<Alert>>,
    /// Whether the connection is closed, since what follows on it can't be trusted.
    pub(crate) close: bool,
}

/// The error types of RFC 9209 §2.3 that apply, and those of the client's side that it leaves to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorType {
    DnsError,
    DnsTimeout,
    ConnectionRefused,
    ConnectionTerminated,
    ConnectionTimeout,
    ConnectionWriteTimeout,
    ConnectionReadTimeout,
    ConnectionLimitReached,
    DestinationUnavailable,
    DestinationIpUnroutable,
    TlsProtocolError,
    TlsCertificateError,
    TlsAlertReceived,
    HttpRequestError,
    HttpRequestDenied,
    HttpResponseIncomplete,
    HttpResponseHeaderSectionSize,
    HttpResponseTransferCoding,
    HttpResponseTimeout,
    HttpUpgradeFailed,
    HttpProtocolError,
    ProxyInternalError,
    /// The client went away; no RFC 9209 type, since nobody is left to be told.
    ClientDisconnected,
}

impl ErrorType {
    /// The name in `Proxy-Status`, in the body and in the log.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::DnsError => "dns_error",
            Self::DnsTimeout => "dns_timeout",
            Self::ConnectionRefused => "connection_refused",
            Self::ConnectionTerminated => "connection_terminated",
            Self::ConnectionTimeout => "connection_timeout",
            Self::ConnectionWriteTimeout => "connection_write_timeout",
            Self::ConnectionReadTimeout => "connection_read_timeout",
            Self::ConnectionLimitReached => "connection_limit_reached",
            Self::DestinationUnavailable => "destination_unavailable",
            Self::DestinationIpUnroutable => "destination_ip_unroutable",
            Self::TlsProtocolError => "tls_protocol_error",
            Self::TlsCertificateError => "tls_certificate_error",
            Self::TlsAlertReceived => "tls_alert_received",
            Self::HttpRequestError => "http_request_error",
            Self::HttpRequestDenied => "http_request_denied",
            Self::HttpResponseIncomplete => "http_response_incomplete",
            Self::HttpResponseHeaderSectionSize => "http_response_header_section_size",
            Self::HttpResponseTransferCoding => "http_response_transfer_coding",
            Self::HttpResponseTimeout => "http_response_timeout",
            Self::HttpUpgradeFailed => "http_upgrade_failed",
            Self::HttpProtocolError => "http_protocol_error",
            Self::ProxyInternalError => "proxy_internal_error",
            Self::ClientDisconnected => "client_disconnected",
        }
    }
}

impl Refusal {
    /// A refusal after which the connection may go on.
    pub(crate) fn new(status: u16, error: ErrorType, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            error,
            detail: detail.into(),
            alert: None,
            close: false,
        }
    }

    /// A refusal that ends the connection.
    pub(crate) fn closing(
        status: u16,
        error: ErrorType,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            close: true,
            ..Self::new(status, error, detail)
        }
    }

    /// A request that is wrong in itself.
    pub(crate) fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::closing(400, ErrorType::HttpRequestError, detail)
    }

    /// A request that this client may not make.
    pub(crate) fn denied(status: u16, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(status, ErrorType::HttpRequestDenied, detail)
    }

    /// An upstream that ends the connection with an alert.
    fn alerted(alert: Alert, detail: String) -> Self {
        Self {
            alert: Some(Box::new(alert)),
            ..Self::new(502, ErrorType::TlsAlertReceived, detail)
        }
    }

    /// Makes the answer: a problem document (RFC 9457) with a `Proxy-Status` (RFC 9209).
    pub(crate) fn answer(
        &self,
        mut record: Record,
        port: &ServerPort,
        to_head: bool,
    ) -> Response<ReplyBody> {
        record.refused(self);
        let id = record.id().to_owned();
        self.respond(&id, Some(record), port, to_head)
    }

    fn respond(
        &self,
        id: &str,
        mut record: Option<Record>,
        port: &ServerPort,
        to_head: bool,
    ) -> Response<ReplyBody> {
        let document = self.problem(id);
        port.reply(Reply {
            status: self.status,
            reason: Bytes::from_static(self.title().as_bytes()),
            fields: self.fields(document.len()),
            to_head,
        });
        // Its length is told, and no more (RFC 9110 §9.3.2).
        let document = Some(document).filter(|_| !to_head);
        if let (Some(record), Some(document)) = (&mut record, &document) {
            record.sent(document.len());
        }
        let mut response = Response::new(ReplyBody::own(document, record));
        // The status is one of ours.
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_GATEWAY);
        if self.close {
            close_after(&mut response);
        }
        response
    }

    fn title(&self) -> &'static str {
        StatusCode::from_u16(self.status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or("Refused")
    }

    fn problem(&self, exchange_id: &str) -> Bytes {
        let problem = serde_json::json!({
            "title": self.title(),
            "status": self.status,
            "detail": self.detail,
            "error_type": self.error.as_str(),
            "exchange_id": exchange_id,
        });
        Bytes::from(format!("{problem}\n"))
    }

    fn fields(&self, length: usize) -> Fields {
        let date = httpdate::fmt_http_date(SystemTime::now());
        let mut lines = format!("Date: {date}\r\nContent-Type: application/problem+json\r\n");
        // Writing to a String can't fail.
        let _ = write!(
            lines,
            "Content-Length: {length}\r\nCache-Control: no-store\r\nProxy-Status: undersign; error={}; details=\"{}\"",
            self.error.as_str(),
            structured_string(&self.detail),
        );
        if let Some(alert) = &self.alert {
            let name = structured_string(&alert.name);
            let _ = write!(lines, "; alert-id={}; alert-message=\"{name}\"", alert.id);
        }
        lines.push_str("\r\n");
        match self.status {
            405 => lines.push_str("Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"),
            // Each 401 carries a challenge (RFC 9110 §15.5.2).
            401 => lines.push_str("WWW-Authenticate: Bearer realm=\"undersign\"\r\n"),
            503 => lines.push_str("Retry-After: 1\r\n"),
            _ => {}
        }
        // Each line is made of constants, numbers and a structured string.
        Fields::parse(Bytes::from(lines)).unwrap_or_default()
    }
}

/// The answer of an exchange that panicked; its record was written on the way.
pub(crate) fn internal_error(id: &str, port: &ServerPort) -> Response<ReplyBody> {
    let refusal = Refusal::closing(
        500,
        ErrorType::ProxyInternalError,
        "undersign has a defect; please report what was asked",
    );
    refusal.respond(id, None, port, false)
}

/// Escapes a structured field's string (RFC 9651 §3.3.3); what can't stand in one becomes a question mark.
fn structured_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            ' '..='~' => out.push(character),
            _ => out.push('?'),
        }
    }
    out
}

impl From<RequestFault> for Refusal {
    fn from(fault: RequestFault) -> Self {
        let status = match &fault {
            RequestFault::Method => 405,
            RequestFault::TargetTooLong(_) => 414,
            RequestFault::HeaderTooLong(_) | RequestFault::Field(FieldFault::TooMany(_)) => 431,
            RequestFault::TransferCoding => 501,
            RequestFault::Expectation => 417,
            RequestFault::Timeout => 408,
            _ => 400,
        };
        Self::closing(status, ErrorType::HttpRequestError, fault.to_string())
    }
}

impl From<ConnectError> for Refusal {
    fn from(error: ConnectError) -> Self {
        use std::io::ErrorKind;
        let (status, kind) = match &error {
            ConnectError::Dns { .. } => (502, ErrorType::DnsError),
            ConnectError::Tcp { source, .. } => match source.kind() {
                ErrorKind::ConnectionRefused => (502, ErrorType::ConnectionRefused),
                ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => {
                    (502, ErrorType::DestinationIpUnroutable)
                }
                ErrorKind::TimedOut => (504, ErrorType::ConnectionTimeout),
                _ => (502, ErrorType::DestinationUnavailable),
            },
            ConnectError::Tls(TlsFailure::Certificate(_)) => (502, ErrorType::TlsCertificateError),
            ConnectError::Tls(TlsFailure::Alert(alert)) => {
                return Self::alerted(alert.clone(), error.to_string());
            }
            ConnectError::Tls(TlsFailure::Protocol(_)) => (502, ErrorType::TlsProtocolError),
            ConnectError::Tls(TlsFailure::Broken(_)) => (502, ErrorType::ConnectionTerminated),
            ConnectError::Timeout {
                stage: Stage::Dns, ..
            } => (504, ErrorType::DnsTimeout),
            ConnectError::Timeout { .. } => (504, ErrorType::ConnectionTimeout),
            ConnectError::Handshake(_) => (502, ErrorType::ConnectionTerminated),
        };
        Self::new(status, kind, error.to_string())
    }
}

impl From<&ResponseFault> for ErrorType {
    fn from(fault: &ResponseFault) -> Self {
        match fault {
            ResponseFault::HeaderTooLong(_)
            | ResponseFault::InterimTooLong(_)
            | ResponseFault::Field(FieldFault::TooMany(_)) => Self::HttpResponseHeaderSectionSize,
            ResponseFault::TransferCoding | ResponseFault::Chunk(_) => {
                Self::HttpResponseTransferCoding
            }
            ResponseFault::Upgrade => Self::HttpUpgradeFailed,
            _ => Self::HttpProtocolError,
        }
    }
}

impl From<SendError> for Refusal {
    fn from(error: SendError) -> Self {
        error.cause.into()
    }
}

impl From<SendFault> for Refusal {
    fn from(fault: SendFault) -> Self {
        match fault {
            SendFault::Response(fault) => Self::new(
                502,
                ErrorType::from(&fault),
                format!("the upstream's answer can't be passed on: {fault}"),
            ),
            SendFault::Connection(io) => Self::new(
                502,
                ErrorType::ConnectionTerminated,
                format!("the connection to the upstream broke before it answered: {io}"),
            ),
            SendFault::Alert(alert) => {
                let detail = format!("the upstream hung up before it answered: {alert}");
                Self::alerted(alert, detail)
            }
            SendFault::Closed => Self::new(
                502,
                ErrorType::ConnectionTerminated,
                "the upstream closed the connection before it answered",
            ),
            SendFault::FirstByteTimeout => Self::new(
                504,
                ErrorType::HttpResponseTimeout,
                "the upstream did not answer in time (timeouts.first_byte)",
            ),
            SendFault::UpstreamStalled => Self::new(
                504,
                ErrorType::ConnectionWriteTimeout,
                "the upstream took no more of the request for too long (timeouts.idle)",
            ),
            SendFault::ClientStalled => Self::closing(
                408,
                ErrorType::HttpRequestError,
                "no more of the request's content came for too long (timeouts.idle)",
            ),
            SendFault::ClientFailed => Self::malformed("the request's content ended too early"),
        }
    }
}

impl From<ChunkFault> for Refusal {
    fn from(fault: ChunkFault) -> Self {
        RequestFault::from(fault).into()
    }
}

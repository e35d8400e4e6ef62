//! The record of one exchange, which writes itself when the exchange ends, however it ends.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use hyper::{Method, StatusCode};
use tokio::time::Instant;
use tracing::{info, warn};

use super::{
    ErrorType, NOTABLE_SKEW_S, Proxy, Refusal,
    problem::{Search, hint_for_refused_signature, in_fields, may_refuse_signature},
};
use crate::{
    oauth::without_protocol_values,
    upstream::Content,
    wire::{RefusedRequest, RequestHead, ResponseHead, ServerPort, split_target},
};

/// What is known of an exchange so far.
#[derive(Debug)]
pub(crate) struct Record {
    proxy: Arc<Proxy>,
    port: ServerPort,
    started: Instant,
    id: String,
    client: String,
    /// This and the target: of a head that was refused, as much as can be told.
    method: Option<Bytes>,
    target: Option<Bytes>,
    transaction: Option<Bytes>,
    content: Option<Content>,
    status: Option<u16>,
    error: Option<ErrorType>,
    detail: Option<String>,
    response_bytes: u64,
    first_byte: Option<Duration>,
    attempts: u32,
    signed: bool,
    oauth_problem: Option<String>,
    /// For the problem, in the content.
    search: Search,
    clock_skew_s: Option<i64>,
    hint: Option<&'static str>,
}

impl Record {
    /// Begins the record of the request that has come last on the connection with this port.
    pub(crate) fn begin(proxy: Arc<Proxy>, port: ServerPort, id: String, client: String) -> Self {
        Self {
            proxy,
            started: port.request_begun().unwrap_or_else(Instant::now),
            port,
            id,
            client,
            method: None,
            target: None,
            transaction: None,
            content: None,
            status: None,
            // Until there is an answer, the only way to end is that the client leaves, or that it is left.
            error: Some(ErrorType::ClientDisconnected),
            detail: None,
            response_bytes: 0,
            first_byte: None,
            attempts: 0,
            signed: false,
            oauth_problem: None,
            search: Search::Over,
            clock_skew_s: None,
            hint: None,
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn request(&mut self, request: &RequestHead) {
        self.method = Some(request.method.clone());
        self.target = Some(request.target.clone());
        let transaction = request.fields.first("aps-transaction-id");
        self.transaction = transaction.map(Bytes::copy_from_slice);
    }

    /// The request's head was refused.
    pub(crate) fn refused_request(&mut self, refused: &RefusedRequest) {
        self.method = refused.method.clone();
        self.target = refused.target.clone();
    }

    pub(crate) fn content(&mut self, content: &Content) {
        self.content = Some(content.clone());
    }

    /// The request is about to be sent, once more or for the first time, or there was no connection to send it over.
    pub(crate) fn attempt(&mut self) {
        self.attempts += 1;
    }

    pub(crate) fn signed(&mut self, signed: bool) {
        self.signed = signed;
    }

    pub(crate) fn refused(&mut self, refusal: &Refusal) {
        self.status = Some(refusal.status);
        self.error = Some(refusal.error);
        self.detail = Some(refusal.detail.clone().into_owned());
    }

    /// The upstream has answered; what remains can end well, or as [`Record::failed`] or a drop has it.
    pub(crate) fn answered(&mut self, head: &ResponseHead, at: Instant, now: SystemTime) {
        self.status = Some(head.status);
        self.first_byte = Some(at.saturating_duration_since(self.started));
        self.clock_skew_s = skew(head, now);
        if self.signed && may_refuse_signature(head.status) {
            let problem = in_fields(head);
            if problem.is_none() {
                self.search = Search::begin(head);
            }
            if problem.is_some() || head.status == 401 {
                self.signature_refused(problem);
            }
        }
    }

    fn signature_refused(&mut self, problem: Option<String>) {
        self.oauth_problem = problem;
        let target = self.target.as_deref();
        let query = target.and_then(|target| split_target(target).1);
        self.hint = Some(hint_for_refused_signature(
            self.clock_skew_s,
            self.oauth_problem.as_deref(),
            query,
        ));
    }

    /// The upstream's content goes to the client.
    pub(crate) fn passed_on(&mut self, content: &[u8]) {
        self.sent(content.len());
        if let Some(problem) = self.search.see(content) {
            self.signature_refused(Some(problem));
        }
    }

    /// Counts content that goes to the client.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.response_bytes += bytes as u64;
    }

    /// The response went out whole.
    pub(crate) fn finished(&mut self) {
        if let Some(problem) = self.search.end() {
            self.signature_refused(Some(problem));
        }
        if self.error == Some(ErrorType::ClientDisconnected) {
            self.error = None;
        }
    }

    /// The response broke off.
    pub(crate) fn failed(&mut self, error: ErrorType, detail: String) {
        self.error = Some(error);
        self.detail = Some(detail);
    }

    fn count(&self, duration: Duration) {
        let method = self.method.as_ref();
        let method = method.and_then(|method| Method::from_bytes(method).ok());
        let status = self.status.and_then(|code| StatusCode::from_u16(code).ok());
        self.proxy.metrics.exchange(
            &method.unwrap_or_default(),
            status,
            self.error.map(ErrorType::as_str),
            duration,
        );
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let duration = self.started.elapsed();
        let method = self.method.as_deref().map(String::from_utf8_lossy);
        if std::thread::panicking() {
            self.status = Some(500);
            self.error = Some(ErrorType::ProxyInternalError);
        } else if self.error == Some(ErrorType::ClientDisconnected) && self.port.is_cut_off() {
            let detail = "undersign was stopped before the exchange had come to its end";
            self.error = Some(ErrorType::ProxyInternalError);
            self.detail = Some(detail.to_owned());
        }
        self.count(duration);
        let target = self.target.as_deref().map(split_target);
        let path = target.map(|(path, _)| String::from_utf8_lossy(path));
        let query = target.and_then(|(_, query)| query.map(without_protocol_values));
        let transaction = self.transaction.as_deref().map(String::from_utf8_lossy);
        let content_bytes = self
            .content
            .as_ref()
            .map_or(0, |content| content.progress().bytes);
        macro_rules! write {
            ($level:ident) => {
                $level!(
                    "exchange.id" = self.id,
                    "proxy" = &*self.proxy.config.name,
                    "client.address" = self.client,
                    "http.request.method" = method.as_deref(),
                    "url.path" = path.as_deref(),
                    "url.query" = query.as_deref().map(String::from_utf8_lossy).as_deref(),
                    "http.response.status_code" = self.status,
                    "error.type" = self.error.map(ErrorType::as_str),
                    "error.message" = self.detail,
                    "http.request.body.size" = content_bytes,
                    "http.response.body.size" = self.response_bytes,
                    "duration_ms" = milliseconds(duration),
                    "upstream.first_byte_ms" = self.first_byte.map(milliseconds),
                    "upstream.attempts" = self.attempts,
                    "server.address" = self.proxy.config.upstream.host,
                    "oauth.signed" = self.signed,
                    "oauth.problem" = self.oauth_problem,
                    "clock.skew_s" = self.clock_skew_s,
                    "hint" = self.hint,
                    "aps.transaction_id" = transaction.as_deref(),
                    "exchange"
                )
            };
        }
        if self.error.is_some() {
            write!(warn);
        } else {
            write!(info);
        }
    }
}

/// Milliseconds with a microsecond's precision.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

/// How far the upstream's clock is ahead of ours, in seconds, by its `Date` field (RFC 9110 §6.6.1), where it matters.
fn skew(head: &ResponseHead, now: SystemTime) -> Option<i64> {
    let date = date(head)?;
    let seconds = |time: SystemTime| {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_secs()).ok()
    };
    let skew = seconds(date)? - seconds(now)?;
    (head.status == 401 || skew.abs() > NOTABLE_SKEW_S).then_some(skew)
}

/// When an answer was made, by the upstream's clock (RFC 9110 §6.6.1).
pub(super) fn date(head: &ResponseHead) -> Option<SystemTime> {
    let date = std::str::from_utf8(head.fields.first("date")?).ok()?;
    httpdate::parse_http_date(date).ok()
}

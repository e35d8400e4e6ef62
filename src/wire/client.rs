//! The side that asks: requests go out, responses come in.

use std::{
    collections::VecDeque,
    fmt::Write as _,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{BufMut, Bytes, BytesMut};
use memchr::memchr;
use tokio::time::Instant;

use super::{
    HeadLimits, Role,
    connection::ConnectionOptions,
    fields::Fields,
    framing::Framing,
    hyper_head::{announced_framing, fields_behind, write_framing},
    intake::Next,
    response::{
        InterimHead, MAX_INTERIM_RESPONSES, ParsedResponse, ResponseFault, ResponseHead,
        StatusLine, parse_response, parse_status_line,
    },
    timer::{Purpose, Timer},
};

/// The longest status line, in bytes.
const MAX_STATUS_LINE_BYTES: usize = 8 * 1024;

/// The most bytes of a response's field section; platforms send more than clients may.
const MAX_SECTION_BYTES: usize = 256 * 1024;

/// The most bytes of the interim responses to one request together, since a client may leave them lying.
const MAX_INTERIM_BYTES: usize = 256 * 1024;

/// How long an answer is waited for once a write has failed. It has been sent before that, and so is mostly there.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// Where a connection's heads are handed over between its [`Wire`](super::Wire) and the exchange that uses it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientPort(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    request: Option<Bytes>,
    to_head: bool,
    /// Whether a request waits for its final response.
    outstanding: bool,
    interim_responses: u32,
    interim_bytes: usize,
    /// Those that have not been taken yet.
    interim: VecDeque<InterimHead>,
    response: Option<(ResponseHead, Instant)>,
    fault: Option<ResponseFault>,
    failure: Option<io::Error>,
    write_failed: bool,
    written: u64,
    trailers: Option<Fields>,
    request_trailers: Option<Fields>,
}

impl ClientPort {
    /// Sets the head of the request that hyper is about to write, up to and with the empty line.
    pub(crate) fn request(&self, head: Bytes, to_head: bool) {
        *self.state() = State {
            request: Some(head),
            to_head,
            outstanding: true,
            ..State::default()
        };
    }

    /// The head of the next interim response, none of which hyper gets to see.
    pub(crate) fn take_interim(&self) -> Option<InterimHead> {
        self.state().interim.pop_front()
    }

    /// Interim responses to the request so far.
    pub(crate) fn interim_responses(&self) -> u32 {
        self.state().interim_responses
    }

    /// The head of the response that hyper has announced, and when it was there.
    pub(crate) fn take_response(&self) -> Option<(ResponseHead, Instant)> {
        self.state().response.take()
    }

    /// What was wrong with the response, if anything.
    pub(crate) fn take_fault(&self) -> Option<ResponseFault> {
        self.state().fault.take()
    }

    /// How the connection failed, if it did.
    pub(crate) fn take_failure(&self) -> Option<io::Error> {
        self.state().failure.take()
    }

    /// Whether nothing can be written to the connection any more.
    pub(crate) fn has_write_failed(&self) -> bool {
        self.state().write_failed
    }

    /// Bytes of the request that have gone into the connection; with none, the upstream can't have seen it.
    pub(crate) fn written(&self) -> u64 {
        self.state().written
    }

    /// Sets the trailer section of the request whose content is about to end.
    pub(crate) fn request_trailers(&self, trailers: Fields) {
        self.state().request_trailers = Some(trailers);
    }

    /// The trailer section of the response whose content has ended.
    pub(crate) fn take_trailers(&self) -> Option<Fields> {
        self.state().trailers.take()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The role of the side that asks.
#[derive(Debug)]
pub(crate) struct ClientRole {
    port: ClientPort,
    /// Of the response whose trailer section may be still to come.
    options: ConnectionOptions,
    answer_timer: Timer,
}

impl ClientRole {
    pub(crate) fn new(port: ClientPort) -> Self {
        Self {
            port,
            options: ConnectionOptions::default(),
            answer_timer: Timer::default(),
        }
    }
}

impl Role for ClientRole {
    type Fault = ResponseFault;
    type StartLine = StatusLine;

    const BARE_LF: ResponseFault = ResponseFault::BareLf;
    const LINE_TOO_LONG: ResponseFault = ResponseFault::StatusLine("it is too long");
    const READS_ON: bool = true;

    fn limits(&self) -> HeadLimits {
        HeadLimits {
            line: MAX_STATUS_LINE_BYTES,
            section: MAX_SECTION_BYTES,
        }
    }

    fn section_too_long(&self) -> ResponseFault {
        ResponseFault::HeaderTooLong(MAX_SECTION_BYTES)
    }

    fn check_first_byte(&mut self, byte: u8) -> Result<(), ResponseFault> {
        let state = self.port.state();
        // Nobody answers what has not been sent.
        if !state.outstanding || state.written == 0 {
            return Err(ResponseFault::Unsolicited);
        }
        drop(state);
        match byte {
            b'H' | b'\r' | b'\n' => Ok(()),
            _ => Err(ResponseFault::StatusLine(
                "it does not begin with HTTP/1.1 or HTTP/1.0",
            )),
        }
    }

    fn start_line(&mut self, line: &[u8]) -> Result<StatusLine, ResponseFault> {
        parse_status_line(line)
    }

    fn head(
        &mut self,
        line: StatusLine,
        head: &Bytes,
        section: Bytes,
        feed: &mut BytesMut,
    ) -> Result<Next, ResponseFault> {
        if section.len() > MAX_SECTION_BYTES {
            return Err(self.section_too_long());
        }
        let mut state = self.port.state();
        match parse_response(line, head, section, state.to_head)? {
            ParsedResponse::Interim(interim) => {
                state.interim_responses += 1;
                state.interim_bytes += head.len();
                if state.interim_responses > MAX_INTERIM_RESPONSES {
                    return Err(ResponseFault::TooManyInterim);
                }
                if state.interim_bytes > MAX_INTERIM_BYTES {
                    return Err(ResponseFault::InterimTooLong(MAX_INTERIM_BYTES));
                }
                state.interim.push_back(interim);
                Ok(Next::Head)
            }
            ParsedResponse::Final(response) => {
                abridge(&response, feed);
                let framing = response.framing;
                if matches!(framing, Framing::Chunked(_)) {
                    self.options = ConnectionOptions::of(&response.fields);
                }
                state.outstanding = false;
                state.response = Some((response, Instant::now()));
                Ok(Next::Content(framing))
            }
        }
    }

    fn refuse(&mut self, fault: ResponseFault, _seen: &[u8], _feed: &mut BytesMut) -> Next {
        self.port.state().fault = Some(fault);
        Next::Failure
    }

    fn content_refused(&mut self, fault: ResponseFault) {
        self.port.state().fault = Some(fault);
    }

    fn trailers(&mut self, mut trailers: Fields) {
        self.options.strip_trailers(&mut trailers);
        self.port.state().trailers = Some(trailers);
    }

    fn poll_head_deadline(
        &mut self,
        _cx: &mut Context<'_>,
        _seen: &[u8],
        _feed: &mut BytesMut,
    ) -> Poll<Next> {
        // The exchange keeps the time.
        Poll::Pending
    }

    fn compose(&mut self, hyper_head: &[u8], out: &mut BytesMut) -> Option<Framing> {
        let mut state = self.port.state();
        match state.request.take() {
            Some(head) => out.put_slice(&head),
            None => out.put_slice(hyper_head),
        }
        let line_end = memchr(b'\n', hyper_head).map_or(hyper_head.len(), |at| at + 1);
        let fields = fields_behind(line_end, hyper_head);
        Some(announced_framing(&fields).unwrap_or(Framing::None))
    }

    fn compose_trailers(&mut self, out: &mut BytesMut) {
        if let Some(trailers) = self.port.state().request_trailers.take() {
            trailers.write_to(out);
        }
    }

    fn wrote(&mut self, bytes: usize) {
        self.port.state().written += bytes as u64;
    }

    fn failed(&mut self, error: io::Error) -> io::Error {
        // The exchange needs the error itself, to tell a TLS alert from a broken connection; hyper does not.
        let for_hyper = error.kind().into();
        let mut state = self.port.state();
        // What TLS has to say of it tells more than that a write failed.
        if state.failure.is_none() || error.kind() == io::ErrorKind::InvalidData {
            state.failure = Some(error);
        }
        for_hyper
    }

    fn write_failed(&mut self, error: io::Error) {
        let mut state = self.port.state();
        state.write_failed = true;
        state.failure.get_or_insert(error);
    }

    fn distrusts_end(&self) -> bool {
        // The system tells of a reset once only; the write has heard of it.
        self.port.state().write_failed
    }

    fn poll_write_deadline(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let state = self.port.state();
        // The exchange keeps the time, but for what comes only if it is there already.
        if !(state.write_failed && state.outstanding) {
            return Poll::Pending;
        }
        drop(state);
        ready!(self.answer_timer.poll(cx, Purpose::Answer, ANSWER_WITHIN));
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }
}

/// Writes the head that hyper gets to see: the framing and what becomes of the connection, no more.
fn abridge(response: &ResponseHead, feed: &mut BytesMut) {
    // Writing to a BytesMut can't fail: it grows.
    let _ = write!(feed, "HTTP/1.1 {} \r\n", response.status);
    if response.framing == Framing::None {
        feed.put_slice(b"content-length: 0\r\n");
    }
    write_framing(response.framing, feed);
    if !response.keep_alive {
        feed.put_slice(b"connection: close\r\n");
    }
    feed.put_slice(b"\r\n");
}

#[cfg(test)]
mod tests;

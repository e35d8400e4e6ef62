//! The side that serves: requests come in, responses go out.

mod port;

use std::{
    io, mem,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{BufMut, Bytes, BytesMut};
use memchr::memchr;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use self::port::Flush;
pub(crate) use self::port::ServerPort;

use super::{
    HeadLimits, Role,
    class::is_token,
    connection::ConnectionOptions,
    fields::Fields,
    framing::Framing,
    hyper_head::write_framing,
    intake::Next,
    reply::{write_interim, write_reply},
    request::{RefusedRequest, RequestHead, parse_request},
    request_fault::RequestFault,
    request_line::{
        MAX_REQUEST_LINE_BYTES, MAX_TARGET_BYTES, RequestLine, Version, parse_request_line,
    },
    timer::{Purpose, Timer},
};

/// What hyper sees in place of a head that was refused.
const PLACEHOLDER: &[u8] = b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n";

/// How long a client that is still sending may take to read a refusal, before the connection is cut.
const LINGER: Duration = Duration::from_secs(3);

/// How long a client that has ended its side of the stream is taken for one that has sent all that it has to send, and
/// waits for its answer. Most of those who leave look the same.
const GONE_AFTER: Duration = Duration::from_secs(1);

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerTimeouts {
    /// For a head, from its first byte.
    pub(crate) head: Duration,
    /// To begin another request.
    pub(crate) keep_alive: Duration,
    /// To take more of a response.
    pub(crate) idle: Duration,
}

/// The role of the side that serves.
#[derive(Debug)]
pub(crate) struct ServerRole {
    port: ServerPort,
    header_bytes: usize,
    timeouts: ServerTimeouts,
    /// When the first byte came of the head that is being read.
    begun: Option<Instant>,
    /// Of the request whose trailer section may be still to come.
    options: ConnectionOptions,
    /// Whether something has gone to the client since it has ended its side.
    has_written: bool,
    /// Whether something waits for the client to read on.
    is_blocked: bool,
    head_timer: Timer,
    write_timer: Timer,
    linger_timer: Timer,
}

impl ServerRole {
    pub(crate) fn new(port: ServerPort, header_bytes: usize, timeouts: ServerTimeouts) -> Self {
        Self {
            port,
            header_bytes,
            timeouts,
            begun: None,
            options: ConnectionOptions::default(),
            has_written: false,
            is_blocked: false,
            head_timer: Timer::default(),
            write_timer: Timer::default(),
            linger_timer: Timer::default(),
        }
    }
}

impl Role for ServerRole {
    type Fault = RequestFault;
    type StartLine = RequestLine;

    const BARE_LF: RequestFault = RequestFault::BareLf;
    const LINE_TOO_LONG: RequestFault = RequestFault::TargetTooLong(MAX_TARGET_BYTES);
    const RESTS: bool = true;

    fn is_busy(&self) -> bool {
        self.port.state().unanswered
    }

    fn is_untaken(&self) -> bool {
        self.port.state().arrival.is_some()
    }

    fn limits(&self) -> HeadLimits {
        HeadLimits {
            line: MAX_REQUEST_LINE_BYTES,
            section: self.header_bytes,
        }
    }

    fn section_too_long(&self) -> RequestFault {
        RequestFault::HeaderTooLong(self.header_bytes)
    }

    fn check_first_byte(&mut self, byte: u8) -> Result<(), RequestFault> {
        // An empty line in front of it is no part of a request (RFC 9112 §2.2).
        if !matches!(byte, b'\r' | b'\n') {
            self.begun.get_or_insert_with(Instant::now);
        }
        match byte {
            0x16 => Err(RequestFault::NotHttp1(
                "a TLS handshake on a listener that speaks plain HTTP: use http://",
            )),
            b'\r' | b'\n' => Ok(()),
            byte if is_token(byte) => Ok(()),
            _ => Err(RequestFault::RequestLine("the method is not a token")),
        }
    }

    fn start_line(&mut self, line: &[u8]) -> Result<RequestLine, RequestFault> {
        parse_request_line(line)
    }

    fn head(
        &mut self,
        line: RequestLine,
        head: &Bytes,
        section: Bytes,
        feed: &mut BytesMut,
    ) -> Result<Next, RequestFault> {
        let request = parse_request(line, head, section, self.header_bytes)?;
        self.head_timer.disarm();
        abridge(&request, feed);
        let framing = request.framing;
        if matches!(framing, Framing::Chunked(_)) {
            self.options = ConnectionOptions::of(&request.fields);
        }
        let mut state = self.port.state();
        state.arrival = Some(Ok(Box::new(request)));
        state.begun = self.begun.take();
        state.unanswered = true;
        Ok(Next::Content(framing))
    }

    fn refuse(&mut self, fault: RequestFault, seen: &[u8], feed: &mut BytesMut) -> Next {
        let mut state = self.port.state();
        if matches!(fault, RequestFault::NotHttp1(_)) {
            state.hung_up = Some(fault);
            return Next::HangUp;
        }
        state.arrival = Some(Err(Box::new(RefusedRequest::new(fault, seen))));
        state.begun = self.begun.take();
        state.unanswered = true;
        feed.put_slice(PLACEHOLDER);
        Next::Silence
    }

    fn content_refused(&mut self, fault: RequestFault) {
        self.port.state().content_fault = Some(fault);
    }

    fn trailers(&mut self, mut trailers: Fields) {
        self.options.strip_trailers(&mut trailers);
        self.port.state().trailers = Some(Box::new(trailers));
    }

    fn poll_gone<S: AsyncWrite + Unpin>(&mut self, cx: &mut Context<'_>, io: &mut S) -> Poll<()> {
        // No head is waited for meanwhile.
        if !self.head_timer.is_set_for(Purpose::Gone) {
            self.has_written = false;
            if is_closed(cx, io) {
                return Poll::Ready(());
            }
        }
        loop {
            ready!(self.head_timer.poll(cx, Purpose::Gone, GONE_AFTER));
            // What comes for a client that is gone is answered with a reset, as is what it has not read.
            let is_there = (self.has_written || self.is_blocked) && !is_closed(cx, io);
            if !is_there {
                return Poll::Ready(());
            }
            self.head_timer.disarm();
        }
    }

    fn poll_head_deadline(
        &mut self,
        cx: &mut Context<'_>,
        seen: &[u8],
        feed: &mut BytesMut,
    ) -> Poll<Next> {
        if !seen.is_empty() {
            ready!(self.head_timer.poll(cx, Purpose::Head, self.timeouts.head));
            Poll::Ready(self.refuse(RequestFault::Timeout, seen, feed))
        } else {
            ready!(
                self.head_timer
                    .poll(cx, Purpose::KeepAlive, self.timeouts.keep_alive)
            );
            Poll::Ready(Next::End)
        }
    }

    fn compose_interim(&mut self, out: &mut BytesMut) {
        for head in self.port.state().interim.drain(..) {
            write_interim(&head, out);
        }
    }

    fn compose(&mut self, hyper_head: &[u8], out: &mut BytesMut) -> Option<Framing> {
        let line_end = memchr(b'\n', hyper_head).map_or(hyper_head.len(), |at| at + 1);
        if hyper_head.get(9) == Some(&b'1') {
            out.put_slice(hyper_head);
            return None;
        }
        let reply = self.port.state().reply.take();
        Some(write_reply(reply.as_deref(), hyper_head, line_end, out))
    }

    fn compose_trailers(&mut self, out: &mut BytesMut) {
        if let Some(trailers) = self.port.state().reply_trailers.take() {
            trailers.write_to(out);
        }
    }

    fn message_written(&mut self) {
        self.port.state().unanswered = false;
    }

    fn flushed(&mut self) {
        let mut state = self.port.state();
        if let Flush::Awaited(waker) = &state.flush {
            waker.wake_by_ref();
            state.flush = Flush::Done;
        }
    }

    fn stream_ended(&mut self) {
        self.port.state().unanswered = false;
    }

    fn wrote(&mut self, bytes: usize) {
        self.write_timer.disarm();
        self.has_written = true;
        self.is_blocked = false;
        let mut state = self.port.state();
        state.written += bytes as u64;
        state.is_overdue = false;
    }

    fn poll_write_deadline(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        self.is_blocked = true;
        ready!(
            self.write_timer
                .poll(cx, Purpose::Write, self.timeouts.idle)
        );
        if !mem::replace(&mut self.port.state().is_overdue, true) {
            // The stream tries once more, by itself.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client took nothing of the response for too long",
        ))
    }

    fn poll_linger<S: AsyncRead + Unpin>(&mut self, cx: &mut Context<'_>, io: &mut S) -> Poll<()> {
        let mut space = [0; 4096];
        loop {
            let mut read = ReadBuf::new(&mut space);
            match Pin::new(&mut *io).poll_read(cx, &mut read) {
                Poll::Ready(Ok(())) if !read.filled().is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return self.linger_timer.poll(cx, Purpose::Linger, LINGER),
            }
            if self
                .linger_timer
                .poll(cx, Purpose::Linger, LINGER)
                .is_ready()
            {
                return Poll::Ready(());
            }
        }
    }
}

/// Whether the system knows that nobody is there any more: to write nothing fails then.
fn is_closed<S: AsyncWrite + Unpin>(cx: &mut Context<'_>, io: &mut S) -> bool {
    matches!(Pin::new(io).poll_write(cx, &[]), Poll::Ready(Err(_)))
}

/// Writes the head that hyper gets to see: the framing and what becomes of the connection, no more.
fn abridge(request: &RequestHead, feed: &mut BytesMut) {
    let method: &[u8] = if request.is_head() { b"HEAD" } else { b"POST" };
    feed.put_slice(method);
    feed.put_slice(match request.version {
        Version::Http11 => b" / HTTP/1.1\r\n",
        Version::Http10 => b" / HTTP/1.0\r\n",
    });
    write_framing(request.framing, feed);
    if request.expects_continue {
        feed.put_slice(b"expect: 100-continue\r\n");
    }
    let mut options = request.fields.members("connection");
    let mut says = |option: &[u8]| options.any(|member| member.eq_ignore_ascii_case(option));
    if request.version == Version::Http10 {
        if says(b"keep-alive") {
            feed.put_slice(b"connection: keep-alive\r\n");
        }
    } else if says(b"close") {
        feed.put_slice(b"connection: close\r\n");
    }
    feed.put_slice(b"\r\n");
}

#[cfg(test)]
mod tests;

//! The side that asks: requests go out, responses come in.

use std::{
    collections::VecDeque,
    fmt::Write as _,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
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
};

/// The longest status line, in bytes.
const MAX_STATUS_LINE_BYTES: usize = 8 * 1024;

/// The most bytes of a response's field section; platforms send more than clients may.
const MAX_SECTION_BYTES: usize = 256 * 1024;

/// The most bytes of the interim responses to one request together, since a client may leave them lying.
const MAX_INTERIM_BYTES: usize = 256 * 1024;

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
}

impl ClientRole {
    pub(crate) fn new(port: ClientPort) -> Self {
        Self {
            port,
            options: ConnectionOptions::default(),
        }
    }
}

impl Role for ClientRole {
    type Fault = ResponseFault;
    type StartLine = StatusLine;

    const BARE_LF: ResponseFault = ResponseFault::BareLf;
    const LINE_TOO_LONG: ResponseFault = ResponseFault::StatusLine("it is too long");

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
        if !self.port.state().outstanding {
            return Err(ResponseFault::Unsolicited);
        }
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
        self.port.state().failure.get_or_insert(error);
        for_hyper
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
mod tests {
    use super::*;

    /// What a role makes of heads that come one after the other in answer to one request.
    fn read(role: &mut ClientRole, heads: &[&str]) -> Result<(), ResponseFault> {
        for head in heads {
            let (line, section) = head.split_once("\r\n").unwrap();
            let line = parse_status_line(line.as_bytes())?;
            let section = Bytes::copy_from_slice(section.as_bytes());
            let head = Bytes::copy_from_slice(head.as_bytes());
            role.head(line, &head, section, &mut BytesMut::new())?;
        }
        Ok(())
    }

    #[test]
    fn interim_responses_are_handed_over_in_their_order_and_hyper_sees_none() {
        let port = ClientPort::default();
        port.request(Bytes::new(), false);
        let mut role = ClientRole::new(port.clone());
        read(
            &mut role,
            &["HTTP/1.1 103 A\r\nB: c\r\n", "HTTP/1.1 102 B\r\n"],
        )
        .unwrap();
        assert!(port.take_response().is_none());
        assert_eq!(port.interim_responses(), 2);
        assert_eq!(
            port.take_interim().unwrap().fields.first("b"),
            Some(&b"c"[..])
        );
        assert_eq!(port.take_interim().unwrap().status, 102);
        assert!(port.take_interim().is_none());
        // They don't outlast their request.
        read(&mut role, &["HTTP/1.1 103 A\r\n", "HTTP/1.1 200 B\r\n"]).unwrap();
        port.request(Bytes::new(), false);
        assert!(port.take_interim().is_none());
    }

    #[test]
    fn neither_the_number_nor_the_bytes_of_interim_responses_are_unlimited() {
        let long = format!(
            "HTTP/1.1 103 X\r\nA: {}\r\n",
            "b".repeat(MAX_INTERIM_BYTES / 2)
        );
        let table = [
            (
                "HTTP/1.1 102 X\r\n",
                MAX_INTERIM_RESPONSES,
                ResponseFault::TooManyInterim,
            ),
            (&*long, 1, ResponseFault::InterimTooLong(MAX_INTERIM_BYTES)),
        ];
        for (head, most, fault) in table {
            let port = ClientPort::default();
            let mut role = ClientRole::new(port.clone());
            for _ in 0..2 {
                port.request(Bytes::new(), false);
                for _ in 0..most {
                    read(&mut role, &[head]).unwrap();
                }
            }
            assert_eq!(read(&mut role, &[head]), Err(fault));
        }
    }
}

//! The reading half of a [`Wire`](super::Wire): heads are read strictly and kept back, content passes through.

mod gone;
mod rest;

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    Role,
    fields::Fields,
    framing::{Framing, Reached},
    lines::{BareLf, LineBuffer},
};

/// Bytes asked for at once while a head is read.
const READ_BYTES: usize = 8 * 1024;

/// Empty lines that are skipped before a head (RFC 9112 §2.2).
const MAX_BLANK_LINES: u32 = 4;

/// What follows a head.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Next {
    /// The content, then another head.
    Content(Framing),
    /// Another head at once: the one that was read was an interim response.
    Head,
    /// Nothing that is read any more; hyper is kept waiting while it answers.
    Silence,
    /// The end of the stream, as hyper is to see it: nobody waits for an answer.
    End,
    /// The end of the stream, although the peer may still be sending.
    HangUp,
    /// A failure, as hyper is to see it.
    Failure,
}

/// Reads messages from a peer.
#[derive(Debug)]
pub(crate) struct Intake<R: Role> {
    /// Bytes read but not yet passed on.
    buffer: LineBuffer,
    /// The start line, once it has been read, and where in `buffer` the field section begins.
    start: Option<(R::StartLine, usize)>,
    blank_lines: u32,
    /// What hyper gets to read before anything else.
    feed: BytesMut,
    /// Who waits for the role to be no longer busy.
    parked: Option<Waker>,
    /// Whether the peer has ended its side while its message was still to be answered.
    half_closed: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between two messages, the next of which is waited for without hyper.
    Rest,
    Head,
    Content(Framing),
    Trailers,
    Silence,
    End,
    HangUp,
    Failure,
}

impl<R: Role> Intake<R> {
    pub(crate) fn new() -> Self {
        Self {
            buffer: LineBuffer::default(),
            start: None,
            blank_lines: 0,
            feed: BytesMut::new(),
            parked: None,
            half_closed: false,
            state: if R::RESTS { State::Rest } else { State::Head },
        }
    }

    /// The role is no longer busy: what has been kept meanwhile can be read.
    pub(crate) fn resume(&mut self) {
        if let Some(parked) = self.parked.take() {
            parked.wake();
        }
    }

    /// Whether the peer has ended its side of the stream.
    pub(crate) fn has_ended(&self) -> bool {
        self.state == State::End
    }

    pub(crate) fn poll_read<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut S,
        role: &mut R,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if !self.feed.is_empty() {
                let length = self.feed.len().min(out.remaining());
                out.put_slice(&self.feed[..length]);
                self.feed.advance(length);
                return Poll::Ready(Ok(()));
            }
            match self.state {
                State::Head if role.is_busy() => return self.poll_gone(cx, io, role),
                State::Head if R::RESTS => self.state = State::Rest,
                State::Head => ready!(self.poll_head(cx, io, role))?,
                State::Trailers => ready!(self.poll_trailers(cx, io, role))?,
                State::Content(framing) => {
                    return self.poll_content(cx, io, role, framing, out);
                }
                State::Silence => return Poll::Pending,
                State::Rest | State::End | State::HangUp => return Poll::Ready(Ok(())),
                State::Failure => return Poll::Ready(Err(io::ErrorKind::InvalidData.into())),
            }
        }
    }

    fn poll_head<S: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut S,
        role: &mut R,
    ) -> Poll<io::Result<()>> {
        loop {
            match self.scan_head(role) {
                Ok(None) => {}
                Ok(Some(next)) => {
                    self.go(next);
                    return Poll::Ready(Ok(()));
                }
                Err(fault) => {
                    let next = role.refuse(fault, self.buffer.bytes(), &mut self.feed);
                    self.go(next);
                    return Poll::Ready(Ok(()));
                }
            }
            match self.poll_more(cx, io, role)? {
                Poll::Ready(true) => {}
                Poll::Ready(false) => return Poll::Ready(Ok(())),
                Poll::Pending => {
                    let seen = self.buffer.bytes();
                    let next = ready!(role.poll_head_deadline(cx, seen, &mut self.feed));
                    self.go(next);
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }

    /// Looks for the end of the head in what has been read.
    fn scan_head(&mut self, role: &mut R) -> Result<Option<Next>, R::Fault> {
        loop {
            if let Some(first) = self.buffer.unseen_first() {
                role.check_first_byte(first)?;
            }
            let Some(line) = self.buffer.next_line().map_err(|BareLf| R::BARE_LF)? else {
                break;
            };
            let line = self.buffer.get(line);
            match self.start.take() {
                None if line.is_empty() && self.blank_lines < MAX_BLANK_LINES => {
                    self.blank_lines += 1;
                    self.buffer.take_lines();
                }
                None => self.start = Some((role.start_line(line)?, self.buffer.line_start())),
                Some((start, section_start)) if line.is_empty() => {
                    let mut head = self.buffer.take_lines();
                    head.truncate(head.len() - 2);
                    let head = head.freeze();
                    let section = head.slice(section_start..);
                    self.blank_lines = 0;
                    let next = role.head(start, &head, section, &mut self.feed);
                    if next.is_err() {
                        // What was refused is still to be looked at.
                        self.buffer.put_back(&head);
                    }
                    return next.map(Some);
                }
                start => self.start = start,
            }
        }
        let limits = role.limits();
        match &self.start {
            None if self.buffer.len() > limits.line => Err(R::LINE_TOO_LONG),
            Some((_, start)) if self.buffer.len() - start > limits.section => {
                Err(role.section_too_long())
            }
            _ => Ok(None),
        }
    }

    /// Reads the trailer section behind the last chunk; hyper sees an empty one, the role keeps the real one.
    fn poll_trailers<S: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut S,
        role: &mut R,
    ) -> Poll<io::Result<()>> {
        loop {
            match self.buffer.next_line() {
                Err(BareLf) => return Poll::Ready(self.fail(role, R::BARE_LF)),
                Ok(Some(line)) if line.is_empty() => {
                    let mut section = self.buffer.take_lines();
                    section.truncate(line.start);
                    return Poll::Ready(self.end_with(role, section.freeze()));
                }
                Ok(Some(_)) => continue,
                Ok(None) => {}
            }
            if self.buffer.len() > role.limits().section {
                let fault = role.section_too_long();
                return Poll::Ready(self.fail(role, fault));
            }
            if !ready!(self.poll_more(cx, io, role))? {
                // hyper sees a message without its end, which is what it is.
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Ends a message with its trailer section, without the empty line.
    fn end_with(&mut self, role: &mut R, section: Bytes) -> io::Result<()> {
        // However much of it came at once.
        if section.len() > role.limits().section {
            let fault = role.section_too_long();
            return self.fail(role, fault);
        }
        match Fields::parse(section) {
            Ok(trailers) => role.trailers(trailers),
            Err(fault) => return self.fail(role, fault.into()),
        }
        self.feed.extend_from_slice(b"\r\n");
        self.state = State::Head;
        Ok(())
    }

    /// Passes content on, straight into hyper's buffer.
    fn poll_content<S: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut S,
        role: &mut R,
        mut framing: Framing,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let start = out.filled().len();
        if self.buffer.is_empty() {
            if let Err(error) = ready!(Pin::new(io).poll_read(cx, out)) {
                return Poll::Ready(Err(role.failed(error)));
            }
            if out.filled().len() == start {
                if role.distrusts_end() {
                    self.state = State::Failure;
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
                self.state = State::End;
                return Poll::Ready(Ok(()));
            }
        } else {
            let most = out.remaining();
            self.buffer.pass_on(most, |bytes| out.put_slice(bytes));
        }
        match framing.advance(&out.filled()[start..]) {
            Ok(Reached::More) => self.state = State::Content(framing),
            Ok(Reached::End(length)) => {
                self.put_back(out, start + length);
                self.state = State::Head;
            }
            Ok(Reached::Trailers(length)) => {
                self.put_back(out, start + length);
                self.state = State::Trailers;
            }
            Err(fault) => {
                out.set_filled(start);
                return Poll::Ready(self.fail(role, fault.into()));
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Takes back what was read beyond the end of a message.
    fn put_back(&mut self, out: &mut ReadBuf<'_>, end: usize) {
        if out.filled().len() > end {
            self.buffer.put_back(&out.filled()[end..]);
            out.set_filled(end);
        }
        self.buffer.start_over();
    }

    /// Reads once into the buffer; returns whether anything came before the end of the stream.
    fn poll_more<S: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut S,
        role: &mut R,
    ) -> Poll<io::Result<bool>> {
        let mut space = [MaybeUninit::uninit(); READ_BYTES];
        let mut read = ReadBuf::uninit(&mut space);
        if let Err(error) = ready!(Pin::new(io).poll_read(cx, &mut read)) {
            return Poll::Ready(Err(role.failed(error)));
        }
        if read.filled().is_empty() {
            self.state = State::End;
            return Poll::Ready(Ok(false));
        }
        self.buffer.extend(read.filled());
        Poll::Ready(Ok(true))
    }

    fn fail(&mut self, role: &mut R, fault: R::Fault) -> io::Result<()> {
        let error = io::Error::new(io::ErrorKind::InvalidData, fault.to_string());
        role.content_refused(fault);
        self.state = State::Failure;
        Err(error)
    }

    fn go(&mut self, next: Next) {
        self.state = match next {
            Next::Content(framing) if framing.is_done() => State::Head,
            Next::Content(framing) => State::Content(framing),
            Next::Head => State::Head,
            Next::Silence => State::Silence,
            Next::End => State::End,
            Next::HangUp => State::HangUp,
            Next::Failure => State::Failure,
        };
    }
}

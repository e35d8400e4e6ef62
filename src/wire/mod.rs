//! The bytes of HTTP/1 messages, in front of hyper and behind it.
//!
//! hyper moves content, keeps connections alive and applies backpressure. What it can't do is vouch for the bytes of
//! a head: its parser accepts more than a signing proxy may, and its `HeaderMap` forgets the order of field lines. So
//! each connection that hyper drives is wrapped in a `Wire`, on either side:
//!
//! - reading, the wire takes each head off the stream, reads it strictly, and hands it to the exchange through a
//!   *port*; hyper gets a head of two or three lines that says no more than how the content is framed. Content is
//!   followed byte by byte (a broken chunk ends the message) and passes through untouched.
//! - writing, the wire replaces the short head that hyper writes by the exchange's own, byte for byte.
//!
//! This is the one place where what hyper tolerates is refused. A head that is refused never reaches hyper: it sees a
//! placeholder, whose exchange answers with the refusal.

mod authority;
mod class;
mod client;
mod connection;
mod fields;
mod framing;
mod hyper_head;
mod intake;
mod length;
mod lines;
mod media_type;
mod outlet;
mod overrides;
mod reply;
mod request;
mod request_fault;
mod request_line;
mod response;
mod server;
mod socket;
mod timer;

use std::{
    fmt::{self, Display},
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub(crate) use self::{
    class::is_token,
    client::{ClientPort, ClientRole},
    connection::strip_hop_by_hop,
    media_type::{has_foreign_charset, is_form, is_list, resembles_form},
    overrides::is_override,
    reply::Reply,
    request_line::{parse_request_line, split_target},
    response::InterimHead,
    server::{ServerPort, ServerRole, ServerTimeouts},
    socket::{tune, write_now},
};
pub use self::{
    fields::{Field, FieldFault, Fields, MAX_FIELDS},
    framing::{ChunkFault, Framing},
    request::{RefusedRequest, RequestHead},
    request_fault::RequestFault,
    request_line::{MAX_TARGET_BYTES, Version},
    response::{MAX_INTERIM_RESPONSES, ResponseFault, ResponseHead},
};
use self::{
    intake::{Intake, Next},
    outlet::Outlet,
};

/// How much content hyper holds of a connection whose other side stands still, each way. More makes nothing faster: a
/// record of TLS has 16 KiB.
pub(crate) const CONTENT_BUFFER: usize = 64 * 1024;

/// What differs between the side that serves and the side that asks.
pub(crate) trait Role: Unpin {
    /// Why a message is refused.
    type Fault: Display + From<FieldFault> + From<ChunkFault>;
    /// A start line that has been read.
    type StartLine: fmt::Debug + Unpin;

    /// A line of a head or of a trailer section ends in LF alone (RFC 9112 §2.2).
    const BARE_LF: Self::Fault;
    /// The start line is over its limit.
    const LINE_TOO_LONG: Self::Fault;

    /// Whether hyper is there for one message at a time: it sees the end of the stream behind each, and the next is
    /// waited for without it and its buffers.
    const RESTS: bool = false;

    /// Whether what the peer has sent is still read after a write to it has failed: it may have answered before it left.
    /// hyper sees such a write as one that waits.
    const READS_ON: bool = false;

    /// Whether the last message is still to be answered. Until then no further one is read, only kept, so that the end
    /// of the stream is seen at once.
    fn is_busy(&self) -> bool {
        false
    }

    /// Whether hyper has yet to call for the exchange of the last message.
    fn is_untaken(&self) -> bool {
        false
    }

    /// How long a head may be.
    fn limits(&self) -> HeadLimits;

    /// A field section is over its limit.
    fn section_too_long(&self) -> Self::Fault;

    /// Judges a message by its first byte, so that a peer that speaks something else need not be waited for.
    fn check_first_byte(&mut self, byte: u8) -> Result<(), Self::Fault>;

    /// Reads a start line, without its CRLF, as soon as it is there.
    fn start_line(&mut self, line: &[u8]) -> Result<Self::StartLine, Self::Fault>;

    /// Takes a whole head and its field section, and writes to `feed` what hyper is to see in its place.
    fn head(
        &mut self,
        line: Self::StartLine,
        head: &Bytes,
        section: Bytes,
        feed: &mut BytesMut,
    ) -> Result<Next, Self::Fault>;

    /// Takes note that a head was refused, of which `seen` has arrived.
    fn refuse(&mut self, fault: Self::Fault, seen: &[u8], feed: &mut BytesMut) -> Next;

    /// Takes note that content was refused.
    fn content_refused(&mut self, fault: Self::Fault);

    /// Takes the trailer section of a chunked message.
    fn trailers(&mut self, trailers: Fields);

    /// Waits until a peer that has ended its side of the stream is taken for gone, although it is still to be answered.
    fn poll_gone<S: AsyncWrite + Unpin>(&mut self, _cx: &mut Context<'_>, _io: &mut S) -> Poll<()> {
        Poll::Ready(())
    }

    /// Waits for the time by which a head must have arrived, of which `seen` has.
    fn poll_head_deadline(
        &mut self,
        cx: &mut Context<'_>,
        seen: &[u8],
        feed: &mut BytesMut,
    ) -> Poll<Next>;

    /// Writes the interim responses to `out` that hyper knows nothing of.
    fn compose_interim(&mut self, _out: &mut BytesMut) {}

    /// Writes to `out` what goes to the peer in place of hyper's head; returns how the content is framed, or `None`
    /// for an interim response.
    fn compose(&mut self, hyper_head: &[u8], out: &mut BytesMut) -> Option<Framing>;

    /// Writes the lines of a trailer section to `out`.
    fn compose_trailers(&mut self, out: &mut BytesMut);

    /// A whole message has gone to the peer.
    fn message_written(&mut self) {}

    /// All that there was to write has gone to the peer.
    fn flushed(&mut self) {}

    /// The stream has been ended in order, after all that there was to write.
    fn stream_ended(&mut self) {}

    /// So many bytes have gone to the peer.
    fn wrote(&mut self, _bytes: usize) {}

    /// The stream failed; returns what hyper is to see of it.
    fn failed(&mut self, error: io::Error) -> io::Error {
        error
    }

    /// A write to the peer failed, which [`READS_ON`](Self::READS_ON) keeps from hyper.
    fn write_failed(&mut self, _error: io::Error) {}

    /// Whether the end of the stream may be that of a connection which was reset, whatever it looks like.
    fn distrusts_end(&self) -> bool {
        false
    }

    /// Waits for the time by which a blocked write must have gone on.
    fn poll_write_deadline(&mut self, _cx: &mut Context<'_>) -> Poll<io::Error> {
        Poll::Pending
    }

    /// After the stream has been shut down: waits until the peer has read what was sent.
    fn poll_linger<S: AsyncRead + Unpin>(
        &mut self,
        _cx: &mut Context<'_>,
        _io: &mut S,
    ) -> Poll<()> {
        Poll::Ready(())
    }
}

/// How long the parts of a head may be, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadLimits {
    /// The start line.
    line: usize,
    /// The field section; a trailer section likewise.
    section: usize,
}

/// A stream of HTTP/1 messages between a peer and hyper.
#[derive(Debug)]
pub(crate) struct Wire<S, R: Role> {
    io: S,
    role: R,
    intake: Intake<R>,
    outlet: Outlet,
    shut_down: bool,
    /// Whether a write has failed that hyper takes for one that waits.
    write_failed: bool,
}

impl<S, R: Role> Wire<S, R> {
    pub(crate) fn new(io: S, role: R) -> Self {
        Self {
            io,
            role,
            intake: Intake::new(),
            outlet: Outlet::new(),
            shut_down: false,
            write_failed: false,
        }
    }

    /// Settles what a write to the peer came to: its failure is noted, its standstill is timed.
    fn settle<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if !self.role.is_busy() {
            self.intake.resume();
        }
        match poll {
            Poll::Ready(Err(error)) if R::READS_ON => {
                self.write_failed = true;
                self.role.write_failed(error);
            }
            Poll::Ready(Err(error)) => return Poll::Ready(Err(self.role.failed(error))),
            Poll::Ready(Ok(value)) => return Poll::Ready(Ok(value)),
            Poll::Pending => {}
        }
        let error = ready!(self.role.poll_write_deadline(cx));
        Poll::Ready(Err(self.role.failed(error)))
    }
}

impl<S: AsyncWrite + Unpin, R: Role> Wire<S, R> {
    /// Writes part of `data`, unless no write can succeed any more.
    fn poll_write_some(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        if self.write_failed {
            return Poll::Pending;
        }
        self.outlet
            .poll_write(cx, &mut self.io, &mut self.role, data)
    }

    /// Writes what has been gathered, and has the stream pass it on.
    fn poll_flush_all(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.write_failed {
            return Poll::Pending;
        }
        ready!(self.outlet.poll_drain(cx, &mut self.io, &mut self.role))?;
        Pin::new(&mut self.io).poll_flush(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, R: Role> AsyncRead for Wire<S, R> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.intake.poll_read(cx, &mut this.io, &mut this.role, out)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, R: Role> AsyncWrite for Wire<S, R> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let poll = this.poll_write_some(cx, data);
        this.settle(cx, poll)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let mut total = 0;
        for slice in slices {
            let mut data = &slice[..];
            while !data.is_empty() {
                match this.poll_write_some(cx, data) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Ok(total)),
                    Poll::Ready(Ok(written)) => {
                        total += written;
                        data = &data[written..];
                    }
                    // What has been taken is reported first; the next call meets the failure again.
                    _ if total > 0 => return Poll::Ready(Ok(total)),
                    poll => return this.settle(cx, poll),
                }
            }
        }
        Poll::Ready(Ok(total))
    }

    fn is_write_vectored(&self) -> bool {
        // hyper then hands content over without copying it into its own buffer first.
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let poll = this.poll_flush_all(cx);
        if let Poll::Ready(Ok(())) = poll {
            this.role.flushed();
        }
        this.settle(cx, poll)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.intake.is_at_rest() || this.write_failed {
            // hyper has gone; the stream goes on, or has nothing to be ended.
            return Poll::Ready(Ok(()));
        }
        if !this.shut_down {
            let poll = match this.outlet.poll_drain(cx, &mut this.io, &mut this.role) {
                Poll::Ready(Ok(())) => Pin::new(&mut this.io).poll_shutdown(cx),
                poll => poll,
            };
            ready!(this.settle(cx, poll))?;
            this.role.stream_ended();
            this.shut_down = true;
        }
        if !this.intake.is_between_messages() && !this.intake.has_ended() {
            ready!(this.role.poll_linger(cx, &mut this.io));
        }
        Poll::Ready(Ok(()))
    }
}

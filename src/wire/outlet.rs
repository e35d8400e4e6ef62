//! The writing half of a [`Wire`](super::Wire): hyper's heads are replaced, content passes through.

use std::{
    io, mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
use memchr::memmem;
use tokio::io::AsyncWrite;

use super::{
    Role,
    framing::{Framing, Reached},
};

/// Small writes are gathered up to so many bytes; a TLS record holds 16 KiB.
const GATHER_BYTES: usize = 16 * 1024;

/// Content of at least so many bytes is written from where it lies.
const DIRECT_BYTES: usize = 4 * 1024;

/// Writes messages to a peer.
#[derive(Debug)]
pub(crate) struct Outlet {
    /// What hyper has written of a head.
    head: Vec<u8>,
    /// What is ready to be written to the peer.
    out: BytesMut,
    state: State,
    /// Whether the role has yet to hear that a message has gone to the peer.
    whole: bool,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Head,
    Content(Framing),
    /// In the empty line that ends a chunked message, after so many of its two bytes.
    Closing(usize),
}

impl Outlet {
    pub(crate) fn new() -> Self {
        Self {
            head: Vec::new(),
            out: BytesMut::new(),
            state: State::Head,
            whole: false,
        }
    }

    pub(crate) fn poll_write<S: AsyncWrite + Unpin, R: Role>(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut S,
        role: &mut R,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.state {
            State::Head => Poll::Ready(Ok(self.take_head(role, data))),
            State::Closing(at) => {
                let length = data.len().min(2 - at);
                self.out.extend_from_slice(&data[..length]);
                if at + length == 2 {
                    self.state = State::Head;
                    self.whole = true;
                } else {
                    self.state = State::Closing(at + length);
                }
                Poll::Ready(Ok(length))
            }
            State::Content(framing) => self.poll_write_content(cx, io, role, framing, data),
        }
    }

    /// Writes what has been gathered.
    pub(crate) fn poll_drain<S: AsyncWrite + Unpin, R: Role>(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut S,
        role: &mut R,
    ) -> Poll<io::Result<()>> {
        if matches!(self.state, State::Head) {
            role.compose_interim(&mut self.out);
        }
        while !self.out.is_empty() {
            let written = ready!(Pin::new(&mut *io).poll_write(cx, &self.out))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            role.wrote(written);
            self.out.advance(written);
        }
        if self.out.capacity() > 2 * GATHER_BYTES || matches!(self.state, State::Head) {
            self.out = BytesMut::new();
        }
        if mem::take(&mut self.whole) {
            role.message_written();
        }
        Poll::Ready(Ok(()))
    }

    /// Gathers a head until it is whole, then puts the role's in its place.
    fn take_head<R: Role>(&mut self, role: &mut R, data: &[u8]) -> usize {
        let before = self.head.len();
        self.head.extend_from_slice(data);
        let from = before.saturating_sub(3);
        let Some(end) = memmem::find(&self.head[from..], b"\r\n\r\n") else {
            return data.len();
        };
        let end = from + end + 4;
        self.head.truncate(end);
        role.compose_interim(&mut self.out);
        let framing = role.compose(&self.head, &mut self.out);
        self.head.clear();
        match framing {
            // An interim response: the final one follows.
            None => {}
            Some(framing) if framing.is_done() => self.whole = true,
            Some(framing) => self.state = State::Content(framing),
        }
        end - before
    }

    fn poll_write_content<S: AsyncWrite + Unpin, R: Role>(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut S,
        role: &mut R,
        mut framing: Framing,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut ahead = framing;
        let reached = follow(&mut ahead, data)?;
        let within = match reached {
            Reached::More => data.len(),
            Reached::End(length) | Reached::Trailers(length) => length,
        };
        let gather = self.out.len() + within <= GATHER_BYTES && within < DIRECT_BYTES;
        let written = if gather {
            self.out.extend_from_slice(&data[..within]);
            within
        } else {
            if !self.out.is_empty() && self.out.len() < GATHER_BYTES {
                // Top the gathered bytes up, so that a head and the start of its content leave together.
                let room = (GATHER_BYTES - self.out.len()).min(within);
                self.out.extend_from_slice(&data[..room]);
                room
            } else {
                ready!(self.poll_drain(cx, io, role))?;
                let written = ready!(Pin::new(io).poll_write(cx, &data[..within]))?;
                role.wrote(written);
                written
            }
        };
        if written < within {
            follow(&mut framing, &data[..written])?;
            self.state = State::Content(framing);
            return Poll::Ready(Ok(written));
        }
        match reached {
            Reached::More => self.state = State::Content(ahead),
            Reached::End(_) => {
                self.state = State::Head;
                self.whole = true;
            }
            Reached::Trailers(_) => {
                role.compose_trailers(&mut self.out);
                self.state = State::Closing(0);
            }
        }
        Poll::Ready(Ok(written))
    }
}

/// hyper's own chunks are well formed; should they not be, the stream must not go on.
fn follow(framing: &mut Framing, data: &[u8]) -> io::Result<Reached> {
    framing
        .advance(data)
        .map_err(|fault| io::Error::new(io::ErrorKind::InvalidData, fault))
}

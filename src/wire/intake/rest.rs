//! The time between two requests of a client, for which hyper and its buffers are not needed.

use std::{
    future::poll_fn,
    task::{Context, Poll, ready},
};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::{Intake, State};
use crate::wire::{Role, ServerRole, Wire};

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S, ServerRole> {
    /// Waits for a request, in place of hyper, which need not be there before; returns whether there is one to be
    /// answered, if only with a refusal. Otherwise the client has gone, or been waited for long enough.
    pub(crate) async fn next_request(&mut self) -> bool {
        poll_fn(|cx| self.intake.poll_message(cx, &mut self.io, &mut self.role)).await
    }

    /// Whether hyper has left a connection that may serve another request.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.intake.is_at_rest()
    }

    /// Ends the stream in order, in place of hyper.
    pub(crate) async fn end(&mut self) {
        self.intake.end_rest();
        // Whoever has gone already needs no goodbye.
        let _ = self.shutdown().await;
    }
}

impl<R: Role> Intake<R> {
    /// Whether hyper has done with one message and would wait for another, or has not been needed yet.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.state == State::Rest
    }

    /// Whether nothing has been read beyond the end of the last message.
    pub(crate) fn is_between_messages(&self) -> bool {
        matches!(self.state, State::Rest | State::Head)
            && self.buffer.is_empty()
            && self.feed.is_empty()
    }

    /// Expects another message, or the end of the stream.
    pub(crate) fn end_rest(&mut self) {
        if self.is_at_rest() {
            self.feed = BytesMut::new();
            self.state = State::Head;
        }
    }

    /// Waits until there is something for hyper to see, a message or the stand-in for one that was refused; returns
    /// whether there is, or else the stream has come to its end.
    pub(crate) fn poll_message<S: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut S,
        role: &mut R,
    ) -> Poll<bool> {
        self.end_rest();
        while self.state == State::Head && self.feed.is_empty() {
            if ready!(self.poll_head(cx, io, role)).is_err() {
                return Poll::Ready(false);
            }
        }
        Poll::Ready(!self.feed.is_empty())
    }
}

//! A peer that leaves while its message is still to be answered.

use std::{
    io,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite};

use super::{Intake, State};
use crate::wire::Role;

impl<R: Role> Intake<R> {
    /// Waits until the peer is gone, and keeps what comes before that, up to a head's worth.
    pub(super) fn poll_gone<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut S,
        role: &mut R,
    ) -> Poll<io::Result<()>> {
        self.parked = Some(cx.waker().clone());
        let limits = role.limits();
        let mut gone = Ok(());
        while !self.half_closed && gone.is_ok() {
            if self.buffer.len() >= limits.line + limits.section {
                return Poll::Pending;
            }
            match ready!(self.poll_more(cx, io, role)) {
                Ok(true) => {}
                Ok(false) => {
                    // That it sends no more does not say that it reads no more.
                    self.state = State::Head;
                    self.half_closed = true;
                }
                Err(error) => gone = Err(error),
            }
        }
        if gone.is_ok() {
            ready!(role.poll_gone(cx, io));
            self.state = State::End;
        }
        if role.is_untaken() {
            // hyper would drop the exchange before it has begun, and it would leave no record.
            self.state = gone.map_or(State::Failure, |()| State::End);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(gone)
    }
}

//! Deadlines of a connection.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// A deadline that is set when it is first waited for.
#[derive(Debug, Default)]
pub(super) struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
    armed_for: Option<Purpose>,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Head,
    KeepAlive,
    Write,
    Linger,
    Gone,
    Answer,
}

impl Timer {
    /// Forgets the deadline.
    pub(super) fn disarm(&mut self) {
        self.armed_for = None;
    }

    /// Whether there is a deadline for this purpose.
    pub(super) fn is_set_for(&self, purpose: Purpose) -> bool {
        self.armed_for == Some(purpose)
    }

    /// Waits for the deadline, which is set now if it was not set for this purpose yet.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        purpose: Purpose,
        after: Duration,
    ) -> Poll<()> {
        let arm = self.armed_for != Some(purpose);
        let deadline = || Instant::now() + after;
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(sleep_until(deadline())));
        if arm {
            sleep.as_mut().reset(deadline());
            self.armed_for = Some(purpose);
        }
        sleep.as_mut().poll(cx)
    }
}

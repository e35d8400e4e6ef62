//! What the wire of a client's connection and its exchanges have in common.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use tokio::time::Instant;

use crate::wire::{
    fields::Fields,
    reply::Reply,
    request::{RefusedRequest, RequestHead},
    request_fault::RequestFault,
    response::InterimHead,
};

/// Where a connection's heads are handed over between its [`Wire`](super::Wire) and its exchanges.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServerPort(Arc<Mutex<State>>);

/// The head of a request, or what there is of one that was refused.
type Arrival = Result<Box<RequestHead>, Box<RefusedRequest>>;

/// What is large is boxed: mostly a connection waits, and has none of it.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The request that has come last, until its exchange takes it.
    pub(super) arrival: Option<Arrival>,
    /// When the first byte of that request came.
    pub(super) begun: Option<Instant>,
    /// Whether a request has arrived and is not yet answered to the end.
    pub(super) unanswered: bool,
    /// Interim responses that wait to be written, before the reply.
    pub(super) interim: VecDeque<InterimHead>,
    pub(super) reply: Option<Box<Reply>>,
    pub(super) trailers: Option<Box<Fields>>,
    pub(super) reply_trailers: Option<Box<Fields>>,
    pub(super) content_fault: Option<RequestFault>,
    pub(super) hung_up: Option<RequestFault>,
    pub(super) flush: Flush,
    /// Bytes that have gone to the client.
    pub(super) written: u64,
    /// Whether the client is given a last chance to take a little.
    pub(super) is_overdue: bool,
    cut_off: bool,
}

/// Whether somebody waits until all that hyper has written is with the client.
#[derive(Debug, Default)]
pub(super) enum Flush {
    #[default]
    Unasked,
    Awaited(Waker),
    Done,
}

impl ServerPort {
    /// The head of the request that has come; hyper calls for an exchange only once one is there.
    pub(crate) fn take_request(&self) -> Option<Arrival> {
        self.state().arrival.take()
    }

    /// When the first byte of the request came that has come last, or its turn, if it was sent before.
    pub(crate) fn request_begun(&self) -> Option<Instant> {
        self.state().begun
    }

    /// What was wrong with a request's content, if anything.
    pub(crate) fn take_content_fault(&self) -> Option<RequestFault> {
        self.state().content_fault.take()
    }

    /// The trailer section of the request whose content has ended.
    pub(crate) fn take_trailers(&self) -> Option<Fields> {
        self.state().trailers.take().map(|trailers| *trailers)
    }

    /// Why the connection was closed without an answer, if it was.
    pub(crate) fn take_hung_up(&self) -> Option<RequestFault> {
        self.state().hung_up.take()
    }

    /// Whether a request has arrived and is not yet answered to the end.
    pub(crate) fn is_unanswered(&self) -> bool {
        self.state().unanswered
    }

    /// Bytes that have gone to the client over this connection.
    pub(crate) fn written(&self) -> u64 {
        self.state().written
    }

    /// Whether the client has taken nothing for too long, as far as the runtime knows.
    pub(crate) fn is_overdue(&self) -> bool {
        self.state().is_overdue
    }

    /// Waits until hyper, which asks for the response's content, has flushed what it has of the response.
    pub(crate) fn poll_flushed(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if let Flush::Done = state.flush {
            state.flush = Flush::Unasked;
            return Poll::Ready(());
        }
        state.flush = Flush::Awaited(cx.waker().clone());
        Poll::Pending
    }

    /// Says that the connection is ended at once, whatever is under way.
    pub(crate) fn cut_off(&self) {
        self.state().cut_off = true;
    }

    /// Whether it is the daemon that leaves.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.state().cut_off
    }

    /// Has an interim response written when hyper, of whom the exchange is asked, flushes next, or else before the reply.
    pub(crate) fn interim(&self, head: InterimHead) {
        self.state().interim.push_back(head);
    }

    /// Sets the head of the response that hyper is about to write.
    pub(crate) fn reply(&self, reply: Reply) {
        self.state().reply = Some(Box::new(reply));
    }

    /// Sets the trailer section of the response whose content is about to end.
    pub(crate) fn reply_trailers(&self, trailers: Fields) {
        self.state().reply_trailers = Some(Box::new(trailers));
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

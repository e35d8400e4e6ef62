//! One connection to the upstream, driven by the exchange that uses it.

use std::{
    fmt,
    future::{Future, poll_fn},
    io, mem,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use hyper::{
    Request,
    body::Incoming,
    client::conn::http1,
    header::{CONTENT_LENGTH, HeaderValue, TRANSFER_ENCODING},
};
use hyper_util::rt::TokioIo;
use tokio::{
    runtime::{self, Handle},
    time::{Instant, Sleep, sleep},
};

use super::{
    alert::Alert,
    certificate::Certificate,
    connect::Stream,
    socket::Attention,
    tls::alert,
    upload::{Content, Progress, Upload},
};
use crate::{
    config::Timeouts,
    wire::{
        CONTENT_BUFFER, ClientPort, ClientRole, Fields, Framing, InterimHead, ResponseFault,
        ResponseHead, Wire,
    },
};

type Connection = http1::Connection<TokioIo<Wire<Stream, ClientRole>>, Upload>;

/// A connection that is idle, or used by one exchange.
pub(crate) struct Link {
    sender: http1::SendRequest<Upload>,
    /// `None` once the connection has come to its end.
    connection: Option<Pin<Box<Connection>>>,
    port: ClientPort,
    /// Kept with the connection, since to move a timer on costs less than to make one for each exchange.
    timer: Pin<Box<Sleep>>,
    /// How long the next piece of the answer may take.
    patience: Duration,
    /// What had moved when it was last waited for: content from the client, the request, and bytes to the client.
    moved: (u64, u64, u64),
    /// Is turned on to see what has become of the connection while nobody drove it, and whether it really stands still.
    attention: Attention,
    /// The client certificate that the upstream has seen if it wanted one.
    shown: Option<Arc<Certificate>>,
    /// The runtime that watches the connection.
    home: runtime::Id,
}

/// The upstream's answer; its content is still to come.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: ResponseHead,
    /// When the head was there.
    pub(crate) at: Instant,
    pub(crate) content: Incoming,
}

/// How long an upstream may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SendTimeouts {
    /// To begin its answer, once it has the whole request; each interim answer begins this time anew.
    first_byte: Duration,
    /// To take more of the request.
    idle: Duration,
}

impl From<&Timeouts> for SendTimeouts {
    fn from(timeouts: &Timeouts) -> Self {
        Self {
            first_byte: timeouts.first_byte,
            idle: timeouts.idle,
        }
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) struct SendError {
    pub(crate) cause: SendFault,
    /// Bytes of the request that went out; with none, the upstream can't have seen it.
    written: u64,
}

impl SendError {
    /// Whether the upstream can't have seen any of the request, and another connection may fare better.
    pub(crate) fn is_unseen(&self) -> bool {
        self.written == 0
            && matches!(
                self.cause,
                SendFault::Closed
                    | SendFault::Connection(_)
                    | SendFault::Alert(_)
                    | SendFault::Response(ResponseFault::Unsolicited)
            )
    }
}

/// What went wrong between a request and its answer.
#[derive(Debug)]
pub(crate) enum SendFault {
    /// The answer is not one that may be passed on.
    Response(ResponseFault),
    /// The connection failed.
    Connection(io::Error),
    /// The upstream ended the connection with an alert.
    Alert(Alert),
    /// The upstream closed the connection.
    Closed,
    /// The upstream had the request and did not answer in time.
    FirstByteTimeout,
    /// The upstream took no more of the request for too long.
    UpstreamStalled,
    /// The client sent no more of the request for too long.
    ClientStalled,
    /// The client did not deliver the content that it had announced.
    ClientFailed,
}

impl Link {
    /// Takes a new connection into use.
    pub(crate) async fn new(
        stream: Stream,
        shown: Option<Arc<Certificate>>,
    ) -> Result<Self, hyper::Error> {
        let port = ClientPort::default();
        let attention = stream.attention();
        let wire = Wire::new(stream, ClientRole::new(port.clone()));
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(CONTENT_BUFFER)
            .handshake(TokioIo::new(wire))
            .await?;
        Ok(Self {
            sender,
            connection: Some(Box::pin(connection)),
            port,
            timer: Box::pin(sleep(Duration::ZERO)),
            patience: Duration::ZERO,
            moved: (0, 0, 0),
            attention,
            shown,
            home: Handle::current().id(),
        })
    }

    /// The runtime that watches the connection. Any other one can use it, but is woken by that one each time.
    pub(super) fn home(&self) -> runtime::Id {
        self.home
    }

    /// Whether the connection can take a request, by what the system knows now.
    pub(super) fn is_alive(&mut self, cx: &mut Context<'_>) -> bool {
        self.attention.set(true);
        let is_alive = self.is_idle(cx);
        self.attention.set(false);
        is_alive
    }

    /// Whether the connection can still take a request, for which it has waited longer than usual.
    pub(crate) async fn has_kept(&mut self) -> bool {
        poll_fn(|cx| Poll::Ready(self.is_alive(cx))).await
    }

    /// Whether the connection can take a request, as far as can be seen.
    pub(crate) fn is_idle(&mut self, cx: &mut Context<'_>) -> bool {
        self.drive(cx);
        self.connection.is_some() && self.sender.is_ready() && !self.port.has_write_failed()
    }

    /// Moves bytes both ways as far as they go.
    pub(crate) fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection
            && connection.as_mut().poll(cx).is_ready()
        {
            // How it ended, the port and the pending response know.
            self.connection = None;
        }
    }

    /// Sends a request whose head is `head`, up to and with the empty line, and waits for the answer's head.
    ///
    /// Interim answers go to `pass_on` as they come. That they keep the upstream's time from running out is harmless:
    /// there are at most [`MAX_INTERIM_RESPONSES`](crate::wire::MAX_INTERIM_RESPONSES) of them.
    ///
    /// # Errors
    /// What went wrong, and whether the upstream can have seen any of the request.
    pub(crate) async fn send(
        &mut self,
        head: Bytes,
        to_head: bool,
        content: &Content,
        timeouts: SendTimeouts,
        mut pass_on: impl FnMut(InterimHead),
    ) -> Result<Answer, SendError> {
        self.port.request(head, to_head);
        let request = abridged(
            to_head,
            content.framing(),
            content.upload(self.port.clone()),
        );
        let mut response = pin!(self.sender.send_request(request));
        let connection = &mut self.connection;
        let port = &self.port;
        let timer = &mut self.timer;
        let attention = &self.attention;
        // hyper reads before it writes: a connection that has died since it was taken has still seen nothing.
        attention.set(true);
        let mut seen = None;
        let result = poll_fn(|cx| {
            loop {
                if let Some(driven) = connection
                    && driven.as_mut().poll(cx).is_ready()
                {
                    *connection = None;
                }
                let has_looked = attention.set(false);
                while let Some(interim) = port.take_interim() {
                    pass_on(interim);
                }
                if let Poll::Ready(result) = response.as_mut().poll(cx) {
                    return Poll::Ready(Ok(result));
                }
                let progress = content.progress();
                let moved = (
                    progress.bytes,
                    progress.ended,
                    port.written(),
                    port.interim_responses(),
                );
                if seen.replace(moved) != Some(moved) {
                    let limit = if progress.ended {
                        timeouts.first_byte
                    } else {
                        timeouts.idle
                    };
                    timer.as_mut().reset(Instant::now() + limit);
                }
                ready!(timer.as_mut().poll(cx));
                if has_looked {
                    return Poll::Ready(Err(stalled(&progress)));
                }
                attention.set(true);
            }
        })
        .await;
        let cause = match result {
            Ok(Ok(response)) => match self.port.take_response() {
                Some((head, at)) => {
                    return Ok(Answer {
                        head,
                        at,
                        content: response.into_body(),
                    });
                }
                // Each response that hyper sees has come through the port.
                None => SendFault::Closed,
            },
            Ok(Err(_)) => self.fault(content),
            Err(stalled) => stalled,
        };
        Err(SendError {
            cause,
            written: self.port.written(),
        })
    }

    /// Sets the time by which the next piece of the answer must have come.
    pub(crate) fn expect_within(&mut self, timeout: Duration) {
        self.patience = timeout;
        self.timer.as_mut().reset(Instant::now() + timeout);
    }

    /// Waits for the time that was set last, which begins anew whenever bytes of the exchange have moved elsewhere: content
    /// on its way up, or an answer that its client takes slowly.
    pub(crate) fn poll_overdue(&mut self, cx: &mut Context<'_>, content: &Content) -> Poll<()> {
        let moved = (
            content.progress().bytes,
            self.port.written(),
            content.answered(),
        );
        if mem::replace(&mut self.moved, moved) != moved {
            self.expect_within(self.patience);
        }
        self.timer.as_mut().poll(cx)
    }

    /// What went wrong with the connection, as the port saw it; hyper's own errors tell less.
    pub(crate) fn fault(&self, content: &Content) -> SendFault {
        if content.progress().failed {
            return SendFault::ClientFailed;
        }
        if let Some(fault) = self.port.take_fault() {
            return SendFault::Response(fault);
        }
        match self.port.take_failure() {
            Some(error) => match alert(&error, self.shown.as_ref()) {
                Some(alert) => SendFault::Alert(alert),
                None => SendFault::Connection(error),
            },
            None => SendFault::Closed,
        }
    }

    /// The trailer section of the response whose content has ended.
    pub(crate) fn take_trailers(&self) -> Option<Fields> {
        self.port.take_trailers()
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("open", &self.connection.is_some())
            .finish_non_exhaustive()
    }
}

fn stalled(progress: &Progress) -> SendFault {
    if progress.ended {
        SendFault::FirstByteTimeout
    } else if progress.waiting {
        SendFault::ClientStalled
    } else {
        SendFault::UpstreamStalled
    }
}

/// The request that hyper gets to see; the wire puts the real head in the place of what hyper writes.
fn abridged(to_head: bool, framing: Framing, upload: Upload) -> Request<Upload> {
    let mut request = Request::new(upload);
    if to_head {
        *request.method_mut() = hyper::Method::HEAD;
    }
    let headers = request.headers_mut();
    match framing {
        Framing::Length(length) => {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        Framing::Chunked(_) => {
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        Framing::None | Framing::UntilClose => {}
    }
    request
}

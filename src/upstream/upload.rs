//! A request's content on its way from the client to the upstream.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::wire::{ClientPort, Fields, Framing, ServerPort};

/// The content of one request. It streams, unless it is collected first.
///
/// What has been taken from the client but can't have reached the upstream yet is kept, so that an attempt on a dead
/// connection loses nothing.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    framing: Framing,
    source: Arc<Mutex<Source>>,
}

#[derive(Debug)]
struct Source {
    /// The client's side; `None` once it has ended or failed.
    incoming: Option<Incoming>,
    port: ServerPort,
    /// Taken from the client, not yet known to have gone out.
    kept: Vec<Bytes>,
    collected: bool,
    trailers: Option<Fields>,
    bytes: u64,
    failed: bool,
    /// Whether the client was waited for when the content was last asked for.
    waiting: bool,
}

/// How far a request's content has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Bytes taken from the client.
    pub(crate) bytes: u64,
    /// Whether all of it has been taken.
    pub(crate) ended: bool,
    /// Whether the client failed to deliver it.
    pub(crate) failed: bool,
    /// Whether the client is being waited for.
    pub(crate) waiting: bool,
}

/// Why content could not be collected.
#[derive(Debug)]
pub(crate) enum CollectError {
    /// It is longer than the limit.
    TooLong,
    /// The client did not deliver it.
    Failed,
    /// The client sent no more of it for too long.
    Stalled,
}

impl Content {
    pub(crate) fn new(incoming: Incoming, framing: Framing, port: ServerPort) -> Self {
        let incoming = (framing != Framing::None).then_some(incoming);
        Self::of(incoming, framing, port)
    }

    /// The content of a request that has none, and no client.
    pub(crate) fn none() -> Self {
        Self::of(None, Framing::None, ServerPort::default())
    }

    fn of(incoming: Option<Incoming>, framing: Framing, port: ServerPort) -> Self {
        Self {
            framing,
            source: Arc::new(Mutex::new(Source {
                incoming,
                port,
                kept: Vec::new(),
                collected: false,
                trailers: None,
                bytes: 0,
                failed: false,
                waiting: false,
            })),
        }
    }

    /// How the client delimits it, and so how the upstream gets it.
    pub(crate) fn framing(&self) -> Framing {
        self.framing
    }

    /// Whether its length is known in advance and over `limit` bytes.
    pub(crate) fn is_announced_longer_than(&self, limit: usize) -> bool {
        matches!(self.framing, Framing::Length(length) if length > limit as u64)
    }

    /// Reads all of it into memory, up to `limit` bytes, none of which may be waited for longer than `idle`.
    ///
    /// # Errors
    /// More than the limit was sent, or the client did not deliver what it had announced.
    pub(crate) async fn collect(
        &self,
        limit: usize,
        idle: Duration,
    ) -> Result<Bytes, CollectError> {
        let Some(mut incoming) = self.source().incoming.take() else {
            return Ok(Bytes::new());
        };
        let mut collected = BytesMut::new();
        while let Some(frame) = timeout(idle, incoming.frame())
            .await
            .map_err(|_| CollectError::Stalled)?
        {
            let Ok(data) = frame.map(|frame| frame.into_data().unwrap_or_default()) else {
                self.source().failed = true;
                return Err(CollectError::Failed);
            };
            self.source().bytes += data.len() as u64;
            if collected.len() + data.len() > limit {
                return Err(CollectError::TooLong);
            }
            collected.extend_from_slice(&data);
        }
        let collected = collected.freeze();
        let mut source = self.source();
        source.collected = true;
        source.trailers = source.port.take_trailers();
        source.kept = vec![collected.clone()];
        Ok(collected)
    }

    /// The body of one attempt, from the start.
    pub(crate) fn upload(&self, port: ClientPort) -> Upload {
        Upload {
            content: self.clone(),
            port,
            next: 0,
        }
    }

    /// How far it has come.
    pub(crate) fn progress(&self) -> Progress {
        let source = self.source();
        Progress {
            bytes: source.bytes,
            ended: source.incoming.is_none() && !source.failed,
            failed: source.failed,
            waiting: source.waiting,
        }
    }

    /// Bytes that have gone to the client, over the connection that this content comes from.
    pub(super) fn answered(&self) -> u64 {
        self.source().port.written()
    }

    fn source(&self) -> MutexGuard<'_, Source> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of one attempt to send a request.
#[derive(Debug)]
pub(crate) struct Upload {
    content: Content,
    port: ClientPort,
    /// The next of the kept pieces to send.
    next: usize,
}

impl Body for Upload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        let mut source = this.content.source();
        if let Some(piece) = source.kept.get(this.next) {
            this.next += 1;
            return Poll::Ready(Some(Ok(Frame::data(piece.clone()))));
        }
        let failed = source.failed;
        let polled = match &mut source.incoming {
            Some(incoming) => Pin::new(incoming)
                .poll_frame(cx)
                .map_err(|error| io::Error::new(io::ErrorKind::UnexpectedEof, error)),
            None if failed => Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
            None => Poll::Ready(None),
        };
        source.waiting = polled.is_pending();
        match polled {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(frame))) => {
                // The wire keeps trailers back, so that a frame is data.
                let data = frame.into_data().unwrap_or_default();
                source.bytes += data.len() as u64;
                // hyper does not ask again once a length is reached.
                if source.incoming.as_ref().is_some_and(Body::is_end_stream) {
                    source.incoming = None;
                }
                if this.port.written() == 0 {
                    source.kept.push(data.clone());
                } else if !source.collected {
                    source.kept.clear();
                }
                this.next = source.kept.len();
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Poll::Ready(Some(Err(error))) => {
                source.incoming = None;
                source.failed = true;
                Poll::Ready(Some(Err(error)))
            }
            Poll::Ready(None) => {
                if source.incoming.take().is_some() {
                    source.trailers = source.port.take_trailers();
                }
                if let Some(trailers) = source.trailers.clone() {
                    this.port.request_trailers(trailers);
                }
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        // A chunked message without data still has its last chunk.
        self.content.framing == Framing::None
    }

    fn size_hint(&self) -> SizeHint {
        match self.content.framing {
            Framing::None => SizeHint::with_exact(0),
            Framing::Length(length) => SizeHint::with_exact(length),
            Framing::Chunked(_) | Framing::UntilClose => SizeHint::default(),
        }
    }
}

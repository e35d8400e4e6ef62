//! The content of an answer on its way to the client, and what the upstream says before.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::{ErrorType, record::Record};
use crate::{
    upstream::{ConnectionPool, Content, Link, SendFault},
    wire::{InterimHead, ServerPort, Version, strip_hop_by_hop},
};

/// The content of a response, be it ours or the upstream's.
#[derive(Debug)]
pub(crate) enum ReplyBody {
    /// A document of our own, or none to a `HEAD`.
    Own {
        document: Option<Bytes>,
        /// Written when the body is dropped.
        _record: Option<Box<Record>>,
    },
    /// What the upstream sends.
    Relay(Box<Relay>),
}

/// The upstream's content, and all that ends with it.
#[derive(Debug)]
pub(crate) struct Relay {
    content: Incoming,
    /// `None` once the connection has been given back or given up.
    link: Option<Link>,
    pool: Arc<ConnectionPool>,
    /// The request's content, which may still be on its way.
    request: Content,
    port: ServerPort,
    idle_timeout: Duration,
    record: Record,
    /// Why the answer broke off, until hyper may know.
    broken: Option<io::Error>,
}

/// Passes an interim answer on (RFC 9110 §15.2), though not to a client of HTTP/1.0, which knows none.
///
/// 100 (Continue) is for us: a client that has asked for it has had it when there was a connection to send to, and must
/// not take a second one for a 100 to its next request.
pub(super) fn pass_on_interim(mut head: InterimHead, version: Version, port: &ServerPort) {
    if head.status == 100 || version == Version::Http10 {
        return;
    }
    strip_hop_by_hop(&mut head.fields);
    port.interim(head);
}

impl ReplyBody {
    pub(super) fn own(document: Option<Bytes>, record: Option<Record>) -> Self {
        Self::Own {
            document,
            _record: record.map(Box::new),
        }
    }

    /// Ends the exchange at once if the upstream sends no content: hyper does not ask for any then.
    pub(super) async fn settle(&mut self) {
        if let Self::Relay(relay) = self
            && relay.content.is_end_stream()
        {
            poll_fn(|cx| {
                relay.finish(cx);
                Poll::Ready(())
            })
            .await;
        }
    }
}

impl Relay {
    pub(super) fn new(
        content: Incoming,
        mut link: Link,
        pool: &Arc<ConnectionPool>,
        request: Content,
        port: ServerPort,
        idle_timeout: Duration,
        record: Record,
    ) -> Self {
        link.expect_within(idle_timeout);
        Self {
            content,
            link: Some(link),
            pool: Arc::clone(pool),
            request,
            port,
            idle_timeout,
            record,
            broken: None,
        }
    }

    /// The answer is complete: its connection may serve another exchange.
    fn finish(&mut self, cx: &mut Context<'_>) {
        self.record.finished();
        if let Some(mut link) = self.link.take()
            && link.is_idle(cx)
        {
            self.pool.put(link);
        }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let mut driven = false;
        loop {
            if self.broken.is_some() {
                // hyper throws away what it has not yet written, which may be all of the answer: its head came
                // together with its fault. The client would see a close instead of a response, and ask once more.
                ready!(self.port.poll_flushed(cx));
                return Poll::Ready(self.broken.take().map(Err));
            }
            match Pin::new(&mut self.content).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    if let Some(content) = frame.data_ref() {
                        self.record.passed_on(content);
                    }
                    if let Some(link) = &mut self.link {
                        link.expect_within(self.idle_timeout);
                    }
                    if self.content.is_end_stream() {
                        self.finish(cx);
                    }
                    return Poll::Ready(Some(Ok(frame)));
                }
                Poll::Ready(None) => {
                    if let Some(trailers) = self.link.as_ref().and_then(Link::take_trailers) {
                        self.port.reply_trailers(trailers);
                    }
                    self.finish(cx);
                    return Poll::Ready(None);
                }
                Poll::Ready(Some(Err(error))) => {
                    self.broken = Some(self.broke(&error));
                }
                Poll::Pending if !driven => {
                    // What the connection brings in now may be what was asked for.
                    driven = true;
                    match &mut self.link {
                        Some(link) => link.drive(cx),
                        None => return Poll::Pending,
                    }
                }
                Poll::Pending => {
                    let overdue = |link: &mut Link| link.poll_overdue(cx, &self.request).is_ready();
                    if !self.link.as_mut().is_some_and(overdue) {
                        return Poll::Pending;
                    }
                    let detail = "nothing came for too long (timeouts.idle)";
                    self.record
                        .failed(ErrorType::ConnectionReadTimeout, detail.to_owned());
                    self.broken = Some(io::Error::new(io::ErrorKind::TimedOut, detail));
                }
            }
        }
    }

    /// The answer broke off; so must ours, visibly.
    fn broke(&mut self, error: &hyper::Error) -> io::Error {
        let fault = self
            .link
            .take()
            .map_or(SendFault::Closed, |link| link.fault(&self.request));
        let (kind, detail) = match fault {
            SendFault::Response(fault) => (ErrorType::from(&fault), fault.to_string()),
            SendFault::Connection(error) => (ErrorType::HttpResponseIncomplete, error.to_string()),
            SendFault::ClientFailed => {
                let detail = "the request's content ended too early";
                (ErrorType::HttpRequestError, detail.to_owned())
            }
            _ => (ErrorType::HttpResponseIncomplete, error.to_string()),
        };
        self.record.failed(kind, detail);
        io::Error::new(io::ErrorKind::UnexpectedEof, "the answer broke off")
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Own { document, .. } => {
                Poll::Ready(document.take().map(|document| Ok(Frame::data(document))))
            }
            Self::Relay(relay) => relay.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own { document, .. } => document.is_none(),
            Self::Relay(relay) => relay.content.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own { document, .. } => {
                SizeHint::with_exact(document.as_ref().map_or(0, Bytes::len) as u64)
            }
            Self::Relay(relay) => relay.content.size_hint(),
        }
    }
}

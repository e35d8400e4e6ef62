//! One client connection: a [`Wire`] that waits for requests, and for each of them hyper and an exchange.

use std::{
    convert::Infallible,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::sync::watch;
use tracing::warn;

use super::{
    accept::Assignment,
    end::End,
    listener::{Guarded, Stream},
};
use crate::{
    config::ProxyConfig,
    proxy::{Client, exchange, internal_error},
    wire::{CONTENT_BUFFER, ServerPort, ServerRole, ServerTimeouts, Wire},
};

/// How long a client over the limit may take to send the request that is refused: it is in the way of others.
const REFUSED_WITHIN: Duration = Duration::from_secs(2);

/// Serves a connection until either side ends it, or, once it has to `end`, until what is under way has ended.
///
/// Each exchange is with the proxy that is assigned when it begins. What the wire itself holds to, the size of a head and
/// the times for one, stays as it is when the connection begins.
pub(super) async fn serve(
    assignment: watch::Receiver<Assignment>,
    stream: Stream,
    client: Client,
    end: End,
) {
    let port = ServerPort::default();
    let role = server_role(&port, &assignment.borrow().proxy.config, &client);
    let mut wire = Wire::new(Guarded::new(stream, port.clone()), role);
    let client = Arc::new(client);
    let service = service_fn(|request: Request<Incoming>| {
        let proxy = Arc::clone(&assignment.borrow().proxy);
        let (client, port) = (Arc::clone(&client), port.clone());
        async move {
            let id = format!("{:032x}", rand::random::<u128>());
            let served = pin!(exchange(proxy, client, port.clone(), id.clone(), request));
            let answer = CatchPanic(served).await;
            Ok::<_, Infallible>(answer.unwrap_or_else(|_| internal_error(&id, &port)))
        }
    });
    let mut drained = pin!(end.drain.cancelled());
    while wire.is_at_rest() {
        let has_come = tokio::select! {
            has_come = wire.next_request() => has_come,
            () = drained.as_mut() => false,
        };
        if !has_come {
            tokio::select! {
                () = wire.end() => {}
                () = end.cut.cancelled() => {}
            }
            break;
        }
        // Here for one request only: its buffers would be most of what a connection costs that waits for another.
        let mut connection = pin!(
            http1::Builder::new()
                // The wire times heads itself: it knows when one has begun.
                .header_read_timeout(None)
                // What the upstream sends is passed on as it is.
                .auto_date_header(false)
                .max_buf_size(CONTENT_BUFFER)
                .serve_connection(TokioIo::new(&mut wire), &service)
        );
        // Behind the connection, so that it is dropped before the exchange in there.
        let mut under_way = UnderWay::new(&port);
        // How a connection ends, its exchanges have recorded; an error here adds nothing.
        let ended = tokio::select! {
            _ = connection.as_mut() => true,
            () = drained.as_mut() => false,
        };
        if !ended {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                _ = connection.as_mut() => {}
                // An exchange that is cut off still leaves its record.
                () = end.cut.cancelled() => break,
            }
        }
        under_way.has_ended = true;
        if !ended {
            break;
        }
    }
    if let Some(fault) = port.take_hung_up() {
        warn!(
            proxy = &*assignment.borrow().proxy.config.name,
            "client.address" = client.address,
            reason = %fault,
            "closed a connection that does not speak HTTP/1.1"
        );
    }
}

fn server_role(port: &ServerPort, config: &ProxyConfig, client: &Client) -> ServerRole {
    let timeouts = &config.timeouts;
    let most = if client.over_limit {
        REFUSED_WITHIN
    } else {
        Duration::MAX
    };
    ServerRole::new(
        port.clone(),
        config.limits.header_bytes,
        ServerTimeouts {
            head: timeouts.request_headers.min(most),
            keep_alive: timeouts.keep_alive.min(most),
            idle: timeouts.idle,
        },
    )
}

/// Is dropped right before an exchange, and says if that has not come to its end, which is so when it is cut off.
#[derive(Debug)]
struct UnderWay<'a> {
    port: &'a ServerPort,
    has_ended: bool,
}

impl<'a> UnderWay<'a> {
    fn new(port: &'a ServerPort) -> Self {
        Self {
            port,
            has_ended: false,
        }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.port.cut_off();
        }
    }
}

/// A future whose panic becomes its output, so that one bad exchange harms no other.
struct CatchPanic<'a, F>(Pin<&'a mut F>);

/// Something panicked; the panic hook has said what.
#[derive(Debug)]
struct Panicked;

impl<F: Future> Future for CatchPanic<'_, F> {
    type Output = Result<F::Output, Panicked>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // The future is not polled again after a panic, so that nobody sees it half changed.
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(_) => Poll::Ready(Err(Panicked)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_an_error() {
        let panics = pin!(async { panic!("on purpose") });
        let outcome: Result<(), Panicked> = CatchPanic(panics).await;
        assert!(outcome.is_err());
        assert_eq!(CatchPanic(pin!(async { 1 })).await.unwrap(), 1);
    }
}

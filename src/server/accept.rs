//! A listener at work: it accepts connections, and hands each to the proxy that it works for.

use std::{io, mem, sync::Arc, time::Duration};

use tokio::{sync::watch, time::sleep};
use tokio_util::task::TaskTracker;
use tracing::warn;

use super::{connection, end::End, lanes::Lanes, listener::Listener, room::Room};
use crate::proxy::{Proxy, is_allowed_user};

/// How long an accept loop waits when the system is out of file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections over the limit that are told so; beyond them connections are closed without a word.
const REFUSED_AT_ONCE: usize = 64;

/// The proxy that a listener works for, and the room for its connections.
#[derive(Clone, Debug)]
pub(super) struct Assignment {
    pub(super) proxy: Arc<Proxy>,
    pub(super) rooms: Rooms,
}

/// The room for a proxy's connections, which a reload leaves as it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Rooms {
    served: Room,
    refused: Room,
}

/// Accepts connections until told to stop; closes the socket then, so that no new client comes to wait.
pub(super) async fn accept(
    assignment: watch::Receiver<Assignment>,
    listener: Listener,
    connections: TaskTracker,
    lanes: Lanes,
    end: End,
) {
    // Or else the same would be said ten times a second for as long as it lasts.
    let mut has_warned = false;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = end.drain.cancelled() => return,
        };
        let Assignment { proxy, rooms } = assignment.borrow().clone();
        let (stream, mut client) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_about_one_connection(&error) => continue,
            Err(error) => {
                if !mem::replace(&mut has_warned, true) {
                    let name = &*proxy.config.name;
                    warn!(proxy = name, %error, "can't accept connections for now");
                }
                tokio::select! {
                    () = sleep(ACCEPT_PAUSE) => continue,
                    () = end.drain.cancelled() => return,
                }
            }
        };
        has_warned = false;
        // Those who are not let in anyway must not keep others out.
        let is_welcome = is_allowed_user(&proxy.config.access, client.uid);
        let limit = proxy.config.limits.connections;
        let place = is_welcome
            .then(|| rooms.served.enter_within(limit))
            .flatten();
        client.over_limit = is_welcome && place.is_none();
        let Some(place) = place.or_else(|| rooms.refused.enter_within(REFUSED_AT_ONCE)) else {
            continue;
        };
        let counted = proxy.metrics.client_connected();
        let (assignment, end) = (assignment.clone(), end.clone());
        let lane = lanes.least_used();
        let (in_lane, stays) = (lane.enter(), lane.is_here());
        let name = Arc::clone(&proxy.config.name);
        let served = async move {
            let stream = if stays {
                Ok(stream)
            } else {
                stream.moved_here()
            };
            match stream {
                // Called in here: a future made outside would have its place in this one twice.
                Ok(stream) => connection::serve(assignment, stream, client, end).await,
                Err(error) => warn!(proxy = &*name, %error, "can't serve a connection"),
            }
            drop((place, counted, in_lane));
        };
        connections.spawn_on(served, &lane.runtime);
    }
}

/// Whether an accept failed because of the peer, and the next one may succeed.
fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

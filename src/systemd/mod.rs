//! What systemd does for a daemon: it passes [`Sockets`] that it has bound, and is told by a [`Notifier`] what becomes of
//! the daemon.

mod notify;
mod socket;

pub use self::{
    notify::Notifier,
    socket::{Descriptors, Passed, Socket, SocketAddress, SocketListener, Sockets, Unfit},
};

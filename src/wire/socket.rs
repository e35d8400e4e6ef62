//! What messages need of sockets beyond what the runtime does with them.

use std::{io, os::fd::AsFd, task::Poll};

use rustix::net::{SendFlags, send};
#[cfg(target_os = "linux")]
use socket2::SockRef;
use tokio::net::TcpStream;

/// Bytes that the system takes before it has sent those of before. What is on its way is not counted, so that this holds
/// back no transfer; with more, a peer that reads slowly but steadily seems to stand still while megabytes wait.
#[cfg(target_os = "linux")]
const MAX_UNSENT_BYTES: u32 = 256 * 1024;

/// Sets a socket for a connection on either side. If that fails, the connection is slower, or waits longer, and no worse.
pub(crate) fn tune(tcp: &TcpStream) {
    // A message is written as a whole; waiting for more to fill a packet only delays it.
    let _ = tcp.set_nodelay(true);
    #[cfg(target_os = "linux")]
    let _ = SockRef::from(tcp).set_tcp_notsent_lowat(MAX_UNSENT_BYTES);
}

/// Writes past the runtime, which is told of room only when there is much of it: whether a peer reads at all shows in a
/// little. What can't be written is waited for already.
pub(crate) fn write_now(socket: impl AsFd, data: &[u8]) -> Poll<io::Result<usize>> {
    let written = send(socket, data, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
    match written.map_err(io::Error::from) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
        written => Poll::Ready(written),
    }
}

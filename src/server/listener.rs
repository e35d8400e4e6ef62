//! TCP and Unix listeners, behind one type.

use std::{
    fs, io,
    net::SocketAddr,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
};

use crate::{
    config::{ListenAddress, SystemdSocket},
    proxy::Client,
    systemd::SocketListener,
    wire::{ServerPort, tune, write_now},
};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// A bound socket that accepts connections.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, SocketFile),
}

/// The file of a Unix socket, removed with its listener, unless the socket is systemd's.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    is_ours: bool,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.is_ours {
            // If it has gone already, that is what was wanted.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Listener {
    /// Binds an address. A Unix socket's file gets its mode before anybody can connect: 0600, unless `uids` names other
    /// users, whom the mode must let through to be told apart by the system.
    pub(crate) fn bind(address: &ListenAddress, uids: &[u32]) -> io::Result<Self> {
        match address {
            ListenAddress::Tcp(address) => bind_tcp(*address).map(Self::Tcp),
            ListenAddress::Unix(path) => {
                let mode = if lets_others_through(address, uids) {
                    0o666
                } else {
                    0o600
                };
                let listener = bind_unix(path, mode)?;
                let file = SocketFile {
                    path: path.clone(),
                    is_ours: true,
                };
                Ok(Self::Unix(listener, file))
            }
            ListenAddress::Systemd(socket) => adopt(socket),
        }
    }

    /// The address it is bound to, with the port that the system picked if it was to.
    pub(crate) fn address(&self) -> io::Result<ListenAddress> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(ListenAddress::Tcp),
            Self::Unix(_, file) => Ok(ListenAddress::Unix(file.path.clone())),
        }
    }

    /// Waits for a connection.
    pub(crate) async fn accept(&self) -> io::Result<(Stream, Client)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                tune(&stream);
                let client = Client {
                    address: peer.ip().to_canonical().to_string(),
                    local: stream.local_addr().ok().map(|local| local.ip()),
                    uid: None,
                    over_limit: false,
                };
                Ok((Stream::Tcp(stream), client))
            }
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                let uid = stream.peer_cred()?.uid();
                let client = Client {
                    address: format!("unix:uid={uid}"),
                    local: None,
                    uid: Some(uid),
                    over_limit: false,
                };
                Ok((Stream::Unix(stream), client))
            }
        }
    }
}

/// Whether other users than the daemon's own may connect to an address, be it to be told apart afterwards: of a Unix
/// socket that we make, its file's mode decides.
pub(super) fn lets_others_through(address: &ListenAddress, uids: &[u32]) -> bool {
    let own = rustix::process::geteuid().as_raw();
    match address {
        ListenAddress::Unix(_) => uids.iter().any(|uid| *uid != own),
        ListenAddress::Tcp(_) | ListenAddress::Systemd(_) => true,
    }
}

fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Takes a socket that is bound already; what its file lets through, its socket unit has said.
fn adopt(socket: &SystemdSocket) -> io::Result<Listener> {
    let not_passed = || io::Error::new(io::ErrorKind::NotFound, "systemd has not passed it");
    let passed = socket.passed.as_ref().ok_or_else(not_passed)?;
    let listener = match passed.listener()? {
        SocketListener::Tcp(listener) => Listener::Tcp(TcpListener::from_std(listener)?),
        SocketListener::Unix(listener, path) => {
            let file = SocketFile {
                path,
                is_ours: false,
            };
            Listener::Unix(UnixListener::from_std(listener)?, file)
        }
    };
    Ok(listener)
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // A restart must not wait for the old connections' TIME_WAIT.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // Otherwise [::] would take 0.0.0.0 with it, which nobody asked for.
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}

fn bind_unix(path: &Path, mode: u32) -> io::Result<UnixListener> {
    remove_stale_socket(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    // Until it listens, nobody can connect.
    set_mode(path, mode)?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    UnixListener::from_std(socket.into())
}

/// Removes the file of a socket that nobody listens on any more, such as one left by a crash.
fn remove_stale_socket(path: &Path) -> io::Result<()> {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    if !is_socket {
        return Ok(());
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    match socket.connect_timeout(&SockAddr::unix(path)?, Duration::from_secs(1)) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        _ => Err(io::ErrorKind::AddrInUse.into()),
    }
}

/// An accepted connection.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    /// Has the runtime that this is called in watch it, in place of another one.
    pub(super) fn moved_here(self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(stream) => Self::Tcp(TcpStream::from_std(stream.into_std()?)?),
            Self::Unix(stream) => Self::Unix(UnixStream::from_std(stream.into_std()?)?),
        })
    }
}

/// An accepted connection that is reset, not closed, when its request was not answered to the end: where the end of the
/// connection is the end of the content, a clean close would pass for a complete answer; before the answer, for an idle
/// connection that is given up, on which clients send their request once more (RFC 9110 §9.2.2).
#[derive(Debug)]
pub(crate) struct Guarded {
    stream: Stream,
    port: ServerPort,
}

impl Guarded {
    pub(crate) fn new(stream: Stream, port: ServerPort) -> Self {
        Self { stream, port }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if let Stream::Tcp(stream) = &self.stream
            && self.port.is_unanswered()
        {
            // If it can't be set, the peer sees a close.
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_read(cx, out),
            Stream::Unix(stream) => Pin::new(stream).poll_read(cx, out),
        }
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match &mut this.stream {
            Stream::Tcp(stream) => match Pin::new(&mut *stream).poll_write(cx, data) {
                Poll::Pending if this.port.is_overdue() => write_now(stream, data),
                poll => poll,
            },
            Stream::Unix(stream) => match Pin::new(&mut *stream).poll_write(cx, data) {
                Poll::Pending if this.port.is_overdue() => write_now(stream, data),
                poll => poll,
            },
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

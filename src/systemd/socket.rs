//! Sockets that systemd has bound, and passes to the daemon when it starts it (sd_listen_fds(3)).

use std::{
    io,
    net::{SocketAddr, TcpListener},
    os::{
        fd::AsFd,
        unix::net::{SocketAddr as UnixAddress, UnixListener},
    },
    path::PathBuf,
    sync::Arc,
};

use listenfd::ListenFd;

/// More than anybody passes. What is above it is a mistake, and not worth the memory.
const MAX_DESCRIPTORS: usize = 1024;

/// What sd_listen_fds_with_names(3) calls descriptors that come without names.
const UNKNOWN: &str = "unknown";

/// How many descriptors were passed to this process, and what they are called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Descriptors {
    names: Vec<String>,
}

impl Descriptors {
    /// Reads the values of `LISTEN_PID`, `LISTEN_FDS` and `LISTEN_FDNAMES`: none, if they are about another process than
    /// that with the id `own`, or make no sense.
    pub fn parse(own: u32, pid: Option<&str>, count: Option<&str>, names: Option<&str>) -> Self {
        let is_own = pid.and_then(|pid| pid.parse().ok()) == Some(own);
        let count = count.and_then(|count| count.parse::<usize>().ok());
        let count = count.filter(|count| is_own && *count <= MAX_DESCRIPTORS);
        let mut names = names
            .filter(|names| !names.is_empty())
            .map(|names| names.split(':'));
        let mut name = || names.as_mut().and_then(Iterator::next).unwrap_or(UNKNOWN);
        Self {
            names: (0..count.unwrap_or_default())
                .map(|_| name().to_owned())
                .collect(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Takes them over: from now on no child process gets them.
    pub fn adopt(self, mut descriptors: ListenFd) -> Sockets {
        let adopted = self
            .names
            .into_iter()
            .enumerate()
            .map(|(number, name)| Passed {
                name,
                socket: adopt(&mut descriptors, number).map(Arc::new),
            });
        Sockets(adopted.collect())
    }
}

/// All that was passed, in the order in which it was.
#[derive(Clone, Debug, Default)]
pub struct Sockets(Arc<[Passed]>);

impl Sockets {
    /// Each of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Passed> {
        self.0.iter()
    }
}

/// A descriptor that was passed.
#[derive(Debug)]
pub struct Passed {
    /// `FileDescriptorName=` of the socket unit, or else the name of that unit.
    pub name: String,
    /// The socket, if it is one to accept connections from.
    pub socket: Result<Arc<Socket>, Unfit>,
}

/// Why connections can't be accepted from what was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A datagram socket, a FIFO, a file, or nothing at all.
    #[error("is no stream socket of TCP or Unix: the socket unit needs ListenStream=")]
    NoStream,
    /// A connection.
    #[error("does not listen: the socket unit needs Accept=no")]
    NotListening,
}

/// A socket that listens, and stays open as long as the process lives, as systemd's own descriptor does.
#[derive(Debug)]
pub struct Socket {
    number: usize,
    listener: SocketListener,
    address: SocketAddress,
}

/// The two kinds of sockets.
#[derive(Debug)]
pub enum SocketListener {
    /// IPv4 or IPv6.
    Tcp(TcpListener),
    /// With its path, or `@` and its abstract name.
    Unix(UnixListener, PathBuf),
}

/// Where a socket is bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketAddress {
    /// The address of TCP.
    Tcp(SocketAddr),
    /// The path, or `@` and the abstract name.
    Unix(PathBuf),
}

impl Socket {
    /// Where it is bound.
    pub fn address(&self) -> &SocketAddress {
        &self.address
    }

    /// A listener of its own on the socket, which does not block.
    ///
    /// # Errors
    /// There is no descriptor left.
    pub fn listener(&self) -> io::Result<SocketListener> {
        Ok(match &self.listener {
            SocketListener::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                SocketListener::Tcp(listener.try_clone()?)
            }
            SocketListener::Unix(listener, path) => {
                listener.set_nonblocking(true)?;
                SocketListener::Unix(listener.try_clone()?, path.clone())
            }
        })
    }
}

/// Sockets are the same if they were passed as the same descriptor.
impl PartialEq for Socket {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Socket {}

impl std::hash::Hash for Socket {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

fn adopt(descriptors: &mut ListenFd, number: usize) -> Result<Socket, Unfit> {
    let no_stream = |_| Unfit::NoStream;
    let (listener, address) = if let Ok(Some(listener)) = descriptors.take_tcp_listener(number) {
        let address = listener.local_addr().map_err(no_stream)?;
        (SocketListener::Tcp(listener), SocketAddress::Tcp(address))
    } else if let Ok(Some(listener)) = descriptors.take_unix_listener(number) {
        let address = listener.local_addr().map_err(no_stream)?;
        let path = unix_path(&address);
        let address = SocketAddress::Unix(path.clone());
        (SocketListener::Unix(listener, path), address)
    } else {
        return Err(Unfit::NoStream);
    };
    let listens = match &listener {
        SocketListener::Tcp(listener) => is_listening(listener),
        SocketListener::Unix(listener, _) => is_listening(listener),
    };
    if !listens {
        return Err(Unfit::NotListening);
    }
    Ok(Socket {
        number,
        listener,
        address,
    })
}

#[cfg(target_os = "linux")]
fn is_listening(socket: impl AsFd) -> bool {
    rustix::net::sockopt::socket_acceptconn(socket).unwrap_or(false)
}

/// Elsewhere there is no systemd.
#[cfg(not(target_os = "linux"))]
fn is_listening(_: impl AsFd) -> bool {
    false
}

fn unix_path(address: &UnixAddress) -> PathBuf {
    #[cfg(target_os = "linux")]
    {
        use std::os::linux::net::SocketAddrExt as _;

        if let Some(name) = address.as_abstract_name() {
            return PathBuf::from(format!("@{}", name.escape_ascii()));
        }
    }
    address.as_pathname().unwrap_or("".as_ref()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_counted_and_named() {
        let check = |pid, count, names, expected: &[&str]| {
            let read = Descriptors::parse(7, pid, count, names);
            assert_eq!(read.names, expected, "{pid:?} {count:?} {names:?}");
        };
        check(Some("7"), Some("2"), Some("web:admin"), &["web", "admin"]);
        check(Some("7"), Some("2"), Some("web:web"), &["web", "web"]);
        check(Some("7"), Some("2"), Some("web"), &["web", UNKNOWN]);
        check(Some("7"), Some("2"), Some(":admin"), &["", "admin"]);
        check(Some("7"), Some("1"), Some("web:admin"), &["web"]);
        check(Some("7"), Some("1"), None, &[UNKNOWN]);
        check(Some("7"), Some("0"), None, &[]);
        check(Some("7"), None, Some("web"), &[]);
        check(Some("8"), Some("1"), Some("web"), &[]);
        check(Some("x"), Some("1"), Some("web"), &[]);
        check(None, Some("1"), Some("web"), &[]);
        check(Some("7"), Some("-1"), Some("web"), &[]);
        check(Some("7"), Some("4000000000"), Some("web"), &[]);
    }
}

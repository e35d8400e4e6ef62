//! Addresses of listeners: how they are written, who can reach them, and which get in each other's way.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::unix::net::SocketAddr as UnixAddress,
    path::PathBuf,
    str::FromStr,
};

use super::{ListenAddress, SystemdSocket};
use crate::systemd::SocketAddress;

/// The most that systemd takes for a name.
const MAX_NAME_BYTES: usize = 255;

/// A text that is no listener's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListenAddressError {
    /// `:8080` or `8080`, which elsewhere means every interface.
    #[error("names no host: write 127.0.0.1:PORT, so that only this machine can connect")]
    NoHost,
    /// No port at the end.
    #[error("names no port: write HOST:PORT; port 0 picks a free one")]
    NoPort,
    /// `unix:` without an absolute path.
    #[error("is no absolute path: write unix:/path/of/the.sock")]
    RelativePath,
    /// `unix:` with more than the system takes for a socket.
    #[error("is too long: the system takes about a hundred bytes for the path of a socket")]
    LongPath,
    /// `systemd:` without a name that systemd could give.
    #[error(
        "is no name of a socket: write systemd:NAME with the FileDescriptorName= of the socket unit"
    )]
    SocketName,
    /// Something else.
    #[error(
        "is no address: write 127.0.0.1:8080, [::1]:8080, localhost:8080, unix:/path/of/the.sock or systemd:NAME"
    )]
    Malformed,
}

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if !path.starts_with('/') || path.contains(char::is_control) {
                Err(ListenAddressError::RelativePath)
            } else if UnixAddress::from_pathname(path).is_err() {
                Err(ListenAddressError::LongPath)
            } else {
                Ok(Self::Unix(PathBuf::from(path)))
            };
        }
        if text == "systemd" {
            return Ok(Self::systemd(None));
        }
        if let Some(name) = text.strip_prefix("systemd:") {
            return if is_socket_name(name) {
                Ok(Self::systemd(Some(name)))
            } else {
                Err(ListenAddressError::SocketName)
            };
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Tcp(address));
        }
        if text.parse::<u16>().is_ok() {
            return Err(ListenAddressError::NoHost);
        }
        let is_bare_host = text.parse::<IpAddr>().is_ok() || text.eq_ignore_ascii_case("localhost");
        if is_bare_host {
            return Err(ListenAddressError::NoPort);
        }
        match text.rsplit_once(':') {
            Some(("", _)) => Err(ListenAddressError::NoHost),
            Some((host, port)) if host.eq_ignore_ascii_case("localhost") => port
                .parse()
                .map(|port| Self::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, port))))
                .map_err(|_| ListenAddressError::NoPort),
            _ => Err(ListenAddressError::Malformed),
        }
    }
}

/// Whether systemd takes this for `FileDescriptorName=`.
fn is_socket_name(name: &str) -> bool {
    let is_fit = |byte| matches!(byte, b' '..=b'~') && byte != b':';
    (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(is_fit)
}

impl ListenAddress {
    fn systemd(name: Option<&str>) -> Self {
        Self::Systemd(SystemdSocket {
            name: name.map(Into::into),
            passed: None,
        })
    }

    /// Whether only this machine can connect. A socket that has not been passed yet is judged when it is.
    pub fn is_local(&self) -> bool {
        match self.bound() {
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Self::Unix(_) | Self::Systemd(_) => true,
        }
    }

    /// The address that a socket which was passed is bound to; every other address is returned as it is.
    pub fn bound(&self) -> Self {
        let Self::Systemd(socket) = self else {
            return self.clone();
        };
        match socket.passed.as_ref().map(|passed| passed.address()) {
            Some(SocketAddress::Tcp(address)) => Self::Tcp(*address),
            Some(SocketAddress::Unix(path)) => Self::Unix(path.clone()),
            None => self.clone(),
        }
    }

    /// Whether both cannot be bound at once.
    pub(super) fn clashes_with(&self, other: &Self) -> bool {
        match (&self.bound(), &other.bound()) {
            // Port 0 stands for a free port, a different one each time.
            (Self::Tcp(a), Self::Tcp(b)) => {
                a.port() != 0
                    && a.port() == b.port()
                    && (covers(a.ip(), b.ip()) || covers(b.ip(), a.ip()))
            }
            (Self::Unix(a), Self::Unix(b)) => a == b,
            (Self::Systemd(a), Self::Systemd(b)) => a == b,
            _ => false,
        }
    }
}

/// Whether a listener at `a` takes what is sent to `b`. `::` takes IPv4 as well, as Linux does by default.
fn covers(a: IpAddr, b: IpAddr) -> bool {
    match a {
        IpAddr::V6(a) if a.is_unspecified() => true,
        IpAddr::V4(a) if a.is_unspecified() => b.to_canonical().is_ipv4(),
        _ => a.to_canonical() == b.to_canonical(),
    }
}

#[cfg(test)]
mod tests {
    use super::{ListenAddressError::*, *};

    #[test]
    fn addresses_are_read_as_documented() {
        let long = format!("unix:/{}", "a".repeat(107));
        let cases = [
            (&*long, Err(LongPath)),
            ("127.0.0.1:8080", Ok("127.0.0.1:8080")),
            ("[::1]:8080", Ok("[::1]:8080")),
            ("localhost:0", Ok("127.0.0.1:0")),
            ("LocalHost:80", Ok("127.0.0.1:80")),
            ("unix:/run/a.sock", Ok("unix:/run/a.sock")),
            ("unix:a.sock", Err(RelativePath)),
            ("unix:", Err(RelativePath)),
            (":8080", Err(NoHost)),
            ("8080", Err(NoHost)),
            ("127.0.0.1", Err(NoPort)),
            ("::1", Err(NoPort)),
            ("localhost", Err(NoPort)),
            ("localhost:http", Err(NoPort)),
            ("example.com:80", Err(Malformed)),
            ("127.0.0.1:65536", Err(Malformed)),
            ("http://127.0.0.1:8080", Err(Malformed)),
            ("", Err(Malformed)),
            ("systemd", Ok("systemd")),
            ("systemd:undersign.socket", Ok("systemd:undersign.socket")),
            ("systemd:", Err(SocketName)),
            ("systemd:a:b", Err(SocketName)),
            ("systemd:\u{e9}", Err(SocketName)),
            ("systemd1", Err(Malformed)),
        ];
        for (text, expected) in cases {
            let read = text
                .parse::<ListenAddress>()
                .map(|address| address.to_string());
            assert_eq!(read, expected.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn addresses_clash_where_the_system_would_refuse_the_second() {
        let cases = [
            ("127.0.0.1:1", "127.0.0.1:1", true),
            ("127.0.0.1:1", "127.0.0.1:2", false),
            ("127.0.0.1:0", "127.0.0.1:0", false),
            ("127.0.0.1:1", "127.0.0.2:1", false),
            ("0.0.0.0:1", "127.0.0.1:1", true),
            ("0.0.0.0:1", "[::1]:1", false),
            ("[::]:1", "127.0.0.1:1", true),
            ("[::1]:1", "127.0.0.1:1", false),
            ("unix:/a", "unix:/a", true),
            ("unix:/a", "unix:/b", false),
            ("systemd:a", "systemd:a", true),
            ("systemd:a", "systemd:b", false),
            ("systemd:a", "127.0.0.1:1", false),
        ];
        for (a, b, expected) in cases {
            let (first, second): (ListenAddress, ListenAddress) =
                (a.parse().unwrap(), b.parse().unwrap());
            assert_eq!(first.clashes_with(&second), expected, "{a} {b}");
            assert_eq!(second.clashes_with(&first), expected, "{b} {a}");
        }
    }

    #[test]
    fn only_loopback_and_unix_sockets_are_local() {
        for (text, expected) in [
            ("127.8.0.1:1", true),
            ("[::1]:1", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("unix:/a", true),
            ("0.0.0.0:1", false),
            ("[::]:1", false),
            ("192.0.2.1:1", false),
        ] {
            assert_eq!(
                text.parse::<ListenAddress>().unwrap().is_local(),
                expected,
                "{text}"
            );
        }
    }
}

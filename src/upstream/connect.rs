//! From a name to a stream: DNS, TCP, TLS.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, lookup_host},
    task::JoinSet,
    time::timeout,
};

use super::{
    fault::{ConnectError, Stage},
    socket::{Attention, Socket},
    tls::{Tls, TlsStream},
};
use crate::{
    config::{ProxyConfig, TlsFault},
    wire::tune,
};

/// How long an address gets before the next one is tried beside it (RFC 8305 §5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Knows where to connect and whom to trust there.
#[derive(Debug)]
pub(crate) struct Dialer {
    host: String,
    port: u16,
    /// `None` for an `http` upstream.
    tls: Option<Tls>,
}

impl Dialer {
    /// Prepares to connect to a proxy's upstream; nothing is looked up yet.
    ///
    /// # Errors
    /// Each TLS setting that can't be used.
    pub(crate) fn new(config: &ProxyConfig) -> Result<Self, Vec<TlsFault>> {
        let origin = &config.upstream;
        let (host, port) = config
            .tls
            .dial
            .clone()
            .unwrap_or_else(|| (origin.host.clone(), origin.port));
        let tls = if origin.https {
            Some(Tls::new(&config.name, &config.tls, &origin.host)?)
        } else {
            None
        };
        Ok(Self { host, port, tls })
    }

    /// All three stages one after the other, within `limit` for all of them.
    ///
    /// # Errors
    /// The stage that failed and how.
    pub(crate) async fn dial(&self, limit: Duration) -> Result<Stream, ConnectError> {
        let mut stage = Stage::Dns;
        let dialled = timeout(limit, self.dial_through(&mut stage)).await;
        dialled.unwrap_or(Err(ConnectError::Timeout { stage, limit }))
    }

    async fn dial_through(&self, stage: &mut Stage) -> Result<Stream, ConnectError> {
        let addresses = self.resolve().await?;
        *stage = Stage::Tcp;
        let tcp = Self::reach(addresses).await?;
        *stage = Stage::Tls;
        self.secure(tcp).await
    }

    /// The host that is looked up, and the port.
    pub(crate) fn target(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// How TLS is spoken; `None` for an `http` upstream.
    pub(crate) fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// The first stage: the addresses to try, in their order.
    ///
    /// # Errors
    /// The name can't be looked up.
    pub(crate) async fn resolve(&self) -> Result<Vec<SocketAddr>, ConnectError> {
        if let Ok(address) = self.host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, self.port)]);
        }
        let fault = |source| ConnectError::Dns {
            host: self.host.clone(),
            source,
        };
        let found = lookup_host((self.host.as_str(), self.port)).await;
        let addresses = alternate_families(found.map_err(fault)?.collect());
        if addresses.is_empty() {
            return Err(fault(io::Error::new(
                io::ErrorKind::NotFound,
                "the name has no address",
            )));
        }
        Ok(addresses)
    }

    /// The second stage: a connection to the first address that accepts one.
    ///
    /// # Errors
    /// None does.
    pub(crate) async fn reach(addresses: Vec<SocketAddr>) -> Result<TcpStream, ConnectError> {
        let tcp = connect_first(addresses).await?;
        tune(&tcp);
        Ok(tcp)
    }

    /// The third stage: TLS, unless the upstream is an `http` one.
    ///
    /// # Errors
    /// There is no TLS, or the upstream is not trusted.
    pub(crate) async fn secure(&self, tcp: TcpStream) -> Result<Stream, ConnectError> {
        match &self.tls {
            None => Ok(Stream::Plain(Socket::new(tcp))),
            Some(tls) => {
                let stream = tls.connect(Socket::new(tcp)).await?;
                Ok(Stream::Tls(Box::new(stream)))
            }
        }
    }
}

/// Orders addresses so that the families take turns, beginning with the resolver's first (RFC 8305 §4).
fn alternate_families(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut ordered = Vec::with_capacity(first.len() + second.len());
    loop {
        let pair = (first.next(), second.next());
        ordered.extend(pair.0);
        ordered.extend(pair.1);
        if pair == (None, None) {
            return ordered;
        }
    }
}

/// Connects to the first address that accepts, each with a head start over the next (RFC 8305 §5).
async fn connect_first(addresses: Vec<SocketAddr>) -> Result<TcpStream, ConnectError> {
    let mut waiting = addresses.into_iter();
    let mut attempts = JoinSet::new();
    let mut start_next = |attempts: &mut JoinSet<_>| {
        let Some(address) = waiting.next() else {
            return false;
        };
        attempts.spawn(async move {
            let connected = TcpStream::connect(address).await;
            connected.map_err(|source| ConnectError::Tcp { address, source })
        });
        true
    };
    start_next(&mut attempts);
    let mut more = true;
    loop {
        let finished = if more {
            timeout(ATTEMPT_DELAY, attempts.join_next()).await
        } else {
            Ok(attempts.join_next().await)
        };
        match finished {
            Ok(Some(Ok(Ok(stream)))) => return Ok(stream),
            Ok(Some(Ok(Err(error)))) => {
                more = start_next(&mut attempts);
                if attempts.is_empty() {
                    return Err(error);
                }
            }
            // An attempt neither panics nor is cancelled while the set is alive.
            Ok(Some(Err(_)) | None) | Err(_) => more = start_next(&mut attempts),
        }
    }
}

/// A connection to the upstream.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(Socket),
    Tls(Box<TlsStream>),
}

impl Stream {
    /// What decides about each use of the socket.
    pub(super) fn attention(&self) -> Attention {
        match self {
            Self::Plain(socket) => socket.attention(),
            Self::Tls(stream) => stream.get_ref().0.attention(),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, out),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, out),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, data),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, data),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_families_take_turns() {
        let parse = |list: &[&str]| -> Vec<SocketAddr> {
            list.iter()
                .map(|address| address.parse().unwrap())
                .collect()
        };
        let given = parse(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "2.2.2.2:1"]);
        let wanted = parse(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"]);
        assert_eq!(alternate_families(given), wanted);
    }

    #[tokio::test]
    async fn an_address_to_dial_is_not_looked_up() {
        for host in ["::1", "2001:db8::7", "192.0.2.7"] {
            let dialer = Dialer {
                host: host.to_owned(),
                port: 8443,
                tls: None,
            };
            let address = SocketAddr::new(host.parse().unwrap(), 8443);
            assert_eq!(dialer.resolve().await.unwrap(), [address]);
        }
    }

    #[tokio::test]
    async fn the_first_address_that_accepts_is_taken() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let closed = {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            listener.local_addr().unwrap()
        };
        let stream = connect_first(vec![closed, good]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
        let error = connect_first(vec![closed]).await.unwrap_err();
        assert!(matches!(error, ConnectError::Tcp { address, .. } if address == closed));
    }
}

//! The client for a health check: a container image needs no curl to ask whether the daemon is ready.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{
    Request, StatusCode, Uri,
    client::conn::http1,
    header::{HOST, HeaderValue},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    time::timeout,
};

use crate::config::ListenAddress;

/// For the whole of it.
const LIMIT: Duration = Duration::from_secs(3);

/// More than any reason takes.
const REASON_BYTES: usize = 1024;

/// Why the daemon is not known to be ready.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// Nothing accepts connections there.
    #[error("cannot connect to {address}: {error}")]
    Connect {
        /// Where it was sought.
        address: ListenAddress,
        /// What became of it.
        error: io::Error,
    },
    /// It does not speak HTTP, or hung up.
    #[error("no answer that could be understood: {0}")]
    Http(#[from] hyper::Error),
    /// It took more than three seconds.
    #[error("no answer within {} s", LIMIT.as_secs())]
    TooSlow,
    /// It says that it is not ready.
    #[error("not ready: {status}: {}", reason.escape_debug())]
    NotReady {
        /// The status of the answer.
        status: StatusCode,
        /// Its text, as it came.
        reason: String,
    },
}

/// Asks the admin listener at `address` whether the daemon is ready, for three seconds at most.
///
/// # Errors
///
/// When it does not say that it is.
pub async fn probe(address: &ListenAddress) -> Result<(), ProbeError> {
    timeout(LIMIT, ask(address))
        .await
        .unwrap_or(Err(ProbeError::TooSlow))
}

async fn ask(address: &ListenAddress) -> Result<(), ProbeError> {
    let failed = |error| ProbeError::Connect {
        address: address.clone(),
        error,
    };
    match address {
        ListenAddress::Tcp(tcp) => {
            let stream = TcpStream::connect(reachable(*tcp)).await.map_err(failed)?;
            ask_over(stream).await
        }
        ListenAddress::Unix(path) => {
            let stream = UnixStream::connect(path).await.map_err(failed)?;
            ask_over(stream).await
        }
        ListenAddress::Systemd(_) => Err(failed(io::Error::new(
            io::ErrorKind::AddrNotAvailable,
            "systemd alone knows where this is: give the address itself",
        ))),
    }
}

async fn ask_over<S>(stream: S) -> Result<(), ProbeError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut request = Request::new(Empty::<Bytes>::new());
    *request.uri_mut() = Uri::from_static("/readyz");
    request
        .headers_mut()
        .insert(HOST, HeaderValue::from_static("localhost"));

    // It ends with the request, and what goes wrong with it goes wrong with the request.
    tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let status = response.status();
    if status == StatusCode::OK {
        return Ok(());
    }
    let body = Limited::new(response.into_body(), REASON_BYTES);
    // The status says enough where the text cannot be read.
    let reason = match body.collect().await {
        Ok(body) => String::from_utf8_lossy(&body.to_bytes()).trim().to_owned(),
        Err(_) => String::new(),
    };
    Err(ProbeError::NotReady { status, reason })
}

/// One can listen on every address, but must connect to one.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

//! Why an upstream can't be used, or not be connected to.

use std::{fmt, io, net::SocketAddr, time::Duration};

use super::{alert::Alert, distrust::Distrusted};

/// Why there is no connection to the upstream.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name could not be looked up.
    #[error("the name {host} could not be resolved: {source}")]
    Dns {
        /// The name.
        host: String,
        /// What the system's resolver said.
        source: io::Error,
    },
    /// No address accepted the connection.
    #[error("could not connect to {address}: {source}")]
    Tcp {
        /// The address that was tried last.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// TLS could not be agreed on, or the certificate is not trusted.
    #[error("{0}")]
    Tls(#[from] TlsFailure),
    /// It took too long.
    #[error("no connection within {} ms ({stage})", limit.as_millis())]
    Timeout {
        /// What was under way.
        stage: Stage,
        /// The limit.
        limit: Duration,
    },
    /// The connection could not be taken into use.
    #[error("the connection could not be taken into use: {0}")]
    Handshake(hyper::Error),
}

/// A stage of connecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Looking up the name.
    Dns,
    /// Connecting.
    Tcp,
    /// Agreeing on TLS.
    Tls,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dns => "looking up the name",
            Self::Tcp => "connecting",
            Self::Tls => "TLS handshake",
        })
    }
}

/// Why TLS with the upstream failed.
#[derive(Debug, thiserror::Error)]
pub enum TlsFailure {
    /// The upstream's certificate is not trusted.
    #[error("the upstream's certificate is not trusted: it {0}")]
    Certificate(Box<Distrusted>),
    /// The upstream ended the handshake with an alert.
    #[error("the upstream refused the TLS handshake: {0}")]
    Alert(Alert),
    /// The upstream does not speak TLS as it should.
    #[error("no TLS with the upstream: {0}")]
    Protocol(String),
    /// The connection broke during the handshake.
    #[error("the connection broke during the TLS handshake: {0}")]
    Broken(io::Error),
}

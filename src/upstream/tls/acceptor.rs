//! The side that serves, for the demonstration platform.

use std::{fmt, io, sync::Arc};

use rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::pin_of;
use crate::upstream::certificate::Pin;

/// Accepts TLS connections with a certificate made at its start.
#[derive(Clone)]
pub struct Acceptor {
    acceptor: TlsAcceptor,
    pin: Pin,
}

impl Acceptor {
    /// Makes a key and a self-signed certificate for `names`, valid from now on, and keeps both in memory only.
    ///
    /// # Errors
    /// What the cryptographic library objects to.
    pub fn self_signed(names: &[&str]) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let made = rcgen::generate_simple_self_signed(names)?;
        let certificate = made.cert.der().clone();
        let pin = pin_of(&certificate)?;
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())?;
        let server = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(server)),
            pin,
        })
    }

    /// The pin of its public key, as `tls.pin_sha256` takes it.
    pub fn pin(&self) -> [u8; 32] {
        self.pin.0
    }

    /// Speaks TLS over an accepted connection.
    ///
    /// # Errors
    /// The handshake failed.
    pub async fn accept(
        &self,
        tcp: TcpStream,
    ) -> io::Result<tokio_rustls::server::TlsStream<TcpStream>> {
        self.acceptor.accept(tcp).await
    }
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor")
            .field("pin", &self.pin)
            .finish_non_exhaustive()
    }
}

//! TLS, towards the upstream and, for the demonstration platform, as a server. No other file names rustls.

use std::{
    collections::HashSet,
    fmt::{self, Display},
    fs, io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, InconsistentKeys, OtherError,
    RootCertStore, ServerConfig, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{
        CryptoProvider,
        aws_lc_rs::{self, sign::any_supported_type},
        verify_tls12_signature, verify_tls13_signature,
    },
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    server::ParsedCertificate,
    sign::{CertifiedKey, SingleCertAndKey},
};
use rustls_platform_verifier::Verifier;
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tracing::warn;
use zeroize::{Zeroize as _, Zeroizing};

use super::fault::{TlsFailure, TlsFault};
use crate::config::{TlsConfig, Trust};

/// A TLS stream to the upstream.
pub type TlsStream = tokio_rustls::client::TlsStream<TcpStream>;

/// How to speak TLS with one upstream, and whom to trust.
#[derive(Clone)]
pub struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Tls {
    /// Prepares TLS for the upstream `host` of the proxy `proxy`.
    ///
    /// # Errors
    /// The first setting that can't be used, with its key.
    pub fn new(proxy: &str, config: &TlsConfig, host: &str) -> Result<Self, TlsFault> {
        let (key, name) = match &config.server_name {
            Some(name) => ("server_name", name.as_str()),
            None => ("upstream", host),
        };
        let name = ServerName::try_from(name.to_owned())
            .map_err(|_| fault(key, &"is neither a DNS name nor an IP address"))?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| fault("trust", &error))?
            .dangerous()
            .with_custom_certificate_verifier(verifier(proxy, config, provider)?);
        let mut client = match &config.client_certificate {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder.with_client_cert_resolver(Arc::new(
                SingleCertAndKey::from(read_identity(chain, key)?),
            )),
        };
        client.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            connector: TlsConnector::from(Arc::new(client)),
            name,
        })
    }

    /// Speaks TLS over a connection to the upstream.
    ///
    /// # Errors
    /// Why not; there is no fallback to anything weaker.
    pub async fn connect(&self, tcp: TcpStream) -> Result<TlsStream, TlsFailure> {
        self.connector
            .connect(self.name.clone(), tcp)
            .await
            .map_err(TlsFailure::from)
    }
}

impl From<io::Error> for TlsFailure {
    fn from(error: io::Error) -> Self {
        let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref()) else {
            return Self::Broken(error);
        };
        match inner {
            rustls::Error::InvalidCertificate(reason) => Self::Certificate(explain(reason)),
            rustls::Error::AlertReceived(alert) => Self::Alert(format!("{alert:?}")),
            other => Self::Protocol(other.to_string()),
        }
    }
}

/// Whether a connection failed because the peer said so by an alert, such as one that wants a client certificate:
/// by TLS 1.3, that comes only after the handshake.
pub(crate) fn is_alert(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(inner, Some(rustls::Error::AlertReceived(_)))
}

/// Says what to do about the failures that users meet.
fn explain(reason: &CertificateError) -> String {
    let text = rustls::Error::InvalidCertificate(reason.clone()).to_string();
    let text = text
        .strip_prefix("invalid peer certificate: ")
        .unwrap_or(&text);
    match reason {
        // An authority that was made anew under its old name is known, but has not signed with the key it is known by.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => format!(
            "{text}; if the platform uses a certificate of its own, set tls.ca_file or tls.pin_sha256"
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("{text}; if the platform is meant to go by another name, set tls.server_name")
        }
        CertificateError::Other(OtherError(other)) => other.to_string(),
        _ => text.to_owned(),
    }
}

fn fault(key: &'static str, message: &dyn Display) -> TlsFault {
    TlsFault {
        key,
        message: message.to_string(),
    }
}

fn read_certificates(
    key: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    // The path is not shown: it may be a secret, given by mistake.
    let unreadable = || {
        fault(
            key,
            &"names a file that no certificate can be read from: it must be a PEM file",
        )
    };
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|_| unreadable())?;
    if certificates.is_empty() {
        return Err(unreadable());
    }
    Ok(certificates)
}

/// A certificate chain and its private key. What is read of the key is wiped once the key has been made of it.
fn read_identity(chain: &Path, key: &Path) -> Result<CertifiedKey, TlsFault> {
    let chain = read_certificates("client_certificate_file", chain)?;
    let pem = fs::read(key).map(Zeroizing::new);
    let der = pem
        .ok()
        .and_then(|pem| PrivateKeyDer::from_pem_slice(&pem).ok());
    let mut der = der.ok_or_else(|| {
        fault(
            "client_key_file",
            &"names a file that no private key can be read from: it must be a PEM file that is not encrypted",
        )
    })?;
    let key = any_supported_type(&der);
    der.zeroize();
    let identity = CertifiedKey::new(
        chain,
        key.map_err(|error| fault("client_key_file", &error))?,
    );
    match identity.keys_match() {
        // A key that does not tell its public half can't be compared.
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(identity),
        Err(error) => Err(fault("client_key_file", &error)),
    }
}

fn verifier(
    proxy: &str,
    config: &TlsConfig,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, TlsFault> {
    if !config.pin_sha256.is_empty() || config.trust == Trust::SelfSigned {
        return Ok(Arc::new(KeyVerifier {
            pins: config.pin_sha256.clone(),
            proxy: proxy.to_owned(),
            warned: Mutex::default(),
            provider,
        }));
    }
    match &config.ca_file {
        None => {
            let verifier = Verifier::new(provider).map_err(|error| {
                fault("trust", &format_args!("the system's root certificates can't be used ({error}); install ca-certificates, or set tls.ca_file"))
            })?;
            Ok(Arc::new(verifier))
        }
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in read_certificates("ca_file", path)? {
                roots
                    .add(certificate)
                    .map_err(|error| fault("ca_file", &error))?;
            }
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|error| fault("ca_file", &error))?;
            Ok(verifier)
        }
    }
}

/// Judges a certificate by its public key alone: by pins, or, without any, not at all.
#[derive(Debug)]
struct KeyVerifier {
    /// Trusted keys; empty means any.
    pins: Vec<[u8; 32]>,
    proxy: String,
    /// Keys that have been warned of.
    warned: Mutex<HashSet<[u8; 32]>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for KeyVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let key = key_digest(end_entity)?;
        if self.pins.is_empty() {
            self.warn_once(key);
            return Ok(ServerCertVerified::assertion());
        }
        if self.pins.contains(&key) {
            return Ok(ServerCertVerified::assertion());
        }
        let mismatch = OtherError(Arc::new(PinMismatch(key)));
        Err(CertificateError::Other(mismatch).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

impl KeyVerifier {
    fn warn_once(&self, key: [u8; 32]) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.insert(key) {
            let pin = pin_text(&key);
            warn!(
                proxy = self.proxy,
                pin,
                "the upstream's certificate is not verified (trust = \"self-signed\"); to trust only this key, set tls.pin_sha256 to the pin"
            );
        }
    }
}

/// The upstream presented a key that is not pinned.
#[derive(Debug, thiserror::Error)]
#[error("its public key has the pin {}, which is not in tls.pin_sha256", pin_text(.0))]
struct PinMismatch([u8; 32]);

/// SHA-256 of a certificate's public key (SubjectPublicKeyInfo, RFC 7469 §2.4).
fn key_digest(certificate: &CertificateDer<'_>) -> Result<[u8; 32], rustls::Error> {
    let parsed = ParsedCertificate::try_from(certificate)?;
    Ok(Sha256::digest(parsed.subject_public_key_info()).into())
}

fn pin_text(key: &[u8; 32]) -> String {
    format!("sha256//{}", BASE64.encode(key))
}

/// Accepts TLS connections with a certificate made at its start.
#[derive(Clone)]
pub struct Acceptor {
    acceptor: TlsAcceptor,
    pin: [u8; 32],
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
        let pin = key_digest(&certificate)?;
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
        self.pin
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
            .field("pin", &pin_text(&self.pin))
            .finish_non_exhaustive()
    }
}

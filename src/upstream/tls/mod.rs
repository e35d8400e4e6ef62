//! TLS, towards the upstream and, for the demonstration platform, as a server. No other module names rustls.

mod acceptor;
mod identity;
mod judge;
mod warner;

use std::{cell::RefCell, fmt, io, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, Error, OtherError,
    client::verify_server_name,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName},
    server::ParsedCertificate,
    sign::{CertifiedKey, SingleCertAndKey},
};
use time::OffsetDateTime;
use tokio::task_local;
use tokio_rustls::TlsConnector;

pub use self::acceptor::Acceptor;
use self::identity::read_identity;
use self::judge::{Judge, Listed, PinMismatch, Roots, read_roots};
use super::{
    alert::Alert,
    certificate::{Certificate, Pin, Presented, read_chain, shown},
    distrust::{Distrust, Distrusted},
    fault::TlsFailure,
    pem::fault,
    socket::Socket,
};
use crate::config::{TlsConfig, TlsFault};

/// A TLS stream to the upstream.
pub type TlsStream = tokio_rustls::client::TlsStream<Socket>;

task_local! {
    /// The chain that the handshake under way was shown and did not trust. Only its verifier gets to see it; to put it
    /// into an error of the verifier's own would cost the upstream the alert that says what is wrong.
    static REJECTED: RefCell<Rejection>;
}

/// What a handshake did not trust.
#[derive(Debug, Default)]
struct Rejection {
    chain: Vec<CertificateDer<'static>>,
    /// Whether the certificate would do, but what was signed with its key would not.
    for_its_signature: bool,
}

/// How to speak TLS with one upstream, and whom to trust.
#[derive(Clone)]
pub struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
    client_certificate: Option<Arc<Certificate>>,
    listed: Listed,
    notes: Vec<String>,
}

/// All that is wrong with settings for the upstream `host`. The system's roots are not looked at.
pub fn check_tls(config: &TlsConfig, host: &str) -> Vec<TlsFault> {
    Material::read(config, host).err().unwrap_or_default()
}

/// The name to verify, and what is in the files that settings name.
struct Material {
    name: ServerName<'static>,
    roots: Option<Roots>,
    identity: Option<CertifiedKey>,
}

impl Material {
    fn read(config: &TlsConfig, host: &str) -> Result<Self, Vec<TlsFault>> {
        let (key, name) = match &config.server_name {
            Some(name) => ("server_name", name.as_str()),
            None => ("upstream", host),
        };
        let name = ServerName::try_from(name.to_owned())
            .map_err(|_| vec![fault(key, "is neither a DNS name nor an IP address")]);
        // Where a pin decides, the roots are read all the same: a file that is wrong is wrong.
        let roots = config.ca_file.as_deref().map(read_roots).transpose();
        let roots = roots.map_err(|fault| vec![fault]);
        let files = config.client_certificate.as_ref();
        let identity = files.map(|(chain, key)| read_identity(chain, key));
        match (name, roots, identity.transpose()) {
            (Ok(name), Ok(roots), Ok(identity)) => Ok(Self {
                name,
                roots,
                identity,
            }),
            (name, roots, identity) => {
                let faults = [name.err(), roots.err(), identity.err()];
                Err(faults.into_iter().flatten().flatten().collect())
            }
        }
    }
}

/// What a handshake came to.
#[derive(Clone, Debug)]
pub struct Session {
    /// The version, such as `TLS 1.3`.
    pub version: String,
    /// The cipher suite.
    pub cipher: String,
    /// What the upstream presented.
    pub presented: Presented,
    /// Whether its certificate is itself in `ca_file`.
    pub is_listed: bool,
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
    /// Each setting that can't be used, with its key.
    pub fn new(proxy: &str, config: &TlsConfig, host: &str) -> Result<Self, Vec<TlsFault>> {
        let Material {
            name,
            roots,
            identity,
        } = Material::read(config, host)?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let listed = roots.as_ref().map(|roots| Arc::clone(&roots.listed));
        let judge = Judge::new(proxy, config, roots, Arc::clone(&provider));
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| vec![fault("trust", error)])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(judge.map_err(|fault| vec![fault])?));
        let mut client_certificate = None;
        let mut client = match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let own = identity.cert.first();
                client_certificate = own.and_then(|own| Certificate::read(own)).map(Arc::new);
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity)))
            }
        };
        client.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            connector: TlsConnector::from(Arc::new(client)),
            name,
            notes: notes(config, client_certificate.as_deref()),
            client_certificate,
            listed: listed.unwrap_or_default(),
        })
    }

    /// The certificate that the upstream is shown if it asks for one.
    pub fn client_certificate(&self) -> Option<&Arc<Certificate>> {
        self.client_certificate.as_ref()
    }

    /// What is allowed, and yet not as it should be.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The name that is asked for, and verified.
    pub fn name(&self) -> String {
        self.name.to_str().into_owned()
    }

    /// Speaks TLS over a connection to the upstream.
    ///
    /// # Errors
    /// Why not; there is no fallback to anything weaker.
    pub async fn connect(&self, socket: Socket) -> Result<TlsStream, TlsFailure> {
        let handshake = async {
            let outcome = self.connector.connect(self.name.clone(), socket).await;
            outcome.map_err(|error| self.failure(error, &REJECTED.with(RefCell::take)))
        };
        REJECTED.scope(RefCell::default(), handshake).await
    }

    /// What the handshake of a connection came to.
    pub fn session(&self, stream: &TlsStream) -> Session {
        let (_, connection) = stream.get_ref();
        let version = connection.protocol_version();
        let version = version.and_then(|version| version.as_str());
        let cipher = connection.negotiated_cipher_suite();
        let cipher = cipher.and_then(|cipher| cipher.suite().as_str());
        let chain = connection.peer_certificates().unwrap_or_default();
        Session {
            // rustls spells them as identifiers.
            version: version.unwrap_or("TLS").replace("TLSv1_", "TLS 1."),
            cipher: cipher.unwrap_or("?").replacen("TLS13_", "TLS_", 1),
            presented: self.presented(chain),
            is_listed: chain.first().is_some_and(|own| self.listed.contains(own)),
        }
    }

    fn presented(&self, chain: &[CertificateDer<'_>]) -> Presented {
        let own = chain.first().map(ParsedCertificate::try_from);
        let is_for_name =
            matches!(own, Some(Ok(own)) if verify_server_name(&own, &self.name).is_ok());
        Presented {
            chain: read_chain(chain.iter().map(|certificate| &**certificate)),
            is_for_name,
        }
    }

    fn failure(&self, error: io::Error, rejected: &Rejection) -> TlsFailure {
        let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref()) else {
            return TlsFailure::Broken(error);
        };
        match inner {
            Error::InvalidCertificate(reason) => {
                let presented = self.presented(&rejected.chain);
                let own = presented.chain.first();
                let reason = match self.distrust(reason, rejected.for_its_signature) {
                    // Another key than that of the platform may be another's altogether.
                    reason @ Distrust::Pin { .. } => reason,
                    reason => own.and_then(Distrust::of_any).unwrap_or(reason),
                };
                TlsFailure::Certificate(Box::new(Distrusted { reason, presented }))
            }
            Error::AlertReceived(_) => match alert(&error, self.client_certificate()) {
                Some(alert) => TlsFailure::Alert(alert),
                None => TlsFailure::Broken(error),
            },
            other => TlsFailure::Protocol(shown(&other.to_string())),
        }
    }

    fn distrust(&self, reason: &CertificateError, for_its_signature: bool) -> Distrust {
        match reason {
            CertificateError::BadSignature if for_its_signature => Distrust::KeyNotProven,
            // An authority that was made anew under its old name is known, but has not signed with the key it is known by.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                Distrust::UnknownIssuer
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                Distrust::Expired
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Distrust::NotYetValid
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Distrust::Name(self.name())
            }
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                Distrust::Purpose
            }
            CertificateError::Other(OtherError(other)) => match other.downcast_ref() {
                Some(PinMismatch { issuer_is_pinned }) => Distrust::Pin {
                    issuer_is_pinned: *issuer_is_pinned,
                },
                // The library keeps the type to itself.
                None if other.to_string() == "CaUsedAsEndEntity" => Distrust::Authority,
                None => Distrust::Other(shown(&other.to_string())),
            },
            other => Distrust::Other(shown(&other.to_string())),
        }
    }
}

fn notes(config: &TlsConfig, client_certificate: Option<&Certificate>) -> Vec<String> {
    let mut notes = Vec::new();
    if !config.pin_sha256.is_empty() && config.ca_file.is_some() {
        notes.push("tls.ca_file has no effect beside tls.pin_sha256, which alone decides: remove one of them".to_owned());
    }
    if let Some(certificate) = client_certificate {
        let now = OffsetDateTime::now_utc();
        if certificate.not_after < now {
            notes.push(format!(
                "the certificate of tls.client_certificate_file has expired: {certificate}"
            ));
        } else if now < certificate.not_before {
            notes.push(format!(
                "the certificate of tls.client_certificate_file is not valid yet: {certificate}"
            ));
        }
    }
    notes
}

/// The alert by which a connection has failed, if it has. By TLS 1.3, one that wants a client certificate comes only after
/// the handshake.
pub(crate) fn alert(error: &io::Error, shown: Option<&Arc<Certificate>>) -> Option<Alert> {
    match error.get_ref()?.downcast_ref()? {
        Error::AlertReceived(alert) => {
            let id = u8::from(*alert);
            Some(Alert::new(id, &format!("{alert:?}"), shown.cloned()))
        }
        _ => None,
    }
}

/// The pin of a certificate's key.
fn pin_of(certificate: &CertificateDer<'_>) -> Result<Pin, Error> {
    let parsed = ParsedCertificate::try_from(certificate)?;
    Ok(Pin::of(&parsed.subject_public_key_info()))
}

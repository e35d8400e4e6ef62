//! Whom to trust: chains that end at a root, pinned keys, or anybody.

use std::{iter, path::Path, sync::Arc};

use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use rustls_platform_verifier::Verifier;

use super::{REJECTED, Rejection, pin_of, warner::Warner};
use crate::{
    config::{TlsConfig, TlsFault, Trust},
    upstream::{
        certificate::{Certificate, Pin},
        pem::{fault, read_certificates},
    },
};

/// Judges what upstreams present, and keeps what is rejected for whoever tells of it.
#[derive(Debug)]
pub(super) struct Judge {
    trusted: Trusted,
    provider: Arc<CryptoProvider>,
}

#[derive(Debug)]
enum Trusted {
    /// Chains that end at a root, and those certificates that are roots themselves.
    Chains(Arc<dyn ServerCertVerifier>, Listed),
    /// Keys, whatever else the certificate says.
    Keys(Vec<Pin>),
    /// Any key; it is warned of.
    Anything(Warner),
}

/// The certificates of `ca_file`, byte for byte.
pub(super) type Listed = Arc<[CertificateDer<'static>]>;

/// What is in `ca_file`.
pub(super) struct Roots {
    store: RootCertStore,
    pub(super) listed: Listed,
}

/// Public keys are pinned, and the upstream's is none of them.
#[derive(Debug, thiserror::Error)]
#[error("the public key is not pinned")]
pub(super) struct PinMismatch {
    /// Whether the key of one of its issuers is.
    pub(super) issuer_is_pinned: bool,
}

impl Judge {
    /// Prepares what `config` says of the proxy `proxy`, whose file of roots has been read.
    ///
    /// # Errors
    /// Roots that can't be used.
    pub(super) fn new(
        proxy: &str,
        config: &TlsConfig,
        roots: Option<Roots>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, TlsFault> {
        let trusted = if !config.pin_sha256.is_empty() {
            Trusted::Keys(config.pin_sha256.iter().copied().map(Pin).collect())
        } else if config.trust == Trust::SelfSigned {
            Trusted::Anything(Warner::new(proxy))
        } else {
            let (store, listed) = roots.map(|roots| (roots.store, roots.listed)).unzip();
            let verifier = chains(store, Arc::clone(&provider))?;
            Trusted::Chains(verifier, listed.unwrap_or_default())
        };
        Ok(Self { trusted, provider })
    }

    /// Judges a certificate that stands in `ca_file`: it needs no issuer, and may be an authority's own, as it is if `openssl
    /// req -x509` made it.
    fn judge_listed(
        own: &CertificateDer<'_>,
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let parsed = ParsedCertificate::try_from(own)?;
        let read = Certificate::read(own).ok_or(CertificateError::BadEncoding)?;
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        if now < read.not_before.unix_timestamp() {
            return Err(CertificateError::NotValidYet.into());
        }
        if now > read.not_after.unix_timestamp() {
            return Err(CertificateError::Expired.into());
        }
        if !read.is_for_servers {
            return Err(CertificateError::InvalidPurpose.into());
        }
        verify_server_name(&parsed, name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn judge_keys(
        pins: &[Pin],
        own: &CertificateDer<'_>,
        issuers: &[CertificateDer<'_>],
    ) -> Result<ServerCertVerified, Error> {
        if pins.contains(&pin_of(own)?) {
            return Ok(ServerCertVerified::assertion());
        }
        // Nobody has checked that they are its issuers: whoever sits in between could add any certificate to a chain.
        let is_pinned = |issuer| pin_of(issuer).is_ok_and(|pin| pins.contains(&pin));
        let mismatch = PinMismatch {
            issuer_is_pinned: issuers.iter().any(is_pinned),
        };
        Err(CertificateError::Other(OtherError(Arc::new(mismatch))).into())
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        issuers: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = match &self.trusted {
            Trusted::Chains(_, listed) if listed.contains(own) => {
                Self::judge_listed(own, name, now)
            }
            Trusted::Chains(verifier, _) => {
                verifier.verify_server_cert(own, issuers, name, ocsp, now)
            }
            Trusted::Keys(pins) => Self::judge_keys(pins, own, issuers),
            Trusted::Anything(warner) => pin_of(own).map(|_| {
                warner.warn_once(own);
                ServerCertVerified::assertion()
            }),
        };
        verdict.inspect_err(|_| reject(iter::once(own).chain(issuers), false))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, own, signed, algorithms)
            .inspect_err(|_| reject(iter::once(own), true))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, own, signed, algorithms)
            .inspect_err(|_| reject(iter::once(own), true))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn reject<'a>(chain: impl Iterator<Item = &'a CertificateDer<'a>>, for_its_signature: bool) {
    let chain = chain.map(|certificate| certificate.clone().into_owned());
    let rejection = Rejection {
        chain: chain.collect(),
        for_its_signature,
    };
    // Outside of `Tls::connect` there is nobody to tell of it.
    let _ = REJECTED.try_with(|rejected| rejected.replace(rejection));
}

fn chains(
    roots: Option<RootCertStore>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, TlsFault> {
    let Some(roots) = roots else {
        let verifier = Verifier::new(provider).map_err(|error| {
            fault("trust", format_args!("the system's root certificates can't be used ({error}); install ca-certificates, or set tls.ca_file"))
        })?;
        return Ok(Arc::new(verifier));
    };
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| fault("ca_file", error))?;
    Ok(verifier)
}

/// Reads `ca_file`.
pub(super) fn read_roots(path: &Path) -> Result<Roots, TlsFault> {
    let mut store = RootCertStore::empty();
    let file = path.display();
    let certificates = read_certificates("ca_file", path)?;
    for (number, certificate) in (1..).zip(&certificates) {
        store.add(certificate.clone()).map_err(|_| {
            fault(
                "ca_file",
                format_args!(
                    "entry {number} of {file} is no certificate that can be a root: remove it"
                ),
            )
        })?;
    }
    Ok(Roots {
        store,
        listed: certificates.into(),
    })
}

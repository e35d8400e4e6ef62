//! Certificates made at run time, good ones and bad ones.

use std::fs;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    PKCS_RSA_SHA256, PublicKeyData, RsaKeySize, date_time_ymd,
};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

use super::weak_key::WeakKey;

/// The name that certificates are made out to beside the address of the upstream.
pub(crate) const NAME: &str = "platform.test";

/// A new RSA key of 2048 bits as PKCS #8, in PEM.
pub(crate) fn rsa_key() -> String {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)
        .unwrap()
        .serialize_pem()
}

/// A certificate with its private key.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    /// The certificate, in PEM.
    pub(crate) pem: String,
    /// Its key, in PEM.
    pub(crate) key_pem: String,
    /// The certificate, in DER.
    pub(crate) der: Vec<u8>,
    /// Its key as PKCS #8, in DER.
    pub(crate) key_der: Vec<u8>,
    /// The base64 of its public key's SHA-256.
    pub(crate) pin: String,
    /// Whether its key is a [`WeakKey`], in PKCS #1.
    pub(crate) is_weak: bool,
    /// What is sent along with it, in DER.
    pub(crate) issuers: Vec<Vec<u8>>,
}

/// An authority that signs certificates.
#[derive(Debug)]
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// The authority's own certificate, in PEM.
    pub(crate) pem: String,
    /// The same, in DER.
    pub(crate) der: Vec<u8>,
}

impl Authority {
    /// Makes an authority.
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "An authority");
        let certificate = params.self_signed(&key).unwrap();
        Self {
            pem: certificate.pem(),
            der: certificate.der().to_vec(),
            issuer: Issuer::new(params, key),
        }
    }

    /// A certificate for `127.0.0.1` and [`NAME`], to serve and to ask with.
    pub(crate) fn issue(&self) -> Certificate {
        self.issue_as(&params(&["127.0.0.1", NAME]))
    }

    /// A certificate that expired long ago.
    pub(crate) fn issue_expired(&self) -> Certificate {
        let mut params = params(&["127.0.0.1", NAME]);
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
        self.issue_as(&params)
    }

    /// A certificate that is valid from so many days from now on, up to so many.
    pub(crate) fn issue_for_days(&self, from: i64, to: i64) -> Certificate {
        let now = OffsetDateTime::now_utc();
        let mut params = params(&["127.0.0.1", NAME]);
        // An hour more, so that the days are full ones while the test runs.
        params.not_before = now + Duration::days(from);
        params.not_after = now + Duration::days(to) + Duration::hours(1);
        self.issue_as(&params)
    }

    /// A certificate whose subject has this name.
    pub(crate) fn issue_to(&self, common_name: &str) -> Certificate {
        let mut params = params(&["127.0.0.1", NAME]);
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        self.issue_as(&params)
    }

    /// A certificate that is sent along with the authority's own.
    pub(crate) fn issue_in_chain(&self) -> Certificate {
        Certificate {
            issuers: vec![self.der.clone()],
            ..self.issue()
        }
    }

    /// The base64 of the SHA-256 of the authority's public key.
    pub(crate) fn pin(&self) -> String {
        pin(self.issuer.key())
    }

    /// A certificate for `name` alone.
    pub(crate) fn issue_for(&self, name: &str) -> Certificate {
        self.issue_as(&params(&[name]))
    }

    /// A directory with its certificate, and the key of `[proxy.NAME.tls]` that names the file.
    pub(crate) fn ca_file(&self) -> (TempDir, String) {
        ca_file(&self.pem)
    }

    fn issue_as(&self, params: &CertificateParams) -> Certificate {
        let key = KeyPair::generate().unwrap();
        let made = params.signed_by(&key, &self.issuer).unwrap();
        Certificate::new(&made, &key)
    }
}

impl Certificate {
    /// A certificate for `127.0.0.1` and [`NAME`] that nobody vouches for.
    pub(crate) fn self_signed() -> Self {
        let key = KeyPair::generate().unwrap();
        let made = params(&["127.0.0.1", NAME]).self_signed(&key).unwrap();
        Self::new(&made, &key)
    }

    /// Likewise, but one that says that it is an authority's.
    pub(crate) fn self_signed_authority() -> Self {
        Self::self_signed_authority_that(|_| ())
    }

    /// Likewise, and one that differs.
    pub(crate) fn self_signed_authority_that(differs: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = params(&["127.0.0.1", NAME]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        differs(&mut params);
        Self::new(&params.self_signed(&key).unwrap(), &key)
    }

    /// A certificate with an RSA key of 1024 bits that nobody vouches for.
    pub(crate) fn weak() -> Self {
        let key = WeakKey::new();
        let made = params(&["127.0.0.1", NAME]).self_signed(&key).unwrap();
        Self {
            pem: made.pem(),
            key_pem: String::new(),
            der: made.der().to_vec(),
            key_der: key.der(),
            pin: pin(&key),
            is_weak: true,
            issuers: Vec::new(),
        }
    }

    /// A certificate that nobody vouches for, and that says that it is of version 1.
    pub(crate) fn of_version_1() -> Self {
        const VERSION_3: [u8; 5] = [0xa0, 3, 2, 1, 2];
        let mut certificate = Self::self_signed();
        let mut versions = certificate.der.windows(VERSION_3.len());
        let at = versions.position(|bytes| bytes == VERSION_3).unwrap();
        certificate.der[at + VERSION_3.len() - 1] = 0;
        certificate
    }

    /// The directory and the key of `[proxy.NAME.tls]` that name the certificate itself as a root.
    pub(crate) fn ca_file(&self) -> (TempDir, String) {
        ca_file(&self.pem)
    }

    fn new(made: &rcgen::Certificate, key: &KeyPair) -> Self {
        Self {
            pem: made.pem(),
            key_pem: key.serialize_pem(),
            der: made.der().to_vec(),
            key_der: key.serialize_der(),
            pin: pin(key),
            is_weak: false,
            issuers: Vec::new(),
        }
    }
}

/// A directory with a file of roots, and the key of `[proxy.NAME.tls]` that names the file.
pub(crate) fn ca_file(pem: &str) -> (TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca.pem");
    fs::write(&path, pem).unwrap();
    let key = format!("ca_file = '{}'", path.display());
    (directory, key)
}

fn pin(key: &impl PublicKeyData) -> String {
    BASE64.encode(Sha256::digest(key.subject_public_key_info()))
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    params
}

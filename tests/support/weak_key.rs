//! RSA keys that are too short for the TLS library, and servers that use them all the same.

use rcgen::{PKCS_RSA_SHA256, PublicKeyData, SignatureAlgorithm as CertificateAlgorithm};
use rsa::{
    PrivateKey,
    pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPrivateKey as _, EncodeRsaPublicKey as _},
    pkcs1v15,
    signature::{SignatureEncoding as _, Signer as _},
};
use rustls::{
    Error, SignatureAlgorithm, SignatureScheme,
    sign::{Signer, SigningKey},
};
use sha2::Sha256;

/// A key of 1024 bits.
#[derive(Clone, Debug)]
pub(crate) struct WeakKey {
    key: pkcs1v15::SigningKey<Sha256>,
    public: Vec<u8>,
}

impl WeakKey {
    /// Makes one.
    pub(crate) fn new() -> Self {
        Self::of(PrivateKey::new(&mut rand::rng(), 1024).unwrap())
    }

    /// Reads one from PKCS #1.
    pub(crate) fn from_der(der: &[u8]) -> Self {
        Self::of(PrivateKey::from_pkcs1_der(der).unwrap())
    }

    fn of(key: PrivateKey) -> Self {
        let public = key.to_public_key().to_pkcs1_der().unwrap();
        Self {
            key: pkcs1v15::SigningKey::new(key),
            public: public.into_vec(),
        }
    }

    /// The key as PKCS #1, in DER.
    pub(crate) fn der(&self) -> Vec<u8> {
        let key: &PrivateKey = self.key.as_ref();
        key.to_pkcs1_der().unwrap().as_bytes().to_vec()
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        self.key.sign(message).to_vec()
    }
}

impl PublicKeyData for WeakKey {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static CertificateAlgorithm {
        &PKCS_RSA_SHA256
    }
}

impl rcgen::SigningKey for WeakKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(self.signature(message))
    }
}

/// As it is used by TLS 1.2; TLS 1.3 has other signatures.
impl SigningKey for WeakKey {
    fn choose_scheme(&self, _offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        Some(Box::new(self.clone()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RSA
    }
}

impl Signer for WeakKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.signature(message))
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::RSA_PKCS1_SHA256
    }
}

//! RSA private keys, and signing with them (RFC 5849 §3.4.3; RSASSA-PKCS1-v1_5, RFC 8017 §8.2).
//!
//! Both libraries here take the same time whatever the key and the text. AWS-LC, which also does the TLS, is the
//! faster one by far, but makes no signatures with SHA-1: for these there is the crate `rsa`, which is constant-time and
//! blinds each operation since its version 0.10. Its blinding is the one use of randomness; signatures don't depend
//! on it.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    digest,
    rsa::KeyPair,
    signature::{self, KeyPair as _},
};
use rsa::{
    BoxedUint, PrivateKey, PublicKey,
    hazmat::rsa_encrypt,
    pkcs1::{DecodeRsaPrivateKey as _, DecodeRsaPublicKey as _},
    pkcs8::{ObjectIdentifier, PrivateKeyInfoRef},
    traits::PublicKeyParts as _,
};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject as _};
use sha1::{Digest as _, Sha1};
use thiserror::Error;
use zeroize::Zeroize as _;

use super::SignatureMethod;

/// An RSA private key, for one of the methods that need one. Clones share the key, which is zeroed when the last one
/// is dropped.
#[derive(Clone)]
pub struct RsaKey(Keyed);

#[derive(Clone)]
enum Keyed {
    Sha1(Arc<PrivateKey>),
    Sha256(Arc<KeyPair>),
    Sha512(Arc<KeyPair>),
}

/// The hash of an RSA signature method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RsaHash {
    /// `RSA-SHA1` (RFC 5849 §3.4.3).
    Sha1,
    /// `RSA-SHA256`, made like the one with SHA-1.
    Sha256,
    /// `RSA-SHA512`, made like the one with SHA-1.
    Sha512,
}

impl RsaHash {
    /// The digest of a text as it stands in a signature, with the name of the hash before it (RFC 8017 §9.2, note 1).
    pub(super) fn digest_info(self, text: &[u8]) -> Vec<u8> {
        const SHA1: &[u8] = b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14";
        const SHA256: &[u8] =
            b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
        const SHA512: &[u8] =
            b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40";
        match self {
            Self::Sha1 => [SHA1, &Sha1::digest(text)].concat(),
            Self::Sha256 => [SHA256, digest::digest(&digest::SHA256, text).as_ref()].concat(),
            Self::Sha512 => [SHA512, digest::digest(&digest::SHA512, text).as_ref()].concat(),
        }
    }
}

impl RsaKey {
    /// Reads a PEM file with a key in PKCS#1 (`RSA PRIVATE KEY`) or PKCS#8 (`PRIVATE KEY`), not encrypted. It has 2048 to
    /// 8192 bits, or for SHA-1, which old services have old keys for, 1024 to 8192.
    ///
    /// # Errors
    /// There is no such key in it.
    pub fn from_pem(hash: RsaHash, pem: &[u8]) -> Result<Self, RsaKeyError> {
        let mut der = private_key(pem)?;
        let keyed = Keyed::new(hash, &der);
        der.zeroize();
        let key = Self(keyed?);
        // Numbers that fit together may be none of a key that signs, such as a product of primes in the place of one.
        match key.try_sign(|_| ()) {
            Some(signature) if key.open(&signature) == Some(hash.digest_info(b"")) => Ok(key),
            _ => Err(RsaKeyError::Malformed),
        }
    }

    /// The method that signs with this key.
    pub fn signature_method(&self) -> SignatureMethod {
        match self.0 {
            Keyed::Sha1(_) => SignatureMethod::RsaSha1,
            Keyed::Sha256(_) => SignatureMethod::RsaSha256,
            Keyed::Sha512(_) => SignatureMethod::RsaSha512,
        }
    }

    /// How many bytes a signature has.
    pub(super) fn signature_length(&self) -> usize {
        match &self.0 {
            Keyed::Sha1(key) => key.size(),
            Keyed::Sha256(key) | Keyed::Sha512(key) => key.public_modulus_len(),
        }
    }

    /// The encoded digest ([`RsaHash::digest_info`]) in a signature; `None` if another key has made it, or none.
    pub(super) fn open(&self, signature: &[u8]) -> Option<Vec<u8>> {
        let public = match &self.0 {
            Keyed::Sha1(key) => key.as_public_key().clone(),
            Keyed::Sha256(key) | Keyed::Sha512(key) => {
                PublicKey::from_pkcs1_der(key.public_key().as_ref()).ok()?
            }
        };
        let bits = public.n().bits_precision();
        let number = BoxedUint::from_be_slice(signature, bits).ok()?;
        if signature.len() != public.size() || number >= *public.n().as_ref() {
            return None;
        }
        let opened = rsa_encrypt(&public, &number)
            .ok()?
            .to_be_bytes_trimmed_vartime();
        // RFC 8017 §9.2: 0x00 0x01 0xff … 0xff 0x00, and the encoded digest. The number has lost its first byte.
        let padded = opened.strip_prefix(b"\x01")?;
        let end = padded.iter().position(|byte| *byte != 0xff)?;
        let digest_info = padded[end..].strip_prefix(b"\0")?;
        Some(digest_info.to_vec())
    }

    /// Signs the base string that the closure writes.
    pub(super) fn sign(&self, write_base_string: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Vec<u8> {
        #[expect(
            clippy::expect_used,
            reason = "a key that has signed once does it again, unless the system gives no random numbers, without which \
                      nothing can be signed safely"
        )]
        self.try_sign(write_base_string).expect("an RSA signature")
    }

    /// Signs, if the key is one that can.
    fn try_sign(&self, write_base_string: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Option<Vec<u8>> {
        let (key, algorithm, encoding) = match &self.0 {
            Keyed::Sha1(key) => {
                let mut hash = Sha1::new();
                write_base_string(&mut |piece| hash.update(piece));
                return key.pkcs1v15_sign_prehash::<Sha1>(&hash.finalize()).ok();
            }
            Keyed::Sha256(key) => (key, &digest::SHA256, &signature::RSA_PKCS1_SHA256),
            Keyed::Sha512(key) => (key, &digest::SHA512, &signature::RSA_PKCS1_SHA512),
        };
        let mut hash = digest::Context::new(algorithm);
        write_base_string(&mut |piece| hash.update(piece));
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign_digest(encoding, &hash.finish(), &mut signature)
            .ok()?;
        Some(signature)
    }
}

impl Keyed {
    fn new(hash: RsaHash, der: &PrivateKeyDer<'_>) -> Result<Self, RsaKeyError> {
        // Whichever library signs, this one says what is wrong with a key.
        let key = parse(der)?;
        let bits = key.n().bit_width() as usize;
        let minimum = if hash == RsaHash::Sha1 { 1024 } else { 2048 };
        if !(minimum..=8192).contains(&bits) {
            return Err(RsaKeyError::Length { bits, minimum });
        }
        Ok(match hash {
            RsaHash::Sha1 => Self::Sha1(Arc::new(key)),
            RsaHash::Sha256 => Self::Sha256(Arc::new(parse_for_aws_lc(der)?)),
            RsaHash::Sha512 => Self::Sha512(Arc::new(parse_for_aws_lc(der)?)),
        })
    }
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaKey({}, [REDACTED])", self.signature_method().name())
    }
}

/// Why a file holds no key to sign with. No message holds any of it.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum RsaKeyError {
    /// There is no PEM section.
    #[error("holds no key in PEM: write it with `openssl pkey -in KEY -out KEY.pem`")]
    NotPem,
    /// The key can be used with a passphrase only.
    #[error(
        "holds an encrypted key, and nobody can be asked for its passphrase: decrypt it with `openssl pkey -in KEY -out KEY.pem`"
    )]
    Encrypted,
    /// Something else is in the file.
    #[error("holds {0}: give the RSA private key that belongs to it")]
    Public(&'static str),
    /// A private key of another kind.
    #[error("holds {0}: the RSA methods need an RSA private key, as `openssl genrsa 3072` makes")]
    OtherKind(&'static str),
    /// A key in a format of OpenSSH's own.
    #[error("holds a key in OpenSSH's own format: rewrite it with `ssh-keygen -p -m PEM -f KEY`")]
    OpenSsh,
    /// The section's content is not what its label says, or its numbers are no key.
    #[error("holds a damaged RSA private key: take it anew from where it comes from")]
    Malformed,
    /// The key is too short for its method, or longer than any should be.
    #[error(
        "holds an RSA key of {bits} bits: its length must be {minimum} to 8192, so make a new one and register it with the platform"
    )]
    Length {
        /// The key's length.
        bits: usize,
        /// The least that is taken.
        minimum: usize,
    },
}

/// The private key in a PEM file, or what else is there.
fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, RsaKeyError> {
    let has = |label: &str| {
        let begin = format!("-----BEGIN {label}-----");
        memchr::memmem::find(pem, begin.as_bytes()).is_some()
    };
    if has("ENCRYPTED PRIVATE KEY")
        || memchr::memmem::find(pem, b"Proc-Type: 4,ENCRYPTED").is_some()
    {
        return Err(RsaKeyError::Encrypted);
    }
    // Some editors write a byte order mark.
    let pem = pem.strip_prefix("\u{feff}".as_bytes()).unwrap_or(pem);
    match PrivateKeyDer::from_pem_slice(pem) {
        Ok(PrivateKeyDer::Sec1(_)) => Err(RsaKeyError::OtherKind("an elliptic curve key")),
        Ok(key) => Ok(key),
        Err(_) if has("PRIVATE KEY") || has("RSA PRIVATE KEY") => Err(RsaKeyError::Malformed),
        Err(_) if has("OPENSSH PRIVATE KEY") => Err(RsaKeyError::OpenSsh),
        Err(_) if has("PUBLIC KEY") || has("RSA PUBLIC KEY") => {
            Err(RsaKeyError::Public("a public key"))
        }
        Err(_) if has("CERTIFICATE") => Err(RsaKeyError::Public("a certificate")),
        Err(_) => Err(RsaKeyError::NotPem),
    }
}

/// `rsaEncryption` (RFC 8017 appendix C).
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

fn parse(der: &PrivateKeyDer<'_>) -> Result<PrivateKey, RsaKeyError> {
    let key = match der {
        PrivateKeyDer::Pkcs1(key) => PrivateKey::from_pkcs1_der(key.secret_pkcs1_der()),
        _ => {
            let key = PrivateKeyInfoRef::try_from(der.secret_der())
                .map_err(|_| RsaKeyError::Malformed)?;
            if key.algorithm.oid != RSA_ENCRYPTION {
                return Err(RsaKeyError::OtherKind("a key of another kind"));
            }
            PrivateKey::from_pkcs1_der(key.private_key.as_bytes())
        }
    };
    key.map_err(|_| RsaKeyError::Malformed)
}

fn parse_for_aws_lc(der: &PrivateKeyDer<'_>) -> Result<KeyPair, RsaKeyError> {
    let key = match der {
        PrivateKeyDer::Pkcs1(key) => KeyPair::from_der(key.secret_pkcs1_der()),
        _ => KeyPair::from_pkcs8(der.secret_der()),
    };
    key.map_err(|_| RsaKeyError::Malformed)
}

#[cfg(test)]
mod tests;

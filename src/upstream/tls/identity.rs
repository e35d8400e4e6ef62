//! What an upstream that asks for a client certificate is shown.

use std::path::Path;

use rustls::{
    Error, InconsistentKeys, crypto::aws_lc_rs::sign::any_supported_type, sign::CertifiedKey,
};
use zeroize::Zeroize as _;

use crate::upstream::{
    fault::TlsFault,
    pem::{fault, read_certificates, read_key},
};

const CERTIFICATE: &str = "client_certificate_file";
const KEY: &str = "client_key_file";

/// Reads a certificate chain and its private key. What is read of the key is wiped once the key has been made of it.
pub(super) fn read_identity(chain: &Path, key: &Path) -> Result<CertifiedKey, TlsFault> {
    let certificates = read_certificates(CERTIFICATE, chain)?;
    let mut der = read_key(KEY, key)?;
    let private = any_supported_type(&der);
    der.zeroize();
    let identity = CertifiedKey::new(certificates, private.map_err(|error| fault(KEY, error))?);
    match identity.keys_match() {
        // A key that does not tell its public half can't be compared.
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(identity),
        Err(Error::InvalidCertificate(_)) => Err(fault(
            CERTIFICATE,
            format_args!("the first entry of {} is no certificate", chain.display()),
        )),
        Err(_) => Err(fault(
            KEY,
            format_args!(
                "{} is not the key of the first certificate in {}",
                key.display(),
                chain.display()
            ),
        )),
    }
}

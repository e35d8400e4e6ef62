//! What an upstream that asks for a client certificate is shown.

use std::{path::Path, sync::Arc};

use rustls::{
    Error, InconsistentKeys,
    crypto::aws_lc_rs::sign::any_supported_type,
    sign::{CertifiedKey, SigningKey},
};
use zeroize::Zeroize as _;

use crate::{
    config::TlsFault,
    upstream::pem::{fault, read_certificates, read_key},
};

const CERTIFICATE: &str = "client_certificate_file";
const KEY: &str = "client_key_file";

/// Reads a certificate chain and its private key. What is read of the key is wiped once the key has been made of it.
///
/// # Errors
/// What is wrong with each of the two files, or with the two together.
pub(super) fn read_identity(chain: &Path, key: &Path) -> Result<CertifiedKey, Vec<TlsFault>> {
    let identity = match (read_certificates(CERTIFICATE, chain), read_private(key)) {
        (Ok(certificates), Ok(private)) => CertifiedKey::new(certificates, private),
        (certificates, private) => {
            let faults = [certificates.err(), private.err()];
            return Err(faults.into_iter().flatten().collect());
        }
    };
    let mismatch = match identity.keys_match() {
        // A key that does not tell its public half can't be compared.
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => return Ok(identity),
        Err(Error::InvalidCertificate(_)) => fault(
            CERTIFICATE,
            format_args!("the first entry of {} is no certificate", chain.display()),
        ),
        Err(_) => fault(
            KEY,
            format_args!(
                "{} is not the key of the first certificate in {}",
                key.display(),
                chain.display()
            ),
        ),
    };
    Err(vec![mismatch])
}

fn read_private(path: &Path) -> Result<Arc<dyn SigningKey>, TlsFault> {
    let mut der = read_key(KEY, path)?;
    let private = any_supported_type(&der);
    der.zeroize();
    private.map_err(|error| fault(KEY, error))
}

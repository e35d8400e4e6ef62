//! Certificates and keys in PEM files, and what is wrong with a file that has none.

use std::{fmt::Display, fs, path::Path};

use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use zeroize::Zeroizing;

use crate::config::TlsFault;

/// Reads every certificate of a file; there is at least one.
pub(super) fn read_certificates(
    key: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let file = path.display();
    let pem = read(key, path)?;
    let mut certificates = Vec::new();
    for entry in CertificateDer::pem_slice_iter(&pem) {
        let number = certificates.len() + 1;
        certificates.push(entry.map_err(|_| {
            fault(
                key,
                format_args!(
                    "certificate {number} of {file} is no valid PEM: remove it, or copy it anew"
                ),
            )
        })?);
    }
    if certificates.is_empty() {
        return Err(fault(
            key,
            format_args!(
                "there is no certificate in {file}: it must be a PEM file, with -----BEGIN CERTIFICATE-----"
            ),
        ));
    }
    Ok(certificates)
}

/// Reads the first private key of a file.
pub(super) fn read_key(key: &'static str, path: &Path) -> Result<PrivateKeyDer<'static>, TlsFault> {
    let pem = read(key, path)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| {
        fault(
            key,
            format_args!(
                "no private key can be read from {}: it must be a PEM file that is not encrypted",
                path.display()
            ),
        )
    })
}

/// A setting that can't be used.
pub(super) fn fault(key: &'static str, message: impl Display) -> TlsFault {
    TlsFault {
        key,
        message: message.to_string(),
    }
}

/// A file's content. A path at which there is none is not shown: it may be a secret, given by mistake.
fn read(key: &'static str, path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsFault> {
    let unreadable = |error: &dyn Display| {
        fault(
            key,
            format_args!("names a file that can't be read: {error}"),
        )
    };
    // Nobody would write into a pipe, for which reading it would wait, and a device has no end.
    let metadata = fs::metadata(path).map_err(|error| unreadable(&error))?;
    if !metadata.is_file() {
        return Err(unreadable(&"it is no regular file"));
    }
    let content = fs::read(path).map(Zeroizing::new);
    content.map_err(|error| unreadable(&error))
}

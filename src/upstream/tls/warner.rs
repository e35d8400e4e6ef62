//! The warning of a certificate that is accepted without being verified.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use sha2::{Digest as _, Sha256};
use tracing::warn;

use crate::upstream::certificate::{Certificate, moment};

/// Certificates that are remembered; whoever presents ever new ones is warned of again and again, and fills no memory.
const MAX_REMEMBERED: usize = 256;

/// Warns of each certificate once.
#[derive(Debug)]
pub(super) struct Warner {
    proxy: String,
    /// SHA-256 of the certificates that have been warned of.
    warned: Mutex<HashSet<[u8; 32]>>,
}

impl Warner {
    pub(super) fn new(proxy: &str) -> Self {
        Self {
            proxy: proxy.to_owned(),
            warned: Mutex::default(),
        }
    }

    /// Warns of a certificate, unless that has been done.
    pub(super) fn warn_once(&self, der: &[u8]) {
        if !self.is_new(der) {
            return;
        }
        let Some(certificate) = Certificate::read(der) else {
            return;
        };
        let pin = certificate.pin;
        warn!(
            proxy = self.proxy,
            subject = certificate.subject,
            issuer = certificate.issuer,
            not_before = moment(certificate.not_before),
            not_after = moment(certificate.not_after),
            pin = %pin,
            "the upstream's certificate is not verified (trust = \"self-signed\"); to trust only this key, put in place of that: {}",
            pin.toml(),
        );
    }

    fn is_new(&self, der: &[u8]) -> bool {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.len() >= MAX_REMEMBERED {
            warned.clear();
        }
        warned.insert(Sha256::digest(der).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_new_once_and_what_is_remembered_is_bounded() {
        let warner = Warner::new("test");
        assert!(warner.is_new(b"a") && !warner.is_new(b"a") && warner.is_new(b"b"));
        for number in 0..10_000_u32 {
            assert!(warner.is_new(&number.to_be_bytes()));
        }
        assert!(warner.warned.lock().unwrap().len() <= MAX_REMEMBERED);
    }
}

//! Why a certificate is not trusted, told together with what was presented and what to do.

use std::{fmt, ops::RangeInclusive};

use super::certificate::{Certificate, Presented};

/// A certificate that is not trusted.
#[derive(Clone, Debug)]
pub struct Distrusted {
    /// Why not.
    pub reason: Distrust,
    /// What the upstream presented.
    pub presented: Presented,
}

/// The lengths of RSA keys that the TLS library takes.
const RSA_BITS: RangeInclusive<usize> = 2048..=8192;

/// Why a certificate is not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// No root vouches for it.
    UnknownIssuer,
    /// Its time is over.
    Expired,
    /// Its time is yet to come.
    NotYetValid,
    /// It is made out to others than this name.
    Name(String),
    /// Its key is not pinned.
    Pin {
        /// Whether the key of one of its issuers is.
        issuer_is_pinned: bool,
    },
    /// It is an authority's own, which may not stand for a server (RFC 5280 §4.2.1.9).
    Authority,
    /// It is meant for something else than servers (RFC 5280 §4.2.1.12).
    Purpose,
    /// Whoever presented it did not sign the handshake with its key.
    KeyNotProven,
    /// It is of an old version of X.509, which the TLS library does not read.
    Version(u32),
    /// Its RSA key is of a length that the TLS library does not take.
    RsaBits(usize),
    /// Anything else, in the words of the TLS library.
    Other(String),
}

impl Distrust {
    /// What is wrong with a certificate whatever the settings are.
    pub(super) fn of_any(certificate: &Certificate) -> Option<Self> {
        if certificate.version != 3 {
            return Some(Self::Version(certificate.version));
        }
        let bits = certificate.rsa_bits;
        bits.filter(|bits| !RSA_BITS.contains(bits))
            .map(Self::RsaBits)
    }
}

impl Distrusted {
    /// What is wrong, in the words that follow "the certificate".
    pub fn reason(&self) -> String {
        match &self.reason {
            Distrust::UnknownIssuer if self.is_self_signed() => {
                "is self-signed, and not among the roots".to_owned()
            }
            Distrust::UnknownIssuer => {
                "has an unknown issuer: no root vouches for it, or an intermediate certificate was not sent"
                    .to_owned()
            }
            Distrust::Expired => "has expired".to_owned(),
            Distrust::NotYetValid => "is not valid yet".to_owned(),
            Distrust::Name(name) => format!("is not made out to {name}"),
            Distrust::Pin { issuer_is_pinned: false } => {
                "has a public key that is not in tls.pin_sha256".to_owned()
            }
            Distrust::Pin { issuer_is_pinned: true } => {
                "has a public key that is not in tls.pin_sha256, which has the key of one of its issuers: \
                 only the platform's own key can be pinned"
                    .to_owned()
            }
            Distrust::Authority => {
                "is an authority's own (CA:TRUE), which may not stand for a server".to_owned()
            }
            Distrust::Purpose => {
                "is not meant for servers: its extended key usage has no serverAuth".to_owned()
            }
            Distrust::KeyNotProven => {
                "was presented by somebody who did not prove to have its key".to_owned()
            }
            Distrust::Version(version) => {
                format!("is of version {version} of X.509, of which only version 3 is taken")
            }
            Distrust::RsaBits(bits) => {
                let (least, most) = (RSA_BITS.start(), RSA_BITS.end());
                format!("has an RSA key of {bits} bits, and only those of {least} to {most} bits are taken")
            }
            Distrust::Other(text) => format!("is refused: {text}"),
        }
    }

    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match &self.reason {
            Distrust::UnknownIssuer | Distrust::Authority | Distrust::Other(_) => {
                "if the platform uses a certificate of its own, set tls.pin_sha256 to its pin, \
                 or tls.ca_file to a file with this certificate or that of its authority"
            }
            Distrust::KeyNotProven => {
                "see to it that the platform has the key that belongs to this certificate, \
                 and that nothing else answers in its place"
            }
            Distrust::Version(_) | Distrust::RsaBits(_) => {
                "no setting makes up for it, not even trust = \"self-signed\": \
                 have another certificate made for the platform, of version 3 and with a key of 2048 bits or more"
            }
            Distrust::Expired => {
                "the platform has to renew it, unless this machine's clock is wrong; \
                 with tls.pin_sha256 its key is trusted whatever the date"
            }
            Distrust::Purpose => {
                "the platform has to have another made; with tls.pin_sha256 its key is trusted whatever it is meant for"
            }
            Distrust::NotYetValid => {
                "set this machine's clock (NTP), unless the platform has really begun to use it too early"
            }
            Distrust::Name(_) => {
                "if the platform is meant to go by another name, set tls.server_name to one of its certificate's"
            }
            Distrust::Pin { .. } => {
                "if the platform has a new key, and you know so from elsewhere, set tls.pin_sha256 to its pin"
            }
        }
    }

    fn is_self_signed(&self) -> bool {
        let own = self.presented.chain.first();
        own.is_some_and(|own: &Certificate| own.is_self_issued)
    }
}

impl fmt::Display for Distrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.reason(), self.advice())?;
        match self.presented.chain.first() {
            Some(own) => write!(f, "; presented: {own}"),
            None => f.write_str("; presented: a certificate that can't be read"),
        }
    }
}

//! Why a certificate is not trusted, told together with what was presented and what to do.

use std::fmt;

use super::certificate::{Certificate, Presented};

/// A certificate that is not trusted.
#[derive(Clone, Debug)]
pub struct Distrusted {
    /// Why not.
    pub reason: Distrust,
    /// What the upstream presented.
    pub presented: Presented,
}

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
    /// Anything else, in the words of the TLS library.
    Other(String),
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
            Distrust::Other(text) => format!("is refused: {text}"),
        }
    }

    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match &self.reason {
            Distrust::UnknownIssuer | Distrust::Authority | Distrust::Other(_) => {
                "if the platform uses a certificate of its own, set tls.pin_sha256 to its pin, \
                 or tls.ca_file to the certificate of its authority"
            }
            Distrust::Expired => {
                "the platform has to renew it, unless this machine's clock is wrong; \
                 with tls.pin_sha256 its key is trusted whatever the date"
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

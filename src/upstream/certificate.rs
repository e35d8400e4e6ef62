//! Certificates as people are told of them.
//!
//! What a certificate says is the choice of whoever presents it. So each text is escaped, lest it act on a terminal, and
//! bounded, lest it fill a log.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use x509_parser::{
    prelude::{FromDer as _, GeneralName, X509Certificate, X509Name},
    public_key::PublicKey,
};

/// Bytes of a name that are shown, and of a list of names.
const MAX_SHOWN: usize = 200;

/// Certificates of a chain that are read; who presents more has more than ever helps to say.
const MAX_CHAIN: usize = 10;

/// SHA-256 of a public key (SubjectPublicKeyInfo, RFC 7469 §2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pin(pub [u8; 32]);

impl Pin {
    /// The pin of a public key, given as its SubjectPublicKeyInfo in DER.
    pub(super) fn of(public_key: &[u8]) -> Self {
        Self(Sha256::digest(public_key).into())
    }

    /// The line of `[proxy.NAME.tls]` that trusts this key.
    pub fn toml(&self) -> String {
        format!("pin_sha256 = [\"{self}\"]")
    }
}

/// As curl's `--pinnedpubkey` and `pin_sha256` take it.
impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256//{}", BASE64.encode(self.0))
    }
}

/// What a certificate says (RFC 5280 §4.1), made fit to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whom it is about.
    pub subject: String,
    /// Who has signed it, by its own account.
    pub issuer: String,
    /// From when it is valid.
    pub not_before: OffsetDateTime,
    /// Until when it is valid.
    pub not_after: OffsetDateTime,
    /// The hosts that it is made out to (subjectAltName, §4.2.1.6).
    pub names: String,
    /// The pin of its public key.
    pub pin: Pin,
    /// Whether it names itself as its issuer.
    pub is_self_issued: bool,
    /// Whether it may stand for a server (extended key usage, §4.2.1.12): one that does not say what it is for may.
    pub is_for_servers: bool,
    /// The version of X.509 that it is of: 1, 2 or 3.
    pub version: u32,
    /// The length of its key, if that is one of RSA.
    pub rsa_bits: Option<usize>,
}

impl Certificate {
    /// Reads a certificate; `None` if it is none.
    pub fn read(der: &[u8]) -> Option<Self> {
        let (_, read) = X509Certificate::from_der(der).ok()?;
        Some(Self {
            subject: name(read.subject()),
            issuer: name(read.issuer()),
            not_before: read.validity().not_before.to_datetime(),
            not_after: read.validity().not_after.to_datetime(),
            names: hosts(&read),
            pin: Pin::of(read.public_key().raw),
            is_self_issued: read.subject().as_raw() == read.issuer().as_raw(),
            is_for_servers: match read.extended_key_usage() {
                Ok(None) => true,
                Ok(Some(usage)) => usage.value.server_auth,
                Err(_) => false,
            },
            version: read.version().0.saturating_add(1),
            rsa_bits: match read.public_key().parsed() {
                Ok(PublicKey::RSA(key)) => Some(key.key_size()),
                _ => None,
            },
        })
    }

    /// Whole days from `now` until it expires; negative once it has.
    pub fn days_left(&self, now: OffsetDateTime) -> i64 {
        (self.not_after - now).whole_seconds().div_euclid(86_400)
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "subject \"{}\", issuer \"{}\", valid from {} to {}, for the names \"{}\", pin {}",
            self.subject,
            self.issuer,
            moment(self.not_before),
            moment(self.not_after),
            self.names,
            self.pin
        )
    }
}

/// What an upstream has presented in a handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presented {
    /// Its own certificate, and those of its issuers as far as it sent them.
    pub chain: Vec<Certificate>,
    /// Whether its certificate is made out to the name that was asked for (RFC 6125 §6).
    pub is_for_name: bool,
}

/// Reads a chain up to the first certificate that makes no sense.
pub(super) fn read_chain<'a>(chain: impl Iterator<Item = &'a [u8]>) -> Vec<Certificate> {
    chain.take(MAX_CHAIN).map_while(Certificate::read).collect()
}

/// A moment in RFC 3339.
pub(crate) fn moment(time: OffsetDateTime) -> String {
    let (hour, minute, second) = time.to_hms();
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", time.date())
}

fn name(name: &X509Name<'_>) -> String {
    shown(&name.to_string())
}

/// The DNS names and addresses that a certificate is made out to.
fn hosts(certificate: &X509Certificate<'_>) -> String {
    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return String::new();
    };
    let hosts = names.value.general_names.iter().filter_map(|name| {
        Some(match name {
            GeneralName::DNSName(name) => (*name).to_owned(),
            GeneralName::IPAddress(bytes) => match bytes.len() {
                4 => Ipv4Addr::from(<[u8; 4]>::try_from(*bytes).ok()?).to_string(),
                _ => Ipv6Addr::from(<[u8; 16]>::try_from(*bytes).ok()?).to_string(),
            },
            _ => return None,
        })
    });
    // One beyond what can be shown is enough to see that there are more.
    let hosts: Vec<_> = hosts.take(MAX_SHOWN).collect();
    shown(&hosts.join(", "))
}

/// Escapes what is not printable, and quotation marks, and cuts off what is too long.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        let end = out.len();
        match character {
            '\'' => out.push(character),
            _ => out.extend(character.escape_debug()),
        }
        if out.len() > MAX_SHOWN {
            out.truncate(end);
            out.push_str("...");
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, PublicKeyData as _, date_time_ymd};

    use super::*;

    fn certificate(common_name: &str, names: &[String]) -> (Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(names).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        params.not_before = date_time_ymd(2026, 1, 2);
        params.not_after = date_time_ymd(2027, 3, 4);
        let made = params.self_signed(&key).unwrap();
        (Certificate::read(made.der()).unwrap(), key)
    }

    #[test]
    fn a_certificate_is_told_in_one_line() {
        let names = ["platform.test", "127.0.0.1", "::1"].map(str::to_owned);
        let (read, key) = certificate("A platform", &names);
        let pin = BASE64.encode(Sha256::digest(key.subject_public_key_info()));
        assert_eq!(
            read.to_string(),
            format!(
                "subject \"CN=A platform\", issuer \"CN=A platform\", \
                 valid from 2026-01-02T00:00:00Z to 2027-03-04T00:00:00Z, \
                 for the names \"platform.test, 127.0.0.1, ::1\", pin sha256//{pin}"
            )
        );
        assert!(read.is_self_issued);
        assert_eq!(read.pin.toml(), format!("pin_sha256 = [\"sha256//{pin}\"]"));
    }

    #[test]
    fn what_a_certificate_says_is_escaped_and_bounded() {
        let (read, _) = certificate("\u{1b}[2J\n\u{202e}\" \\", &[]);
        assert_eq!(read.subject, "CN=\\u{1b}[2J\\n\\u{202e}\\\" \\\\");
        let names: Vec<_> = (0..1000).map(|n| format!("n{n}.test")).collect();
        let (read, _) = certificate(&"\u{1b}".repeat(5000), &names);
        for text in [&read.subject, &read.issuer, &read.names] {
            assert!(
                text.len() <= MAX_SHOWN + 3 && text.ends_with("..."),
                "{text}"
            );
        }
    }

    #[test]
    fn days_are_counted_in_full() {
        let (read, _) = certificate("A platform", &[]);
        let check = |seconds_before: i64, expected: i64| {
            let now = read.not_after - time::Duration::seconds(seconds_before);
            assert_eq!(read.days_left(now), expected, "{seconds_before}");
        };
        check(86_400 * 30, 30);
        check(86_400 * 30 - 1, 29);
        check(1, 0);
        check(-1, -1);
    }

    #[test]
    fn what_is_no_certificate_is_not_read() {
        assert_eq!(Certificate::read(b""), None);
        assert_eq!(Certificate::read(b"\x30\x82\xff\xff"), None);
    }
}

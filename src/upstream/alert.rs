//! Alerts: what an upstream says of TLS before it closes the connection (RFC 8446 §6).

use std::{fmt, sync::Arc};

use super::certificate::Certificate;

/// A fatal alert of the upstream.
#[derive(Clone, Debug)]
pub struct Alert {
    /// Its number.
    pub id: u8,
    /// Its name, as the RFC writes it.
    pub name: String,
    /// The client certificate that the upstream was shown, if one is configured.
    pub shown: Option<Arc<Certificate>>,
}

impl Alert {
    /// An alert whose name is written in camel case.
    pub(super) fn new(id: u8, camel: &str, shown: Option<Arc<Certificate>>) -> Self {
        Self {
            id,
            name: rfc_name(camel),
            shown,
        }
    }

    /// What the upstream most likely means by it.
    fn meaning(&self) -> Option<&'static str> {
        let is_about_certificates = matches!(self.id, 41..=46 | 48 | 49 | 116);
        Some(match (self.id, &self.shown) {
            (116, None) => {
                "it wants a client certificate: set tls.client_certificate_file and tls.client_key_file"
            }
            (_, None) if is_about_certificates => {
                "it may want a client certificate: see tls.client_certificate_file"
            }
            // A signature that does not fit is one too.
            (_, Some(_)) if is_about_certificates || self.id == 51 => {
                "it does not accept the client certificate of tls.client_certificate_file"
            }
            (40, None) => {
                "it may want a client certificate (tls.client_certificate_file), or ciphers that are not offered any more"
            }
            (70, _) => "it speaks neither TLS 1.2 nor TLS 1.3, and anything older is not offered",
            (112, _) => "it does not know the name that it was asked for: see tls.server_name",
            _ => return None,
        })
    }
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "alert {} ({})", self.name, self.id)?;
        if let Some(meaning) = self.meaning() {
            write!(f, "; {meaning}")?;
        }
        if let Some(shown) = &self.shown {
            write!(f, "; it was shown {shown}")?;
        }
        Ok(())
    }
}

/// The name that the RFC has for what the TLS library calls `UnknownCA` or `UnrecognisedName`.
fn rfc_name(camel: &str) -> String {
    let bytes = camel.as_bytes();
    let mut out = String::with_capacity(camel.len() + 4);
    for (at, character) in camel.char_indices() {
        let begins_word = character.is_ascii_uppercase()
            && at > 0
            && (bytes[at - 1].is_ascii_lowercase()
                || bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase));
        if begins_word {
            out.push('_');
        }
        out.push(character.to_ascii_lowercase());
    }
    out.replace("recognised", "recognized")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_are_called_by_the_names_of_the_rfc() {
        for (camel, expected) in [
            ("CertificateRequired", "certificate_required"),
            ("UnknownCA", "unknown_ca"),
            ("UnknownPSKIdentity", "unknown_psk_identity"),
            ("BadRecordMac", "bad_record_mac"),
            ("UnrecognisedName", "unrecognized_name"),
        ] {
            assert_eq!(rfc_name(camel), expected);
        }
    }

    #[test]
    fn what_is_said_of_an_alert_depends_on_what_was_shown() {
        let required = Alert::new(116, "CertificateRequired", None).to_string();
        assert!(
            required.contains("certificate_required (116)"),
            "{required}"
        );
        assert!(required.contains("tls.client_key_file"), "{required}");
        let internal = Alert::new(80, "InternalError", None).to_string();
        assert_eq!(internal, "alert internal_error (80)");
    }
}

//! `undersign sign`.

use std::fmt::Write as _;

use secrecy::ExposeSecret as _;

use super::{
    Error, Report, SignWords,
    described::{Described, misplaced},
    fault::UsageFault,
    header,
    unsigned::instead_of_signing,
};
use crate::{
    config::ProxyConfig,
    env::Environment,
    oauth::{
        Authorization, BODY_HASH, Credentials, Method, Nonce, Sent, Signer, SigningOptions, Source,
        Stamp, body_hash, break_down,
    },
};

/// Signs a request. `now` and `nonce` are for what the command line leaves open.
///
/// # Errors
///
/// The words or the configuration are wrong, or a file can't be read.
pub fn sign(
    words: &SignWords,
    environment: &Environment,
    now: u64,
    nonce: Nonce<'_>,
) -> Result<Report, Error> {
    let timestamp = words
        .timestamp
        .as_deref()
        .map_or(Ok(now), parse_timestamp)?;
    let nonce = words.nonce.as_deref().map_or(Ok(nonce), parse_nonce)?;
    let headers = header::parse_all(&words.request)?;
    let described = Described::read(&words.request, &headers, environment)?;
    let sent = described.sent();
    if let Some(name) = sent.request.protocol_parameter() {
        let problem = format!(
            "`{name}` is in the query or the form, and would be a duplicate of the header's: leave it out (RFC 5849 §3.1)"
        );
        return Err(misplaced(&words.request, &sent, problem).into());
    }

    let credentials = &described.proxy.credentials;
    let signer = Signer::new(credentials, &described.proxy.signing, sent.origin());
    let hash = body_hash_of(&described.proxy.signing, &sent);
    let hash = hash.as_deref().map(|hash| (BODY_HASH, hash));
    let stamp = Stamp {
        timestamp,
        nonce,
        extra: hash.as_slice(),
    };
    let value = signer.sign(&sent.request, stamp);
    let mut text = String::new();
    if words.explain {
        // The signer writes only what this reads.
        if let Ok(authorization) = Authorization::parse(&value) {
            explain(&mut text, &sent, &described.proxy, &authorization);
        }
    }
    let value = String::from_utf8_lossy(&value);
    if words.explain && matches!(described.proxy.signing.method, Method::Plaintext) {
        text.push_str("Authorization: not shown, since a PLAINTEXT signature is the key itself\n");
    } else {
        let _ = writeln!(text, "Authorization: {value}");
    }
    let mut notes = described.notes;
    let (proxy, content) = (&described.proxy, described.content.as_ref());
    notes.extend(instead_of_signing(proxy, &headers, content));
    Ok(Report {
        text,
        notes,
        is_right: true,
    })
}

/// Writes down each step on the way to a signature (RFC 5849 §3.4.1).
fn explain(text: &mut String, sent: &Sent<'_>, proxy: &ProxyConfig, authorization: &Authorization) {
    let breakdown = break_down(sent, authorization);
    let quoted = |bytes: &[u8]| match str::from_utf8(bytes) {
        Ok(text) => format!("{text:?}"),
        Err(_) => format!("b\"{}\"", bytes.escape_ascii()),
    };
    // Writing to a String can't fail.
    let _ = writeln!(text, "Parameters, decoded (RFC 5849 §3.4.1.3.1):");
    for parameter in &breakdown.parameters {
        let source = match parameter.source {
            Source::Header => "header",
            Source::Query => "query",
            Source::Form => "form",
        };
        let (name, value) = (quoted(&parameter.name), quoted(&parameter.value));
        let _ = writeln!(text, "  {source:<6}  {name} = {value}");
    }
    let _ = writeln!(
        text,
        "Parameters, normalised (§3.4.1.3.2):\n  {}\nBase string (§3.4.1.1):\n  {}\n{}",
        breakdown.normalised,
        breakdown.base_string,
        match proxy.signing.method {
            Method::Rsa(_) => "Key (§3.4.3): the private key".to_owned(),
            Method::Plaintext => format!(
                "Key, which is the signature (§3.4.4), secrets masked:\n  {}",
                masked_key(&proxy.credentials)
            ),
            _ => format!(
                "Key (§3.4.2), secrets masked:\n  {}",
                masked_key(&proxy.credentials)
            ),
        }
    );
}

/// What `body_hash` adds to a request whose body is no form, or that has none.
fn body_hash_of(options: &SigningOptions, sent: &Sent<'_>) -> Option<String> {
    let method = options.method.signature_method();
    let is_hashed = options.body_hash && sent.request.form.is_none();
    is_hashed.then(|| body_hash(method, sent.body.unwrap_or_default()))
}

/// The key with eight stars for each secret that is not empty, whatever its length.
fn masked_key(credentials: &Credentials) -> String {
    let [consumer, token] =
        [&credentials.consumer_secret, &credentials.token_secret].map(|secret| {
            if secret.expose_secret().is_empty() {
                ""
            } else {
                "********"
            }
        });
    format!("{consumer}&{token}")
}

/// Digits only, where `u64::from_str` would take a sign.
fn parse_timestamp(text: &str) -> Result<u64, UsageFault> {
    const WORD: &str = "--timestamp";
    let wrong = |at, problem: &str| UsageFault::shown(WORD, text.as_bytes(), at, problem);
    if let Some(at) = text.bytes().position(|byte| !byte.is_ascii_digit()) {
        return Err(wrong(
            at,
            "write whole seconds since 1970-01-01T00:00:00Z, in digits",
        ));
    }
    let problem = "there is no number, or one that is too large";
    text.parse().map_err(|_| wrong(0, problem))
}

/// A control character could be encoded, but nobody means one.
fn parse_nonce(text: &str) -> Result<Nonce<'_>, UsageFault> {
    const WORD: &str = "--nonce";
    let wrong = |at, problem: &str| UsageFault::shown(WORD, text.as_bytes(), at, problem);
    if text.is_empty() {
        return Err(wrong(0, "a nonce must not be empty"));
    }
    match text.find(char::is_control) {
        Some(at) => Err(wrong(at, "a nonce must hold no control characters")),
        None => Ok(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_made_of_digits() {
        assert_eq!(parse_timestamp("0137"), Ok(137));
        for (text, at) in [
            ("", 0),
            ("-1", 0),
            ("+1", 0),
            ("1.5", 1),
            ("99999999999999999999", 0),
        ] {
            let fault = parse_timestamp(text).unwrap_err().to_string();
            assert!(
                fault.starts_with(&format!("--timestamp, byte {at}: ")),
                "{fault}"
            );
        }
    }

    #[test]
    fn a_mask_tells_only_whether_a_secret_is_empty() {
        let check = |consumer: &str, token: &str, expected: &str| {
            let credentials = Credentials {
                consumer_key: "k".to_owned(),
                consumer_secret: consumer.into(),
                token: None,
                token_secret: token.into(),
            };
            assert_eq!(masked_key(&credentials), expected);
        };
        check("a", "bcd", "********&********");
        check("a long one", "", "********&");
        check("", "", "&");
    }
}

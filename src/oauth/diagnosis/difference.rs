//! In what a header differs from the configuration, before any signature is looked at.

use secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;
use thiserror::Error;

use super::{Sent, signature::meant_method};
use crate::oauth::{
    Authorization, BODY_HASH, Credentials, Realm, SignatureMethod, SigningOptions, body_hash,
    header::realm_of,
};

/// Something in a header that is not as the configuration, or RFC 5849 §3.1, would have it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Difference {
    /// A parameter of the header has another value, or only one of the two sides has it.
    #[error("`{name}` is {}; expected {}", describe(received), describe(expected))]
    Value {
        /// The parameter's name.
        name: &'static str,
        /// What the configuration says.
        expected: Option<String>,
        /// What the header says.
        received: Option<String>,
    },
    /// The consumer secret, which is not shown, stands in the place of the key.
    #[error("`oauth_consumer_key` is the consumer secret: key and secret are exchanged")]
    SecretAsKey,
    /// Query or form have a protocol parameter, which only the header may have (RFC 5849 §3.5).
    #[error("`{0}` is in the query or the form, and would be a duplicate of the header's")]
    Misplaced(String),
    /// The time is in milliseconds, or something smaller (RFC 5849 §3.3).
    #[error(
        "`oauth_timestamp` is {0}, which looks like milliseconds: it must be in seconds (RFC 5849 §3.3)"
    )]
    Milliseconds(u64),
    /// The nonce tells nothing apart (RFC 5849 §3.3).
    #[error("`oauth_nonce` is empty: it must be another text for each request (RFC 5849 §3.3)")]
    EmptyNonce,
    /// A form, which is signed by its parameters, has a body hash (OAuth Request Body Hash §3.2).
    #[error(
        "`oauth_body_hash` is sent with a form, whose parameters are signed instead (OAuth Request Body Hash §3.2)"
    )]
    FormWithBodyHash,
}

fn describe(value: &Option<String>) -> String {
    match value {
        Some(value) => format!("`{value}`"),
        None => "absent".to_owned(),
    }
}

/// Seconds since 1970 have eleven digits from 5138 on; milliseconds have had them since 1973.
const NO_SECONDS: u64 = 100_000_000_000;

/// All differences, in the order in which they are to be mended.
pub(super) fn differences(
    credentials: &Credentials,
    options: &SigningOptions,
    sent: &Sent<'_>,
    authorization: &Authorization,
) -> Vec<Difference> {
    let value = |name, expected: Option<String>, received: &Option<String>| {
        (expected != *received).then(|| Difference::Value {
            name,
            expected,
            received: received.clone(),
        })
    };
    let required = |name, expected: &str, received: &String| {
        value(name, Some(expected.to_owned()), &Some(received.clone()))
    };
    let method = options.method.signature_method().name();
    let received_method = &authorization.signature_method;
    let timestamp = authorization
        .stamp
        .as_ref()
        .map(|(timestamp, _)| *timestamp);
    let has_empty_nonce = matches!(&authorization.stamp, Some((_, nonce)) if nonce.is_empty());
    [
        sent.request.protocol_parameter().map(Difference::Misplaced),
        required("oauth_signature_method", method, received_method),
        consumer_key(credentials, authorization),
        value(
            "oauth_token",
            credentials.token.clone(),
            &authorization.token,
        ),
        realm(options, sent, authorization),
        timestamp
            .filter(|timestamp| *timestamp >= NO_SECONDS)
            .map(Difference::Milliseconds),
        has_empty_nonce.then_some(Difference::EmptyNonce),
        body_hash_difference(options, sent, authorization),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn consumer_key(credentials: &Credentials, authorization: &Authorization) -> Option<Difference> {
    let (expected, received) = (&credentials.consumer_key, &authorization.consumer_key);
    let secret = credentials.consumer_secret.expose_secret();
    if expected == received {
        None
    } else if !secret.is_empty() && secret.as_bytes().ct_eq(received.as_bytes()).into() {
        Some(Difference::SecretAsKey)
    } else {
        Some(Difference::Value {
            name: "oauth_consumer_key",
            expected: Some(expected.clone()),
            received: Some(received.clone()),
        })
    }
}

/// The realm is never signed, but platforms that want one refuse any other. Where none is configured, any will do.
fn realm(
    options: &SigningOptions,
    sent: &Sent<'_>,
    authorization: &Authorization,
) -> Option<Difference> {
    let expected = match &options.realm {
        Realm::None => return None,
        Realm::Fixed(realm) => realm_of(&[realm.as_bytes()]),
        Realm::Uri => realm_of(&[sent.origin().as_str().as_bytes(), sent.request.path()]),
    };
    (authorization.realm.as_ref() != Some(&expected)).then(|| Difference::Value {
        name: "realm",
        expected: Some(expected),
        received: authorization.realm.clone(),
    })
}

/// Whether the header has the hash of another body, or none where there should be one, or one where there should be
/// none.
fn body_hash_difference(
    options: &SigningOptions,
    sent: &Sent<'_>,
    authorization: &Authorization,
) -> Option<Difference> {
    let received = authorization.signed().find(|(name, _)| *name == BODY_HASH);
    let received = received.map(|(_, value)| value.to_owned());
    if sent.request.form.is_some() {
        return received.map(|_| Difference::FormWithBodyHash);
    }
    if received.is_none() && !options.body_hash {
        return None;
    }
    // By the method of the header, even if that should be another one.
    let method: SignatureMethod = meant_method(&authorization.signature_method)
        .unwrap_or_else(|| options.method.signature_method());
    let expected = Some(body_hash(method, sent.body.unwrap_or_default()));
    (received != expected).then_some(Difference::Value {
        name: BODY_HASH,
        expected,
        received,
    })
}

//! The target `authorization`: headers of any bytes are read as RFC 5849 §3.5.1 says, or refused.

#![expect(clippy::expect_used, reason = "this is how a check fails")]

use undersign::oauth::{
    Authorization, BaseUri, Credentials, Mismatch, RequestToSign, SigningOptions, Verifier,
};

use crate::header::Header;
use crate::input::Method;
use crate::oracle;

const METHODS: [Method; 4] = [
    Method::HmacSha1,
    Method::HmacSha256,
    Method::HmacSha512,
    Method::Plaintext,
];

/// Checks everything that must hold for this header.
pub fn check(value: &[u8]) {
    let header = acceptable(value);
    match (Authorization::parse(value), header) {
        (Ok(read), Some(header)) => {
            agrees(&read, &header);
            verifies(&read, &header);
            // Written anew, it is the same header.
            let again = Authorization::parse(&header.write()).expect("a header that was read");
            assert!(again == read, "{again:?} was {read:?}");
        }
        // What is wrong with it is told to people.
        (Err(fault), None) => assert!(!fault.to_string().is_empty()),
        (read, header) => panic!("undersign reads {read:?}, the oracle {header:?}"),
    }
}

/// The header, if it has what RFC 5849 §3.1 requires.
fn acceptable(value: &[u8]) -> Option<Header> {
    let header = Header::read(value)?;
    let has = |name| header.get(name).is_some();
    let is_plaintext = header.get("oauth_signature_method") == Some("PLAINTEXT");
    let has_stamp = match (header.get("oauth_timestamp"), has("oauth_nonce")) {
        (Some(_), true) => timestamp(&header).is_some(),
        (None, false) => is_plaintext,
        _ => false,
    };
    let is_complete = has("oauth_consumer_key")
        && has("oauth_signature_method")
        && has("oauth_signature")
        && has_stamp
        && matches!(header.get("oauth_version"), None | Some("1.0"));
    is_complete.then_some(header)
}

/// Digits alone, up to what 64 bits hold.
fn timestamp(header: &Header) -> Option<u64> {
    let text = header.get("oauth_timestamp")?;
    if text.is_empty() {
        return None;
    }
    text.chars().try_fold(0_u64, |number, character| {
        let digit = character.to_digit(10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// Both readers have read the same.
fn agrees(read: &Authorization, header: &Header) {
    assert_eq!(read.realm, header.realm);
    assert_eq!(Some(&*read.consumer_key), header.get("oauth_consumer_key"));
    assert_eq!(read.token.as_deref(), header.get("oauth_token"));
    assert_eq!(
        Some(&*read.signature_method),
        header.get("oauth_signature_method")
    );
    assert_eq!(Some(&*read.signature), header.get("oauth_signature"));
    let nonce = header.get("oauth_nonce").map(str::to_owned);
    assert_eq!(read.stamp, timestamp(header).zip(nonce));
}

/// The verifier accepts this header with the oracle's signature in it, and with its own one only if that is the same.
fn verifies(read: &Authorization, header: &Header) {
    const SECRETS: (&str, &str) = ("kd94hf93k423kf44", "pfkkdhi9sl3r4s00");
    let Some(method) = METHODS
        .into_iter()
        .find(|method| method.oracle().name() == read.signature_method)
    else {
        return;
    };
    let (consumer_secret, token_secret) = SECRETS;
    let credentials = Credentials {
        consumer_key: read.consumer_key.clone(),
        consumer_secret: consumer_secret.into(),
        token: read.token.clone(),
        token_secret: token_secret.into(),
    };
    let options = SigningOptions {
        method: method.undersign(),
        ..SigningOptions::default()
    };
    let origin = BaseUri::new(true, "example.com", 443);
    let verifier = Verifier::new(&credentials, &options, origin);
    let request = RequestToSign {
        method: "GET",
        target: b"/aps/2/resources?limit(0,10)",
        form: None,
    };
    let base_string = oracle::Request {
        method: "GET",
        https: true,
        host: "example.com",
        port: 443,
        target: request.target,
        form: None,
        plus_is_space: true,
        protocol: header.signed(),
    }
    .base_string();
    assert_eq!(verifier.signature_base_string(&request, read), base_string);

    let signature = method
        .oracle()
        .sign(consumer_secret, token_secret, &base_string);
    let verdict = if read.signature == signature {
        Ok(())
    } else if method == Method::Plaintext {
        Err(Mismatch::Secrets)
    } else {
        Err(Mismatch::Signature { base_string })
    };
    assert_eq!(verifier.verify(&request, read), verdict);

    let mut signed = header.clone();
    for (name, value) in &mut signed.parameters {
        if name == "oauth_signature" {
            value.clone_from(&signature);
        }
    }
    let signed = Authorization::parse(&signed.write()).expect("a header that was read");
    assert_eq!(verifier.verify(&request, &signed), Ok(()));
}

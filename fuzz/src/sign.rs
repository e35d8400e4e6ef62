//! The target `sign`: what undersign signs is what RFC 5849 says.
//!
//! That signing leaves a target alone needs no check: `RequestToSign` borrows it, and there is no way to change it.

#![expect(clippy::expect_used, reason = "this is how a check fails")]

use undersign::oauth::{Authorization, Mismatch, Nonce, RequestToSign, Stamp};

use crate::header::Header;
use crate::input::{Input, Method, RealmKind};
use crate::oracle::{self, decode_base_string};

/// Checks everything that must hold for this input.
pub fn check(input: &Input<'_>) {
    check_with(input, input.nonce.into());
    // The same with what the daemon sends mostly: digits made of bits, a timestamp of ten digits, and nothing besides.
    let bits = (u128::from(input.timestamp) << 64 | u128::from(input.shuffle)) & (u128::MAX >> 8);
    let digits = format!("{bits:030x}");
    let usual = Input {
        nonce: &digits,
        timestamp: 1_000_000_000 + input.timestamp % 9_000_000_000,
        extra: Vec::new(),
        ..input.clone()
    };
    check_with(&usual, Nonce::from_bits(bits));
}

fn check_with(input: &Input<'_>, nonce: Nonce<'_>) {
    let request = input.request();
    let expected = input.oracle_request();
    let base_string = expected.base_string();
    let extra = input.extra();
    let stamp = Stamp {
        timestamp: input.timestamp,
        nonce,
        extra: &extra,
    };
    let signer = input.signer(input.realm);
    assert_eq!(signer.signature_base_string(&request, stamp), base_string);
    assert_eq!(request.protocol_parameter(), expected.protocol_parameter());
    decodes_to_what_was_sent(&base_string, &expected);

    let value = signer.sign(&request, stamp);
    holds_exactly_the_values(&value, input, &base_string);

    let without_realm = input.signer(RealmKind::None).sign(&request, stamp);
    let (with, without) = (read(&value), read(&without_realm));
    assert_eq!(with.parameters, without.parameters, "the realm is signed");
    assert_eq!(without.realm, None);

    let target = shuffled(input.target, input.shuffle);
    let request = RequestToSign {
        target: &target,
        ..request
    };
    assert_eq!(signer.signature_base_string(&request, stamp), base_string);

    let authorization = Authorization::parse(&value).expect("a header that can be read");
    let verifier = input.verifier();
    for target in [input.target.to_vec(), tampered(input)] {
        let request = RequestToSign {
            target: &target,
            ..request
        };
        assert_eq!(
            verifier.verify(&request, &authorization),
            verdict(input, &target, &base_string)
        );
    }
}

/// The base string says what was sent, and nothing can be read into it that was not.
fn decodes_to_what_was_sent(base_string: &str, sent: &oracle::Request<'_>) {
    let (method, uri, mut parameters) =
        decode_base_string(base_string).expect("a base string that can be decoded");
    assert_eq!(method, sent.method.to_ascii_uppercase().as_bytes());
    assert_eq!(uri, sent.base_string_uri());
    let mut expected = sent.parameters();
    parameters.sort();
    expected.sort();
    assert_eq!(parameters, expected);
}

/// The header is a field value (RFC 9110 §5.5) that both readers understand as it was meant.
fn holds_exactly_the_values(value: &[u8], input: &Input<'_>, base_string: &str) {
    assert!(
        value.iter().all(|byte| matches!(byte, b' '..=b'~')),
        "a header is one line of printable ASCII"
    );
    let signature = input.oracle_signature(base_string);
    let realm = realm(input);

    let header = read(value);
    assert_eq!(header.realm, realm);
    assert_eq!(header.get("oauth_signature"), Some(signature.as_str()));
    let (mut signed, mut expected) = (header.signed(), input.protocol());
    signed.sort();
    expected.sort();
    assert_eq!(signed, expected);

    let authorization = Authorization::parse(value).expect("a header that can be read");
    assert_eq!(authorization.realm, realm);
    assert_eq!(authorization.consumer_key, input.consumer_key);
    assert_eq!(authorization.token.as_deref(), input.token);
    assert_eq!(
        authorization.signature_method,
        input.signature_method.oracle().name()
    );
    assert_eq!(authorization.signature, signature);
    assert_eq!(
        authorization.stamp,
        Some((input.timestamp, input.nonce.to_owned()))
    );
}

/// The realm of the header, in which anything but printable ASCII stands escaped.
fn realm(input: &Input<'_>) -> Option<String> {
    let text = match input.realm {
        RealmKind::None => return None,
        RealmKind::Fixed => input.realm_text.as_bytes().to_vec(),
        RealmKind::Uri => input.oracle_request().base_string_uri(),
    };
    let printable = text.iter().map(|&byte| match byte {
        b' '..=b'~' => char::from(byte).to_string(),
        _ => oracle::encode(&[byte]),
    });
    Some(printable.collect())
}

/// What a verifier has to say about a target that came with a header signed for another.
fn verdict(input: &Input<'_>, target: &[u8], signed: &str) -> Result<(), Mismatch> {
    let received = oracle::Request {
        target,
        ..input.oracle_request()
    };
    if let Some(name) = received.protocol_parameter() {
        return Err(Mismatch::Misplaced(name));
    }
    let base_string = received.base_string();
    if base_string == signed || input.signature_method == Method::Plaintext {
        Ok(())
    } else {
        Err(Mismatch::Signature { base_string })
    }
}

/// The target with one byte changed.
fn tampered(input: &Input<'_>) -> Vec<u8> {
    let mut target = input.target.to_vec();
    if !target.is_empty() {
        let at = usize::from(input.tampered_at) % target.len();
        target[at] ^= input.tampered_with;
    }
    target
}

/// The target with the parameters of its query in another order.
fn shuffled(target: &[u8], mut seed: u64) -> Vec<u8> {
    let (path, query) = oracle::split_at_first(target, b'?');
    let mut left: Vec<&[u8]> = query.split(|&byte| byte == b'&').collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        let count = left.len() as u64;
        order.push(left.swap_remove((seed % count) as usize));
        seed /= count;
    }
    [path, b"?", &order.join(&b'&')].concat()
}

fn read(value: &[u8]) -> Header {
    Header::read(value).expect("a header as RFC 5849 §3.5.1 has it")
}

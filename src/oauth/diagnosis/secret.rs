//! Key and signature as clients make them (RFC 5849 §3.4.2).

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{
        DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig,
        general_purpose::{STANDARD_NO_PAD, URL_SAFE},
    },
    prelude::BASE64_STANDARD,
};
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use super::{
    encoding::escape,
    mistake::{Made, Mistake},
};
use crate::oauth::{Credentials, Method, key::Key, percent::byte_of};

/// Base64 with padding or without, as somebody who takes a secret for base64 would read it.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The text of `oauth_signature` that a client gets for a base string.
pub(super) fn sign(
    method: &Method,
    credentials: &Credentials,
    base_string: &[u8],
    made: Made<'_>,
) -> Zeroizing<Vec<u8>> {
    let other = made.find(|mistake| match mistake {
        Mistake::Hash(other) => Method::try_from(*other).ok(),
        _ => None,
    });
    let method = other.as_ref().unwrap_or(method);
    let key = Key::from_joined_secrets(method, joined_secrets(credentials, made));
    let signature = key.sign(|sink| sink(base_string));
    Zeroizing::new(written(&signature.to_text(), made))
}

/// What a client that makes these mistakes signs with.
fn joined_secrets(credentials: &Credentials, made: Made<'_>) -> Zeroizing<Vec<u8>> {
    let [consumer, token] =
        [&credentials.consumer_secret, &credentials.token_secret].map(|secret| {
            let mut secret = Zeroizing::new(secret.expose_secret().as_bytes().to_vec());
            if made.has(&Mistake::SecretTrimmed) {
                secret = Zeroizing::new(secret.trim_ascii().to_vec());
            }
            secret
        });
    let mut consumer = consumer;
    let mut token = token;
    if made.has(&Mistake::ConsumerKeyAsSecret) {
        consumer = Zeroizing::new(credentials.consumer_key.as_bytes().to_vec());
    }
    let decoded = if made.has(&Mistake::SecretHexDecoded) {
        from_hex(&consumer)
    } else if made.has(&Mistake::SecretBase64Decoded) {
        LENIENT.decode(&*consumer).ok()
    } else {
        None
    };
    if let Some(decoded) = decoded {
        consumer = Zeroizing::new(decoded);
    }
    if made.has(&Mistake::SecretWithNewline) {
        consumer.push(b'\n');
    }
    if made.has(&Mistake::TokenSecretWithNewline) {
        token.push(b'\n');
    }
    if made.has(&Mistake::TokenSecretLeftOut) {
        token.clear();
    }
    if made.has(&Mistake::SecretsSwapped) {
        std::mem::swap(&mut consumer, &mut token);
    }
    if !made.has(&Mistake::SecretsNotEncoded) {
        [consumer, token] =
            [consumer, token].map(|secret| Zeroizing::new(escape(&secret, Made(&[]))));
    }
    let separator: &[u8] = if made.has(&Mistake::NoAmpersand) {
        b""
    } else {
        b"&"
    };
    Zeroizing::new([&consumer, separator, &token].concat())
}

/// The signature as it is put into the header; `signature` is what RFC 5849 asks for.
fn written(signature: &[u8], made: Made<'_>) -> Vec<u8> {
    let mac = BASE64_STANDARD.decode(signature).unwrap_or_default();
    let mut text = if made.has(&Mistake::Hex) {
        to_hex(&mac)
    } else if made.has(&Mistake::HexInBase64) {
        BASE64_STANDARD.encode(to_hex(&mac)).into_bytes()
    } else if made.has(&Mistake::Unpadded) {
        STANDARD_NO_PAD.encode(&mac).into_bytes()
    } else if made.has(&Mistake::UrlSafe) {
        URL_SAFE.encode(&mac).into_bytes()
    } else {
        signature.to_vec()
    };
    if made.has(&Mistake::PlusLostInHeader) {
        for byte in text.iter_mut().filter(|byte| **byte == b'+') {
            *byte = b' ';
        }
    }
    if made.has(&Mistake::EncodedTwiceInHeader) {
        text = escape(&text, Made(&[]));
    }
    text
}

fn to_hex(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .flat_map(|byte| format!("{byte:02x}").into_bytes())
        .collect()
}

fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_chunks::<2>() else {
        return None;
    };
    pairs
        .iter()
        .map(|&[high, low]| byte_of(high, low))
        .collect()
}

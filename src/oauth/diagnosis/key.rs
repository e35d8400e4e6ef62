//! The key as clients make it (RFC 5849 §3.4.2).

use std::fmt;

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    prelude::BASE64_STANDARD,
};
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use super::{
    encoding::{Encoder, from_hex},
    explanation::{Explanation, of},
    mistake::{Made, Mistake},
};
use crate::oauth::Credentials;

/// Something a client does otherwise than RFC 5849 §3.4.2 says when it makes the key of the two secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each says in `Display` what it is, once")]
pub enum KeyMistake {
    ConsumerSecretWith(Extra),
    TokenSecretWith(Extra),
    SecretTrimmed,
    NoAmpersand,
    SecretsNotEncoded,
    ConsumerSecretLeftOut,
    TokenSecretLeftOut,
    SecretsSwapped,
    ConsumerKeyAsSecret,
    ConsumerSecretTwice,
    TokenSecretTwice,
    TokenAsSecret,
    /// What a language writes for a token secret that is not there.
    TokenSecretWord(&'static str),
    SecretHexDecoded,
    SecretBase64Decoded,
    SecretBase64Encoded,
}

/// What is read together with a secret, and does not belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are what they are called")]
pub enum Extra {
    LineFeed,
    CarriageReturn,
    CarriageReturnAndLineFeed,
    Blank,
    DoubleQuotes,
    SingleQuotes,
    ByteOrderMark,
}

use Extra as E;
use KeyMistake as K;

impl KeyMistake {
    /// All of them, the commonest first.
    pub(super) const ALL: [Self; 30] = [
        K::ConsumerSecretWith(E::LineFeed),
        K::NoAmpersand,
        K::TokenSecretLeftOut,
        K::SecretsSwapped,
        K::SecretsNotEncoded,
        K::ConsumerKeyAsSecret,
        K::ConsumerSecretLeftOut,
        K::TokenSecretWith(E::LineFeed),
        K::ConsumerSecretWith(E::CarriageReturnAndLineFeed),
        K::ConsumerSecretWith(E::CarriageReturn),
        K::ConsumerSecretWith(E::DoubleQuotes),
        K::ConsumerSecretWith(E::SingleQuotes),
        K::ConsumerSecretWith(E::ByteOrderMark),
        K::ConsumerSecretWith(E::Blank),
        K::TokenSecretWith(E::CarriageReturnAndLineFeed),
        K::TokenSecretWith(E::CarriageReturn),
        K::TokenSecretWith(E::DoubleQuotes),
        K::TokenSecretWith(E::SingleQuotes),
        K::TokenSecretWith(E::ByteOrderMark),
        K::TokenSecretWith(E::Blank),
        K::TokenAsSecret,
        K::ConsumerSecretTwice,
        K::TokenSecretTwice,
        K::TokenSecretWord("None"),
        K::TokenSecretWord("undefined"),
        K::TokenSecretWord("null"),
        K::SecretTrimmed,
        K::SecretHexDecoded,
        K::SecretBase64Decoded,
        K::SecretBase64Encoded,
    ];

    pub(super) const RULE: &str = "RFC 5849 §3.4.2: the key is the encoded consumer secret, `&`, and the encoded token secret; the `&` stands there even if a secret is empty";

    pub(super) fn explanation(self) -> Explanation {
        const READ: &str = "look at how the secret is read from its file or variable";
        const SETTING: &str = "look at which setting of the client holds what";
        match self {
            K::ConsumerSecretWith(extra) => {
                of(format!("the consumer secret in the key has {extra}"), READ)
            }
            K::TokenSecretWith(extra) => {
                of(format!("the token secret in the key has {extra}"), READ)
            }
            K::SecretTrimmed => of(
                "blanks at the start or the end of a secret are left out of the key",
                READ,
            ),
            K::NoAmpersand => of(
                "the key has no `&`",
                "join the secrets with `&`, and end with it where there is no token secret",
            ),
            K::SecretsNotEncoded => of(
                "the secrets are not encoded in the key",
                "encode each secret before joining them",
            ),
            K::ConsumerSecretLeftOut => of(
                "the consumer secret is not in the key",
                "give the consumer secret to the signing library",
            ),
            K::TokenSecretLeftOut => of(
                "the token secret is not in the key",
                "give the token secret to the signing library",
            ),
            K::SecretsSwapped => of(
                "the token secret comes first in the key",
                "swap the two secrets",
            ),
            K::ConsumerKeyAsSecret => of(
                "the consumer key stands in the place of the consumer secret",
                SETTING,
            ),
            K::ConsumerSecretTwice => of(
                "the consumer secret stands in the place of the token secret, too",
                SETTING,
            ),
            K::TokenSecretTwice => of(
                "the token secret stands in the place of the consumer secret, too",
                SETTING,
            ),
            K::TokenAsSecret => of("the token stands in the place of the token secret", SETTING),
            K::TokenSecretWord(word) => of(
                format!("the word `{word}` stands in the place of the token secret"),
                "give the signing library an empty text, not a missing one",
            ),
            K::SecretHexDecoded => of(
                "the consumer secret is decoded from hexadecimal",
                "use the secret as a text, as it was given",
            ),
            K::SecretBase64Decoded => of(
                "the consumer secret is decoded from base64",
                "use the secret as a text, as it was given",
            ),
            K::SecretBase64Encoded => of(
                "the consumer secret is encoded in base64",
                "use the secret as a text, as it was given",
            ),
        }
    }
}

impl fmt::Display for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            E::LineFeed => "a line break at its end",
            E::CarriageReturn => "a carriage return at its end",
            E::CarriageReturnAndLineFeed => {
                "a carriage return and a line break at its end, as on Windows"
            }
            E::Blank => "a blank at its end",
            E::DoubleQuotes => "double quotes around it",
            E::SingleQuotes => "single quotes around it",
            E::ByteOrderMark => "a byte order mark before it",
        })
    }
}

impl Extra {
    const ALL: [Self; 7] = [
        E::LineFeed,
        E::CarriageReturn,
        E::CarriageReturnAndLineFeed,
        E::Blank,
        E::DoubleQuotes,
        E::SingleQuotes,
        E::ByteOrderMark,
    ];

    /// What stands before and after the secret.
    fn around(self) -> (&'static [u8], &'static [u8]) {
        match self {
            E::LineFeed => (b"", b"\n"),
            E::CarriageReturn => (b"", b"\r"),
            E::CarriageReturnAndLineFeed => (b"", b"\r\n"),
            E::Blank => (b"", b" "),
            E::DoubleQuotes => (b"\"", b"\""),
            E::SingleQuotes => (b"'", b"'"),
            E::ByteOrderMark => ("\u{feff}".as_bytes(), b""),
        }
    }
}

/// What a client that makes these mistakes signs with.
pub(super) fn joined_secrets(credentials: &Credentials, made: Made<'_>) -> Zeroizing<Vec<u8>> {
    let has = |mistake| made.has(&Mistake::Key(mistake));
    let own_consumer = credentials.consumer_secret.expose_secret().as_bytes();
    let own_token = credentials.token_secret.expose_secret().as_bytes();
    let consumer = if has(K::ConsumerKeyAsSecret) {
        credentials.consumer_key.as_bytes()
    } else if has(K::TokenSecretTwice) {
        own_token
    } else if has(K::ConsumerSecretLeftOut) {
        b""
    } else {
        own_consumer
    };
    let word = made.find(|mistake| match mistake {
        Mistake::Key(K::TokenSecretWord(word)) => Some(word.as_bytes()),
        _ => None,
    });
    let token = if has(K::TokenAsSecret) {
        credentials.token.as_deref().unwrap_or_default().as_bytes()
    } else if has(K::ConsumerSecretTwice) {
        own_consumer
    } else if has(K::TokenSecretLeftOut) {
        b""
    } else {
        word.unwrap_or(own_token)
    };
    let [consumer, token] = [consumer, token].map(|secret| {
        if has(K::SecretTrimmed) {
            secret.trim_ascii()
        } else {
            secret
        }
    });
    let consumer = recoded(consumer, made);
    let with = |secret: &[u8], of: fn(Extra) -> KeyMistake| {
        let extra = Extra::ALL.into_iter().find(|extra| has(of(*extra)));
        let (before, after) = extra.map_or((&b""[..], &b""[..]), Extra::around);
        Zeroizing::new([before, secret, after].concat())
    };
    let consumer = with(&consumer, K::ConsumerSecretWith);
    let token = with(token, K::TokenSecretWith);
    let [first, second] = if has(K::SecretsSwapped) {
        [token, consumer]
    } else {
        [consumer, token]
    };
    let encoder = Encoder::of_key(made);
    let [first, second] = [first, second].map(|secret| {
        if has(K::SecretsNotEncoded) {
            secret
        } else {
            Zeroizing::new(encoder.escape(&secret))
        }
    });
    let separator: &[u8] = if has(K::NoAmpersand) { b"" } else { b"&" };
    Zeroizing::new([&first, separator, &second].concat())
}

/// The consumer secret, for somebody who takes it for an encoded one, or encodes it.
fn recoded(secret: &[u8], made: Made<'_>) -> Zeroizing<Vec<u8>> {
    /// With padding or without.
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let has = |mistake| made.has(&Mistake::Key(mistake));
    let recoded = if has(K::SecretHexDecoded) {
        from_hex(secret)
    } else if has(K::SecretBase64Decoded) {
        LENIENT.decode(secret).ok()
    } else if has(K::SecretBase64Encoded) {
        Some(BASE64_STANDARD.encode(secret).into_bytes())
    } else {
        None
    };
    Zeroizing::new(recoded.unwrap_or_else(|| secret.to_vec()))
}

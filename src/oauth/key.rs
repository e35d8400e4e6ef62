//! Keyed signing: what remains of the secrets once a signer exists.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use smallvec::SmallVec;
use zeroize::Zeroizing;

use super::base64::encode_base64;
use super::codes::ONCE;
use super::percent;
use super::sink::Sink;
use super::{Credentials, Method, RsaKey, SignatureMethod};

/// The secrets, prepared for one signature method. HMAC states are keyed once and cloned for each signature;
/// they, and the secrets themselves, are zeroed when dropped.
#[derive(Clone)]
pub(super) enum Key {
    HmacSha1(Hmac<Sha1>),
    HmacSha256(Hmac<Sha256>),
    HmacSha512(Hmac<Sha512>),
    Rsa(RsaKey),
    Plaintext(Zeroizing<Vec<u8>>),
}

/// A signature, not yet text.
pub(super) enum Signature<'a> {
    /// A MAC, or an RSA signature, which takes an allocation. In the header it is written in base64.
    Bytes(SmallVec<[u8; 64]>),
    /// The secrets themselves (`PLAINTEXT`).
    Text(&'a [u8]),
}

impl Signature<'_> {
    /// Writes the value of `oauth_signature`, percent-encoded.
    #[inline]
    pub(super) fn write_encoded(&self, sink: &mut impl Sink) {
        match self {
            Self::Bytes(bytes) => encode_base64(sink, bytes),
            Self::Text(text) => percent::encode(sink, text, &ONCE),
        }
    }

    /// The value of `oauth_signature`.
    pub(super) fn to_text(&self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Zeroizing::new(BASE64_STANDARD.encode(bytes).into_bytes()),
            Self::Text(text) => Zeroizing::new(text.to_vec()),
        }
    }
}

impl Key {
    pub(super) fn new(method: &Method, credentials: &Credentials) -> Self {
        Self::from_joined_secrets(method, joined_secrets(credentials))
    }

    /// A key made of the two secrets as they are joined here, rightly or wrongly.
    pub(super) fn from_joined_secrets(method: &Method, key: Zeroizing<Vec<u8>>) -> Self {
        match method {
            Method::HmacSha1 => Self::HmacSha1(keyed(&key)),
            Method::HmacSha256 => Self::HmacSha256(keyed(&key)),
            Method::HmacSha512 => Self::HmacSha512(keyed(&key)),
            Method::Rsa(key) => Self::Rsa(key.clone()),
            Method::Plaintext => Self::Plaintext(key),
        }
    }

    pub(super) fn method(&self) -> SignatureMethod {
        match self {
            Self::HmacSha1(_) => SignatureMethod::HmacSha1,
            Self::HmacSha256(_) => SignatureMethod::HmacSha256,
            Self::HmacSha512(_) => SignatureMethod::HmacSha512,
            Self::Rsa(key) => key.signature_method(),
            Self::Plaintext(_) => SignatureMethod::Plaintext,
        }
    }

    /// Signs the base string that the closure writes.
    pub(super) fn sign(
        &self,
        write_base_string: impl FnOnce(&mut dyn FnMut(&[u8])),
    ) -> Signature<'_> {
        match self {
            Self::HmacSha1(keyed) => hmac(keyed.clone(), write_base_string),
            Self::HmacSha256(keyed) => hmac(keyed.clone(), write_base_string),
            Self::HmacSha512(keyed) => hmac(keyed.clone(), write_base_string),
            Self::Rsa(key) => Signature::Bytes(SmallVec::from_vec(key.sign(write_base_string))),
            // RFC 5849 §3.4.4: the signature is the key itself, whatever the request.
            Self::Plaintext(key) => Signature::Text(key),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, [REDACTED])", self.method().name())
    }
}

/// Both secrets, encoded, with `&` between them even where one is empty (RFC 5849 §3.4.2).
fn joined_secrets(credentials: &Credentials) -> Zeroizing<Vec<u8>> {
    let [consumer, token] =
        [&credentials.consumer_secret, &credentials.token_secret].map(ExposeSecret::expose_secret);
    // Never grown, as that would leave a copy behind that nothing zeroes.
    let mut key = Zeroizing::new(Vec::with_capacity(3 * (consumer.len() + token.len()) + 1));
    percent::encode(&mut *key, consumer.as_bytes(), &ONCE);
    key.push(b'&');
    percent::encode(&mut *key, token.as_bytes(), &ONCE);
    key
}

fn keyed<M: Mac + KeyInit>(key: &[u8]) -> M {
    #[expect(
        clippy::expect_used,
        reason = "HMAC takes keys of any length (RFC 2104 §3)"
    )]
    M::new_from_slice(key).expect("a key of any length")
}

fn hmac(
    mut mac: impl Mac,
    write_base_string: impl FnOnce(&mut dyn FnMut(&[u8])),
) -> Signature<'static> {
    write_base_string(&mut |piece| mac.update(piece));
    Signature::Bytes(SmallVec::from_slice(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(method: &Method, secrets: (&str, &str), text: &str) -> String {
        let credentials = Credentials {
            consumer_key: "key".to_owned(),
            consumer_secret: secrets.0.into(),
            token: None,
            token_secret: secrets.1.into(),
        };
        let key = Key::new(method, &credentials);
        let signature = key.sign(|sink| sink(text.as_bytes()));
        String::from_utf8(signature.to_text().to_vec()).unwrap()
    }

    #[test]
    fn the_signatures_of_the_oauth_wiki_come_out() {
        let check = |secrets, expected: &str| {
            assert_eq!(sign(&Method::HmacSha1, secrets, "bs"), expected);
        };
        check(("cs", ""), "egQqG5AJep5sJ7anhXju1unge2I=");
        check(("cs", "ts"), "VZVjXceV7JgPq/dOTnNmEfO0Fv8=");
    }

    #[test]
    fn plaintext_is_both_secrets_encoded_and_joined() {
        let check = |secrets, expected: &str| {
            assert_eq!(sign(&Method::Plaintext, secrets, "any"), expected);
        };
        check(
            ("djr9rjt0jd78jf88", "jjd999tj88uiths3"),
            "djr9rjt0jd78jf88&jjd999tj88uiths3",
        );
        check(("djr9rjt0jd78jf88", ""), "djr9rjt0jd78jf88&");
        check(("", ""), "&");
        check(("a&b", "ü"), "a%26b&%C3%BC");
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let key = Key::Plaintext(Zeroizing::new(b"hidden&".to_vec()));
        assert_eq!(format!("{key:?}"), "Key(PLAINTEXT, [REDACTED])");
    }
}

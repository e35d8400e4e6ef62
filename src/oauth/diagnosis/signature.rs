//! The signature as clients make it of a base string, and write it down (RFC 5849 §3.4, §3.5.1).

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
    prelude::BASE64_STANDARD,
};
use secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{
    encoding::{Encoder, from_hex, to_hex, unescape},
    explanation::{Explanation, of},
    key::joined_secrets,
    mistake::{Made, Mistake},
};
use crate::oauth::{
    Authorization, Credentials, Method, RsaHash, SignatureMethod, SigningOptions, key::Key,
};

/// Something a client gets wrong when it writes down a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each says in `Display` what it is, once")]
pub enum WritingMistake {
    EncodedTwice,
    PlusLost,
    LineBreaks,
    HexInBase64,
    Hex,
    UpperCaseHex,
    Unpadded,
    UrlSafe,
    LeftOut,
}

use WritingMistake as W;

impl WritingMistake {
    /// All of them, the commonest first.
    pub(super) const ALL: [Self; 9] = [
        W::EncodedTwice,
        W::PlusLost,
        W::LineBreaks,
        W::HexInBase64,
        W::Hex,
        W::UpperCaseHex,
        W::Unpadded,
        W::UrlSafe,
        W::LeftOut,
    ];

    pub(super) const RULE: &str = "RFC 5849 §3.4: oauth_signature is what the method computes in base64, with padding and in one line (RFC 4648 §4), and encoded once in the header (§3.5.1)";

    pub(super) fn explanation(self) -> Explanation {
        const BYTES: &str = "write the bytes in base64";
        match self {
            W::EncodedTwice => of(
                "the signature is percent-encoded twice in the header",
                "look for a library that encodes it already",
            ),
            W::PlusLost => of(
                "a `+` in the signature has become a space on its way",
                "send it as `%2B`",
            ),
            W::LineBreaks => of(
                "there are line breaks in the signature, as in base64 for mail",
                "use base64 without line breaks: in Ruby strict_encode64, in Python b64encode",
            ),
            W::HexInBase64 => of(
                "the signature is in hexadecimal, and that in base64",
                "take the signature as bytes; in PHP, hash_hmac(…, true)",
            ),
            W::Hex => of("the signature is in hexadecimal", BYTES),
            W::UpperCaseHex => of("the signature is in hexadecimal, in upper case", BYTES),
            W::Unpadded => of(
                "the signature has lost its `=` at the end",
                "use base64 with padding",
            ),
            W::UrlSafe => of(
                "the signature is in the URL-safe kind of base64",
                "use the base64 with `+` and `/`",
            ),
            W::LeftOut => of(
                "the signature is empty",
                "look for an error of the client's signing library that nobody reports",
            ),
        }
    }
}

/// What signatures are made with, and the one that was received.
pub(super) struct Signing<'a> {
    credentials: &'a Credentials,
    with: With,
    received: &'a [u8],
}

/// What a signature is made with.
enum With {
    /// An HMAC, or the secrets themselves.
    Secrets(Method),
    /// A private key.
    Rsa {
        hash: RsaHash,
        /// How many bytes its signatures have.
        length: usize,
        /// `None` if the one received was made with another key, or is no signature.
        opened: Option<Opened>,
    },
}

/// An RSA signature that was made with the key, and what the public key tells of it: the encoded digest of what was signed
/// (RFC 8017 §9.2). So no signature has to be made to try out a base string.
struct Opened {
    signature: Vec<u8>,
    digest_info: Vec<u8>,
}

impl<'a> Signing<'a> {
    /// For the method that the header names, or means; `None` if it is no method that we know, or one that we have no key
    /// for.
    pub(super) fn new(
        credentials: &'a Credentials,
        options: &SigningOptions,
        authorization: &'a Authorization,
    ) -> Option<Self> {
        let named = meant_method(&authorization.signature_method)?;
        let received = authorization.signature.as_bytes();
        let with = match (named.rsa_hash(), &options.method) {
            (Some(hash), Method::Rsa(key)) => {
                let signature = read_carelessly(received);
                let opened = key.open(&signature).map(|digest_info| Opened {
                    signature,
                    digest_info,
                });
                let length = key.signature_length();
                With::Rsa {
                    hash,
                    length,
                    opened,
                }
            }
            (Some(_), _) => return None,
            // With a private key there need be no secrets.
            (None, Method::Rsa(_)) if credentials.consumer_secret.expose_secret().is_empty() => {
                return None;
            }
            (None, _) => With::Secrets(Method::try_from(named).ok()?),
        };
        Some(Self {
            credentials,
            with,
            received,
        })
    }

    /// The text of `oauth_signature` that a client gets for a base string.
    ///
    /// With RSA it is the right one for the base string that was signed. For others, which nobody needs to sign, it
    /// has their digest in the place of the signature.
    pub(super) fn text(&self, base_string: &[u8], made: Made<'_>) -> Zeroizing<Vec<u8>> {
        let hash = made.find(|mistake| match mistake {
            Mistake::Hash(other) => Some(*other),
            _ => None,
        });
        let text = match &self.with {
            With::Secrets(own) => {
                let other = hash.and_then(|other| Method::try_from(other).ok());
                let secrets = joined_secrets(self.credentials, made);
                let key = Key::from_joined_secrets(other.as_ref().unwrap_or(own), secrets);
                key.sign(|sink| sink(base_string)).to_text()
            }
            With::Rsa {
                hash: own, opened, ..
            } => {
                let hash = hash.and_then(SignatureMethod::rsa_hash).unwrap_or(*own);
                let digest_info = hash.digest_info(base_string);
                let bytes = match opened {
                    Some(opened) if opened.digest_info == digest_info => &opened.signature,
                    _ => &digest_info,
                };
                Zeroizing::new(BASE64_STANDARD.encode(bytes).into_bytes())
            }
        };
        written(&text, made)
    }

    /// Whether a text, made with these mistakes, is the signature that was received.
    pub(super) fn is_received(&self, text: &[u8], made: Made<'_>) -> bool {
        if made.has(&Mistake::Writing(W::LineBreaks)) {
            // Wherever they are.
            let without = |text: &[u8]| -> Zeroizing<Vec<u8>> {
                let kept = text.iter().filter(|byte| !byte.is_ascii_whitespace());
                Zeroizing::new(kept.copied().collect())
            };
            return without(text).ct_eq(&*without(self.received)).into();
        }
        text.ct_eq(self.received).into()
    }

    /// Whether the key is known to be the right one, whatever was signed, or another one; `None` if nothing tells.
    pub(super) fn is_of_this_key(&self) -> Option<bool> {
        match &self.with {
            With::Secrets(_) => None,
            With::Rsa { opened, .. } => Some(opened.is_some()),
        }
    }

    /// Whether the signature is the secrets themselves.
    pub(super) fn is_plaintext(&self) -> bool {
        matches!(self.with, With::Secrets(Method::Plaintext))
    }

    /// How many bytes a signature has, if the one received has another number, however it is written.
    pub(super) fn missed_length(&self) -> Option<usize> {
        let length = match &self.with {
            With::Secrets(Method::HmacSha1) => 20,
            With::Secrets(Method::HmacSha256) => 32,
            With::Secrets(Method::HmacSha512) => 64,
            With::Secrets(_) => return None,
            With::Rsa { length, .. } => *length,
        };
        (read_carelessly(self.received).len() != length).then_some(length)
    }
}

/// The method of this name, or of one that is the same but for case and hyphens.
pub(super) fn meant_method(name: &str) -> Option<SignatureMethod> {
    let plain = |name: &str| -> String {
        let kept = name.chars().filter(|c| !matches!(c, '-' | '_' | ' '));
        kept.map(|c| c.to_ascii_uppercase()).collect()
    };
    SignatureMethod::ALL
        .into_iter()
        .find(|method| plain(method.name()) == plain(name))
}

/// The signature as it is put into the header; `signature` is what RFC 5849 asks for.
fn written(signature: &[u8], made: Made<'_>) -> Zeroizing<Vec<u8>> {
    let has = |mistake| made.has(&Mistake::Writing(mistake));
    let bytes = || BASE64_STANDARD.decode(signature).unwrap_or_default();
    let mut text = if has(W::Hex) {
        to_hex(&bytes())
    } else if has(W::UpperCaseHex) {
        to_hex(&bytes()).to_ascii_uppercase()
    } else if has(W::HexInBase64) {
        BASE64_STANDARD.encode(to_hex(&bytes())).into_bytes()
    } else if has(W::Unpadded) {
        STANDARD_NO_PAD.encode(bytes()).into_bytes()
    } else if has(W::UrlSafe) {
        URL_SAFE.encode(bytes()).into_bytes()
    } else if has(W::LeftOut) {
        Vec::new()
    } else if has(W::LineBreaks) {
        [signature, b"\n"].concat()
    } else {
        signature.to_vec()
    };
    if has(W::PlusLost) {
        for byte in text.iter_mut().filter(|byte| **byte == b'+') {
            *byte = b' ';
        }
    }
    if has(W::EncodedTwice) {
        text = Encoder::RIGHT.escape(&text);
    }
    Zeroizing::new(text)
}

/// The bytes of a signature, whatever a client may have done to the base64; none if they can't be made out.
fn read_carelessly(text: &[u8]) -> Vec<u8> {
    let mut text = unescape(text);
    let is_hex = |text: &[u8]| text.len() >= 40 && text.iter().all(u8::is_ascii_hexdigit);
    if is_hex(&text) {
        return from_hex(&text).unwrap_or_default();
    }
    for byte in &mut text {
        *byte = match *byte {
            b' ' | b'+' => b'-',
            b'/' => b'_',
            byte => byte,
        };
    }
    text.retain(|byte| !byte.is_ascii_whitespace() && *byte != b'=');
    let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
    if is_hex(&bytes) {
        from_hex(&bytes).unwrap_or_default()
    } else {
        bytes
    }
}

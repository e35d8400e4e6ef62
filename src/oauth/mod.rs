//! OAuth 1.0a signatures (RFC 5849), as a pure core: no socket, clock, randomness or configuration.
//!
//! A [`Signer`] is made once for an upstream, and from then on cannot fail: given a [`RequestToSign`] and the
//! [`Stamp`] of one attempt, it returns the value of the `Authorization` field. A [`Verifier`] is the other side:
//! it says whether a parsed [`Authorization`] fits a request, and if not, what differs.
//!
//! Requests are byte strings, taken as they stand on the wire. Nothing here changes a request; how a target is
//! read for signing (RFC 5849 §3.4.1.3) leaves the target itself alone.

mod authorization;
mod base;
mod base64;
mod body_hash;
mod codes;
mod diagnosis;
mod form;
mod header;
mod key;
mod lenient;
mod names;
mod nonce;
mod parameters;
mod percent;
mod replay;
mod rsa;
mod signer;
mod sink;
mod stamp;
mod template;
mod transmission;
mod verify;

use secrecy::SecretString;

pub use self::authorization::{Authorization, MalformedAuthorization};
pub(crate) use self::base::default_port;
pub use self::base::{BaseUri, RequestToSign};
pub use self::body_hash::{BODY_HASH, body_hash};
pub use self::diagnosis::{
    Breakdown, Diagnosis, Difference, Divergence, Extra, Finding, KeyMistake, Mistake, Parameter,
    Part, Place, Sent, Source, WritingMistake, break_down, compare_base_strings, diagnose, signs,
};
pub use self::lenient::{Slip, SlipKind, UnreadableAuthorization, WithSlips};
pub(crate) use self::names::{is_name_character, parameter_names, without_protocol_values};
pub use self::nonce::Nonce;
pub(crate) use self::percent::escaped_byte;
pub use self::replay::{Replay, ReplayGuard};
pub use self::rsa::{RsaHash, RsaKey, RsaKeyError};
pub use self::signer::Signer;
pub use self::stamp::Stamp;
pub use self::verify::{Mismatch, Verifier};

/// The consumer's and the resource owner's credentials (RFC 5849 §1.1).
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The consumer key (`oauth_consumer_key`), which is no secret.
    pub consumer_key: String,
    /// The consumer secret.
    pub consumer_secret: SecretString,
    /// The token; `None` sends no `oauth_token` (two-legged), an empty one sends it empty.
    pub token: Option<String>,
    /// The token secret; empty without a token.
    pub token_secret: SecretString,
}

impl Credentials {
    /// What is left of them once a [`Signer`] exists: the two secrets are zeroed here.
    #[must_use]
    pub fn without_secrets(self) -> Self {
        Self {
            consumer_secret: SecretString::default(),
            token_secret: SecretString::default(),
            ..self
        }
    }
}

/// How requests are signed.
#[derive(Clone, Debug, Default)]
pub struct SigningOptions {
    /// `signature_method`, and `private_key_file`.
    pub method: Method,
    /// `realm`.
    pub realm: Realm,
    /// `query_plus`.
    pub query_plus: QueryPlus,
    /// `body_hash`: whether requests whose body is no form are to be stamped with [`body_hash`].
    pub body_hash: bool,
}

/// A signature method, with the key where it is not made of the two secrets.
#[derive(Clone, Debug, Default)]
pub enum Method {
    /// [`SignatureMethod::HmacSha1`].
    #[default]
    HmacSha1,
    /// [`SignatureMethod::HmacSha256`].
    HmacSha256,
    /// [`SignatureMethod::HmacSha512`].
    HmacSha512,
    /// One of the RSA methods, whichever the key is for.
    Rsa(RsaKey),
    /// [`SignatureMethod::Plaintext`].
    Plaintext,
}

impl Method {
    /// What the method is called in a header.
    pub fn signature_method(&self) -> SignatureMethod {
        match self {
            Self::HmacSha1 => SignatureMethod::HmacSha1,
            Self::HmacSha256 => SignatureMethod::HmacSha256,
            Self::HmacSha512 => SignatureMethod::HmacSha512,
            Self::Rsa(key) => key.signature_method(),
            Self::Plaintext => SignatureMethod::Plaintext,
        }
    }
}

impl TryFrom<SignatureMethod> for Method {
    type Error = NeedsPrivateKey;

    fn try_from(method: SignatureMethod) -> Result<Self, NeedsPrivateKey> {
        match method {
            SignatureMethod::HmacSha1 => Ok(Self::HmacSha1),
            SignatureMethod::HmacSha256 => Ok(Self::HmacSha256),
            SignatureMethod::HmacSha512 => Ok(Self::HmacSha512),
            SignatureMethod::Plaintext => Ok(Self::Plaintext),
            SignatureMethod::RsaSha1 | SignatureMethod::RsaSha256 | SignatureMethod::RsaSha512 => {
                Err(NeedsPrivateKey)
            }
        }
    }
}

/// A method's name alone does not give its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the RSA methods need a private key")]
pub struct NeedsPrivateKey;

/// `oauth_signature_method` (RFC 5849 §3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureMethod {
    /// HMAC with SHA-1 (RFC 5849 §3.4.2).
    HmacSha1,
    /// HMAC with SHA-256, made like the one with SHA-1.
    HmacSha256,
    /// HMAC with SHA-512, made like the one with SHA-1.
    HmacSha512,
    /// RSASSA-PKCS1-v1_5 with SHA-1 (RFC 5849 §3.4.3).
    RsaSha1,
    /// RSASSA-PKCS1-v1_5 with SHA-256, made like the one with SHA-1.
    RsaSha256,
    /// RSASSA-PKCS1-v1_5 with SHA-512, made like the one with SHA-1.
    RsaSha512,
    /// The two secrets themselves (RFC 5849 §3.4.4); safe over TLS only.
    Plaintext,
}

impl SignatureMethod {
    /// Every method.
    pub const ALL: [Self; 7] = [
        Self::HmacSha1,
        Self::HmacSha256,
        Self::HmacSha512,
        Self::RsaSha1,
        Self::RsaSha256,
        Self::RsaSha512,
        Self::Plaintext,
    ];

    /// The method of this name; names are case-sensitive.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// Whether it signs with a private key in place of the two secrets (RFC 5849 §3.4.3).
    pub(crate) fn needs_private_key(self) -> bool {
        Method::try_from(self).is_err()
    }

    /// The hash of an RSA method.
    pub(crate) fn rsa_hash(self) -> Option<RsaHash> {
        match self {
            Self::RsaSha1 => Some(RsaHash::Sha1),
            Self::RsaSha256 => Some(RsaHash::Sha256),
            Self::RsaSha512 => Some(RsaHash::Sha512),
            _ => None,
        }
    }

    /// The name, as it stands in a header.
    pub fn name(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha256 => "HMAC-SHA256",
            Self::HmacSha512 => "HMAC-SHA512",
            Self::RsaSha1 => "RSA-SHA1",
            Self::RsaSha256 => "RSA-SHA256",
            Self::RsaSha512 => "RSA-SHA512",
            Self::Plaintext => "PLAINTEXT",
        }
    }
}

/// The `realm` of the `Authorization` header (RFC 5849 §3.5.1); it is never signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Realm {
    /// No realm.
    #[default]
    None,
    /// The same one for each request.
    Fixed(String),
    /// The request's base string URI (RFC 5849 §3.4.1.2).
    Uri,
}

/// How a `+` in a query is decoded for signing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueryPlus {
    /// As a space (RFC 5849 §3.4.1.3.1).
    #[default]
    Space,
    /// As a plus sign, for servers that do not follow the RFC.
    Literal,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_method_is_found_by_its_name_and_by_no_other_spelling() {
        for method in SignatureMethod::ALL {
            assert_eq!(SignatureMethod::from_name(method.name()), Some(method));
        }
        assert_eq!(SignatureMethod::from_name("hmac-sha1"), None);
        assert_eq!(SignatureMethod::from_name("RSA-MD5"), None);
    }
}

//! OAuth 1.0a signatures (RFC 5849), as a pure core: no socket, clock, randomness or configuration.

use secrecy::SecretString;

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

/// How requests are signed.
#[derive(Clone, Debug, Default)]
pub struct SigningOptions {
    /// `signature_method`.
    pub method: SignatureMethod,
    /// `realm`.
    pub realm: Realm,
    /// `query_plus`.
    pub query_plus: QueryPlus,
}

/// `oauth_signature_method` (RFC 5849 §3.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignatureMethod {
    /// HMAC with SHA-1 (RFC 5849 §3.4.2).
    #[default]
    HmacSha1,
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


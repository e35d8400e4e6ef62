//! What a fuzzer's bytes mean: a request and how it is to be signed.

use arbitrary::Arbitrary;
use undersign::oauth::{
    self, BaseUri, Credentials, QueryPlus, Realm, RequestToSign, Signer, SigningOptions, Verifier,
};

use crate::oracle::{self, Pair};

/// Something to sign. The order of the fields is that of the bytes: short ones of a fixed size first, so that a change
/// to one of the texts behind them does not shift their meaning.
#[derive(Arbitrary, Clone, Debug, PartialEq, Eq)]
pub struct Input<'a> {
    /// `signature_method`.
    pub signature_method: Method,
    /// `realm`.
    pub realm: RealmKind,
    /// Whether `query_plus` is `literal`.
    pub literal_plus: bool,
    /// Whether `oauth_version` is sent.
    pub sends_version: bool,
    /// Whether the scheme is `https`.
    pub https: bool,
    /// The upstream's port.
    pub port: u16,
    /// `oauth_timestamp`.
    pub timestamp: u64,
    /// In what order else the query's parameters are tried.
    pub shuffle: u64,
    /// Which byte of the target is changed behind the signature, modulo its length.
    pub tampered_at: u16,
    /// How it is changed.
    pub tampered_with: u8,
    /// The request's method.
    pub method: &'a str,
    /// The upstream's host.
    pub host: &'a str,
    /// The target, as sent.
    pub target: &'a [u8],
    /// The body, if it is a form.
    pub form: Option<&'a [u8]>,
    /// `oauth_consumer_key`.
    pub consumer_key: &'a str,
    /// The consumer secret.
    pub consumer_secret: &'a str,
    /// `oauth_token`.
    pub token: Option<&'a str>,
    /// The token secret.
    pub token_secret: &'a str,
    /// The realm, if it is a fixed one.
    pub realm_text: &'a str,
    /// `oauth_nonce`.
    pub nonce: &'a str,
    /// Further protocol parameters; [`Input::extra`] are those of them that can be sent.
    pub extra: Vec<(&'a str, &'a str)>,
}

/// `oauth_signature_method`, of those that the oracle knows. RSA is left out: the signature is a library's work, and all
/// that is ours, the base string, is the same.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `HMAC-SHA1`.
    HmacSha1,
    /// `HMAC-SHA256`.
    HmacSha256,
    /// `HMAC-SHA512`.
    HmacSha512,
    /// `PLAINTEXT`.
    Plaintext,
}

/// Which [`Realm`] is sent.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum RealmKind {
    /// [`Realm::None`].
    None,
    /// [`Realm::Fixed`].
    Fixed,
    /// [`Realm::Uri`].
    Uri,
}

impl<'a> Input<'a> {
    /// `GET https://example.com/` by a consumer without a token.
    pub const PLAIN: Self = Self {
        signature_method: Method::HmacSha1,
        realm: RealmKind::None,
        literal_plus: false,
        sends_version: true,
        https: true,
        port: 443,
        timestamp: 137_131_200,
        shuffle: 1,
        tampered_at: 0,
        tampered_with: 1,
        method: "GET",
        host: "example.com",
        target: b"/",
        form: None,
        consumer_key: "dpf43f3p2l4k3l03",
        consumer_secret: "kd94hf93k423kf44",
        token: None,
        token_secret: "",
        realm_text: "",
        nonce: "wIjqoS",
        extra: Vec::new(),
    };

    /// The request that undersign gets to sign.
    pub fn request(&self) -> RequestToSign<'a> {
        RequestToSign {
            method: self.method,
            target: self.target,
            form: self.form,
        }
    }

    /// The same request, for the oracle.
    pub fn oracle_request(&self) -> oracle::Request<'a> {
        oracle::Request {
            method: self.method,
            https: self.https,
            host: self.host,
            port: self.port,
            target: self.target,
            form: self.form,
            plus_is_space: !self.literal_plus,
            protocol: self.protocol(),
        }
    }

    /// The parameters of the header but `realm` and `oauth_signature`, decoded.
    pub fn protocol(&self) -> Vec<Pair> {
        let timestamp = self.timestamp.to_string();
        let mut parameters = vec![
            ("oauth_consumer_key", self.consumer_key),
            (
                "oauth_signature_method",
                self.signature_method.oracle().name(),
            ),
            ("oauth_timestamp", &timestamp),
            ("oauth_nonce", self.nonce),
        ];
        parameters.extend(self.token.map(|token| ("oauth_token", token)));
        parameters.extend(self.sends_version.then_some(("oauth_version", "1.0")));
        parameters.extend(self.extra());
        let pairs = parameters.into_iter();
        pairs
            .map(|(name, value)| (name.into(), value.into()))
            .collect()
    }

    /// The further parameters that the caller of a signer may pass: with a name, each once, and none that is the
    /// signer's own.
    pub fn extra(&self) -> Vec<(&'a str, &'a str)> {
        const OWN: [&str; 7] = [
            "oauth_consumer_key",
            "oauth_token",
            "oauth_signature_method",
            "oauth_signature",
            "oauth_timestamp",
            "oauth_nonce",
            "oauth_version",
        ];
        let mut kept: Vec<(&str, &str)> = Vec::new();
        for &(name, value) in &self.extra {
            let is_own = OWN.contains(&name) || name.eq_ignore_ascii_case("realm");
            let is_known = kept.iter().any(|(known, _)| *known == name);
            if !name.is_empty() && !is_own && !is_known {
                kept.push((name, value));
            }
        }
        kept
    }

    /// The signature that the oracle makes of a base string.
    pub fn oracle_signature(&self, base_string: &str) -> String {
        let method = self.signature_method.oracle();
        method.sign(self.consumer_secret, self.token_secret, base_string)
    }

    /// Undersign's signer, with a realm of this kind.
    pub fn signer(&self, realm: RealmKind) -> Signer {
        let signer = Signer::new(&self.credentials(), &self.options(realm), self.base_uri());
        if self.sends_version {
            signer
        } else {
            signer.without_version()
        }
    }

    /// Undersign's verifier.
    pub fn verifier(&self) -> Verifier {
        Verifier::new(
            &self.credentials(),
            &self.options(self.realm),
            self.base_uri(),
        )
    }

    fn credentials(&self) -> Credentials {
        Credentials {
            consumer_key: self.consumer_key.to_owned(),
            consumer_secret: self.consumer_secret.into(),
            token: self.token.map(str::to_owned),
            token_secret: self.token_secret.into(),
        }
    }

    fn options(&self, realm: RealmKind) -> SigningOptions {
        SigningOptions {
            method: self.signature_method.undersign(),
            realm: match realm {
                RealmKind::None => Realm::None,
                RealmKind::Fixed => Realm::Fixed(self.realm_text.to_owned()),
                RealmKind::Uri => Realm::Uri,
            },
            query_plus: if self.literal_plus {
                QueryPlus::Literal
            } else {
                QueryPlus::Space
            },
            ..SigningOptions::default()
        }
    }

    fn base_uri(&self) -> BaseUri {
        BaseUri::new(self.https, self.host, self.port)
    }
}

impl Method {
    /// As the oracle names it.
    pub fn oracle(self) -> oracle::Method {
        match self {
            Self::HmacSha1 => oracle::Method::HmacSha1,
            Self::HmacSha256 => oracle::Method::HmacSha256,
            Self::HmacSha512 => oracle::Method::HmacSha512,
            Self::Plaintext => oracle::Method::Plaintext,
        }
    }

    /// As undersign names it.
    pub fn undersign(self) -> oauth::Method {
        match self {
            Self::HmacSha1 => oauth::Method::HmacSha1,
            Self::HmacSha256 => oauth::Method::HmacSha256,
            Self::HmacSha512 => oauth::Method::HmacSha512,
            Self::Plaintext => oauth::Method::Plaintext,
        }
    }
}

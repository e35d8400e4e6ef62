//! All that a signature depends on beside the request.

use proptest::{option, prelude::*};
use undersign::oauth::{
    BaseUri, Credentials, Method, Nonce, QueryPlus, Realm, RequestToSign, Sent, Signer,
    SigningOptions, Stamp, Verifier,
};

use crate::parameters::Parameter;

const BODY_HASH: (&str, &str) = ("oauth_body_hash", "2jmj7l5rSw0yVb/vlWAYkK/YBwk=");

/// All that is given when a signer exists and a request arrives, but the request.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) credentials: Credentials,
    pub(crate) options: SigningOptions,
    pub(crate) timestamp: u64,
    pub(crate) nonce: NonceOf,
    has_body_hash: bool,
}

/// What a nonce is made of.
#[derive(Clone, Debug)]
pub(crate) enum NonceOf {
    Bits(u128),
    Text(String),
}

impl NonceOf {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Bits(bits) => format!("{:030x}", bits & (u128::MAX >> 8)),
            Self::Text(text) => text.clone(),
        }
    }
}

impl Case {
    /// `oauth_signature_method`.
    pub(crate) fn name(&self) -> &'static str {
        self.options.method.signature_method().name()
    }

    fn stamp(&self) -> Stamp<'_> {
        Stamp {
            timestamp: self.timestamp,
            nonce: match &self.nonce {
                NonceOf::Bits(bits) => Nonce::from_bits(*bits),
                NonceOf::Text(text) => text.as_str().into(),
            },
            extra: if self.has_body_hash {
                &[BODY_HASH]
            } else {
                &[]
            },
        }
    }

    fn signer(&self) -> Signer {
        Signer::new(&self.credentials, &self.options, origin())
    }

    pub(crate) fn verifier(&self) -> Verifier {
        Verifier::new(&self.credentials, &self.options, origin())
    }

    pub(crate) fn sent<'a>(&self, request: RequestToSign<'a>) -> Sent<'a> {
        Sent {
            request,
            https: true,
            host: "Example.com",
            port: Some(443),
            body: None,
            query_plus: self.options.query_plus,
            elsewhere: &[],
        }
    }

    pub(crate) fn sign(&self, request: &RequestToSign<'_>) -> Vec<u8> {
        self.signer().sign(request, self.stamp())
    }

    pub(crate) fn base_string(&self, request: &RequestToSign<'_>) -> String {
        self.signer().signature_base_string(request, self.stamp())
    }

    pub(crate) fn protocol_parameters(&self) -> Vec<Parameter> {
        let token = self.credentials.token.as_deref();
        let (timestamp, nonce) = (self.timestamp.to_string(), self.nonce.text());
        [
            self.has_body_hash.then_some(BODY_HASH),
            Some(("oauth_consumer_key", self.credentials.consumer_key.as_str())),
            Some(("oauth_nonce", nonce.as_str())),
            Some(("oauth_signature_method", self.name())),
            Some(("oauth_timestamp", timestamp.as_str())),
            token.map(|token| ("oauth_token", token)),
            Some(("oauth_version", "1.0")),
        ]
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
    }
}

pub(crate) fn case() -> impl Strategy<Value = Case> {
    let credentials = (
        any::<String>(),
        any::<String>(),
        option::of(any::<String>()),
        any::<String>(),
    );
    let method = proptest::sample::select(vec![
        Method::HmacSha1,
        Method::HmacSha256,
        Method::HmacSha512,
        Method::Plaintext,
    ]);
    let realm = prop_oneof![
        Just(Realm::None),
        // What else there may be in a realm is escaped, and does not come back.
        "[ -~]*".prop_map(Realm::Fixed),
        Just(Realm::Uri),
    ];
    let plus = prop_oneof![Just(QueryPlus::Space), Just(QueryPlus::Literal)];
    (
        credentials,
        method,
        realm,
        plus,
        // Of ten digits, as they all are until 2286, and of any number.
        prop_oneof![1_000_000_000_u64..10_000_000_000, any::<u64>()],
        prop_oneof![
            any::<u128>().prop_map(NonceOf::Bits),
            any::<String>().prop_map(NonceOf::Text),
        ],
        any::<bool>(),
    )
        .prop_map(
            |(
                (consumer_key, consumer_secret, token, token_secret),
                method,
                realm,
                query_plus,
                timestamp,
                nonce,
                has_body_hash,
            )| Case {
                credentials: Credentials {
                    consumer_key,
                    consumer_secret: consumer_secret.into(),
                    token,
                    token_secret: token_secret.into(),
                },
                options: SigningOptions {
                    method,
                    realm,
                    query_plus,
                    body_hash: false,
                },
                timestamp,
                nonce,
                has_body_hash,
            },
        )
}

fn origin() -> BaseUri {
    BaseUri::new(true, "example.com", 443)
}

//! The server's side (RFC 5849 §3.2): whether a header fits a request.

use subtle::ConstantTimeEq;
use thiserror::Error;

use super::authorization::Authorization;
use super::base::{self, BaseUri, RequestToSign};
use super::key::Key;
use super::parameters::Parameters;
use super::sink::PassOn;
use super::{Credentials, QueryPlus, SignatureMethod, SigningOptions};

/// Verifies requests to one origin, made with one set of credentials.
///
/// It checks no timestamp and remembers no nonce; a [`ReplayGuard`](super::ReplayGuard) does, for requests that
/// have been verified. The realm is no part of a signature and is not looked at.
#[derive(Clone, Debug)]
pub struct Verifier {
    key: Key,
    origin: BaseUri,
    query_plus: QueryPlus,
    consumer_key: String,
    token: Option<String>,
}

impl Verifier {
    /// A verifier of what a [`Signer`](super::Signer) with the same arguments signs.
    pub fn new(credentials: &Credentials, options: &SigningOptions, origin: BaseUri) -> Self {
        Self {
            key: Key::new(&options.method, credentials),
            origin,
            query_plus: options.query_plus,
            consumer_key: credentials.consumer_key.clone(),
            token: credentials.token.clone(),
        }
    }

    /// Checks that the header belongs to the request; otherwise says what differs first.
    pub fn verify(
        &self,
        request: &RequestToSign<'_>,
        authorization: &Authorization,
    ) -> Result<(), Mismatch> {
        if let Some(name) = request.protocol_parameter() {
            return Err(Mismatch::Misplaced(name));
        }
        let method = self.key.method();
        if authorization.signature_method != method.name() {
            return Err(Mismatch::SignatureMethod {
                expected: method.name(),
                received: authorization.signature_method.clone(),
            });
        }
        if authorization.consumer_key != self.consumer_key {
            return Err(Mismatch::ConsumerKey {
                expected: self.consumer_key.clone(),
                received: authorization.consumer_key.clone(),
            });
        }
        if authorization.token != self.token {
            return Err(Mismatch::Token {
                expected: self.token.clone(),
                received: authorization.token.clone(),
            });
        }
        let signature = self.key.sign(|pass_on| {
            self.write_base_string(
                request,
                authorization,
                &mut base::memory_for(request),
                pass_on,
            );
        });
        if bool::from(
            signature
                .to_text()
                .ct_eq(authorization.signature.as_bytes()),
        ) {
            Ok(())
        } else if method == SignatureMethod::Plaintext {
            Err(Mismatch::Secrets)
        } else {
            Err(Mismatch::Signature {
                base_string: self.signature_base_string(request, authorization),
            })
        }
    }

    /// The base string of a request with this header, as this side computes it (RFC 5849 §3.4.1).
    pub fn signature_base_string(
        &self,
        request: &RequestToSign<'_>,
        authorization: &Authorization,
    ) -> String {
        base::to_string(request, |memory, pass_on| {
            self.write_base_string(request, authorization, memory, pass_on);
        })
    }

    fn write_base_string(
        &self,
        request: &RequestToSign<'_>,
        authorization: &Authorization,
        memory: &mut Vec<u8>,
        pass_on: PassOn<'_>,
    ) {
        let mut parameters = Parameters::new(memory);
        for (name, value) in authorization.signed() {
            parameters.push(name, value.as_bytes());
        }
        request.push_parameters(&mut parameters, self.query_plus);
        let mut sorted = parameters.sort(pass_on);
        base::write_start(&mut sorted.base_string, request, &self.origin);
        sorted.write();
    }
}

/// The first thing in which a request and its `Authorization` header differ from what was expected.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Mismatch {
    /// Query or form have a protocol parameter, which only the header may have (RFC 5849 §3.5).
    #[error("`{0}` is in the query or the form, and would be a duplicate of the header's")]
    Misplaced(String),
    /// Another signature method.
    #[error("`oauth_signature_method` is `{received}`; expected `{expected}`")]
    SignatureMethod {
        /// The one of the verifier.
        expected: &'static str,
        /// The one in the header.
        received: String,
    },
    /// Another consumer key.
    #[error("`oauth_consumer_key` is `{received}`; expected `{expected}`")]
    ConsumerKey {
        /// The one of the verifier.
        expected: String,
        /// The one in the header.
        received: String,
    },
    /// Another token, or a token where there should be none, or none where there should be one.
    #[error(
        "`oauth_token` is {}; expected {}",
        describe(received),
        describe(expected)
    )]
    Token {
        /// The one of the verifier.
        expected: Option<String>,
        /// The one in the header.
        received: Option<String>,
    },
    /// Either the base strings differ or the secrets do.
    #[error(
        "`oauth_signature` does not match: a secret differs, or the text signed was not `{base_string}`"
    )]
    Signature {
        /// The base string that the verifier computed, to be compared with the client's.
        base_string: String,
    },
    /// The secrets differ, which a `PLAINTEXT` signature consists of.
    #[error("`oauth_signature` is not made of the two secrets")]
    Secrets,
}

fn describe(token: &Option<String>) -> String {
    match token {
        Some(token) => format!("`{token}`"),
        None => "absent".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::{Method, Signer, Stamp};

    const REQUEST: RequestToSign<'_> = RequestToSign {
        method: "GET",
        target: b"/aps/2/resources?limit(0,10)",
        form: None,
    };

    fn credentials() -> Credentials {
        Credentials {
            consumer_key: "key".to_owned(),
            consumer_secret: "secret".into(),
            token: Some("token".to_owned()),
            token_secret: "token secret".into(),
        }
    }

    const METHODS: [Method; 4] = [
        Method::HmacSha1,
        Method::HmacSha256,
        Method::HmacSha512,
        Method::Plaintext,
    ];

    fn origin() -> BaseUri {
        BaseUri::new(true, "example.com", 443)
    }

    fn signed_with(credentials: &Credentials, method: Method) -> Authorization {
        let options = SigningOptions {
            method,
            ..SigningOptions::default()
        };
        let stamp = Stamp {
            timestamp: 137_131_200,
            nonce: "n".into(),
            extra: &[("oauth_body_hash", "2jmj7l5rSw0yVb/vlWAYkK/YBwk=")],
        };
        let value = Signer::new(credentials, &options, origin()).sign(&REQUEST, stamp);
        Authorization::parse(&value).unwrap()
    }

    fn verifier(method: Method) -> Verifier {
        let options = SigningOptions {
            method,
            ..SigningOptions::default()
        };
        Verifier::new(&credentials(), &options, origin())
    }

    #[test]
    fn what_is_signed_alike_is_accepted() {
        for method in METHODS {
            let authorization = signed_with(&credentials(), method.clone());
            assert_eq!(verifier(method).verify(&REQUEST, &authorization), Ok(()));
        }
    }

    #[test]
    fn the_first_difference_is_named() {
        let check = |credentials: Credentials, method, expected: Mismatch| {
            let authorization = signed_with(&credentials, method);
            let verdict = verifier(Method::HmacSha1).verify(&REQUEST, &authorization);
            assert_eq!(verdict, Err(expected));
        };
        check(
            credentials(),
            Method::HmacSha256,
            Mismatch::SignatureMethod {
                expected: "HMAC-SHA1",
                received: "HMAC-SHA256".to_owned(),
            },
        );
        check(
            Credentials {
                consumer_key: "other".to_owned(),
                ..credentials()
            },
            Method::HmacSha1,
            Mismatch::ConsumerKey {
                expected: "key".to_owned(),
                received: "other".to_owned(),
            },
        );
        for token in [None, Some(String::new())] {
            check(
                Credentials {
                    token: token.clone(),
                    ..credentials()
                },
                Method::HmacSha1,
                Mismatch::Token {
                    expected: Some("token".to_owned()),
                    received: token,
                },
            );
        }
    }

    #[test]
    fn a_wrong_signature_is_answered_with_the_base_string_of_this_side() {
        let authorization = signed_with(&credentials(), Method::HmacSha1);
        let request = RequestToSign {
            target: b"/aps/2/resources?limit(0,11)",
            ..REQUEST
        };
        let base_string = "GET&https%3A%2F%2Fexample.com%2Faps%2F2%2Fresources&limit%25280%252C11%2529%3D\
            %26oauth_body_hash%3D2jmj7l5rSw0yVb%252FvlWAYkK%252FYBwk%253D%26oauth_consumer_key%3Dkey\
            %26oauth_nonce%3Dn%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131200\
            %26oauth_token%3Dtoken%26oauth_version%3D1.0";
        let verifier = verifier(Method::HmacSha1);
        assert_eq!(
            verifier.verify(&request, &authorization),
            Err(Mismatch::Signature {
                base_string: base_string.to_owned()
            })
        );
    }

    #[test]
    fn a_wrong_secret_is_told_for_plaintext_without_a_base_string() {
        let other = Credentials {
            token_secret: "other".into(),
            ..credentials()
        };
        let authorization = signed_with(&other, Method::Plaintext);
        let verdict = verifier(Method::Plaintext).verify(&REQUEST, &authorization);
        assert_eq!(verdict, Err(Mismatch::Secrets));
    }

    #[test]
    fn a_protocol_parameter_outside_the_header_is_refused() {
        let authorization = signed_with(&credentials(), Method::HmacSha1);
        let request = RequestToSign {
            target: b"/aps/2/resources?oauth%5Ftoken=x",
            ..REQUEST
        };
        assert_eq!(
            verifier(Method::HmacSha1).verify(&request, &authorization),
            Err(Mismatch::Misplaced("oauth_token".to_owned()))
        );
    }
}

//! Why a signature is refused: known mistakes of clients are tried until one of them reproduces it.
//!
//! What is signed is built here a second time, plainly and with a switch for each [`Mistake`]; without any it is what
//! the [`Signer`](super::Signer) signs, which a property of the tests makes sure of.

mod compare;
mod difference;
mod encoding;
mod explanation;
mod key;
mod mistake;
mod parameters;
mod rule;
mod search;
mod signature;
mod uri;

pub use self::{
    compare::{Divergence, Part, compare_base_strings},
    difference::Difference,
    key::{Extra, KeyMistake},
    mistake::{Mistake, Place},
    parameters::{Parameter, Source},
    signature::WritingMistake,
};
use self::{
    encoding::Encoder,
    mistake::Made,
    search::{explain, into_text},
    signature::Signing,
};
use super::{
    Authorization, BaseUri, Credentials, QueryPlus, RequestToSign, SigningOptions, default_port,
    names::parameter_names,
};

/// A request as it was sent, with what a client may have got wrong about it.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// What is signed of it.
    pub request: RequestToSign<'a>,
    /// Whether the scheme is https.
    pub https: bool,
    /// The host as it was written, an IPv6 address in brackets.
    pub host: &'a str,
    /// The port, if one was written.
    pub port: Option<u16>,
    /// A body that is no form.
    pub body: Option<&'a [u8]>,
    /// How the platform reads a `+` in a query.
    pub query_plus: QueryPlus,
    /// Other origins that the client may have signed for, such as `http://127.0.0.1:8080`.
    pub elsewhere: &'a [String],
}

impl Sent<'_> {
    /// The scheme, host and port that are signed.
    pub fn origin(&self) -> BaseUri {
        let port = self.port.unwrap_or(default_port(self.https));
        BaseUri::new(self.https, self.host, port)
    }

    /// The decoded names of query and form.
    fn parameter_names(&self) -> impl Iterator<Item = String> {
        let form = self.request.form.unwrap_or_default();
        [self.request.query(), form]
            .into_iter()
            .flat_map(parameter_names)
    }
}

/// What is found out about a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// In what the header differs from the configuration, before any signature is looked at.
    pub differences: Vec<Difference>,
    /// Whether the signature is right, apart from these differences.
    pub finding: Finding,
}

impl Diagnosis {
    /// Whether there is nothing to object to.
    pub fn is_right(&self) -> bool {
        self.differences.is_empty() && self.finding == Finding::Right
    }
}

/// What is found out about a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It is right.
    Right,
    /// It comes out if these mistakes are made together.
    Mistaken {
        /// The fewest mistakes that reproduce it.
        mistakes: Vec<Mistake>,
        /// What else would reproduce it, but is less common.
        alternatives: Vec<Vec<Mistake>>,
        /// What the client signed, unless that is right.
        divergence: Option<Divergence>,
    },
    /// No known mistake reproduces it: the secret is another one, or the request.
    Unexplained {
        /// What should have been signed.
        base_string: String,
        /// Whether it is known that the right key has signed, which is so with RSA.
        is_of_this_key: bool,
        /// Whether each mistake was tried, for which a request can be too long.
        is_complete: bool,
    },
    /// It is no signature of the method, which would have so many bytes.
    NoSignature {
        /// The number of bytes.
        length: usize,
    },
    /// Another private key than the configured one has signed.
    OtherKey,
    /// It is made of other secrets (`PLAINTEXT`).
    OtherSecrets,
    /// The header names a signature method that we do not know, or have no key for.
    Unverifiable,
}

/// Says what a client did wrong, given what it sent and the credentials that it should have used.
///
/// Whatever the header says otherwise than the configuration is noted, and then taken for granted to judge the signature.
pub fn diagnose(
    credentials: &Credentials,
    options: &SigningOptions,
    sent: &Sent<'_>,
    authorization: &Authorization,
) -> Diagnosis {
    let signing = Signing::new(credentials, options, authorization);
    Diagnosis {
        differences: difference::differences(credentials, options, sent, authorization),
        finding: signing.map_or(Finding::Unverifiable, |signing| {
            explain(&signing, credentials, sent, authorization)
        }),
    }
}

/// What a request's signature is made of, step by step (RFC 5849 §3.4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakdown {
    /// The parameters, decoded, in the order of the request.
    pub parameters: Vec<Parameter>,
    /// The normalised parameters (§3.4.1.3.2).
    pub normalised: String,
    /// The base string.
    pub base_string: String,
}

/// Takes apart what is signed of a request with this header.
pub fn break_down(sent: &Sent<'_>, authorization: &Authorization) -> Breakdown {
    let none = Made(&[]);
    let parameters = parameters::collect(sent, authorization, none);
    let normalised = parameters::normalise(parameters.clone(), none);
    Breakdown {
        parameters,
        normalised: into_text(normalised),
        base_string: into_text(base_string(sent, authorization, none)),
    }
}

/// Whether a client's base string, signed with the right key, gives the signature in its header. If it does and the
/// signature is wrong, then the base string is. `None` for a method that we don't know or have no key for, or that signs
/// nothing (`PLAINTEXT`).
pub fn signs(
    credentials: &Credentials,
    options: &SigningOptions,
    authorization: &Authorization,
    base_string: &str,
) -> Option<bool> {
    let signing = Signing::new(credentials, options, authorization)?;
    let signature = signing.text(base_string.as_bytes(), Made(&[]));
    (!signing.is_plaintext()).then(|| signing.is_received(&signature, Made(&[])))
}

/// The base string that a client signs who makes these mistakes.
fn base_string(sent: &Sent<'_>, authorization: &Authorization, made: Made<'_>) -> Vec<u8> {
    let other = made.find(|mistake| match mistake {
        Mistake::Method(method) => Some(*method),
        _ => None,
    });
    let mut method = other.unwrap_or(sent.request.method).to_ascii_uppercase();
    if made.has(&Mistake::LowerCaseMethod) {
        method.make_ascii_lowercase();
    }
    let encoder = Encoder::of_wholes(made);
    let mut uri = uri::uri(sent, made);
    if !made.has(&Mistake::UriNotEncoded) {
        uri = encoder.escape(&uri);
    }
    let parameters = parameters::collect(sent, authorization, made);
    let mut normalised = parameters::normalise(parameters, made);
    if !made.has(&Mistake::NormalisedNotEncoded) {
        normalised = encoder.escape(&normalised);
    }
    [encoder.escape(method.as_bytes()), uri, normalised].join(&b'&')
}

#[cfg(test)]
mod tests;

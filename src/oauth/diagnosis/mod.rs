//! Why a signature is refused: known mistakes of clients are tried until one of them reproduces it.
//!
//! What is signed is built here a second time, plainly and with a switch for each [`Mistake`]; without any it is what
//! the [`Signer`](super::Signer) signs, which a property of the tests makes sure of.

mod compare;
mod encoding;
mod explanation;
mod mistake;
mod parameters;
mod rule;
mod secret;
mod uri;

use subtle::ConstantTimeEq as _;

pub use self::{
    compare::{Divergence, Part, compare_base_strings},
    mistake::Mistake,
    parameters::{Parameter, Source},
};
use self::{
    encoding::escape,
    mistake::{Made, candidates},
};
use super::{
    Authorization, BODY_HASH, BaseUri, Credentials, Method, Mismatch, QueryPlus, RequestToSign,
    SignatureMethod, SigningOptions, Verifier, body_hash, default_port, names::parameter_names,
};

/// How many combinations of mistakes are tried at most: some tenths of a second with HMAC.
const TRIES: usize = 20_000;

/// How many bytes of base strings they are tried on at most: of a long request, fewer of them are.
const TRIED_BYTES: usize = 40_000_000;

/// By how many bytes a mistake may more than double the base string, and still be combined with others.
const MUCH_LONGER: usize = 4096;

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
    pub differences: Vec<Mismatch>,
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
        /// Other single mistakes that would reproduce it too, but are less common.
        alternatives: Vec<Mistake>,
        /// What the client signed, unless that is right.
        divergence: Option<Divergence>,
    },
    /// No known mistake reproduces it: the secret is another one, or the request.
    Unexplained {
        /// What should have been signed; `None` for `PLAINTEXT`, which signs nothing.
        base_string: Option<String>,
    },
    /// The header names a signature method that we do not know, or have no key for.
    Unverifiable,
}

/// Says what a client did wrong, given what it sent and the credentials that it should have used.
pub fn diagnose(
    credentials: &Credentials,
    options: &SigningOptions,
    sent: &Sent<'_>,
    authorization: &Authorization,
) -> Diagnosis {
    let mut credentials = credentials.clone();
    let mut options = SigningOptions {
        query_plus: sent.query_plus,
        ..options.clone()
    };
    let mut differences = Vec::new();
    // Whatever the header says otherwise is noted and then taken for granted, to judge the rest of it.
    let finding = loop {
        let verifier = Verifier::new(&credentials, &options, sent.origin());
        let mismatch = match verifier.verify(&sent.request, authorization) {
            Ok(()) => break Finding::Right,
            Err(mismatch) => mismatch,
        };
        match &mismatch {
            Mismatch::Signature { .. } | Mismatch::Secrets => {
                break explain(&credentials, &options.method, sent, authorization);
            }
            // A body's hash is looked at below: a verifier has no body.
            Mismatch::Misplaced(_) | Mismatch::BodyHash { .. } => {
                differences.push(mismatch);
                break explain(&credentials, &options.method, sent, authorization);
            }
            Mismatch::ConsumerKey { received, .. } => credentials.consumer_key.clone_from(received),
            Mismatch::Token { received, .. } => credentials.token.clone_from(received),
            Mismatch::SignatureMethod { received, .. } => {
                let Some(method) = method_without_key(received) else {
                    differences.push(mismatch);
                    break Finding::Unverifiable;
                };
                options.method = method;
            }
        }
        differences.push(mismatch);
    };
    differences.extend(body_hash_difference(&options, sent, authorization));
    Diagnosis {
        differences,
        finding,
    }
}

/// The method of this name, if the two secrets are all that it needs.
fn method_without_key(name: &str) -> Option<Method> {
    Method::try_from(SignatureMethod::from_name(name)?).ok()
}

/// Whether the header has the hash of another body, or none where there should be one; forms have no hash.
fn body_hash_difference(
    options: &SigningOptions,
    sent: &Sent<'_>,
    authorization: &Authorization,
) -> Option<Mismatch> {
    let received = authorization.signed().find(|(name, _)| *name == BODY_HASH);
    let received = received.map(|(_, value)| value.to_owned());
    if sent.request.form.is_some() || (received.is_none() && !options.body_hash) {
        return None;
    }
    let expected = body_hash(
        options.method.signature_method(),
        sent.body.unwrap_or_default(),
    );
    (received.as_ref() != Some(&expected)).then_some(Mismatch::BodyHash { expected, received })
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
/// signature is wrong, then the base string is. `None` for a method that we don't know, or have no key for.
pub fn signs(
    credentials: &Credentials,
    method: &Method,
    authorization: &Authorization,
    base_string: &str,
) -> Option<bool> {
    let method = match method {
        own if own.signature_method().name() == authorization.signature_method => own.clone(),
        _ => method_without_key(&authorization.signature_method)?,
    };
    let signature = secret::sign(&method, credentials, base_string.as_bytes(), Made(&[]));
    Some(signature.ct_eq(authorization.signature.as_bytes()).into())
}

/// Tries the known mistakes: none, each, and then two and three together.
fn explain(
    credentials: &Credentials,
    method: &Method,
    sent: &Sent<'_>,
    authorization: &Authorization,
) -> Finding {
    let try_out = |mistakes: &[Mistake]| {
        let made = Made(mistakes);
        let base_string = base_string(sent, authorization, made);
        secret::sign(method, credentials, &base_string, made)
    };
    let is_rsa = matches!(method, Method::Rsa(_));
    let is_received =
        |signature: &[u8]| bool::from(signature.ct_eq(authorization.signature.as_bytes()));
    let expected = base_string(sent, authorization, Made(&[]));
    let right = try_out(&[]);
    if is_received(&right) {
        return Finding::Right;
    }
    let mut telling = Vec::new();
    let mut found = Vec::new();
    for mistake in candidates(sent, authorization) {
        let mistakes = [mistake];
        let text = base_string(sent, authorization, Made(&mistakes));
        if text == expected && !mistakes[0].comes_after_the_base_string() {
            continue;
        }
        let signature = secret::sign(method, credentials, &text, Made(&mistakes));
        let [mistake] = mistakes;
        if is_received(&signature) {
            found.push(mistake);
        } else if signature != right && text.len() <= 2 * expected.len() + MUCH_LONGER {
            // What makes no difference alone is not combined either, or each combination would be tried many times. Nor
            // is what signs a long body, or each would take long.
            telling.push(mistake);
        }
    }
    let mut found = found.into_iter();
    let mistakes = match found.next() {
        Some(first) => Some(vec![first]),
        // A signature with RSA takes a thousand times as long as an HMAC.
        None if is_rsa => None,
        None => combinations(&telling)
            .take(tries(expected.len()))
            .find(|mistakes| is_received(&try_out(mistakes))),
    };
    let expected = into_text(expected);
    match mistakes {
        Some(mistakes) => {
            let received = into_text(base_string(sent, authorization, Made(&mistakes)));
            Finding::Mistaken {
                divergence: compare_base_strings(&expected, &received),
                mistakes,
                alternatives: found.collect(),
            }
        }
        None => Finding::Unexplained {
            base_string: (!matches!(method, Method::Plaintext)).then_some(expected),
        },
    }
}

/// How many combinations are tried of a request with a base string of this length.
fn tries(length: usize) -> usize {
    TRIES.min(TRIED_BYTES / length.max(1))
}

/// All pairs, then all triples, those of common mistakes first.
fn combinations(mistakes: &[Mistake]) -> impl Iterator<Item = Vec<Mistake>> {
    let pairs =
        (1..mistakes.len()).flat_map(|second| (0..second).map(move |first| vec![first, second]));
    let triples = (2..mistakes.len()).flat_map(|third| {
        (1..third).flat_map(move |second| (0..second).map(move |first| vec![first, second, third]))
    });
    let chosen = |indices: Vec<usize>| indices.into_iter().map(|at| mistakes[at].clone()).collect();
    pairs.chain(triples).map(chosen)
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
    let mut uri = uri::uri(sent, made);
    if !made.has(&Mistake::UriNotEncoded) {
        uri = escape(&uri, made);
    }
    let parameters = parameters::collect(sent, authorization, made);
    let mut normalised = parameters::normalise(parameters, made);
    if !made.has(&Mistake::NormalisedNotEncoded) {
        normalised = escape(&normalised, made);
    }
    [escape(method.as_bytes(), made), uri, normalised].join(&b'&')
}

/// As text; bytes that are none, which some mistakes leave, are escaped.
fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| error.as_bytes().escape_ascii().to_string())
}

#[cfg(test)]
mod tests;

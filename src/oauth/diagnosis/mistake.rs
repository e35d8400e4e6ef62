//! The mistakes that clients are known to make, the commonest first.

use std::fmt;

use super::Sent;
use crate::oauth::{Authorization, SignatureMethod};

/// Something a client does otherwise than RFC 5849 says, and signs something else for it.
///
/// [`Display`](fmt::Display) says what the client did; [`rule`](Self::rule) and [`remedy`](Self::remedy), what the RFC
/// says and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each says in `Display` what it is, once")]
pub enum Mistake {
    // The parameters: how they are read.
    PlusLiteralInQuery,
    PlusSpaceInQuery,
    PlusLiteralInForm,
    QueryNotSigned,
    FormNotSigned,
    BodySigned,
    /// A parameter of the query or the form, by its name.
    Unsigned(String),
    NotDecoded,
    DecodedTwice,
    Semicolon,
    EmptyPair,
    CutAtSecondEquals,
    HtmlAmpersand,
    FirstDuplicateOnly,
    LastDuplicateOnly,
    EmptyValuesDropped,
    EmptyWithoutEquals,
    EmptyNamesDropped,
    ReplacementCharacter,
    BadEscapesStripped,
    Latin1,
    Utf8Twice,
    // The header's own parameters.
    /// A parameter of the header, by its name.
    LeftOut(String),
    VersionAdded,
    EmptyTokenAdded,
    RealmSigned,
    SignatureSigned,
    // How they are encoded.
    MarksUnencoded,
    AsteriskUnencoded,
    SlashUnencoded,
    TildeEncoded,
    SpaceAsPlus,
    LowerCaseDigits,
    EncodedOnce,
    EncodedThrice,
    NormalisedNotEncoded,
    // Their order.
    SortedBeforeEncoding,
    SortedAsText,
    SortedByNameOnly,
    SortedIgnoringCase,
    UnsortedHeaderFirst,
    UnsortedRequestFirst,
    // The method and the base string URI.
    /// Another method than that of the request.
    Method(&'static str),
    LowerCaseMethod,
    OtherScheme,
    DefaultPortKept,
    PortLeftOut,
    /// Another origin, such as that of the local proxy.
    OtherOrigin(String),
    HostCaseKept,
    OriginLeftOut,
    QueryInUri,
    QueryInUriAlone,
    TrailingQuestionMark,
    UriNotEncoded,
    PathEscaped,
    PathDecoded,
    PathReencoded,
    PathEncodedAgain,
    PathSlashesMerged,
    PathDotsResolved,
    PathSlashAdded,
    PathSlashRemoved,
    PathEmpty,
    // The key.
    SecretWithNewline,
    TokenSecretWithNewline,
    NoAmpersand,
    SecretsNotEncoded,
    TokenSecretLeftOut,
    SecretsSwapped,
    SecretTrimmed,
    ConsumerKeyAsSecret,
    SecretHexDecoded,
    SecretBase64Decoded,
    // The signature.
    /// HMAC with another hash than the header names.
    Hash(SignatureMethod),
    EncodedTwiceInHeader,
    PlusLostInHeader,
    HexInBase64,
    Hex,
    Unpadded,
    UrlSafe,
}

use Mistake as M;

/// Those that can be made with every request, the commonest first.
pub(super) const ALWAYS: &[Mistake] = &[
    M::SecretWithNewline,
    M::PlusLiteralInQuery,
    M::PlusSpaceInQuery,
    M::PlusLiteralInForm,
    M::QueryNotSigned,
    M::FormNotSigned,
    M::BodySigned,
    M::OtherScheme,
    M::DefaultPortKept,
    M::PortLeftOut,
    M::NoAmpersand,
    M::TokenSecretLeftOut,
    M::SecretsSwapped,
    M::SecretsNotEncoded,
    M::MarksUnencoded,
    M::AsteriskUnencoded,
    M::TildeEncoded,
    M::SpaceAsPlus,
    M::SlashUnencoded,
    M::LowerCaseDigits,
    M::EncodedOnce,
    M::EncodedThrice,
    M::NormalisedNotEncoded,
    M::UriNotEncoded,
    M::NotDecoded,
    M::DecodedTwice,
    M::SortedBeforeEncoding,
    M::SortedAsText,
    M::SortedByNameOnly,
    M::SortedIgnoringCase,
    M::UnsortedHeaderFirst,
    M::UnsortedRequestFirst,
    M::FirstDuplicateOnly,
    M::LastDuplicateOnly,
    M::EmptyValuesDropped,
    M::EmptyWithoutEquals,
    M::EmptyNamesDropped,
    M::CutAtSecondEquals,
    M::Semicolon,
    M::EmptyPair,
    M::HtmlAmpersand,
    M::QueryInUri,
    M::QueryInUriAlone,
    M::TrailingQuestionMark,
    M::HostCaseKept,
    M::OriginLeftOut,
    M::PathEscaped,
    M::PathReencoded,
    M::PathDecoded,
    M::PathEncodedAgain,
    M::PathSlashesMerged,
    M::PathDotsResolved,
    M::PathSlashRemoved,
    M::PathSlashAdded,
    M::PathEmpty,
    M::RealmSigned,
    M::SignatureSigned,
    M::VersionAdded,
    M::EmptyTokenAdded,
    M::LowerCaseMethod,
    M::HexInBase64,
    M::Hex,
    M::EncodedTwiceInHeader,
    M::PlusLostInHeader,
    M::Unpadded,
    M::UrlSafe,
    M::TokenSecretWithNewline,
    M::SecretTrimmed,
    M::ConsumerKeyAsSecret,
    M::SecretHexDecoded,
    M::SecretBase64Decoded,
    M::ReplacementCharacter,
    M::BadEscapesStripped,
    M::Latin1,
    M::Utf8Twice,
];

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];

/// Parameters that are tried one by one: more of them are no likelier, and each costs a try.
const SINGLE_PARAMETERS: usize = 24;

/// The mistakes that are worth trying with a request and its header, the commonest first.
pub(super) fn candidates(sent: &Sent<'_>, authorization: &Authorization) -> Vec<Mistake> {
    let method = SignatureMethod::from_name(&authorization.signature_method);
    if method == Some(SignatureMethod::Plaintext) {
        let about_secrets =
            |mistake: &&Mistake| mistake.is_of_the_key() || **mistake == M::EncodedTwiceInHeader;
        return ALWAYS.iter().filter(about_secrets).cloned().collect();
    }
    let methods = METHODS.into_iter().map(M::Method);
    let origins = sent.elsewhere.iter().cloned().map(M::OtherOrigin);
    let left_out = authorization
        .signed()
        .map(|(name, _)| M::LeftOut(name.to_owned()))
        .take(SINGLE_PARAMETERS);
    let mut unsigned = Vec::new();
    for name in sent.parameter_names() {
        let mistake = M::Unsigned(name);
        if unsigned.len() < SINGLE_PARAMETERS && !unsigned.contains(&mistake) {
            unsigned.push(mistake);
        }
    }
    let hashes = [
        SignatureMethod::HmacSha1,
        SignatureMethod::HmacSha256,
        SignatureMethod::HmacSha512,
    ];
    let mut all: Vec<_> = methods.chain(origins).collect();
    all.extend_from_slice(ALWAYS);
    all.extend(hashes.map(M::Hash));
    all.extend(left_out);
    all.extend(unsigned);
    if method.is_some_and(SignatureMethod::needs_private_key) {
        all.retain(|mistake| !mistake.is_of_the_key() && !matches!(mistake, M::Hash(_)));
    }
    all
}

impl Mistake {
    /// Whether it is about the secrets, which alone make a `PLAINTEXT` signature.
    pub(super) fn is_of_the_key(&self) -> bool {
        matches!(
            self,
            M::SecretWithNewline
                | M::TokenSecretWithNewline
                | M::NoAmpersand
                | M::SecretsNotEncoded
                | M::TokenSecretLeftOut
                | M::SecretsSwapped
                | M::SecretTrimmed
                | M::ConsumerKeyAsSecret
                | M::SecretHexDecoded
                | M::SecretBase64Decoded
        )
    }

    /// Whether it is about what comes after the base string: key, hash and signature.
    pub(super) fn comes_after_the_base_string(&self) -> bool {
        self.is_of_the_key()
            || matches!(
                self,
                M::Hash(_)
                    | M::EncodedTwiceInHeader
                    | M::PlusLostInHeader
                    | M::HexInBase64
                    | M::Hex
                    | M::Unpadded
                    | M::UrlSafe
            )
    }

    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        self.explanation().remedy
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.explanation().did)
    }
}

/// The mistakes of one attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Made<'a>(pub(super) &'a [Mistake]);

impl<'a> Made<'a> {
    pub(super) fn has(self, mistake: &Mistake) -> bool {
        self.0.contains(mistake)
    }

    /// What a mistake that comes in several forms is about.
    pub(super) fn find<T>(self, of: impl Fn(&'a Mistake) -> Option<T>) -> Option<T> {
        self.0.iter().find_map(of)
    }
}

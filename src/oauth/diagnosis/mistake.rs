//! The mistakes that clients are known to make, the commonest first.

use std::fmt;

use super::{
    Sent,
    key::KeyMistake,
    signature::{WritingMistake, meant_method},
};
use crate::oauth::{Authorization, Credentials, SignatureMethod};

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
    JsonSigned,
    NotDecoded,
    NamesNotDecoded,
    DecodedTwice,
    AsItStands,
    Semicolon,
    EmptyPair,
    CutAtSecondEquals,
    HtmlAmpersand,
    FirstDuplicateOnly,
    LastDuplicateOnly,
    DuplicatesNumbered,
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
    /// A token that is not in the header.
    TokenAdded(String),
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
    /// Where the mistakes of encoding are made, if not in the whole of the base string and nowhere else.
    At(Place),
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
    PathStartLeftOut,
    // What is made of the base string.
    /// The key.
    Key(KeyMistake),
    /// The text of the signature.
    Writing(WritingMistake),
    /// Another method than the header names.
    Hash(SignatureMethod),
}

/// Where a client uses another encoding than the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the whole base string, and for the secrets in the key.
    KeyToo,
    /// For the secrets in the key.
    KeyAlone,
    /// For names and values, but not for the base string's parts as wholes.
    NamesAndValuesAlone,
    /// For the base string's parts as wholes, but not for names and values.
    WholesAlone,
}

impl Place {
    pub(super) const ALL: [Self; 4] = [
        Self::KeyToo,
        Self::NamesAndValuesAlone,
        Self::WholesAlone,
        Self::KeyAlone,
    ];
}

use Mistake as M;

/// Those of the base string that can be made with every request, the commonest first.
pub(super) const ALWAYS: [Mistake; 63] = [
    M::PlusLiteralInQuery,
    M::PlusSpaceInQuery,
    M::PlusLiteralInForm,
    M::QueryNotSigned,
    M::FormNotSigned,
    M::BodySigned,
    M::JsonSigned,
    M::OtherScheme,
    M::DefaultPortKept,
    M::PortLeftOut,
    M::MarksUnencoded,
    M::AsteriskUnencoded,
    M::TildeEncoded,
    M::SpaceAsPlus,
    M::SlashUnencoded,
    M::LowerCaseDigits,
    M::AsItStands,
    M::NamesNotDecoded,
    M::NotDecoded,
    M::EncodedOnce,
    M::EncodedThrice,
    M::NormalisedNotEncoded,
    M::UriNotEncoded,
    M::DecodedTwice,
    M::SortedBeforeEncoding,
    M::SortedAsText,
    M::SortedByNameOnly,
    M::SortedIgnoringCase,
    M::UnsortedHeaderFirst,
    M::UnsortedRequestFirst,
    M::FirstDuplicateOnly,
    M::LastDuplicateOnly,
    M::DuplicatesNumbered,
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
    M::PathStartLeftOut,
    M::RealmSigned,
    M::SignatureSigned,
    M::VersionAdded,
    M::LowerCaseMethod,
    M::ReplacementCharacter,
    M::BadEscapesStripped,
    M::Latin1,
    M::Utf8Twice,
];

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];

/// Parameters that are tried one by one: more of them are no likelier, and each costs a try.
const SINGLE_PARAMETERS: usize = 24;

/// So many mistakes of the key are as common as those of the base string.
const COMMON_OF_THE_KEY: usize = 8;

/// The mistakes that are worth trying with a request and its header, the commonest first.
pub(super) fn candidates(
    sent: &Sent<'_>,
    authorization: &Authorization,
    credentials: &Credentials,
) -> Vec<Mistake> {
    let (common, uncommon) = KeyMistake::ALL.split_at(COMMON_OF_THE_KEY);
    let of_key = |mistakes: &[KeyMistake]| mistakes.iter().copied().map(M::Key).collect::<Vec<_>>();
    let (common, uncommon) = (of_key(common), of_key(uncommon));
    let written = WritingMistake::ALL.map(M::Writing);
    let method = meant_method(&authorization.signature_method);
    if method == Some(SignatureMethod::Plaintext) {
        let encoding = ALWAYS.into_iter().filter(Mistake::is_of_encoding).collect();
        return [common, uncommon, encoding, written.into()].concat();
    }
    let is_rsa = method.is_some_and(SignatureMethod::needs_private_key);
    let hashes = SignatureMethod::ALL.into_iter().filter(|other| {
        *other != SignatureMethod::Plaintext && other.needs_private_key() == is_rsa
    });
    let has_token = authorization.token.is_some();
    let tokens = [Some(String::new()), credentials.token.clone()];
    let tokens = tokens.into_iter().flatten().filter(|_| !has_token);
    let left_out = authorization
        .signed()
        .map(|(name, _)| M::LeftOut(name.to_owned()));
    let mut unsigned = Vec::new();
    for name in sent.parameter_names() {
        let mistake = M::Unsigned(name);
        if unsigned.len() < SINGLE_PARAMETERS && !unsigned.contains(&mistake) {
            unsigned.push(mistake);
        }
    }
    let mut all: Vec<_> = METHODS.into_iter().map(M::Method).collect();
    all.extend(sent.elsewhere.iter().cloned().map(M::OtherOrigin));
    if !is_rsa {
        all.extend(common);
    }
    all.extend(ALWAYS);
    all.extend(tokens.map(M::TokenAdded));
    all.extend(hashes.map(M::Hash));
    all.extend(left_out.take(SINGLE_PARAMETERS));
    all.extend(unsigned);
    all.extend(written);
    if !is_rsa {
        all.extend(uncommon);
    }
    all
}

impl Mistake {
    /// Whether it is about what comes after the base string: key, hash and signature.
    pub(super) fn comes_after_the_base_string(&self) -> bool {
        matches!(self, M::Key(_) | M::Hash(_) | M::Writing(_))
    }

    /// Whether it is about percent-encoding itself, which is used in several [places](Place).
    pub(super) fn is_of_encoding(&self) -> bool {
        matches!(
            self,
            M::MarksUnencoded
                | M::AsteriskUnencoded
                | M::TildeEncoded
                | M::SpaceAsPlus
                | M::SlashUnencoded
                | M::LowerCaseDigits
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

    /// Where mistakes of encoding are made; `None` for the whole base string.
    pub(super) fn place(self) -> Option<Place> {
        self.find(|mistake| match mistake {
            M::At(place) => Some(*place),
            _ => None,
        })
    }

    /// What a mistake that comes in several forms is about.
    pub(super) fn find<T>(self, of: impl Fn(&'a Mistake) -> Option<T>) -> Option<T> {
        self.0.iter().find_map(of)
    }
}

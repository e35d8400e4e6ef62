//! What a client did, and what to do about it.

use std::borrow::Cow;

use super::mistake::{Mistake, Place};
use Mistake as M;

const SIGN_WHAT_IS_SENT: &str = "sign the request as it is sent, after all that changes it";
const ENCODE: &str =
    "replace the library's URL encoding by one that follows RFC 3986 §2.1 and §2.3";
const SORT: &str = "encode names and values, then sort the pairs by name and value as bytes";

/// What is said of a mistake, beside the rule that it breaks.
pub(super) struct Explanation {
    /// What the client did.
    pub(super) did: Cow<'static, str>,
    /// What to do about it.
    pub(super) remedy: &'static str,
}

pub(super) fn of(did: impl Into<Cow<'static, str>>, remedy: &'static str) -> Explanation {
    let did = did.into();
    Explanation { did, remedy }
}

impl Mistake {
    /// What is said of it.
    pub(super) fn explanation(&self) -> Explanation {
        match self {
            M::PlusLiteralInQuery => of(
                "a `+` in the query is signed as a plus sign",
                "sign it as a space, `%20`, and send a plus sign as `%2B`; if the platform itself reads it as a plus sign, set query_plus = \"literal\"",
            ),
            M::PlusSpaceInQuery => of(
                "a `+` in the query is signed as a space",
                "send a space as `%20` and a plus sign as `%2B`, which all understand; or remove query_plus if the platform follows the RFC",
            ),
            M::PlusLiteralInForm => of(
                "a `+` in the form is signed as a plus sign",
                "sign it as a space, `%20`, and send a plus sign as `%2B`",
            ),
            M::QueryNotSigned => of(
                "the query is not signed",
                "hand the whole URL, with its query, to the signing library",
            ),
            M::FormNotSigned => of(
                "the form in the body is not signed",
                "hand the form's fields to the signing library; or send another Content-Type",
            ),
            M::BodySigned => of(
                "the body is signed as a form, though its Content-Type is another",
                "leave the body out of the signature, or send it as a form",
            ),
            M::JsonSigned => of(
                "the fields of the JSON body are signed as those of a form",
                "leave the body out of the signature: hand the library no data, only method and URL",
            ),
            M::NamesNotDecoded => of(
                "names of the query or form are encoded again, without being decoded first",
                "decode names as well as values before they are encoded for the base string",
            ),
            M::AsItStands => of(
                "query and form are signed as they stand there, neither decoded nor encoded anew",
                "split them, decode each name and each value, and encode each one, before the whole is encoded",
            ),
            M::NotDecoded => of(
                "names and values of the query or form are encoded again, without being decoded first",
                "decode the parameters before they are encoded for the base string",
            ),
            M::DecodedTwice => of(
                "names and values of the query or form are decoded twice",
                "decode the parameters once, before they are encoded for the base string",
            ),
            M::Utf8Twice => of(
                "bytes are taken for characters of ISO-8859-1 and encoded as UTF-8",
                "decode the parameters into bytes, or into text as UTF-8",
            ),
            M::Semicolon => of(
                "a `;` separates parameters",
                "split at `&` alone, or send the semicolon as `%3B`",
            ),
            M::EmptyPair => of(
                "an empty parameter is signed where two `&` follow each other, or one is at the end",
                "leave out what is empty between two `&`",
            ),
            M::CutAtSecondEquals => of(
                "a value is cut off at its first `=`",
                "split at the first `=` only, or send those within a value as `%3D`",
            ),
            M::HtmlAmpersand => of(
                "`&amp;` and `&` are mixed up",
                "undo the escapes of HTML or XML before the URL is used",
            ),
            M::FirstDuplicateOnly => of(
                "of parameters with the same name, only the first is signed",
                "keep parameters in a list of pairs, not in a map",
            ),
            M::LastDuplicateOnly => of(
                "of parameters with the same name, only the last is signed",
                "keep parameters in a list of pairs, not in a map",
            ),
            M::DuplicatesNumbered => of(
                "parameters with the same name are numbered: `name[0]`, `name[1]`",
                "keep parameters in a list of pairs, not in a map",
            ),
            M::EmptyValuesDropped => of(
                "parameters without a value are not signed",
                "sign them with an empty value: `name=`",
            ),
            M::EmptyWithoutEquals => of(
                "parameters without a value are signed without their `=`",
                "sign them with an empty value: `name=`",
            ),
            M::EmptyNamesDropped => of(
                "parameters without a name are not signed",
                "sign them with an empty name: `=value`",
            ),
            M::ReplacementCharacter => of(
                "bytes that are not UTF-8 are signed as U+FFFD, `%EF%BF%BD`",
                "decode into bytes, not into text",
            ),
            M::BadEscapesStripped => of(
                "a `%` that begins no escape is left out",
                "send a percent sign as `%25`",
            ),
            M::Latin1 => of(
                "characters are encoded as ISO-8859-1",
                "choose UTF-8 for the URL encoding",
            ),
            M::VersionAdded => of(
                "oauth_version is signed, but not sent",
                "sign the same parameters that are sent in the header",
            ),
            M::TokenAdded(token) if token.is_empty() => of(
                "an empty oauth_token is signed, but not sent",
                "sign the same parameters that are sent: with token = \"\", Undersign sends an empty one",
            ),
            M::TokenAdded(_) => of(
                "oauth_token is signed, but not sent",
                "sign the same parameters that are sent in the header",
            ),
            M::RealmSigned => of("realm is signed", "leave realm out of the base string"),
            M::SignatureSigned => of(
                "an empty oauth_signature is signed",
                "leave oauth_signature out of the base string",
            ),
            M::MarksUnencoded => of(
                "`!`, `*`, `'`, `(` and `)` are not encoded",
                "after encodeURIComponent or its like, encode `!*'()` too: `%21 %2A %27 %28 %29`",
            ),
            M::AsteriskUnencoded => of(
                "`*` is not encoded",
                "after URLEncoder or its like, replace `*` by `%2A`, `+` by `%20` and `%7E` by `~`",
            ),
            M::SlashUnencoded => of(
                "`/` is not encoded",
                "in Python, write quote(text, safe='~')",
            ),
            M::TildeEncoded => of("`~` is encoded, as `%7E`", ENCODE),
            M::SpaceAsPlus => of("a space is encoded as `+`", ENCODE),
            M::LowerCaseDigits => of("escapes are written with digits in lower case", ENCODE),
            M::EncodedOnce => of(
                "names and values are encoded once in the base string, not twice",
                "encode each name and each value, join them, and encode the whole once more",
            ),
            M::EncodedThrice => of(
                "names and values are encoded three times in the base string, not twice",
                "encode each name and each value, join them, and encode the whole once more",
            ),
            M::NormalisedNotEncoded => of(
                "the normalised parameters are not encoded as a whole",
                "encode the joined parameters once more",
            ),
            M::At(place) => of(
                match place {
                    Place::KeyToo => "so are the secrets in the key",
                    Place::KeyAlone => {
                        "this is so for the secrets in the key, and for nothing else"
                    }
                    Place::NamesAndValuesAlone => {
                        "this is so for names and values, but not for the parts of the base string as wholes"
                    }
                    Place::WholesAlone => {
                        "this is so for the parts of the base string as wholes, but not for names and values"
                    }
                },
                "use one right encoding everywhere",
            ),
            M::SortedBeforeEncoding => of("parameters are sorted before they are encoded", SORT),
            M::SortedAsText => of("parameters are sorted as whole texts, `name=value`", SORT),
            M::SortedByNameOnly => of(
                "parameters with the same name are not sorted by their values",
                SORT,
            ),
            M::SortedIgnoringCase => of(
                "parameters are sorted without regard to upper and lower case",
                SORT,
            ),
            M::UnsortedHeaderFirst => of(
                "parameters are not sorted: the header's come first, then query and form",
                SORT,
            ),
            M::UnsortedRequestFirst => of(
                "parameters are not sorted: query and form come first, then the header's",
                SORT,
            ),
            M::LowerCaseMethod => of(
                "the method is signed in lower case",
                "sign it in upper case",
            ),
            M::OtherScheme => of(
                "the URI is signed with the other one of http and https",
                "sign the scheme that the platform is reached by, also behind a proxy that ends TLS",
            ),
            M::DefaultPortKept => of(
                "the URI is signed with its default port",
                "leave out `:443` with https and `:80` with http",
            ),
            M::PortLeftOut => of(
                "the URI is signed without its port",
                "keep a port that is not the scheme's default",
            ),
            M::HostCaseKept => of(
                "the host is not signed in lower case",
                "write the host in lower case",
            ),
            M::OriginLeftOut => of(
                "the path alone is signed, without scheme and host",
                "sign the whole URI",
            ),
            M::QueryInUri => of(
                "the query is signed twice: as parameters, and as a part of the URI",
                "cut the URI off at `?` for the base string",
            ),
            M::QueryInUriAlone => of(
                "the query is signed as a part of the URI, and not as parameters",
                "cut the URI off at `?` and sign the query's parameters with the others",
            ),
            M::TrailingQuestionMark => of(
                "the URI is signed with a `?` at its end",
                "cut the URI off before the `?`",
            ),
            M::UriNotEncoded => of(
                "the URI is not encoded in the base string",
                "encode the URI as a whole",
            ),
            M::PathEscaped => of(
                "characters of the path are signed as escapes, though they are sent as they are",
                SIGN_WHAT_IS_SENT,
            ),
            M::PathDecoded => of("the path is signed decoded", SIGN_WHAT_IS_SENT),
            M::PathReencoded => of(
                "the path is signed decoded and encoded anew, in another spelling",
                SIGN_WHAT_IS_SENT,
            ),
            M::PathEncodedAgain => of("the path is encoded once too often", SIGN_WHAT_IS_SENT),
            M::PathSlashesMerged => of("several `/` are signed as one", SIGN_WHAT_IS_SENT),
            M::PathDotsResolved => of(
                "`.` and `..` are resolved in the path that is signed",
                SIGN_WHAT_IS_SENT,
            ),
            M::PathSlashAdded => of(
                "the path is signed with a `/` at its end that is not sent",
                SIGN_WHAT_IS_SENT,
            ),
            M::PathSlashRemoved => of(
                "the path is signed without the `/` at its end",
                SIGN_WHAT_IS_SENT,
            ),
            M::PathEmpty => of("an empty path is signed in place of `/`", "sign `/`"),
            M::PathStartLeftOut => of(
                "the first segment of the path is not signed",
                "sign the whole path, also where a server or a framework takes off its own part of it",
            ),
            M::Key(mistake) => mistake.explanation(),
            M::Writing(mistake) => mistake.explanation(),
            M::Unsigned(name) => of(
                format!(
                    "the parameter `{}` of the query or the form is not signed",
                    name.escape_debug()
                ),
                "find out what adds the parameter after signing, or leaves it out of the signature",
            ),
            M::LeftOut(name) => of(
                format!(
                    "`{}` is sent in the header, but not signed",
                    name.escape_debug()
                ),
                "sign the same parameters that are sent in the header",
            ),
            M::Method(method) => of(
                format!("the method signed is {method}"),
                "sign the method that is sent; look for a redirect or a library that changes it",
            ),
            M::OtherOrigin(origin) => of(
                format!("the URI signed begins with {}", origin.escape_debug()),
                "sign the platform's own scheme, host and port, whatever the address connected to",
            ),
            M::Hash(method) => of(
                format!("the signature is made as for {}", method.name()),
                "let the header name the algorithm, or use the one it names",
            ),
        }
    }
}

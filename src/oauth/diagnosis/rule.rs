//! What RFC 5849 says where clients do otherwise.

use super::{key::KeyMistake, mistake::Mistake, signature::WritingMistake};
use Mistake as M;

const PARAMETERS: &str = "RFC 5849 §3.4.1.3.1: all parameters are signed: those of the query, of the header (but realm and oauth_signature), and of a body that is a form";
const FORM_ENCODED: &str = "RFC 5849 §3.4.1.3.1: the query is read as a form (application/x-www-form-urlencoded): `&` separates, the first `=` ends the name, `+` is a space, and escapes are decoded";
const EACH: &str =
    "RFC 5849 §3.4.1.3: every parameter counts, also one that is empty or there twice";
const ENCODING: &str = "RFC 5849 §3.6: only letters, digits and `-._~` stay as they are; every other byte becomes `%XX` with digits in upper case, a space `%20`";
const ORDER: &str = "RFC 5849 §3.4.1.3.2: names and values are encoded first, then sorted by bytes: by name, and by value where names are the same";
const JOINED: &str = "RFC 5849 §3.4.1.1: the base string is method, URI and normalised parameters, each encoded once as a whole and joined by `&`; within the parameters, names and values have been encoded before";
const METHOD: &str =
    "RFC 5849 §3.4.1.1: the base string starts with the request's own method, in upper case";
const URI: &str = "RFC 5849 §3.4.1.2: the URI is scheme, host in lower case, the port unless it is the scheme's default, and the path; without query";
const PATH: &str =
    "RFC 5849 §3.4.1.2: the path is signed as it stands in the request line; an empty one is `/`";
impl Mistake {
    /// What the RFC says instead, with its section.
    pub fn rule(&self) -> &'static str {
        match self {
            M::PlusLiteralInQuery
            | M::PlusLiteralInForm
            | M::NotDecoded
            | M::NamesNotDecoded
            | M::DecodedTwice
            | M::AsItStands
            | M::Semicolon
            | M::EmptyPair
            | M::CutAtSecondEquals
            | M::HtmlAmpersand => FORM_ENCODED,
            M::PlusSpaceInQuery => {
                "query_plus = \"literal\": this platform reads a `+` in a query as a plus sign, unlike RFC 5849 §3.4.1.3.1"
            }
            M::QueryNotSigned
            | M::FormNotSigned
            | M::VersionAdded
            | M::TokenAdded(_)
            | M::Unsigned(_)
            | M::LeftOut(_) => PARAMETERS,
            M::BodySigned | M::JsonSigned => {
                "RFC 5849 §3.4.1.3.1: a body counts only if its Content-Type is application/x-www-form-urlencoded"
            }
            M::Utf8Twice => {
                "RFC 5849 §3.6: text is encoded as UTF-8 once, and what is already bytes is encoded byte by byte"
            }
            M::FirstDuplicateOnly
            | M::LastDuplicateOnly
            | M::DuplicatesNumbered
            | M::EmptyValuesDropped
            | M::EmptyWithoutEquals
            | M::EmptyNamesDropped => EACH,
            M::ReplacementCharacter => {
                "RFC 5849 §3.6: what is already bytes is encoded byte by byte"
            }
            M::BadEscapesStripped => {
                "RFC 5849 §3.6: a byte outside of the unreserved ones is encoded: `%25`"
            }
            M::Latin1 => "RFC 5849 §3.6: text is encoded as UTF-8 first",
            M::RealmSigned => {
                "RFC 5849 §3.4.1.3.1: the header's parameters are signed without realm"
            }
            M::SignatureSigned => {
                "RFC 5849 §3.4.1.3.1: the header's parameters are signed without oauth_signature"
            }
            M::MarksUnencoded
            | M::AsteriskUnencoded
            | M::SlashUnencoded
            | M::TildeEncoded
            | M::SpaceAsPlus
            | M::LowerCaseDigits
            | M::At(_) => ENCODING,
            M::EncodedOnce | M::EncodedThrice | M::NormalisedNotEncoded | M::UriNotEncoded => {
                JOINED
            }
            M::SortedBeforeEncoding
            | M::SortedAsText
            | M::SortedByNameOnly
            | M::SortedIgnoringCase
            | M::UnsortedHeaderFirst
            | M::UnsortedRequestFirst => ORDER,
            M::LowerCaseMethod | M::Method(_) => METHOD,
            M::OtherScheme
            | M::DefaultPortKept
            | M::PortLeftOut
            | M::HostCaseKept
            | M::OriginLeftOut
            | M::QueryInUri
            | M::QueryInUriAlone
            | M::TrailingQuestionMark
            | M::OtherOrigin(_) => URI,
            M::PathEscaped
            | M::PathDecoded
            | M::PathReencoded
            | M::PathEncodedAgain
            | M::PathSlashesMerged
            | M::PathDotsResolved
            | M::PathSlashAdded
            | M::PathSlashRemoved
            | M::PathEmpty
            | M::PathStartLeftOut => PATH,
            M::Key(_) => KeyMistake::RULE,
            M::Writing(_) => WritingMistake::RULE,
            M::Hash(_) => "RFC 5849 §3.4: oauth_signature_method names the algorithm that is used",
        }
    }
}

//! The search for the mistakes that a signature comes out of.

use super::{
    Finding, Sent, base_string,
    compare::compare_base_strings,
    mistake::{Made, Mistake, Place, candidates},
    signature::Signing,
};
use crate::oauth::{Authorization, Credentials};

/// How many combinations of mistakes are tried at most: some tenths of a second with HMAC.
const TRIES: usize = 20_000;

/// On how many bytes of base strings single mistakes are tried, and combinations: of a long request, fewer of them are.
const TRIED_BYTES: usize = 200_000_000;
const COMBINED_BYTES: usize = 40_000_000;

/// By how many bytes a mistake may more than double the base string, and still be combined with others.
const MUCH_LONGER: usize = 4096;

/// Says whether the signature is right, or else what mistakes it comes out of.
pub(super) fn explain(
    signing: &Signing<'_>,
    credentials: &Credentials,
    sent: &Sent<'_>,
    authorization: &Authorization,
) -> Finding {
    let expected = base_string(sent, authorization, Made(&[]));
    let right = signing.text(&expected, Made(&[]));
    if signing.is_received(&right, Made(&[])) {
        return Finding::Right;
    }
    let (found, is_complete) = if signing.is_of_this_key() == Some(false) {
        (Vec::new(), true)
    } else {
        let candidates = candidates(sent, authorization, credentials);
        let search = Search {
            signing,
            sent,
            authorization,
            expected: &expected,
            right: &right,
        };
        search.find(candidates)
    };
    let mut found = found.into_iter();
    if let Some(mistakes) = found.next() {
        let received = base_string(sent, authorization, Made(&mistakes));
        let divergence = compare_base_strings(&into_text(expected), &into_text(received));
        return Finding::Mistaken {
            mistakes,
            alternatives: found.collect(),
            divergence: divergence.filter(|_| !signing.is_plaintext()),
        };
    }
    if let Some(length) = signing.missed_length() {
        return Finding::NoSignature { length };
    }
    match signing.is_of_this_key() {
        Some(false) => Finding::OtherKey,
        _ if signing.is_plaintext() => Finding::OtherSecrets,
        key => Finding::Unexplained {
            base_string: into_text(expected),
            is_of_this_key: key.is_some(),
            is_complete,
        },
    }
}

struct Search<'a> {
    signing: &'a Signing<'a>,
    sent: &'a Sent<'a>,
    authorization: &'a Authorization,
    /// The right base string.
    expected: &'a [u8],
    /// The right signature.
    right: &'a [u8],
}

impl Search<'_> {
    /// Tries the mistakes, each by itself, and then two and three together. Of the former, returns all that reproduce the
    /// signature; of the latter, the first. `false` if the request is too long for all of the former to be tried.
    fn find(&self, candidates: Vec<Mistake>) -> (Vec<Vec<Mistake>>, bool) {
        let mut telling = Vec::new();
        let mut found = Vec::new();
        let length = self.expected.len();
        let mut left = tries(TRIED_BYTES, length);
        for mistake in candidates {
            for mistakes in in_places(vec![mistake.clone()], &Place::ALL) {
                let made = Made(&mistakes);
                if left == 0 {
                    return (found, false);
                }
                left -= 1;
                let text = base_string(self.sent, self.authorization, made);
                if text == self.expected && !comes_after_the_base_string(&mistakes) {
                    continue;
                }
                let signature = self.signing.text(&text, made);
                if self.signing.is_received(&signature, made) {
                    found.push(mistakes);
                } else if *signature != *self.right
                    && text.len() <= 2 * self.expected.len() + MUCH_LONGER
                    && !telling.contains(&mistake)
                {
                    // What makes no difference alone is not combined either, or each combination would be tried many times. Nor
                    // is what signs a long body, or each would take long.
                    telling.push(mistake.clone());
                }
            }
        }
        if found.is_empty() {
            const PLACES: [Place; 2] = [Place::KeyToo, Place::NamesAndValuesAlone];
            let mut tried = combinations(&telling)
                .flat_map(|mistakes| in_places(mistakes, &PLACES))
                .take(tries(COMBINED_BYTES, length).min(TRIES));
            found.extend(tried.find(|mistakes| self.is_received(mistakes)));
        }
        (found, true)
    }

    fn is_received(&self, mistakes: &[Mistake]) -> bool {
        let made = Made(mistakes);
        let text = base_string(self.sent, self.authorization, made);
        let signature = self.signing.text(&text, made);
        self.signing.is_received(&signature, made)
    }
}

/// How many base strings of this length have so many bytes.
fn tries(bytes: usize, length: usize) -> usize {
    bytes / length.max(1)
}

/// The same mistakes, and if one of them is about encoding, the same again in each of these places.
fn in_places(mistakes: Vec<Mistake>, places: &[Place]) -> impl Iterator<Item = Vec<Mistake>> {
    let is_of_encoding = mistakes.iter().any(Mistake::is_of_encoding);
    let places = if is_of_encoding { places } else { &[] };
    let with = |place: &Place| [&mistakes[..], &[Mistake::At(*place)]].concat();
    let placed: Vec<_> = places.iter().map(with).collect();
    std::iter::once(mistakes).chain(placed)
}

fn comes_after_the_base_string(mistakes: &[Mistake]) -> bool {
    let in_key = |mistake: &Mistake| {
        matches!(mistake, Mistake::At(Place::KeyToo | Place::KeyAlone))
            || mistake.comes_after_the_base_string()
    };
    mistakes.iter().any(in_key)
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

/// As text; bytes that are none, which some mistakes leave, are escaped.
pub(super) fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| error.as_bytes().escape_ascii().to_string())
}

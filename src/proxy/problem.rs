//! What an upstream says of a signature that it refuses, and what to check then.
//!
//! By the OAuth Problem Reporting extension it says so in `WWW-Authenticate`, or in the content as a form would:
//! `oauth_problem=signature_invalid&…`.

use memchr::memmem;

use crate::wire::ResponseHead;

/// Seconds; a clock that is further off is worth a hint: servers commonly allow five minutes, some only one.
pub(crate) const NOTABLE_SKEW_S: i64 = 30;

/// In front of the problem.
const NAME: &[u8] = b"oauth_problem=";

/// The longest problem that is taken for one.
const MAX_PROBLEM_BYTES: usize = 64;

/// Bytes of content that are looked at.
const MAX_CONTENT_BYTES: usize = 4096;

/// Whether an answer with this status may be about the signature of its request.
pub(super) fn may_refuse_signature(status: u16) -> bool {
    matches!(status, 400 | 401 | 403)
}

/// What the upstream calls the problem in the head of its answer: a word in small letters and `_`. Anything else may be what
/// the upstream has got, such as the signature.
pub(super) fn in_fields(head: &ResponseHead) -> Option<String> {
    head.fields.all("www-authenticate").find_map(|value| {
        let (word, next) = leading_word(behind_name(value)?)?;
        matches!(next, None | Some(b'"' | b',' | b'&' | b' ' | b';')).then(|| word.to_owned())
    })
}

/// Looks for the problem where an answer's content begins, as it passes by.
#[derive(Debug, Default)]
pub(super) enum Search {
    /// There is nothing to look for, or not any more.
    #[default]
    Over,
    /// No content has come yet.
    Begun,
    /// What has come ends in this word, which may go on.
    Unended(String),
}

impl Search {
    /// Begins with the content behind this head, unless it is encoded.
    pub(super) fn begin(head: &ResponseHead) -> Self {
        if head.fields.first("content-encoding").is_some() {
            Self::Over
        } else {
            Self::Begun
        }
    }

    /// Whether no more content has to be seen.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Over)
    }

    /// Looks at what comes first; returns a problem that stands in it as a whole.
    pub(super) fn see(&mut self, content: &[u8]) -> Option<String> {
        if content.is_empty() {
            return None;
        }
        // Nothing but the first of it is looked at, and a word that goes on behind that is none.
        if !matches!(std::mem::take(self), Self::Begun) {
            return None;
        }
        let seen = &content[..content.len().min(MAX_CONTENT_BYTES)];
        let (word, next) = leading_word(behind_name(seen)?)?;
        match next {
            Some(next) if is_end(next) => return Some(word.to_owned()),
            None if seen.len() == content.len() => *self = Self::Unended(word.to_owned()),
            _ => {}
        }
        None
    }

    /// The content has come to its end; returns a problem that it ended in.
    pub(super) fn end(&mut self) -> Option<String> {
        match std::mem::take(self) {
            Self::Unended(word) => Some(word),
            Self::Begun | Self::Over => None,
        }
    }
}

fn behind_name(text: &[u8]) -> Option<&[u8]> {
    let at = memmem::find(text, NAME)?;
    let rest = &text[at + NAME.len()..];
    Some(rest.strip_prefix(b"\"").unwrap_or(rest))
}

/// The word that a text begins with, and the byte behind it.
fn leading_word(text: &[u8]) -> Option<(&str, Option<u8>)> {
    let is_of_word = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'_';
    let length = text.iter().take_while(|byte| is_of_word(byte)).count();
    let word = std::str::from_utf8(&text[..length]).ok()?;
    (1..=MAX_PROBLEM_BYTES)
        .contains(&length)
        .then(|| (word, text.get(length).copied()))
}

/// Whether a problem is over in front of this byte, be the content a form, text, JSON or HTML.
fn is_end(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b',' | b'&' | b';' | b'<')
}

/// What to check when the upstream refuses a signed request with this query, and calls the problem so.
pub(super) fn hint_for_refused_signature(
    clock_skew_s: Option<i64>,
    oauth_problem: Option<&str>,
    query: Option<&[u8]>,
) -> &'static str {
    match clock_skew_s {
        Some(skew) if skew.abs() > NOTABLE_SKEW_S => {
            "the clocks of this machine and the upstream differ: set this machine's clock (NTP)"
        }
        _ if oauth_problem == Some("timestamp_refused") => {
            "the upstream refused the timestamp: set this machine's clock (NTP); if it is right, the upstream's is not"
        }
        _ if query.is_some_and(|query| query.contains(&b'+')) => {
            "the upstream refused the credentials or the signature: check the consumer key and secret; if only queries with a plus sign are refused, set query_plus = \"literal\""
        }
        _ => {
            "the upstream refused the credentials or the signature: check the consumer key and secret, the token, and the signature method"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_speaks_of_what_is_most_likely_wrong() {
        let refused = Some("timestamp_refused");
        for (skew, problem, query, expected) in [
            (None, None, None, "consumer key and secret, the token"),
            (Some(-600), None, None, "clocks of this machine"),
            (Some(600), refused, Some("a+b"), "clocks of this machine"),
            (None, refused, Some("a+b"), "refused the timestamp"),
            (Some(0), refused, None, "refused the timestamp"),
            (None, Some("signature_invalid"), Some("a+b"), "query_plus"),
        ] {
            let hint = hint_for_refused_signature(skew, problem, query.map(str::as_bytes));
            assert!(
                hint.contains(expected),
                "{skew:?} {problem:?} {query:?}: {hint}"
            );
        }
    }

    #[test]
    fn a_problem_is_found_where_content_begins() {
        let long = "x".repeat(MAX_CONTENT_BYTES - NAME.len() - 5);
        let early = format!("{long}oauth_problem=abcd&");
        let late = format!("{long}oauth_problem=abcdef");
        let word = "a".repeat(MAX_PROBLEM_BYTES);
        let cases: [(&[&str], Option<&str>); 20] = [
            (
                &["oauth_problem=signature_invalid&a=b"],
                Some("signature_invalid"),
            ),
            (
                &["oauth_problem=signature_invalid"],
                Some("signature_invalid"),
            ),
            (&["", "oauth_problem=nonce_used\n", "b"], Some("nonce_used")),
            (&["a=b&oauth_problem=\"nonce_used\""], Some("nonce_used")),
            (
                &["{\"message\":\"oauth_problem=nonce_used\"}"],
                Some("nonce_used"),
            ),
            (&["<p>oauth_problem=nonce_used</p>"], Some("nonce_used")),
            (&[&early], Some("abcd")),
            (&[&format!("oauth_problem={word}")], Some(&word)),
            // It is not told whether there is more to the word.
            (&["oauth_problem=nonce", "_used"], None),
            (&[&late], None),
            // Only the first piece is looked at.
            (&["a", "oauth_problem=nonce_used&"], None),
            (&["oauth_", "problem=nonce_used&"], None),
            // What may be something that the upstream has got.
            (&["oauth_problem=abcDEF&"], None),
            (&["oauth_problem=abc%3D&"], None),
            (&["oauth_problem=abc1"], None),
            (&["oauth_problem=abc="], None),
            (&["oauth_problem=&a=b"], None),
            (&["oauth_problem="], None),
            (&[&format!("oauth_problem={word}a&")], None),
            (&[], None),
        ];
        for (pieces, expected) in cases {
            let mut search = Search::Begun;
            let seen = pieces.iter().find_map(|piece| search.see(piece.as_bytes()));
            let found = seen.or_else(|| search.end());
            assert_eq!(found.as_deref(), expected, "{pieces:?}");
            assert!(search.is_over());
        }
    }
}

//! The header lines of a request, read as curl reads them.

use super::{RequestWords, fault::UsageFault};
use crate::wire::is_token;

/// The flag that gives a header line, in messages.
pub(super) const HEADER: &str = "--header";

/// A header line.
#[derive(Debug)]
pub(super) struct Header<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
    /// Where the value begins in the word.
    pub(super) value_at: usize,
    pub(super) word: &'a str,
}

/// Reads each header line of a command line.
pub(super) fn parse_all(words: &RequestWords) -> Result<Vec<Header<'_>>, UsageFault> {
    let headers = words.headers.iter().map(|word| Header::parse(word));
    headers.collect()
}

/// The header of this name; where there are two, nobody knows which one counts.
pub(super) fn only<'a, 'w>(
    headers: &'a [Header<'w>],
    name: &str,
) -> Result<Option<&'a Header<'w>>, UsageFault> {
    let mut found = headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case(name));
    let first = found.next();
    match found.next() {
        None => Ok(first),
        Some(second) => {
            let problem = format!("there is a second {}: give one", second.name);
            Err(UsageFault::hidden(HEADER, 0, problem))
        }
    }
}

impl<'a> Header<'a> {
    /// Reads `Name: value`.
    pub(super) fn parse(word: &'a str) -> Result<Self, UsageFault> {
        // A value may be a secret.
        let wrong = |at, problem: &str| UsageFault::hidden(HEADER, at, problem);
        let Some((name, value)) = word.split_once(':') else {
            return Err(wrong(word.len(), "there is no colon: write 'Name: value'"));
        };
        if let Some(at) = name.bytes().position(|byte| !is_token(byte)) {
            return Err(wrong(at, "this byte can't be a part of a header's name"));
        }
        if name.is_empty() {
            return Err(wrong(0, "there is no name before the colon"));
        }
        let value_at = word.len() - value.trim_start().len();
        let is_control = |byte: u8| byte.is_ascii_control() && byte != b'\t';
        if let Some(at) = value.trim_end().bytes().position(is_control) {
            return Err(wrong(
                name.len() + 1 + at,
                "a control character can't be sent",
            ));
        }
        Ok(Self {
            name,
            value: value.trim(),
            value_at,
            word,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_name_and_a_value() {
        let check = |word: &str, expected: (&str, &str)| {
            let header = Header::parse(word).unwrap();
            assert_eq!((header.name, header.value), expected);
            assert!(word[header.value_at..].starts_with(header.value));
        };
        check("Content-Type: text/plain", ("Content-Type", "text/plain"));
        check("X:y:z ", ("X", "y:z"));
        check("X:", ("X", ""));
    }

    #[test]
    fn what_is_no_header_is_refused_with_its_place_and_without_its_value() {
        let check = |word: &str, at: usize| {
            let fault = Header::parse(word).unwrap_err().to_string();
            assert!(
                fault.starts_with(&format!("--header, byte {at}: ")),
                "{fault}"
            );
            assert!(!fault.contains("S3NTINEL"));
        };
        check("S3NTINEL", 8);
        check(": S3NTINEL", 0);
        check("X Y: S3NTINEL", 1);
        check("X : S3NTINEL", 1);
        check("X: S3NTINEL\nY", 11);
    }
}

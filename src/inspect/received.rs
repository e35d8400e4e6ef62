//! What another client has signed with, wherever it is given.

use std::borrow::Cow;

use super::{
    Error, RequestWords, VerifyWords,
    content::{self, STDIN},
    described::misplaced,
    fault::UsageFault,
    header::{self, HEADER, Header},
};
use crate::oauth::{Authorization, MalformedAuthorization, Sent, Slip};

/// Protocol parameters that were found.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) authorization: Authorization,
    /// What is wrong about the header that they stand in.
    pub(super) slips: Vec<Slip>,
    pub(super) from: Place,
}

/// Where the protocol parameters were found (RFC 5849 §3.5).
#[derive(Debug)]
pub(super) enum Place {
    /// In a header.
    Header,
    /// In the query; this is the target without them.
    Query(Vec<u8>),
    /// In the form; this is what is left of it.
    Form(Vec<u8>),
}

const AUTHORIZATION: &str = "--authorization";

/// More than most servers take, and little enough for all that is wrong in it to be listed.
const MAX_BYTES: usize = 64 * 1024;

/// Finds the protocol parameters: in their own flag, among the headers, in query or form, or on standard input.
pub(super) fn find(
    words: &VerifyWords,
    headers: &[Header<'_>],
    sent: &Sent<'_>,
) -> Result<Received, Error> {
    let among = header::only(headers, "Authorization")?;
    let (word, text) = match (&words.authorization, among) {
        (Some(_), Some(_)) => {
            let problem = "there is a --header 'Authorization: …', too: give one of them";
            return Err(UsageFault::hidden(AUTHORIZATION, 0, problem).into());
        }
        (Some(text), None) => (AUTHORIZATION, Cow::Borrowed(text.as_bytes())),
        (None, Some(header)) => (HEADER, Cow::Borrowed(header.word.as_bytes())),
        (None, None) if sent.request.is_signed_without_header() => {
            return Ok(take_out(&words.request, sent)?);
        }
        (None, None) if content::reads_stdin(&words.request) => {
            let problem = "give the header here, since standard input is read for the data";
            return Err(UsageFault::hidden(AUTHORIZATION, 0, problem).into());
        }
        (None, None) => (STDIN, Cow::Owned(content::read_stdin()?)),
    };
    Ok(read(word, &text)?)
}

/// Reads the value of an `Authorization` field, or the whole line.
fn read(word: &'static str, text: &[u8]) -> Result<Received, UsageFault> {
    const NAME: &[u8] = b"Authorization:";
    let trimmed = text.trim_ascii_start();
    // As `curl -v` shows it.
    let trimmed = trimmed.strip_prefix(b"> ").unwrap_or(trimmed);
    let named = trimmed
        .split_at_checked(NAME.len())
        .filter(|(name, _)| name.eq_ignore_ascii_case(NAME));
    let value = named.map_or(trimmed, |(_, value)| value.trim_ascii_start());
    let offset = text.len() - value.len();
    if value.is_empty() {
        let problem = "there is no header: give the value of the client's Authorization field";
        return Err(UsageFault::hidden(word, offset, problem));
    }
    if value.len() > MAX_BYTES {
        let problem = "the header is longer than 64 KiB, which hardly any server takes";
        return Err(UsageFault::hidden(word, offset + MAX_BYTES, problem));
    }
    // The value may hold a PLAINTEXT signature, so nothing of it is shown.
    let (authorization, mut slips) = Authorization::parse_leniently(value.trim_ascii_end())
        .map_err(|fault| {
            let problem = match fault.problem {
                // Its own offset is the one within the value.
                MalformedAuthorization::Syntax(_) => {
                    "the Authorization header breaks off here, where `name=\"value\"` and commas are expected".to_owned()
                }
                problem => problem.to_string(),
            };
            UsageFault::hidden(word, offset + fault.at, problem)
        })?;
    for slip in &mut slips {
        slip.at += offset;
    }
    Ok(Received {
        authorization,
        slips,
        from: Place::Header,
    })
}

/// Takes the protocol parameters out of query or form.
fn take_out(words: &RequestWords, sent: &Sent<'_>) -> Result<Received, UsageFault> {
    let (path, query) = sent.request.path_and_query();
    let found = Authorization::take_from(query).map(|(authorization, rest)| {
        let target = if rest.is_empty() {
            path.to_vec()
        } else {
            [path, b"?", &rest].concat()
        };
        (authorization, Place::Query(target))
    });
    let found = found.or_else(|| {
        let (authorization, rest) = Authorization::take_from(sent.request.form?)?;
        Some((authorization, Place::Form(rest)))
    });
    let (authorization, from) = found.ok_or_else(|| {
        let problem = "oauth_signature is in the query or the form, but not each of oauth_consumer_key, \
             oauth_signature_method, oauth_timestamp and oauth_nonce is beside it, or one is there twice";
        misplaced(words, sent, problem)
    })?;
    Ok(Received {
        authorization,
        slips: Vec::new(),
        from,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &str = "OAuth oauth_consumer_key=\"k\", oauth_signature_method=\"PLAINTEXT\", oauth_signature=\"S3NTINEL%26\"";

    #[test]
    fn a_value_and_a_whole_line_are_read_alike() {
        for text in [
            VALUE.to_owned(),
            format!("Authorization: {VALUE}"),
            format!(" authorization:{VALUE}\r\n"),
            format!("> Authorization: {VALUE}\r\n"),
        ] {
            let received = read(AUTHORIZATION, text.as_bytes()).unwrap();
            assert_eq!(received.authorization.signature, "S3NTINEL&");
            assert_eq!(received.slips, [], "{text}");
        }
    }

    #[test]
    fn places_are_counted_from_the_start_of_the_text() {
        let slip = read(AUTHORIZATION, format!("Authorization: {VALUE},").as_bytes());
        assert_eq!(slip.unwrap().slips[0].at, 15 + VALUE.len());
        let cut = &VALUE[..VALUE.len() - 1];
        let fault = read(AUTHORIZATION, format!("  {cut}").as_bytes()).unwrap_err();
        let fault = fault.to_string();
        let start = format!("--authorization, byte {}: ", 2 + cut.len());
        assert!(fault.starts_with(&start), "{fault}");
        assert!(!fault.contains("S3NTINEL"), "{fault}");
    }
}

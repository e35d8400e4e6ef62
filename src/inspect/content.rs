//! The data of a request, read as curl reads it.

use std::{ffi::OsStr, fs::File, io, io::Read as _, os::unix::ffi::OsStrExt as _};

use super::{
    Error, RequestWords,
    fault::{UsageFault, printable},
    header::{self, HEADER, Header},
};
use crate::wire::{is_form, is_list};

/// So that a device file has an end.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// More than any form that a platform takes: its parameters are taken apart, which takes many times as much.
const MAX_FORM_BYTES: usize = 16 * 1024 * 1024;

/// Standard input, in messages.
pub(super) const STDIN: &str = "standard input";

/// What follows the head of a request.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    pub(super) is_form: bool,
}

/// Puts the data together; `None` without any.
///
/// Data is a form unless a `Content-Type` says otherwise, as with curl.
pub(super) fn read(words: &RequestWords, headers: &[Header<'_>]) -> Result<Option<Content>, Error> {
    let mut pieces = Vec::new();
    for data in &words.data {
        let mut piece = resolve("--data", data)?;
        if data.as_bytes().starts_with(b"@") {
            // As curl does, so that a file can end with a line break.
            piece.retain(|byte| !matches!(byte, b'\r' | b'\n' | 0));
        }
        pieces.push(piece);
    }
    for data in &words.data_binary {
        pieces.push(resolve("--data-binary", data)?);
    }
    if pieces.is_empty() {
        return Ok(None);
    }
    let content_type = header::only(headers, "Content-Type")?;
    let is_form = content_type.is_none_or(|found| is_form(found.value.as_bytes()));
    if let Some(found) = content_type.filter(|found| is_form && is_list(found.value.as_bytes())) {
        let problem = "there is more than one media type, so that it is not clear whether the data is a form: give one";
        return Err(UsageFault::hidden(HEADER, found.value_at, problem).into());
    }
    let bytes = pieces.join(&b'&');
    if is_form && bytes.len() > MAX_FORM_BYTES {
        let problem = "the form is longer than 16 MiB, which hardly any server takes";
        return Err(UsageFault::hidden("--data", MAX_FORM_BYTES, problem).into());
    }
    Ok(Some(Content { bytes, is_form }))
}

/// Whether standard input is read for the data.
pub(super) fn reads_stdin(words: &RequestWords) -> bool {
    let mut data = words.data.iter().chain(&words.data_binary);
    data.any(|data| data == "@-")
}

/// The bytes that data stands for: its own, those of a file, or those of standard input.
fn resolve(flag: &'static str, data: &OsStr) -> Result<Vec<u8>, Error> {
    let Some(path) = data.as_bytes().strip_prefix(b"@") else {
        return Ok(data.as_bytes().to_vec());
    };
    if path == b"-" {
        return read_stdin();
    }
    if path.is_empty() {
        let problem = "no file is named after the @: write @FILE, or @- for standard input";
        return Err(UsageFault::hidden(flag, 1, problem).into());
    }
    let path = OsStr::from_bytes(path);
    let content = File::open(path).and_then(read_all);
    content.map_err(|error| Error::Unreadable {
        name: printable(path.as_bytes()),
        error,
    })
}

/// Everything that standard input has.
pub(super) fn read_stdin() -> Result<Vec<u8>, Error> {
    read_all(io::stdin()).map_err(|error| Error::Unreadable {
        name: STDIN.to_owned(),
        error,
    })
}

fn read_all(input: impl io::Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::other("it has more than 64 MiB"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_that_no_server_takes_is_refused_and_other_content_is_not() {
        let read = |content_type: &'static str| {
            let words = RequestWords {
                data: vec!["a".repeat(MAX_FORM_BYTES + 1).into()],
                ..RequestWords::default()
            };
            read(&words, &[Header::parse(content_type).unwrap()])
        };
        let form = read("Content-Type: application/x-www-form-urlencoded");
        assert!(form.unwrap_err().to_string().contains("16 MiB"));
        assert!(read("Content-Type: a/b").is_ok());
    }

    #[test]
    fn data_is_a_form_unless_its_type_says_otherwise() {
        let check = |headers: &[&'static str], expected: bool| {
            let words = RequestWords {
                data: vec!["a=1".into(), "b=2".into()],
                ..RequestWords::default()
            };
            let parse = |word: &&'static str| Header::parse(word).unwrap();
            let headers: Vec<_> = headers.iter().map(parse).collect();
            let content = read(&words, &headers).unwrap().unwrap();
            assert_eq!(
                (&*content.bytes, content.is_form),
                (&b"a=1&b=2"[..], expected)
            );
        };
        check(&[], true);
        check(
            &["content-type: Application/X-WWW-form-urlencoded;charset=x"],
            true,
        );
        check(&["Content-Type: application/json"], false);
        check(&["Content-Type:"], false);
    }
}

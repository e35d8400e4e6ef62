//! Secrets: found in a file, a variable or the output of a command, never in the configuration itself.

mod command;
mod file;

use std::path::PathBuf;

use ::config::{Map, Value, ValueKind};
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::{
    SecretSource,
    fault::{Located, Place},
    reader::Section,
};
use crate::{
    env::Environment,
    oauth::{RsaHash, RsaKey},
};

/// A secret larger than this is a wrong file.
const MAX_SECRET_BYTES: usize = 64 * 1024;

/// The keys that say where a secret is.
#[derive(Clone, Copy, Debug)]
pub(super) struct SecretKeys {
    file: &'static str,
    env: &'static str,
    command: &'static str,
}

/// The consumer secret's keys.
pub(super) const CONSUMER_SECRET: SecretKeys = SecretKeys {
    file: "consumer_secret_file",
    env: "consumer_secret_env",
    command: "consumer_secret_command",
};

/// The token secret's keys.
pub(super) const TOKEN_SECRET: SecretKeys = SecretKeys {
    file: "token_secret_file",
    env: "token_secret_env",
    command: "token_secret_command",
};

/// Why there is no secret. No message holds any of it.
#[derive(Debug, thiserror::Error)]
enum SecretError {
    #[error("holds nothing: put the secret there")]
    Empty,
    #[error("holds more than 64 KiB, which is no secret")]
    TooLong,
    #[error("is not valid UTF-8")]
    NotText,
    #[error("holds a control character, such as a line break, within the secret")]
    ControlCharacter,
    #[error("names a variable that is not set")]
    Unset,
    #[error(transparent)]
    File(#[from] file::FileError),
    #[error(transparent)]
    Command(#[from] command::CommandError),
}

/// A secret, and where it was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) value: SecretString,
    pub(super) source: SecretSource,
    pub(super) place: Place,
}

/// Resolves secrets.
#[derive(Debug)]
pub(super) struct Secrets<'a> {
    environment: &'a Environment,
    /// Variables that hold secrets, which no command has to see.
    withheld: Vec<String>,
}

impl<'a> Secrets<'a> {
    /// Looks through the whole configuration for the variables that hold secrets.
    pub(super) fn new(environment: &'a Environment, values: &Map<String, Value>) -> Self {
        let mut withheld = Vec::new();
        for proxy in tables(values.get("proxy")).flat_map(Map::values) {
            for table in tables(Some(proxy)) {
                let names = [CONSUMER_SECRET.env, TOKEN_SECRET.env]
                    .into_iter()
                    .filter_map(|key| table.get(key)?.clone().into_string().ok());
                withheld.extend(names);
            }
        }
        Self {
            environment,
            withheld,
        }
    }

    /// The secret that one of three keys leads to; `None` if none is set, or after a fault was noted.
    pub(super) fn resolve(&self, section: &mut Section<'_>, keys: SecretKeys) -> Option<Found> {
        let file = section.path(keys.file);
        let variable = section
            .read(keys.env, |name| Ok::<_, SecretError>(name.to_owned()))
            .filter(|name| !name.value.is_empty());
        let command = section
            .list(keys.command, |word| Ok::<_, SecretError>(word.to_owned()))
            .filter(|words| !words.is_empty());
        let command = command.map(|words| Located {
            place: words[0].place.clone(),
            value: words.into_iter().map(|word| word.value).collect::<Vec<_>>(),
        });

        let places = [
            file.as_ref().map(|found| &found.place),
            variable.as_ref().map(|found| &found.place),
            command.as_ref().map(|found| &found.place),
        ];
        let places: Vec<_> = places.into_iter().flatten().collect();
        if let [first, others @ ..] = &places[..] {
            for place in others {
                section.ledger().note(
                    place,
                    format!("cannot be set beside {}: keep one of them", first.key),
                );
            }
            if !others.is_empty() {
                return None;
            }
        }

        let (place, secret, source) = if let Some(Located { value, place }) = file {
            let secret = file::read(&value).and_then(|bytes| to_secret(&bytes));
            (place, secret, SecretSource::File(value))
        } else if let Some(Located { value, place }) = variable {
            let secret = self.read_variable(&value);
            (place, secret, SecretSource::Variable(value))
        } else {
            let Located { mut value, place } = command?;
            let environment = self.environment.for_child(&self.withheld);
            let secret = command::run(&value, environment).and_then(|bytes| to_secret(&bytes));
            // There is at least one word.
            (place, secret, SecretSource::Command(value.swap_remove(0)))
        };
        match secret {
            Ok(value) => Some(Found {
                value,
                source,
                place,
            }),
            Err(error) => {
                section.ledger().note(&place, error);
                None
            }
        }
    }

    fn read_variable(&self, name: &str) -> Result<SecretString, SecretError> {
        let value = self
            .environment
            .get(name)
            .map_err(|_| SecretError::NotText)?;
        to_secret(value.ok_or(SecretError::Unset)?.as_bytes())
    }
}

/// Reads a secret that only a file can hold.
pub(super) fn read_secret_file(
    section: &mut Section<'_>,
    key: &'static str,
) -> Option<(SecretString, PathBuf)> {
    let found = section.path(key)?;
    let secret = file::read(&found.value)
        .and_then(|bytes| to_secret(&bytes))
        .map_err(|error| section.ledger().note(&found.place, error))
        .ok()?;
    Some((secret, found.value))
}

/// Reads a private key, which nobody but the file's owner may be able to read either.
pub(super) fn read_private_key(
    section: &Section<'_>,
    file: &Located<PathBuf>,
    hash: RsaHash,
) -> Option<RsaKey> {
    let pem = file::read(&file.value)
        .map_err(|error| section.ledger().note(&file.place, error))
        .ok()?;
    RsaKey::from_pem(hash, &pem)
        .map_err(|error| section.ledger().note(&file.place, error))
        .ok()
}

/// Checks that nobody but its owner may read a private key that is read later.
pub(super) fn check_key_exposure(section: &Section<'_>, file: &Located<PathBuf>) {
    if let Err(error) = file::check_exposure(&file.value) {
        section.ledger().note(&file.place, error);
    }
}

/// Takes one line break off the end and a byte order mark off the start, which editors and `echo` leave there, and checks
/// the rest.
fn to_secret(bytes: &[u8]) -> Result<SecretString, SecretError> {
    if bytes.len() > MAX_SECRET_BYTES {
        return Err(SecretError::TooLong);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| SecretError::NotText)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text
        .strip_suffix('\n')
        .map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    if text.is_empty() {
        return Err(SecretError::Empty);
    }
    if text.contains(char::is_control) {
        return Err(SecretError::ControlCharacter);
    }
    // From a `&str`, because the `String` made of it has no spare room that would have to be moved out of.
    Ok(SecretString::from(text))
}

/// Reads one byte more than a secret may have, into memory that is wiped and never moved.
fn read_bounded(mut reader: impl std::io::Read) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(vec![0; MAX_SECRET_BYTES + 1]);
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(filled);
    Ok(buffer)
}

fn tables(value: Option<&Value>) -> impl Iterator<Item = &Map<String, Value>> {
    value.into_iter().filter_map(|value| match &value.kind {
        ValueKind::Table(table) => Some(table),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn one_line_break_and_a_byte_order_mark_are_taken_off_and_nothing_else() {
        let cases: [(&[u8], Option<&str>); 14] = [
            (b"secret", Some("secret")),
            (b"secret\n", Some("secret")),
            (b"secret\r\n", Some("secret")),
            (b" secret ", Some(" secret ")),
            (b"secret\n\n", None),
            (b"sec\nret", None),
            (b"sec\0ret", None),
            (b"", None),
            (b"\r\n", None),
            (b"\xff", None),
            (b"\xef\xbb\xbfsecret\r\n", Some("secret")),
            (b"s\xef\xbb\xbf", Some("s\u{feff}")),
            (b"\xef\xbb\xbf\n", None),
            // The mark of UTF-16.
            (b"\xff\xfes\0", None),
        ];
        for (bytes, expected) in cases {
            let secret = to_secret(bytes).ok();
            let secret = secret.as_ref().map(ExposeSecret::expose_secret);
            assert_eq!(secret, expected, "{bytes:?}");
        }
        assert!(to_secret(&[b'a'; MAX_SECRET_BYTES]).is_ok());
        assert!(to_secret(&[b'a'; MAX_SECRET_BYTES + 1]).is_err());
    }
}

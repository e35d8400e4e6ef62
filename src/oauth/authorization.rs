//! An `Authorization` header (RFC 5849 §3.5.1), read.

use std::{borrow::Cow, collections::HashSet, fmt};

use thiserror::Error;

use super::{SignatureMethod, names::is_name_character, percent};

/// An `Authorization: OAuth …` header, read strictly: what RFC 5849 §3.1 requires is there, nothing is there
/// twice, and everything is encoded as it should be.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorization {
    /// The realm, with its backslash escapes undone.
    pub realm: Option<String>,
    /// `oauth_consumer_key`.
    pub consumer_key: String,
    /// `oauth_token`; an absent one and an empty one differ.
    pub token: Option<String>,
    /// `oauth_signature_method`, known to us or not.
    pub signature_method: String,
    /// `oauth_signature`.
    pub signature: String,
    /// `oauth_timestamp` and `oauth_nonce`; `None` is possible with `PLAINTEXT` alone.
    pub stamp: Option<(u64, String)>,
    /// All parameters in the order of the header, without `realm` and `oauth_signature`: those that are signed.
    signed: Vec<(String, String)>,
}

impl Authorization {
    /// Reads the value of an `Authorization` field.
    ///
    /// # Errors
    /// The first fault in how it is written, or else a parameter that is missing or is not as it must be.
    pub fn parse(value: &[u8]) -> Result<Self, MalformedAuthorization> {
        let mut realm = None;
        let mut parameters: Vec<(String, String)> = Vec::new();
        let mut names = HashSet::new();
        let mut reader = Reader::after_scheme(value)?;
        loop {
            let (name, quoted) = reader.parameter()?;
            if name.eq_ignore_ascii_case("realm") {
                let text = unquote(quoted).ok_or_else(|| Malformed::Encoding(name.clone()))?;
                if realm.replace(text).is_some() {
                    return Err(Malformed::Duplicate(name));
                }
            } else if !names.insert(name.clone()) {
                return Err(Malformed::Duplicate(name));
            } else {
                let text = decode(quoted).ok_or_else(|| Malformed::Encoding(name.clone()))?;
                parameters.push((name, text));
            }
            if !reader.comma()? {
                break;
            }
        }
        Self::from_parameters(realm, parameters)
    }

    /// The parameters that belong in the base string.
    pub(super) fn signed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.signed
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Sorts out parameters that are decoded.
    pub(super) fn from_parameters(
        realm: Option<String>,
        mut parameters: Vec<(String, String)>,
    ) -> Result<Self, Malformed> {
        let is_signature = |(name, _): &(String, String)| name == "oauth_signature";
        let signature = parameters.iter().position(is_signature);
        let signature = signature.map(|at| parameters.remove(at).1);

        let find = |wanted: &str| {
            let found = parameters.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.clone())
        };
        let require = |name: &'static str| find(name).ok_or(Malformed::Missing(name));

        if find("oauth_version").is_some_and(|version| version != "1.0") {
            return Err(Malformed::Version);
        }
        let signature_method = require("oauth_signature_method")?;
        let is_plaintext = signature_method == SignatureMethod::Plaintext.name();
        let stamp = match (find("oauth_timestamp"), find("oauth_nonce")) {
            (None, None) if is_plaintext => None,
            _ => {
                let timestamp = parse_timestamp(&require("oauth_timestamp")?)?;
                Some((timestamp, require("oauth_nonce")?))
            }
        };
        Ok(Self {
            realm,
            consumer_key: require("oauth_consumer_key")?,
            token: find("oauth_token"),
            signature_method,
            signature: signature.ok_or(Malformed::Missing("oauth_signature"))?,
            stamp,
            signed: parameters,
        })
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // With PLAINTEXT the signature is made of the secrets.
        f.debug_struct("Authorization")
            .field("realm", &self.realm)
            .field("signature", &"[REDACTED]")
            .field("signed", &self.signed)
            .finish_non_exhaustive()
    }
}

/// Why a header is no OAuth 1.0a `Authorization`.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MalformedAuthorization {
    /// The scheme is another one.
    #[error("the Authorization header does not start with the scheme `OAuth`")]
    Scheme,
    /// The scheme is followed by something else than a blank.
    #[error("a blank must follow the scheme `OAuth`")]
    SchemeContinued,
    /// It is no list of `name="value"`, from the byte at this offset on.
    #[error(
        "the Authorization header breaks off at byte {0}, where `name=\"value\"` and commas are expected"
    )]
    Syntax(usize),
    /// The name or the value of this parameter is not percent-encoded (RFC 5849 §3.6), or not UTF-8.
    #[error("{} in the Authorization header is not percent-encoded as RFC 5849 requires", shown(.0))]
    Encoding(String),
    /// This parameter is there more than once (RFC 5849 §3.1).
    #[error("{} is in the Authorization header more than once", shown(.0))]
    Duplicate(String),
    /// This parameter is not there.
    #[error("`{0}` is missing from the Authorization header")]
    Missing(&'static str),
    /// `oauth_timestamp` is no number of seconds.
    #[error("`oauth_timestamp` is not a whole number of seconds")]
    Timestamp,
    /// `oauth_version` is not 1.0.
    #[error("`oauth_version` is something other than 1.0")]
    Version,
}

use MalformedAuthorization as Malformed;

/// What a parameter is called in a message. Any other name may be a piece of a secret that got out of its quotes.
pub(super) fn shown(name: &str) -> Cow<'_, str> {
    let is_protocol = name.starts_with("oauth_") && name.chars().all(is_name_character);
    if is_protocol || name.eq_ignore_ascii_case("realm") {
        format!("`{name}`").into()
    } else {
        "a parameter".into()
    }
}

/// Reads a header from left to right.
struct Reader<'a> {
    value: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts behind the scheme, whose case does not matter, and the spaces after it.
    fn after_scheme(value: &'a [u8]) -> Result<Self, Malformed> {
        const SCHEME: &[u8] = b"OAuth ";
        match value.split_at_checked(SCHEME.len()) {
            Some((scheme, _)) if scheme.eq_ignore_ascii_case(SCHEME) => {
                let at = SCHEME.len();
                let mut reader = Self { value, at };
                reader.skip_whitespace();
                Ok(reader)
            }
            _ => Err(Malformed::Scheme),
        }
    }

    /// Reads `name="value"`, and returns the name decoded and the value as it stands between the quotes.
    fn parameter(&mut self) -> Result<(String, &'a [u8]), Malformed> {
        let name = self.take_until(b'=')?;
        let name = decode(name)
            .filter(|name| !name.is_empty())
            .ok_or_else(|| Malformed::Encoding(name.escape_ascii().to_string()))?;
        self.expect(b'=')?;
        self.expect(b'"')?;
        let value = self.take_until(b'"')?;
        self.expect(b'"')?;
        Ok((name, value))
    }

    /// Reads a comma and the whitespace around it; `false` at the end of the header.
    fn comma(&mut self) -> Result<bool, Malformed> {
        self.skip_whitespace();
        if self.at == self.value.len() {
            return Ok(false);
        }
        self.expect(b',')?;
        self.skip_whitespace();
        Ok(true)
    }

    /// Takes what stands before the next `end`. A backslash takes the byte after it along, as in a quoted string.
    fn take_until(&mut self, end: u8) -> Result<&'a [u8], Malformed> {
        let start = self.at;
        loop {
            match self.value.get(self.at) {
                Some(&byte) if byte == end => return Ok(&self.value[start..self.at]),
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
                None => return Err(Malformed::Syntax(self.value.len())),
            }
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.value.get(self.at) != Some(&byte) {
            return Err(Malformed::Syntax(self.at));
        }
        self.at += 1;
        Ok(())
    }

    fn skip_whitespace(&mut self) {
        while matches!(self.value.get(self.at), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }
}

fn decode(text: &[u8]) -> Option<String> {
    percent::decode_strict(text).and_then(|bytes| String::from_utf8(bytes).ok())
}

/// Undoes the backslash escapes of a quoted string.
pub(super) fn unquote(quoted: &[u8]) -> Option<String> {
    let mut bytes = quoted.iter();
    let mut text = Vec::with_capacity(quoted.len());
    while let Some(&byte) = bytes.next() {
        text.push(if byte == b'\\' { *bytes.next()? } else { byte });
    }
    String::from_utf8(text).ok()
}

/// Digits only, where `u64::from_str` would take a sign.
fn parse_timestamp(text: &str) -> Result<u64, Malformed> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Malformed::Timestamp);
    }
    text.parse().map_err(|_| Malformed::Timestamp)
}

#[cfg(test)]
mod tests;

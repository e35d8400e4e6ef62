//! An `Authorization` header read as it may have been meant, for clients that write it carelessly.
//!
//! Nothing is accepted on the strength of this: it finds out whether the signature inside a malformed header is right.

use std::{collections::HashSet, fmt, ops::Range};

use thiserror::Error;

use super::QueryPlus;
use super::authorization::{Authorization, MalformedAuthorization, shown, unquote};
use super::form::FormBytes;
use super::percent::{decode_strict, first_not_encoded};

/// A header, with what is wrong about how it is written; nothing where it is well-formed.
pub type WithSlips = (Authorization, Vec<Slip>);

/// Something in a header that RFC 5849 §3.5.1 does not allow, though what is meant is clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    /// The offset of the byte where it is.
    pub at: usize,
    /// What it is.
    pub kind: SlipKind,
}

/// What is wrong about how a header is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlipKind {
    /// It starts with its first parameter.
    NoScheme,
    /// A byte in the value of this parameter is not percent-encoded.
    NotEncoded(String, u8),
    /// The value of this parameter has no quotes, or single ones.
    NotQuoted(String),
    /// There are blanks around the `=` after this name.
    BlankAroundEquals(String),
    /// No comma, or another separator, stands before this parameter.
    NoComma(String),
    /// There is a comma, or another separator, that separates nothing.
    ExtraSeparator,
    /// There is a line break.
    LineBreak,
}

impl fmt::Display for SlipKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoScheme => f.write_str("the scheme `OAuth` is missing (RFC 5849 §3.5.1)"),
            Self::NotEncoded(name, b'%') => write!(
                f,
                "a `%` in the value of {} begins no escape: write it as %25 (RFC 5849 §3.6)",
                shown(name)
            ),
            // Of a signature nothing else is shown: with PLAINTEXT it is a secret.
            Self::NotEncoded(name, byte)
                if byte.is_ascii_graphic()
                    && (name != "oauth_signature" || b"+/=&".contains(byte)) =>
            {
                write!(
                    f,
                    "`{}` in the value of {} is not percent-encoded: write it as %{byte:02X} (RFC 5849 §3.6)",
                    char::from(*byte),
                    shown(name)
                )
            }
            Self::NotEncoded(name, _) => write!(
                f,
                "a byte in the value of {} is not percent-encoded (RFC 5849 §3.6)",
                shown(name)
            ),
            Self::NotQuoted(name) => write!(
                f,
                "the value of {} does not stand in double quotes (RFC 5849 §3.5.1)",
                shown(name)
            ),
            Self::BlankAroundEquals(name) => write!(
                f,
                "there is a blank beside the `=` after {} (RFC 5849 §3.5.1)",
                shown(name)
            ),
            Self::NoComma(name) => {
                write!(
                    f,
                    "there is no comma before {} (RFC 5849 §3.5.1)",
                    shown(name)
                )
            }
            Self::ExtraSeparator => f.write_str("there is a separator too many (RFC 5849 §3.5.1)"),
            Self::LineBreak => f.write_str("there is a line break (RFC 9112 §5.2)"),
        }
    }
}

/// A header of which not even the meaning is clear.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{problem}")]
pub struct UnreadableAuthorization {
    /// The offset of the byte where it goes wrong; the header's length if something is missing.
    pub at: usize,
    /// What is wrong.
    pub problem: MalformedAuthorization,
}

impl Authorization {
    /// Reads the value of an `Authorization` field as it may have been meant.
    pub fn parse_leniently(value: &[u8]) -> Result<WithSlips, UnreadableAuthorization> {
        if let Ok(authorization) = Self::parse(value) {
            return Ok((authorization, Vec::new()));
        }
        Reader {
            value,
            at: 0,
            slips: Vec::new(),
        }
        .read()
    }
}

struct Reader<'a> {
    value: &'a [u8],
    at: usize,
    slips: Vec<Slip>,
}

/// A parameter as it is found: its name, its value still encoded, and where they begin.
struct Found<'a> {
    name: String,
    text: &'a [u8],
    name_at: usize,
    value_at: usize,
}

impl<'a> Reader<'a> {
    fn read(mut self) -> Result<WithSlips, UnreadableAuthorization> {
        self.skip_blanks();
        self.scheme()?;
        let mut realm = None;
        let mut parameters = Vec::new();
        let mut places: Vec<(String, usize)> = Vec::new();
        let mut names = HashSet::new();
        while self.separator(names.is_empty()) {
            let found = self.parameter(!names.is_empty())?;
            if !names.insert(found.name.to_ascii_lowercase()) {
                return Err(UnreadableAuthorization {
                    at: found.name_at,
                    problem: MalformedAuthorization::Duplicate(found.name),
                });
            }
            if found.name.eq_ignore_ascii_case("realm") {
                realm = unquote(found.text);
            } else {
                let value = self.decode(&found)?;
                places.push((found.name.clone(), found.value_at));
                parameters.push((found.name, value));
            }
        }
        let end = self.value.len();
        let authorization =
            Authorization::from_parameters(realm, parameters).map_err(|problem| {
                let name = match problem {
                    MalformedAuthorization::Timestamp => "oauth_timestamp",
                    MalformedAuthorization::Version => "oauth_version",
                    _ => "",
                };
                let place = places.iter().find(|(other, _)| other == name);
                UnreadableAuthorization {
                    at: place.map_or(end, |(_, at)| *at),
                    problem,
                }
            })?;
        Ok((authorization, self.slips))
    }

    /// Another scheme is followed by something else than a parameter.
    fn scheme(&mut self) -> Result<(), UnreadableAuthorization> {
        let rest = &self.value[self.at..];
        let word = rest
            .split(u8::is_ascii_whitespace)
            .next()
            .unwrap_or_default();
        if word.eq_ignore_ascii_case(b"OAuth") {
            self.at += word.len();
            Ok(())
        } else if word.contains(&b'=') && rest.windows(6).any(|window| window == b"oauth_") {
            self.slip(self.at, SlipKind::NoScheme);
            Ok(())
        } else {
            let scheme = b"OAuth";
            let is_continued = word
                .get(..scheme.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(scheme));
            let (length, problem) = if is_continued {
                (scheme.len(), MalformedAuthorization::SchemeContinued)
            } else {
                (0, MalformedAuthorization::Scheme)
            };
            Err(UnreadableAuthorization {
                at: self.at + length,
                problem,
            })
        }
    }

    /// Skips what separates parameters; `false` at the end.
    fn separator(&mut self, is_first: bool) -> bool {
        let mut last = None;
        loop {
            self.skip_blanks();
            match self.value.get(self.at) {
                Some(b',' | b';' | b'&') => {
                    if is_first || last.is_some() {
                        self.slip(self.at, SlipKind::ExtraSeparator);
                    }
                    last = Some(self.at);
                    self.at += 1;
                }
                Some(_) => return true,
                None => {
                    if let Some(at) = last.filter(|_| !is_first) {
                        self.slip(at, SlipKind::ExtraSeparator);
                    }
                    return false;
                }
            }
        }
    }

    fn parameter(&mut self, needs_comma: bool) -> Result<Found<'a>, UnreadableAuthorization> {
        let name_at = self.at;
        let name = self.take_while(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte));
        let name = decode_strict(name)
            .and_then(|name| String::from_utf8(name).ok())
            .filter(|name| !name.is_empty())
            .ok_or_else(|| self.syntax())?;
        if needs_comma && !self.is_after_comma(name_at) {
            self.slip(name_at, SlipKind::NoComma(name.clone()));
        }
        let before = self.at;
        self.skip_blanks();
        if self.value.get(self.at) != Some(&b'=') {
            return Err(self.syntax());
        }
        self.at += 1;
        let after = self.at;
        self.skip_blanks();
        if after != before + 1 || self.at != after {
            self.slip(before, SlipKind::BlankAroundEquals(name.clone()));
        }
        let quote = match self.value.get(self.at) {
            Some(quote @ (b'"' | b'\'')) => Some(*quote),
            _ => None,
        };
        if quote != Some(b'"') {
            self.slip(self.at, SlipKind::NotQuoted(name.clone()));
        }
        let text = match quote {
            Some(quote) => {
                self.at += 1;
                let range = self.until_quote(quote)?;
                &self.value[range]
            }
            None => self.until_separator(),
        };
        let value_at = self.at - text.len();
        self.at += usize::from(quote.is_some());
        Ok(Found {
            name,
            text,
            name_at,
            value_at,
        })
    }

    /// A value without quotes. A PLAINTEXT signature may have an `&` in it, with a secret behind it that must not be taken
    /// for a name.
    fn until_separator(&mut self) -> &'a [u8] {
        let rest = &self.value[self.at..];
        let separates = |(at, byte): (usize, &u8)| match byte {
            b'&' => rest[at + 1..].starts_with(b"oauth_"),
            byte => byte.is_ascii_whitespace() || b",;\"'".contains(byte),
        };
        let end = rest.iter().enumerate().position(separates);
        let end = end.unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn until_quote(&mut self, quote: u8) -> Result<Range<usize>, UnreadableAuthorization> {
        let start = self.at;
        while let Some(&byte) = self.value.get(self.at) {
            match byte {
                byte if byte == quote => return Ok(start..self.at),
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at = self.value.len();
        Err(self.syntax())
    }

    /// The value, decoded if it is encoded, and otherwise as it stands.
    fn decode(&mut self, found: &Found<'_>) -> Result<String, UnreadableAuthorization> {
        let bytes = match first_not_encoded(found.text) {
            None => decode_strict(found.text).unwrap_or_default(),
            Some(at) => {
                let kind = SlipKind::NotEncoded(found.name.clone(), found.text[at]);
                self.slip(found.value_at + at, kind);
                FormBytes::new(found.text, QueryPlus::Literal).collect()
            }
        };
        String::from_utf8(bytes).map_err(|_| UnreadableAuthorization {
            at: found.value_at,
            problem: MalformedAuthorization::Encoding(found.name.clone()),
        })
    }

    fn is_after_comma(&self, at: usize) -> bool {
        let before = self.value[..at].trim_ascii_end();
        before.ends_with(b",")
    }

    fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = &self.value[self.at..];
        let length = rest
            .iter()
            .position(|byte| !accept(*byte))
            .unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn skip_blanks(&mut self) {
        let start = self.at;
        let blanks = self.take_while(|byte| byte.is_ascii_whitespace());
        if let Some(at) = blanks.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
            self.slip(start + at, SlipKind::LineBreak);
        }
    }

    fn slip(&mut self, at: usize, kind: SlipKind) {
        self.slips.push(Slip { at, kind });
    }

    fn syntax(&self) -> UnreadableAuthorization {
        let at = self.at.min(self.value.len());
        UnreadableAuthorization {
            at,
            problem: MalformedAuthorization::Syntax(at),
        }
    }
}

#[cfg(test)]
mod tests;

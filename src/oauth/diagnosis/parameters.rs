//! The parameters of a request as clients read them (RFC 5849 §3.4.1.3).

use std::collections::{HashMap, hash_map::Entry};

use serde_json::Value;

use super::{
    Sent,
    encoding::Encoder,
    mistake::{Made, Mistake},
};
use crate::oauth::{Authorization, QueryPlus, form::FormBytes};

/// Where a parameter stands in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// In the `Authorization` header.
    Header,
    /// In the query of the URL.
    Query,
    /// In a body that is a form.
    Form,
}

/// A parameter, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Where it stands.
    pub source: Source,
    /// The name, which need not be text.
    pub name: Vec<u8>,
    /// The value, likewise.
    pub value: Vec<u8>,
}

/// All parameters that are signed, in the order of the request: query, form, header.
pub(super) fn collect(
    sent: &Sent<'_>,
    authorization: &Authorization,
    made: Made<'_>,
) -> Vec<Parameter> {
    let mut all = Vec::new();
    if !made.has(&Mistake::QueryNotSigned) && !made.has(&Mistake::QueryInUriAlone) {
        let literal = match sent.query_plus {
            QueryPlus::Literal => !made.has(&Mistake::PlusSpaceInQuery),
            QueryPlus::Space => made.has(&Mistake::PlusLiteralInQuery),
        };
        // Without a query there is nothing empty in it, either.
        if sent.request.target.contains(&b'?') {
            read(&mut all, Source::Query, sent.request.query(), literal, made);
        }
    }
    let form = match sent.request.form {
        Some(form) if !made.has(&Mistake::FormNotSigned) => Some(form),
        None if made.has(&Mistake::BodySigned) => sent.body,
        _ => None,
    };
    if let Some(form) = form.filter(|form| !form.is_empty()) {
        let literal = made.has(&Mistake::PlusLiteralInForm);
        read(&mut all, Source::Form, form, literal, made);
    }
    if made.has(&Mistake::JsonSigned) {
        all.extend(json_fields(sent.body.unwrap_or_default()));
    }
    all.extend(of_header(authorization, made));
    without_what_is_dropped(all, made)
}

/// Encodes each parameter, sorts them, and joins them: the normalised parameters of RFC 5849 §3.4.1.3.2.
pub(super) fn normalise(mut parameters: Vec<Parameter>, made: Made<'_>) -> Vec<u8> {
    if made.has(&Mistake::UnsortedHeaderFirst) {
        parameters.sort_by_key(|parameter| parameter.source != Source::Header);
    }
    if made.has(&Mistake::SortedBeforeEncoding) {
        parameters.sort_by(|a, b| (&a.name, &a.value).cmp(&(&b.name, &b.value)));
    }
    let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = parameters
        .iter()
        .map(|parameter| {
            let as_it_stands = made.has(&Mistake::AsItStands) && parameter.source != Source::Header;
            let [name, mut value] = [&parameter.name, &parameter.value].map(|text| {
                if as_it_stands {
                    text.clone()
                } else {
                    encode(text, made)
                }
            });
            let bare = made.has(&Mistake::EmptyWithoutEquals) && value.is_empty();
            if !bare {
                value.insert(0, b'=');
            }
            (name, value)
        })
        .collect();
    if made.has(&Mistake::SortedAsText) {
        pairs.sort_by_key(|(name, value)| [name.as_slice(), value].concat());
    } else if made.has(&Mistake::SortedByNameOnly) {
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
    } else if made.has(&Mistake::SortedIgnoringCase) {
        pairs.sort_by_key(|(name, value)| (name.to_ascii_lowercase(), value.to_ascii_lowercase()));
    } else if ![
        Mistake::SortedBeforeEncoding,
        Mistake::UnsortedHeaderFirst,
        Mistake::UnsortedRequestFirst,
    ]
    .iter()
    .any(|mistake| made.has(mistake))
    {
        pairs.sort();
    }
    let pairs: Vec<Vec<u8>> = pairs
        .into_iter()
        .map(|(name, value)| [name, value].concat())
        .collect();
    pairs.join(&b'&')
}

fn encode(whole: &[u8], made: Made<'_>) -> Vec<u8> {
    let latin1 = made.has(&Mistake::Latin1).then(|| latin1(whole)).flatten();
    let twice = made.has(&Mistake::Utf8Twice).then(|| {
        let characters = whole.iter().copied().map(char::from);
        characters.collect::<String>().into_bytes()
    });
    let bytes = twice.or(latin1);
    let bytes = bytes.as_deref().unwrap_or(whole);
    let encoder = Encoder::of_names_and_values(made);
    if made.has(&Mistake::EncodedOnce) {
        bytes.to_vec()
    } else if made.has(&Mistake::EncodedThrice) {
        encoder.escape(&encoder.escape(bytes))
    } else {
        encoder.escape(bytes)
    }
}

fn latin1(bytes: &[u8]) -> Option<Vec<u8>> {
    let text = str::from_utf8(bytes).ok()?;
    text.chars()
        .map(|character| u8::try_from(u32::from(character)).ok())
        .collect()
}

/// Adds the parameters of a query or a form.
fn read(
    all: &mut Vec<Parameter>,
    source: Source,
    text: &[u8],
    plus_is_literal: bool,
    made: Made<'_>,
) {
    let swapped = made
        .has(&Mistake::HtmlAmpersand)
        .then(|| swap_ampersands(text));
    let text = swapped.as_deref().unwrap_or(text);
    let separates = |byte: &u8| *byte == b'&' || (*byte == b';' && made.has(&Mistake::Semicolon));
    for pair in text.split(separates) {
        if pair.is_empty() && !made.has(&Mistake::EmptyPair) {
            continue;
        }
        let mut parts = pair.splitn(2, |byte| *byte == b'=');
        let name = parts.next().unwrap_or_default();
        let mut value = parts.next().unwrap_or_default();
        if made.has(&Mistake::CutAtSecondEquals) {
            value = value.split(|byte| *byte == b'=').next().unwrap_or_default();
        }
        let name = if made.has(&Mistake::NamesNotDecoded) {
            name.to_vec()
        } else {
            decode(name, plus_is_literal, made)
        };
        let value = decode(value, plus_is_literal, made);
        all.push(Parameter {
            source,
            name,
            value,
        });
    }
}

fn decode(text: &[u8], plus_is_literal: bool, made: Made<'_>) -> Vec<u8> {
    if made.has(&Mistake::NotDecoded) || made.has(&Mistake::AsItStands) {
        return text.to_vec();
    }
    let stripped = made
        .has(&Mistake::BadEscapesStripped)
        .then(|| strip_bad_escapes(text));
    let text = stripped.as_deref().unwrap_or(text);
    let plus = if plus_is_literal {
        QueryPlus::Literal
    } else {
        QueryPlus::Space
    };
    let mut decoded: Vec<u8> = FormBytes::new(text, plus).collect();
    if made.has(&Mistake::DecodedTwice) {
        decoded = FormBytes::new(&decoded, plus).collect();
    }
    if made.has(&Mistake::ReplacementCharacter) {
        return String::from_utf8_lossy(&decoded).into_owned().into_bytes();
    }
    decoded
}

fn strip_bad_escapes(text: &[u8]) -> Vec<u8> {
    let mut stripped = Vec::with_capacity(text.len());
    for (at, byte) in text.iter().enumerate() {
        let is_escape = text
            .get(at + 1..at + 3)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        if *byte != b'%' || is_escape {
            stripped.push(*byte);
        }
    }
    stripped
}

/// Turns each `&amp;` into `&`; where there is none, each `&` into `&amp;`.
fn swap_ampersands(text: &[u8]) -> Vec<u8> {
    let pieces: Vec<&[u8]> = text.split(|byte| *byte == b'&').collect();
    let is_escaped = pieces
        .iter()
        .skip(1)
        .any(|piece| piece.starts_with(b"amp;"));
    let pieces: Vec<Vec<u8>> = pieces
        .iter()
        .enumerate()
        .map(|(index, piece)| match piece.strip_prefix(b"amp;") {
            _ if index == 0 => piece.to_vec(),
            Some(rest) => rest.to_vec(),
            None if is_escaped => piece.to_vec(),
            None => [b"amp;", *piece].concat(),
        })
        .collect();
    pieces.join(&b'&')
}

fn of_header(authorization: &Authorization, made: Made<'_>) -> Vec<Parameter> {
    let header = |name: &str, value: &str| Parameter {
        source: Source::Header,
        name: name.as_bytes().to_vec(),
        value: value.as_bytes().to_vec(),
    };
    let mut parameters: Vec<_> = authorization
        .signed()
        .filter(|(name, _)| {
            let left_out =
                |mistake: &Mistake| matches!(mistake, Mistake::LeftOut(other) if other == name);
            made.find(|mistake| left_out(mistake).then_some(()))
                .is_none()
        })
        .map(|(name, value)| header(name, value))
        .collect();
    let has = |name: &str| authorization.signed().any(|(other, _)| other == name);
    if made.has(&Mistake::VersionAdded) && !has("oauth_version") {
        parameters.push(header("oauth_version", "1.0"));
    }
    let added = made.find(|mistake| match mistake {
        Mistake::TokenAdded(token) => Some(token),
        _ => None,
    });
    if let Some(token) = added {
        parameters.push(header("oauth_token", token));
    }
    if made.has(&Mistake::SignatureSigned) {
        parameters.push(header("oauth_signature", ""));
    }
    if let Some(realm) = authorization
        .realm
        .as_deref()
        .filter(|_| made.has(&Mistake::RealmSigned))
    {
        parameters.push(header("realm", realm));
    }
    parameters
}

fn without_what_is_dropped(parameters: Vec<Parameter>, made: Made<'_>) -> Vec<Parameter> {
    let mut kept: Vec<Parameter> = Vec::with_capacity(parameters.len());
    for parameter in parameters {
        let of_header = parameter.source == Source::Header;
        let is_unsigned = |mistake: &Mistake| matches!(mistake, Mistake::Unsigned(name) if name.as_bytes() == parameter.name);
        let is_dropped = !of_header
            && (made
                .find(|mistake| is_unsigned(mistake).then_some(()))
                .is_some()
                || (made.has(&Mistake::EmptyNamesDropped) && parameter.name.is_empty())
                || (made.has(&Mistake::EmptyValuesDropped) && parameter.value.is_empty()));
        if is_dropped {
            continue;
        }
        kept.push(parameter);
    }
    if made.has(&Mistake::FirstDuplicateOnly) {
        with_each_name_once(kept, |_, _| {})
    } else if made.has(&Mistake::LastDuplicateOnly) {
        with_each_name_once(kept, |first, later| *first = later)
    } else if made.has(&Mistake::DuplicatesNumbered) {
        with_numbers(kept)
    } else {
        kept
    }
}

/// Names that are there more than once get a number each, in brackets.
fn with_numbers(mut parameters: Vec<Parameter>) -> Vec<Parameter> {
    let mut counts: HashMap<Vec<u8>, (usize, usize)> = HashMap::new();
    for parameter in &parameters {
        counts.entry(parameter.name.clone()).or_default().0 += 1;
    }
    for parameter in &mut parameters {
        if let Some((count, next)) = counts.get_mut(&parameter.name)
            && *count > 1
        {
            parameter.name.extend(format!("[{next}]").into_bytes());
            *next += 1;
        }
    }
    parameters
}

/// The fields of a JSON object, as text.
fn json_fields(body: &[u8]) -> Vec<Parameter> {
    let object: serde_json::Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
    let field = |(name, value): (String, Value)| Parameter {
        source: Source::Form,
        name: name.into_bytes(),
        value: match value {
            Value::String(text) => text.into_bytes(),
            // As JavaScript writes it where a text is wanted.
            Value::Object(_) => b"[object Object]".to_vec(),
            other => other.to_string().into_bytes(),
        },
    };
    object.into_iter().map(field).collect()
}

/// Each parameter at the place of the first one with its name; `settle` decides what stands there, given a later one.
fn with_each_name_once(
    parameters: Vec<Parameter>,
    settle: impl Fn(&mut Parameter, Parameter),
) -> Vec<Parameter> {
    let mut kept: Vec<Parameter> = Vec::with_capacity(parameters.len());
    // A search through those that are kept would take the square of their number, which is a sender's choice.
    let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
    for parameter in parameters {
        match places.entry(parameter.name.clone()) {
            Entry::Occupied(place) => settle(&mut kept[*place.get()], parameter),
            Entry::Vacant(place) => {
                place.insert(kept.len());
                kept.push(parameter);
            }
        }
    }
    kept
}

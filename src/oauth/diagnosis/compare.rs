//! Where two base strings differ.

use std::fmt;

use super::encoding::unescape;
use crate::oauth::percent::AMPERSAND;

/// The first byte in which a client's base string differs from the right one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// Its offset.
    pub at: usize,
    /// What stands there.
    pub part: Part,
    /// What is right from shortly before that byte on.
    pub expected: String,
    /// What the client has there.
    pub received: String,
}

/// A part of a base string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The request's method.
    Method,
    /// The base string URI.
    Uri,
    /// A parameter of this name, in the right base string; empty behind the last one.
    Parameter(String),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method => f.write_str("the method"),
            Self::Uri => f.write_str("the URI"),
            Self::Parameter(name) if name.is_empty() => f.write_str("the parameters"),
            Self::Parameter(name) => {
                write!(f, "the parameters, at `{}`", name.escape_debug())
            }
        }
    }
}

/// How many bytes are shown before and from the first difference on.
const BEFORE: usize = 24;
const AFTER: usize = 40;

/// Compares a client's base string with the right one; `None` if they are the same.
pub fn compare_base_strings(expected: &str, received: &str) -> Option<Divergence> {
    if expected == received {
        return None;
    }
    let common = expected
        .bytes()
        .zip(received.bytes())
        .take_while(|(a, b)| a == b)
        .count();
    let excerpt = |text: &str| {
        let bytes = text.as_bytes();
        let start = common.saturating_sub(BEFORE);
        let end = bytes.len().min(common + AFTER);
        let mut excerpt = String::new();
        if start > 0 {
            excerpt.push('…');
        }
        excerpt.push_str(&String::from_utf8_lossy(&bytes[start..end]));
        if end < bytes.len() {
            excerpt.push('…');
        }
        excerpt
    };
    Some(Divergence {
        at: common,
        part: part(expected.as_bytes(), common),
        expected: excerpt(expected),
        received: excerpt(received),
    })
}

fn part(base_string: &[u8], at: usize) -> Part {
    let before = &base_string[..at];
    let ampersands = before.iter().filter(|byte| **byte == b'&').count();
    match ampersands {
        0 => Part::Method,
        1 => Part::Uri,
        _ => {
            let start = before.iter().rposition(|byte| *byte == b'&');
            let parameters = &base_string[start.map_or(0, |start| start + 1)..];
            let before = at - (base_string.len() - parameters.len());
            Part::Parameter(parameter_name(parameters, before))
        }
    }
}

/// The decoded name of the parameter that an offset is within.
fn parameter_name(parameters: &[u8], at: usize) -> String {
    let separators = parameters
        .windows(AMPERSAND.len())
        .enumerate()
        .filter(|(_, window)| *window == AMPERSAND)
        .map(|(index, _)| index + AMPERSAND.len());
    let start = separators.take_while(|start| *start <= at).last();
    let pair = unescape(&parameters[start.unwrap_or(0)..]);
    let name = pair
        .split(|byte| matches!(byte, b'=' | b'&'))
        .next()
        .unwrap_or_default();
    String::from_utf8_lossy(&unescape(name)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_found_with_its_part() {
        let base = "GET&https%3A%2F%2Fh%2F&a%3D1%26b%2520c%3D2%26d%3D3";
        let check = |received: &str, at: usize, part: Part| {
            let found = compare_base_strings(base, received).unwrap();
            assert_eq!((found.at, found.part), (at, part), "{received}");
        };
        let parameter = |name: &str| Part::Parameter(name.to_owned());
        assert_eq!(compare_base_strings(base, base), None);
        check(&base.replace("GET", "PUT"), 0, Part::Method);
        check("", 0, Part::Method);
        check("GETT", 3, Part::Method);
        check(&base.replace("https", "http"), 8, Part::Uri);
        check(&base.replace("a%3D1", "a%3D2"), 27, parameter("a"));
        check(&base.replace("%3D2", "%3D4"), 41, parameter("b c"));
        check(&base[..base.len() - 1], base.len() - 1, parameter("d"));
        check(&format!("{base}%26e%3D"), base.len(), parameter("d"));
    }

    #[test]
    fn what_stands_around_it_is_shown() {
        let long = "x".repeat(100);
        let found = compare_base_strings(&format!("{long}a{long}"), &format!("{long}b")).unwrap();
        let before = "x".repeat(BEFORE);
        assert_eq!(
            found.expected,
            format!("…{before}a{}…", "x".repeat(AFTER - 1))
        );
        assert_eq!(found.received, format!("…{before}b"));
    }
}

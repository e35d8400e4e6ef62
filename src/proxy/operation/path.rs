//! How servers read a path: percent-decoded or not, with the slash at its end or without.
//!
//! Where they differ in what the segments are, there is no telling which ones a rule would have to allow, and the path
//! is refused altogether: dot segments, empty segments, encoded slashes, backslashes, path parameters, what is decoded
//! twice, what cuts a path short. What stands within a segment is then the same text for all of them, but for escapes.

use std::str;

use crate::oauth::escaped_byte;

/// One way in which a server may read a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) path: Vec<u8>,
    /// Whether the path ended in a slash that this server takes no notice of.
    pub(super) has_lost_slash: bool,
}

/// Why a path has no certain segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("servers differ in how they read this path: it has {0}")]
pub(super) struct Ambiguous(&'static str);

/// Characters that some servers turn into one of `. / \ % ; ? #` by normalising Unicode (NFKC) or by putting the
/// path into a narrower character set.
const LOOKALIKES: &str = "\u{2024}\u{2025}\u{2026}\u{fe19}\u{fe30}\u{fe52}\u{ff0e}\
    \u{2044}\u{2215}\u{2571}\u{29f8}\u{ff0f}\u{2100}\u{2101}\u{2105}\u{2106}\
    \u{2216}\u{29f5}\u{29f9}\u{fe68}\u{ff3c}\u{a5}\u{20a9}\u{ffe5}\u{ffe6}\
    \u{66a}\u{fe6a}\u{ff05}\
    \u{37e}\u{fe14}\u{fe54}\u{ff1b}\
    \u{fe16}\u{fe56}\u{ff1f}\u{2047}\u{2048}\u{2049}\u{fe5f}\u{ff03}";

/// Every way in which servers may read a path.
///
/// # Errors
/// What its segments are depends on the server.
pub(super) fn readings(path: &[u8]) -> Result<Vec<Reading>, Ambiguous> {
    let decoded = decode(path, |_| true)?;
    check_segments(&decoded)?;
    // A server that takes an escape for another spelling only where the character can't be written plainly.
    let literal = decode(path, |byte| !may_stand_plainly(byte))?;
    let mut readings = Vec::new();
    for path in [decoded, literal] {
        if let [shorter @ .., b'/'] = &path[..]
            && !shorter.is_empty()
        {
            readings.push(Reading {
                path: shorter.to_vec(),
                has_lost_slash: true,
            });
        }
        readings.push(Reading {
            path,
            has_lost_slash: false,
        });
    }
    Ok(readings)
}

/// Decodes the escapes of those bytes for which `decodes` says so.
fn decode(path: &[u8], decodes: impl Fn(u8) -> bool) -> Result<Vec<u8>, Ambiguous> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some(&byte) = rest.first() {
        let mut length = 1;
        let mut meant = byte;
        if byte == b'%' {
            meant = escaped_byte(rest).ok_or(Ambiguous("a percent sign that begins no escape"))?;
            length = 3;
            match meant {
                b'/' => return Err(Ambiguous("an encoded slash")),
                b'%' => return Err(Ambiguous("an encoded percent sign")),
                _ => {}
            }
        }
        let (escape, tail) = rest.split_at(length);
        if decodes(meant) {
            decoded.push(meant);
        } else {
            decoded.extend_from_slice(escape);
        }
        rest = tail;
    }
    Ok(decoded)
}

/// Unreserved characters, delimiters of sub-components, `:` and `@` (RFC 3986 §3.3): all others have to be encoded.
fn may_stand_plainly(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}

fn check_segments(decoded: &[u8]) -> Result<(), Ambiguous> {
    let text =
        str::from_utf8(decoded).map_err(|_| Ambiguous("escaped bytes that are not UTF-8"))?;
    for c in text.chars() {
        match c {
            '\\' => return Err(Ambiguous("a backslash")),
            ';' => return Err(Ambiguous("a semicolon")),
            '?' | '#' => return Err(Ambiguous("an encoded ? or #")),
            c if c.is_control() => return Err(Ambiguous("a control character")),
            c if LOOKALIKES.contains(c) => {
                return Err(Ambiguous(
                    "a character that looks like a delimiter and may become one",
                ));
            }
            _ => {}
        }
    }
    let mut segments = text.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        if segment.is_empty() && !is_last {
            return Err(Ambiguous("an empty segment"));
        }
        // Windows takes no notice of blanks and dots at the end of a name.
        let is_blank = |c: char| c == '.' || c.is_whitespace();
        if !segment.is_empty() && segment.chars().all(is_blank) {
            return Err(Ambiguous("a segment of nothing but dots or blanks"));
        }
    }
    Ok(())
}

/// Matches a glob: `**` stands for anything, `*` for anything without a slash.
///
/// Takes the product of both lengths, whatever they are made of: a client must not be able to choose a slow path.
pub(super) fn glob(pattern: &[u8], path: &[u8]) -> bool {
    // Whether the pattern so far matches the path up to each of its places.
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    let mut rest = pattern;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if !reached.contains(&true) {
            return false;
        }
        if byte == b'*' {
            let crosses_slashes = rest.first() == Some(&b'*');
            rest = rest.strip_prefix(b"*").unwrap_or(rest);
            let mut within = false;
            for (place, reached) in reached.iter_mut().enumerate() {
                let behind_slash = place > 0 && path[place - 1] == b'/';
                within = *reached || (within && (crosses_slashes || !behind_slash));
                *reached = within;
            }
        } else {
            for place in (1..reached.len()).rev() {
                reached[place] = reached[place - 1] && path[place - 1] == byte;
            }
            reached[0] = false;
        }
    }
    reached[path.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_matches_segments_and_paths() {
        let table = [
            ("/aps/2/**", "/aps/2/", true),
            ("/aps/2/**", "/aps/2/x/y", true),
            ("/aps/2/**", "/aps/2", false),
            ("/aps/2/**", "/aps/22/x", false),
            ("/a/*/c", "/a/b/c", true),
            ("/a/*/c", "/a/b/b/c", false),
            ("/a/*", "/a/", true),
            ("/a*c/**/z", "/abc/1/2/z", true),
            ("/a*c/**/z", "/ab/c/1/z", false),
            ("/**/orders", "/x/y/orders", true),
            ("/**/o*s", "/x/ods/ors", true),
            ("/**", "/", true),
            ("/", "/", true),
            ("/", "/x", false),
            ("/***", "/x/y", true),
            ("/**a*b", "/x/ayb", true),
            ("/**a*b", "/x/a/b", false),
        ];
        for (pattern, text, wanted) in table {
            let matched = glob(pattern.as_bytes(), text.as_bytes());
            assert_eq!(matched, wanted, "{pattern} {text}");
        }
    }

    #[test]
    fn a_path_is_read_with_its_escapes_and_without_and_with_its_last_slash_and_without() {
        let check = |path: &str, expected: &[&str]| {
            let readings = readings(path.as_bytes()).unwrap();
            let paths: Vec<_> = readings
                .into_iter()
                .map(|reading| String::from_utf8(reading.path).unwrap())
                .collect();
            assert_eq!(paths, expected, "{path}");
        };
        check("/", &["/", "/"]);
        check("/a%20b/~c", &["/a b/~c", "/a b/~c"]);
        check(
            "/%61%2c%C3%A9/",
            &["/a,é", "/a,é/", "/%61%2cé", "/%61%2cé/"],
        );
    }

    #[test]
    fn a_path_whose_segments_depend_on_the_server_has_no_reading() {
        // A line for each kind: dot segments; blanks; empty segments; path parameters; encoded slashes; backslashes;
        // overlong and other invalid UTF-8; lookalikes; what is decoded twice; what cuts a path or its line short;
        // escapes that are none.
        for paths in [
            r"/.. /. /a/../b /a/.. /./a /a/%2e%2e/b /a/%2E./b /a/.%2E/b /a/%2e/b /a/.../b",
            r"/a/..%20/b /a/%20../b /a/.%20./b /a/%20/b /a/%C2%A0/b",
            r"//a // /a//b /a//",
            r"/a;x/b /a/..;/b /a/..;x=y/b /a/.;/b /a/;/b /;/a /a; /a%3bx /a/..%3B/b /a/;/../b",
            r"/a%2fb /a%2Fb /a/..%2fb /a/%2e%2e%2fb /%2F /%2fa/b",
            r"/a\b /a/..\b /a%5cb /a%5C..%5Cb /\a",
            r"/a%C0%AFb /a%c0%af.. /a%E0%80%AFb /a%F0%80%80%AFb /a%c1%9cb /a/%c0%ae%c0%ae/b /a%FF",
            r"/a%EF%BC%8Fb /a%E2%88%95b /a%E2%81%84b /a%EF%BC%BCb /a%C2%A5b /a/%EF%BC%8E%EF%BC%8E/b /a／b",
            r"/a/%E2%80%A5/b /a/%E2%80%A4%E2%80%A4/b /a%EF%BC%9Bx /a%CD%BEx /a%EF%BC%852fb",
            r"/a%252fb /a%252e%252e /a/%25%32%65 /a%25 /a%2500",
            r"/a%3Fb /a%3fb/c /a%23b /a%00b /a%00 /a%0d%0ab /a%0A /a%09 /a%7F /a%C2%85 /a%1b",
            r"/a% /a%2 /a%zz /a%+1 /a%-1 /%%32%65 /a%2%65 /a%u002fb /a/%u002e%u002e/b",
        ] {
            for path in paths.split(' ') {
                assert!(readings(path.as_bytes()).is_err(), "{path}");
            }
        }
    }

    #[test]
    fn an_ordinary_path_has_readings() {
        for path in [
            "/",
            "/aps/2/resources",
            "/aps/2/resources/2df8d4ce-86bb-4ec3-9dc2-8cbe69bf4b1a",
            "/.well-known/x",
            "/a.b/..b/b../.b",
            "/~user",
            "/a:b@c,b(c)'d'*e!$&=+",
            "/a%20b%20",
            "/%D0%BF%D1%83%D1%82%D1%8C",
            "/%e6%97%a5%e6%9c%ac",
            "/café",
            "/a%22%3C%3E%5B%5D%7B%7C%7D%5E%60",
            "/%F0%9F%98%80",
        ] {
            assert!(readings(path.as_bytes()).is_ok(), "{path}");
        }
    }
}

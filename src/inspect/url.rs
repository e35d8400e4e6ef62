//! A URL, taken apart without changing a byte of what will be signed.

use super::fault::UsageFault;
use crate::{
    config::{Origin, parse_host_and_port},
    oauth::default_port,
};

const WORD: &str = "URL";

/// A URL in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    /// `None` for one that begins with its path.
    pub(super) authority: Option<Authority>,
    /// Path and query, as they stand there.
    pub(super) target: Vec<u8>,
}

/// Scheme, host and port as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authority {
    pub(super) https: bool,
    /// In its own case; an IPv6 address in brackets.
    pub(super) host: String,
    pub(super) port: Option<u16>,
}

impl Authority {
    /// The same as the configuration would have it.
    pub(super) fn origin(&self) -> Origin {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        Origin {
            https: self.https,
            host: host.to_ascii_lowercase(),
            port: self.port.unwrap_or(default_port(self.https)),
        }
    }

    /// The same, but with this scheme.
    pub(super) fn with_scheme(self, https: bool) -> Self {
        Self { https, ..self }
    }

    /// Reads `host` or `host:port`, which begins at this offset of the word, as the configuration reads one.
    pub(super) fn parse(
        word: &'static str,
        text: &[u8],
        https: bool,
        start: usize,
        end: usize,
    ) -> Result<Self, UsageFault> {
        let wrong = |at: usize, problem: &str| UsageFault::shown(word, text, at, problem);
        let authority = &text[start..end];
        let host_length = if authority.starts_with(b"[") {
            let close = authority.iter().position(|byte| *byte == b']');
            close.ok_or_else(|| wrong(end, "the address has no closing bracket"))? + 1
        } else {
            let colon = authority.iter().position(|byte| *byte == b':');
            colon.unwrap_or(authority.len())
        };
        let host = &authority[..host_length];
        if host.is_empty() {
            return Err(wrong(start, "there is no host"));
        }
        // The two are read apart, so that it is known which of them is wrong.
        let read = |text: &[u8]| parse_host_and_port(str::from_utf8(text).ok()?).ok();
        if read(host).is_none() {
            let problem = "no host is written like this: write a name in ASCII, an IPv4 address, or an IPv6 address in brackets";
            return Err(wrong(start, problem));
        }
        let (_, port) = read(authority)
            .ok_or_else(|| wrong(start + host_length, "no port from 1 to 65535 stands here"))?;
        Ok(Self {
            https,
            // Read above, so it is ASCII.
            host: String::from_utf8_lossy(host).into_owned(),
            port,
        })
    }
}

impl From<&Origin> for Authority {
    fn from(origin: &Origin) -> Self {
        let host = if origin.host.contains(':') {
            format!("[{}]", origin.host)
        } else {
            origin.host.clone()
        };
        Self {
            https: origin.https,
            host,
            port: Some(origin.port),
        }
    }
}

impl Url {
    /// Takes `https://host:port/path?query` apart, or `/path?query`.
    pub(super) fn parse(text: &[u8]) -> Result<Self, UsageFault> {
        let wrong = |at: usize, problem: &str| UsageFault::shown(WORD, text, at, problem);
        let scheme_end = text.windows(3).position(|window| window == b"://");
        let (https, start) = match scheme_end.map(|end| text[..end].to_ascii_lowercase()) {
            _ if text.starts_with(b"/") => {
                check_target(text, 0)?;
                return Ok(Self {
                    authority: None,
                    target: text.to_vec(),
                });
            }
            Some(scheme) if scheme == b"https" => (true, 8),
            Some(scheme) if scheme == b"http" => (false, 7),
            _ => {
                return Err(wrong(
                    0,
                    "write it with https:// or http://, or begin with a path, as in /a?b=c",
                ));
            }
        };
        let rest = &text[start..];
        let length = rest.iter().position(|byte| b"/?#".contains(byte));
        let end = start + length.unwrap_or(rest.len());
        if let Some(at) = text[start..end].iter().position(|byte| *byte == b'@') {
            let problem = "there must be no user name or password: remove everything up to the @";
            return Err(UsageFault::hidden(WORD, start + at, problem));
        }
        check_target(text, start)?;
        Ok(Self {
            authority: Some(Authority::parse(WORD, text, https, start, end)?),
            target: text[end..].to_vec(),
        })
    }
}

/// Looks for what can't be sent in a request line, from an offset on.
fn check_target(text: &[u8], start: usize) -> Result<(), UsageFault> {
    for (at, byte) in text.iter().enumerate().skip(start) {
        let problem = match byte {
            b'#' => "a fragment is never sent: leave out `#` and what follows, or write it %23",
            b' ' => "a space can't be sent: write %20",
            byte if byte.is_ascii_control() => "a control character can't be sent",
            _ => continue,
        };
        return Err(UsageFault::shown(WORD, text, at, problem));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart_and_nothing_of_it_changed() {
        let check = |text: &str, authority: Option<(bool, &str, Option<u16>)>, target: &str| {
            let url = Url::parse(text.as_bytes()).unwrap();
            let found = url.authority.as_ref();
            let found = found.map(|found| (found.https, found.host.as_str(), found.port));
            assert_eq!(found, authority, "{text}");
            assert_eq!(url.target, target.as_bytes(), "{text}");
        };
        let https = |host, port| Some((true, host, port));
        check("https://h", https("h", None), "");
        check(
            "HTTPS://Example.COM/A%2f",
            https("Example.COM", None),
            "/A%2f",
        );
        check("https://h:443?a=b", https("h", Some(443)), "?a=b");
        check(
            "http://h:8080//a/../b?c?d",
            Some((false, "h", Some(8080))),
            "//a/../b?c?d",
        );
        check(
            "https://[2001:DB8::1]:8443/",
            https("[2001:DB8::1]", Some(8443)),
            "/",
        );
        check(
            "https://h/\u{e9}(*)?a@b",
            https("h", None),
            "/\u{e9}(*)?a@b",
        );
        check("/a?u=http://h/", None, "/a?u=http://h/");
        check("//h/a", None, "//h/a");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let check = |text: &str, at: usize, part: &str| {
            let fault = Url::parse(text.as_bytes()).unwrap_err().to_string();
            let start = format!("URL, byte {at}: ");
            assert!(fault.starts_with(&start) && fault.contains(part), "{fault}");
        };
        check("", 0, "https://");
        check("h/a", 0, "https://");
        check("ftp://h/", 0, "https://");
        check("https://", 8, "no host");
        check("https:///a", 8, "no host");
        check("https://u:S3NTINEL@h/", 18, "no user name");
        check("https://h/a b", 11, "%20");
        check("https://h/a\nb", 11, "control");
        check("https://h/a#b", 11, "fragment");
        check("https://h#b", 9, "fragment");
        check("/a b", 2, "%20");
        check("https://h:0/", 9, "no port");
        check("https://h:65536/", 9, "no port");
        check("https://h:x/", 9, "no port");
        check("https://h:/", 9, "no port");
        check("https://[::1/", 12, "bracket");
        check("https://[::1]x/", 13, "no port");
        for host in [
            "b\u{fc}cher",
            "a b",
            "[]",
            "[::g]",
            "[:::1]",
            "[1.2.3.4]",
            "[a.example]",
            ".",
            "a.",
            "a..b",
            "1.2.3",
            "1.2.3.4.5",
            "a%41",
            "~a",
        ] {
            let word = host.as_bytes();
            let fault = Authority::parse("--header", word, true, 0, word.len()).unwrap_err();
            let expected = "--header, byte 0: no host is written like this";
            assert!(fault.to_string().starts_with(expected), "{fault}");
        }
        check("https://a..b:8443/", 8, "no host");
        check("https://[::g]/", 8, "no host");
        check("https://h:+1/", 9, "no port");
        let fault = Url::parse(b"https://u:S3NTINEL@h/").unwrap_err();
        assert!(!fault.to_string().contains("S3NTINEL"));
    }
}

//! Upstreams and hosts: how they are written.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use crate::oauth::default_port;

/// A scheme, a host and a port (RFC 6454 §4), of an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Whether the scheme is `https`; otherwise it is `http`.
    pub https: bool,
    /// The host in lower case: a name, an IPv4 address, or an IPv6 address without brackets.
    pub host: String,
    /// The port; the scheme's default where the URL had none.
    pub port: u16,
}

impl Origin {
    /// `https` or `http`.
    pub fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }

    /// The value of a `Host` field (RFC 9110 §7.2): the scheme's default port is left out.
    pub fn authority(&self) -> String {
        let brackets = self.host.contains(':');
        let (open, close) = if brackets { ("[", "]") } else { ("", "") };
        if self.port == default_port(self.https) {
            format!("{open}{}{close}", self.host)
        } else {
            format!("{open}{}{close}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.authority())
    }
}

/// A text that is no upstream. None of the messages shows it, for it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// Neither `https` nor `http`.
    #[error("must begin with https://: write https://host or https://host:port")]
    Scheme,
    /// `user:password@`.
    #[error("must hold no user name or password: remove everything up to the @")]
    UserInfo,
    /// Something after host and port.
    #[error("must end after host and port: each request brings its own path and query")]
    Path,
    /// The host.
    #[error("{0}")]
    Host(#[from] HostError),
}

/// A text that is no host, or no host with a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// Not a name, IPv4 address, or IPv6 address in brackets.
    #[error(
        "has no valid host: write a name in ASCII, an IPv4 address, or an IPv6 address in brackets"
    )]
    Host,
    /// Not within 1 and 65535.
    #[error("has no valid port: write HOST:PORT, with a port from 1 to 65535")]
    Port,
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = text.split_once("://").ok_or(OriginError::Scheme)?;
        let https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(OriginError::Scheme),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.contains('@') {
            return Err(OriginError::UserInfo);
        }
        if !matches!(path, "" | "/") {
            return Err(OriginError::Path);
        }
        let (host, port) = parse_host_and_port(authority)?;
        let port = port.unwrap_or(default_port(https));
        Ok(Self { https, host, port })
    }
}

/// Reads `host` or `host:port`; the host in lower case and without brackets.
pub(crate) fn parse_host_and_port(text: &str) -> Result<(String, Option<u16>), HostError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']').ok_or(HostError::Host)?;
            let address: Ipv6Addr = address.parse().map_err(|_| HostError::Host)?;
            (address.to_string(), port)
        }
        None => {
            let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            (parse_name(host)?, port)
        }
    };
    let port = match port.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => match digits.parse() {
            Ok(0) | Err(_) => return Err(HostError::Port),
            Ok(port) => Some(port),
        },
        Some(_) => return Err(HostError::Port),
        None if port.is_empty() => None,
        None => return Err(HostError::Host),
    };
    Ok((host, port))
}

/// Reads a name or an IPv4 address, and writes it in lower case.
fn parse_name(text: &str) -> Result<String, HostError> {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    // A last label of digits would be an address (WHATWG URL §3.5), so it has to be a whole one.
    let last_is_number = text
        .rsplit('.')
        .next()
        .is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit()));
    let valid = text.len() <= 253
        && text.split('.').all(is_label)
        && (!last_is_number || text.parse::<Ipv4Addr>().is_ok());
    if valid {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(HostError::Host)
    }
}

#[cfg(test)]
mod tests {
    use super::{OriginError::*, *};

    const NO_HOST: OriginError = Host(HostError::Host);
    const NO_PORT: OriginError = Host(HostError::Port);

    #[test]
    fn upstreams_are_read_as_documented() {
        let cases = [
            ("https://Example.COM", Ok("https://example.com")),
            ("HTTPS://example.com/", Ok("https://example.com")),
            ("https://example.com:443", Ok("https://example.com")),
            ("https://example.com:8443", Ok("https://example.com:8443")),
            ("http://127.0.0.1:80", Ok("http://127.0.0.1")),
            (
                "https://[2001:DB8::1]:8443",
                Ok("https://[2001:db8::1]:8443"),
            ),
            ("example.com", Err(Scheme)),
            ("ftp://example.com", Err(Scheme)),
            ("https://user:pass@example.com", Err(UserInfo)),
            ("https://@example.com", Err(UserInfo)),
            ("https://example.com/aps", Err(Path)),
            ("https://example.com//", Err(Path)),
            ("https://example.com?a", Err(Path)),
            ("https://example.com/#a", Err(Path)),
            ("https://", Err(NO_HOST)),
            ("https://a..b", Err(NO_HOST)),
            ("https://1.2.3", Err(NO_HOST)),
            ("https://b\u{fc}cher.example", Err(NO_HOST)),
            ("https://a b", Err(NO_HOST)),
            ("https://::1", Err(NO_HOST)),
            ("https://[::1", Err(NO_HOST)),
            ("https://[::1]x", Err(NO_HOST)),
            ("https://example.com:", Err(NO_PORT)),
            ("https://example.com:0", Err(NO_PORT)),
            ("https://example.com:+1", Err(NO_PORT)),
            ("https://example.com:65536", Err(NO_PORT)),
        ];
        for (text, expected) in cases {
            let read = text.parse::<Origin>().map(|origin| origin.to_string());
            assert_eq!(read, expected.map(str::to_owned), "{text}");
        }
    }
}

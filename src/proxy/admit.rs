//! Who may use a proxy, and for what: the credentials it holds must serve nobody else.

use std::net::{IpAddr, Ipv6Addr};

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Client, Refusal};
use crate::{
    config::{AccessConfig, AllowRule},
    wire::RequestHead,
};

/// Lets a request in, or says why not.
///
/// # Errors
/// The first reason to refuse it.
pub(super) fn admit(
    access: &AccessConfig,
    client: &Client,
    request: &RequestHead,
) -> Result<(), Refusal> {
    admit_peer(access, client)?;
    admit_host(access, client, request)?;
    admit_origin(access, request)?;
    if let Some(token) = &access.client_token {
        admit_token(token, request)?;
    }
    if let Some(rules) = &access.allow {
        admit_operation(rules, request)?;
    }
    Ok(())
}

/// Whether the user at the other end may use a proxy; over TCP, the system does not tell who that is.
pub(crate) fn is_allowed_user(access: &AccessConfig, uid: Option<u32>) -> bool {
    access.allowed_uids.is_empty() || uid.is_some_and(|uid| access.allowed_uids.contains(&uid))
}

fn admit_peer(access: &AccessConfig, client: &Client) -> Result<(), Refusal> {
    if is_allowed_user(access, client.uid) {
        return Ok(());
    }
    Err(Refusal::denied(
        403,
        match client.uid {
            Some(uid) => format!("user id {uid} is not in access.allowed_uids"),
            None => "access.allowed_uids is set, and over TCP nobody can tell which user this is: use the Unix socket".to_owned(),
        },
    ))
}

/// A page whose host name was rebound to this machine still sends its own name as `Host`.
fn admit_host(
    access: &AccessConfig,
    client: &Client,
    request: &RequestHead,
) -> Result<(), Refusal> {
    let named = [request.authority.as_deref(), request.host()];
    for authority in named.into_iter().flatten() {
        // The wire has let well-formed authorities through only, which are ASCII.
        let authority = String::from_utf8_lossy(authority).to_ascii_lowercase();
        if !is_allowed_host(&authority, &access.allowed_hosts, client.local) {
            return Err(if request.authority.is_some() {
                Refusal::malformed(
                    "the target names another host than this proxy (see access.allowed_hosts)",
                )
            } else {
                Refusal::denied(
                    421,
                    "the Host is not this proxy's own: use its address, or add the name to access.allowed_hosts",
                )
            });
        }
    }
    Ok(())
}

fn is_allowed_host(authority: &str, allowed: &[String], local: Option<IpAddr>) -> bool {
    let host = host_of(authority);
    let address = match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(v6) => v6.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse::<IpAddr>().ok(),
    };
    let is_own = address.is_some_and(|address| address.is_loopback() || Some(address) == local);
    let is_listed = allowed
        .iter()
        .any(|entry| entry == authority || (entry == host && host_of(entry) == entry));
    host == "localhost" || is_own || is_listed
}

/// An authority without its port.
fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// Browsers tell where a request comes from, for each method and before anything else is known.
fn admit_origin(access: &AccessConfig, request: &RequestHead) -> Result<(), Refusal> {
    let is_listed = |origin: &[u8]| {
        access
            .allowed_origins
            .iter()
            .any(|allowed| allowed.as_bytes().eq_ignore_ascii_case(origin))
    };
    let mut origins = request.fields.all("origin").peekable();
    let from_listed = origins.peek().is_some();
    if !origins.all(is_listed) {
        return Err(Refusal::denied(
            403,
            "the request comes from a web page whose origin is not in access.allowed_origins",
        ));
    }
    let by_page = request
        .fields
        .all("sec-fetch-site")
        .any(|site| !site.eq_ignore_ascii_case(b"none"));
    if by_page && !from_listed {
        return Err(Refusal::denied(
            403,
            "the request was made by a web page (Sec-Fetch-Site), and none may use this proxy without its origin in access.allowed_origins",
        ));
    }
    Ok(())
}

fn admit_token(token: &SecretString, request: &RequestHead) -> Result<(), Refusal> {
    let mut given = request.fields.all("proxy-authorization");
    let bearer = given.next().and_then(|value| {
        let (scheme, token) = value.split_at_checked("Bearer ".len())?;
        scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
    });
    let matches = bearer.is_some_and(|bearer| same(bearer.trim_ascii(), token));
    if matches && given.next().is_none() {
        return Ok(());
    }
    Err(Refusal::denied(
        401,
        "this proxy wants its client token: send Proxy-Authorization: Bearer TOKEN",
    ))
}

/// Compares digests, so that the time taken tells nothing of the token, not even its length.
fn same(given: &[u8], token: &SecretString) -> bool {
    let given = Sha256::digest(given);
    let wanted = Sha256::digest(token.expose_secret().as_bytes());
    given.as_slice().ct_eq(wanted.as_slice()).into()
}

fn admit_operation(rules: &[AllowRule], request: &RequestHead) -> Result<(), Refusal> {
    let path = plain_path(request.path()).ok_or_else(|| {
        Refusal::denied(
            403,
            "access.allow is set, and servers differ in how they read this path: it has an empty, \".\" or \"..\" segment, a backslash, a semicolon, or an encoded slash or percent sign",
        )
    })?;
    let allowed = rules.iter().any(|rule| {
        let by_method = rule.methods.is_empty()
            || rule
                .methods
                .iter()
                .any(|method| method.as_bytes() == &request.method[..]);
        by_method && glob(rule.path.as_bytes(), &path)
    });
    if allowed {
        return Ok(());
    }
    Err(Refusal::denied(
        403,
        "no rule of access.allow lets this method and path through",
    ))
}

/// The path as every server reads it: percent-decoded once; `None` where servers differ.
fn plain_path(path: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'%' {
            plain.push(byte);
            continue;
        }
        let (digits, tail) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok()?;
        let decoded = u8::from_str_radix(digits, 16).ok()?;
        if matches!(decoded, b'/' | b'%' | 0..=0x1f | 0x7f) {
            return None;
        }
        plain.push(decoded);
        rest = tail;
    }
    let is_plain = |byte: &u8| !matches!(byte, b'\\' | b';');
    if !plain.iter().all(is_plain) || std::str::from_utf8(&plain).is_err() {
        return None;
    }
    let mut segments = plain.split(|byte| *byte == b'/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        if matches!(segment, b"." | b"..") || (segment.is_empty() && !is_last) {
            return None;
        }
    }
    Some(plain)
}

/// Matches a glob: `**` stands for anything, `*` for anything without a slash.
///
/// Takes the product of both lengths, whatever they are made of: a client must not be able to choose a slow path.
fn glob(pattern: &[u8], path: &[u8]) -> bool {
    // Whether the pattern so far matches the path up to each of its places.
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    let mut rest = pattern;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
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
    fn only_the_proxys_own_names_and_listed_ones_are_hosts() {
        let allowed = ["proxy.lan".to_owned(), "other.lan:8080".to_owned()];
        let local = Some("10.1.2.3".parse().unwrap());
        let good = [
            "localhost",
            "localhost:1",
            "127.0.0.1:8080",
            "127.9.9.9",
            "[::1]:8080",
            "10.1.2.3:8080",
            "proxy.lan",
            "proxy.lan:99",
            "other.lan:8080",
        ];
        for host in good {
            assert!(is_allowed_host(host, &allowed, local), "{host}");
        }
        let bad = [
            "evil.example",
            "localhost.attacker.com",
            "127.0.0.1.evil.example",
            "10.1.2.4",
            "0.0.0.0",
            "other.lan",
            "other.lan:80",
            "[::2]",
            "2130706433",
            "notproxy.lan",
        ];
        for host in bad {
            assert!(!is_allowed_host(host, &allowed, local), "{host}");
        }
    }

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
    fn a_path_that_servers_read_differently_matches_no_rule() {
        for path in [
            "/a/../b",
            "/a/%2e%2e/b",
            "/a/.%2E/b",
            "/./a",
            "//a",
            "/a//b",
            "/a%2fb",
            "/a%2Fb",
            "/a\\b",
            "/a%5cb",
            "/a;x/b",
            "/a%3bx",
            "/a%252e",
            "/a%",
            "/a%zz",
            "/a%00b",
            "/..",
        ] {
            assert_eq!(plain_path(path.as_bytes()), None, "{path}");
        }
        assert_eq!(plain_path(b"/a%20b/~c/").unwrap(), b"/a b/~c/");
    }

    #[test]
    fn a_token_is_compared_whole() {
        let token = SecretString::from("abc");
        assert!(same(b"abc", &token));
        for other in [&b"ab"[..], b"abcd", b"abd", b""] {
            assert!(!same(other, &token));
        }
    }
}

//! Who may use a proxy, and for what: the credentials it holds must serve nobody else.

use std::net::{IpAddr, Ipv6Addr};

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Client, Refusal, operation::admit_operation};
use crate::{config::AccessConfig, wire::RequestHead};

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
    let is_own = |authority: Option<&[u8]>| {
        authority.is_none_or(|authority| {
            // The wire has let well-formed authorities through only, which are ASCII.
            let authority = String::from_utf8_lossy(authority).to_ascii_lowercase();
            is_allowed_host(&authority, &access.allowed_hosts, client.local)
        })
    };
    if !is_own(request.authority.as_deref()) {
        return Err(Refusal::malformed(
            "the target names another host than this proxy (see access.allowed_hosts)",
        ));
    }
    if !is_own(request.host()) {
        return Err(Refusal::denied(
            421,
            "the Host is not this proxy's own: use its address, or add the name to access.allowed_hosts",
        ));
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
    fn a_token_is_compared_whole() {
        let token = SecretString::from("abc");
        assert!(same(b"abc", &token));
        for other in [&b"ab"[..], b"abcd", b"abd", b""] {
            assert!(!same(other, &token));
        }
    }
}

//! A described request, with the proxy whose credentials it is about.

use std::{net::IpAddr, os::unix::ffi::OsStrExt as _};

use super::{
    Error, RequestWords,
    content::{self, Content},
    fault::UsageFault,
    header::{self, HEADER, Header},
    url::{Authority, Url},
};
use crate::{
    config::{self, Checks, ListenAddress, Origin, ProxyConfig},
    env::Environment,
    oauth::{BaseUri, RequestToSign, Sent, parameter_names},
    wire::is_token,
};

/// A request and everything that its signature depends on.
#[derive(Debug)]
pub(super) struct Described {
    pub(super) proxy: ProxyConfig,
    pub(super) method: String,
    pub(super) authority: Authority,
    pub(super) target: Vec<u8>,
    pub(super) content: Option<Content>,
    /// Origins that a client may have signed for by mistake.
    pub(super) elsewhere: Vec<String>,
    /// What the user should know about how the description was understood.
    pub(super) notes: Vec<String>,
}

impl Described {
    /// Reads the words of a command line; `headers` are its `--header` words.
    pub(super) fn read(
        words: &RequestWords,
        headers: &[Header<'_>],
        environment: &Environment,
    ) -> Result<Self, Error> {
        check_method(&words.method)?;
        let url = Url::parse(words.url.as_bytes())?;
        let host = host_header(headers)?;
        // Where there is no upstream, the URL's own origin is as good.
        let origin = url.authority.as_ref().map(|url| match &host {
            Some(host) => host.clone().with_scheme(url.https).origin(),
            None => url.origin(),
        });
        let name = words.proxy.as_deref();
        let proxy = config::load_one(
            &words.flags,
            environment,
            name,
            origin.as_ref(),
            Checks::default(),
        )?;
        let mut notes = Vec::new();
        let authority = choose(&proxy, url.authority, host, &mut notes);
        let content = content::read(words, headers)?;
        let elsewhere = elsewhere(&proxy.upstream, &proxy.listen, &authority.origin());
        Ok(Self {
            method: words.method.clone(),
            authority,
            target: url.target,
            content,
            elsewhere,
            notes,
            proxy,
        })
    }

    /// What the core has to know.
    pub(super) fn sent(&self) -> Sent<'_> {
        let content = self.content.as_ref();
        let bytes = |wanted: bool| {
            content
                .filter(|content| content.is_form == wanted)
                .map(|content| &*content.bytes)
        };
        Sent {
            request: RequestToSign {
                method: &self.method,
                target: &self.target,
                form: bytes(true),
            },
            https: self.authority.https,
            host: &self.authority.host,
            port: self.authority.port,
            body: bytes(false),
            query_plus: self.proxy.signing.query_plus,
            elsewhere: &self.elsewhere,
        }
    }
}

/// A fault about the first protocol parameter in the query, or else in the form. Its value is not shown.
pub(super) fn misplaced(
    words: &RequestWords,
    sent: &Sent<'_>,
    problem: impl Into<String>,
) -> UsageFault {
    let (_, query) = sent.request.path_and_query();
    if let Some(at) = protocol_parameter_at(query) {
        // The query is the end of the URL, byte for byte.
        let start = words.url.len() - query.len();
        return UsageFault::hidden("URL", start + at, problem);
    }
    let form = sent.request.form.unwrap_or_default();
    let word = if words.data.is_empty() {
        "--data-binary"
    } else {
        "--data"
    };
    let at = protocol_parameter_at(form);
    UsageFault::hidden(word, at.unwrap_or_default(), problem)
}

/// Where the first parameter begins whose decoded name starts with `oauth_`, in a query or a form.
fn protocol_parameter_at(encoded: &[u8]) -> Option<usize> {
    let mut start = 0;
    for pair in encoded.split(|byte| *byte == b'&') {
        if parameter_names(pair).any(|name| name.starts_with("oauth_")) {
            return Some(start);
        }
        start += pair.len() + 1;
    }
    None
}

/// A method is a token (RFC 9110 §9.1).
fn check_method(method: &str) -> Result<(), UsageFault> {
    let wrong = |at, problem| UsageFault::shown("METHOD", method.as_bytes(), at, problem);
    match method.bytes().position(|byte| !is_token(byte)) {
        Some(at) => Err(wrong(at, "this byte can't be a part of a method")),
        None if method.is_empty() => Err(wrong(0, "there is no method")),
        None => Ok(()),
    }
}

/// The host that a `Host` header names, which then takes the place of the URL's (RFC 5849 §3.4.1.2), as if of a client of
/// the proxy: its scheme is not known here.
fn host_header(headers: &[Header<'_>]) -> Result<Option<Authority>, UsageFault> {
    let host = header::only(headers, "Host")?;
    host.map(|host| {
        let (start, end) = (host.value_at, host.value_at + host.value.len());
        Authority::parse(HEADER, host.word.as_bytes(), false, start, end)
    })
    .transpose()
}

/// What is signed for: the URL's own origin, but the upstream if that is the proxy's listener, or missing; with the host of
/// a `Host` header, if there is one.
fn choose(
    proxy: &ProxyConfig,
    url: Option<Authority>,
    host: Option<Authority>,
    notes: &mut Vec<String>,
) -> Authority {
    let (name, upstream) = (&proxy.name, &proxy.upstream);
    let listener = |origin: &Origin| {
        let mut listeners = proxy.listen.iter();
        listeners.find(|listener| is_listener(origin, listener))
    };
    let address = url.as_ref().map(Authority::origin);
    let address = address.and_then(|origin| Some((listener(&origin)?, origin)));
    let url = url.filter(|_| address.is_none());
    let base = url.unwrap_or_else(|| upstream.into());
    let https = base.https;
    // A client of the proxy names the listener there, and the proxy puts the upstream in its place.
    let host = host.filter(|host| address.is_none() || listener(&host.origin()).is_none());
    let signed = host.map_or(base, |host| host.with_scheme(https));
    let origin = signed.origin();
    if origin != *upstream {
        notes.push(format!(
            "what is signed is for {origin}, which is not the upstream of the proxy {name}, {upstream}"
        ));
    } else if let Some((listener, address)) = address {
        notes.push(format!(
            "{address} is the listener {listener} of the proxy {name}, whose requests go to {upstream}: that is what is signed"
        ));
    }
    signed
}

/// Whether a URL with this origin gets to the listener.
fn is_listener(origin: &Origin, listener: &ListenAddress) -> bool {
    let ListenAddress::Tcp(address) = listener else {
        return false;
    };
    let ip = address.ip();
    let reaches = match origin.host.parse::<IpAddr>() {
        Ok(host) => host == ip || (ip.is_unspecified() && host.is_loopback()),
        Err(_) => origin.host == "localhost" && (ip.is_loopback() || ip.is_unspecified()),
    };
    !origin.https && origin.port == address.port() && reaches
}

/// Each origin that the proxy goes by, but the one that is signed for.
fn elsewhere(upstream: &Origin, listeners: &[ListenAddress], signed: &Origin) -> Vec<String> {
    let mut origins = Vec::new();
    if upstream != signed {
        origins.push(upstream.to_string());
    }
    for listener in listeners {
        if let ListenAddress::Tcp(address) = listener {
            let ip = address.ip();
            let loopback: &[&str] = if ip.is_unspecified() {
                &["127.0.0.1", "::1"]
            } else {
                &[]
            };
            let hosts = [&*ip.to_string(), "localhost"];
            for host in hosts.iter().chain(loopback) {
                let origin = BaseUri::new(false, host, address.port());
                origins.push(origin.as_str().to_owned());
            }
        }
    }
    origins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_a_token() {
        for method in ["GET", "get", "M-SEARCH"] {
            assert_eq!(check_method(method), Ok(()), "{method}");
        }
        for (method, at) in [("", 0), ("G T", 1), ("GET\n", 3), ("\u{e9}", 0)] {
            let fault = check_method(method).unwrap_err().to_string();
            assert!(
                fault.starts_with(&format!("METHOD, byte {at}: ")),
                "{fault}"
            );
        }
    }

    #[test]
    fn a_listener_is_known_by_each_address_that_reaches_it() {
        let check = |url: &str, listener: &str, expected: bool| {
            let (origin, listener) = (url.parse().unwrap(), listener.parse().unwrap());
            assert_eq!(
                is_listener(&origin, &listener),
                expected,
                "{url} {listener}"
            );
        };
        check("http://127.0.0.1:8080", "127.0.0.1:8080", true);
        check("http://localhost:8080", "127.0.0.1:8080", true);
        check("http://localhost:8080", "[::1]:8080", true);
        check("http://[::1]:8080", "[::1]:8080", true);
        check("http://127.0.0.1:8080", "0.0.0.0:8080", true);
        check("https://127.0.0.1:8080", "127.0.0.1:8080", false);
        check("http://127.0.0.1:8081", "127.0.0.1:8080", false);
        check("http://127.0.0.1:8080", "127.0.0.2:8080", false);
        check("http://h.example:8080", "0.0.0.0:8080", false);
        check("http://localhost:8080", "unix:/a", false);
    }

    #[test]
    fn what_a_client_may_have_signed_for_is_each_way_to_the_listener() {
        let check = |listen: &str, expected: &[&str]| {
            let upstream = "https://up.example".parse().unwrap();
            let listeners = [listen.parse().unwrap()];
            assert_eq!(
                elsewhere(&upstream, &listeners, &upstream),
                expected,
                "{listen}"
            );
        };
        check("127.0.0.1:80", &["http://127.0.0.1", "http://localhost"]);
        check(
            "[::]:8080",
            &[
                "http://[::]:8080",
                "http://localhost:8080",
                "http://127.0.0.1:8080",
                "http://[::1]:8080",
            ],
        );
        check("unix:/a", &[]);
    }
}

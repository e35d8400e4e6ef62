//! What becomes of a head, whatever there is in it.

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;
use crate::{
    config::{AccessConfig, Limits, Timeouts, TlsConfig},
    oauth::{BaseUri, Credentials, Method, SigningOptions},
    wire::{Framing, Version, parse_request_line},
};

/// A field line as it arrives, and what becomes of it.
#[derive(Clone, Debug)]
enum Line {
    Kept(Vec<u8>),
    Dropped(&'static str),
    /// Named so.
    Host(&'static str),
}

proptest! {
    #[test]
    fn a_head_is_sent_as_it_came_but_for_what_is_one_connections_or_ours(
        name in method(),
        target in target(),
        lines in lines(),
        content in content(),
        method in select(vec![Method::HmacSha1, Method::HmacSha512, Method::Plaintext]),
    ) {
        prop_assume!(parse_request_line(format!("{name} {target} HTTP/1.1").as_bytes()).is_ok());
        let config = config(method);
        let origin = BaseUri::new(true, "example.com", 443);
        let signer = Signer::new(&config.credentials, &config.signing, origin);
        let prepared = Prepared::new(request(&name, &target, &lines), &config).unwrap();
        let signed = prepared.sign(&signer, 1_763_900_000, "nonce".into(), "example.com", &content);

        let (form, hash) = match &content {
            SignedContent::None => (None, None),
            SignedContent::Form(form) => (Some(&form[..]), None),
            SignedContent::Hash(hash) => (None, Some(("oauth_body_hash", hash.as_str()))),
        };
        let to_sign = RequestToSign {
            method: &name,
            target: target.as_bytes(),
            form,
        };
        let stamp = Stamp {
            timestamp: 1_763_900_000,
            nonce: "nonce".into(),
            extra: hash.as_slice(),
        };
        let mut expected = format!("{name} {target} HTTP/1.1\r\n").into_bytes();
        if !lines.iter().any(|line| matches!(line, Line::Host(_))) {
            expected.extend(b"Host: example.com\r\n");
        }
        for line in &lines {
            match line {
                Line::Kept(line) => expected.extend([line, &b"\r\n"[..]].concat()),
                Line::Dropped(_) => {}
                Line::Host(name) => expected.extend(format!("{name}: example.com\r\n").bytes()),
            }
        }
        expected.extend(b"Authorization: ");
        expected.extend(signer.sign(&to_sign, stamp));
        expected.extend(b"\r\n\r\n");
        prop_assert_eq!(signed.head.escape_ascii().to_string(), expected.escape_ascii().to_string());
        prop_assert_eq!(signed.to_head, name == "HEAD");
    }
}

fn request(method: &str, target: &str, lines: &[Line]) -> RequestHead {
    let mut section = Vec::new();
    for line in lines {
        match line {
            Line::Kept(line) => section.extend(line),
            Line::Dropped(line) => section.extend(line.bytes()),
            Line::Host(name) => section.extend(format!("{name}:localhost:8080 ").bytes()),
        }
        section.extend(b"\r\n");
    }
    RequestHead {
        method: Bytes::copy_from_slice(method.as_bytes()),
        target: Bytes::copy_from_slice(target.as_bytes()),
        authority: None,
        version: Version::Http11,
        fields: Fields::parse(section.into()).unwrap(),
        framing: Framing::None,
        expects_continue: false,
    }
}

fn config(method: Method) -> ProxyConfig {
    ProxyConfig {
        name: "p".into(),
        listen: Vec::new(),
        allow_nonlocal_listen: false,
        upstream: "https://example.com".parse().unwrap(),
        allow_plaintext_upstream: false,
        credentials: Credentials {
            consumer_key: "key".to_owned(),
            consumer_secret: "secret".into(),
            token: None,
            token_secret: "".into(),
        },
        consumer_secret_source: None,
        token_secret_source: None,
        signing: SigningOptions {
            method,
            ..SigningOptions::default()
        },
        private_key_file: None,
        inbound_authorization: InboundAuthorization::Replace,
        passthrough_headers: Vec::new(),
        tls: TlsConfig::default(),
        access: AccessConfig::default(),
        timeouts: Timeouts::default(),
        limits: Limits::default(),
    }
}

fn method() -> impl Strategy<Value = String> {
    let common = select(vec!["GET", "HEAD", "POST", "OPTIONS", "get"]).prop_map(str::to_owned);
    prop_oneof![common, "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}"]
}

/// Targets of which most are accepted.
fn target() -> impl Strategy<Value = String> {
    let telling = "[aZ09/?&=+%;:@!$'()*,.~_-]{0,20}";
    let any = r"[^\x00-\x20\x7f\x22#<>^`|]{0,20}";
    (telling, any, telling).prop_map(|(a, b, c)| format!("/{a}{b}{c}"))
}

fn content() -> impl Strategy<Value = SignedContent> {
    prop_oneof![
        Just(()).prop_map(|()| SignedContent::None),
        vec(any::<u8>(), 0..40).prop_map(|form| SignedContent::Form(form.into())),
        "[a-z+/=]{0,28}".prop_map(SignedContent::Hash),
    ]
}

/// Lines among which there is at most one `Host`.
fn lines() -> impl Strategy<Value = Vec<Line>> {
    let value_byte = prop_oneof![4 => b' '..=b'~', 1 => 0x80_u8.., 1 => Just(b'\t')];
    // No other field's name starts like these.
    let kept = (
        "[xX]-[!#$%&'*+.^_`|~0-9A-Za-z-]{0,9}",
        vec(value_byte, 0..20),
    )
        .prop_map(|(name, value)| Line::Kept([name.as_bytes(), b":", &value].concat()));
    let known = select(vec![
        "Content-Type: application/x-www-form-urlencoded",
        "content-length:0",
        "Accept: */*",
        "Accept: text/html ",
        "Cookie: a=b",
    ]);
    let dropped = select(vec![
        "Authorization: Basic YTpi",
        "authorization:OAuth oauth_token=\"t\"",
        "AUTHORIZATION: ",
        "Connection: keep-alive, dropped",
        "Dropped: 1",
        "TE: trailers",
        "Proxy-Authorization: Basic YTpi",
    ]);
    let line = prop_oneof![
        4 => kept,
        2 => known.prop_map(|line| Line::Kept(line.into())),
        2 => dropped.prop_map(Line::Dropped),
    ];
    let host = option::of((
        any::<prop::sample::Index>(),
        select(vec!["Host", "host", "hOST"]),
    ));
    (vec(line, 0..12), host).prop_map(|(mut lines, host)| {
        // Only with it does a field that it names concern one connection.
        lines.push(Line::Dropped("Connection: dropped"));
        if let Some((at, name)) = host {
            lines.insert(at.index(lines.len() + 1), Line::Host(name));
        }
        lines
    })
}

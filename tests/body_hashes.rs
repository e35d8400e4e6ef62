//! `body_hash`: content that is no form is signed by its digest.

mod support;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use sha1::{Digest as _, Sha1};
use sha2::{Sha256, Sha512};
use support::{
    bench::{Bench, Exchange, MALFORMED, Then::Close},
    request::{FORM, get, post},
};
use undersign::oauth::{Method, SigningOptions};

fn bench(method: Method) -> Bench {
    let options = SigningOptions {
        method,
        body_hash: true,
        ..SigningOptions::default()
    };
    Bench::with(|setup| {
        setup
            .signing(options)
            .table("limits", "form_bytes = '1KiB'")
            .keys("passthrough_headers = ['APS-Token']")
    })
}

/// The `oauth_body_hash` of a request whose signature the bench has verified.
fn hash(exchange: &Exchange) -> Option<String> {
    let field = exchange.request.head.only("authorization");
    let (_, rest) = field.split_once("oauth_body_hash=\"")?;
    let (hash, _) = rest.split_once('"')?;
    Some(
        hash.replace("%2B", "+")
            .replace("%2F", "/")
            .replace("%3D", "="),
    )
}

#[test]
fn content_is_hashed_as_it_is_sent_with_the_hash_of_the_method() {
    type Digest = fn(&[u8]) -> Vec<u8>;
    let methods: [(Method, Digest); 3] = [
        (Method::HmacSha1, |content| Sha1::digest(content).to_vec()),
        (Method::HmacSha256, |content| {
            Sha256::digest(content).to_vec()
        }),
        (Method::HmacSha512, |content| {
            Sha512::digest(content).to_vec()
        }),
    ];
    for (method, digest) in methods {
        let bench = bench(method);
        for fields in [
            "",
            "Content-Type: application/json\r\n",
            "Content-Type: multipart/form-data; boundary=x\r\n",
            "Content-Type: text/plain\r\nContent-Encoding: gzip\r\n",
            "Content-Type: application/x-www-form-urlencoded2\r\n",
        ] {
            for content in ["Hello World!", "", "{\"a\": \"caf\u{e9}\"}", "a=b&c=d"] {
                let exchange = bench.forwarded(post(fields, content));
                assert_eq!(exchange.request.body, content.as_bytes());
                let expected = BASE64.encode(digest(content.as_bytes()));
                assert_eq!(hash(&exchange), Some(expected), "{fields:?} {content:?}");
            }
        }
        let chunked = "PUT /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n7\r\n World!\r\n0\r\n\r\n";
        let expected = BASE64.encode(digest(b"Hello World!"));
        assert_eq!(hash(&bench.forwarded(chunked)), Some(expected));
        bench.finish();
    }
}

#[test]
fn a_request_without_content_is_signed_with_the_hash_of_nothing() {
    let bench = bench(Method::HmacSha1);
    for request in [
        get("/a?b=c"),
        "HEAD /a HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
        "DELETE /a HTTP/1.0\r\nHost: localhost\r\n\r\n".to_owned(),
    ] {
        let exchange = bench.forwarded(request);
        assert_eq!(
            hash(&exchange).as_deref(),
            Some("2jmj7l5rSw0yVb/vlWAYkK/YBwk=")
        );
        assert!(!exchange.request.head.has("content-length"));
        assert!(!exchange.request.head.has("transfer-encoding"));
    }
    bench.finish();
}

#[test]
fn neither_a_form_nor_what_passes_unsigned_is_hashed() {
    let bench = bench(Method::HmacSha1);
    assert_eq!(hash(&bench.forwarded(post(FORM, "a=b&c=d"))), None);
    let exchange = bench.forwarded(post("APS-Token: t\r\n", &"a".repeat(100_000)));
    assert_eq!(exchange.record["oauth.signed"], false);
    assert!(!exchange.request.head.has("authorization"));
    bench.finish();
}

#[test]
fn content_too_long_to_be_held_is_refused() {
    let bench = bench(Method::HmacSha1);
    let fits = "a".repeat(1024);
    bench.forwarded(post("", &fits));
    for content in [format!("{fits}a"), "a".repeat(1_000_000)] {
        let refused = bench.refused(post("", &content), 413, MALFORMED, Close);
        let detail = refused.problem["detail"].as_str().unwrap();
        assert!(
            detail.contains("form_bytes") && detail.contains("body_hash"),
            "{detail}"
        );
    }
    let chunked =
        "POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n401\r\n";
    bench.refused(
        format!("{chunked}{fits}a\r\n0\r\n\r\n"),
        413,
        MALFORMED,
        Close,
    );
    bench.finish();
}

#[test]
fn a_client_that_waits_to_be_told_to_send_is_told() {
    let bench = bench(Method::HmacSha1);
    let mut client = bench.daemon.connect();
    client.send(
        "POST /a HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 12\r\n\r\n",
    );
    assert_eq!(
        client.response_head().first_line(),
        b"HTTP/1.1 100 Continue"
    );
    client.send("Hello World!");
    let exchange = bench.answered(&mut client, false);
    assert_eq!(
        hash(&exchange).as_deref(),
        Some("Lve95gjOVATpfV8EL5X4nxwjKHE=")
    );
    bench.finish();
}

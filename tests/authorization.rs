//! `Authorization` fields that clients bring along, and requests that are not to be signed.

mod support;

use support::{
    bench::{
        Bench, DENIED, GOOD, MALFORMED,
        Then::{Close, Keep},
    },
    request::{FORM, get_with, post, post_form, request},
    setup::random_text,
};

/// `Authorization` fields that a client may bring along.
const INBOUND: [&str; 8] = [
    "Authorization: Basic eA==\r\n",
    "authorization: Bearer xyz\r\n",
    "AUTHORIZATION:\r\n",
    "Authorization: OAuth oauth_consumer_key=\"k\", oauth_signature=\"s\"\r\n",
    "Authorization: caf\u{e9}\r\n",
    "Authorization: a\r\nAuthorization: b\r\n",
    "Authorization: a\r\nX: y\r\nauthorization: b\r\n",
    "Authorization: Basic eA==, Bearer x\r\n",
];

#[test]
fn an_authorization_of_the_clients_is_replaced() {
    let bench = Bench::new();
    for fields in INBOUND {
        for also in ["", "Connection: authorization\r\n"] {
            let exchange = bench.forwarded(get_with(&format!("{fields}{also}")));
            assert_eq!(exchange.request.head.all("authorization").len(), 1);
            assert!(
                exchange
                    .request
                    .head
                    .only("authorization")
                    .starts_with("OAuth ")
            );
            assert_eq!(exchange.record["oauth.signed"], true);
        }
    }
    bench.finish();
}

#[test]
fn an_authorization_of_the_clients_is_refused_if_it_is_to_be() {
    let bench = Bench::with(|setup| setup.keys("inbound_authorization = 'reject'"));
    for fields in INBOUND {
        // That Connection names it makes it no other field.
        for also in ["", "Connection: authorization\r\n"] {
            for fields in [format!("{fields}{also}"), format!("{also}{fields}")] {
                let refused = bench.refused(get_with(&fields), 403, DENIED, Keep);
                assert_eq!(refused.record["oauth.signed"], false);
                let shown = format!("{} {}", refused.problem, refused.record);
                assert!(!shown.contains("eA==") && !shown.contains("xyz"), "{shown}");
            }
        }
    }
    let named = "Connection: close, AUTHORIZATION\r\nAuthorization: Basic eA==\r\n";
    bench.refused(get_with(named), 403, DENIED, Close);
    bench.forwarded(GOOD);
    bench.forwarded(get_with("X-Authorization: x\r\n"));
    bench.finish();
}

#[test]
fn an_authorization_of_the_clients_is_kept_if_it_is_to_be_and_nothing_is_signed() {
    let bench = Bench::with(|setup| setup.keys("inbound_authorization = 'keep'"));
    for fields in INBOUND {
        if fields
            .to_ascii_lowercase()
            .matches("authorization:")
            .count()
            > 1
        {
            bench.refused(get_with(fields), 400, MALFORMED, Close);
            continue;
        }
        let exchange = bench.forwarded(get_with(fields));
        let lines = exchange.request.head.field_lines();
        assert!(lines.contains(&fields.trim_end().as_bytes()), "{fields:?}");
        assert_eq!(exchange.request.head.all("authorization").len(), 1);
        assert_eq!(exchange.record["oauth.signed"], false);
    }
    // What is signed by the client may have its parameters anywhere.
    let kept = "Authorization: OAuth realm=\"x\"\r\n";
    let request = format!("GET /?oauth_token=x HTTP/1.1\r\nHost: localhost\r\n{kept}\r\n");
    bench.forwarded(request);
    bench.forwarded(post(
        &format!("{kept}{FORM}Content-Encoding: gzip\r\n"),
        "oauth_token=x",
    ));
    // Without one, the proxy signs.
    let exchange = bench.forwarded(GOOD);
    assert_eq!(exchange.record["oauth.signed"], true);
    // One that Connection names is not kept.
    let exchange = bench.forwarded(get_with(
        "Connection: authorization\r\nAuthorization: x\r\n",
    ));
    assert_eq!(exchange.record["oauth.signed"], true);
    bench.finish();
}

#[test]
fn a_request_with_a_header_that_passes_through_is_not_signed() {
    let bench = Bench::with(|setup| setup.keys("passthrough_headers = ['APS-Token', 'X-Api-Key']"));
    for fields in [
        "APS-Token: t\r\n",
        "aps-token:t\r\n",
        "APS-TOKEN:\r\n",
        "x-api-key: k\r\nA: b\r\n",
    ] {
        let exchange = bench.forwarded(get_with(fields));
        assert!(!exchange.request.head.has("authorization"), "{fields:?}");
        assert_eq!(exchange.record["oauth.signed"], false);
    }
    // Its own Authorization stays as it is.
    let exchange = bench.forwarded(get_with("APS-Token: t\r\nAuthorization: Basic eA==\r\n"));
    assert_eq!(exchange.request.head.only("authorization"), "Basic eA==");
    let two = "APS-Token: t\r\nAuthorization: a\r\nAuthorization: b\r\n";
    bench.refused(get_with(two), 400, MALFORMED, Close);
    // A form is none of ours then, whatever its length and coding.
    let fields = format!("APS-Token: t\r\n{FORM}Content-Encoding: gzip\r\n");
    let content = "oauth_token=x&".repeat(100_000);
    assert_eq!(
        bench.forwarded(post(&fields, &content)).request.body,
        content.as_bytes()
    );
    // A header that Connection names does not reach the upstream, which would refuse the request.
    for fields in [
        "X-APS-Token: t\r\n",
        "Connection: aps-token\r\nAPS-Token: t\r\n",
    ] {
        assert_eq!(
            bench.forwarded(get_with(fields)).record["oauth.signed"],
            true,
            "{fields:?}"
        );
    }
    bench.finish();
}

#[test]
fn the_value_of_a_protocol_parameter_stands_nowhere_in_the_log_be_it_refused_or_forwarded() {
    let sentinel = format!("S3NTINEL{}", random_text(20));
    let queries = [
        "oauth_signature=",
        "%6Fauth_signature=",
        "oauth%5fsignature=",
        "oauth_signature%3D",
        "oauth_signature%3d%22",
    ]
    .map(|name| format!("a=b&{name}{sentinel}&c=d"));
    let bench = Bench::new();
    for query in &queries {
        let request = request("GET", &format!("/?{query}"));
        let refused = bench.refused(request, 400, MALFORMED, Close);
        let shown = format!("{} {:?}", refused.problem, refused.response.head);
        assert!(!shown.contains(&sentinel), "{shown}");
        // The rest is there.
        let logged = refused.record["url.query"].as_str().unwrap();
        assert!(logged.starts_with("a=b&") && logged.ends_with("&c=d"));
        bench.refused(post_form("/", query), 400, MALFORMED, Close);
    }
    let log = bench.daemon.log().clone();
    bench.finish();
    let lines = log.lines().join("\n");
    assert!(!lines.contains(&sentinel), "{lines}");

    let bench = Bench::with(|setup| setup.keys("inbound_authorization = 'keep'"));
    for query in &queries {
        let fields = "Host: localhost\r\nAuthorization: OAuth realm=\"x\"\r\n";
        let request = format!("GET /?{query} HTTP/1.1\r\n{fields}\r\n");
        let exchange = bench.forwarded(request);
        assert_eq!(exchange.request.target(), format!("/?{query}").as_bytes());
        assert_eq!(exchange.record["oauth.signed"], false);
    }
    let log = bench.daemon.log().clone();
    bench.finish();
    let lines = log.lines().join("\n");
    assert!(!lines.contains(&sentinel), "{lines}");
}

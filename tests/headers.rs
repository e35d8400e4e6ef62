//! Header fields: what concerns one connection goes, all else passes as it came, and one signature goes out.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what a test needs fails by panicking, outside of its function too"
)]

mod support;

use support::bench::{
    Bench, Exchange, GOOD,
    Then::{Close, Keep},
};

const MALFORMED: &str = "http_request_error";
const DENIED: &str = "http_request_denied";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

fn get(fields: &str) -> String {
    format!("GET /a HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")
}

fn post(fields: &str, content: &str) -> String {
    let length = content.len();
    format!(
        "POST /a HTTP/1.1\r\nHost: localhost\r\n{fields}Content-Length: {length}\r\n\r\n{content}"
    )
}

/// The field lines that reached the upstream, without `Host` and the signature.
fn passed(exchange: &Exchange) -> Vec<String> {
    let lines = exchange.request.head.field_lines().into_iter();
    lines
        .map(|line| line.escape_ascii().to_string())
        .filter(|line| !line.starts_with("Host: ") && !line.starts_with("Authorization: OAuth "))
        .collect()
}

#[test]
fn hop_by_hop_fields_go_with_all_that_connection_names() {
    let bench = Bench::new();
    let table: [(&str, &[&str]); 26] = [
        ("Connection: keep-alive\r\n", &[]),
        ("Keep-Alive: timeout=5\r\nA: 1\r\n", &["A: 1"]),
        ("Proxy-Authorization: Basic eA==\r\n", &[]),
        ("Proxy-Connection: keep-alive\r\n", &[]),
        ("TE: trailers, deflate\r\n", &[]),
        ("te:trailers\r\n", &[]),
        (
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
            &["Sec-WebSocket-Version: 13"],
        ),
        ("Upgrade: h2c\r\n", &[]),
        (
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
            &[],
        ),
        ("HTTP2-Settings: AAMAAABkAAQAAP__\r\n", &[]),
        ("Connection: x-a\r\nX-A: 1\r\nX-B: 2\r\n", &["X-B: 2"]),
        ("X-A: 1\r\nConnection: X-A\r\nx-a: 2\r\n", &[]),
        (
            "Connection: x-a, x-b\r\nX-A: 1\r\nX-B: 2\r\nX-C: 3\r\n",
            &["X-C: 3"],
        ),
        (
            "Connection: x-a\r\nX-A: 1\r\nX-B: 2\r\nConnection: x-b\r\n",
            &[],
        ),
        (
            "cOnNeCtIoN: x-a\r\nCONNECTION:x-b\r\nX-A: 1\r\nX-B: 2\r\n",
            &[],
        ),
        ("Connection: , ,x-a,,\t x-b ,\r\nX-A: 1\r\nX-B: 2\r\n", &[]),
        ("Connection:\r\nX-A: 1\r\n", &["X-A: 1"]),
        ("Connection: x\r\nX-A: 1\r\n", &["X-A: 1"]),
        ("Connection: connection\r\nX-A: 1\r\n", &["X-A: 1"]),
        ("Connection: keep-alive, x-a\r\nX-A: 1\r\n", &[]),
        (
            "Connection: x-forwarded-for\r\nX-Forwarded-For: 192.0.2.1\r\n",
            &[],
        ),
        ("Connection: cookie\r\nCookie: a=b\r\n", &[]),
        ("Connection: authorization\r\n", &[]),
        (
            "Connection: Authorization, host\r\nAuthorization: Basic eA==\r\n",
            &[],
        ),
        (
            "Trailer: X-Sum\r\nVia: 1.1 a\r\nProxy-Authenticate: x\r\n",
            &["Trailer: X-Sum", "Via: 1.1 a", "Proxy-Authenticate: x"],
        ),
        ("Expect:\r\nX-A: 1\r\n", &["Expect:", "X-A: 1"]),
    ];
    for (fields, left) in table {
        let exchange = bench.forwarded(get(fields));
        assert_eq!(passed(&exchange), left, "{fields:?}");
        assert_eq!(exchange.request.head.all("authorization").len(), 1);
        assert_eq!(exchange.record["oauth.signed"], true);
        assert_eq!(exchange.response.status, 200);
    }
    bench.finish();
}

#[test]
fn connection_can_not_take_the_framing_away() {
    let bench = Bench::new();
    for fields in [
        "Connection: content-length\r\nContent-Length: 5\r\n\r\nhello",
        "Connection: close, Content-Length\r\nContent-Length: 5\r\n\r\nhello",
        "Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "Connection: content-length, transfer-encoding, host, connection\r\nContent-Length: 5\r\n\r\nhello",
    ] {
        let request = format!("POST / HTTP/1.1\r\nHost: localhost\r\n{fields}");
        assert_eq!(bench.forwarded(request).request.body, b"hello");
    }
    bench.finish();
}

#[test]
fn everything_else_passes_byte_for_byte_and_in_order() {
    let bench = Bench::new();
    let long = format!("X-Long: {}\r\n", "v".repeat(30_000));
    let sections: [&[u8]; 14] = [
        b"",
        b"a: 1\r\nB: 2\r\nc-C: 3\r\nD_d: 4\r\n",
        b"X-Case: a\r\nx-case: b\r\nX-CASE: c\r\n",
        b"A: 1\r\nB: 2\r\nA: 3\r\nC: 4\r\nb: 5\r\nA: 6\r\n",
        b"A:no space\r\nB:  two\r\nC:\ttab\r\nD: behind \t \r\nE:\r\nF: \r\n",
        b"Obs: caf\xe9 \x80\xff\r\nUtf8: caf\xc3\xa9\r\n",
        b"Quoted: \"a, b\\\"\"; c='d'\r\nTab: a\tb\r\n",
        b"!#$%&'*+-.^_`|~: odd\r\n0: digit\r\n",
        b"User-Agent: curl/8\r\nAccept: */*\r\nAccept-Encoding: gzip, br\r\nReferer: http://a/\r\n",
        b"Cookie: a=b\r\nCookie: c=d\r\n",
        b"APS-Transaction-ID: x\r\naps-resource-id: y\r\nAPS-Token: z\r\nAPS-Info: k=v\r\n",
        b"X-Authorization: mine\r\nAuthorizations: x\r\nAuthentication: y\r\nHosts: z\r\n",
        b"Date: x\r\nServer: y\r\nVia: 1.0 a\r\nMax-Forwards: 0\r\nX-Forwarded-For: 192.0.2.1\r\n",
        long.as_bytes(),
    ];
    for section in sections {
        let request = [b"GET /a HTTP/1.1\r\nHost: localhost\r\n", section, b"\r\n"].concat();
        let exchange = bench.forwarded(request);
        // Only the value of Host is replaced, and the signature added.
        let host = bench.upstream.authority();
        let expected = [
            b"GET /a HTTP/1.1\r\nHost: ",
            host.as_bytes(),
            b"\r\n",
            section,
        ]
        .concat();
        let raw = &exchange.request.head.raw;
        let (kept, added) = raw.split_at(expected.len());
        assert_eq!(
            kept.escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );
        assert!(
            added.starts_with(b"Authorization: OAuth "),
            "{}",
            added.escape_ascii()
        );
        let lines = added.split(|byte| *byte == b'\n').count();
        assert_eq!(lines, 3, "{}", added.escape_ascii());
    }
    bench.finish();
}

#[test]
fn host_is_the_upstreams_wherever_it_stands() {
    let bench = Bench::new();
    let host = bench.upstream.authority();
    let exchange = bench.forwarded("GET /a HTTP/1.1\r\nA: 1\r\nhOsT:  localhost \r\nB: 2\r\n\r\n");
    let lines = exchange.request.head.field_lines();
    assert_eq!(lines[0], b"A: 1");
    assert_eq!(lines[1], format!("hOsT: {host}").as_bytes());
    assert_eq!(lines[2], b"B: 2");
    let exchange = bench.forwarded("GET /a HTTP/1.0\r\nA: 1\r\n\r\n");
    let lines = exchange.request.head.field_lines();
    assert!(lines.contains(&format!("Host: {host}").as_bytes()));
    assert!(lines.contains(&b"A: 1".as_slice()));
    bench.finish();
}

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
            let exchange = bench.forwarded(get(&format!("{fields}{also}")));
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
        let refused = bench.refused(get(fields), 403, DENIED, Keep);
        assert_eq!(refused.record["oauth.signed"], false);
        let shown = format!("{} {}", refused.problem, refused.record);
        assert!(!shown.contains("eA==") && !shown.contains("xyz"), "{shown}");
    }
    bench.forwarded(GOOD);
    bench.forwarded(get("X-Authorization: x\r\n"));
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
            bench.refused(get(fields), 400, MALFORMED, Close);
            continue;
        }
        let exchange = bench.forwarded(get(fields));
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
    let exchange = bench.forwarded(get("Connection: authorization\r\nAuthorization: x\r\n"));
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
        let exchange = bench.forwarded(get(fields));
        assert!(!exchange.request.head.has("authorization"), "{fields:?}");
        assert_eq!(exchange.record["oauth.signed"], false);
    }
    // Its own Authorization stays as it is.
    let exchange = bench.forwarded(get("APS-Token: t\r\nAuthorization: Basic eA==\r\n"));
    assert_eq!(exchange.request.head.only("authorization"), "Basic eA==");
    let two = "APS-Token: t\r\nAuthorization: a\r\nAuthorization: b\r\n";
    bench.refused(get(two), 400, MALFORMED, Close);
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
            bench.forwarded(get(fields)).record["oauth.signed"],
            true,
            "{fields:?}"
        );
    }
    bench.finish();
}

#[test]
fn the_parameters_of_a_form_are_signed_whatever_the_spelling_of_its_media_type() {
    let bench = Bench::new();
    for content_type in [
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=UTF-8",
        "application/x-www-form-urlencoded;charset=iso-8859-1",
        "application/x-www-form-urlencoded ; x",
        "Application/X-WWW-Form-URLEncoded",
        "APPLICATION/X-WWW-FORM-URLENCODED;a=b;c=d",
        "application/x-www-form-urlencoded;",
    ] {
        for content in [
            "a=b&c=d+e&f=%20",
            "",
            "a",
            "&&",
            "=&=",
            "caf\u{e9}=1;2",
            "%zz=%",
        ] {
            let exchange =
                bench.forwarded(post(&format!("Content-Type: {content_type}\r\n"), content));
            assert_eq!(exchange.request.body, content.as_bytes());
            let content_types = exchange.request.head.all("content-type");
            assert_eq!(content_types, [content_type.as_bytes()]);
        }
    }
    // Chunked ones as well, and with any method.
    for method in ["POST", "PUT", "GET", "DELETE"] {
        let request = format!(
            "{method} /a HTTP/1.1\r\nHost: localhost\r\n{FORM}Transfer-Encoding: chunked\r\n\r\n2\r\na=\r\n1\r\nb\r\n0\r\n\r\n"
        );
        assert_eq!(bench.forwarded(request).request.body, b"a=b");
    }
    bench.finish();
}

#[test]
fn content_that_is_no_form_streams_and_takes_no_part_in_the_signature() {
    let bench = Bench::new();
    let binary: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
    for fields in [
        "",
        "Content-Type: application/json\r\n",
        "Content-Type: application/octet-stream\r\nContent-Encoding: gzip\r\n",
        "Content-Type: multipart/form-data; boundary=x\r\n",
        "Content-Type: multipart/mixed; boundary=\"application/x-www-form-urlencoded\"\r\n",
        "Content-Type: application/x-www-form-urlencoded2\r\n",
        "Content-Type: text/plain; application/x-www-form-urlencoded\r\n",
        "Content-Type:\r\n",
    ] {
        let head = format!(
            "POST /a HTTP/1.1\r\nHost: localhost\r\n{fields}Content-Length: {}\r\n\r\n",
            binary.len()
        );
        let mut request = head.into_bytes();
        request.extend_from_slice(&binary);
        // Bench verifies the signature without the content unless the type begins like a form's.
        let mut client = bench.daemon.connect();
        client.send(&request);
        let exchange = bench.answered(&mut client, false);
        assert!(exchange.request.body == binary, "{fields:?}");
    }
    bench.finish();
}

#[test]
fn a_form_that_can_not_be_read_or_held_is_refused() {
    let bench = Bench::with(|setup| setup.table("limits", "form_bytes = '1KiB'"));
    for coding in [
        "gzip",
        "GZIP",
        "br",
        "deflate",
        "x-unknown",
        "identity, gzip",
        "gzip, identity",
    ] {
        let fields = format!("{FORM}Content-Encoding: {coding}\r\n");
        bench.refused(post(&fields, "a=b"), 415, MALFORMED, Close);
    }
    for fields in [
        format!("{FORM}Content-Encoding: identity\r\n"),
        format!("{FORM}Content-Encoding:\r\n"),
        format!("{FORM}Content-Language: gzip\r\n"),
    ] {
        bench.forwarded(post(&fields, "a=b"));
    }
    let fits = "a".repeat(1024);
    bench.forwarded(post(FORM, &fits));
    for content in [
        "a".repeat(1025),
        "a".repeat(100_000),
        "a=b&".repeat(1_000_000),
    ] {
        let refused = bench.refused(post(FORM, &content), 413, MALFORMED, Close);
        assert!(
            refused.problem["detail"]
                .as_str()
                .unwrap()
                .contains("form_bytes")
        );
    }
    let chunked =
        format!("POST /a HTTP/1.1\r\nHost: localhost\r\n{FORM}Transfer-Encoding: chunked\r\n\r\n");
    bench.forwarded(format!("{chunked}400\r\n{fits}\r\n0\r\n\r\n"));
    bench.refused(
        format!("{chunked}401\r\n{fits}a\r\n0\r\n\r\n"),
        413,
        MALFORMED,
        Close,
    );
    bench.refused(
        format!("{chunked}FFFFFFFFFFFF\r\n{}", "a".repeat(100_000)),
        413,
        MALFORMED,
        Close,
    );
    for types in [
        format!("{FORM}Content-Type: application/json\r\n"),
        format!("Content-Type: text/plain\r\n{FORM}"),
        format!("{FORM}{FORM}"),
    ] {
        bench.refused(post(&types, "a=b"), 400, MALFORMED, Close);
    }
    // No form, no limit.
    bench.forwarded(post("Content-Type: text/plain\r\n", &"a".repeat(100_000)));
    bench.finish();
}

#[test]
fn the_answer_is_the_upstreams_own() {
    let bench = Bench::new();
    let exchange = bench.forwarded(GOOD);
    let lines: Vec<String> = exchange
        .response
        .head
        .field_lines()
        .into_iter()
        .map(|line| line.escape_ascii().to_string())
        .collect();
    assert_eq!(
        lines,
        [
            "X-Upstream: recorder",
            "Content-Type: text/plain",
            "Content-Length: 2"
        ]
    );
    bench.finish();
}

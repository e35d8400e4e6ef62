//! Header fields: what concerns one connection goes, and all else passes as it came.

mod support;

use support::{
    bench::{Bench, Exchange, GOOD},
    request::get_with,
};

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
        let exchange = bench.forwarded(get_with(fields));
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

//! The chunked coding: what is broken in it, and what of it is passed on.

mod support;

use support::{
    bench::{Bench, GOOD, MALFORMED, Then::Close},
    client::Client,
    request::{SMUGGLED, post_raw},
};

/// Checks that a request with broken content is refused, and harms no other.
#[track_caller]
fn check_broken(bench: &Bench, client: &mut Client) {
    let refused = bench.refusal(client, false, 400, MALFORMED, Close);
    assert_eq!(refused.record["url.path"], "/upload");
    bench.forwarded(GOOD);
}

/// Checks that the upstream took none of the broken requests for a whole one.
#[track_caller]
fn finish_broken(bench: Bench) {
    for request in bench.finish_with_broken() {
        assert_eq!(request.target(), b"/upload");
        assert!(!request.body.ends_with(b"0\r\n\r\n"), "{request:?}");
    }
}

const BAD_CHUNKS: [&str; 30] = [
    "0x3\r\nabc\r\n0\r\n\r\n",
    "+3\r\nabc\r\n0\r\n\r\n",
    "-3\r\nabc\r\n0\r\n\r\n",
    " 3\r\nabc\r\n0\r\n\r\n",
    "3 \r\nabc\r\n0\r\n\r\n",
    "3\t\r\nabc\r\n0\r\n\r\n",
    "\r\nabc\r\n0\r\n\r\n",
    ";x=y\r\nabc\r\n0\r\n\r\n",
    "g\r\nabc\r\n0\r\n\r\n",
    "3_\r\nabc\r\n0\r\n\r\n",
    "3,\r\nabc\r\n0\r\n\r\n",
    "3\0\r\nabc\r\n0\r\n\r\n",
    "10000000000000003\r\nabc\r\n0\r\n\r\n",
    "00000000000000003\r\nabc\r\n0\r\n\r\n",
    "FFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n",
    "3\nabc\r\n0\r\n\r\n",
    "3\rabc\r\n0\r\n\r\n",
    "3\r\nabcd\r\n0\r\n\r\n",
    "3\r\nabc\n0\r\n\r\n",
    "3\r\nabc\r0\r\n\r\n",
    "3\r\nabc0\r\n\r\n",
    "3\r\nab\r\n0\r\n\r\n",
    "3;a\nb\r\nabc\r\n0\r\n\r\n",
    "3;a\x01\r\nabc\r\n0\r\n\r\n",
    "3;a\rb\r\nabc\r\n0\r\n\r\n",
    "3\r\nabc\r\n0\r\nA : b\r\n\r\n",
    "3\r\nabc\r\n0\r\nno colon\r\n\r\n",
    "3\r\nabc\r\n0\r\nA: b\n\r\n",
    "3\r\nabc\r\n0\r\nA: b\r\n c\r\n\r\n",
    "3\r\nabc\r\n0\r\n\n",
];

#[test]
fn a_broken_chunk_ends_the_request_on_both_sides() {
    let bench = Bench::new();
    for content in BAD_CHUNKS {
        let content = format!("{content}{SMUGGLED}");
        let request = post_raw("Transfer-Encoding: chunked\r\n", &content);
        let mut client = bench.daemon.connect();
        client.send(&request);
        check_broken(&bench, &mut client);
    }
    finish_broken(bench);
}

#[test]
fn a_chunk_that_is_broken_later_on_ends_the_request_on_both_sides() {
    let bench = Bench::new();
    for content in BAD_CHUNKS {
        let begun = bench.upstream.begun();
        let mut client = bench.daemon.connect();
        client.send(post_raw("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"));
        bench.upstream.wait_until_begun(begun + 1);
        client.send(content);
        check_broken(&bench, &mut client);
    }
    finish_broken(bench);
}

#[test]
fn a_form_with_a_broken_chunk_is_refused_before_anything_is_sent() {
    let bench = Bench::new();
    for content in BAD_CHUNKS {
        let fields =
            "Transfer-Encoding: chunked\r\nContent-Type: application/x-www-form-urlencoded\r\n";
        let request = post_raw(fields, &format!("{content}{SMUGGLED}"));
        bench.refused(request, 400, MALFORMED, Close);
    }
    bench.finish();
}

#[test]
fn content_that_ends_too_early_is_never_forwarded_as_whole() {
    let bench = Bench::new();
    for request in [
        post_raw("Content-Length: 10\r\n", "hello"),
        post_raw("Content-Length: 10\r\n", ""),
        post_raw("Transfer-Encoding: chunked\r\n", ""),
        post_raw("Transfer-Encoding: chunked\r\n", "5"),
        post_raw("Transfer-Encoding: chunked\r\n", "5\r\nhel"),
        post_raw("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"),
        post_raw("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0"),
        post_raw("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n"),
        post_raw(
            "Transfer-Encoding: chunked\r\n",
            "5\r\nhello\r\n0\r\nA: b\r\n",
        ),
    ] {
        let mut client = bench.daemon.connect();
        client.send(&request);
        client.finish();
        // Whether it is told so or not, the client is not left waiting.
        let (answer, _) = client.rest();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400 "),
            "{answer}"
        );
        let record = bench.record();
        assert_ne!(record["error.type"], serde_json::Value::Null, "{record:#}");
        bench.forwarded(GOOD);
    }
    finish_broken(bench);
}

#[test]
fn chunks_arrive_whole_without_their_extensions() {
    let bench = Bench::new();
    let table = [
        ("0\r\n\r\n", ""),
        ("5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("05\r\nhello\r\n000\r\n\r\n", "hello"),
        (
            "a\r\n0123456789\r\nA\r\nabcdefghij\r\n0\r\n\r\n",
            "0123456789abcdefghij",
        ),
        (
            "1;a\r\nx\r\n1;b=c\r\ny\r\n1 ; d=\"e;\\\"f\"\r\nz\r\n0;g\r\n\r\n",
            "xyz",
        ),
        ("2\r\n\r\n\r\n0\r\n\r\n", "\r\n"),
        ("5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"),
    ];
    for (content, decoded) in table {
        let request = post_raw("Transfer-Encoding: chunked\r\n", content);
        let exchange = bench.forwarded(&request);
        assert_eq!(exchange.request.body, decoded.as_bytes());
        assert_eq!(exchange.request.head.only("transfer-encoding"), "chunked");
        assert!(!exchange.request.head.has("content-length"));

        // However it is cut.
        let mut client = bench.daemon.connect();
        for byte in request.as_bytes() {
            client.send([*byte]);
        }
        let exchange = bench.answered(&mut client, false);
        assert_eq!(exchange.request.body, decoded.as_bytes());
        client.send(GOOD);
        bench.answered(&mut client, false);
    }
    bench.finish();
}

#[test]
fn trailers_pass_except_those_that_frame_route_or_authorise() {
    let bench = Bench::new();
    let chunked = |trailers: &str| {
        let fields = "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n";
        post_raw(fields, &format!("5\r\nhello\r\n0\r\n{trailers}\r\n"))
    };
    for trailers in [
        "",
        "X-Sum: 1\r\n",
        "x-a:1\r\nX-B:\t2 \r\nx-a: 3\r\n",
        "X: caf\u{e9}\r\nEmpty:\r\n",
    ] {
        let exchange = bench.forwarded(chunked(trailers));
        assert_eq!(exchange.request.trailers, trailers.as_bytes());
    }
    for name in [
        "Authorization",
        "AUTHORIZATION",
        "Proxy-Authorization",
        "Host",
        "Content-Length",
        "Transfer-Encoding",
        "Content-Type",
        "Content-Encoding",
        "Content-Range",
        "Connection",
        "Keep-Alive",
        "Proxy-Connection",
        "Upgrade",
        "HTTP2-Settings",
        "TE",
        "Trailer",
        "Expect",
        "Max-Forwards",
        "Cookie",
        "Set-Cookie",
        "Cache-Control",
        "Forwarded",
        "X-Forwarded-Host",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Real-IP",
        "Via",
        "Cookie2",
        "APS-Token",
        "X-Api-Key",
        "X-Auth-Token",
        "X-HTTP-Method-Override",
        "X_Original_URL",
    ] {
        let exchange = bench.forwarded(chunked(&format!("A: 1\r\n{name}: 5\r\nB: 2\r\n")));
        assert_eq!(exchange.request.trailers, b"A: 1\r\nB: 2\r\n", "{name}");
    }
    bench.finish();
}

#[test]
fn a_trailer_that_connection_names_ends_here() {
    let bench = Bench::new();
    let mut client = bench.daemon.connect();
    let mut trailers = |fields: &str| {
        client.send(post_raw(fields, "0\r\nA: 1\r\nx-hop: 5\r\nB: 2\r\n\r\n"));
        bench.answered(&mut client, false).request.trailers
    };
    let named = trailers("Transfer-Encoding: chunked\r\nConnection: X-Hop\r\n");
    assert_eq!(named, b"A: 1\r\nB: 2\r\n");
    // The next request on the same connection has names of its own.
    let unnamed = trailers("Transfer-Encoding: chunked\r\n");
    assert_eq!(unnamed, b"A: 1\r\nx-hop: 5\r\nB: 2\r\n");
    bench.finish();
}

#[test]
fn trailers_and_extensions_have_an_end() {
    let bench = Bench::new();
    let chunked = |rest: &str| post_raw("Transfer-Encoding: chunked\r\n", rest);
    for (content, status) in [
        (format!("0\r\n{}\r\n", "A: b\r\n".repeat(101)), 431),
        (format!("0\r\nA: {}\r\n\r\n", "b".repeat(70_000)), 431),
        (format!("0\r\n{}", "A: b\r\n".repeat(20_000)), 431),
        (format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(70_000)), 400),
        ("1;xxxxxxxxxxxxxxx\r\na\r\n".repeat(5000) + "0\r\n\r\n", 400),
    ] {
        let mut client = bench.daemon.connect();
        client.send(chunked(&content));
        bench.refusal(&mut client, false, status, MALFORMED, Close);
        bench.forwarded(GOOD);
    }
    let hundred = "A: b\r\n".repeat(100);
    let exchange = bench.forwarded(chunked(&format!("0\r\n{hundred}\r\n")));
    assert_eq!(exchange.request.trailers, hundred.as_bytes());
    finish_broken(bench);
}

//! Message framing: what delimits content is one thing for everybody, or the request is refused.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what a test needs fails by panicking, outside of its function too"
)]

mod support;

use support::{
    bench::{
        Bench, GOOD,
        Then::{Close, Keep},
    },
    client::Client,
};

const MALFORMED: &str = "http_request_error";

/// Whatever the framing is taken for, this must not become a request of its own.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn post(fields: &str, content: &str) -> String {
    format!("POST /upload HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n{content}")
}

#[test]
fn lengths_that_contradict_each_other_or_are_no_number_are_refused() {
    let bench = Bench::new();
    let sections = [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
        "content-length: 5\r\nTRANSFER-ENCODING: CHUNKED\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: gzip\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\ncontent-length: 0\r\n",
        "Content-Length: 5, 6\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: -5\r\n",
        "Content-Length: -0\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 5h\r\n",
        "Content-Length: F\r\n",
        "Content-Length: 5.0\r\n",
        "Content-Length: 5e0\r\n",
        "Content-Length: 5 5\r\n",
        "Content-Length: 5;\r\n",
        "Content-Length: \"5\"\r\n",
        "Content-Length: '5'\r\n",
        "Content-Length: 1_0\r\n",
        "Content-Length:\r\n",
        "Content-Length: \t\r\n",
        "Content-Length: ,\r\n",
        "Content-Length: \u{ff15}\r\n",
        "Content-Length: 9223372036854775808\r\n",
        "Content-Length: 18446744073709551615\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Content-Length: 99999999999999999999999999999999\r\n",
    ];
    for section in sections {
        bench.refused(post(section, SMUGGLED), 400, MALFORMED, Close);
    }
    bench.finish();
}

#[test]
fn a_transfer_coding_other_than_chunked_once_is_refused() {
    let bench = Bench::new();
    let content = format!("0\r\n\r\n{SMUGGLED}");
    for coding in [
        "gzip, chunked",
        "gzip",
        "chunked, gzip",
        "chunked, chunked",
        "chunked,",
        ",chunked",
        ", chunked",
        "xchunked",
        "chunkedx",
        "x chunked",
        "\"chunked\"",
        "chunked;q=1",
        "chunked; a=b",
        "identity",
        "identity, chunked",
        "chun ked",
        "\u{e7}hunked",
    ] {
        let request = post(&format!("Transfer-Encoding: {coding}\r\n"), &content);
        bench.refused(request, 501, MALFORMED, Close);
    }
    for section in [
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\ntransfer-encoding: x\r\n",
        "Transfer-Encoding:\r\n",
        "Transfer-Encoding: \t\r\n",
        "Transfer-Encoding : chunked\r\n",
        " Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding:\x0bchunked\r\n",
        "Transfer-Encoding: chunked\x0c\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "X: y\rTransfer-Encoding: chunked\r\n",
        "X: y\nTransfer-Encoding: chunked\r\n",
        "Transfer_Encoding\0: chunked\r\n",
    ] {
        bench.refused(post(section, &content), 400, MALFORMED, Close);
    }
    for fields in [
        "Transfer-Encoding: chunked\r\n",
        "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n",
    ] {
        let request = format!("POST / HTTP/1.0\r\nHost: localhost\r\n{fields}\r\n{content}");
        bench.refused(request, 400, MALFORMED, Close);
    }
    bench.finish();
}

#[test]
fn a_field_line_that_is_malformed_is_refused() {
    let bench = Bench::new();
    let mut lines: Vec<Vec<u8>> = [
        "A : b",
        "A\t: b",
        "A: b\r\n folded",
        "A: b\r\n\tfolded",
        "A:\r\n b",
        " A: b",
        "\tA: b",
        ": b",
        ":",
        " : b",
        "no colon",
        "A",
        "A(b): c",
        "A{b}: c",
        "A,B: c",
        "A;B: c",
        "A\"B: c",
        "A/B: c",
        "A[0]: c",
        "A@B: c",
        "A\\B: c",
        "\u{e9}: c",
        "A: b\nC: d",
        "A: b\rC: d",
        "A: b\r\r",
        "\r",
    ]
    .iter()
    .map(|line| line.as_bytes().to_vec())
    .collect();
    for control in (0x00..=0x1f).chain([0x7f]) {
        // A tab may stand in a value; CR and LF end the line, each in its own way, and are in the list above.
        if !matches!(control, b'\t' | b'\r' | b'\n') {
            lines.push([b"A: b", &[control][..], b"c"].concat());
            lines.push([b"A", &[control][..], b"b: c"].concat());
        }
    }
    for line in lines {
        let request = [
            b"GET / HTTP/1.1\r\nHost: localhost\r\n",
            &line[..],
            b"\r\nB: c\r\n\r\n",
        ]
        .concat();
        bench.refused(request, 400, MALFORMED, Close);
    }
    bench.finish();
}

#[test]
fn a_line_that_ends_in_a_bare_lf_is_refused() {
    let bench = Bench::new();
    for request in [
        "GET / HTTP/1.1\nHost: localhost\n\n",
        "GET / HTTP/1.1\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\n\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nA: b\nC: d\r\n\r\n",
        "\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        bench.refused(request, 400, MALFORMED, Close);
    }
    bench.finish();
}

#[test]
fn empty_lines_before_a_request_are_passed_over() {
    let bench = Bench::new();
    bench.forwarded([b"\r\n", GOOD].concat());
    let mut client = bench.daemon.connect();
    // Some clients send one behind the content of a form.
    client.send(post("Content-Length: 5\r\n", "hello\r\n"));
    bench.answered(&mut client, false);
    client.send(GOOD);
    bench.answered(&mut client, false);
    bench.finish();
}

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
        let request = post("Transfer-Encoding: chunked\r\n", &content);
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
        client.send(post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"));
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
        let request = post(fields, &format!("{content}{SMUGGLED}"));
        bench.refused(request, 400, MALFORMED, Close);
    }
    bench.finish();
}

#[test]
fn content_that_ends_too_early_is_never_forwarded_as_whole() {
    let bench = Bench::new();
    for request in [
        post("Content-Length: 10\r\n", "hello"),
        post("Content-Length: 10\r\n", ""),
        post("Transfer-Encoding: chunked\r\n", ""),
        post("Transfer-Encoding: chunked\r\n", "5"),
        post("Transfer-Encoding: chunked\r\n", "5\r\nhel"),
        post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"),
        post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0"),
        post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n"),
        post(
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
        let request = post("Transfer-Encoding: chunked\r\n", content);
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
        post(fields, &format!("5\r\nhello\r\n0\r\n{trailers}\r\n"))
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
    ] {
        let exchange = bench.forwarded(chunked(&format!("A: 1\r\n{name}: 5\r\nB: 2\r\n")));
        assert_eq!(exchange.request.trailers, b"A: 1\r\nB: 2\r\n", "{name}");
    }
    bench.finish();
}

#[test]
fn content_of_any_method_is_framed_as_it_came() {
    let bench = Bench::new();
    for method in [
        "GET",
        "DELETE",
        "OPTIONS",
        "PUT",
        "PATCH",
        "POST",
        "PROPFIND",
        "x-custom!",
    ] {
        let request =
            format!("{method} /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello");
        let exchange = bench.forwarded(request);
        assert_eq!(exchange.request.body, b"hello", "{method}");
        assert_eq!(exchange.request.head.only("content-length"), "5");
        assert_eq!(exchange.request.method(), method);
    }
    let request = "HEAD /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello";
    assert_eq!(bench.forwarded(request).request.body, b"hello");
    let empty = bench.forwarded(post("Content-Length: 0\r\n", ""));
    assert_eq!(empty.request.head.only("content-length"), "0");
    let none = bench.forwarded(GOOD);
    assert!(!none.request.head.has("content-length") && !none.request.head.is_chunked());
    bench.finish();
}

#[test]
fn a_response_without_content_leaves_the_connection_in_step() {
    let bench = Bench::new();
    let mut client = bench.daemon.connect();
    for (method, target, length) in [
        ("HEAD", "/a", Some(2)),
        ("GET", "/status/204", None),
        ("HEAD", "/status/204", None),
        ("GET", "/status/304", Some(2)),
        ("GET", "/a", Some(2)),
        ("DELETE", "/status/204", None),
    ] {
        client.send(format!(
            "{method} {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        ));
        let exchange = bench.answered(&mut client, method == "HEAD");
        let head = exchange.response.head;
        assert_eq!(head.content_length(), length, "{method} {target}");
        assert!(!head.is_chunked(), "{method} {target}");
    }
    client.finish();
    client.expect_close();
    let head = "HEAD /x?oauth_token HTTP/1.1\r\nHost: localhost\r\n\r\n";
    bench.refused(head, 400, MALFORMED, Close);
    bench.finish();
}

#[test]
fn a_client_of_http_1_0_is_served_in_its_own_way() {
    let bench = Bench::new();
    let mut client = bench.daemon.connect();
    client.send("GET /a HTTP/1.0\r\n\r\n");
    let exchange = bench.answered(&mut client, false);
    client.expect_close();
    // The upstream gets the version that the proxy speaks.
    assert_eq!(exchange.request.head.first_line(), b"GET /a HTTP/1.1");

    let mut client = bench.daemon.connect();
    for _ in 0..3 {
        client.send("GET /a HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n");
        let exchange = bench.answered(&mut client, false);
        assert!(exchange.response.head.connection_says("keep-alive"));
        assert!(!exchange.request.head.has("connection"));
    }
    client.send("POST /a HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(bench.answered(&mut client, false).request.body, b"hello");
    client.expect_close();
    bench.finish();
}

#[test]
fn pipelined_requests_are_answered_in_order_each_signed_by_itself() {
    let bench = Bench::new();
    let mut client = bench.daemon.connect();
    let requests = [
        "GET /0 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
        "HEAD /2 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /3 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nhi\r\n0\r\nA: b\r\n\r\n",
        "GET /status/204 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /5 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b",
        "GET /6 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    ];
    client.send(requests.concat() + SMUGGLED);
    let mut nonces = Vec::new();
    for (index, request) in requests.iter().enumerate() {
        let to_head = request.starts_with("HEAD");
        let response = if to_head {
            client.response_to_head()
        } else {
            client.response()
        };
        assert!(matches!(response.status, 200 | 204), "{index}");
        let recorded = bench.reached_upstream();
        assert!(
            request
                .as_bytes()
                .starts_with(&recorded.head.first_line()[..6])
        );
        nonces.push(bench.verify(&recorded).stamp.unwrap().1);
    }
    // Nothing behind Connection: close is served.
    client.expect_close();
    for request in requests {
        let record = bench.record();
        let method = record["http.request.method"].as_str().unwrap();
        assert!(request.starts_with(method));
    }
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), requests.len());
    bench.finish();
}

#[test]
fn a_refusal_ends_a_pipeline_behind_the_answers_before_it() {
    let bench = Bench::new();
    let mut client = bench.daemon.connect();
    client.send([GOOD, b"GET / HTTP/1.1\r\n\r\n", SMUGGLED.as_bytes()].concat());
    bench.answered(&mut client, false);
    bench.refusal(&mut client, false, 400, MALFORMED, Close);
    bench.finish();
}

#[test]
fn a_denied_request_with_content_leaves_the_connection_in_step_or_closed() {
    let bench = Bench::new();
    for content in [
        "Content-Length: 5\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ] {
        let mut client = bench.daemon.connect();
        client.send(format!(
            "POST / HTTP/1.1\r\nHost: evil.example\r\n{content}"
        ));
        bench.refusal(&mut client, false, 421, "http_request_denied", Keep);
    }
    bench.finish();
}

#[test]
fn a_client_that_expects_100_continue_gets_it_and_another_expectation_is_refused() {
    let bench = Bench::new();
    for (expect, content_type) in [
        ("100-continue", "application/json"),
        ("100-Continue", "application/x-www-form-urlencoded"),
    ] {
        let mut client = bench.daemon.connect();
        client.send(post(
            &format!("Content-Type: {content_type}\r\nContent-Length: 5\r\nExpect: {expect}\r\n"),
            "",
        ));
        assert_eq!(client.response().status, 100);
        client.send("a=b&c");
        assert_eq!(bench.answered(&mut client, false).request.body, b"a=b&c");
        client.send(GOOD);
        bench.answered(&mut client, false);
    }
    // Nothing to wait for.
    let exchange =
        bench.forwarded("GET / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(exchange.response.status, 200);
    // A client that is refused is not told to send on.
    let fields = "Expect: 100-continue\r\nContent-Length: 5\r\n";
    let request = format!("POST /?oauth_token HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n");
    bench.refused(request, 400, MALFORMED, Close);

    for expect in [
        "200-ok",
        "100-continue, x",
        "x, 100-continue",
        "100",
        "100-continue;a",
        "continue",
    ] {
        bench.refused(
            post(&format!("Expect: {expect}\r\nContent-Length: 5\r\n"), ""),
            417,
            MALFORMED,
            Close,
        );
    }
    // An HTTP/1.0 client can't be sent an interim response.
    let exchange = bench
        .forwarded("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(exchange.request.body, b"hello");
    bench.finish();
}

#[test]
fn a_head_is_read_however_it_is_cut() {
    let bench = Bench::new();
    let request = post("A: b\r\nContent-Length: 5\r\n", "hello");
    let mut client = bench.daemon.connect();
    for byte in request.as_bytes() {
        client.send([*byte]);
    }
    bench.answered(&mut client, false);
    for cut in 1..request.len() {
        let (first, rest) = request.split_at(cut);
        client.send(first);
        client.send(rest);
        assert_eq!(bench.answered(&mut client, false).request.body, b"hello");
    }
    bench.finish();
}

//! What the upstream answers: passed on untouched, as it comes, with the right framing for each client.

mod support;

use support::{
    client::End,
    stage::{GET, OK, Stage, failed, fine},
};

/// Sends a request of this method to an upstream that answers with these bytes, on one connection twice; returns what
/// the client gets.
#[track_caller]
fn relayed(method: &str, version: &str, answer: impl Into<Vec<u8>>, status: u16) -> Vec<u8> {
    let answer = answer.into();
    let stage = Stage::new(move |peer| {
        peer.request()?;
        peer.send(&answer)
    });
    let request =
        format!("{method} / HTTP/{version}\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut client = stage.ask(request);
    let (bytes, end) = client.rest();
    assert_eq!(end, End::Closed, "{}", bytes.escape_ascii());
    assert_eq!(stage.upstream.requests().len(), 1);
    stage.finish(&[fine(status)]);
    bytes
}

#[test]
fn answers_of_every_status_are_passed_on_byte_for_byte() {
    let heads: [(u16, &str); 16] = [
        (200, "OK\r\n"),
        (200, "\r\n"),
        (200, "Sure, \"why\" not; caf\u{e9}\r\n"),
        (201, "Created\r\nLocation: /new\r\nETag: \"1\"\r\n"),
        (301, "Moved\r\nLocation: https://elsewhere.example/\r\n"),
        (302, "Found\r\nLocation: /other\r\n"),
        (307, "Temporary Redirect\r\nLocation: //evil.example/\r\n"),
        (
            401,
            "Unauthorized\r\nWWW-Authenticate: OAuth realm=\"x\"\r\nwww-authenticate: Basic\r\n",
        ),
        (403, "Forbidden\r\nX-Frame-Options: deny\r\n"),
        (418, "I'm a teapot\r\n"),
        (429, "Too Many Requests\r\nRetry-After: 1\r\n"),
        (
            500,
            "Internal Server Error\r\nServer: x\r\nDate: Mon, 01 Jan 2001 00:00:00 GMT\r\n",
        ),
        (
            503,
            "Service Unavailable\r\nRetry-After: 1\r\nProxy-Status: other; error=dns_error\r\n",
        ),
        (599, "Last\r\n"),
        (
            200,
            "OK\r\nSet-Cookie: a=1; Path=/\r\nset-cookie: b=2\r\nX-z: 1\r\nx-A:2\r\nX-Z:\t 3 \r\nEmpty:\r\n",
        ),
        (
            200,
            "OK\r\nContent-Encoding: gzip\r\nVary: Accept-Encoding\r\nAccept-Ranges: bytes\r\n",
        ),
    ];
    let many = "OK\r\n".to_owned() + &"X: y\r\n".repeat(900);
    let heads = heads.into_iter().chain([(200, many.as_str())]);
    let heads: Vec<_> = heads.collect();
    let answers: Vec<Vec<u8>> = heads
        .iter()
        .map(|(status, rest)| {
            let head = format!("HTTP/1.1 {status} {rest}cOnTent-lenGth: 7\r\nLast: x\r\n\r\n");
            [head.as_bytes(), b"\x1f\x8b\0\r\n\xff\n"].concat()
        })
        .collect();
    let sent = answers.clone();
    let stage = Stage::new(move |peer| {
        for answer in &sent {
            peer.request()?;
            peer.send(answer)?;
        }
        peer.until_end().map(drop)
    });
    let mut client = stage.daemon.connect();
    for answer in &answers {
        client.send(GET);
        let got = client.bytes(answer.len());
        assert_eq!(
            got.escape_ascii().to_string(),
            answer.escape_ascii().to_string()
        );
    }
    // Each is answered once and for all: nothing is followed, nothing retried, and the connection stays.
    assert_eq!(stage.upstream.requests().len(), answers.len());
    assert_eq!(stage.upstream.connections(), 1);
    let outcomes: Vec<_> = heads.iter().map(|(status, _)| fine(*status)).collect();
    stage.finish(&outcomes);
}

#[test]
fn a_status_line_without_a_reason_gets_its_space() {
    let bytes = relayed(
        "GET",
        "1.1",
        "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
        200,
    );
    assert!(bytes.starts_with(b"HTTP/1.1 200 \r\n"), "{bytes:?}");
}

#[test]
fn answers_without_content_leave_the_connection_to_the_next_request() {
    // The method, the answer, and the head that goes to the client.
    let cases = [
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", ""),
        (
            "HEAD",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "",
        ),
        ("HEAD", "HTTP/1.1 200 OK\r\nETag: x\r\n\r\n", ""),
        ("HEAD", "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", ""),
        ("GET", "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n", ""),
        (
            "GET",
            "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\nX: y\r\n\r\n",
            "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
        ),
        (
            "GET",
            "HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 5\r\n\r\n",
            "",
        ),
        ("GET", "HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", ""),
        (
            "GET",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: b\r\n\r\n",
            "",
        ),
    ];
    let answers = cases.map(|(_, answer, _)| answer);
    let stage = Stage::new(move |peer| {
        for answer in answers {
            peer.request()?;
            peer.send(answer)?;
            peer.request()?;
            peer.send(OK)?;
        }
        peer.until_end().map(drop)
    });
    let mut client = stage.daemon.connect();
    let mut outcomes = Vec::new();
    for (method, answer, expected) in cases {
        client.send(format!("{method} / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        let head = client.response_head();
        let expected = if expected.is_empty() {
            answer
        } else {
            expected
        };
        assert_eq!(
            head.raw.escape_ascii().to_string(),
            expected.as_bytes().escape_ascii().to_string()
        );
        Stage::fetch_on(&mut client);
        outcomes.extend([fine(answer[9..12].parse().unwrap()), fine(200)]);
    }
    assert_eq!(stage.upstream.connections(), 1);
    stage.finish(&outcomes);
}

#[test]
fn answers_are_framed_for_the_client() {
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\nC: d\r\n\r\n5;x=y\r\nhello\r\n00\r\nT: u\r\n\r\n";
    const CLOSED: &str = "HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n\r\nhello";
    const OLD: &str = "HTTP/1.0 200 OK\r\nA: b\r\n\r\nhello";
    const OLD_WITH_LENGTH: &str = "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    const KEPT: &str = "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nConnection: Keep-Alive, X\r\nX: y\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\nhello";
    let cases = [
        (
            CHUNKED,
            "1.1",
            "A: b|Transfer-Encoding: chunked|C: d",
            "5\r\nhello\r\n0\r\nT: u\r\n\r\n",
        ),
        (CHUNKED, "1.0", "A: b|C: d", "hello"),
        (
            CLOSED,
            "1.1",
            "A: b|C: d|transfer-encoding: chunked",
            "5\r\nhello\r\n0\r\n\r\n",
        ),
        (CLOSED, "1.0", "A: b|C: d", "hello"),
        (
            OLD,
            "1.1",
            "A: b|transfer-encoding: chunked",
            "5\r\nhello\r\n0\r\n\r\n",
        ),
        (OLD, "1.0", "A: b", "hello"),
        (OLD_WITH_LENGTH, "1.1", "Content-Length: 5", "hello"),
        (OLD_WITH_LENGTH, "1.0", "Content-Length: 5", "hello"),
        (KEPT, "1.1", "Content-Length: 5", "hello"),
        (KEPT, "1.0", "Content-Length: 5", "hello"),
    ];
    for (answer, version, fields, body) in cases {
        let bytes = relayed("GET", version, answer, 200);
        let text = String::from_utf8(bytes).unwrap();
        let (head, found) = text.split_once("\r\n\r\n").unwrap();
        let (_, found_fields) = head.split_once("\r\n").unwrap();
        let lines: Vec<_> = found_fields
            .split("\r\n")
            // What becomes of the client's own connection.
            .filter(|line| !line.eq_ignore_ascii_case("connection: close"))
            .collect();
        let context = format!("{answer:?} to HTTP/{version}: {text:?}");
        assert_eq!(found, body, "{context}");
        assert_eq!(lines.join("|"), fields, "{context}");
    }
}

#[test]
fn trailers_pass_except_those_that_frame_route_or_authorise() {
    let bytes = relayed(
        "GET",
        "1.1",
        "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nConnection: X-Hop\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\
         x-Sum: 1\r\nContent-Length: 9\r\nUndeclared: 2\r\nTransfer-Encoding: gzip\r\nSet-Cookie: a\r\n\
         Authorization: x\r\nHost: evil\r\nConnection: close\r\nX-Hop: 1\r\nHTTP2-Settings: AA\r\nX-Sum:3\r\n\r\n",
        200,
    );
    let text = String::from_utf8(bytes).unwrap();
    let expected = "2\r\nok\r\n0\r\nx-Sum: 1\r\nUndeclared: 2\r\nX-Sum:3\r\n\r\n";
    assert!(text.ends_with(expected), "{text}");
    assert!(text.contains("\r\nTrailer: X-Sum\r\n"), "{text}");
}

#[test]
fn a_client_that_leaves_takes_its_upstream_connection_with_it() {
    let answers = ["", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"];
    let stage = Stage::new(move |peer| {
        peer.request()?;
        peer.send(answers[peer.number])?;
        peer.until_end().map(drop)
    });
    for (number, answer) in answers.iter().enumerate() {
        let mut client = stage.ask(GET);
        stage
            .upstream
            .wait("a request", |seen| seen.requests.len() == number + 1);
        if !answer.is_empty() {
            client.response_head();
        }
        drop(client);
        stage.upstream.wait_ended(number + 1);
    }
    stage.finish(&[
        (None, Some("client_disconnected")),
        failed(200, "client_disconnected"),
    ]);
}

#[test]
fn a_client_that_leaves_together_with_its_request_is_recorded_all_the_same() {
    let stage = Stage::new(|peer| {
        peer.request()?;
        peer.until_end().map(drop)
    });
    // Whether the end comes with the head or after it is a matter of luck.
    for _ in 0..200 {
        drop(stage.ask(GET));
    }
    stage.daemon.log().exchanges(200);
    stage.finish(&[(None, Some("client_disconnected")); 200]);
}

#[test]
fn an_answer_that_the_close_ends_does_not_promise_a_client_of_http_1_0_more() {
    for answer in [
        "HTTP/1.1 200 OK\r\nA: b\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ] {
        let stage = Stage::new(move |peer| {
            peer.request()?;
            peer.send(answer)
        });
        let mut client =
            stage.ask("GET / HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n");
        let head = client.response_head();
        assert!(!head.connection_says("keep-alive"), "{answer:?}: {head:?}");
        assert!(!head.has("keep-alive") && head.content_length().is_none());
        assert_eq!(client.rest(), (b"hello".to_vec(), End::Closed));
        stage.finish(&[fine(200)]);
    }
}

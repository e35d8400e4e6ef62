//! Requests that follow each other on one connection: in step, in order, each by itself.

mod support;

use support::{
    bench::{
        Bench, DENIED, GOOD, MALFORMED,
        Then::{AsItSays, Close},
    },
    request::{SMUGGLED, get, get_with, post, post_form, post_raw, request},
    stage::{Stage, fine},
};

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
fn a_head_request_that_is_refused_while_it_is_read_is_answered_without_content() {
    let bench = Bench::new();
    let many = "A: b\r\n".repeat(101);
    let long = format!("/{}", "a".repeat(70_000));
    let cases = [
        ("/", String::new(), 400),
        ("/", "Host: a b\r\n".to_owned(), 400),
        ("*", "Host: localhost\r\n".to_owned(), 400),
        ("/#a", "Host: localhost\r\n".to_owned(), 400),
        ("/", format!("Host: localhost\r\n{many}"), 431),
        (&long, "Host: localhost\r\n".to_owned(), 414),
        (
            "/",
            "Host: localhost\r\nContent-Length: +5\r\n".to_owned(),
            400,
        ),
        (
            "/",
            "Host: localhost\r\nTransfer-Encoding: gzip\r\n".to_owned(),
            501,
        ),
        ("/", "Host: localhost\r\nExpect: x\r\n".to_owned(), 417),
    ];
    for (target, fields, status) in &cases {
        let refuse = |method: &str| {
            let head = format!("{method} {target} HTTP/1.1\r\n{fields}\r\n");
            bench.refused(head, *status, MALFORMED, Close).response
        };
        // No byte follows the head before the connection is closed; how long the content would be is told.
        let (head, get) = (refuse("HEAD").head, refuse("GET"));
        assert_eq!(head.content_length(), Some(get.body.len()));
        // A name that only begins so is another method's.
        assert!(!refuse("HEADER").body.is_empty());
    }
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
    // Nothing behind Connection: close is served, and what has come is no reason to cut a client off that still reads.
    client.expect_close();
    drop(client);
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
    // The daemon lets a client that is still there read the refusal before it ends.
    drop(client);
    bench.finish();
}

#[test]
fn what_belongs_to_a_refused_request_never_becomes_one_of_its_own() {
    let bench = Bench::new();
    let denied = |fields: &str, content: &str| {
        format!("POST / HTTP/1.1\r\nHost: evil.example\r\n{fields}\r\n{content}")
    };
    let length = SMUGGLED.len();
    let chunked = format!("{length:x}\r\n{SMUGGLED}\r\n0\r\n\r\n");
    let long = "x".repeat(5_000_000);
    for request in [
        denied(&format!("Content-Length: {length}\r\n"), SMUGGLED),
        denied("Transfer-Encoding: chunked\r\n", &chunked),
        denied("Content-Length: 5000000\r\n", &long),
        denied(
            "Transfer-Encoding: chunked\r\n",
            &format!("4c4b40\r\n{long}\r\n0\r\n\r\n"),
        ),
    ] {
        let mut client = bench.daemon.connect();
        client.send(request);
        bench.refusal(&mut client, false, 421, DENIED, AsItSays);
    }
    // A client that waits for 100 may take the refusal for a reason not to send its content, or send it nevertheless.
    for content in ["", SMUGGLED] {
        let fields = format!("Expect: 100-continue\r\nContent-Length: {length}\r\n");
        let mut client = bench.daemon.connect();
        client.send(denied(&fields, ""));
        let head = client.response_head();
        assert!(head.first_line().starts_with(b"HTTP/1.1 421 "), "{head:?}");
        assert!(head.connection_says("close"), "{head:?}");
        client.send(content);
        let (problem, _) = client.rest();
        assert_eq!(Some(problem.len()), head.content_length());
        bench.record();
    }
    bench.finish();
}

#[test]
fn a_connection_is_closed_behind_the_answer_if_the_client_asks_for_it() {
    let bench = Bench::new();
    for fields in [
        "Connection: close\r\n",
        "connection: Close\r\n",
        "Connection: x, close\r\n",
        "Connection: x\r\nConnection: close\r\n",
        "Connection: keep-alive, close\r\n",
    ] {
        let mut client = bench.daemon.connect();
        client.send(get_with(fields) + SMUGGLED);
        let exchange = bench.answered(&mut client, false);
        assert!(
            exchange.response.head.connection_says("close"),
            "{fields:?}"
        );
        client.expect_close();
        let mut client = bench.daemon.connect();
        client.send(format!(
            "GET / HTTP/1.1\r\nHost: evil.example\r\n{fields}\r\n"
        ));
        bench.refusal(&mut client, false, 421, DENIED, Close);
    }
    bench.finish();
}

#[test]
fn a_hundred_requests_at_once_are_answered_in_order() {
    let bench = Bench::new();
    let mut client = bench.daemon.connect();
    let requests: String = (0..100)
        .map(|number| match number % 3 {
            0 => get(&format!("/{number}")),
            1 => request("HEAD", &format!("/{number}")),
            _ => post_form(&format!("/{number}"), &"a=b&".repeat(number)),
        })
        .collect();
    client.send(requests);
    for number in 0..100 {
        let exchange = bench.answered(&mut client, number % 3 == 1);
        assert_eq!(exchange.request.target(), format!("/{number}").as_bytes());
    }
    bench.finish();
}

#[test]
fn any_number_of_requests_with_content_between_them_are_answered_in_order() {
    for count in [3, 200] {
        let bench = Bench::new();
        let mut client = bench.daemon.connect();
        let content = |number: usize| "x".repeat(1 + number * 7 % 1000);
        let requests: String = (0..count)
            .map(|number| match number % 3 {
                0 => get(&format!("/{number}")),
                1 => post("", &content(number)),
                _ => {
                    let content = content(number);
                    let length = content.len();
                    let chunked = format!("{length:x}\r\n{content}\r\n0\r\n\r\n");
                    post_raw("Transfer-Encoding: chunked\r\n", &chunked)
                }
            })
            .collect();
        client.send(requests);
        for number in 0..count {
            let exchange = bench.answered(&mut client, false);
            let expected = match number % 3 {
                0 => String::new(),
                _ => content(number),
            };
            let found = exchange.request.body.escape_ascii().to_string();
            assert_eq!(found, expected, "{number}");
        }
        bench.finish();
    }
}

#[test]
fn more_than_a_head_may_have_can_be_pipelined_behind_a_slow_request() {
    // Each answer says which request it is for.
    let stage = Stage::new(|peer| {
        loop {
            let request = peer.request()?;
            let line = request.head.first_line();
            if line.starts_with(b"GET") {
                peer.pause()?;
            }
            let target = line.split(|byte| *byte == b' ').nth(1).unwrap();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
                target.len()
            );
            peer.send([head.as_bytes(), target].concat())?;
        }
    });
    for (round, (count, length)) in [(20, 10 * 1024), (1, 200 * 1024)].into_iter().enumerate() {
        let content = "x".repeat(length);
        let posts = (0..count).map(|number| {
            format!("POST /{number} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{content}")
        });
        let before = stage.upstream.requests().len();
        let mut client = stage.ask(get("/slow"));
        stage
            .upstream
            .wait("a request", |seen| seen.requests.len() == before + 1);
        client.send(posts.collect::<String>());
        stage.upstream.go_on();
        assert_eq!(client.response().body, b"/slow", "{round}");
        for number in 0..count {
            assert_eq!(client.response().body, format!("/{number}").as_bytes());
        }
        let requests = stage.upstream.requests();
        assert_eq!(requests.len(), before + 1 + count);
        let posted = requests[before + 1..].iter();
        assert!(
            posted
                .clone()
                .all(|request| request.body == content.as_bytes())
        );
    }
    stage.finish(&[fine(200); 23]);
}

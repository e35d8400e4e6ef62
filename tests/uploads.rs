//! Content on its way up: answers that come early, clients that wait for 100 Continue, clients that leave.

mod support;

use std::io;

use support::{
    bench::{Bench, GOOD, MALFORMED, Then::Close, check_problem},
    client::End,
    log::exchanges,
    peer::{Peer, WAYS_TO_LEAVE},
    request::{FORM, SMUGGLED, post_raw},
    setup::Setup,
    stage::{GET, OK, Stage, failed, fine, finish, problem},
    upstream::{FullQueue, Upstream, closed_address},
};

const UPLOAD_LENGTH: usize = 10 << 20;

/// A large upload, in either framing.
fn uploads() -> [(String, Vec<u8>); 2] {
    let content = vec![b'x'; UPLOAD_LENGTH];
    let chunked = [
        format!("{UPLOAD_LENGTH:x}\r\n").as_bytes(),
        &content[..],
        b"\r\n0\r\n\r\n",
    ]
    .concat();
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\n";
    [
        (
            format!("{head}Content-Length: {UPLOAD_LENGTH}\r\n\r\n"),
            content,
        ),
        (format!("{head}Transfer-Encoding: chunked\r\n\r\n"), chunked),
    ]
}

const TOO_LARGE: &[u8] =
    b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 9\r\n\r\ntoo large";

#[test]
fn an_early_answer_reaches_a_client_that_is_still_uploading() {
    for (head, content) in uploads() {
        let stage = Stage::new(|peer| {
            peer.head()?;
            peer.content(1000)?;
            peer.send(TOO_LARGE)?;
            peer.until_end().map(drop)
        });
        let mut client = stage.ask(&head);
        client.send(&content[..5000]);
        // Half of the upload is yet to come when the answer is there.
        let response = client.response();
        assert_eq!(
            (response.status, &response.body[..]),
            (413, &b"too large"[..])
        );
        client.send(&content[5000..]);
        drop(client);
        stage.upstream.wait_ended(1);
        stage.finish(&[fine(413)]);
    }
}

#[test]
fn an_early_answer_reaches_a_client_that_reads_only_after_its_upload() {
    for (head, content) in uploads() {
        let stage = Stage::new(|peer| {
            peer.head()?;
            peer.send(TOO_LARGE)?;
            peer.until_end().map(drop)
        });
        let mut client = stage.ask(&head);
        client.send(&content);
        assert_eq!(client.response().status, 413);
        drop(client);
        stage.finish(&[fine(413)]);
    }
}

/// How often what depends on who is first is tried.
const ROUNDS: usize = 10;

/// An upstream, over TLS and not, of which each connection does this once a request's head is there.
fn with_and_without_tls(
    script: impl Fn(&mut Peer) -> io::Result<()> + Copy + Send + Sync + 'static,
) -> [Stage; 2] {
    let script = move |peer: &mut Peer| {
        peer.head()?;
        script(peer)
    };
    [Stage::new(script), Stage::plain(|setup| setup, script)]
}

#[test]
fn an_early_answer_is_read_although_the_upstream_leaves_with_the_upload_unread() {
    for leave in WAYS_TO_LEAVE {
        let answer = move |peer: &mut Peer| {
            peer.send(TOO_LARGE)?;
            leave(peer);
            Ok(())
        };
        for stage in with_and_without_tls(answer) {
            for (head, content) in uploads() {
                for _ in 0..ROUNDS {
                    let mut client = stage.ask(&head);
                    client.send(&content[..UPLOAD_LENGTH / 8]);
                    let response = client.response();
                    assert_eq!(
                        (response.status, &response.body[..]),
                        (413, &b"too large"[..])
                    );
                    assert!(response.head.connection_says("close"), "{response:?}");
                }
            }
            stage.finish(&[fine(413); 2 * ROUNDS]);
        }
    }
}

#[test]
fn an_upstream_that_leaves_an_upload_without_an_answer_has_terminated_the_connection() {
    for leave in WAYS_TO_LEAVE {
        let go = move |peer: &mut Peer| {
            leave(peer);
            Ok(())
        };
        for stage in with_and_without_tls(go) {
            for (head, content) in uploads() {
                let mut client = stage.ask(&head);
                client.send(&content[..UPLOAD_LENGTH / 8]);
                problem(&mut client, 502, "connection_terminated");
            }
            assert_eq!(stage.upstream.requests().len(), 2);
            stage.finish(&[failed(502, "connection_terminated"); 2]);
        }
    }
}

#[test]
fn an_early_answer_that_breaks_off_is_never_ended_in_order() {
    const BROKEN: [&[u8]; 3] = [
        b"HTTP/1.1 413 Too Large\r\nContent-Length: 9\r\n\r\ntoo",
        b"HTTP/1.1 413 Too Large\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ntoo",
        // After a reset, nobody knows whether that was all.
        b"HTTP/1.1 413 Too Large\r\n\r\ntoo",
    ];
    for broken in BROKEN {
        let answer = move |peer: &mut Peer| {
            peer.send(broken)?;
            peer.reset();
            Ok(())
        };
        for stage in with_and_without_tls(answer) {
            for (head, content) in uploads() {
                for _ in 0..ROUNDS {
                    // At once: a client that is reset while it sends hears of it then, and not when it reads.
                    let mut client =
                        stage.ask([head.as_bytes(), &content[..UPLOAD_LENGTH / 8]].concat());
                    let (received, end) = client.rest();
                    assert_eq!(end, End::Reset);
                    let received = received.escape_ascii().to_string();
                    assert!(received.starts_with("HTTP/1.1 413 "), "{received}");
                }
            }
            stage.finish(&[failed(413, "http_response_incomplete"); 2 * ROUNDS]);
        }
    }
}

#[test]
fn an_upstream_that_answers_early_and_takes_the_rest_gets_the_rest() {
    for (head, content) in uploads() {
        let stage = Stage::new(|peer| {
            let request = peer.head()?;
            peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n")?;
            if request.head.is_chunked() {
                peer.chunks()?;
            } else {
                peer.content(UPLOAD_LENGTH)?;
            }
            peer.send(b"4\r\nlate\r\n0\r\n\r\n")?;
            peer.until_end().map(drop)
        });
        let mut client = stage.ask(&head);
        assert_eq!(client.response_head().first_line(), b"HTTP/1.1 200 OK");
        assert_eq!(client.bytes(10), b"5\r\nearly\r\n");
        client.send(&content);
        assert_eq!(client.bytes(14), b"4\r\nlate\r\n0\r\n\r\n");
        stage.finish(&[fine(200)]);
    }
}

#[test]
fn what_is_left_of_an_upload_that_was_answered_early_never_becomes_a_request() {
    let stage = Stage::new(|peer| {
        peer.head()?;
        peer.content(5)?;
        peer.send(OK)?;
        peer.until_end().map(drop)
    });
    let length = 5 + SMUGGLED.len();
    let sized = post_raw(&format!("Content-Length: {length}\r\n"), "hello");
    let chunked = post_raw("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n");
    let chunk = format!("{:x}\r\n{SMUGGLED}\r\n0\r\n\r\n", SMUGGLED.len());
    for (number, (begun, rest)) in [(sized, SMUGGLED), (chunked, &chunk)].iter().enumerate() {
        let mut client = stage.ask(begun);
        let response = client.response();
        assert_eq!(response.body, b"ok");
        assert!(response.head.connection_says("close"), "{response:?}");
        client.send(rest);
        client.send(GET);
        assert_eq!(client.rest().0.escape_ascii().to_string(), "");
        stage.upstream.wait_ended(number + 1);
    }
    assert_eq!(stage.upstream.requests().len(), 2);
    stage.finish(&[fine(200); 2]);
}

const EXPECTING: &[u8] =
    b"POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";

#[test]
fn a_client_that_waits_is_told_to_go_on_once_there_is_an_upstream_connection() {
    let stage = Stage::new(|peer| peer.answer_all(OK));
    let mut client = stage.daemon.connect();
    for _ in 0..2 {
        client.send(EXPECTING);
        assert_eq!(
            client.response_head().first_line(),
            b"HTTP/1.1 100 Continue"
        );
        client.send(b"hello");
        assert_eq!(client.response().body, b"ok");
    }
    for request in stage.upstream.requests() {
        assert_eq!(request.body, b"hello");
    }
    stage.finish(&[fine(200); 2]);
}

#[test]
fn a_client_that_waits_is_not_told_to_go_on_without_an_upstream_connection() {
    let refused = format!("https://{}", closed_address());
    let queue = FullQueue::new();
    let stalled = format!("https://{}", queue.address());
    for (url, status, error) in [
        (refused, 502, "connection_refused"),
        (stalled, 504, "connection_timeout"),
    ] {
        let daemon = Setup::new(url)
            .table("timeouts", "connect = '300ms'")
            .start();
        let mut client = daemon.connect();
        client.send(EXPECTING);
        // The first thing that comes is the answer.
        problem(&mut client, status, error);
        drop(client);
        finish(daemon, &[failed(status, error)]);
    }
}

#[test]
fn an_upstream_that_refuses_the_content_spares_the_client_from_sending_it() {
    let upstream = Upstream::plain(|peer| {
        peer.head()?;
        peer.send(TOO_LARGE)?;
        peer.until_end().map(drop)
    });
    let daemon = Setup::new(upstream.url())
        .keys("allow_plaintext_upstream = true")
        .start();
    let mut client = daemon.connect();
    client.send(EXPECTING);
    let mut head = client.response_head();
    if head.first_line() == b"HTTP/1.1 100 Continue" {
        head = client.response_head();
    }
    assert_eq!(head.first_line(), b"HTTP/1.1 413 Too Large");
    drop(client);
    finish(daemon, &[fine(413)]);
}

#[test]
fn a_client_that_leaves_within_its_upload_leaves_no_whole_request() {
    let framings = ["Content-Length: 9", "Transfer-Encoding: chunked"];
    let stage = Stage::new(move |peer| {
        peer.head()?;
        peer.content(3)?;
        let rest = peer.until_end()?;
        assert!(!rest.ends_with(b"0\r\n\r\n"), "{rest:?}");
        Ok(())
    });
    for (number, framing) in framings.iter().enumerate() {
        let head = format!("POST / HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n");
        let client = stage.ask(format!("{head}5\r\nhe"));
        stage.upstream.wait("content", |seen| {
            seen.requests
                .get(number)
                .is_some_and(|request| request.body.len() == 3)
        });
        drop(client);
        stage.upstream.wait_ended(number + 1);
    }
    let (code, lines) = stage.daemon.stop();
    assert_eq!(code, Some(0));
    let records = exchanges(&lines);
    assert_eq!(records.len(), framings.len(), "{lines:#?}");
    for record in records {
        let error = record["error.type"].as_str().unwrap();
        assert!(
            ["client_disconnected", "http_request_error"].contains(&error),
            "{record:#}"
        );
    }
}

#[test]
fn a_client_that_expects_100_continue_gets_it_and_another_expectation_is_refused() {
    let bench = Bench::new();
    for (expect, content_type) in [
        ("100-continue", "application/json"),
        ("100-Continue", "application/x-www-form-urlencoded"),
    ] {
        let mut client = bench.daemon.connect();
        client.send(post_raw(
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
            post_raw(&format!("Expect: {expect}\r\nContent-Length: 5\r\n"), ""),
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
fn a_client_is_not_told_to_continue_before_its_request_can_be_forwarded() {
    let expecting = |fields: &str, length: usize| {
        let fields = format!("{fields}Content-Length: {length}\r\nExpect: 100-continue\r\n");
        post_raw(&fields, "")
    };
    let bench = Bench::with(|setup| setup.table("limits", "form_bytes = '1KiB'"));
    let coded = format!("{FORM}Content-Encoding: gzip\r\n");
    bench.refused(expecting(&coded, 5), 415, MALFORMED, Close);
    bench.refused(expecting(FORM, 1025), 413, MALFORMED, Close);
    bench.finish();

    let daemon = Setup::new(format!("https://{}", closed_address())).start();
    for fields in ["", FORM] {
        let mut client = daemon.connect();
        client.send(expecting(fields, 5));
        check_problem(&client.response(), 502, "connection_refused", false);
        client.expect_close();
    }
}

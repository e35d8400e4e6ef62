//! An upstream that can't be reached, that is too slow, that leaves, or that answers what can't be passed on.

mod support;

use std::io;

use support::{
    client::{Client, End},
    daemon::Setup,
    stage::{GET, OK, Outcome, POST, Stage, failed, fine, finish, problem},
    upstream::{FullQueue, Peer, Upstream, closed_address},
};

/// How an upstream leaves.
const WAYS_TO_LEAVE: [fn(&mut Peer); 3] = [Peer::close, Peer::cut, Peer::reset];

/// Requests of each kind of content.
const REQUESTS: [&[u8]; 4] = [
    GET,
    POST,
    b"POST /thing HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"POST /thing HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\r\na=b&c=d",
];

/// A daemon in front of an address where there is no upstream.
#[track_caller]
fn check_unreachable(url: String, timeouts: &str, status: u16, error: &'static str) -> String {
    let daemon = Setup::new(url).table("timeouts", timeouts).start();
    let mut client = daemon.connect();
    let mut detail = String::new();
    // The client's connection goes on afterwards.
    for request in [GET, POST] {
        client.send(request);
        detail = problem(&mut client, status, error);
    }
    let records = finish(daemon, &[failed(status, error); 2]);
    assert_eq!(records[0]["upstream.attempts"], 0);
    detail
}

#[test]
fn a_name_that_does_not_resolve_is_a_dns_error() {
    let detail = check_unreachable("https://nowhere.invalid".into(), "", 502, "dns_error");
    assert!(detail.contains("nowhere.invalid"), "{detail}");
}

#[test]
fn an_address_where_nobody_listens_is_a_refused_connection() {
    let address = closed_address();
    let url = format!("https://{address}");
    let detail = check_unreachable(url, "", 502, "connection_refused");
    assert!(detail.contains(&address.to_string()), "{detail}");
}

#[test]
fn connecting_without_end_is_given_up_in_time() {
    let queue = FullQueue::new();
    let url = format!("https://{}", queue.address());
    let detail = check_unreachable(url, "connect = '300ms'", 504, "connection_timeout");
    assert!(detail.contains("300 ms"), "{detail}");
}

#[test]
fn a_tls_handshake_without_end_is_given_up_in_time() {
    let upstream = Upstream::plain(|peer| peer.until_end().map(drop));
    let url = format!("https://{}", upstream.address());
    check_unreachable(url, "connect = '300ms'", 504, "connection_timeout");
    upstream.wait_ended(2);
}

#[test]
fn an_answer_that_does_not_begin_in_time_is_given_up_with_its_connection() {
    let parts: [&[u8]; REQUESTS.len()] = [
        b"",
        b"HTTP",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 102 Processing\r\n\r\n",
    ];
    let stage = Stage::with(
        |setup| setup.table("timeouts", "first_byte = '300ms'"),
        move |peer| {
            peer.request()?;
            peer.send(parts[peer.number])?;
            peer.until_end().map(drop)
        },
    );
    let mut client = stage.daemon.connect();
    for request in REQUESTS {
        client.send(request);
        problem(&mut client, 504, "http_response_timeout");
    }
    stage.upstream.wait_ended(REQUESTS.len());
    assert_eq!(stage.upstream.requests().len(), REQUESTS.len());
    stage.finish(&[failed(504, "http_response_timeout"); REQUESTS.len()]);
}

#[test]
fn an_upstream_that_takes_no_more_of_a_request_is_given_up_in_time() {
    let stage = Stage::with(
        |setup| setup.table("timeouts", "idle = '300ms'"),
        |peer| {
            peer.head()?;
            peer.pause()
        },
    );
    let mut client = stage.daemon.connect();
    const LENGTH: usize = 32 << 20;
    client.send(format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {LENGTH}\r\n\r\n"
    ));
    client.send(vec![b'x'; LENGTH]);
    problem(&mut client, 504, "connection_write_timeout");
    stage.upstream.go_on();
    drop(client);
    stage.finish(&[failed(504, "connection_write_timeout")]);
}

#[test]
fn content_that_stops_coming_is_given_up_in_time() {
    let stage = Stage::with(
        |setup| setup.table("timeouts", "idle = '300ms'"),
        |peer| {
            peer.request()?;
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok")?;
            peer.until_end().map(drop)
        },
    );
    let mut client = stage.ask(GET);
    assert_eq!(client.response_head().content_length(), Some(4));
    assert_eq!(client.rest(), (b"ok".to_vec(), End::Reset));
    stage.upstream.wait_ended(1);
    stage.finish(&[failed(200, "connection_read_timeout")]);
}

#[test]
fn a_kept_connection_that_has_died_costs_no_request() {
    for leave in WAYS_TO_LEAVE {
        let stage = Stage::new(move |peer| {
            peer.request()?;
            peer.send(OK)?;
            peer.pause()?;
            leave(peer);
            Ok(())
        });
        let mut client = stage.daemon.connect();
        for (index, request) in REQUESTS.iter().enumerate() {
            client.send(request);
            assert_eq!(client.response().body, b"ok");
            stage.upstream.go_on();
            stage.upstream.wait_ended(index + 1);
        }
        let requests = stage.upstream.requests();
        assert_eq!(requests.len(), REQUESTS.len());
        assert_eq!(stage.upstream.connections(), REQUESTS.len());
        for (request, sent) in requests.iter().zip(REQUESTS) {
            assert!(sent.ends_with(&request.body), "{request:?}");
        }
        stage.finish(&[fine(200); REQUESTS.len()]);
    }
}

#[test]
fn a_request_that_may_have_been_seen_is_never_sent_again() {
    for leave in WAYS_TO_LEAVE {
        for request in REQUESTS {
            let stage = Stage::new(move |peer| {
                if peer.number == 0 {
                    peer.request()?;
                    peer.send(OK)?;
                }
                peer.request()?;
                leave(peer);
                Ok(())
            });
            let mut client = stage.daemon.connect();
            // On a kept connection first, then on a new one.
            Stage::fetch_on(&mut client);
            for _ in 0..2 {
                client.send(request);
                problem(&mut client, 502, "connection_terminated");
            }
            assert_eq!(stage.upstream.requests().len(), 3);
            assert_eq!(stage.upstream.connections(), 2);
            let terminated = failed(502, "connection_terminated");
            let records = stage.finish(&[fine(200), terminated, terminated]);
            assert_eq!(records[1]["upstream.attempts"], 1);
        }
    }
}

#[test]
fn a_request_that_is_partly_out_is_never_sent_again() {
    for leave in WAYS_TO_LEAVE {
        let stage = Stage::new(move |peer| {
            peer.head()?;
            peer.content(3)?;
            leave(peer);
            Ok(())
        });
        let head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n";
        let mut client = stage.ask(format!("{head}abc"));
        problem(&mut client, 502, "connection_terminated");
        assert_eq!(stage.upstream.requests().len(), 1);
        assert_eq!(stage.upstream.connections(), 1);
        drop(client);
        stage.finish(&[failed(502, "connection_terminated")]);
    }
}

/// Answers that break off: what comes first, what comes last, and what is wrong with it.
const TRUNCATED: [(&str, &str, &str); 9] = [
    ("Content-Length: 9", "hello", INCOMPLETE),
    ("Transfer-Encoding: chunked", "", INCOMPLETE),
    ("Transfer-Encoding: chunked", "5\r\nhel", INCOMPLETE),
    ("Transfer-Encoding: chunked", "5\r\nhello\r\n", INCOMPLETE),
    (
        "Transfer-Encoding: chunked",
        "5\r\nhello\r\n0\r\n",
        INCOMPLETE,
    ),
    ("Transfer-Encoding: chunked", "0\r\nA: b\r\n", INCOMPLETE),
    ("Transfer-Encoding: chunked", "0x1\r\n", BAD_CHUNK),
    (
        "Transfer-Encoding: chunked",
        "5\r\nhelloworld\r\n0\r\n\r\n",
        BAD_CHUNK,
    ),
    ("Transfer-Encoding: chunked", "5\nhello\n0\n\n", BAD_CHUNK),
];
const INCOMPLETE: &str = "http_response_incomplete";
const BAD_CHUNK: &str = "http_response_transfer_coding";

#[test]
fn a_truncated_answer_aborts_the_clients_connection() {
    for leave in WAYS_TO_LEAVE {
        let stage = Stage::new(move |peer| {
            peer.request()?;
            // Each case serves a client of either version.
            let (framing, last, _) = TRUNCATED[peer.number / 2];
            peer.send(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n"))?;
            peer.pause()?;
            peer.send(last)?;
            leave(peer);
            Ok(())
        });
        let mut outcomes = Vec::new();
        for (framing, last, error) in TRUNCATED {
            for version in ["1.1", "1.0"] {
                let request = format!("GET / HTTP/{version}\r\nHost: localhost\r\n\r\n");
                let mut client = stage.ask(request);
                assert!(client.response_head().first_line().ends_with(b" 200 OK"));
                stage.upstream.go_on();
                let (content, end) = client.rest();
                assert_eq!(end, End::Reset, "{framing} {last:?} to HTTP/{version}");
                assert!(!content.ends_with(b"0\r\n\r\n"), "{framing} {last:?}");
                outcomes.push(failed(200, error));
            }
        }
        assert_eq!(stage.upstream.connections(), outcomes.len());
        stage.finish(&outcomes);
    }
}

#[test]
fn content_that_ends_with_the_connection_is_complete_only_if_that_ends_in_order() {
    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nhello";
    let script = |peer: &mut Peer| -> io::Result<()> {
        peer.request()?;
        peer.send(ANSWER)?;
        peer.pause()?;
        WAYS_TO_LEAVE[peer.number](peer);
        Ok(())
    };
    // Without TLS, nothing tells a cut connection from one that was closed.
    let stages = [
        (
            Stage::new(script),
            [fine(200), failed(200, "http_response_incomplete")],
        ),
        (Stage::plain(|setup| setup, script), [fine(200), fine(200)]),
    ];
    for (stage, [closed, cut]) in stages {
        let outcomes = [closed, cut, failed(200, "http_response_incomplete")];
        for (_, error) in outcomes {
            let mut client = stage.ask(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n");
            client.response_head();
            assert_eq!(client.bytes(5), b"hello");
            stage.upstream.go_on();
            let end = if error.is_some() {
                End::Reset
            } else {
                End::Closed
            };
            assert_eq!(client.rest(), (Vec::new(), end));
        }
        stage.finish(&outcomes);
    }
}

/// Sends each answer, on a connection of its own, to a client that stays.
#[track_caller]
fn check_answers(answers: Vec<(Vec<u8>, &'static str)>) {
    let bytes: Vec<_> = answers.iter().map(|(answer, _)| answer.clone()).collect();
    let count = bytes.len();
    let stage = Stage::new(move |peer| {
        peer.request()?;
        if let Some(answer) = bytes.get(peer.number) {
            // The daemon may hang up before it has all of it.
            let _ = peer.send(answer);
        } else {
            peer.send(OK)?;
        }
        peer.until_end().map(drop)
    });
    let mut client = stage.daemon.connect();
    let mut outcomes: Vec<Outcome> = Vec::new();
    for (answer, error) in &answers {
        let shown = answer[..answer.len().min(100)].escape_ascii().to_string();
        eprintln!("case: {shown}");
        client.send(GET);
        let detail = problem(&mut client, 502, error);
        assert!(detail.contains("can't be passed on"), "{detail}");
        outcomes.push(failed(502, error));
    }
    Stage::fetch_on(&mut client);
    outcomes.push(fine(200));
    assert_eq!(stage.upstream.connections(), count + 1);
    stage.upstream.wait_ended(count);
    stage.finish(&outcomes);
}

#[test]
fn a_status_line_that_can_not_be_passed_on_is_a_bad_gateway() {
    let lines = [
        "garbage",
        "SSH-2.0-OpenSSH_9.9",
        "<html>",
        "ICY 200 OK",
        "http/1.1 200 OK",
        "HTTP/2 200 OK",
        "HTTP/1.2 200 OK",
        "HTTP/0.9 200 OK",
        "HTTP/1.1  200 OK",
        "HTTP/1.1 99 Low",
        "HTTP/1.1 099 Low",
        "HTTP/1.1 000 Nothing",
        "HTTP/1.1 600 High",
        "HTTP/1.1 999 High",
        "HTTP/1.1 1000 High",
        "HTTP/1.1 -20 Negative",
        "HTTP/1.1 2xx Letters",
        "HTTP/1.1 ",
        "HTTP/1.1",
        "HTTP/1.1 200\tOK",
        "HTTP/1.1 200 O\x01K",
        "HTTP/1.1 200 O\rK",
        "HTTP/1.1 200 O\0K",
    ];
    let mut answers: Vec<_> = lines
        .into_iter()
        .map(|line| {
            let answer = format!("{line}\r\nContent-Length: 2\r\n\r\nok");
            (answer.into_bytes(), "http_protocol_error")
        })
        .collect();
    let long = format!("HTTP/1.1 200 {}", "x".repeat(9 << 10));
    answers.push((long.into_bytes(), "http_protocol_error"));
    answers.push((
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n".to_vec(),
        "http_upgrade_failed",
    ));
    check_answers(answers);
}

#[test]
fn a_field_section_that_can_not_be_passed_on_is_a_bad_gateway() {
    const PROTOCOL: &str = "http_protocol_error";
    const CODING: &str = "http_response_transfer_coding";
    const SIZE: &str = "http_response_header_section_size";
    let many = "A: b\r\n".repeat(101);
    let long = format!("A: {}\r\n", "b".repeat(300 << 10));
    let sections = [
        ("Content-Length: 2\r\nContent-Length: 3\r\n", PROTOCOL),
        ("Content-Length: 2, 3\r\n", PROTOCOL),
        ("Content-Length: 0x2\r\n", PROTOCOL),
        ("Content-Length: +2\r\n", PROTOCOL),
        ("Content-Length: -2\r\n", PROTOCOL),
        ("Content-Length: \r\n", PROTOCOL),
        ("Content-Length: 99999999999999999999\r\n", PROTOCOL),
        ("Transfer-Encoding: gzip, chunked\r\n", CODING),
        ("Transfer-Encoding: chunked, chunked\r\n", CODING),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            CODING,
        ),
        ("Transfer-Encoding: identity\r\n", CODING),
        ("Transfer-Encoding:\x0bchunked\r\n", PROTOCOL),
        ("A: b\r\n folded\r\nContent-Length: 2\r\n", PROTOCOL),
        (" A: b\r\nContent-Length: 2\r\n", PROTOCOL),
        ("A : b\r\nContent-Length: 2\r\n", PROTOCOL),
        (": b\r\nContent-Length: 2\r\n", PROTOCOL),
        ("no colon\r\nContent-Length: 2\r\n", PROTOCOL),
        ("A: b\0\r\nContent-Length: 2\r\n", PROTOCOL),
        ("A: b\rc\r\nContent-Length: 2\r\n", PROTOCOL),
        ("A: \x1b[31m\r\nContent-Length: 2\r\n", PROTOCOL),
        ("A: b\nContent-Length: 2\r\n", PROTOCOL),
        (&many, SIZE),
        (&long, SIZE),
    ];
    let mut answers: Vec<_> = sections
        .into_iter()
        .map(|(section, error)| {
            let answer = format!("HTTP/1.1 200 OK\r\n{section}\r\nok");
            (answer.into_bytes(), error)
        })
        .collect();
    let bare: &[u8] = b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok";
    let old: &[u8] = b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    answers.push((bare.to_vec(), PROTOCOL));
    answers.push((old.to_vec(), PROTOCOL));
    check_answers(answers);
}

#[test]
fn interim_answers_without_end_are_a_bad_gateway() {
    let stage = Stage::new(|peer| {
        peer.request()?;
        while peer.send(b"HTTP/1.1 102 Processing\r\n\r\n").is_ok() {}
        Ok(())
    });
    let mut client: Client = stage.ask(GET);
    problem(&mut client, 502, "http_protocol_error");
    stage.upstream.wait_ended(1);
    stage.finish(&[failed(502, "http_protocol_error")]);
}

#[test]
fn an_answer_in_both_framings_loses_its_length() {
    let stage = Stage::new(|peer| {
        peer.answer_all(
            "HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        )
    });
    let mut client = stage.daemon.connect();
    for _ in 0..2 {
        client.send(GET);
        let response = client.response();
        assert!(!response.head.has("content-length"), "{response:?}");
        assert!(response.head.is_chunked());
        assert_eq!(response.body, b"ok");
    }
    stage.finish(&[fine(200); 2]);
}

//! An upstream that can't be reached, that is too slow, or that leaves before its answer is whole.

mod support;

use std::io;

use support::{
    client::End,
    peer::{Peer, WAYS_TO_LEAVE},
    setup::Setup,
    stage::{GET, OK, POST, REQUESTS, Stage, failed, fine, finish, problem},
    upstream::{FullQueue, Upstream, closed_address},
};

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
    assert_eq!(records[0]["upstream.attempts"], 1);
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
fn an_address_that_no_route_leads_to_is_unroutable() {
    // TCP knows no broadcast, which the system says before a packet is sent.
    let detail = check_unreachable(
        "https://127.255.255.255".into(),
        "",
        502,
        "destination_ip_unroutable",
    );
    assert!(detail.contains("127.255.255.255"), "{detail}");
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
        b"HTTP/1.1 100 Continue\r\n\r\n",
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

/// Answers that break off: how they are framed, what comes after the head, what of that is content to be passed on, and
/// what is wrong.
const TRUNCATED: [(&str, &str, &str, &str); 11] = [
    (LENGTH, "", "", INCOMPLETE),
    (LENGTH, "hello", "hello", INCOMPLETE),
    (CHUNKED, "", "", INCOMPLETE),
    (CHUNKED, "5\r\nhel", "hel", INCOMPLETE),
    (CHUNKED, "5\r\nhello\r\n", "hello", INCOMPLETE),
    (CHUNKED, "5\r\nhello\r\n0\r\n", "hello", INCOMPLETE),
    (CHUNKED, "0\r\nA: b\r\n", "", INCOMPLETE),
    (CHUNKED, "0x1\r\n", "", BAD_CHUNK),
    (CHUNKED, "+5\r\nhello\r\n0\r\n\r\n", "", BAD_CHUNK),
    (CHUNKED, "5\r\nhelloworld\r\n0\r\n\r\n", "", BAD_CHUNK),
    (CHUNKED, "5\nhello\n0\n\n", "", BAD_CHUNK),
];
const LENGTH: &str = "Content-Length: 9";
const CHUNKED: &str = "Transfer-Encoding: chunked";
const INCOMPLETE: &str = "http_response_incomplete";
const BAD_CHUNK: &str = "http_response_transfer_coding";

#[test]
fn a_truncated_answer_aborts_the_clients_connection() {
    for leave in WAYS_TO_LEAVE {
        let stage = Stage::new(move |peer| {
            peer.request()?;
            // Each case serves a client of either version.
            let (framing, last, ..) = TRUNCATED[peer.number / 2];
            peer.send(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n"))?;
            peer.pause()?;
            peer.send(last)?;
            leave(peer);
            Ok(())
        });
        let mut outcomes = Vec::new();
        for (framing, last, _, error) in TRUNCATED {
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

/// Answers as the target says, all of it at once, and leaves unless that is all right.
fn cut_short(peer: &mut Peer, leave: fn(&mut Peer)) -> io::Result<()> {
    loop {
        let request = peer.request()?;
        let line = String::from_utf8_lossy(request.head.first_line()).into_owned();
        let case = TRUNCATED
            .iter()
            .zip(0..)
            .find(|(_, number)| line.contains(&format!("/{number} ")));
        let Some(((framing, last, ..), _)) = case else {
            peer.send(OK)?;
            continue;
        };
        peer.send(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n{last}"))?;
        leave(peer);
        return Ok(());
    }
}

/// Has every answer cut short, some times over, on a client's connection that ends so.
#[track_caller]
fn check_cut_short(stage: Stage, expected_end: End) {
    let mut outcomes = Vec::new();
    let mut lengths = Vec::new();
    for _ in 0..5 {
        for ((framing, last, content, error), number) in TRUNCATED.into_iter().zip(0..) {
            for version in ["1.1", "1.0"] {
                let mut client = stage.daemon.connect();
                if version == "1.1" {
                    // On a connection that was in use, a client takes a mere close for no answer.
                    Stage::fetch_on(&mut client);
                    outcomes.push(fine(200));
                    lengths.push(2);
                }
                client.send(format!(
                    "POST /{number} HTTP/{version}\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"
                ));
                let head = client.response_head();
                assert!(head.first_line().ends_with(b" 200 OK"), "{head:?}");
                let expected = if head.is_chunked() && !content.is_empty() {
                    format!("{:x}\r\n{content}\r\n", content.len())
                } else {
                    content.to_owned()
                };
                assert_eq!(
                    client.rest(),
                    (expected.into_bytes(), expected_end),
                    "{framing} {last:?} to HTTP/{version}"
                );
                outcomes.push(failed(200, error));
                lengths.push(content.len());
            }
        }
    }
    // None was sent a second time.
    assert_eq!(stage.upstream.requests().len(), outcomes.len());
    for (record, length) in stage.finish(&outcomes).iter().zip(lengths) {
        assert_eq!(record["http.response.body.size"], length, "{record:#}");
    }
}

#[test]
fn an_answer_that_comes_at_once_and_truncated_is_passed_on_and_aborted() {
    for leave in WAYS_TO_LEAVE {
        let script = move |peer: &mut Peer| cut_short(peer, leave);
        check_cut_short(Stage::new(script), End::Reset);
        check_cut_short(Stage::plain(|setup| setup, script), End::Reset);
    }
}

#[test]
fn an_answer_that_comes_at_once_and_truncated_is_passed_on_to_a_unix_socket() {
    let script = |peer: &mut Peer| cut_short(peer, Peer::close);
    // There is no reset.
    let stage = Stage::with(Setup::listen_on_unix_socket, script);
    check_cut_short(stage, End::Closed);
}

#[test]
fn an_answer_to_head_is_whole_without_its_content() {
    let stage = Stage::new(|peer| cut_short(peer, Peer::close));
    let mut client = stage.daemon.connect();
    for number in 0..TRUNCATED.len() {
        client.send(format!(
            "HEAD /{number} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        ));
        assert_eq!(client.response_to_head().status, 200);
    }
    Stage::fetch_on(&mut client);
    stage.finish(&[fine(200); TRUNCATED.len() + 1]);
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

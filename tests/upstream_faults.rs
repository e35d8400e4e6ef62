//! An upstream that can't be reached, that is too slow, or that leaves before its answer is whole.

mod support;

use std::io;

use support::{
    client::End,
    peer::{Peer, WAYS_TO_LEAVE},
    setup::Setup,
    stage::{GET, POST, REQUESTS, Stage, failed, fine, finish, problem},
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

//! Upstream connections: when one serves several requests, and when it must not.

mod support;

use std::mem;

use rustix::process::Signal;
use support::{
    peer::{Peer, WAYS_TO_LEAVE},
    stage::{GET, OK, POST, Stage, failed, fine, problem},
};

#[test]
fn one_upstream_connection_serves_requests_that_follow_each_other() {
    let stage = Stage::new(|peer| peer.answer_all(OK));
    let mut client = stage.daemon.connect();
    for _ in 0..10 {
        Stage::fetch_on(&mut client);
    }
    for _ in 0..5 {
        stage.fetch();
    }
    for _ in 0..5 {
        client.send(POST);
        assert_eq!(client.response().body, b"ok");
    }
    assert_eq!(stage.upstream.connections(), 1);
    stage.finish(&[fine(200); 20]);
}

#[test]
fn an_idle_connection_is_closed_when_its_time_is_up() {
    let stage = Stage::with(
        |setup| setup.table("timeouts", "pool_idle = '300ms'"),
        |peer| peer.answer_all(OK),
    );
    let mut client = stage.daemon.connect();
    for round in 1..=3 {
        Stage::fetch_on(&mut client);
        Stage::fetch_on(&mut client);
        stage.upstream.wait_ended(round);
    }
    assert_eq!(stage.upstream.connections(), 3);
    stage.finish(&[fine(200); 6]);
}

#[test]
fn requests_at_the_same_time_get_a_connection_each() {
    const CLIENTS: usize = 8;
    let stage = Stage::new(|peer| {
        peer.request()?;
        peer.pause()?;
        peer.send(OK)?;
        peer.answer_all(OK)
    });
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| stage.ask(GET)).collect();
    stage
        .upstream
        .wait("all requests", |seen| seen.requests.len() == CLIENTS);
    assert_eq!(stage.upstream.connections(), CLIENTS);
    for _ in 0..CLIENTS {
        stage.upstream.go_on();
    }
    for client in &mut clients {
        assert_eq!(client.response().body, b"ok");
    }
    // All of them are kept.
    for client in clients.iter_mut().rev() {
        Stage::fetch_on(client);
    }
    assert_eq!(stage.upstream.connections(), CLIENTS);
    stage.finish(&[fine(200); 2 * CLIENTS]);
}

#[test]
fn pipelined_requests_use_one_connection_in_turn() {
    let stage = Stage::new(|peer| peer.answer_all(OK));
    let mut client = stage.ask([GET, POST, GET].concat());
    for _ in 0..3 {
        assert_eq!(client.response().body, b"ok");
    }
    let lines: Vec<_> = stage
        .upstream
        .requests()
        .iter()
        .map(|request| request.head.first_line().to_vec())
        .collect();
    let get = b"GET /thing HTTP/1.1".to_vec();
    assert_eq!(lines, [get.clone(), b"POST /thing HTTP/1.1".to_vec(), get]);
    assert_eq!(stage.upstream.connections(), 1);
    stage.finish(&[fine(200); 3]);
}

#[test]
fn a_connection_that_can_not_go_on_is_never_used_again() {
    // What comes after an answer must never be taken for the answer to the next request.
    const ANSWERS: [&str; 9] = [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nconnection: x, CLOSE\r\n\r\nok",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
    ];
    let stage = Stage::new(|peer| {
        peer.request()?;
        peer.send(ANSWERS[peer.number])?;
        peer.until_end().map(drop)
    });
    let mut client = stage.daemon.connect();
    let mut outcomes = Vec::new();
    for (index, answer) in ANSWERS.iter().enumerate() {
        client.send(GET);
        let response = client.response();
        assert!(
            answer[9..].starts_with(&response.status.to_string()),
            "{answer:?}"
        );
        assert!(
            [&b"ok"[..], b""].contains(&&response.body[..]),
            "{answer:?}"
        );
        assert_eq!(stage.upstream.connections(), index + 1, "{answer:?}");
        outcomes.push(fine(response.status));
    }
    assert_eq!(stage.upstream.requests().len(), ANSWERS.len());
    stage.finish(&outcomes);
}

#[test]
fn bytes_on_an_idle_connection_answer_nothing() {
    let stage = Stage::new(|peer| {
        peer.request()?;
        peer.send(OK)?;
        if peer.number == 0 {
            peer.pause()?;
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")?;
            peer.tell();
        }
        peer.until_end().map(drop)
    });
    let mut client = stage.daemon.connect();
    Stage::fetch_on(&mut client);
    stage.upstream.go_on();
    stage.upstream.wait("the bytes", |seen| seen.told == 1);
    Stage::fetch_on(&mut client);
    assert_eq!(stage.upstream.connections(), 2);
    stage.finish(&[fine(200); 2]);
}

#[test]
fn a_connection_that_dies_while_the_daemon_looks_away_is_found_dead() {
    const ROUNDS: usize = 20;
    for leave in WAYS_TO_LEAVE {
        let script = move |peer: &mut Peer| {
            peer.request()?;
            peer.send(OK)?;
            peer.pause()?;
            leave(peer);
            Ok(())
        };
        for stage in [Stage::new(script), Stage::plain(|setup| setup, script)] {
            // In turn: where there are several threads, one watches the connection, and another is asked for it.
            let [mut client, mut next] = [stage.ask(GET), stage.daemon.connect()];
            for round in 1..ROUNDS {
                assert_eq!(client.response().body, b"ok");
                // The upstream leaves, a client asks, and only then the daemon hears of both.
                stage.daemon.signal(Signal::STOP);
                stage.upstream.go_on();
                stage.upstream.wait_all_ended(round);
                next.send(if round % 2 == 0 { GET } else { POST });
                stage.daemon.signal(Signal::CONT);
                mem::swap(&mut client, &mut next);
            }
            assert_eq!(client.response().body, b"ok");
            assert_eq!(stage.upstream.requests().len(), ROUNDS);
            stage.finish(&[fine(200); ROUNDS]);
        }
    }
}

#[test]
fn what_tls_has_to_say_on_an_idle_connection_does_not_end_it() {
    let stage = Stage::new(|peer| {
        for _ in 0..3 {
            peer.request()?;
            peer.send(OK)?;
            peer.pause()?;
            peer.change_keys()?;
            peer.tell();
        }
        peer.until_end().map(drop)
    });
    let mut client = stage.daemon.connect();
    for round in 1..=3 {
        Stage::fetch_on(&mut client);
        stage.upstream.go_on();
        stage.upstream.wait("new keys", |seen| seen.told == round);
    }
    assert_eq!(stage.upstream.connections(), 1);
    stage.finish(&[fine(200); 3]);
}

#[test]
fn content_behind_an_answer_to_head_ends_the_connection() {
    let stage = Stage::new(|peer| {
        peer.request()?;
        peer.send(OK)?;
        peer.until_end().map(drop)
    });
    let mut client = stage.daemon.connect();
    for _ in 0..2 {
        client.send(b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_eq!(client.response_to_head().head.content_length(), Some(2));
    }
    assert_eq!(stage.upstream.connections(), 2);
    stage.finish(&[fine(200); 2]);
}

#[test]
fn a_connection_with_an_upload_that_is_not_over_is_never_used_again() {
    let stage = Stage::new(|peer| {
        let request = peer.head()?;
        if peer.number == 0 {
            assert_eq!(request.head.content_length(), Some(9));
            peer.content(3)?;
        }
        peer.send(OK)?;
        peer.until_end().map(drop)
    });
    let mut uploading =
        stage.ask(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc");
    assert_eq!(uploading.response().body, b"ok");
    // The rest of the upload is still to come.
    stage.fetch();
    assert_eq!(stage.upstream.connections(), 2);
    drop(uploading);
    stage.finish(&[fine(200); 2]);
}

#[test]
fn a_connection_whose_client_left_is_never_used_again() {
    let stage = Stage::new(|peer| {
        peer.request()?;
        if peer.number == 0 {
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel")?;
        } else {
            peer.send(OK)?;
        }
        peer.until_end().map(drop)
    });
    let mut client = stage.ask(GET);
    client.response_head();
    drop(client);
    stage.upstream.wait_ended(1);
    stage.fetch();
    assert_eq!(stage.upstream.connections(), 2);
    stage.finish(&[failed(200, "client_disconnected"), fine(200)]);
}

#[test]
fn a_connection_that_was_too_slow_is_never_used_again() {
    let stage = Stage::with(
        |setup| setup.table("timeouts", "first_byte = '300ms'"),
        |peer| {
            if peer.number > 0 {
                return peer.answer_all(OK);
            }
            peer.request()?;
            peer.until_end().map(drop)
        },
    );
    let mut client = stage.ask(GET);
    problem(&mut client, 504, "http_response_timeout");
    Stage::fetch_on(&mut client);
    stage.upstream.wait_ended(1);
    assert_eq!(stage.upstream.connections(), 2);
    stage.finish(&[failed(504, "http_response_timeout"), fine(200)]);
}

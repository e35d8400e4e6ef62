//! Content that streams: events as they come, and more of it than memory would hold.

#![expect(
    clippy::unwrap_used,
    reason = "clippy allows it in functions marked as tests alone"
)]

mod support;

use std::fs;

use support::{
    peer::Peer,
    setup::Setup,
    stage::{GET, OK, Stage, failed, fine, problem},
};

/// How much passes, each way.
const LENGTH: usize = 64 << 20;

/// How much more memory the daemon may have used at any time.
const GROWTH: usize = 16 << 20;

/// The most bytes that wait for a peer that takes none, here and with the system: as long as they last, nobody sees whether
/// the peer reads.
const MOST_WAITING: u64 = 2 << 20;

/// The most memory that the daemon has used at any time, in bytes.
fn peak(stage: &Stage) -> usize {
    let id = stage.daemon.process().id();
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.unwrap().trim().trim_end_matches(" kB");
    kib.parse::<usize>().unwrap() * 1024
}

#[test]
fn each_event_reaches_the_client_before_the_next_is_sent() {
    let framings = [
        ("Transfer-Encoding: chunked\r\n\r\n", true),
        ("Cache-Control: no-store\r\n\r\n", false),
    ];
    for (framing, chunked) in framings {
        let stage = Stage::new(move |peer| {
            peer.request()?;
            peer.send(format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{framing}"
            ))?;
            for _ in 0..5 {
                peer.pause()?;
                let event = "data: x\n\n";
                if chunked {
                    peer.send(format!("{:x}\r\n{event}\r\n", event.len()))?;
                } else {
                    peer.send(event)?;
                }
            }
            peer.pause()?;
            peer.send(if chunked { "0\r\n\r\n" } else { "" })
        });
        let mut client = stage.ask(GET);
        let head = client.response_head();
        assert_eq!(head.only("content-type"), "text/event-stream");
        for _ in 0..5 {
            stage.upstream.go_on();
            assert_eq!(client.bytes(14), b"9\r\ndata: x\n\n\r\n");
        }
        stage.upstream.go_on();
        assert_eq!(client.bytes(5), b"0\r\n\r\n");
        stage.finish(&[fine(200)]);
    }
}

#[test]
fn an_event_stream_outlasts_every_timeout_but_the_idle_one() {
    let timeouts = "connect = '300ms'\nrequest_headers = '300ms'\nfirst_byte = '300ms'\n\
                    keep_alive = '300ms'\npool_idle = '300ms'";
    let stage = Stage::plain(
        |setup| setup.table("timeouts", timeouts),
        |peer| {
            peer.request()?;
            if peer.number > 0 {
                return peer.until_end().map(drop);
            }
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")?;
            for _ in 0..2 {
                peer.pause()?;
                peer.send(b"data: x\n\n")?;
            }
            Ok(())
        },
    );
    let mut client = stage.ask(GET);
    client.response_head();
    for _ in 0..2 {
        // The time is told by the timeouts of others.
        for _ in 0..2 {
            problem(&mut stage.ask(GET), 504, "http_response_timeout");
        }
        stage.upstream.go_on();
        assert_eq!(client.bytes(14), b"9\r\ndata: x\n\n\r\n");
    }
    assert_eq!(client.bytes(5), b"0\r\n\r\n");
    let late = failed(504, "http_response_timeout");
    stage.finish(&[late, late, late, late, fine(200)]);
}

#[test]
fn content_of_any_length_takes_no_memory_whichever_way_it_goes() {
    let stage = Stage::plain(
        |setup| setup,
        |peer| {
            peer.request()?;
            peer.send(OK)?;
            peer.head()?;
            peer.content(LENGTH)?;
            peer.send(OK)?;
            peer.request()?;
            peer.send(format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n"
            ))?;
            peer.send(vec![b'x'; LENGTH])?;
            peer.until_end().map(drop)
        },
    );
    let mut client = stage.daemon.connect();
    Stage::fetch_on(&mut client);
    let before = peak(&stage);
    client.send(format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {LENGTH}\r\n\r\n"
    ));
    client.send(vec![b'x'; LENGTH]);
    assert_eq!(client.response().body, b"ok");
    client.send(GET);
    assert_eq!(client.response().body.len(), LENGTH);
    let growth = peak(&stage) - before;
    assert!(growth < GROWTH, "{growth} bytes");
    let records = stage.finish(&[fine(200); 3]);
    assert_eq!(records[1]["http.request.body.size"], LENGTH);
    assert_eq!(records[2]["http.response.body.size"], LENGTH);
}

#[test]
fn content_that_nobody_takes_waits_where_it_comes_from() {
    let stage = Stage::plain(
        |setup| setup.table("timeouts", "idle = '500ms'"),
        |peer| {
            peer.request()?;
            peer.send(OK)?;
            peer.request()?;
            peer.send(format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n"
            ))?;
            let taken = (0..LENGTH >> 20)
                .take_while(|_| peer.send(vec![b'x'; 1 << 20]).is_ok())
                .count();
            assert!(taken < LENGTH >> 20, "all of it was taken");
            Ok(())
        },
    );
    let mut client = stage.daemon.connect();
    Stage::fetch_on(&mut client);
    let before = peak(&stage);
    client.send(GET);
    client.response_head();
    stage.daemon.log().exchanges(2);
    let growth = peak(&stage) - before;
    assert!(growth < GROWTH, "{growth} bytes");
    stage.upstream.wait_ended(1);
    drop(client);
    let record = stage.daemon.log().exchange(1);
    assert_eq!(record["http.response.status_code"], 200);
    let taken = record["http.response.body.size"].as_u64();
    assert!(taken < Some(MOST_WAITING), "{record:#}");
    assert!(record["error.type"].is_string(), "{record:#}");
    assert_eq!(stage.daemon.stop().0, Some(0));
}

#[test]
fn an_upload_that_nobody_takes_waits_where_it_comes_from() {
    let set_up = |setup: Setup| setup.table("timeouts", "idle = '500ms'");
    let script = |peer: &mut Peer| {
        peer.head()?;
        peer.pause()
    };
    for stage in [Stage::with(set_up, script), Stage::plain(set_up, script)] {
        let mut client = stage.ask(format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {LENGTH}\r\n\r\n"
        ));
        client.send(vec![b'x'; LENGTH]);
        problem(&mut client, 504, "connection_write_timeout");
        drop(client);
        let records = stage.finish(&[failed(504, "connection_write_timeout")]);
        let taken = records[0]["http.request.body.size"].as_u64();
        assert!(taken < Some(MOST_WAITING), "{:#}", records[0]);
    }
}

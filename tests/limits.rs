//! Limits of time and number: slow clients, too many of them, and no descriptors left.

mod support;

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use support::{
    client::{Client, End},
    log::records,
    stage::{GET, OK, POST, Stage, eventually, failed, fine, problem},
};

const TIMEOUT: &str = "http_request_error";

#[test]
fn a_head_that_does_not_come_to_its_end_in_time_is_refused() {
    let stage = Stage::with(
        |setup| setup.table("timeouts", "request_headers = '300ms'"),
        |peer| peer.answer_all(OK),
    );
    let parts: [&[u8]; 3] = [b"G", b"GET / HTTP/1.1\r\nHost", &GET[..GET.len() - 1]];
    for part in parts {
        let mut client = stage.ask(part);
        problem(&mut client, 408, TIMEOUT);
        client.expect_close();
    }
    // A later request on a connection has no more time than the first.
    let mut client = stage.daemon.connect();
    Stage::fetch_on(&mut client);
    client.send(b"GET");
    problem(&mut client, 408, TIMEOUT);
    client.expect_close();
    drop(client);
    let late = failed(408, TIMEOUT);
    let records = stage.finish(&[late, late, late, fine(200), late]);
    // An exchange begins with the first byte of its head.
    for record in records.iter().filter(|record| record["level"] == "WARN") {
        let duration = record["duration_ms"].as_f64();
        assert!(duration >= Some(300.0), "{record:#}");
    }
}

#[test]
fn a_head_that_trickles_gains_no_time() {
    let stage = Stage::with(
        |setup| setup.table("timeouts", "request_headers = '300ms'"),
        |peer| peer.answer_all(OK),
    );
    let started = Instant::now();
    let mut client = stage.ask(b"GET / HTTP/1.1\r\nHost: localhost\r\nA: ");
    while support::log::exchanges(&stage.daemon.log().lines()).is_empty() {
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "still waited for"
        );
        client.send(b"a");
        thread::park_timeout(Duration::from_millis(50));
    }
    problem(&mut client, 408, TIMEOUT);
    drop(client);
    stage.finish(&[failed(408, TIMEOUT)]);
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let stage = Stage::with(
        |setup| setup.table("timeouts", "keep_alive = '300ms'"),
        |peer| peer.answer_all(OK),
    );
    let mut fresh = stage.daemon.connect();
    let mut kept = stage.daemon.connect();
    Stage::fetch_on(&mut kept);
    kept.expect_close();
    fresh.expect_close();
    stage.finish(&[fine(200)]);
}

#[test]
fn content_that_does_not_go_on_in_time_is_given_up() {
    let framings = ["Content-Length: 9", "Transfer-Encoding: chunked"];
    let stage = Stage::with(
        |setup| setup.table("timeouts", "idle = '300ms'"),
        |peer| {
            peer.head()?;
            peer.until_end().map(drop)
        },
    );
    for (number, framing) in framings.iter().enumerate() {
        let head = format!("POST / HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n");
        let mut client = stage.ask(format!("{head}5\r\nhe"));
        problem(&mut client, 408, TIMEOUT);
        stage.upstream.wait_ended(number + 1);
        client.expect_close();
    }
    stage.finish(&[failed(408, TIMEOUT); 2]);
}

#[test]
fn content_that_trickles_is_waited_for_as_long_as_it_goes_on() {
    // The time is told by the timeouts of others.
    let clock = Stage::with(
        |setup| setup.table("timeouts", "first_byte = '500ms'"),
        |peer| peer.until_end().map(drop),
    );
    let stage = Stage::with(
        |setup| setup.table("timeouts", "idle = '900ms'\nfirst_byte = '900ms'"),
        |peer| peer.answer_all(OK),
    );
    let forms = "Content-Type: application/x-www-form-urlencoded\r\n";
    let mut clients = ["", forms].map(|fields| {
        stage.ask(format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\n{fields}Content-Length: 3\r\n\r\n"
        ))
    });
    for _ in 0..3 {
        problem(&mut clock.ask(GET), 504, "http_response_timeout");
        clients.iter_mut().for_each(|client| client.send("a"));
    }
    for client in &mut clients {
        assert_eq!(client.response().body, b"ok");
    }
    for request in stage.upstream.requests() {
        assert_eq!(request.body, b"aaa");
    }
    stage.finish(&[fine(200); 2]);
}

#[test]
fn an_answer_is_waited_for_as_long_as_the_upload_goes_on() {
    // The time is told by the timeouts of others.
    let clock = Stage::with(
        |setup| setup.table("timeouts", "first_byte = '500ms'"),
        |peer| peer.until_end().map(drop),
    );
    let stage = Stage::with(
        |setup| setup.table("timeouts", "idle = '900ms'\nfirst_byte = '900ms'"),
        |peer| {
            // Begins at once, and goes on when it has all.
            peer.head()?;
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")?;
            peer.content(3)?;
            peer.send(b"ok")?;
            peer.until_end().map(drop)
        },
    );
    let mut client = stage.ask(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n");
    client.response_head();
    for _ in 0..3 {
        problem(&mut clock.ask(GET), 504, "http_response_timeout");
        client.send("a");
    }
    assert_eq!(client.bytes(2), b"ok");
    stage.finish(&[fine(200)]);
}

#[test]
fn a_form_that_does_not_go_on_in_time_is_given_up() {
    let stage = Stage::with(
        |setup| setup.table("timeouts", "idle = '300ms'"),
        |peer| peer.answer_all(OK),
    );
    let mut client = stage.ask(
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\na=b",
    );
    problem(&mut client, 408, TIMEOUT);
    client.expect_close();
    assert!(stage.upstream.requests().is_empty());
    drop(client);
    let records = stage.finish(&[failed(408, TIMEOUT)]);
    assert_eq!(records[0]["upstream.attempts"], 0);
}

#[test]
fn a_client_that_reads_nothing_is_given_up_with_its_upstream_connection() {
    let stage = Stage::with(
        |setup| setup.table("timeouts", "idle = '300ms'"),
        |peer| {
            peer.request()?;
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")?;
            while peer.send(vec![b'x'; 1 << 20]).is_ok() {}
            Ok(())
        },
    );
    let client = stage.ask(GET);
    stage.upstream.wait_ended(1);
    let records = stage.daemon.log().exchanges(1);
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["http.response.status_code"], 200);
    assert!(records[0]["error.type"].is_string(), "{:#}", records[0]);
    drop(client);
    assert_eq!(stage.daemon.stop().0, Some(0));
}

#[test]
fn a_connection_over_the_limit_is_told_so_and_the_others_are_unharmed() {
    let stage = Stage::with(
        |setup| setup.table("limits", "connections = 2"),
        |peer| peer.answer_all(OK),
    );
    let mut served = [stage.daemon.connect(), stage.daemon.connect()];
    served.iter_mut().for_each(Stage::fetch_on);
    for _ in 0..3 {
        let mut refused = stage.ask(GET);
        problem(&mut refused, 503, "connection_limit_reached");
        refused.expect_close();
    }
    served.iter_mut().for_each(Stage::fetch_on);
    let [mut stays, leaves] = served;
    drop(leaves);
    // Once one has left, another is served.
    let mut next = None;
    eventually("a client is served", || {
        let mut client: Client = stage.ask(GET);
        let response = client.response();
        next = (response.status == 200).then_some(client);
        next.is_some()
    });
    Stage::fetch_on(&mut stays);
    Stage::fetch_on(&mut next.unwrap());
    assert_eq!(stage.daemon.stop().0, Some(0));
}

#[test]
fn without_descriptors_the_daemon_waits_and_then_goes_on() {
    let stage = Stage::with(
        |setup| setup.prelude("ulimit -n 40"),
        |peer| peer.answer_all(OK),
    );
    let mut first = stage.daemon.connect();
    Stage::fetch_on(&mut first);
    let clients: Vec<_> = (0..60).map(|_| stage.daemon.connect()).collect();
    let complaints = || {
        let lines = stage.daemon.log().lines();
        records(&lines)
            .filter(|record| record["message"].as_str().unwrap().contains("can't accept"))
            .count()
    };
    // The time that it has spent computing, in ticks of 10 ms.
    let ticks = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", stage.daemon.process().id()));
        let stat = stat.unwrap();
        let (_, after_name) = stat.rsplit_once(") ").unwrap();
        let fields = after_name.split(' ').skip(11).take(2);
        fields
            .map(|field| field.parse::<u64>().unwrap())
            .sum::<u64>()
    };
    eventually("descriptors run out", || complaints() > 0);
    // It waits between its attempts, says so once, and serves those that it has.
    let (before, started) = (ticks(), Instant::now());
    eventually("it has tried again some times", || {
        started.elapsed() >= Duration::from_millis(500)
    });
    assert!(ticks() - before < 20);
    assert_eq!(complaints(), 1);
    Stage::fetch_on(&mut first);
    drop(clients);
    stage.fetch();
    Stage::fetch_on(&mut first);
    assert_eq!(stage.upstream.connections(), 1);
    stage.finish(&[fine(200); 4]);
}

#[test]
fn without_a_descriptor_for_the_upstream_an_exchange_fails_and_harms_no_other() {
    let stage = Stage::with(
        |setup| setup.prelude("ulimit -n 40"),
        |peer| peer.answer_all(OK),
    );
    let mut asks = stage.daemon.connect();
    let idle: Vec<_> = (0..60).map(|_| stage.daemon.connect()).collect();
    eventually("descriptors run out", || {
        let lines = stage.daemon.log().lines();
        lines.iter().any(|line| line.contains("can't accept"))
    });
    asks.send(GET);
    let detail = problem(&mut asks, 502, "destination_unavailable");
    assert!(detail.contains("Too many open files"), "{detail}");
    drop(idle);
    eventually("there are descriptors again", || {
        asks.send(GET);
        asks.response().status == 200
    });
    stage.fetch();
    let (code, lines) = stage.daemon.stop();
    assert_eq!(code, Some(0), "{lines:#?}");
    let warned = |line: &String| line.contains("only 40 files may be open");
    assert!(lines.iter().any(warned), "{lines:#?}");
    let records = support::log::exchanges(&lines);
    assert_eq!(records[0]["http.response.status_code"], 502);
    assert_eq!(records[0]["error.type"], "destination_unavailable");
    assert_eq!(stage.upstream.connections(), 1);
}

#[test]
fn clients_over_the_limit_that_ask_nothing_do_not_keep_others_from_being_told() {
    let stage = Stage::with(
        |setup| setup.table("limits", "connections = 1"),
        |peer| peer.answer_all(OK),
    );
    let mut served = stage.daemon.connect();
    Stage::fetch_on(&mut served);
    let silent: Vec<_> = (0..100).map(|_| stage.daemon.connect()).collect();
    // Long before timeouts.keep_alive, which is 75 s.
    for mut client in silent {
        client.expect_close();
    }
    let mut refused = stage.ask(GET);
    problem(&mut refused, 503, "connection_limit_reached");
    Stage::fetch_on(&mut served);
    stage.finish(&[
        fine(200),
        failed(503, "connection_limit_reached"),
        fine(200),
    ]);
}

#[test]
fn a_refused_upload_is_drained_and_its_answer_arrives() {
    let stage = Stage::with(
        |setup| setup.table("limits", "connections = 1"),
        |peer| peer.answer_all(OK),
    );
    let mut served = stage.daemon.connect();
    Stage::fetch_on(&mut served);
    let mut refused =
        stage.ask(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000000\r\n\r\n");
    refused.send(vec![b'x'; 4_000_000]);
    problem(&mut refused, 503, "connection_limit_reached");
    assert_eq!(refused.rest().1, End::Closed);
    drop(refused);
    stage.finish(&[fine(200), failed(503, "connection_limit_reached")]);
}

#[test]
fn a_client_that_leaves_behind_a_pipelined_request_takes_its_upstream_connection_and_its_place_with_it()
 {
    let whole = [GET, GET].concat();
    let partial = [GET, b"POST /next HTTP/1.1\r\nContent-Le"].concat();
    let within_content = [GET, &POST[..POST.len() - 1]].concat();
    for (first, later) in [(&whole, GET), (&partial, b"G"), (&within_content, POST)] {
        let stage = Stage::with(
            |setup| setup.table("limits", "connections = 2"),
            |peer| {
                if peer.number < 2 {
                    peer.request()?;
                    return peer.until_end().map(drop);
                }
                peer.answer_all(OK)
            },
        );
        // One sends all of it at once, the other while the upstream thinks.
        let (at_once, mut in_turn) = (stage.ask(first), stage.ask(GET));
        stage
            .upstream
            .wait("both requests", |seen| seen.requests.len() == 2);
        in_turn.send(later);
        drop((at_once, in_turn));
        // Long before timeouts.first_byte.
        stage.upstream.wait_ended(2);
        let mut refused = 0;
        eventually("a client is served", || {
            let status = stage.ask(GET).response().status;
            refused += usize::from(status == 503);
            status == 200
        });
        let (code, lines) = stage.daemon.stop();
        assert_eq!(code, Some(0), "{lines:#?}");
        let mut outcomes: Vec<_> = support::log::exchanges(&lines)
            .iter()
            .map(|record| record["error.type"].as_str().unwrap_or("").to_owned())
            .collect();
        outcomes.sort();
        let left = ["", "client_disconnected", "client_disconnected"];
        let expected = [&left[..], &vec!["connection_limit_reached"; refused]].concat();
        assert_eq!(outcomes, expected, "{lines:#?}");
        assert_eq!(stage.upstream.requests().len(), 3);
    }
}

#[test]
fn an_answer_that_is_given_up_is_reset_where_its_end_would_look_like_a_close() {
    for version in ["1.0", "1.1"] {
        let stage = Stage::with(
            |setup| setup.table("timeouts", "idle = '300ms'"),
            |peer| {
                peer.request()?;
                peer.send(b"HTTP/1.1 200 OK\r\n\r\n")?;
                while peer.send(vec![b'x'; 1 << 20]).is_ok() {}
                Ok(())
            },
        );
        let mut client = stage.ask(format!("GET / HTTP/{version}\r\nHost: localhost\r\n\r\n"));
        stage.upstream.wait_ended(1);
        let record = stage.daemon.log().exchange(0);
        assert!(record["error.type"].is_string(), "{record:#}");
        let (_, end) = client.rest();
        assert_eq!(end, End::Reset, "{version}");
        assert_eq!(stage.daemon.stop().0, Some(0));
    }
}

//! Interim answers (1xx) and what may go wrong behind them: faults, limits, time, and clients that leave.

use super::{CONTINUE, EXPECTING, HINTS, MOST, PROCESSING};
use crate::support::{
    log::exchanges,
    stage::{GET, OK, Outcome, POST, Stage, failed, fine, problem},
};

#[test]
fn a_fault_behind_interim_answers_is_a_bad_gateway() {
    let long = format!("HTTP/1.1 103 X\r\nA: {}\r\n\r\n", "b".repeat(60 << 10));
    let too_long = format!("HTTP/1.1 103 X\r\nA: {}\r\n\r\n", "b".repeat(300 << 10));
    let hints = HINTS.to_vec();
    // What the upstream sends, how much of it the client gets, and what is wrong.
    let cases = [
        (PROCESSING.repeat(MOST + 1), MOST, "http_protocol_error"),
        (CONTINUE.repeat(MOST + 1), 0, "http_protocol_error"),
        (
            long.repeat(5).into_bytes(),
            4,
            "http_response_header_section_size",
        ),
        (
            [&hints, too_long.as_bytes()].concat(),
            1,
            "http_response_header_section_size",
        ),
        (
            [
                HINTS,
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
            ]
            .concat(),
            1,
            "http_upgrade_failed",
        ),
        (
            [HINTS, HINTS, b"HTTP/1.1 103 X\r\nA : b\r\n\r\n"].concat(),
            2,
            "http_protocol_error",
        ),
        (
            [HINTS, b"HTTP/1.1 103 X\nA: b\n\n"].concat(),
            1,
            "http_protocol_error",
        ),
        ([HINTS, b"garbage\r\n"].concat(), 1, "http_protocol_error"),
        (hints, 1, "connection_terminated"),
    ];
    let scripts = cases.clone();
    let stage = Stage::new(move |peer| {
        peer.request()?;
        let (answer, _, error) = &scripts[peer.number];
        // The daemon may hang up before it has all of it.
        let _ = peer.send(answer);
        if *error != "connection_terminated" {
            peer.until_end()?;
        }
        Ok(())
    });
    let mut client = stage.daemon.connect();
    let mut outcomes: Vec<Outcome> = Vec::new();
    for (answer, count, error) in &cases {
        client.send(POST);
        for _ in 0..*count {
            let status = client.response().status;
            let case = answer[..answer.len().min(100)].escape_ascii();
            assert!((102..200).contains(&status), "{status}: {case}");
        }
        problem(&mut client, 502, error);
        outcomes.push(failed(502, error));
    }
    stage.upstream.wait_ended(cases.len());
    stage.finish(&outcomes);
}

#[test]
fn interim_answers_without_end_are_a_bad_gateway() {
    let stage = Stage::new(|peer| {
        peer.request()?;
        while peer.send(PROCESSING).is_ok() {}
        Ok(())
    });
    let mut client = stage.ask(GET);
    for _ in 0..MOST {
        assert_eq!(client.response().status, 102);
    }
    problem(&mut client, 502, "http_protocol_error");
    stage.upstream.wait_ended(1);
    stage.finish(&[failed(502, "http_protocol_error")]);
}

#[test]
fn an_upstream_that_falls_silent_behind_interim_answers_is_given_up_in_time() {
    let stage = Stage::with(
        |setup| setup.table("timeouts", "first_byte = '300ms'"),
        |peer| {
            peer.request()?;
            peer.send([HINTS, PROCESSING, b"HTTP/1.1 102 Pro"].concat())?;
            peer.until_end().map(drop)
        },
    );
    let mut client = stage.ask(POST);
    assert_eq!(client.response().status, 103);
    assert_eq!(client.response().status, 102);
    problem(&mut client, 504, "http_response_timeout");
    stage.upstream.wait_ended(1);
    stage.finish(&[failed(504, "http_response_timeout")]);
}

#[test]
fn each_interim_answer_gives_the_upstream_its_time_anew() {
    // The time of one exchange is told by the timeouts of others.
    let clock = Stage::with(
        |setup| setup.table("timeouts", "first_byte = '500ms'"),
        |peer| peer.until_end().map(drop),
    );
    let stage = Stage::with(
        |setup| setup.table("timeouts", "first_byte = '900ms'"),
        |peer| {
            peer.request()?;
            for answer in [PROCESSING, PROCESSING, OK] {
                peer.pause()?;
                peer.send(answer)?;
            }
            peer.until_end().map(drop)
        },
    );
    let mut client = stage.ask(GET);
    for status in [102, 102, 200] {
        problem(&mut clock.ask(GET), 504, "http_response_timeout");
        stage.upstream.go_on();
        assert_eq!(client.response().status, status);
    }
    let records = stage.finish(&[fine(200)]);
    // Until the answer itself began.
    let first_byte = records[0]["upstream.first_byte_ms"].as_f64();
    assert!(first_byte > Some(1500.0), "{records:#?}");
}

#[test]
fn a_client_that_leaves_after_an_interim_answer_takes_its_upstream_connection_with_it() {
    let stage = Stage::new(|peer| {
        peer.head()?;
        peer.send(HINTS)?;
        peer.until_end().map(drop)
    });
    for (number, request) in [GET, EXPECTING].into_iter().enumerate() {
        let mut client = stage.ask(request);
        while client.response().status != 103 {}
        drop(client);
        stage.upstream.wait_ended(number + 1);
    }
    let (code, lines) = stage.daemon.stop();
    assert_eq!(code, Some(0));
    let records = exchanges(&lines);
    assert_eq!(records.len(), 2, "{lines:#?}");
    for (record, errors) in records.iter().zip([
        &["client_disconnected"][..],
        &["client_disconnected", "http_request_error"],
    ]) {
        let error = record["error.type"].as_str().unwrap_or_default();
        assert!(errors.contains(&error), "{record:#}");
    }
}

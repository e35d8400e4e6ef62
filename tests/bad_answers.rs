//! Answers that can't be passed on: a bad gateway, an unharmed client, and a connection that is given up.

mod support;

use support::{
    bench::check_problem,
    stage::{GET, OK, Outcome, Stage, failed, fine},
};

/// Sends each answer, on a connection of its own, to a client that stays.
#[track_caller]
fn check_answers(answers: &[(Vec<u8>, &'static str)]) {
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
    for (answer, error) in answers {
        client.send(GET);
        let response = client.response();
        let case = answer[..answer.len().min(100)].escape_ascii();
        assert_eq!(response.status, 502, "{case}: {response:?}");
        let proxy_status = response.head.only("proxy-status");
        assert!(proxy_status.contains(error), "{case}: {proxy_status}");
        let problem = check_problem(&response, 502, error, false);
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(detail.contains("can't be passed on"), "{case}: {detail}");
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
    check_answers(&answers);
}

#[test]
fn a_field_section_that_can_not_be_passed_on_is_a_bad_gateway() {
    const PROTOCOL: &str = "http_protocol_error";
    const CODING: &str = "http_response_transfer_coding";
    const SIZE: &str = "http_response_header_section_size";
    let many = "A: b\r\n".repeat(1_001);
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
    check_answers(&answers);
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

//! Clients that end their side of the connection behind their requests: most of them have gone, some wait for the answers.

mod support;

use support::{
    client::Client,
    setup::Setup,
    stage::{GET, OK, POST, REQUESTS, Stage, failed, fine, problem},
};

/// A stage on TCP, and one on a Unix socket, with an upstream that answers.
fn answering() -> [Stage; 2] {
    let set_ups: [fn(Setup) -> Setup; 2] = [|setup| setup, Setup::listen_on_unix_socket];
    set_ups.map(|set_up| Stage::with(set_up, |peer| peer.answer_all(OK)))
}

/// Sends these bytes, and nothing more.
fn ask_and_finish(stage: &Stage, bytes: impl AsRef<[u8]>) -> Client {
    let client = stage.ask(bytes);
    client.finish();
    client
}

#[test]
fn a_client_that_sends_no_more_is_answered() {
    const LAST: [&[u8]; 3] = [
        b"GET /thing HTTP/1.0\r\n\r\n",
        b"GET /thing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"HEAD /thing HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ];
    for stage in answering() {
        for request in REQUESTS.iter().chain(&LAST) {
            let mut client = ask_and_finish(&stage, request);
            if request.starts_with(b"HEAD") {
                assert_eq!(client.response_to_head().status, 200);
            } else {
                assert_eq!(client.response().body, b"ok");
            }
            client.expect_close();
        }
        stage.finish(&[fine(200); REQUESTS.len() + LAST.len()]);
    }
}

#[test]
fn all_that_was_pipelined_before_the_end_is_answered() {
    for stage in answering() {
        let mut client = ask_and_finish(&stage, [GET, POST, GET].concat());
        for _ in 0..3 {
            assert_eq!(client.response().body, b"ok");
        }
        client.expect_close();
        // What is not whole is no request.
        let mut client = ask_and_finish(&stage, [GET, b"GET /thing HTT"].concat());
        assert_eq!(client.response().body, b"ok");
        client.expect_close();
        stage.finish(&[fine(200); 4]);
    }
}

#[test]
fn an_answer_that_has_begun_is_sent_to_its_end() {
    // The time is told by the timeouts of others: longer than an answer may take to begin.
    let clock = Stage::with(
        |setup| setup.table("timeouts", "first_byte = '1200ms'"),
        |peer| peer.until_end().map(drop),
    );
    let stage = Stage::new(|peer| {
        peer.request()?;
        peer.pause()?;
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhe")?;
        peer.pause()?;
        peer.send(b"re")?;
        peer.until_end().map(drop)
    });
    let mut client = ask_and_finish(&stage, GET);
    stage.upstream.go_on();
    client.response_head();
    assert_eq!(client.bytes(2), b"he");
    for _ in 0..2 {
        problem(&mut clock.ask(GET), 504, "http_response_timeout");
    }
    stage.upstream.go_on();
    assert_eq!(client.bytes(2), b"re");
    client.expect_close();
    stage.finish(&[fine(200)]);
}

#[test]
fn an_answer_that_its_client_does_not_read_yet_is_sent_to_its_end() {
    const LENGTH: usize = 32 << 20;
    let clock = Stage::with(
        |setup| setup.table("timeouts", "first_byte = '1200ms'"),
        |peer| peer.until_end().map(drop),
    );
    let stage = Stage::new(|peer| {
        peer.request()?;
        peer.send(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n"
        ))?;
        peer.send(vec![b'x'; LENGTH])?;
        peer.until_end().map(drop)
    });
    let mut client = ask_and_finish(&stage, GET);
    for _ in 0..2 {
        problem(&mut clock.ask(GET), 504, "http_response_timeout");
    }
    assert_eq!(client.response().body.len(), LENGTH);
    client.expect_close();
    stage.finish(&[fine(200)]);
}

#[test]
fn a_client_that_gets_no_answer_is_taken_for_gone() {
    let answers = [
        // Not even a beginning.
        "",
        // An event stream that has begun before the client went.
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: x\n\n",
    ];
    let stage = Stage::new(move |peer| {
        peer.request()?;
        peer.send(answers[peer.number])?;
        peer.until_end().map(drop)
    });
    for (number, answer) in answers.iter().enumerate() {
        // Longer than that it is not waited for, though it still listens.
        let mut client = stage.ask(GET);
        if !answer.is_empty() {
            client.response_head();
            client.bytes(14);
        }
        client.finish();
        stage.upstream.wait_ended(number + 1);
        assert_eq!(client.rest().0, b"");
    }
    stage.finish(&[
        (None, Some("client_disconnected")),
        failed(200, "client_disconnected"),
    ]);
}

#[test]
fn what_comes_for_a_client_that_has_gone_ends_the_exchange() {
    let stage = Stage::new(|peer| {
        peer.request()?;
        peer.tell();
        peer.pause()?;
        // It meets with a reset, and the next piece with an error.
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: x\n\n")?;
        peer.until_end().map(drop)
    });
    let client = stage.ask(GET);
    stage.upstream.wait("a request", |seen| seen.told == 1);
    drop(client);
    stage.upstream.go_on();
    stage.upstream.wait_ended(1);
    let record = stage.daemon.log().exchange(0);
    assert_eq!(
        record["error.type"].as_str().unwrap(),
        "client_disconnected"
    );
    assert_eq!(stage.daemon.stop().0, Some(0));
}

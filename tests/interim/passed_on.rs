//! Interim answers (1xx) on their way to the client: which of them pass, when, and what is left of them.

use super::{CONTINUE, EXPECTING, HINTS, MOST, PROCESSING};
use crate::support::{
    peer::Peer,
    stage::{GET, OK, POST, REQUESTS, Stage, fine},
};

#[test]
fn interim_answers_pass_as_they_came_in_their_order() {
    // What the upstream sends, and what the client gets of it where that differs.
    let cases: [(&[u8], Option<&[u8]>); 14] = [
        (HINTS, None),
        (PROCESSING, None),
        (b"HTTP/1.1 104 \r\n\r\n", None),
        (b"HTTP/1.1 199 Odd, but \xe9ven so\r\nX:y\r\n\r\n", None),
        (
            b"HTTP/1.1 103 Early Hints\r\nlINK: </b>\r\nA:1\r\nLink:  </a> \t\r\na: \xff\r\nB:\r\nSet-Cookie: c=d\r\n\r\n",
            None,
        ),
        (
            b"HTTP/1.1 102 \r\n\r\nHTTP/1.1 103 Hints\r\nA: 1\r\n\r\nHTTP/1.1 102 Again\r\n\r\n",
            None,
        ),
        (b"HTTP/1.1 102\r\n\r\n", Some(b"HTTP/1.1 102 \r\n\r\n")),
        (
            b"HTTP/1.0 103 Early Hints\r\nA: 1\r\n\r\n",
            Some(b"HTTP/1.1 103 Early Hints\r\nA: 1\r\n\r\n"),
        ),
        (
            b"HTTP/1.1 103 Early Hints\r\nConnection: close, X-Hop\r\nx-hop: 1\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\nA: 1\r\n\r\n",
            Some(b"HTTP/1.1 103 Early Hints\r\nA: 1\r\n\r\n"),
        ),
        // What ends an interim answer is its empty line, whatever it says.
        (
            b"HTTP/1.1 199 Odd\r\nContent-Length: 5\r\nA: 1\r\n\r\n",
            Some(b"HTTP/1.1 199 Odd\r\nA: 1\r\n\r\n"),
        ),
        (
            b"HTTP/1.1 103 Early Hints\r\nA: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            Some(b"HTTP/1.1 103 Early Hints\r\nA: 1\r\n\r\n"),
        ),
        (CONTINUE, Some(b"")),
        (b"HTTP/1.1 100 Go on\r\nA: 1\r\n\r\n", Some(b"")),
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 X\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n",
            Some(b"HTTP/1.1 102 X\r\n\r\n"),
        ),
    ];
    let stage = Stage::new(move |peer| {
        for (sent, _) in cases {
            for _ in REQUESTS {
                peer.request()?;
                peer.send([sent, OK].concat())?;
            }
        }
        peer.until_end().map(drop)
    });
    let mut client = stage.daemon.connect();
    for (sent, expected) in cases {
        let expected = [expected.unwrap_or(sent), OK].concat();
        for request in REQUESTS {
            client.send(request);
            let found = client.bytes(expected.len());
            assert_eq!(
                found.escape_ascii().to_string(),
                expected.escape_ascii().to_string()
            );
        }
    }
    assert_eq!(stage.upstream.connections(), 1);
    stage.finish(&[fine(200); 14 * REQUESTS.len()]);
}

#[test]
fn each_interim_answer_reaches_the_client_before_the_next_is_sent() {
    let stage = Stage::new(|peer| {
        peer.request()?;
        for answer in [HINTS, PROCESSING, HINTS, OK] {
            peer.pause()?;
            peer.send(answer)?;
        }
        peer.until_end().map(drop)
    });
    let mut client = stage.ask(GET);
    for answer in [HINTS, PROCESSING, HINTS, OK] {
        stage.upstream.go_on();
        assert_eq!(client.bytes(answer.len()), answer);
    }
    stage.finish(&[fine(200)]);
}

#[test]
fn interim_answers_reach_a_client_that_is_still_uploading() {
    for (framing, parts) in [
        ("Content-Length: 10", ["hello", "world"]),
        (
            "Transfer-Encoding: chunked",
            ["5\r\nhello\r\n", "5\r\nworld\r\n0\r\n\r\n"],
        ),
    ] {
        let stage = Stage::new(move |peer| {
            let request = peer.head()?;
            peer.send(HINTS)?;
            if request.head.is_chunked() {
                peer.content(parts[0].len())?;
                peer.send(PROCESSING)?;
                peer.chunks()?;
            } else {
                peer.content(5)?;
                peer.send(PROCESSING)?;
                peer.content(5)?;
            }
            peer.send(OK)?;
            peer.until_end().map(drop)
        });
        let head = format!("POST / HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n");
        let mut client = stage.ask(head);
        assert_eq!(client.bytes(HINTS.len()), HINTS);
        client.send(parts[0]);
        assert_eq!(client.bytes(PROCESSING.len()), PROCESSING);
        client.send(parts[1]);
        assert_eq!(client.response().body, b"ok");
        assert_eq!(
            stage.upstream.requests()[0].body,
            parts.concat().into_bytes()
        );
        stage.finish(&[fine(200)]);
    }
}

#[test]
fn a_client_gets_100_once_if_it_asked_for_it_however_often_the_upstream_sends_it() {
    let script = |peer: &mut Peer| {
        for _ in 0..4 {
            peer.head()?;
            peer.send([CONTINUE, HINTS, CONTINUE].concat())?;
            peer.content(5)?;
            peer.send([CONTINUE, OK].concat())?;
        }
        peer.until_end().map(drop)
    };
    let stage = Stage::new(script);
    let mut client = stage.daemon.connect();
    for _ in 0..2 {
        client.send(EXPECTING);
        // Which of the two comes first is a matter of luck.
        let mut first_two = [client.response().status, client.response().status];
        first_two.sort_unstable();
        assert_eq!(first_two, [100, 103]);
        client.send("hello");
        assert_eq!(client.response().body, b"ok");
        client.send(POST);
        assert_eq!(client.response().status, 103);
        assert_eq!(client.response().body, b"ok");
    }
    stage.finish(&[fine(200); 4]);
}

#[test]
fn a_client_of_http_1_0_gets_no_interim_answer() {
    let stage = Stage::new(|peer| peer.answer_all([HINTS, CONTINUE, PROCESSING, OK].concat()));
    for fields in ["", "Expect: 100-continue\r\n", "Connection: keep-alive\r\n"] {
        let mut client = stage.ask(format!(
            "POST / HTTP/1.0\r\nHost: localhost\r\n{fields}Content-Length: 5\r\n\r\nhello"
        ));
        assert_eq!(client.response().status, 200);
    }
    stage.finish(&[fine(200); 3]);
}

#[test]
fn pipelined_requests_get_their_interim_answers_each_before_its_own_final_one() {
    const COUNT: usize = 5;
    let stage = Stage::new(|peer| {
        for number in 0..COUNT {
            let request = peer.request()?;
            let interim = format!(
                "HTTP/1.1 103 Hints\r\nA: {number}\r\n\r\nHTTP/1.1 102 Soon\r\nB: {number}\r\n\r\n"
            );
            let content = if request.head.first_line().starts_with(b"HEAD") {
                ""
            } else {
                "ok"
            };
            peer.send(format!(
                "{interim}HTTP/1.1 200 OK\r\nC: {number}\r\nContent-Length: 2\r\n\r\n{content}"
            ))?;
        }
        peer.until_end().map(drop)
    });
    let methods = ["GET", "HEAD", "HEAD", "GET", "HEAD"];
    let requests =
        methods.map(|method| format!("{method} /thing HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    let mut client = stage.ask(requests.concat());
    for (number, method) in methods.into_iter().enumerate() {
        let number = number.to_string();
        assert_eq!(client.response().head.only("a"), number);
        assert_eq!(client.response().head.only("b"), number);
        let answer = if method == "HEAD" {
            client.response_to_head()
        } else {
            client.response()
        };
        assert_eq!((answer.status, answer.head.only("c")), (200, &*number));
    }
    assert_eq!(stage.upstream.connections(), 1);
    stage.finish(&[fine(200); COUNT]);
}

#[test]
fn as_many_interim_answers_as_may_come_reach_a_client_that_reads_them_last() {
    const VALUE: usize = 2 << 10;
    let stage = Stage::new(|peer| {
        peer.request()?;
        for number in 0..MOST {
            let value = "v".repeat(VALUE);
            peer.send(format!(
                "HTTP/1.1 103 X\r\nA: {number}\r\nB: {value}\r\n\r\n"
            ))?;
        }
        peer.send(OK)?;
        peer.tell();
        peer.answer_all([HINTS, OK].concat())
    });
    let mut client = stage.ask(GET);
    stage.upstream.wait("all", |seen| seen.told == 1);
    for number in 0..MOST {
        let head = client.response().head;
        assert_eq!(head.only("a"), number.to_string());
        assert_eq!(head.only("b").len(), VALUE);
    }
    assert_eq!(client.response().status, 200);
    // They are counted for each answer.
    client.send(GET);
    assert_eq!(client.response().status, 103);
    assert_eq!(client.response().status, 200);
    stage.finish(&[fine(200); 2]);
}

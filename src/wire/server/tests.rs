//! Interim responses among what hyper writes.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    join,
    time::{sleep, timeout},
};

use super::*;
use crate::wire::{InterimHead, Wire};

const TIMEOUTS: ServerTimeouts = ServerTimeouts {
    head: Duration::from_secs(1),
    keep_alive: Duration::from_secs(1),
    idle: Duration::from_secs(1),
};

fn interim(status: u16, section: &'static str) -> InterimHead {
    InterimHead {
        status,
        reason: Bytes::from_static(b"So far"),
        fields: Fields::parse(Bytes::from_static(section.as_bytes())).unwrap(),
    }
}

/// A step of what hyper and an exchange do.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The exchange has an interim response.
    Interim(u16, &'static str),
    /// hyper writes.
    Write(&'static str),
    /// hyper flushes.
    Flush,
}

/// Takes the steps; returns what the client gets.
async fn written(steps: &[Step]) -> String {
    let port = ServerPort::default();
    let (ours, mut theirs) = duplex(1 << 16);
    let mut wire = Wire::new(ours, ServerRole::new(port.clone(), 1 << 16, TIMEOUTS));
    for step in steps {
        match step {
            Step::Interim(status, section) => port.interim(interim(*status, section)),
            Step::Write(text) => wire.write_all(text.as_bytes()).await.unwrap(),
            Step::Flush => wire.flush().await.unwrap(),
        }
    }
    wire.end().await;
    drop(wire);
    let mut received = String::new();
    theirs.read_to_string(&mut received).await.unwrap();
    received
}

#[tokio::test]
async fn interim_responses_go_out_with_a_flush_or_before_the_reply() {
    use Step::{Flush, Interim, Write};
    const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";
    const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    const HINTS: &str = "HTTP/1.1 103 So far\r\nA:b\r\n\r\n";
    let table: [(&[Step], &[&str]); 6] = [
        (&[Interim(103, "A:b\r\n"), Flush], &[HINTS]),
        (&[Interim(103, "A:b\r\n"), Write(OK)], &[HINTS, OK]),
        (
            &[
                Interim(103, "A:b\r\n"),
                Flush,
                Interim(103, "A:b\r\n"),
                Write(OK),
            ],
            &[HINTS, HINTS, OK],
        ),
        // hyper may write a head in pieces.
        (
            &[
                Write("HTTP/1.1 200 OK\r\nconte"),
                Interim(103, "A:b\r\n"),
                Flush,
                Write("nt-length: 2\r\n\r\nok"),
            ],
            &[HINTS, OK],
        ),
        (
            &[Write(CONTINUE), Interim(103, "A:b\r\n"), Flush, Write(OK)],
            &[CONTINUE, HINTS, OK],
        ),
        (
            &[
                Interim(102, "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
                Flush,
                Write(OK),
            ],
            &["HTTP/1.1 102 So far\r\n\r\n", OK],
        ),
    ];
    for (steps, expected) in table {
        assert_eq!(written(steps).await, expected.concat(), "{steps:?}");
    }
}

/// A wire, its port, and the client's end.
fn connected() -> (Wire<DuplexStream, ServerRole>, ServerPort, DuplexStream) {
    let port = ServerPort::default();
    let (ours, theirs) = duplex(1 << 16);
    let wire = Wire::new(ours, ServerRole::new(port.clone(), 1 << 16, TIMEOUTS));
    (wire, port, theirs)
}

#[tokio::test]
async fn hyper_sees_the_end_behind_each_message_and_the_client_does_not() {
    const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    let (mut wire, port, mut client) = connected();
    // The second comes while the first is served, the third once the connection is at rest.
    client.write_all(&[GET, GET].concat()).await.unwrap();
    for number in 1..=3 {
        assert!(wire.is_at_rest());
        if number == 3 {
            client.write_all(GET).await.unwrap();
        }
        assert!(wire.next_request().await);
        let mut feed = [0; 1024];
        assert!(wire.read(&mut feed).await.unwrap() > 0);
        assert!(port.take_request().unwrap().is_ok());
        wire.write_all(OK).await.unwrap();
        assert!(!wire.is_at_rest(), "before the answer has gone");
        wire.flush().await.unwrap();
        assert_eq!(wire.read(&mut feed).await.unwrap(), 0);
        wire.shutdown().await.unwrap();
        let mut answer = [0; OK.len()];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, OK);
    }
    wire.end().await;
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test]
async fn the_end_is_not_shown_while_the_answer_waits_for_its_client() {
    let port = ServerPort::default();
    let (ours, mut client) = duplex(32);
    let mut wire = Wire::new(ours, ServerRole::new(port.clone(), 1 << 16, TIMEOUTS));
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    assert!(wire.next_request().await);
    let mut feed = [0; 1024];
    assert!(wire.read(&mut feed).await.unwrap() > 0);
    port.take_request().unwrap().unwrap();
    wire.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        .await
        .unwrap();
    let blocked = timeout(Duration::ZERO, wire.flush()).await;
    assert!(blocked.is_err());
    let blocked = timeout(Duration::ZERO, wire.read(&mut feed)).await;
    assert!(blocked.is_err());
    let mut half = [0; 32];
    client.read_exact(&mut half).await.unwrap();
    wire.flush().await.unwrap();
    assert_eq!(wire.read(&mut feed).await.unwrap(), 0);
    assert!(wire.is_at_rest());
}

#[tokio::test]
async fn a_connection_that_brings_no_request_needs_no_hyper() {
    let table: [(&[u8], bool); 5] = [
        (b"", false),
        (b"\r\n", false),
        (b"GET / HT", false),
        // Hung up on, without a word.
        (b"\x16\x03\x01", false),
        // Refused, which takes an answer.
        (b"GET / HTTP/3\r\n\r\n", true),
    ];
    for (bytes, is_answered) in table {
        let (mut wire, _port, mut client) = connected();
        client.write_all(bytes).await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(wire.next_request().await, is_answered, "{bytes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_begins_behind_the_empty_lines_in_front_of_it() {
    let (mut wire, port, mut client) = connected();
    let started = Instant::now();
    let pause = Duration::from_millis(100);
    let writing = async {
        for part in ["\r", "\n\r\n", "G", "ET / HTTP/1.1\r\nHost: a\r\n\r\n"] {
            client.write_all(part.as_bytes()).await.unwrap();
            sleep(pause).await;
        }
    };
    let (has_come, ()) = join!(wire.next_request(), writing);
    assert!(has_come);
    assert_eq!(port.request_begun(), Some(started + 2 * pause));
}

/// A wire whose client has sent a request that hyper has read, and the client's end.
async fn asked() -> (Wire<DuplexStream, ServerRole>, DuplexStream) {
    let (mut wire, port, mut client) = connected();
    let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    client.write_all(request).await.unwrap();
    assert!(wire.next_request().await);
    assert!(wire.read(&mut [0; 1024]).await.unwrap() > 0);
    assert!(port.take_request().unwrap().is_ok());
    (wire, client)
}

/// How long hyper is kept from seeing the end of the stream; at most a minute is waited.
async fn hidden(wire: &mut Wire<DuplexStream, ServerRole>) -> Option<Duration> {
    let started = Instant::now();
    let read = timeout(Duration::from_secs(60), wire.read(&mut [0; 1024])).await;
    read.ok().map(|end| {
        assert_eq!(end.unwrap(), 0);
        started.elapsed()
    })
}

const BEGUN: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhe";

#[tokio::test(start_paused = true)]
async fn a_client_that_sends_no_more_has_a_second_for_its_answer_to_begin() {
    let (mut wire, mut client) = asked().await;
    client.shutdown().await.unwrap();
    let waited = hidden(&mut wire).await.unwrap();
    assert!(
        waited >= GONE_AFTER && waited < 2 * GONE_AFTER,
        "{waited:?}"
    );

    // What it got before it sent no more says nothing.
    let (mut wire, mut client) = asked().await;
    wire.write_all(BEGUN).await.unwrap();
    wire.flush().await.unwrap();
    client.shutdown().await.unwrap();
    let waited = hidden(&mut wire).await.unwrap();
    assert!(
        waited >= GONE_AFTER && waited < 2 * GONE_AFTER,
        "{waited:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_what_comes_is_there_until_it_goes() {
    let (mut wire, mut client) = asked().await;
    client.shutdown().await.unwrap();
    assert!(timeout(Duration::ZERO, hidden(&mut wire)).await.is_err());
    wire.write_all(BEGUN).await.unwrap();
    wire.flush().await.unwrap();
    assert_eq!(hidden(&mut wire).await, None);
    drop(client);
    assert!(hidden(&mut wire).await.unwrap() <= GONE_AFTER);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_known_to_be_gone_is_not_waited_for() {
    let (mut wire, client) = asked().await;
    drop(client);
    assert_eq!(hidden(&mut wire).await, Some(Duration::ZERO));
}

/// A client that takes a byte at a time, of which the runtime hears nothing.
struct Sluggish {
    port: ServerPort,
    takes: usize,
}

impl AsyncRead for Sluggish {
    fn poll_read(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        _out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Sluggish {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        _data: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.takes == 0 || !self.port.is_overdue() {
            return Poll::Pending;
        }
        self.takes -= 1;
        Poll::Ready(Ok(1))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_is_given_up_only_if_it_takes_nothing_at_all() {
    for takes in [0, 1, 5] {
        let port = ServerPort::default();
        let client = Sluggish {
            port: port.clone(),
            takes,
        };
        let mut wire = Wire::new(client, ServerRole::new(port, 1 << 16, TIMEOUTS));
        wire.write_all(BEGUN).await.unwrap();
        let started = Instant::now();
        let error = wire.flush().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let waited = TIMEOUTS.idle * (1 + u32::try_from(takes).unwrap());
        let slack = Duration::from_millis(100);
        assert!(started.elapsed() >= waited && started.elapsed() < waited + slack);
    }
}

//! Interim responses among what hyper writes.

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::*;
use crate::wire::Wire;

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
    wire.shutdown().await.unwrap();
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

//! What a role makes of responses, and what becomes of those whose upstream has closed the connection meanwhile.

use std::pin::Pin;

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    time::timeout,
};

use super::*;
use crate::wire::Wire;

/// What a role makes of heads that come one after the other in answer to one request.
fn read(role: &mut ClientRole, heads: &[&str]) -> Result<(), ResponseFault> {
    for head in heads {
        let (line, section) = head.split_once("\r\n").unwrap();
        let line = parse_status_line(line.as_bytes())?;
        let section = Bytes::copy_from_slice(section.as_bytes());
        let head = Bytes::copy_from_slice(head.as_bytes());
        role.head(line, &head, section, &mut BytesMut::new())?;
    }
    Ok(())
}

#[test]
fn interim_responses_are_handed_over_in_their_order_and_hyper_sees_none() {
    let port = ClientPort::default();
    port.request(Bytes::new(), false);
    let mut role = ClientRole::new(port.clone());
    read(
        &mut role,
        &["HTTP/1.1 103 A\r\nB: c\r\n", "HTTP/1.1 102 B\r\n"],
    )
    .unwrap();
    assert!(port.take_response().is_none());
    assert_eq!(port.interim_responses(), 2);
    assert_eq!(
        port.take_interim().unwrap().fields.first("b"),
        Some(&b"c"[..])
    );
    assert_eq!(port.take_interim().unwrap().status, 102);
    assert!(port.take_interim().is_none());
    // They don't outlast their request.
    read(&mut role, &["HTTP/1.1 103 A\r\n", "HTTP/1.1 200 B\r\n"]).unwrap();
    port.request(Bytes::new(), false);
    assert!(port.take_interim().is_none());
}

#[test]
fn neither_the_number_nor_the_bytes_of_interim_responses_are_unlimited() {
    let long = format!(
        "HTTP/1.1 103 X\r\nA: {}\r\n",
        "b".repeat(MAX_INTERIM_BYTES / 2)
    );
    let table = [
        (
            "HTTP/1.1 102 X\r\n",
            MAX_INTERIM_RESPONSES,
            ResponseFault::TooManyInterim,
        ),
        (&*long, 1, ResponseFault::InterimTooLong(MAX_INTERIM_BYTES)),
    ];
    for (head, most, fault) in table {
        let port = ClientPort::default();
        let mut role = ClientRole::new(port.clone());
        for _ in 0..2 {
            port.request(Bytes::new(), false);
            for _ in 0..most {
                read(&mut role, &[head]).unwrap();
            }
        }
        assert_eq!(read(&mut role, &[head]), Err(fault));
    }
}

/// An upstream that takes so many writes before it resets the connection, and has sent this.
#[derive(Debug)]
struct Leaving {
    writes: usize,
    sent: &'static [u8],
    /// Whether the end of the stream is to be seen behind that.
    ends: bool,
}

impl AsyncRead for Leaving {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.sent.is_empty() && !self.ends {
            return Poll::Pending;
        }
        let (now, later) = self.sent.split_at(self.sent.len().min(out.remaining()));
        out.put_slice(now);
        self.sent = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Leaving {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.writes == 0 {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        self.writes -= 1;
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A wire to such an upstream, over which a request is under way: its head has been written, and its content is waiting
/// in vain.
async fn uploading(upstream: Leaving) -> (Wire<Leaving, ClientRole>, ClientPort) {
    let port = ClientPort::default();
    port.request(Bytes::from_static(b"POST / HTTP/1.1\r\n\r\n"), false);
    let mut wire = Wire::new(upstream, ClientRole::new(port.clone()));
    let head = b"POST / HTTP/1.1\r\ncontent-length: 100000\r\n\r\n";
    wire.write_all(head).await.unwrap();
    for _ in 0..2 {
        let content = [0; 50_000];
        let writing = async {
            wire.flush().await.unwrap();
            wire.write_all(&content).await.unwrap();
        };
        assert!(timeout(Duration::ZERO, writing).await.is_err());
    }
    assert!(port.has_write_failed());
    (wire, port)
}

/// Reads all that hyper gets to see.
async fn fed(wire: &mut Wire<Leaving, ClientRole>) -> (String, io::Result<()>) {
    let mut fed = Vec::new();
    let end = wire.read_to_end(&mut fed).await;
    (String::from_utf8(fed).unwrap(), end.map(drop))
}

#[tokio::test]
async fn what_the_upstream_has_sent_is_read_although_a_write_has_failed() {
    const SIZED: &[u8] = b"HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno";
    const UNTIL_CLOSE: &[u8] = b"HTTP/1.1 413 No\r\n\r\nno";
    for (sent, content, is_whole) in [(SIZED, "no", true), (UNTIL_CLOSE, "no", false)] {
        let (mut wire, port) = uploading(Leaving {
            writes: 1,
            sent,
            ends: true,
        })
        .await;
        let (fed, end) = fed(&mut wire).await;
        assert!(
            fed.starts_with("HTTP/1.1 413 ") && fed.ends_with(content),
            "{fed}"
        );
        // After a reset, the end of the stream tells nothing.
        assert_eq!(end.is_ok(), is_whole, "{fed}");
        assert_eq!(port.take_response().unwrap().0.status, 413);
        wire.shutdown().await.unwrap();
    }
}

#[tokio::test]
async fn a_write_that_fails_is_the_failure_if_no_answer_has_come() {
    let (mut wire, port) = uploading(Leaving {
        writes: 1,
        sent: b"HTTP/1.1 1",
        ends: true,
    })
    .await;
    assert_eq!(fed(&mut wire).await.0, "");
    let failure = port.take_failure().unwrap();
    assert_eq!(failure.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_not_waited_for_long_once_a_write_has_failed() {
    let started = Instant::now();
    let (mut wire, port) = uploading(Leaving {
        writes: 1,
        sent: b"HTTP/1.1 103 Hints\r\n\r\n",
        ends: false,
    })
    .await;
    assert!(timeout(Duration::ZERO, wire.read_u8()).await.is_err());
    let flushed = timeout(2 * ANSWER_WITHIN, wire.flush()).await.unwrap();
    assert_eq!(flushed.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert!(started.elapsed() >= ANSWER_WITHIN);
    let failure = port.take_failure().unwrap();
    assert_eq!(failure.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn nothing_answers_a_request_of_which_no_byte_has_gone_out() {
    let (mut wire, port) = uploading(Leaving {
        writes: 0,
        sent: b"HTTP/1.1 408 Too Late\r\nContent-Length: 0\r\n\r\n",
        ends: true,
    })
    .await;
    assert_eq!(fed(&mut wire).await.0, "");
    assert_eq!(port.written(), 0);
    assert_eq!(port.take_fault(), Some(ResponseFault::Unsolicited));
}

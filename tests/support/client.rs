//! A client over a raw socket: it sends what it is told to, byte for byte, and waits for nothing without a deadline.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    path::Path,
    time::{Duration, Instant},
};

use super::{
    DEADLINE,
    wire::{Chunked, Head},
};

/// A connection to the daemon.
#[derive(Debug)]
pub(crate) struct Client {
    stream: Stream,
    received: Vec<u8>,
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// How the peer ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// In order.
    Closed,
    /// By a reset.
    Reset,
}

/// A response with all its content.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    /// The status code.
    pub(crate) status: u16,
    /// The head, as it came.
    pub(crate) head: Head,
    /// The content.
    pub(crate) body: Vec<u8>,
    /// The trailer section of a chunked response.
    pub(crate) trailers: Vec<u8>,
}

impl Client {
    /// Connects over TCP.
    pub(crate) fn tcp(address: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&address, DEADLINE).expect("a listener");
        stream.set_nodelay(true).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        Self::new(Stream::Tcp(stream))
    }

    /// Connects to a Unix socket.
    pub(crate) fn unix(path: &Path) -> Self {
        Self::over(UnixStream::connect(path).expect("a listener"))
    }

    /// Uses a connection to a Unix socket.
    pub(crate) fn over(stream: UnixStream) -> Self {
        Self::new(Stream::Unix(stream))
    }

    fn new(stream: Stream) -> Self {
        Self {
            stream,
            received: Vec::new(),
        }
    }

    /// Sends bytes. A peer that has refused already may have closed: what it answered is still to be read.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let outcome = match &mut self.stream {
            Stream::Tcp(stream) => stream.write_all(bytes.as_ref()),
            Stream::Unix(stream) => stream.write_all(bytes.as_ref()),
        };
        match outcome {
            Err(error) if !is_closed(&error) => panic!("can't send: {error}"),
            _ => {}
        }
    }

    /// Sends nothing more; the peer sees the end of the stream.
    pub(crate) fn finish(&self) {
        let outcome = match &self.stream {
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Stream::Unix(stream) => stream.shutdown(Shutdown::Write),
        };
        // The peer may have closed first.
        let _ = outcome;
    }

    /// Reads one response to a request that was no `HEAD`, interim responses not skipped.
    #[track_caller]
    pub(crate) fn response(&mut self) -> Response {
        self.read_response(false)
    }

    /// Reads one response to a `HEAD`.
    #[track_caller]
    pub(crate) fn response_to_head(&mut self) -> Response {
        self.read_response(true)
    }

    /// Reads a head only.
    #[track_caller]
    pub(crate) fn response_head(&mut self) -> Head {
        let head = self.read_until("a head", Head::split_from);
        self.received.drain(..head.raw.len());
        head
    }

    /// Reads `length` bytes as they come.
    #[track_caller]
    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        self.read_until("content", |received| {
            (received.len() >= length).then_some(())
        });
        self.received.drain(..length).collect()
    }

    /// Reads up to the end of the connection.
    #[track_caller]
    pub(crate) fn rest(&mut self) -> (Vec<u8>, End) {
        let deadline = Instant::now() + DEADLINE;
        let end = loop {
            match self.read_some(deadline) {
                Ok(true) => {}
                Ok(false) => break End::Closed,
                Err(error) if is_closed(&error) => break End::Reset,
                Err(error) => panic!("still open ({error}): {}", self.received.escape_ascii()),
            }
        };
        (std::mem::take(&mut self.received), end)
    }

    /// Checks that the peer ends the connection in order, without another byte.
    #[track_caller]
    pub(crate) fn expect_close(&mut self) {
        let (rest, end) = self.rest();
        assert_eq!(
            (rest.escape_ascii().to_string(), end),
            (String::new(), End::Closed)
        );
    }

    #[track_caller]
    fn read_response(&mut self, to_head: bool) -> Response {
        let head = self.response_head();
        let line = std::str::from_utf8(head.first_line()).unwrap();
        assert!(line.starts_with("HTTP/1."), "{line:?}");
        let status = line.get(9..12).and_then(|code| code.parse().ok());
        let status: u16 = status.unwrap_or_else(|| panic!("no status: {line:?}"));
        let mut response = Response {
            status,
            body: Vec::new(),
            trailers: Vec::new(),
            head,
        };
        let head = &response.head;
        if to_head || matches!(status, 100..=199 | 204 | 304) {
            return response;
        }
        if head.is_chunked() {
            let chunked = self.read_until("a chunked body", Chunked::read);
            self.received.drain(..chunked.length);
            response.body = chunked.content;
            response.trailers = chunked.trailers;
        } else if let Some(length) = head.content_length() {
            response.body = self.bytes(length);
        } else {
            let (body, end) = self.rest();
            assert_eq!(end, End::Closed, "a body that ends with the connection");
            response.body = body;
        }
        response
    }

    /// Reads on until `take` finds what it wants in what has been received.
    #[track_caller]
    fn read_until<T>(&mut self, what: &str, take: impl Fn(&[u8]) -> Option<T>) -> T {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(taken) = take(&self.received) {
                return taken;
            }
            match self.read_some(deadline) {
                Ok(true) => {}
                end => panic!(
                    "no {what} but {end:?}, after {:?}",
                    self.received.escape_ascii().to_string()
                ),
            }
        }
    }

    /// Reads once; `false` at the end of the stream.
    fn read_some(&mut self, deadline: Instant) -> io::Result<bool> {
        // A timeout of zero would mean none.
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Some(left.max(Duration::from_millis(1)));
        let mut space = [0; 16 * 1024];
        let read = match &mut self.stream {
            Stream::Tcp(stream) => {
                stream.set_read_timeout(left)?;
                stream.read(&mut space)
            }
            Stream::Unix(stream) => {
                stream.set_read_timeout(left)?;
                stream.read(&mut space)
            }
        };
        match read {
            Ok(length) => {
                self.received.extend_from_slice(&space[..length]);
                Ok(length > 0)
            }
            // A machine that was suspended has this end all waiting with a timeout (signal(7)).
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(error),
        }
    }
}

fn is_closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted
    )
}

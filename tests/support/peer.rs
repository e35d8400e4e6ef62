//! The upstream's end of one connection, in the hands of a script.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::SockRef;

use super::{
    DEADLINE,
    upstream::{Received, Shared},
    wire::{Chunked, Head},
};

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

/// How an upstream leaves.
pub(crate) const WAYS_TO_LEAVE: [fn(&mut Peer); 3] = [Peer::close, Peer::cut, Peer::reset];

/// A connection from the proxy.
///
/// Each method that waits fails when its wait is over or the connection is; a script passes that on.
pub(crate) struct Peer {
    /// The number of the connection, from 0.
    pub(crate) number: usize,
    /// `None` once it is closed.
    stream: Option<Stream>,
    /// Read, but not yet taken.
    buffer: Vec<u8>,
    /// Which of the requests is the last one of this connection.
    current: usize,
    shared: Arc<Shared>,
}

impl Peer {
    /// Takes a connection into use, after the handshake if it is one of TLS.
    pub(super) fn new(
        tcp: TcpStream,
        tls: Option<Arc<ServerConfig>>,
        number: usize,
        shared: Arc<Shared>,
    ) -> io::Result<Self> {
        tcp.set_read_timeout(Some(DEADLINE))?;
        tcp.set_write_timeout(Some(DEADLINE))?;
        tcp.set_nodelay(true)?;
        let stream = match tls {
            None => Stream::Plain(tcp),
            Some(config) => {
                let connection = ServerConnection::new(config).unwrap();
                let mut stream = StreamOwned::new(connection, tcp);
                while stream.conn.is_handshaking() {
                    stream.conn.complete_io(&mut stream.sock)?;
                }
                Stream::Tls(Box::new(stream))
            }
        };
        Ok(Self {
            number,
            stream: Some(stream),
            buffer: Vec::new(),
            current: 0,
            shared,
        })
    }

    /// Reads a request with its content.
    pub(crate) fn request(&mut self) -> io::Result<Received> {
        let request = self.head()?;
        if request.head.is_chunked() {
            self.chunks()?;
        } else {
            self.content(request.head.content_length().unwrap_or(0))?;
        }
        Ok(self.shared.seen().requests[self.current].clone())
    }

    /// Reads a request's head.
    pub(crate) fn head(&mut self) -> io::Result<Received> {
        let head = self.take(Head::split_from, |head| head.raw.len())?;
        let request = Received {
            connection: self.number,
            head,
            body: Vec::new(),
        };
        self.current = self.shared.change(|seen| {
            seen.requests.push(request.clone());
            seen.requests.len() - 1
        });
        Ok(request)
    }

    /// Reads so many bytes of content.
    pub(crate) fn content(&mut self, length: usize) -> io::Result<()> {
        let content = self.take(|bytes| bytes.get(..length).map(<[u8]>::to_vec), Vec::len)?;
        self.keep(&content);
        Ok(())
    }

    /// Reads content in the chunked coding, to its end.
    pub(crate) fn chunks(&mut self) -> io::Result<()> {
        let whole = |bytes: &[u8]| Some(bytes[..Chunked::read(bytes)?.length].to_vec());
        let content = self.take(whole, Vec::len)?;
        self.keep(&content);
        Ok(())
    }

    /// Reads bytes that are no request, and checks that they begin so.
    pub(crate) fn expect(&mut self, beginning: &[u8]) -> io::Result<()> {
        while self.buffer.len() < beginning.len() {
            self.fill()?;
        }
        let received = self.buffer[..beginning.len()].escape_ascii().to_string();
        assert_eq!(received, beginning.escape_ascii().to_string());
        Ok(())
    }

    /// Sends these bytes at once.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        match self.stream()? {
            Stream::Plain(stream) => stream.write_all(bytes.as_ref()),
            Stream::Tls(stream) => {
                stream.write_all(bytes.as_ref())?;
                stream.flush()
            }
        }
    }

    /// Changes the keys that TLS protects what is sent with (RFC 8446 §4.6.3), which is no end and no content.
    pub(crate) fn change_keys(&mut self) -> io::Result<()> {
        let Stream::Tls(stream) = self.stream()? else {
            panic!("there are no keys without TLS");
        };
        stream.conn.refresh_traffic_keys().unwrap();
        while stream.conn.wants_write() {
            stream.conn.write_tls(&mut stream.sock)?;
        }
        Ok(())
    }

    /// Answers each request with the same bytes until the proxy closes the connection.
    pub(crate) fn answer_all(&mut self, answer: impl AsRef<[u8]>) -> io::Result<()> {
        loop {
            self.request()?;
            self.send(answer.as_ref())?;
        }
    }

    /// Waits for [`Upstream::go_on`].
    pub(crate) fn pause(&mut self) -> io::Result<()> {
        self.shared.wait(|seen| seen.go > 0)?.go -= 1;
        Ok(())
    }

    /// Tells the test that the script has come so far.
    pub(crate) fn tell(&self) {
        self.shared.change(|seen| seen.told += 1);
    }

    /// Waits until the proxy ends the connection; returns what it sends until then.
    pub(crate) fn until_end(&mut self) -> io::Result<Vec<u8>> {
        loop {
            match self.fill() {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(error),
                Err(_) => return Ok(std::mem::take(&mut self.buffer)),
            }
        }
    }

    /// Ends the connection as it should be.
    pub(crate) fn close(&mut self) {
        match self.stream.take() {
            None => {}
            Some(Stream::Plain(stream)) => {
                let _ = stream.shutdown(Shutdown::Both);
            }
            Some(Stream::Tls(mut stream)) => {
                stream.conn.send_close_notify();
                let _ = stream.flush();
                let _ = stream.sock.shutdown(Shutdown::Both);
            }
        }
    }

    /// Ends the connection without TLS's close_notify.
    pub(crate) fn cut(&mut self) {
        if let Some(stream) = self.stream.take() {
            let _ = stream.tcp().shutdown(Shutdown::Both);
        }
    }

    /// Resets the connection.
    pub(crate) fn reset(&mut self) {
        if let Some(stream) = self.stream.take() {
            let socket = SockRef::from(stream.tcp());
            socket.set_linger(Some(Duration::ZERO)).unwrap();
            // The clone that ends scripts would keep the connection open.
            let peer = stream.tcp().peer_addr().ok();
            self.shared.change(|seen| seen.forget(peer));
        }
    }

    fn stream(&mut self) -> io::Result<&mut Stream> {
        self.stream
            .as_mut()
            .ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Reads once.
    fn fill(&mut self) -> io::Result<()> {
        let mut space = [0; 16 * 1024];
        let started = Instant::now();
        let read = match self.stream()? {
            Stream::Plain(stream) => stream.read(&mut space),
            Stream::Tls(stream) => stream.read(&mut space),
        };
        match read {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(length) => {
                self.buffer.extend_from_slice(&space[..length]);
                Ok(())
            }
            // A machine that was suspended has this end all waiting with a timeout (signal(7)).
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(_) if started.elapsed() >= DEADLINE => Err(io::ErrorKind::TimedOut.into()),
            Err(error) => Err(error),
        }
    }

    /// Reads on until `find` finds something at the beginning of what has been read, and takes that away.
    fn take<T>(
        &mut self,
        find: impl Fn(&[u8]) -> Option<T>,
        length: impl FnOnce(&T) -> usize,
    ) -> io::Result<T> {
        loop {
            if let Some(found) = find(&self.buffer) {
                self.buffer.drain(..length(&found));
                return Ok(found);
            }
            self.fill()?;
        }
    }

    fn keep(&mut self, content: &[u8]) {
        let current = self.current;
        self.shared
            .change(|seen| seen.requests[current].body.extend_from_slice(content));
    }
}

impl Stream {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &stream.sock,
        }
    }
}

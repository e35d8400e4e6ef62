//! A platform that misbehaves on command: raw HTTP/1 over TLS or plain TCP, a script for each connection.

use std::{
    fmt,
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::WebPkiClientVerifier,
};
use socket2::{Domain, SockRef, Socket, Type};

use super::{
    DEADLINE,
    certificates::{Authority, Certificate},
    wire::{Chunked, Head},
};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// The number of its connection, from 0.
    pub(crate) connection: usize,
    /// The head.
    pub(crate) head: Head,
    /// The content as it was framed, as far as it was read.
    pub(crate) body: Vec<u8>,
}

impl Received {
    /// The nonce of its signature.
    #[track_caller]
    pub(crate) fn nonce(&self) -> String {
        let authorization = self.head.only("authorization");
        let (_, rest) = authorization.split_once("oauth_nonce=\"").unwrap();
        rest.split('"').next().unwrap_or_default().to_owned()
    }
}

/// What has happened so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Connections accepted.
    pub(crate) connections: usize,
    /// Connections whose script has come to its end.
    pub(crate) ended: usize,
    /// Requests whose head has arrived, in order.
    pub(crate) requests: Vec<Received>,
    /// How often scripts have called [`Peer::tell`].
    pub(crate) told: usize,
    go: usize,
    failures: Vec<String>,
    over: bool,
    sockets: Vec<TcpStream>,
}

#[derive(Debug, Default)]
struct Shared {
    seen: Mutex<Seen>,
    changed: Condvar,
}

impl Shared {
    fn change<T>(&self, change: impl FnOnce(&mut Seen) -> T) -> T {
        let changed = change(&mut self.seen());
        self.changed.notify_all();
        changed
    }

    /// Waits until `is_met` says so; fails after [`DEADLINE`] or once the upstream is gone.
    fn wait(&self, is_met: impl Fn(&Seen) -> bool) -> io::Result<MutexGuard<'_, Seen>> {
        let waiting = |seen: &mut Seen| !is_met(seen) && !seen.over;
        let (seen, _) = self
            .changed
            .wait_timeout_while(self.seen(), DEADLINE, waiting)
            .unwrap();
        if is_met(&seen) {
            Ok(seen)
        } else {
            Err(io::ErrorKind::TimedOut.into())
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }
}

/// An upstream; each connection follows the script.
pub(crate) struct Upstream {
    address: SocketAddr,
    secure: bool,
    shared: Arc<Shared>,
}

impl Upstream {
    /// Speaks plain TCP.
    pub(crate) fn plain<S>(script: S) -> Self
    where
        S: Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static,
    {
        Self::start(None, script)
    }

    /// Speaks TLS with this certificate.
    pub(crate) fn tls<S>(certificate: &Certificate, script: S) -> Self
    where
        S: Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static,
    {
        Self::start(Some(server_config(certificate, None)), script)
    }

    /// Speaks TLS with this certificate, to those who show one of that authority.
    pub(crate) fn mutual_tls<S>(certificate: &Certificate, clients: &Authority, script: S) -> Self
    where
        S: Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static,
    {
        Self::start(Some(server_config(certificate, Some(clients))), script)
    }

    fn start<S>(tls: Option<Arc<ServerConfig>>, script: S) -> Self
    where
        S: Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let upstream = Self {
            address: listener.local_addr().unwrap(),
            secure: tls.is_some(),
            shared: Arc::default(),
        };
        let shared = Arc::clone(&upstream.shared);
        thread::spawn(move || accept(&listener, &shared, tls.as_ref(), &Arc::new(script)));
        upstream
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Connections accepted so far.
    pub(crate) fn connections(&self) -> usize {
        self.shared.seen().connections
    }

    /// Requests whose head has arrived so far.
    pub(crate) fn requests(&self) -> Vec<Received> {
        self.shared.seen().requests.clone()
    }

    /// Lets one [`Peer::pause`] go on.
    pub(crate) fn go_on(&self) {
        self.shared.change(|seen| seen.go += 1);
    }

    /// Waits until what has happened meets a condition.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, is_met: impl Fn(&Seen) -> bool) {
        if self.shared.wait(is_met).is_err() {
            panic!("the upstream waited in vain: {what}");
        }
    }

    /// Waits until so many connections have come to their end.
    #[track_caller]
    pub(crate) fn wait_ended(&self, connections: usize) {
        self.wait("the end of a connection", |seen| seen.ended == connections);
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let failures = self.shared.change(|seen| {
            seen.over = true;
            for socket in &seen.sockets {
                let _ = socket.shutdown(Shutdown::Both);
            }
            std::mem::take(&mut seen.failures)
        });
        // Wakes the accept loop, which ends with its socket.
        let _ = TcpStream::connect(self.address);
        if !thread::panicking() {
            assert!(failures.is_empty(), "the upstream's script: {failures:?}");
        }
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// An address where connecting never ends: the queue of a listener that does not accept is full.
#[derive(Debug)]
pub(crate) struct FullQueue {
    listener: Socket,
    _waiting: Vec<Socket>,
}

impl FullQueue {
    /// Fills a queue.
    pub(crate) fn new() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        listener.bind(&any.into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let connect = |_| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            socket.set_nonblocking(true).unwrap();
            let _ = socket.connect(&address);
            socket
        };
        let waiting = (0..4).map(connect).collect();
        Self {
            listener,
            _waiting: waiting,
        }
    }

    /// The address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap().as_socket().unwrap()
    }
}

/// An address where nobody listens.
pub(crate) fn closed_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

fn server_config(certificate: &Certificate, clients: Option<&Authority>) -> Arc<ServerConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots
                .add(CertificateDer::from(authority.der.clone()))
                .unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let chain = vec![CertificateDer::from(certificate.der.clone())];
    let key = PrivateKeyDer::try_from(certificate.key_der.clone()).unwrap();
    Arc::new(builder.with_single_cert(chain, key).unwrap())
}

fn accept<S>(
    listener: &TcpListener,
    shared: &Arc<Shared>,
    tls: Option<&Arc<ServerConfig>>,
    script: &Arc<S>,
) where
    S: Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static,
{
    for accepted in listener.incoming() {
        let socket = accepted.unwrap();
        let number = shared.change(|seen| {
            seen.sockets.push(socket.try_clone().unwrap());
            seen.connections += 1;
            seen.connections - 1
        });
        if shared.seen().over {
            return;
        }
        let (shared, script, tls) = (Arc::clone(shared), Arc::clone(script), tls.cloned());
        let connection = move || {
            let run = || match Peer::new(socket, tls, number, Arc::clone(&shared)) {
                Ok(mut peer) => script(&mut peer).inspect(|()| peer.close()),
                // The proxy did not like the certificate.
                Err(_) => Ok(()),
            };
            let failure = match catch_unwind(AssertUnwindSafe(run)) {
                Ok(Err(error)) if error.kind() == io::ErrorKind::TimedOut => "waited in vain",
                // That the proxy hangs up may be what the script provokes.
                Ok(_) => "",
                Err(_) => "panicked",
            };
            shared.change(|seen| {
                seen.ended += 1;
                if !failure.is_empty() && !seen.over {
                    seen.failures.push(format!("connection {number} {failure}"));
                }
            });
        };
        thread::spawn(connection);
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

/// The upstream's end of one connection, in the hands of a script.
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
    fn new(
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
            self.shared.change(|seen| {
                seen.sockets
                    .retain(|socket| socket.peer_addr().ok() != peer)
            });
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

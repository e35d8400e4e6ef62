//! An upstream that answers every request alike, and keeps what it got, byte for byte.

use std::{
    net::SocketAddr,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, atomic::AtomicUsize, atomic::Ordering},
    time::Instant,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};
use undersign::upstream::Acceptor;

use super::{
    DEADLINE,
    wire::{Chunked, Head},
};

/// What it answers with, except to targets that begin with `/status/204` or `/status/304`.
pub(crate) const ANSWER: &[u8] = b"ok";

/// A request as it reached the upstream.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    /// The head, as it came.
    pub(crate) head: Head,
    /// The content; what came of it, if it is not whole.
    pub(crate) body: Vec<u8>,
    /// The trailer section of a chunked request.
    pub(crate) trailers: Vec<u8>,
    /// On which connection it came, counted from 0.
    pub(crate) connection: usize,
    /// How far it came.
    pub(crate) state: Arrival,
}

/// How far a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Its content is on the way.
    UnderWay,
    /// All of it is there.
    Whole,
    /// The connection ended within it.
    Broken,
}

impl Recorded {
    /// The method.
    pub(crate) fn method(&self) -> &str {
        std::str::from_utf8(self.line_part(0)).unwrap()
    }

    /// The target.
    pub(crate) fn target(&self) -> &[u8] {
        self.line_part(1)
    }

    fn line_part(&self, at: usize) -> &[u8] {
        let mut parts = self.head.first_line().split(|byte| *byte == b' ');
        parts.nth(at).unwrap()
    }
}

/// A TLS server on a port that the system picks, with a certificate made at its start.
#[derive(Debug)]
pub(crate) struct Recorder {
    address: SocketAddr,
    shared: Arc<Shared>,
    _runtime: Runtime,
}

#[derive(Debug)]
struct Shared {
    requests: Mutex<Vec<Recorded>>,
    changed: Condvar,
    connections: AtomicUsize,
}

impl Recorder {
    /// Starts it.
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = Acceptor::self_signed(&["localhost", "127.0.0.1"]).unwrap();
        let shared = Arc::new(Shared {
            requests: Mutex::default(),
            changed: Condvar::new(),
            connections: AtomicUsize::new(0),
        });
        let state = Arc::clone(&shared);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, acceptor.clone(), Arc::clone(&state)));
            }
        });
        Self {
            address,
            shared,
            _runtime: runtime,
        }
    }

    /// Its address, as the daemon's `upstream` key wants it.
    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// What `Host` has to be for it.
    pub(crate) fn authority(&self) -> String {
        self.address.to_string()
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.shared.requests().clone()
    }

    /// How many requests there have been so far.
    pub(crate) fn count(&self) -> usize {
        self.shared.requests().len()
    }

    /// Waits until the request at `index` has arrived, whole or not.
    #[track_caller]
    pub(crate) fn request(&self, index: usize) -> Recorded {
        let deadline = Instant::now() + DEADLINE;
        let mut requests = self.shared.requests();
        loop {
            let found = requests.get(index);
            if let Some(found) = found.filter(|found| found.state != Arrival::UnderWay) {
                return found.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no request {index} in time: {requests:#?}");
            let waited = self.shared.changed.wait_timeout(requests, left);
            requests = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Shared {
    fn requests(&self) -> MutexGuard<'_, Vec<Recorded>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, request: Recorded) -> usize {
        let mut requests = self.requests();
        requests.push(request);
        self.changed.notify_all();
        requests.len() - 1
    }

    fn end(&self, index: usize, state: Arrival, chunked: Chunked) {
        let mut requests = self.requests();
        let request = &mut requests[index];
        request.state = state;
        request.body = chunked.content;
        request.trailers = chunked.trailers;
        self.changed.notify_all();
    }
}

async fn serve(stream: TcpStream, acceptor: Acceptor, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let Ok(mut stream) = acceptor.accept(stream).await else {
        return;
    };
    let connection = shared.connections.fetch_add(1, Ordering::Relaxed);
    let mut received = Vec::new();
    while exchange(&mut stream, &mut received, connection, &shared)
        .await
        .is_some()
    {}
}

/// Takes one request and answers it; `None` once the connection has ended.
async fn exchange(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    received: &mut Vec<u8>,
    connection: usize,
    shared: &Shared,
) -> Option<()> {
    let head = loop {
        match Head::split_from(received) {
            Some(head) => break head,
            None => read_more(stream, received).await?,
        }
    };
    received.drain(..head.raw.len());
    let index = shared.begin(Recorded {
        head: head.clone(),
        body: Vec::new(),
        trailers: Vec::new(),
        connection,
        state: Arrival::UnderWay,
    });
    let content = loop {
        let whole = if head.is_chunked() {
            Chunked::read(received)
        } else {
            let length = head.content_length().unwrap_or(0);
            received.get(..length).map(|content| Chunked {
                content: content.to_vec(),
                length,
                ..Chunked::default()
            })
        };
        if let Some(whole) = whole {
            break whole;
        }
        if read_more(stream, received).await.is_none() {
            let content = std::mem::take(received);
            let part = Chunked {
                content,
                ..Chunked::default()
            };
            shared.end(index, Arrival::Broken, part);
            return None;
        }
    };
    received.drain(..content.length);
    shared.end(index, Arrival::Whole, content);
    stream.write_all(&answer_to(head.first_line())).await.ok()?;
    stream.flush().await.ok()
}

fn answer_to(request_line: &[u8]) -> Vec<u8> {
    let line = String::from_utf8_lossy(request_line);
    let target = line.split(' ').nth(1).unwrap_or_default();
    if target.starts_with("/status/204") {
        return b"HTTP/1.1 204 No Content\r\nX-Upstream: recorder\r\n\r\n".to_vec();
    }
    if target.starts_with("/status/304") {
        return b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 2\r\n\r\n".to_vec();
    }
    let length = ANSWER.len();
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\nX-Upstream: recorder\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
    )
    .into_bytes();
    if !line.starts_with("HEAD ") {
        answer.extend_from_slice(ANSWER);
    }
    answer
}

async fn read_more(stream: &mut (impl AsyncRead + Unpin), received: &mut Vec<u8>) -> Option<()> {
    match stream.read_buf(received).await {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(()),
    }
}

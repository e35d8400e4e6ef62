//! An upstream that answers every request alike, and keeps what it got, byte for byte.

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
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
#[derive(Clone)]
pub(crate) struct Recorded {
    /// The head, as it came.
    pub(crate) head: Head,
    /// The content; what came of it, if it is not whole.
    pub(crate) body: Vec<u8>,
    /// The trailer section of a chunked request.
    pub(crate) trailers: Vec<u8>,
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = &self.body[..self.body.len().min(200)];
        f.debug_struct("Recorded")
            .field("head", &self.head)
            .field("body", &body.escape_ascii().to_string())
            .field("body.len()", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// All that has arrived.
#[derive(Debug, Default)]
struct Arrivals {
    /// Requests whose head has arrived.
    begun: usize,
    /// Those that were whole, in the order in which they became so.
    whole: Vec<Recorded>,
    /// Those whose connection ended within them.
    broken: Vec<Recorded>,
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
    arrivals: Mutex<Arrivals>,
    changed: Condvar,
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
            arrivals: Mutex::default(),
            changed: Condvar::new(),
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

    /// The requests that have arrived whole so far.
    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.shared.arrivals().whole.clone()
    }

    /// How many requests have begun to arrive so far, whatever became of them.
    pub(crate) fn begun(&self) -> usize {
        self.shared.arrivals().begun
    }

    /// Waits until so many requests have begun to arrive.
    #[track_caller]
    pub(crate) fn wait_until_begun(&self, count: usize) {
        self.wait_for("enough requests", |arrivals| {
            (arrivals.begun >= count).then_some(())
        });
    }

    /// Waits until no request is under way any more, and returns those that broke off.
    #[track_caller]
    pub(crate) fn broken(&self) -> Vec<Recorded> {
        self.wait_for("an end of all requests", |arrivals| {
            let ended = arrivals.whole.len() + arrivals.broken.len();
            (arrivals.begun == ended).then(|| arrivals.broken.clone())
        })
    }

    /// Waits until the request at `index` has arrived whole.
    #[track_caller]
    pub(crate) fn request(&self, index: usize) -> Recorded {
        self.wait_for("a request", |arrivals| arrivals.whole.get(index).cloned())
    }

    #[track_caller]
    fn wait_for<T>(&self, what: &str, find: impl Fn(&Arrivals) -> Option<T>) -> T {
        let deadline = Instant::now() + DEADLINE;
        let mut arrivals = self.shared.arrivals();
        loop {
            if let Some(found) = find(&arrivals) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "not {what} in time: {arrivals:#?}");
            let waited = self.shared.changed.wait_timeout(arrivals, left);
            arrivals = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Shared {
    fn arrivals(&self) -> MutexGuard<'_, Arrivals> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, note: impl FnOnce(&mut Arrivals)) {
        note(&mut self.arrivals());
        self.changed.notify_all();
    }
}

async fn serve(stream: TcpStream, acceptor: Acceptor, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let Ok(mut stream) = acceptor.accept(stream).await else {
        return;
    };
    let mut received = Vec::new();
    while exchange(&mut stream, &mut received, &shared)
        .await
        .is_some()
    {}
}

/// Takes one request and answers it; `None` once the connection has ended.
async fn exchange(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    received: &mut Vec<u8>,
    shared: &Shared,
) -> Option<()> {
    let head = loop {
        match Head::split_from(received) {
            Some(head) => break head,
            None => read_more(stream, received).await?,
        }
    };
    received.drain(..head.raw.len());
    shared.note(|arrivals| arrivals.begun += 1);
    let content = loop {
        if let Some(whole) = take_content(&head, received) {
            break whole;
        }
        if read_more(stream, received).await.is_none() {
            let broken = Recorded {
                head,
                body: std::mem::take(received),
                trailers: Vec::new(),
            };
            shared.note(|arrivals| arrivals.broken.push(broken));
            return None;
        }
    };
    received.drain(..content.length);
    let answer = answer_to(head.first_line());
    shared.note(|arrivals| {
        arrivals.whole.push(Recorded {
            head,
            body: content.content,
            trailers: content.trailers,
        });
    });
    stream.write_all(&answer).await.ok()?;
    stream.flush().await.ok()
}

/// The content at the beginning of `received`, if it is whole.
fn take_content(head: &Head, received: &[u8]) -> Option<Chunked> {
    if head.is_chunked() {
        return Chunked::read(received);
    }
    let length = head.content_length().unwrap_or(0);
    let content = received.get(..length)?.to_vec();
    Some(Chunked {
        content,
        length,
        ..Chunked::default()
    })
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

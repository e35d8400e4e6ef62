//! The admin listener: is it alive, is it ready, and what has it counted?
//!
//! It is apart from the proxies, so that nothing it serves can be reached through them, and so that a proxy
//! that is full does not make the daemon look dead.

mod answer;
mod negotiation;
mod probe;

use std::{convert::Infallible, future::ready, io, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::{net::Listener, sync::CancellationToken};

use crate::{config::ListenAddress, metrics::Metrics};

pub use self::probe::{ProbeError, probe};

/// Connections at once; more of them wait to be accepted.
const CONNECTIONS: usize = 64;

/// For a request's head, from the start of the connection.
const HEAD_LIMIT: Duration = Duration::from_secs(1);

/// For a whole connection, which is one request and its answer.
const CONNECTION_LIMIT: Duration = Duration::from_secs(15);

/// For the connections that are open when the daemon ends.
const GRACE: Duration = Duration::from_secs(1);

/// After a failed accept; most often, file descriptors have run out and will be back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// Where the daemon stands between its start and its end, as `/readyz` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not every listener accepts yet.
    Starting,
    /// Every listener accepts.
    Ready,
    /// No listener accepts any more; what is under way is being finished.
    Draining,
}

/// What the admin listener answers from.
#[derive(Debug)]
pub struct Admin {
    /// The address it listens on, with the port that it got.
    pub address: ListenAddress,
    /// Where the daemon stands.
    pub phase: watch::Receiver<Phase>,
    /// What it has counted.
    pub metrics: Arc<Metrics>,
}

/// Serves what `listener` accepts until `shutdown` is cancelled, which should be after the proxies have
/// drained, since that can be watched here.
pub async fn serve<L>(mut listener: L, admin: Admin, shutdown: CancellationToken)
where
    L: Listener,
    L::Io: Send + Unpin + 'static,
    L::Addr: Send,
{
    let admin = Arc::new(admin);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(timeout(CONNECTION_LIMIT, serve_connection(stream, Arc::clone(&admin))));
                }
                Err(error) => pause_after(&error).await,
            }
        }
    }
    drop(listener);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    // Those that are left are cut off with the set that holds them.
    let _ = timeout(GRACE, all_ended).await;
}

async fn serve_connection<S>(stream: S, admin: Arc<Admin>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service =
        service_fn(|request| ready(Ok::<_, Infallible>(answer::answer(&admin, &request))));
    // What goes wrong here has gone wrong for the client, which knows.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        // Those who ask come by every few seconds; it is not worth their while to hold a connection.
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn pause_after(error: &io::Error) {
    tracing::warn!(%error, "the admin listener cannot accept");
    sleep(ACCEPT_PAUSE).await;
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream, UnixListener},
        task::JoinHandle,
        time::Instant,
    };

    use super::*;
    use crate::log::Lost;

    struct Running {
        address: ListenAddress,
        phase: watch::Sender<Phase>,
        shutdown: CancellationToken,
        task: JoinHandle<()>,
    }

    impl Running {
        fn start<L>(listener: L, address: ListenAddress) -> Self
        where
            L: Listener + Send + 'static,
            L::Io: Send + Unpin + 'static,
            L::Addr: Send,
        {
            let (sender, phase) = watch::channel(Phase::Ready);
            let admin = Admin {
                address: address.clone(),
                phase,
                metrics: Arc::new(Metrics::new(Lost::default())),
            };
            let shutdown = CancellationToken::new();
            Self {
                address,
                phase: sender,
                task: tokio::spawn(serve(listener, admin, shutdown.clone())),
                shutdown,
            }
        }

        async fn tcp() -> (Self, SocketAddr) {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            (Self::start(listener, ListenAddress::Tcp(address)), address)
        }

        async fn stop(self) {
            self.shutdown.cancel();
            self.task.await.unwrap();
        }
    }

    async fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn an_answer_ends_its_connection() {
        let (running, address) = Running::tcp().await;
        let answer = ask(address, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");

        let answer = ask(address, "HEAD /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert!(answer.contains("\r\ncontent-length: 3\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
        running.stop().await;
    }

    #[tokio::test]
    async fn the_probe_tells_whether_the_daemon_is_ready() {
        let (running, _) = Running::tcp().await;
        probe(&running.address).await.unwrap();
        running.phase.send_replace(Phase::Draining);
        let error = probe(&running.address).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "not ready: 503 Service Unavailable: draining"
        );

        let address = running.address.clone();
        running.stop().await;
        let error = probe(&address).await.unwrap_err();
        assert!(matches!(error, ProbeError::Connect { .. }), "{error}");
    }

    #[tokio::test]
    async fn the_probe_reaches_a_unix_socket() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let running = Running::start(listener, ListenAddress::Unix(path));
        probe(&running.address).await.unwrap();
        running.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn the_probe_does_not_wait_for_long() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = ListenAddress::Tcp(listener.local_addr().unwrap());
        let error = probe(&address).await.unwrap_err();
        assert!(matches!(error, ProbeError::TooSlow), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn idle_connections_hold_others_up_for_seconds_at_most() {
        let (running, address) = Running::tcp().await;
        let start = Instant::now();
        let mut idle = Vec::new();
        for _ in 0..CONNECTIONS {
            idle.push(TcpStream::connect(address).await.unwrap());
        }
        let answer = ask(address, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(start.elapsed() >= HEAD_LIMIT);
        assert!(start.elapsed() < 2 * HEAD_LIMIT);
        running.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn an_open_connection_does_not_keep_the_daemon_from_ending() {
        let (running, address) = Running::tcp().await;
        let _idle = TcpStream::connect(address).await.unwrap();
        running.stop().await;
    }
}

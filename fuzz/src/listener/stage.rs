//! Undersign's server between a client and an upstream, all in one thread, on a clock that stands still.

#![expect(
    clippy::expect_used,
    reason = "without a stage there is nothing to check"
)]

use std::{
    cell::Cell,
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
    time::{sleep, timeout},
};
use undersign::{
    config::{
        AccessConfig, Config, InboundAuthorization, Limits, ListenAddress, LogConfig, Origin,
        ProxyConfig, Timeouts, TlsConfig,
    },
    log::Lost,
    metrics::Metrics,
    oauth::{Credentials, Method, SigningOptions},
    server::{DRAIN, End, Server},
};

use super::{
    input::{Input, Kind},
    upstream::{Arrival, Upstream},
};

/// The shortest time that there is to the runtime. The clock goes on whenever the runtime has looked at its sockets, so
/// that a tick takes microseconds, and all that was ready before is done behind it.
const TICK: Duration = Duration::from_millis(1);

/// Ticks without a byte anywhere after which none is on its way; between two that can be seen, there are at most five.
const QUIET_TICKS: u32 = 10;

/// Between two pieces, so that they are read one by one, and for the end of a connection to be seen.
const PAUSE: Duration = TICK.saturating_mul(3);

/// How long a connection may last that its client has ended; longer than undersign lets one linger.
const ENDED: Duration = Duration::from_secs(5);

/// `oauth_consumer_key` and the secrets.
pub(super) const CREDENTIALS: (&str, &str, &str) =
    ("dpf43f3p2l4k3l03", "kd94hf93k423kf44", "pfkkdhi9sl3r4s00");

/// `oauth_token`.
pub(super) const TOKEN: &str = "nnch734d00sl2jdk";

/// A server with a proxy of each kind, and its upstream.
#[derive(Debug)]
pub(super) struct Stage {
    runtime: Runtime,
    proxies: Vec<SocketAddr>,
    upstream: Upstream,
    /// The upstream's address.
    pub(super) origin: SocketAddr,
    /// Tasks that are there without any connection.
    tasks: usize,
}

/// What has happened on both sides.
#[derive(Debug)]
pub(super) struct Outcome {
    /// What the client got.
    pub(super) received: Vec<u8>,
    /// Whether the connection was ended in order, not reset.
    pub(super) ended_in_order: bool,
    /// What the upstream got.
    pub(super) arrivals: Vec<Arrival>,
}

impl Stage {
    /// Starts everything.
    pub(super) fn new() -> Self {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime");
        let upstream = Upstream::default();
        let (origin, proxies) = runtime.block_on(start(upstream.clone()));
        let tasks = runtime.metrics().num_alive_tasks();
        Self {
            runtime,
            proxies,
            upstream,
            origin,
            tasks,
        }
    }

    /// Lets a client do what the input says.
    pub(super) fn play(&self, input: &Input<'_>) -> Outcome {
        self.upstream.reset(input.answer);
        let (received, ended_in_order) = self.runtime.block_on(self.client(input));
        assert!(!self.has_guests(), "a task has outlived its connection");
        Outcome {
            received,
            ended_in_order,
            arrivals: self.upstream.take_arrivals(),
        }
    }

    async fn client(&self, input: &Input<'_>) -> (Vec<u8>, bool) {
        let mut stream = TcpStream::connect(self.proxies[input.proxy as usize])
            .await
            .expect("a listener");
        stream.set_nodelay(true).expect("a TCP socket");
        let (mut reader, mut writer) = stream.split();
        let progress = Progress::default();
        let mut received = Vec::new();
        let reading = async {
            let ended_in_order = loop {
                match reader.read_buf(&mut received).await {
                    Ok(0) => break true,
                    Ok(count) => progress.bytes.set(progress.bytes.get() + count),
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
                        break false;
                    }
                }
            };
            progress.ended.set(true);
            ended_in_order
        };
        let writing = async {
            for piece in input.pieces() {
                // The proxy may have closed the connection already; what it said then is being read.
                let _ = writer.write_all(piece).await;
                sleep(PAUSE).await;
            }
            self.quiet(&progress).await;
            let _ = writer.shutdown().await;
        };
        let both = async { tokio::join!(reading, writing) };
        let (ended_in_order, ()) = timeout(ENDED, both)
            .await
            .expect("a connection ends soon after its client has ended it");
        drop(stream);
        self.deserted().await;
        (received, ended_in_order)
    }

    /// Waits until nothing moves any more, or the connection has come to its end.
    async fn quiet(&self, progress: &Progress) {
        let now = || (progress.bytes.get(), self.upstream.progress());
        let (mut seen, mut ticks) = (now(), 0);
        while ticks < QUIET_TICKS && !progress.ended.get() {
            sleep(TICK).await;
            ticks += 1;
            if seen != now() {
                (seen, ticks) = (now(), 0);
            }
        }
    }

    /// Waits until the proxy has seen that its client is gone, and then the upstream.
    async fn deserted(&self) {
        for _ in 0..QUIET_TICKS {
            if !self.has_guests() {
                break;
            }
            sleep(TICK).await;
        }
        sleep(PAUSE).await;
    }

    /// Whether there are tasks that serve a client.
    fn has_guests(&self) -> bool {
        let tasks = self.runtime.metrics().num_alive_tasks();
        tasks != self.tasks + self.upstream.open()
    }
}

/// How far a client has come.
#[derive(Debug, Default)]
struct Progress {
    /// Bytes received.
    bytes: Cell<usize>,
    /// Whether no more will be.
    ended: Cell<bool>,
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

async fn start(upstream: Upstream) -> (SocketAddr, Vec<SocketAddr>) {
    let listener = TcpListener::bind(any_port()).await.expect("a listener");
    let origin = listener.local_addr().expect("an address");
    tokio::spawn(upstream.serve(listener));
    let config = Config {
        log: LogConfig::default(),
        admin: None,
        proxies: Kind::ALL.map(|kind| proxy(kind, origin)).to_vec(),
    };
    let metrics = Arc::new(Metrics::new(Lost::default()));
    let server = Server::bind(config, metrics).expect("a configuration");
    let listening = server.listening();
    let proxies = listening.into_iter().map(|(_, address, _)| match address {
        ListenAddress::Tcp(address) => address,
        other => unreachable!("none of the proxies listens at {other}"),
    });
    let proxies = proxies.collect();
    tokio::spawn(server.serve(End::default(), DRAIN));
    // All that is spawned at the start is there once the runtime has nothing else to do.
    sleep(TICK).await;
    (origin, proxies)
}

fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

fn proxy(kind: Kind, origin: SocketAddr) -> ProxyConfig {
    let (consumer_key, consumer_secret, token_secret) = CREDENTIALS;
    ProxyConfig {
        name: format!("{kind:?}").into(),
        listen: vec![ListenAddress::Tcp(any_port())],
        allow_nonlocal_listen: false,
        upstream: Origin {
            https: false,
            host: origin.ip().to_string(),
            port: origin.port(),
        },
        allow_plaintext_upstream: true,
        credentials: Credentials {
            consumer_key: consumer_key.to_owned(),
            consumer_secret: consumer_secret.into(),
            token: Some(TOKEN.to_owned()),
            token_secret: token_secret.into(),
        },
        consumer_secret_source: None,
        token_secret_source: None,
        signing: SigningOptions {
            method: match kind {
                Kind::Keep => Method::HmacSha256,
                Kind::Plain | Kind::Hash => Method::HmacSha1,
            },
            body_hash: kind == Kind::Hash,
            ..SigningOptions::default()
        },
        private_key_file: None,
        inbound_authorization: match kind {
            Kind::Plain => InboundAuthorization::Replace,
            Kind::Keep => InboundAuthorization::Keep,
            Kind::Hash => InboundAuthorization::Reject,
        },
        passthrough_headers: match kind {
            Kind::Keep => vec![Kind::PASSTHROUGH.to_owned()],
            Kind::Plain | Kind::Hash => Vec::new(),
        },
        tls: TlsConfig::default(),
        access: AccessConfig::default(),
        timeouts: Timeouts::default(),
        limits: match kind {
            Kind::Hash => Limits {
                header_bytes: 256,
                form_bytes: 64,
                ..Limits::default()
            },
            Kind::Plain | Kind::Keep => Limits::default(),
        },
    }
}

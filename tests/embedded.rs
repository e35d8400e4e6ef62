//! What no peer can bring about or see, in a server within the test: a panic, a name that is looked up without end, a drain
//! that is shorter than thirty seconds, and the threads that serve.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy allows it in functions marked as tests alone"
)]

mod support;

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use serde_json::Value;
use support::{
    bench::check_problem,
    certificates::rsa_key,
    client::{Client, End},
    log::exchanges,
    request::{post, post_form},
    stage::{GET, OK, POST, lines_of},
    upstream::Upstream,
};
use tempfile::TempDir;
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};
use undersign::{
    config::{
        AccessConfig, Config, InboundAuthorization, Limits, ListenAddress, LogConfig, LogFormat,
        ProxyConfig, Timeouts, TlsConfig,
    },
    log::{self, Destination, Log, Lost},
    metrics::Metrics,
    oauth::{Credentials, Method, RsaHash, RsaKey, SigningOptions},
    server::{self, Server},
};

/// A server with a proxy of this name, and the runtimes that it has for itself.
struct Embedded {
    name: Arc<str>,
    address: SocketAddr,
    end: server::End,
    serving: JoinHandle<bool>,
    runtime: Runtime,
    /// Serves connections too.
    other: Runtime,
    /// How many threads the runtimes have had.
    threads: Arc<AtomicUsize>,
}

impl Embedded {
    /// Serves, and when told to stop, for so long.
    fn start(proxy: ProxyConfig, drain: Duration) -> Self {
        log_file();
        let threads = Arc::new(AtomicUsize::new(0));
        let [runtime, other] = [(); 2].map(|()| {
            let threads = Arc::clone(&threads);
            Builder::new_multi_thread()
                .worker_threads(1)
                .max_blocking_threads(1)
                .on_thread_start(move || {
                    threads.fetch_add(1, Ordering::Relaxed);
                })
                .enable_all()
                .build()
                .unwrap()
        });
        let name = Arc::clone(&proxy.name);
        let config = Config {
            log: LogConfig::default(),
            admin: None,
            proxies: vec![proxy],
        };
        let entered = runtime.enter();
        let server = Server::bind(config, Arc::new(Metrics::new(Lost::default()))).unwrap();
        let (_, address, _) = server.listening().remove(0);
        let ListenAddress::Tcp(address) = address else {
            panic!("{address} is no address of TCP");
        };
        let end = server::End::default();
        let server = server.with_runtimes(vec![other.handle().clone()]);
        let serving = tokio::spawn(server.serve(end.clone(), drain));
        drop(entered);
        Self {
            name,
            address,
            end,
            serving,
            runtime,
            other,
            threads,
        }
    }

    fn ask(&self, request: &[u8]) -> Client {
        let mut client = Client::tcp(self.address);
        client.send(request);
        client
    }

    /// Stops, and returns whether all that was under way had come to its end, with the records that there are.
    fn stop(self) -> (bool, Vec<Value>) {
        self.end.drain.cancel();
        let finished = self.runtime.block_on(self.serving).unwrap();
        let records = records_of(&self.name);
        for runtime in [self.runtime, self.other] {
            runtime.shutdown_timeout(support::DEADLINE);
        }
        (finished, records)
    }
}

/// The log of this process, which can have but one.
fn log_file() -> &'static PathBuf {
    static LOG: OnceLock<(TempDir, Log, PathBuf)> = OnceLock::new();
    let (_, log, path) = LOG.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let log = log::start(LogFormat::Json, Destination::File(path.clone())).unwrap();
        (directory, log, path)
    });
    log.flush();
    path
}

fn records_of(name: &str) -> Vec<Value> {
    let mut records = exchanges(&lines_of(log_file()));
    records.retain(|record| record["proxy"] == name);
    records
}

fn proxy(name: &str, upstream: &str, timeouts: Timeouts) -> ProxyConfig {
    ProxyConfig {
        name: name.into(),
        listen: vec![ListenAddress::Tcp(([127, 0, 0, 1], 0).into())],
        allow_nonlocal_listen: false,
        upstream: upstream.parse().unwrap(),
        allow_plaintext_upstream: true,
        credentials: Credentials {
            consumer_key: "key".to_owned(),
            consumer_secret: "secret".into(),
            token: None,
            token_secret: "".into(),
        },
        consumer_secret_source: None,
        token_secret_source: None,
        signing: SigningOptions::default(),
        private_key_file: None,
        inbound_authorization: InboundAuthorization::Replace,
        passthrough_headers: Vec::new(),
        tls: TlsConfig::default(),
        access: AccessConfig::default(),
        timeouts,
        limits: Limits::default(),
    }
}

#[test]
fn a_panic_in_an_exchange_is_an_internal_error_that_harms_no_other() {
    let upstream = Upstream::plain(|peer| {
        if peer.number == 0 {
            return peer.answer_all(OK);
        }
        peer.until_end().map(drop)
    });
    // No configuration file can ask for so long a time, which no clock can show.
    let timeouts = Timeouts {
        first_byte: Duration::MAX,
        ..Timeouts::default()
    };
    let embedded = Embedded::start(
        proxy("panics", &upstream.url(), timeouts),
        support::DEADLINE,
    );
    let mut bystander = Client::tcp(embedded.address);
    for request in [GET, POST, GET] {
        let mut client = embedded.ask(request);
        let response = client.response();
        let problem = check_problem(&response, 500, "proxy_internal_error", false);
        let detail = problem["detail"].as_str().unwrap();
        assert!(!detail.contains("overflow"), "{detail}");
        assert!(response.head.connection_says("close"), "{response:?}");
        client.expect_close();
    }
    // The connection, the listener and the process are as they were.
    bystander.send(b"GET /?oauth_token HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(bystander.response().status, 400);
    drop(bystander);
    let (finished, records) = embedded.stop();
    assert!(finished);
    let found: Vec<_> = records
        .iter()
        .map(|record| (&record["http.response.status_code"], &record["error.type"]))
        .map(|(status, error)| (status.as_u64().unwrap(), error.as_str().unwrap()))
        .collect();
    let panicked = (500, "proxy_internal_error");
    let refused = (400, "http_request_error");
    assert_eq!(
        found,
        [panicked, panicked, panicked, refused],
        "{records:#?}"
    );
}

#[test]
fn a_name_that_is_looked_up_without_end_is_given_up_in_time() {
    let timeouts = Timeouts {
        connect: Duration::from_millis(300),
        ..Timeouts::default()
    };
    let embedded = Embedded::start(
        proxy("resolver", "https://slow.test", timeouts),
        support::DEADLINE,
    );
    // Names are looked up on the one thread that is meant for what blocks.
    let (go_on, waits) = mpsc::channel::<()>();
    let blocker = embedded.runtime.spawn_blocking(move || waits.recv());
    let mut client = Client::tcp(embedded.address);
    for request in [GET, POST] {
        client.send(request);
        let problem = check_problem(&client.response(), 504, "dns_timeout", false);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("300 ms"), "{detail}");
    }
    drop((client, go_on));
    assert!(embedded.runtime.block_on(blocker).unwrap().is_err());
    let (finished, records) = embedded.stop();
    assert!(finished);
    assert_eq!(records.len(), 2, "{records:#?}");
    for record in records {
        assert_eq!(record["http.response.status_code"], 504);
        assert_eq!(record["error.type"], "dns_timeout");
        assert_eq!(record["upstream.attempts"], 1);
    }
}

#[test]
fn an_exchange_that_does_not_end_holds_the_end_up_for_no_longer_than_is_allowed() {
    let upstream = Upstream::plain(|peer| {
        peer.request()?;
        if peer.number == 0 {
            peer.send(OK)?;
            peer.request()?;
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")?;
        }
        peer.until_end().map(drop)
    });
    let drain = Duration::from_millis(300);
    let embedded = Embedded::start(proxy("drain", &upstream.url(), Timeouts::default()), drain);
    let mut first = embedded.ask(GET);
    assert_eq!(first.response().status, 200);
    // Another thread's connection, over the first one's connection to the upstream.
    let mut answered = embedded.ask(GET);
    answered.response_head();
    let mut waiting = embedded.ask(GET);
    upstream.wait("all requests", |seen| seen.requests.len() == 3);
    let (finished, records) = embedded.stop();
    assert!(!finished);
    upstream.wait_ended(2);
    // What was cut off does not look complete.
    assert_eq!(answered.rest(), (b"hello".to_vec(), End::Reset));
    assert_eq!(waiting.rest(), (Vec::new(), End::Reset));
    // It is nobody else's doing.
    let mut found: Vec<_> = records
        .iter()
        .map(|record| (&record["http.response.status_code"], &record["error.type"]))
        .map(|(status, error)| (status.as_u64(), error.as_str()))
        .collect();
    found.sort_unstable();
    let cut_off = Some("proxy_internal_error");
    assert_eq!(
        found,
        [(None, cut_off), (Some(200), None), (Some(200), cut_off)],
        "{records:#?}"
    );
}

#[test]
fn another_thread_goes_on_serving_while_a_signature_takes_long() {
    let upstream = Upstream::plain(|peer| peer.answer_all(OK));
    let rsa = RsaKey::from_pem(RsaHash::Sha1, rsa_key().as_bytes()).unwrap();
    let check = |method: &Method, body_hash, request: &[u8], spare_threads: usize| {
        let mut proxy = proxy("threads", &upstream.url(), Timeouts::default());
        proxy.signing.method = method.clone();
        proxy.signing.body_hash = body_hash;
        let embedded = Embedded::start(proxy, support::DEADLINE);
        let mut client = embedded.ask(request);
        assert_eq!(client.response().status, 200);
        drop(client);
        let threads = Arc::clone(&embedded.threads);
        assert!(embedded.stop().0);
        // Beside the one that each runtime begins with.
        assert_eq!(threads.load(Ordering::Relaxed) - 2, spare_threads);
    };
    let hmac = Method::HmacSha1;
    let [short, long] = [32, 1024 * 1024].map(|length| "a&".repeat(length / 2));
    check(&hmac, false, GET, 0);
    check(&hmac, false, post_form("/", &short).as_bytes(), 0);
    check(&hmac, false, post_form("/", &long).as_bytes(), 1);
    check(&hmac, false, post("", &long).as_bytes(), 0);
    check(&hmac, true, post("", &short).as_bytes(), 0);
    check(&hmac, true, post("", &long).as_bytes(), 1);
    check(&Method::Rsa(rsa), false, GET, 1);
}

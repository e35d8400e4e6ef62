//! A daemon in front of an upstream that follows a script.

use std::{
    fs, io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    DEADLINE, bench::check_problem, certificates::Certificate, client::Client, daemon::Daemon,
    log::exchanges, peer::Peer, setup::Setup, upstream::Upstream,
};

/// A request without content.
pub(crate) const GET: &[u8] = b"GET /thing HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A request with content.
pub(crate) const POST: &[u8] =
    b"POST /thing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello";

/// Requests of each kind of content.
pub(crate) const REQUESTS: [&[u8]; 4] = [
    GET,
    POST,
    b"POST /thing HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"POST /thing HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\r\na=b&c=d",
];

/// An answer after which the connection stays open.
pub(crate) const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// How an exchange has to be recorded: its status and its error type.
pub(crate) type Outcome = (Option<u16>, Option<&'static str>);

/// An exchange that ended well.
pub(crate) const fn fine(status: u16) -> Outcome {
    (Some(status), None)
}

/// An exchange that failed when or after this status went out.
pub(crate) const fn failed(status: u16, error: &'static str) -> Outcome {
    (Some(status), Some(error))
}

/// The daemon and its upstream.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) daemon: Daemon,
    pub(crate) upstream: Upstream,
}

impl Stage {
    /// An upstream over TLS, and a daemon with the defaults.
    #[track_caller]
    pub(crate) fn new<S>(script: S) -> Self
    where
        S: Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static,
    {
        Self::with(|setup| setup, script)
    }

    /// An upstream over TLS, and a daemon that is set up otherwise.
    #[track_caller]
    pub(crate) fn with<S>(set_up: impl FnOnce(Setup) -> Setup, script: S) -> Self
    where
        S: Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static,
    {
        let upstream = Upstream::tls(&Certificate::self_signed(), script);
        let daemon = set_up(Setup::new(upstream.url())).start();
        Self { daemon, upstream }
    }

    /// An upstream over plain TCP, and a daemon that is set up otherwise.
    #[track_caller]
    pub(crate) fn plain<S>(set_up: impl FnOnce(Setup) -> Setup, script: S) -> Self
    where
        S: Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static,
    {
        let upstream = Upstream::plain(script);
        let setup = Setup::new(upstream.url()).keys("allow_plaintext_upstream = true");
        let daemon = set_up(setup).start();
        Self { daemon, upstream }
    }

    /// Sends a request on a connection of its own.
    #[track_caller]
    pub(crate) fn ask(&self, request: impl AsRef<[u8]>) -> Client {
        let mut client = self.daemon.connect();
        client.send(request);
        client
    }

    /// Sends [`GET`] on this connection, and checks that [`OK`] comes back.
    #[track_caller]
    pub(crate) fn fetch_on(client: &mut Client) {
        client.send(GET);
        let response = client.response();
        assert_eq!(response.status, 200, "{response:?}");
        assert_eq!(response.body, b"ok");
    }

    /// Sends [`GET`] on a connection of its own, and checks that [`OK`] comes back.
    #[track_caller]
    pub(crate) fn fetch(&self) {
        Self::fetch_on(&mut self.daemon.connect());
    }

    /// Stops the daemon, and checks that it recorded these exchanges and no other.
    #[track_caller]
    pub(crate) fn finish(self, outcomes: &[Outcome]) -> Vec<Value> {
        finish(self.daemon, outcomes)
    }
}

/// Stops a daemon, and checks that it recorded these exchanges and no other.
#[track_caller]
pub(crate) fn finish(daemon: Daemon, outcomes: &[Outcome]) -> Vec<Value> {
    let (code, lines) = daemon.stop();
    assert_eq!(code, Some(0), "{lines:#?}");
    let records = exchanges(&lines);
    let found: Vec<_> = records
        .iter()
        .map(|record| {
            let status = record["http.response.status_code"].as_u64();
            (status, record["error.type"].as_str())
        })
        .collect();
    let expected: Vec<_> = outcomes
        .iter()
        .map(|(status, error)| (status.map(u64::from), *error))
        .collect();
    assert_eq!(found, expected, "{lines:#?}");
    records
}

/// Reads an answer of the daemon's own, and checks its form; returns what it says was wrong.
#[track_caller]
pub(crate) fn problem(client: &mut Client, status: u16, error: &str) -> String {
    let response = client.response();
    let problem = check_problem(&response, status, error, false);
    problem["detail"].as_str().unwrap().to_owned()
}

/// Waits until something outside of this process holds that nothing tells of.
#[track_caller]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < DEADLINE, "in vain: {what}");
        thread::park_timeout(Duration::from_millis(10));
    }
}

/// The lines of a file, such as a log.
#[track_caller]
pub(crate) fn lines_of(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(str::to_owned).collect()
}

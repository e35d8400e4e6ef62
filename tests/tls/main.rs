//! TLS with the upstream.

#![expect(
    clippy::unwrap_used,
    reason = "clippy allows it in functions marked as tests alone"
)]

mod files;
#[path = "../support/mod.rs"]
mod support;
mod trust;

use support::{
    daemon::Daemon,
    setup::Setup,
    stage::{Stage, fine, finish},
    upstream::Upstream,
};

/// A daemon in front of an upstream, with these keys in `[proxy.test.tls]`.
#[track_caller]
fn daemon(upstream: &Upstream, tls: &str) -> Daemon {
    Setup::new(upstream.url()).table("tls", tls).start()
}

/// Checks that the upstream is trusted, and gets one request, with this `Host`.
#[track_caller]
fn check_trusted(daemon: Daemon, upstream: &Upstream, host: &str) {
    Stage::fetch_on(&mut daemon.connect());
    finish(daemon, &[fine(200)]);
    let requests = upstream.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].head.only("host"), host);
}

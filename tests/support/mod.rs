//! What the black-box tests share: the daemon as a process, raw clients, upstreams, and the log.

#![allow(
    dead_code,
    reason = "each test crate takes what it needs, and leaves the rest"
)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what a test needs fails by panicking, outside of its function too"
)]

pub(crate) mod bench;
pub(crate) mod certificates;
pub(crate) mod client;
pub(crate) mod command;
pub(crate) mod daemon;
pub(crate) mod log;
pub(crate) mod peer;
pub(crate) mod recorder;
pub(crate) mod request;
pub(crate) mod setup;
pub(crate) mod stage;
pub(crate) mod upstream;
pub(crate) mod weak_key;
pub(crate) mod wire;

use std::time::Duration;

/// How long anything may take that happens at once: far more than a loaded machine needs, and still an end.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

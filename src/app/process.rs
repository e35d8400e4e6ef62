//! The process as the system sees it: its signals, its limits and its threads.

use std::{future::Future, io};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    signal::unix::{Signal, SignalKind, signal},
};
use tracing::warn;

use super::{Exit, complain};

/// What is open beside connections, at most: listeners, the log, secrets while they are read.
const OWN_DESCRIPTORS: usize = 64;

/// What a runtime has open to wait with.
const RUNTIME_DESCRIPTORS: usize = 4;

/// The signals that the program knows.
pub(super) struct Signals {
    pub(super) stop: StopSignals,
    pub(super) hang_up: Signal,
}

/// The signals that end the program.
pub(super) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            stop: StopSignals {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
            },
            hang_up: signal(SignalKind::hangup())?,
        })
    }
}

impl StopSignals {
    /// Waits for the next one.
    pub(super) async fn recv(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Does the work in a runtime of its own.
pub(super) fn in_runtime(work: impl Future<Output = io::Result<Exit>>) -> Exit {
    in_runtimes(1, |_| work)
}

/// Does the work in the first of some runtimes of one thread each; it gets the others.
pub(super) fn in_runtimes<W>(count: usize, work: impl FnOnce(Vec<Handle>) -> W) -> Exit
where
    W: Future<Output = io::Result<Exit>>,
{
    let first = runtime();
    let others: io::Result<Vec<_>> = (1..count).map(|_| runtime()).collect();
    let outcome = first.and_then(|first| {
        let others = others?;
        let handles = others.iter().map(|other| other.handle().clone());
        let outcome = first.block_on(work(handles.collect()));
        // What had to end has ended; a name that is still being looked up must not hold the exit up.
        others.into_iter().for_each(Runtime::shutdown_background);
        first.shutdown_background();
        outcome
    });
    outcome.unwrap_or_else(|error| {
        complain(error);
        Exit::Other
    })
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
}

/// A core dump, or a debugger of the same user, would see the secrets. Where the system does not let us forbid that,
/// there is nothing better to do than to go on.
pub(super) fn forbid_dumps() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Raises the limit of open files: each exchange takes two, and the soft limit is often 1024 only for the sake of
/// programs that use select(2).
///
/// Warns if even so there are not enough for as many client connections.
pub(super) fn raise_descriptor_limit(connections: usize, runtimes: usize) {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let limit = Rlimit {
        current: maximum,
        maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        warn!(%error, "can't raise the limit of open files");
    }
    let needed = connections
        .saturating_mul(2)
        .saturating_add(OWN_DESCRIPTORS + runtimes * RUNTIME_DESCRIPTORS);
    if let Some(files) = getrlimit(Resource::Nofile).current
        && files < needed as u64
    {
        warn!(
            "only {files} files may be open, but limits.connections may take {needed}: exchanges will fail before it is reached; raise the hard limit (ulimit -Hn, LimitNOFILE=) or lower limits.connections"
        );
    }
}

//! The daemon as a process: its addresses, its signals and its end.

use std::{net::SocketAddr, path::Path, process::Child};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use undersign::oauth::{Credentials, SigningOptions};

use super::{client::Client, log::Log};

/// The process, from its start to its end; killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    pub(super) child: Child,
    pub(super) log: Log,
    /// How many addresses the test's proxy listens on.
    pub(super) listeners: usize,
    pub(super) directory: TempDir,
    pub(super) credentials: Credentials,
    pub(super) signing: SigningOptions,
}

impl Process {
    /// Waits for the ready line.
    #[track_caller]
    pub(crate) fn ready(self) -> Daemon {
        let addresses = self.log.wait_for(|lines| {
            let found: Vec<_> = lines.iter().filter_map(|line| address_in(line)).collect();
            (found.len() >= self.listeners).then_some(found)
        });
        let addresses = addresses.unwrap_or_else(|| panic!("it ended: {:#?}", self.log.lines()));
        Daemon {
            addresses,
            process: self,
        }
    }

    /// What it has written to standard error.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where its configuration file `undersign.toml` and its secrets are.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a process to signal");
    }

    /// Waits for its end; returns the exit code and all that it wrote to standard error.
    #[track_caller]
    pub(crate) fn wait(mut self) -> (Option<i32>, Vec<String>) {
        // It closes standard error by ending, and is waited for only then, so that waiting has a deadline.
        let lines = self.log.wait_for_end();
        let status = self.child.wait().unwrap();
        (status.code(), lines)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A daemon that accepts connections.
#[derive(Debug)]
pub(crate) struct Daemon {
    process: Process,
    addresses: Vec<String>,
}

impl Daemon {
    /// The address that the first ready line names.
    pub(crate) fn address(&self) -> &str {
        &self.addresses[0]
    }

    /// The same, where it is one of TCP.
    pub(crate) fn socket_address(&self) -> SocketAddr {
        self.address().parse().expect("a TCP address")
    }

    /// Connects to it.
    pub(crate) fn connect(&self) -> Client {
        self.connect_at(0)
    }

    /// Connects to the address that the ready line of this number, from 0, names.
    pub(crate) fn connect_at(&self, number: usize) -> Client {
        let address = &self.addresses[number];
        match address.strip_prefix("unix:") {
            Some(path) => Client::unix(Path::new(path)),
            None => Client::tcp(address.parse().expect("a TCP address")),
        }
    }

    /// The process.
    pub(crate) fn process(&self) -> &Process {
        &self.process
    }

    /// What it has written to standard error.
    pub(crate) fn log(&self) -> &Log {
        self.process.log()
    }

    /// What it signs with.
    pub(crate) fn credentials(&self) -> &Credentials {
        &self.process.credentials
    }

    /// How it signs.
    pub(crate) fn signing(&self) -> &SigningOptions {
        &self.process.signing
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Waits for its end, as [`Process::wait`].
    #[track_caller]
    pub(crate) fn wait(self) -> (Option<i32>, Vec<String>) {
        self.process.wait()
    }

    /// Tells it to stop, and waits for its end.
    #[track_caller]
    pub(crate) fn stop(self) -> (Option<i32>, Vec<String>) {
        self.signal(Signal::TERM);
        self.wait()
    }
}

/// The address in a ready line of either format.
fn address_in(line: &str) -> Option<String> {
    if let Some(pairs) = line.strip_prefix("listening ") {
        let address = pairs
            .split(' ')
            .find_map(|pair| pair.strip_prefix("address="));
        return address.map(str::to_owned);
    }
    let record: serde_json::Value = serde_json::from_str(line).ok()?;
    let is_ready = record["message"] == "listening";
    is_ready.then(|| record["address"].as_str().unwrap().to_owned())
}

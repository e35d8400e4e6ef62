//! The first steps: DNS and TCP.

use std::{future::Future, io::ErrorKind, net::IpAddr, time::Duration};

use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};

use super::report::{Report, Verdict, milliseconds};
use crate::{
    proxy::Proxy,
    upstream::{ConnectError, Dialer, Stage},
};

/// The time for DNS, TCP and TLS together (`timeouts.connect`).
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    pub(super) limit: Duration,
    pub(super) end: Instant,
}

impl Budget {
    /// Takes one step, and tells how long it took.
    pub(super) async fn spend<T>(
        self,
        stage: Stage,
        step: impl Future<Output = Result<T, ConnectError>>,
    ) -> Result<(T, Duration), ConnectError> {
        let started = Instant::now();
        let limit = self.limit;
        match timeout_at(self.end, step).await {
            Ok(done) => done.map(|value| (value, started.elapsed())),
            Err(_) => Err(ConnectError::Timeout { stage, limit }),
        }
    }
}

/// Looks the platform up and connects to it.
pub(super) async fn reach(
    proxy: &Proxy,
    budget: Budget,
    report: &mut Report<'_>,
) -> Option<TcpStream> {
    let dialer = proxy.upstream().dialer();
    let (host, port) = dialer.target();
    let addresses = match budget.spend(Stage::Dns, dialer.resolve()).await {
        Ok((addresses, took)) => {
            let mut text = if host.parse::<IpAddr>().is_ok() {
                format!("{host} is an address")
            } else {
                let found = addresses.iter().map(|address| address.ip().to_string());
                let list = found.collect::<Vec<_>>().join(", ");
                format!("{host}: {list}, {}", milliseconds(took))
            };
            if proxy.config.tls.dial.is_some() {
                text.push_str("; tls.dial has it in place of the upstream's");
            }
            report.step(Verdict::Fine, "DNS", text);
            addresses
        }
        Err(error) => {
            report.step(Verdict::Failed, "DNS", &error);
            report.advice(advice(&error));
            return None;
        }
    };
    match budget.spend(Stage::Tcp, Dialer::reach(addresses)).await {
        Ok((tcp, took)) => {
            let address = tcp.peer_addr().map(|address| address.to_string());
            let address = address.unwrap_or_else(|_| format!("port {port}"));
            let took = milliseconds(took);
            report.step(Verdict::Fine, "TCP", format_args!("{address}, {took}"));
            Some(tcp)
        }
        Err(error) => {
            report.step(Verdict::Failed, "TCP", &error);
            report.advice(advice(&error));
            None
        }
    }
}

/// What to do about a connection that does not come about.
pub(super) fn advice(error: &ConnectError) -> &'static str {
    match error {
        ConnectError::Dns { .. }
        | ConnectError::Timeout {
            stage: Stage::Dns, ..
        } => {
            "check the name in upstream or tls.dial, and this machine's resolver; where only others know the name, set tls.dial to an address"
        }
        ConnectError::Tcp { source, .. } if source.kind() == ErrorKind::ConnectionRefused => {
            "nothing listens there, or a firewall says so: check the port in upstream or tls.dial, and that the platform runs"
        }
        ConnectError::Tcp { .. }
        | ConnectError::Timeout {
            stage: Stage::Tcp, ..
        } => {
            "check the address, and routes and firewalls on the way; if it is only slow, raise timeouts.connect"
        }
        ConnectError::Timeout { .. } => {
            "something accepts connections and does not speak TLS: check the port; if it is only slow, raise timeouts.connect"
        }
        ConnectError::Tls(_) | ConnectError::Handshake(_) => {
            "check that the port is one that speaks TLS, and what stands between here and the platform"
        }
    }
}

//! `undersign doctor`: the way from here to each platform, step by step, with what is wrong on it and what to do.
//!
//! Each step is taken by what the daemon takes it with, on one connection: look up, connect, agree on TLS, sign, send.
//! So what goes wrong here goes wrong there, and what goes well goes well.

mod handshake;
mod network;
mod report;
mod request;

use std::{
    io::{self, Write},
    str::FromStr,
};

use tokio::time::Instant;

use self::{network::Budget, report::Report};
use crate::{
    config::{Flags, ProxyConfig},
    proxy::Proxy,
    server::{self, StartError},
    wire::parse_request_line,
};

/// The command line of `doctor`.
#[derive(Clone, Debug, Default)]
pub struct DoctorWords {
    /// `--proxy NAME`
    pub proxy: Option<String>,
    /// `--path PATH`
    pub path: String,
    /// The flags that describe the proxy.
    pub flags: Flags,
}

/// What is asked for at the end: a path and perhaps a query (RFC 9112 §3.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(String);

/// A text that can't be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must begin with / and be written as it is sent: %20 for a space, and no #")]
pub struct TargetError;

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let line = format!("GET {text} HTTP/1.1");
        if text.starts_with('/') && parse_request_line(line.as_bytes()).is_ok() {
            Ok(Self(text.to_owned()))
        } else {
            Err(TargetError)
        }
    }
}

/// Why nothing, or not everything, could be said.
#[derive(Debug, thiserror::Error)]
pub enum DoctorError {
    /// Settings that can't be used.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Settings(Vec<StartError>),
    /// What was found can't be written.
    #[error("can't write to standard output: {0}")]
    Output(#[from] io::Error),
}

/// Examines each proxy's way to its platform, and tells of each step on `out` as it is done; returns whether none failed.
///
/// # Errors
/// See [`DoctorError`]; what is wrong on the way is no error, but what was asked for.
pub async fn examine(
    proxies: Vec<ProxyConfig>,
    target: &Target,
    out: &mut dyn Write,
) -> Result<bool, DoctorError> {
    let proxies = server::prepare_all(proxies).map_err(DoctorError::Settings)?;
    let mut report = Report::new(out);
    for proxy in proxies {
        report.begin(&proxy.config.name, &proxy.config.upstream);
        examine_one(&proxy, target, &mut report).await;
    }
    Ok(report.finish()?)
}

async fn examine_one(proxy: &Proxy, target: &Target, report: &mut Report<'_>) {
    let limit = proxy.config.timeouts.connect;
    let budget = Budget {
        limit,
        end: Instant::now() + limit,
    };
    let Some(tcp) = network::reach(proxy, budget, report).await else {
        return;
    };
    let Some(stream) = handshake::agree(proxy, tcp, budget, report).await else {
        return;
    };
    request::ask(proxy, stream, &target.0, report).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_what_a_request_line_takes() {
        for (text, expected) in [
            ("/", true),
            ("/aps/2/resources?sort(+name),limit(0,1)", true),
            ("", false),
            ("aps", false),
            ("*", false),
            ("https://h/", false),
            ("/a b", false),
            ("/a#b", false),
            ("/a\r\nHost: h", false),
        ] {
            assert_eq!(text.parse::<Target>().is_ok(), expected, "{text:?}");
        }
    }
}

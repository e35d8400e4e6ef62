//! What others say of what a configuration names: whether a file will do is for whoever uses it to judge.

use std::{io, path::Path};

use super::TlsConfig;

/// Whom to ask while a configuration is resolved, so that what they say is reported with all the rest. The default asks
/// nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Checks {
    /// Says what of TLS settings can't be used for a host.
    pub tls: Option<TlsCheck>,
    /// Says why a log can't be written to a file, without making or changing it.
    pub log_file: Option<LogFileCheck>,
}

/// See [`Checks::tls`].
pub type TlsCheck = fn(&TlsConfig, &str) -> Vec<TlsFault>;

/// See [`Checks::log_file`].
pub type LogFileCheck = fn(&Path) -> io::Result<()>;

/// A setting of `[proxy.NAME.tls]` that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{key}: {message}")]
pub struct TlsFault {
    /// The key below `proxy.NAME.tls`, or `upstream`.
    pub key: &'static str,
    /// What is wrong and what to do.
    pub message: String,
}

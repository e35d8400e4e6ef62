//! `undersign sign` and `undersign verify`: one request, described on the command line, is signed or its signature is
//! judged. Nothing is sent anywhere.

mod content;
mod described;
mod fault;
mod header;
mod received;
mod sign;
mod unsigned;
mod url;
mod verify;

use std::{ffi::OsString, io};

pub use self::{fault::UsageFault, sign::sign, verify::verify};
use crate::config::{Faults, Flags};

/// A request, as the command line describes it.
#[derive(Clone, Debug, Default)]
pub struct RequestWords {
    /// `METHOD`
    pub method: String,
    /// `URL`: whole, or its path and query.
    pub url: OsString,
    /// `--data DATA`
    pub data: Vec<OsString>,
    /// `--data-binary DATA`
    pub data_binary: Vec<OsString>,
    /// `--header 'Name: value'`
    pub headers: Vec<String>,
    /// `--proxy NAME`
    pub proxy: Option<String>,
    /// The flags that describe the proxy.
    pub flags: Flags,
}

/// The command line of `sign`.
#[derive(Clone, Debug, Default)]
pub struct SignWords {
    /// What to sign.
    pub request: RequestWords,
    /// `--timestamp SECONDS`
    pub timestamp: Option<String>,
    /// `--nonce NONCE`
    pub nonce: Option<String>,
    /// `--explain`
    pub explain: bool,
}

/// The command line of `verify`.
#[derive(Clone, Debug, Default)]
pub struct VerifyWords {
    /// What was signed.
    pub request: RequestWords,
    /// `--authorization VALUE`
    pub authorization: Option<String>,
    /// `--base-string TEXT`
    pub base_string: Option<String>,
}

/// What there is to print.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// For standard output, with its line breaks.
    pub text: String,
    /// For standard error, a line each.
    pub notes: Vec<String>,
    /// Whether there is nothing to object to.
    pub is_right: bool,
}

/// Why there is nothing to report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A part of the command line makes no sense.
    #[error("{0}")]
    Usage(#[from] UsageFault),
    /// The proxy's configuration is wrong.
    #[error("{0}")]
    Configuration(#[from] Faults),
    /// A file or standard input can't be read.
    #[error("can't read {name}: {error}")]
    Unreadable {
        /// The file's path, or `standard input`.
        name: String,
        /// What the system said.
        error: io::Error,
    },
}

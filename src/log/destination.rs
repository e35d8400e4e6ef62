//! Where the log goes.

use std::{
    fs::{File, OpenOptions},
    io::{self, IsTerminal},
    os::{fd::AsFd, unix::fs::OpenOptionsExt},
    path::PathBuf,
};

use crate::config::LogFormat;

/// Where the log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Standard error.
    Stderr,
    /// A file, appended to, and made (with mode 0640) if there is none.
    File(PathBuf),
}

impl From<Option<PathBuf>> for Destination {
    fn from(file: Option<PathBuf>) -> Self {
        file.map_or(Self::Stderr, Self::File)
    }
}

/// The format to use where none is asked for: text if people read along on a terminal, otherwise JSON.
pub fn default_format(destination: &Destination) -> LogFormat {
    match destination {
        Destination::Stderr if io::stderr().is_terminal() => LogFormat::Text,
        _ => LogFormat::Json,
    }
}

impl Destination {
    /// Opens it for the writer alone.
    ///
    /// Standard error is opened past the standard library's lock: while a pipe is blocked, the writer would
    /// hold that, and a panic message elsewhere would wait for it.
    pub(super) fn open(&self) -> io::Result<File> {
        match self {
            Self::Stderr => Ok(io::stderr().as_fd().try_clone_to_owned()?.into()),
            Self::File(path) => OpenOptions::new()
                .append(true)
                .create(true)
                .mode(0o640)
                .open(path),
        }
    }
}

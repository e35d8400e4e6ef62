//! Where the log goes.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, IsTerminal},
    os::{fd::AsFd, unix::fs::OpenOptionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::{Access, access};

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

/// Finds out whether a log could be written to a file, without making or changing it.
///
/// # Errors
/// Why not.
pub fn check_file(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() || found.is_dir() => {
            OpenOptions::new().append(true).open(path).map(drop)
        }
        // To open a pipe would be to wait for its reader, and to close it again would be the end for that one.
        Ok(_) => Ok(access(path, Access::WRITE_OK)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let parent = path.parent().filter(|parent| *parent != Path::new(""));
            let parent = parent.unwrap_or(Path::new("."));
            if !fs::metadata(parent)?.is_dir() {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            Ok(access(parent, Access::WRITE_OK | Access::EXEC_OK)?)
        }
        Err(error) => Err(error),
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

//! The environment, read once. No other file reads it.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fmt,
};

use listenfd::ListenFd;
use zeroize::Zeroize as _;

use crate::systemd::{Descriptors, Sockets};

/// What systemd tells the daemon, and the daemon alone (sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3)).
const FROM_SYSTEMD: [&str; 7] = [
    "LISTEN_FDNAMES",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_PIDFDID",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
];

/// What each variable of ours begins with.
const PREFIX: &str = "UNDERSIGN_";

/// A variable's value is not valid UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not valid UTF-8")]
pub struct NotUnicode;

/// The process's environment as it was when it was captured.
///
/// Everything that depends on variables takes one of these, so that a test can make up its own.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
    sockets: Option<Sockets>,
}

impl Environment {
    /// Reads the environment of this process.
    #[expect(clippy::disallowed_methods, reason = "the one place that may")]
    pub fn capture() -> Self {
        std::env::vars_os().collect()
    }

    /// Takes over the sockets that were passed to this process, so that no child process gets them. Comes before all
    /// that may open a file or start a thread.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that may")]
    pub fn with_sockets(mut self) -> Self {
        // What is no text makes no sense either.
        let value = |name| self.get(name).ok().flatten();
        let descriptors = Descriptors::parse(
            std::process::id(),
            value("LISTEN_PID"),
            value("LISTEN_FDS"),
            value("LISTEN_FDNAMES"),
        );
        // It takes variables without a process's id for ours.
        let passed = if descriptors.is_empty() {
            ListenFd::empty()
        } else {
            ListenFd::from_env()
        };
        self.sockets = Some(descriptors.adopt(passed));
        self
    }

    /// The sockets that were passed to this process; `None` if they were not taken over, as only the daemon does.
    pub fn sockets(&self) -> Option<&Sockets> {
        self.sockets.as_ref()
    }

    /// The value of a variable, if it is set.
    ///
    /// # Errors
    ///
    /// It is set, but no text.
    pub fn get(&self, name: &str) -> Result<Option<&str>, NotUnicode> {
        self.variables
            .get(OsStr::new(name))
            .map(|value| value.to_str().ok_or(NotUnicode))
            .transpose()
    }

    /// The names that begin with `UNDERSIGN_`, in their order, each with its value.
    pub fn own(&self) -> impl Iterator<Item = (&str, Result<&str, NotUnicode>)> {
        self.variables.iter().filter_map(|(name, value)| {
            let name = name.to_str().filter(|name| name.starts_with(PREFIX))?;
            Some((name, value.to_str().ok_or(NotUnicode)))
        })
    }

    /// What a child process may see: everything but our own variables, what systemd tells the daemon alone, and those
    /// named in `withheld`.
    pub fn for_child(&self, withheld: &[String]) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables
            .iter()
            .map(|(name, value)| (name.as_os_str(), value.as_os_str()))
            .filter(move |(name, _)| {
                !name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
                    && !FROM_SYSTEMD.iter().any(|other| OsStr::new(other) == *name)
                    && !withheld.iter().any(|other| OsStr::new(other) == *name)
            })
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self {
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            sockets: None,
        }
    }
}

/// Wipes this copy. The process's own block of variables stays as it is: nothing can change that safely, but others than
/// root can't read it either (see `app::process`).
impl Drop for Environment {
    fn drop(&mut self) {
        for value in self.variables.values_mut() {
            std::mem::take(value).into_encoded_bytes().zeroize();
        }
    }
}

/// Shows how many variables there are, for any of them may hold a secret.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.variables.len())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[test]
    fn a_value_that_is_no_text_is_an_error_and_not_a_panic() {
        let value = OsString::from_vec(vec![0xff]);
        let environment = Environment::from_iter([("UNDERSIGN_LISTEN", value)]);
        assert_eq!(environment.get("UNDERSIGN_LISTEN"), Err(NotUnicode));
        assert_eq!(environment.get("UNDERSIGN_UPSTREAM"), Ok(None));
        assert_eq!(environment.own().count(), 1);
    }

    #[test]
    fn a_child_sees_neither_our_variables_nor_systemd_s_nor_those_withheld() {
        let environment = Environment::from_iter([
            ("APS_SECRET", "1"),
            ("HOME", "/"),
            ("LISTEN_FDS", "1"),
            ("NOTIFY_SOCKET", "/run/systemd/notify"),
            ("UNDERSIGN_CONSUMER_SECRET", "2"),
        ]);
        let seen: Vec<_> = environment.for_child(&["APS_SECRET".into()]).collect();
        assert_eq!(seen, [(OsStr::new("HOME"), OsStr::new("/"))]);
    }

    #[test]
    fn debugging_output_holds_no_value() {
        let environment = Environment::from_iter([("UNDERSIGN_CONSUMER_SECRET", "S3NTINEL")]);
        assert_eq!(format!("{environment:?}"), "Environment(1 variables)");
    }
}

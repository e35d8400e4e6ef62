//! The program as a command that runs to its end.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use super::log::Log;

/// How a command ended, and what it printed.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; `None` after a signal.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

/// Runs the program in `directory` with these words and variables, and no others.
#[track_caller]
pub(crate) fn undersign(directory: &Path, words: &[&str], variables: &[(&str, &str)]) -> Ended {
    undersign_reading(directory, words, variables, b"")
}

/// Likewise, with something on standard input, which is short enough for the system to keep.
#[track_caller]
pub(crate) fn undersign_reading(
    directory: &Path,
    words: &[&str],
    variables: &[(&str, &str)],
    input: &[u8],
) -> Ended {
    let mut child = Command::new(env!("CARGO_BIN_EXE_undersign"))
        .args(words)
        .current_dir(directory)
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the daemon's binary");
    // Whoever does not read it may have ended by now.
    let _ = child.stdin.take().unwrap().write_all(input);
    let stdout = Log::collect(child.stdout.take().unwrap());
    let stderr = Log::collect(child.stderr.take().unwrap());
    // It closes both by ending, and is waited for only then, so that waiting has a deadline.
    let [stdout, stderr] = [stdout, stderr].map(|log| log.wait_for_end().join("\n"));
    Ended {
        code: child.wait().unwrap().code(),
        stdout,
        stderr,
    }
}

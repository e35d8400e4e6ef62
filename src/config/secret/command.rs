//! Commands that print a secret, such as a password manager's.

use std::{
    ffi::OsStr,
    io,
    os::unix::process::CommandExt as _,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};
use zeroize::Zeroizing;

use super::{MAX_SECRET_BYTES, SecretError, read_bounded};

/// How long a command may take. It cannot ask anybody anything, so it has no reason to take long.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Between two looks at whether a command that has closed its output has ended.
const PAUSE: Duration = Duration::from_millis(5);

/// Why a command gave no secret. Nothing that it printed is shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    #[error("the command cannot be run ({0})")]
    Unusable(#[from] io::Error),
    #[error("the command took longer than {} s and was killed", TIME_LIMIT.as_secs())]
    TimedOut,
    #[error("the command failed with {0}")]
    Failed(ExitStatus),
}

/// Runs a command without a shell, and gives what it printed.
pub(super) fn run<'e>(
    words: &[String],
    environment: impl Iterator<Item = (&'e OsStr, &'e OsStr)>,
) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    run_within(TIME_LIMIT, words, environment).map_err(SecretError::Command)
}

fn run_within<'e>(
    limit: Duration,
    words: &[String],
    environment: impl Iterator<Item = (&'e OsStr, &'e OsStr)>,
) -> Result<Zeroizing<Vec<u8>>, CommandError> {
    let deadline = Instant::now() + limit;
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(environment)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // A group of its own, so that what it starts can be killed with it.
        .process_group(0)
        .spawn()?;
    let outcome = collect(&mut child, deadline);
    if outcome.is_err() {
        kill(&mut child);
    }
    let (output, status) = outcome?;
    // A command whose output is too long dies of the pipe that is closed on it; the length says more than that.
    if status.success() || output.len() > MAX_SECRET_BYTES {
        Ok(output)
    } else {
        Err(CommandError::Failed(status))
    }
}

/// Waits for the command's output and end, until the deadline.
fn collect(
    child: &mut Child,
    deadline: Instant,
) -> Result<(Zeroizing<Vec<u8>>, ExitStatus), CommandError> {
    let output = child
        .stdout
        .take()
        .ok_or_else(|| io::Error::from(io::ErrorKind::BrokenPipe))?;
    // Reading has no deadline, so a thread does it. If the deadline passes, the thread ends when the killed
    // command's pipe closes.
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || sender.send(read_bounded(output)));
    let left = deadline.saturating_duration_since(Instant::now());
    let output = receiver
        .recv_timeout(left)
        .map_err(|_| CommandError::TimedOut)??;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((output, status));
        }
        if Instant::now() >= deadline {
            return Err(CommandError::TimedOut);
        }
        thread::park_timeout(PAUSE);
    }
}

/// Kills a command that nobody has waited for yet, so that its id cannot be another process's by now.
fn kill(child: &mut Child) {
    // Errors mean that it has ended already.
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    fn sh(limit: Duration, script: &str) -> Result<Zeroizing<Vec<u8>>, CommandError> {
        let words = ["/bin/sh", "-c", script].map(str::to_owned);
        let environment =
            [("GREETING", "hello")].map(|(name, value)| (name.as_ref(), value.as_ref()));
        run_within(limit, &words, environment.into_iter())
    }

    #[test]
    fn a_command_sees_only_the_environment_it_is_given_and_no_input() {
        let output = sh(TIME_LIMIT, "cat; printf %s \"$GREETING$HOME\"").unwrap();
        assert_eq!(*output, b"hello");
    }

    #[test]
    fn a_failure_tells_the_status_and_nothing_that_was_printed() {
        let error = sh(TIME_LIMIT, "echo S3NTINEL; echo S3NTINEL >&2; exit 3").unwrap_err();
        assert_eq!(error.to_string(), "the command failed with exit status: 3");
        let error = sh(TIME_LIMIT, "kill -9 $$").unwrap_err();
        assert!(matches!(error, CommandError::Failed(status) if status.signal() == Some(9)));
    }

    #[test]
    fn a_command_that_takes_too_long_is_killed_with_all_it_started() {
        let began = Instant::now();
        let error = sh(Duration::from_millis(50), "sleep 60 & sleep 60").unwrap_err();
        assert!(matches!(error, CommandError::TimedOut));
        let error = sh(Duration::from_millis(50), "exec >&-; sleep 60").unwrap_err();
        assert!(matches!(error, CommandError::TimedOut));
        assert!(began.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_program_that_is_not_there_is_a_fault() {
        let error =
            run_within(TIME_LIMIT, &["/S3NTINEL".to_owned()], std::iter::empty()).unwrap_err();
        assert!(
            matches!(error, CommandError::Unusable(_)) && !error.to_string().contains("S3NTINEL")
        );
    }

    #[test]
    fn endless_output_is_not_collected_for_ever() {
        let output = sh(TIME_LIMIT, "cat /dev/zero").unwrap();
        assert_eq!(output.len(), MAX_SECRET_BYTES + 1);
    }
}

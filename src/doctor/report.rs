//! What was found, in lines for people: a verdict, a step, and what is to be said of it.

use std::{
    fmt::Display,
    io::{self, Write},
    time::Duration,
};

use crate::config::Origin;

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// As it should.
    Fine,
    /// Well enough, but something should be done.
    Warning,
    /// Not.
    Failed,
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Warning => "warning",
            Self::Failed => "FAILED",
        }
    }
}

/// A report that is written as it grows, so that whoever waits sees for what.
pub(super) struct Report<'a> {
    out: &'a mut dyn Write,
    written: io::Result<()>,
    is_fine: bool,
}

impl<'a> Report<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            written: Ok(()),
            is_fine: true,
        }
    }

    /// Begins with another proxy.
    pub(super) fn begin(&mut self, proxy: &str, upstream: &Origin) {
        self.line(format_args!("proxy {proxy}: {upstream}"));
    }

    /// Tells how a step went.
    pub(super) fn step(&mut self, verdict: Verdict, name: &str, text: impl Display) {
        self.is_fine &= verdict != Verdict::Failed;
        self.line(format_args!("  {:<8} {name:<7} {text}", verdict.as_str()));
    }

    /// Tells something more of the last step.
    pub(super) fn more(&mut self, name: &str, text: impl Display) {
        self.line(format_args!("  {:<8} {name:<7} {text}", ""));
    }

    /// Tells what to do about the last step.
    pub(super) fn advice(&mut self, text: impl Display) {
        self.more("to do:", text);
    }

    /// Whether no step failed.
    ///
    /// # Errors
    /// The report could not be written to its end.
    pub(super) fn finish(self) -> io::Result<bool> {
        match self.written {
            // Where the reader of a pipe has left, it has seen all that it wanted.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(self.is_fine),
        }
    }

    fn line(&mut self, line: impl Display) {
        if self.written.is_ok() {
            self.written = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
        }
    }
}

/// A duration as people compare it.
pub(super) fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_fails_with_its_first_failure_and_not_with_a_warning() {
        let check = |verdicts: &[Verdict], expected: bool| {
            let mut out = Vec::new();
            let mut report = Report::new(&mut out);
            for verdict in verdicts {
                report.step(*verdict, "DNS", "a text");
            }
            assert_eq!(report.finish().unwrap(), expected, "{verdicts:?}");
            let text = String::from_utf8(out).unwrap();
            assert_eq!(text.lines().count(), verdicts.len());
        };
        check(&[], true);
        check(&[Verdict::Fine, Verdict::Warning], true);
        check(&[Verdict::Failed, Verdict::Fine], false);
    }
}

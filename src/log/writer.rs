//! The thread that writes: everything that waits in one write, and nothing that stops the daemon when the
//! disk is full or the reader of a pipe has gone.

use std::{
    io::{self, ErrorKind, Write},
    mem, thread,
    time::Duration,
};

use time::OffsetDateTime;
use tracing::Level;

use super::{
    line::Line,
    queue::{Batch, Lost, Order, Queue, Target},
};
use crate::config::LogFormat;

/// A burst may fill the buffer; this much of it is kept for what follows.
const KEPT_CAPACITY: usize = 256 * 1024;

/// How long to leave a non-blocking target alone that is full.
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// Writes lines, counts those it cannot write, and says so once when that begins and once when it ends.
pub(super) struct Writer {
    format: LogFormat,
    target: Target,
    /// Where to complain while the target does not work; `None` if it would be the target itself.
    complaints: Option<Target>,
    /// The end of a line whose beginning is written: it comes first when writing works again.
    torn: Vec<u8>,
    lost: Lost,
    /// The value of `lost` that the log itself speaks of.
    announced: u64,
    failing: bool,
}

impl Writer {
    /// A writer to `target`.
    pub(super) fn new(
        format: LogFormat,
        target: Target,
        complaints: Option<Target>,
        lost: Lost,
    ) -> Self {
        Self {
            format,
            target,
            complaints,
            torn: Vec::new(),
            announced: lost.get(),
            lost,
            failing: false,
        }
    }

    /// Writes what comes through the queue until it is closed.
    pub(super) fn run(mut self, queue: &Queue) {
        let mut batch = Batch::default();
        while queue.take(&mut batch) {
            self.write_batch(&mut batch);
            queue.gather();
        }
    }

    fn write_batch(&mut self, Batch { lines, orders }: &mut Batch) {
        let mut done = 0;
        for (at, order) in orders.drain(..) {
            self.write_lines(&lines[done..at]);
            done = at;
            match order {
                Order::Reopen(target) => self.reopen(target),
                Order::Flush(waiter) => drop(waiter),
            }
        }
        self.write_lines(&lines[done..]);
        lines.clear();
        lines.shrink_to(KEPT_CAPACITY);
    }

    fn write_lines(&mut self, lines: &[u8]) {
        if lines.is_empty() {
            return;
        }
        match self.try_write(lines) {
            Ok(()) => self.announce(),
            Err(error) => self.complain("cannot write the log", &error.to_string()),
        }
    }

    /// Leaves the old target, of which this is the last chance to get a line it has begun.
    fn reopen(&mut self, target: Target) {
        if self.try_write(&[]).is_err() {
            self.torn.clear();
            self.lost.add(1);
        }
        self.target = target;
        self.announce();
    }

    /// Writes whole lines. What fails is counted, so that every line is written once, or lost and counted.
    fn try_write(&mut self, lines: &[u8]) -> io::Result<()> {
        let torn = mem::take(&mut self.torn);
        if let Err((written, error)) = write_all(&mut self.target, &torn) {
            self.torn = torn[written..].to_vec();
            self.lost.add(count_lines(lines));
            return Err(error);
        }
        if let Err((written, error)) = write_all(&mut self.target, lines) {
            let (begun, rest) = lines.split_at(written);
            let torn = if begun.is_empty() || begun.ends_with(b"\n") {
                0
            } else {
                memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1)
            };
            self.torn = rest[..torn].to_vec();
            self.lost.add(count_lines(&rest[torn..]));
            return Err(error);
        }
        Ok(())
    }

    /// After a success: if lines were lost since the log last said so, says so in the log.
    fn announce(&mut self) {
        let lost = self.lost.get();
        if lost == self.announced {
            self.failing = false;
            return;
        }
        self.complain("log records lost", "the log is slower than the exchanges");
        self.failing = false;
        // Set before the attempt: if this line is lost as well, the count grows past it and another follows.
        self.announced = lost;
        let line = Line::new(self.format, OffsetDateTime::now_utc(), Level::WARN)
            .message("log records lost")
            .number("lost_total", lost)
            .finish();
        if let Err(error) = self.try_write(line.as_bytes()) {
            self.complain("cannot write the log", &error.to_string());
        }
    }

    /// Says on standard error that records are being lost, unless that was said already.
    fn complain(&mut self, message: &str, error: &str) {
        if mem::replace(&mut self.failing, true) {
            return;
        }
        if let Some(target) = &mut self.complaints {
            let line = Line::new(self.format, OffsetDateTime::now_utc(), Level::WARN)
                .message(message)
                .field("error", error)
                .number("lost_total", self.lost.get())
                .finish();
            // There is nobody left to tell.
            let _ = target.write_all(line.as_bytes());
        }
    }
}

/// Writes all of `bytes`, or says how many were written before what error.
fn write_all(target: &mut dyn Write, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut written = 0;
    while written < bytes.len() {
        match target.write(&bytes[written..]) {
            Ok(0) => return Err((written, ErrorKind::WriteZero.into())),
            Ok(more) => written += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Whoever started us may have made a pipe non-blocking, for all who share it.
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::park_timeout(BUSY_PAUSE),
            Err(error) => return Err((written, error)),
        }
    }
    Ok(())
}

fn count_lines(lines: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', lines).count() as u64
}

#[cfg(test)]
mod tests {
    use std::{
        collections::VecDeque,
        sync::{Arc, Mutex},
    };

    use super::*;

    /// What a target does with one write.
    enum Step {
        Take(usize),
        Fail(ErrorKind),
    }

    /// A target that follows a script, and takes everything once that has ended.
    #[derive(Clone, Default)]
    struct Scripted {
        steps: Arc<Mutex<VecDeque<Step>>>,
        taken: Arc<Mutex<Vec<u8>>>,
    }

    impl Scripted {
        fn new(steps: impl IntoIterator<Item = Step>) -> Self {
            let target = Self::default();
            target.steps.lock().unwrap().extend(steps);
            target
        }

        fn text(&self) -> String {
            String::from_utf8(self.taken.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Scripted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let length = match self.steps.lock().unwrap().pop_front() {
                Some(Step::Fail(kind)) => return Err(kind.into()),
                Some(Step::Take(length)) => length.min(bytes.len()),
                None => bytes.len(),
            };
            self.taken
                .lock()
                .unwrap()
                .extend_from_slice(&bytes[..length]);
            Ok(length)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn writer(target: &Scripted, complaints: &Scripted) -> Writer {
        Writer::new(
            LogFormat::Json,
            Box::new(target.clone()),
            Some(Box::new(complaints.clone())),
            Lost::default(),
        )
    }

    /// The lines without the time they bear.
    fn lines_without_time(target: &Scripted) -> Vec<String> {
        let text = target.text();
        let lines = text.lines();
        lines
            .map(|line| match line.split_once("Z\",") {
                Some((_, rest)) => rest.to_owned(),
                None => line.to_owned(),
            })
            .collect()
    }

    #[test]
    fn partial_and_interrupted_writes_are_completed() {
        let target = Scripted::new([
            Step::Take(2),
            Step::Fail(ErrorKind::Interrupted),
            Step::Take(5),
            Step::Fail(ErrorKind::WouldBlock),
        ]);
        let complaints = Scripted::default();
        let mut writer = writer(&target, &complaints);
        writer.write_lines(b"one\ntwo\nthree\n");
        assert_eq!(target.text(), "one\ntwo\nthree\n");
        assert_eq!(complaints.text(), "");
        assert_eq!(writer.lost.get(), 0);
    }

    #[test]
    fn a_loss_is_complained_of_once_and_logged_once() {
        let target = Scripted::new([
            Step::Fail(ErrorKind::StorageFull),
            Step::Fail(ErrorKind::StorageFull),
        ]);
        let complaints = Scripted::default();
        let mut writer = writer(&target, &complaints);
        for lines in ["one\n", "two\nthree\n", "four\n", "five\n"] {
            writer.write_lines(lines.as_bytes());
        }
        assert_eq!(writer.lost.get(), 3);
        let complaint = r#""level":"WARN","message":"cannot write the log","error":"no storage space","lost_total":1}"#;
        assert_eq!(lines_without_time(&complaints), [complaint]);
        let notice = r#""level":"WARN","message":"log records lost","lost_total":3}"#;
        assert_eq!(lines_without_time(&target), ["four", notice, "five"]);
    }

    #[test]
    fn a_line_begun_is_finished_before_the_next() {
        let target = Scripted::new([
            Step::Take(5),
            Step::Fail(ErrorKind::StorageFull),
            Step::Take(1),
            Step::Fail(ErrorKind::StorageFull),
        ]);
        let mut writer = writer(&target, &Scripted::default());
        writer.write_lines(b"one\ntwo\nthree\n");
        assert_eq!(target.text(), "one\nt");
        assert_eq!(writer.lost.get(), 1);
        writer.write_lines(b"four\n");
        assert_eq!(target.text(), "one\ntw");
        assert_eq!(writer.lost.get(), 2);
        writer.write_lines(b"five\n");
        assert_eq!(lines_without_time(&target)[..3], ["one", "two", "five"]);
    }

    #[test]
    fn a_new_target_begins_with_a_whole_line() {
        let full = Scripted::new([
            Step::Take(1),
            Step::Fail(ErrorKind::StorageFull),
            Step::Fail(ErrorKind::StorageFull),
        ]);
        let fresh = Scripted::default();
        let mut writer = writer(&full, &Scripted::default());
        let mut batch = Batch {
            lines: b"one\ntwo\n".to_vec(),
            orders: vec![(4, Order::Reopen(Box::new(fresh.clone())))],
        };
        writer.write_batch(&mut batch);
        assert_eq!(full.text(), "o");
        let notice = r#""level":"WARN","message":"log records lost","lost_total":1}"#;
        assert_eq!(lines_without_time(&fresh), [notice, "two"]);
    }

    #[test]
    fn a_queue_that_was_full_is_announced() {
        let target = Scripted::default();
        let complaints = Scripted::default();
        let mut writer = writer(&target, &complaints);
        writer.lost.add(2);
        writer.write_lines(b"one\n");
        writer.write_lines(b"two\n");
        let notice = r#""level":"WARN","message":"log records lost","lost_total":2}"#;
        assert_eq!(lines_without_time(&target), ["one", notice, "two"]);
        assert_eq!(complaints.text().lines().count(), 1);
    }
}

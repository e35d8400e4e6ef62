//! The log: events of `tracing`, as one line each, on standard error or in a file.
//!
//! An exchange never waits for its record. Events are formatted where they happen, queued, and written by a
//! thread of their own; what finds no room or cannot be written is counted as [`Lost`].

mod destination;
mod line;
mod queue;
mod ready;
mod recorder;
mod writer;

use std::{
    fmt, io,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use tracing_subscriber::layer::SubscriberExt;

use self::{
    queue::{Order, Queue, Target},
    recorder::Recorder,
    writer::Writer,
};
use crate::config::LogFormat;

pub use self::{
    destination::{Destination, check_file, default_format},
    queue::Lost,
    ready::listening,
};

/// Bytes that may wait to be written: some 16,384 ordinary exchanges.
const QUEUE_LIMIT: usize = 8 * 1024 * 1024;

/// How long [`Log::flush`] waits: a pipe that nobody reads must not keep the daemon from ending.
const FLUSH_LIMIT: Duration = Duration::from_secs(2);

/// Makes the log the one that every event of this process goes to.
///
/// # Errors
///
/// When the file cannot be opened, the thread cannot be started, or there is such a log already.
pub fn start(format: LogFormat, destination: Destination) -> io::Result<Log> {
    let (log, recorder) = Log::open(format, destination)?;
    let subscriber = tracing_subscriber::registry().with(recorder);
    tracing::subscriber::set_global_default(subscriber).map_err(io::Error::other)?;
    Ok(log)
}

/// The running log; dropping it writes what waits, for two seconds at most.
#[must_use = "the log ends when this is dropped"]
pub struct Log {
    queue: Arc<Queue>,
    destination: Destination,
}

impl Log {
    /// Opens the file anew by its path, so that what is logged from now on goes there: after a rotation, a
    /// new file. Without a file this does nothing.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened; the log then stays with the one it has.
    pub fn reopen(&self) -> io::Result<()> {
        if let Destination::File(_) = self.destination {
            let file = self.destination.open()?;
            self.queue.order(Order::Reopen(Box::new(file)));
        }
        Ok(())
    }

    /// Waits until what has been logged so far is written or lost, for two seconds at most.
    pub fn flush(&self) {
        self.flush_within(FLUSH_LIMIT);
    }

    /// The count of records that could not be written.
    pub fn lost(&self) -> Lost {
        self.queue.lost().clone()
    }

    fn open(format: LogFormat, destination: Destination) -> io::Result<(Self, Recorder)> {
        let target = Box::new(destination.open()?);
        let complaints = match destination {
            Destination::Stderr => None,
            Destination::File(_) => Some(Box::new(Destination::Stderr.open()?) as Target),
        };
        let queue = Arc::new(Queue::new(QUEUE_LIMIT, Lost::default()));
        let recorder = Recorder::new(format, Arc::clone(&queue));
        let writer = Writer::new(format, target, complaints, queue.lost().clone());
        Ok((Self::run(destination, queue, writer)?, recorder))
    }

    fn run(destination: Destination, queue: Arc<Queue>, writer: Writer) -> io::Result<Self> {
        let source = Arc::clone(&queue);
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || writer.run(&source))?;
        Ok(Self { queue, destination })
    }

    fn flush_within(&self, limit: Duration) {
        let (done, waiter) = mpsc::channel();
        self.queue.order(Order::Flush(done));
        wait(&waiter, limit);
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let (done, waiter) = mpsc::channel();
        self.queue.close(Order::Flush(done));
        wait(&waiter, FLUSH_LIMIT);
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("destination", &self.destination)
            .finish_non_exhaustive()
    }
}

/// Waits until the writer has got to the other end and dropped it, which is why either outcome is an error.
fn wait(waiter: &mpsc::Receiver<()>, limit: Duration) {
    let _ = waiter.recv_timeout(limit);
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, fs, os::unix::fs::PermissionsExt, path::Path};

    use tracing::subscriber::with_default;

    use super::*;

    fn open(format: LogFormat, path: &Path) -> (Log, impl tracing::Subscriber + Send + Sync) {
        let (log, recorder) = Log::open(format, Destination::File(path.to_owned())).unwrap();
        (log, tracing_subscriber::registry().with(recorder))
    }

    /// What `events` leave in the log, a line each, without the time.
    fn logged(format: LogFormat, events: impl FnOnce()) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let (log, subscriber) = open(format, &path);
        with_default(subscriber, events);
        drop(log);
        let text = fs::read_to_string(&path).unwrap();
        let timestamp = "2026-11-23T17:46:34.123456Z".len();
        let skipped = match format {
            LogFormat::Text => timestamp + 1,
            LogFormat::Json => "{\"timestamp\":\"\",".len() + timestamp,
        };
        text.lines()
            .map(|line| line[skipped..].to_owned())
            .collect()
    }

    fn exchange() {
        tracing::info!(
            "exchange.id" = "e1",
            "url.path" = "/a b",
            "url.query" = None::<&str>,
            "http.response.status_code" = 200_u64,
            "clock.skew_s" = -3_i64,
            duration_ms = 1.5_f64,
            ratio = f64::NAN,
            "oauth.signed" = true,
            "client.address" = %"127.0.0.1:9",
            parts = ?["x"],
            "exchange"
        );
    }

    #[test]
    fn an_exchange_in_json_keeps_names_and_types() {
        let expected = concat!(
            r#""level":"INFO","message":"exchange","exchange.id":"e1","url.path":"/a b","#,
            r#""http.response.status_code":200,"clock.skew_s":-3,"duration_ms":1.5,"ratio":null,"#,
            r#""oauth.signed":true,"client.address":"127.0.0.1:9","parts":"[\"x\"]"}"#,
        );
        assert_eq!(logged(LogFormat::Json, exchange), [expected]);
    }

    #[test]
    fn an_exchange_in_text_is_a_line_of_pairs() {
        let expected = concat!(
            r#"INFO exchange exchange.id=e1 url.path="/a b" http.response.status_code=200 clock.skew_s=-3 "#,
            r#"duration_ms=1.5 ratio=null oauth.signed=true client.address=127.0.0.1:9 parts="[\"x\"]""#,
        );
        assert_eq!(logged(LogFormat::Text, exchange), [expected]);
    }

    #[test]
    fn ours_is_logged_from_info_and_others_from_warn() {
        let lines = logged(LogFormat::Text, || {
            tracing::debug!("ours, too fine");
            tracing::info!("ours");
            tracing::info!(target: "hyper::proto", "theirs, too fine");
            tracing::info!(target: "undersigned", "theirs by another name");
            tracing::warn!(target: "hyper::proto", secret = "no", "theirs");
            tracing::error_span!("a span").in_scope(|| tracing::error!("bad"));
        });
        let expected = [
            "INFO ours",
            "WARN theirs secret=no target=hyper::proto",
            "ERROR bad",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn after_a_rotation_the_log_goes_to_a_new_file_of_mode_0640_at_most() {
        let directory = tempfile::tempdir().unwrap();
        let (path, rotated) = (directory.path().join("log"), directory.path().join("log.1"));
        let (log, subscriber) = open(LogFormat::Text, &path);
        with_default(subscriber, || {
            tracing::info!("one");
            fs::rename(&path, &rotated).unwrap();
            tracing::info!("two");
            log.reopen().unwrap();
            tracing::info!("three");
        });
        drop(log);

        let messages = |path| -> Vec<String> {
            let text = fs::read_to_string(path).unwrap();
            text.lines()
                .map(|line| line.rsplit(' ').next().unwrap().to_owned())
                .collect()
        };
        assert_eq!(messages(&rotated), ["one", "two"]);
        assert_eq!(messages(&path), ["three"]);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o137, 0);
    }

    #[test]
    fn a_file_that_cannot_be_reopened_leaves_the_old_one_in_use() {
        let directory = tempfile::tempdir().unwrap();
        let (path, rotated) = (directory.path().join("log"), directory.path().join("log.1"));
        let (log, subscriber) = open(LogFormat::Text, &path);
        fs::rename(&path, &rotated).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(log.reopen().is_err());
        with_default(subscriber, || tracing::info!("one"));
        drop(log);
        assert!(fs::read_to_string(&rotated).unwrap().ends_with("one\n"));
    }

    #[test]
    fn a_full_disk_loses_records_and_counts_them() {
        let (log, subscriber) = open(LogFormat::Json, Path::new("/dev/full"));
        with_default(subscriber, || {
            for _ in 0..5 {
                tracing::info!("one");
            }
        });
        log.flush();
        assert_eq!(log.lost().get(), 5);
    }

    #[test]
    fn a_pipe_that_nobody_reads_holds_nobody_up() {
        const LINES: u64 = 1000;
        let (reader, pipe) = io::pipe().unwrap();
        let line = "x".repeat(999) + "\n";
        // Room for half of what comes, whatever the pipe itself takes.
        let queue = Arc::new(Queue::new(line.len() * 500, Lost::default()));
        let lost = queue.lost().clone();
        let writer = Writer::new(LogFormat::Text, Box::new(pipe), None, lost.clone());
        let log = Log::run(Destination::Stderr, Arc::clone(&queue), writer).unwrap();
        for _ in 0..LINES {
            queue.push(&line);
        }
        log.flush_within(Duration::from_millis(1));
        drop(reader);
        log.flush();
        // A pipe may have taken some before it was closed, and half of one more.
        assert!((1..=LINES).contains(&lost.get()), "{}", lost.get());
    }

    #[test]
    fn each_record_of_many_threads_is_written_exactly_once() {
        const THREADS: usize = 8;
        const RECORDS: usize = 500;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let (log, subscriber) = open(LogFormat::Json, &path);
        let dispatch = tracing::Dispatch::new(subscriber);
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let dispatch = &dispatch;
                scope.spawn(move || {
                    tracing::dispatcher::with_default(dispatch, || {
                        for record in 0..RECORDS {
                            tracing::info!(id = thread * RECORDS + record, "exchange");
                        }
                    });
                });
            }
        });
        drop(log);

        let text = fs::read_to_string(&path).unwrap();
        let ids: Vec<u64> = text
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .map(|record| record["id"].as_u64().unwrap())
            .collect();
        assert_eq!(ids.len(), THREADS * RECORDS);
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
    }

    #[test]
    fn records_after_the_end_are_counted_as_lost() {
        let directory = tempfile::tempdir().unwrap();
        let (log, subscriber) = open(LogFormat::Json, &directory.path().join("log"));
        let lost = log.lost();
        drop(log);
        with_default(subscriber, || tracing::info!("late"));
        assert_eq!(lost.get(), 1);
    }
}

//! What a process writes to standard error: lines as they come, among them the records of its exchanges.

use std::{
    io::{BufRead as _, BufReader, Read},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Instant,
};

use serde_json::Value;

use super::DEADLINE;

/// Lines that a thread collects while others wait for them.
#[derive(Clone, Debug)]
pub(crate) struct Log(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<String>,
    ended: bool,
}

impl Log {
    /// Collects the lines of a pipe until it is closed.
    pub(crate) fn collect(pipe: impl Read + Send + 'static) -> Self {
        let log = Self(Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
        }));
        let shared = Arc::clone(&log.0);
        thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n') {
                let Ok(line) = line else { break };
                let line = String::from_utf8(line).expect("a log of UTF-8");
                shared.state().lines.push(line);
                shared.changed.notify_all();
            }
            shared.state().ended = true;
            shared.changed.notify_all();
        });
        log
    }

    /// Waits until `find` finds something in the lines so far; `None` once no more can come.
    #[track_caller]
    pub(crate) fn wait_for<T>(&self, mut find: impl FnMut(&[String]) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + DEADLINE;
        let mut state = self.0.state();
        loop {
            if let Some(found) = find(&state.lines) {
                return Some(found);
            }
            if state.ended {
                return None;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "not logged in time: {:#?}", state.lines);
            let waited = self.0.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until the pipe is closed, and returns all lines.
    #[track_caller]
    pub(crate) fn wait_for_end(&self) -> Vec<String> {
        let never: Option<()> = self.wait_for(|_| None);
        assert!(never.is_none());
        self.lines()
    }

    /// The lines so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.state().lines.clone()
    }

    /// Waits until there are records of `count` exchanges, and returns what there is.
    #[track_caller]
    pub(crate) fn exchanges(&self, count: usize) -> Vec<Value> {
        self.wait_for(|lines| {
            let found = exchanges(lines);
            (found.len() >= count).then_some(found)
        })
        .unwrap_or_else(|| panic!("fewer than {count} exchanges: {:#?}", self.lines()))
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The records of exchanges among the lines of a log in JSON.
pub(crate) fn exchanges(lines: &[String]) -> Vec<Value> {
    records(lines)
        .filter(|record| record["message"] == "exchange")
        .collect()
}

/// Every record of a log in JSON; other lines, such as a panic's, are passed over.
pub(crate) fn records(lines: &[String]) -> impl Iterator<Item = Value> {
    lines
        .iter()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
}

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
    /// The records of exchanges among them.
    exchanges: Vec<Value>,
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
                let exchange = exchanges(std::slice::from_ref(&line));
                let mut state = shared.state();
                state.exchanges.extend(exchange);
                state.lines.push(line);
                drop(state);
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
        self.wait(|state| find(&state.lines))
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
        self.wait(|state| (state.exchanges.len() >= count).then(|| state.exchanges.clone()))
            .unwrap_or_else(|| panic!("fewer than {count} exchanges: {:#?}", self.lines()))
    }

    /// Waits until there are records of `count` exchanges.
    #[track_caller]
    pub(crate) fn wait_for_exchanges(&self, count: usize) {
        let waited = self.wait(|state| (state.exchanges.len() >= count).then_some(()));
        assert!(waited.is_some(), "fewer than {count} exchanges");
    }

    /// Waits until there is a record of the exchange at `index`.
    #[track_caller]
    pub(crate) fn exchange(&self, index: usize) -> Value {
        self.wait(|state| state.exchanges.get(index).cloned())
            .unwrap_or_else(|| panic!("no exchange {index}: {:#?}", self.lines()))
    }

    #[track_caller]
    fn wait<T>(&self, mut find: impl FnMut(&State) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + DEADLINE;
        let mut state = self.0.state();
        loop {
            if let Some(found) = find(&state) {
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
    let records = lines.iter().filter(|line| line.starts_with('{'));
    records.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
}

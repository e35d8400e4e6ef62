//! The queue between those who log and the thread that writes.
//!
//! It holds finished lines end to end in one buffer, so that a record costs its producer one copy, and the
//! writer takes everything that waits in one go.

use std::{
    io::Write,
    mem,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::Sender,
    },
    time::Duration,
};

/// How long lines gather after a write. Waking the writer for each record would cost more than writing it.
const GATHER: Duration = Duration::from_millis(10);

/// How many records could not be written. Clones share one count.
#[derive(Clone, Debug, Default)]
pub struct Lost(Arc<AtomicU64>);

impl Lost {
    /// The count since the start.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, records: u64) {
        self.0.fetch_add(records, Ordering::Relaxed);
    }
}

/// Where lines go.
pub(super) type Target = Box<dyn Write + Send>;

/// Lines, and what is to be done between them.
#[derive(Default)]
pub(super) struct Batch {
    /// Whole lines, end to end.
    pub(super) lines: Vec<u8>,
    /// What to do, each with the length of the lines that come before it.
    pub(super) orders: Vec<(usize, Order)>,
}

/// What the writer is told to do between two lines.
pub(super) enum Order {
    /// Write to this from now on.
    Reopen(Target),
    /// Drop this, so that whoever waits at the other end knows that the lines before are written.
    Flush(Sender<()>),
}

/// A queue bounded in bytes: records are of very different sizes, and memory is what must not run out.
pub(super) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    limit: usize,
    lost: Lost,
}

#[derive(Default)]
struct State {
    batch: Batch,
    closed: bool,
    /// Whether the writer waits for the next line, whenever it may come; only then must it be woken.
    idle: bool,
}

impl State {
    /// Whether the writer must not let lines gather any longer.
    fn is_urgent(&self, limit: usize) -> bool {
        self.closed || !self.batch.orders.is_empty() || self.batch.lines.len() > limit / 2
    }
}

impl Queue {
    /// An empty queue that holds up to `limit` bytes and counts in `lost` what finds no room.
    pub(super) fn new(limit: usize, lost: Lost) -> Self {
        Self {
            state: Mutex::default(),
            filled: Condvar::new(),
            limit,
            lost,
        }
    }

    /// Adds a line, or counts it as lost when there is no room. Never waits for the writer.
    pub(super) fn push(&self, line: &str) {
        let mut state = self.state();
        if state.closed || state.batch.lines.len() + line.len() > self.limit {
            self.lost.add(1);
            return;
        }
        let was_urgent = state.is_urgent(self.limit);
        state.batch.lines.extend_from_slice(line.as_bytes());
        let wake = mem::take(&mut state.idle) || (!was_urgent && state.is_urgent(self.limit));
        drop(state);
        // Most pushes need no system call.
        if wake {
            self.filled.notify_one();
        }
    }

    /// Adds an order, for which there is always room. A closed queue drops it.
    pub(super) fn order(&self, order: Order) {
        let mut state = self.state();
        if !state.closed {
            let at = state.batch.lines.len();
            state.batch.orders.push((at, order));
            drop(state);
            self.filled.notify_one();
        }
    }

    /// Takes no more; the writer ends when it has taken what waits, and done `last` after that.
    pub(super) fn close(&self, last: Order) {
        let mut state = self.state();
        let at = state.batch.lines.len();
        state.batch.orders.push((at, last));
        state.closed = true;
        drop(state);
        self.filled.notify_one();
    }

    /// Waits until there is something, and exchanges it for `empty`. `false` means that nothing will come.
    pub(super) fn take(&self, empty: &mut Batch) -> bool {
        let mut state = self
            .filled
            .wait_while(self.state(), |state| {
                state.idle = state.batch.is_empty() && !state.closed;
                state.idle
            })
            .unwrap_or_else(PoisonError::into_inner);
        mem::swap(&mut state.batch, empty);
        !empty.is_empty()
    }

    /// Lets lines gather after a write, unless something can't wait.
    pub(super) fn gather(&self) {
        let can_wait = |state: &mut State| !state.is_urgent(self.limit);
        // What it returns is the lock, which is not needed.
        drop(
            self.filled
                .wait_timeout_while(self.state(), GATHER, can_wait),
        );
    }

    pub(super) fn lost(&self) -> &Lost {
        &self.lost
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics between two changes that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.orders.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn lines_wait_in_order_and_leave_together() {
        let queue = Queue::new(100, Lost::default());
        let (done, _waiter) = mpsc::channel();
        queue.push("one\n");
        queue.order(Order::Flush(done));
        queue.push("two\n");

        let mut batch = Batch::default();
        assert!(queue.take(&mut batch));
        assert_eq!(batch.lines, b"one\ntwo\n");
        assert_eq!(batch.orders.len(), 1);
        assert_eq!(batch.orders[0].0, 4);
    }

    #[test]
    fn a_full_queue_counts_what_it_cannot_hold() {
        let queue = Queue::new(8, Lost::default());
        for line in ["one\n", "two\n", "three\n", "four\n"] {
            queue.push(line);
        }
        assert_eq!(queue.lost().get(), 2);

        let mut batch = Batch::default();
        assert!(queue.take(&mut batch));
        assert_eq!(batch.lines, b"one\ntwo\n");
    }

    #[test]
    fn a_closed_queue_gives_what_it_has_and_takes_no_more() {
        let queue = Queue::new(100, Lost::default());
        let (done, _waiter) = mpsc::channel();
        queue.push("one\n");
        queue.close(Order::Flush(done));
        queue.push("two\n");

        let mut batch = Batch::default();
        assert!(queue.take(&mut batch));
        assert_eq!(batch.lines, b"one\n");
        assert!(!queue.take(&mut Batch::default()));
        assert_eq!(queue.lost().get(), 1);
    }
}

//! What takes long, aside from the threads that serve: a signature with RSA takes from one millisecond to some hundreds,
//! and all that is done with long content takes the longer the more there is of it.

use std::thread;

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::Semaphore,
    task,
};

/// From so many bytes on, what is done with content takes longer than it does to have another thread go on with the rest.
const LONG_CONTENT: usize = 64 * 1024;

/// Whether content is so long that to check, to hash or to sign it takes a turn.
pub(super) fn is_long(content: &[u8]) -> bool {
    content.len() >= LONG_CONTENT
}

/// As many turns at a time as there are processors: with more, each would only take longer.
#[derive(Debug)]
pub(super) struct Turns(Semaphore);

impl Turns {
    pub(super) fn new() -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Self(Semaphore::new(processors))
    }

    /// Does the work, which takes a turn if it takes long.
    pub(super) async fn work<T>(&self, takes_long: bool, work: impl FnOnce() -> T) -> T {
        if takes_long {
            // What is rare is kept out of the exchange's own future, which is moved about.
            Box::pin(self.take(work)).await
        } else {
            work()
        }
    }

    /// Waits for a turn and takes it, while other tasks go on.
    async fn take<T>(&self, work: impl FnOnce() -> T) -> T {
        // It is never closed, so this can't fail.
        let _turn = self.0.acquire().await;
        match Handle::current().runtime_flavor() {
            RuntimeFlavor::MultiThread => task::block_in_place(work),
            // There is no other thread that other tasks could move to.
            _ => work(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::Future as _,
        pin::pin,
        sync::mpsc,
        task::{Context, Poll, Waker},
        time::Duration,
    };

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn other_tasks_go_on_during_a_turn() {
        let (sender, receiver) = mpsc::channel();
        let turn = tokio::spawn(async move {
            let wait = move || receiver.recv_timeout(Duration::from_secs(20));
            Turns::new().work(true, wait).await
        });
        let other = tokio::spawn(async move { sender.send(()) });
        assert_eq!(other.await.unwrap(), Ok(()));
        assert_eq!(turn.await.unwrap(), Ok(()));
    }

    #[test]
    fn what_does_not_take_long_waits_for_no_turn() {
        let all_taken = Turns(Semaphore::new(0));
        let mut cx = Context::from_waker(Waker::noop());
        let long = pin!(all_taken.work(true, || ()));
        assert_eq!(long.poll(&mut cx), Poll::Pending);
        let short = pin!(all_taken.work(false, || ()));
        assert_eq!(short.poll(&mut cx), Poll::Ready(()));
    }
}

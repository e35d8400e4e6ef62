//! Signing with RSA, which takes from one millisecond to some hundreds, aside from the threads that serve.

use std::thread;

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::Semaphore,
    task,
};

/// As many turns at a time as there are processors: with more, each would only take longer.
#[derive(Debug)]
pub(super) struct Turns(Semaphore);

impl Turns {
    pub(super) fn new() -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Self(Semaphore::new(processors))
    }

    /// Waits for a turn and takes it, while other tasks go on.
    pub(super) async fn take<T>(&self, work: impl FnOnce() -> T) -> T {
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
    use std::{sync::mpsc, time::Duration};

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn other_tasks_go_on_during_a_turn() {
        let (sender, receiver) = mpsc::channel();
        let turn = tokio::spawn(async move {
            let wait = move || receiver.recv_timeout(Duration::from_secs(20));
            Turns::new().take(wait).await
        });
        let other = tokio::spawn(async move { sender.send(()) });
        assert_eq!(other.await.unwrap(), Ok(()));
        assert_eq!(turn.await.unwrap(), Ok(()));
    }
}

//! Idle connections to one upstream.

use std::{
    future::poll_fn,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use tokio::{
    runtime::{self, Handle},
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::link::Link;

/// Idle connections, the one used last on top.
#[derive(Debug)]
pub(crate) struct Pool {
    idle: Mutex<Vec<(Instant, Link)>>,
    max_idle: Duration,
    capacity: usize,
    closed: CancellationToken,
}

impl Pool {
    pub(crate) fn new(max_idle: Duration, capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            idle: Mutex::default(),
            max_idle,
            capacity,
            closed: CancellationToken::new(),
        })
    }

    /// Takes a connection out of the pool that is alive as far as can be seen, if there is one: the one used last of those
    /// that this runtime watches, or else of the others.
    pub(crate) async fn take(&self) -> Option<Link> {
        let here = Handle::current().id();
        poll_fn(|cx| {
            loop {
                let Some((since, mut link)) = self.last(here) else {
                    return Poll::Ready(None);
                };
                // What the upstream has closed or sent meanwhile is seen here.
                if since.elapsed() < self.max_idle && link.is_alive(cx) {
                    return Poll::Ready(Some(link));
                }
            }
        })
        .await
    }

    /// Takes back a connection whose exchange is over.
    pub(crate) fn put(&self, link: Link) {
        let mut idle = self.idle();
        if idle.len() < self.capacity && !self.closed.is_cancelled() {
            idle.push((Instant::now(), link));
        }
    }

    /// Closes all idle connections, and each that comes back.
    pub(crate) fn close(&self) {
        self.closed.cancel();
        // What is put back from now on is closed; what was put back before is here.
        let idle = mem::take(&mut *self.idle());
        drop(idle);
    }

    /// Closes connections whose time is up, until the pool itself is closed.
    pub(crate) async fn expire(&self) {
        loop {
            let oldest = self.idle().first().map(|(since, _)| *since);
            let wait = oldest.map_or(self.max_idle, |since| {
                self.max_idle.saturating_sub(since.elapsed())
            });
            tokio::select! {
                () = sleep(wait.max(Duration::from_millis(50))) => {}
                () = self.closed.cancelled() => return,
            }
            let expired: Vec<_> = {
                let mut idle = self.idle();
                let count = idle.partition_point(|(since, _)| since.elapsed() >= self.max_idle);
                idle.drain(..count).collect()
            };
            // Closed here, outside the lock.
            drop(expired);
        }
    }

    fn last(&self, here: runtime::Id) -> Option<(Instant, Link)> {
        let mut idle = self.idle();
        match idle.iter().rposition(|(_, link)| link.home() == here) {
            Some(index) => Some(idle.remove(index)),
            None => idle.pop(),
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Instant, Link)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

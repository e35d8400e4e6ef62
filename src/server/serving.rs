//! The listeners at work, and how a reload changes them: what stays is never closed, and nothing changes before all that
//! is new is bound.

use std::{collections::HashMap, mem, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Listening, StartError,
    accept::{Assignment, Rooms, accept},
    bound::Bound,
    end::End,
    lanes::Lanes,
    listener::lets_others_through,
};
use crate::{config::ListenAddress, proxy::Proxy};

/// How long exchanges that are cut off may take to leave their records.
const CUT_WITHIN: Duration = Duration::from_millis(500);

/// All that serves.
#[derive(Debug)]
pub(super) struct Serving {
    proxies: Vec<Arc<Proxy>>,
    listeners: Vec<Working>,
    /// By the names of the proxies.
    rooms: HashMap<Arc<str>, Rooms>,
    /// The accept loops and the connections.
    connections: TaskTracker,
    /// What has to end last.
    pub(super) helpers: TaskTracker,
    pub(super) stop_helpers: CancellationToken,
    lanes: Lanes,
    end: End,
    drain: Duration,
}

/// A listener at work.
#[derive(Debug)]
struct Working {
    /// The address as it is configured, where the port may be 0.
    address: ListenAddress,
    assignment: watch::Sender<Assignment>,
    end: End,
    accepting: JoinHandle<()>,
}

impl Serving {
    /// Nothing yet. `end` is that of all of it, and of each listener that goes before; `drain` is what either has for what
    /// is under way.
    pub(super) fn new(lanes: Lanes, end: End, drain: Duration) -> Self {
        Self {
            proxies: Vec::new(),
            listeners: Vec::new(),
            rooms: HashMap::new(),
            connections: TaskTracker::new(),
            helpers: TaskTracker::new(),
            stop_helpers: CancellationToken::new(),
            lanes,
            end,
            drain,
        }
    }

    /// Goes over to other proxies at once, or stays as it is; returns what has been bound for that.
    ///
    /// # Errors
    /// Each address that can't be bound.
    pub(super) async fn reload(
        &mut self,
        proxies: Vec<Arc<Proxy>>,
    ) -> Result<Vec<Listening>, Vec<StartError>> {
        let mut wanted = Vec::new();
        for proxy in &proxies {
            wanted.extend(proxy.config.listen.iter().map(|address| (proxy, address)));
        }
        let kept = keep(&self.listeners, &wanted);
        self.check_users(&wanted, &kept)?;
        let added = bind_new(&wanted, &kept)?;

        let mut present: Vec<_> = mem::take(&mut self.listeners)
            .into_iter()
            .map(Some)
            .collect();
        let mut listening = Vec::new();
        for ((proxy, _), index) in wanted.into_iter().zip(kept) {
            if let Some(working) = index.and_then(|index| present[index].take()) {
                working.assignment.send_replace(self.assignment(proxy));
                self.listeners.push(working);
            }
        }
        for (proxy, bound) in added {
            listening.push(bound.listening(proxy));
            self.open(proxy, bound);
        }
        self.employ(proxies);
        self.close(present.into_iter().flatten()).await;
        Ok(listening)
    }

    /// Begins to accept connections.
    pub(super) fn open(&mut self, proxy: &Arc<Proxy>, bound: Bound) {
        let (assignment, receiver) = watch::channel(self.assignment(proxy));
        let end = self.end.child();
        let (connections, lanes) = (self.connections.clone(), self.lanes.clone());
        let accepting = accept(receiver, bound.listener, connections, lanes, end.clone());
        self.listeners.push(Working {
            address: bound.configured,
            assignment,
            end,
            accepting: self.connections.spawn(accepting),
        });
    }

    /// Takes these proxies for those of before, which have no listener any more.
    pub(super) fn employ(&mut self, proxies: Vec<Arc<Proxy>>) {
        for proxy in &proxies {
            let (proxy, stop) = (Arc::clone(proxy), self.stop_helpers.clone());
            self.helpers.spawn(async move {
                tokio::select! {
                    () = proxy.expire_idle() => {}
                    () = stop.cancelled() => {}
                }
            });
        }
        for former in mem::replace(&mut self.proxies, proxies) {
            former.retire();
        }
    }

    /// Checks that each socket that stays lets as many users through as before. Whoever has connected while others
    /// could would be taken for the daemon's own user once nobody else can.
    fn check_users(
        &self,
        wanted: &[Wanted<'_>],
        kept: &[Option<usize>],
    ) -> Result<(), Vec<StartError>> {
        let mut faults = Vec::new();
        for ((proxy, address), index) in wanted.iter().zip(kept) {
            let Some(index) = *index else { continue };
            let before = self.listeners[index].assignment.borrow();
            let [before, now] = [&before.proxy, proxy]
                .map(|proxy| lets_others_through(address, &proxy.config.access.allowed_uids));
            if before != now {
                faults.push(StartError::Users {
                    proxy: Arc::clone(&proxy.config.name),
                    address: (*address).clone(),
                });
            }
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }

    /// Waits for everything to finish once all listeners are told to stop, and cuts off what has not when the drain's time is
    /// over; returns whether there was nothing to cut off.
    pub(super) async fn finish(self) -> bool {
        self.connections.close();
        let finished = tokio::select! {
            () = self.connections.wait() => true,
            () = sleep(self.drain) => false,
            () = self.end.cut.cancelled() => false,
        };
        if !finished {
            self.end.cut.cancel();
            // While all runtimes are still there: an exchange that finds its upstream's connection gone with one of them
            // would lay that at the upstream's door.
            let _ = timeout(CUT_WITHIN, self.connections.wait()).await;
        }
        self.stop_helpers.cancel();
        self.helpers.close();
        self.helpers.wait().await;
        finished
    }

    fn assignment(&mut self, proxy: &Arc<Proxy>) -> Assignment {
        let name = Arc::clone(&proxy.config.name);
        Assignment {
            proxy: Arc::clone(proxy),
            rooms: self.rooms.entry(name).or_default().clone(),
        }
    }

    /// Has listeners accept nothing more, and what is under way on their connections finish in time.
    async fn close(&self, listeners: impl Iterator<Item = Working>) {
        for listener in listeners {
            listener.end.drain.cancel();
            // Once it has ended, the address is free, and the file of a Unix socket removed. It does not panic.
            let _ = listener.accepting.await;
            let (cut, stop, drain) = (listener.end.cut, self.stop_helpers.clone(), self.drain);
            self.helpers.spawn(async move {
                tokio::select! {
                    () = sleep(drain) => cut.cancel(),
                    () = stop.cancelled() => {}
                }
            });
        }
    }
}

/// An address, and the proxy that is to be reached there.
type Wanted<'a> = (&'a Arc<Proxy>, &'a ListenAddress);

/// Binds the addresses that no listener is kept for.
fn bind_new<'a>(
    wanted: &[Wanted<'a>],
    kept: &[Option<usize>],
) -> Result<Vec<(&'a Arc<Proxy>, Bound)>, Vec<StartError>> {
    let mut faults = Vec::new();
    let mut added = Vec::new();
    for ((proxy, address), index) in wanted.iter().zip(kept) {
        if index.is_none() {
            match Bound::for_proxy(&proxy.config, address) {
                Ok(bound) => added.push((*proxy, bound)),
                Err(fault) => faults.push(fault),
            }
        }
    }
    if faults.is_empty() {
        Ok(added)
    } else {
        Err(faults)
    }
}

/// For each wanted address, the index of the listener that has it already. A port that the system picked stays with its
/// proxy; every other address is the same whichever proxy it works for, as after the proxy was renamed.
fn keep(present: &[Working], wanted: &[Wanted<'_>]) -> Vec<Option<usize>> {
    let mut taken = vec![false; present.len()];
    let find = |(proxy, wanted): &Wanted<'_>| {
        let has_it = |working: &Working| {
            let same_proxy = || working.assignment.borrow().proxy.config.name == proxy.config.name;
            working.address == **wanted && (!is_picked(wanted) || same_proxy())
        };
        let index = (0..present.len()).find(|index| !taken[*index] && has_it(&present[*index]))?;
        taken[index] = true;
        Some(index)
    };
    wanted.iter().map(find).collect()
}

/// Whether the system picks the port.
fn is_picked(address: &ListenAddress) -> bool {
    matches!(address, ListenAddress::Tcp(address) if address.port() == 0)
}

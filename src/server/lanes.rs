//! Which thread serves a connection.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::room::{Place, Room};

/// Runtimes of one thread each, over which connections are distributed.
///
/// A connection stays where it is. Were its task free to move, each thread that found work would wake another one to look
/// for more, which takes up to a third of the CPU time that a small request costs.
#[derive(Clone, Debug)]
pub(super) struct Lanes {
    here: Arc<Lane>,
    others: Arc<[Lane]>,
}

/// One of them, and the connections that it serves.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) runtime: Handle,
    connections: Room,
}

impl Lanes {
    /// The runtime that this is called in, and these.
    pub(super) fn new(others: Vec<Handle>) -> Self {
        let lane = |runtime| Lane {
            runtime,
            connections: Room::default(),
        };
        Self {
            here: Arc::new(lane(Handle::current())),
            others: others.into_iter().map(lane).collect(),
        }
    }

    /// The lane with the fewest connections, and among equals always the same one: the fewer lanes a few clients use, the
    /// more connections to the upstream they find there.
    pub(super) fn least_used(&self) -> &Lane {
        let lanes = self.others.iter();
        lanes.fold(&*self.here, |least, lane| {
            if lane.connections.taken() < least.connections.taken() {
                lane
            } else {
                least
            }
        })
    }
}

impl Lane {
    /// Counts a connection until the place is dropped.
    pub(super) fn enter(&self) -> Place {
        self.connections.enter()
    }

    /// Whether it is the runtime that this is called in.
    pub(super) fn is_here(&self) -> bool {
        self.runtime.id() == Handle::current().id()
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Builder;

    use super::*;

    #[tokio::test]
    async fn a_connection_goes_where_the_fewest_are() {
        let other = Builder::new_current_thread().build().unwrap();
        let lanes = Lanes::new(vec![other.handle().clone()]);
        let here = lanes.least_used();
        assert!(here.is_here());
        let first = here.enter();
        let there = lanes.least_used();
        assert!(!there.is_here());
        let second = there.enter();
        assert!(lanes.least_used().is_here());
        let third = lanes.least_used().enter();
        drop(first);
        drop(third);
        assert!(lanes.least_used().is_here());
        drop(second);
        other.shutdown_background();
    }
}

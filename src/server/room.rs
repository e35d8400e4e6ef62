//! How many connections there may be at once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// The connections of one proxy, over all its listeners. How many there may be is asked each time, for a reload may
/// change that; those that are there already stay.
#[derive(Clone, Debug, Default)]
pub(super) struct Room(Arc<AtomicUsize>);

/// A connection's place, free again when it is dropped.
#[derive(Debug)]
#[must_use = "the place is free again when this is dropped"]
pub(super) struct Place(Arc<AtomicUsize>);

impl Room {
    /// One more place.
    pub(super) fn enter(&self) -> Place {
        self.0.fetch_add(1, Ordering::Relaxed);
        Place(Arc::clone(&self.0))
    }

    /// A place among `limit`, if there is one.
    pub(super) fn enter_within(&self, limit: usize) -> Option<Place> {
        let one_more = |taken| (taken < limit).then_some(taken + 1);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .ok()
            .map(|_| Place(Arc::clone(&self.0)))
    }

    /// How many places are taken.
    pub(super) fn taken(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_places_as_the_limit_says_at_the_moment() {
        let room = Room::default();
        let first = room.enter_within(1);
        assert!(first.is_some());
        assert!(room.enter_within(1).is_none());
        let second = room.enter_within(2);
        assert!(second.is_some());
        drop(first);
        assert!(room.enter_within(1).is_none());
        drop(second);
        assert!(room.enter_within(1).is_some());
    }
}

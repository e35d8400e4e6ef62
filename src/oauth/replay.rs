//! Timestamps and nonces, seen from the server (RFC 5849 §3.3): what is too old, too new or known is refused.

use std::collections::BTreeSet;

use thiserror::Error;

use super::Authorization;

/// Remembers the nonces of the requests of one client, as long as their timestamps are accepted.
///
/// Only requests that have been verified should get here, so that nobody else can fill it.
#[derive(Clone, Debug)]
pub struct ReplayGuard {
    window: u64,
    capacity: usize,
    /// In the order of their timestamps, so that the oldest are at hand.
    seen: BTreeSet<(u64, String)>,
}

impl ReplayGuard {
    /// Accepts timestamps up to `window` seconds away from now, and at most `capacity` requests in that time.
    pub fn new(window: u64, capacity: usize) -> Self {
        Self {
            window,
            capacity,
            seen: BTreeSet::new(),
        }
    }

    /// Checks a request that arrived at `now`, in seconds since 1970, and remembers it.
    ///
    /// A header without timestamp and nonce passes: `PLAINTEXT` has no defence against replays (RFC 5849 §3.4.4).
    ///
    /// # Errors
    /// It is too old or too new, it has been here before, or there is no room to remember it.
    pub fn check(&mut self, now: u64, authorization: &Authorization) -> Result<(), Replay> {
        let Some((timestamp, nonce)) = &authorization.stamp else {
            return Ok(());
        };
        if timestamp.abs_diff(now) > self.window {
            return Err(Replay::Stale {
                timestamp: *timestamp,
                now,
            });
        }
        self.forget_before(now.saturating_sub(self.window));
        let stamp = (*timestamp, nonce.clone());
        if self.seen.contains(&stamp) {
            return Err(Replay::Used(stamp.1));
        }
        // Forgetting a nonce early instead would let its request through a second time.
        if self.seen.len() >= self.capacity {
            return Err(Replay::Full);
        }
        self.seen.insert(stamp);
        Ok(())
    }

    fn forget_before(&mut self, timestamp: u64) {
        while self
            .seen
            .first()
            .is_some_and(|(first, _)| *first < timestamp)
        {
            self.seen.pop_first();
        }
    }
}

/// Why a request that is correctly signed is refused nevertheless.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Replay {
    /// The clocks differ too much, or the request has been kept back.
    #[error("`oauth_timestamp` is {timestamp}, too far from the server's clock, {now}")]
    Stale {
        /// The one in the header.
        timestamp: u64,
        /// The server's time, likewise in seconds since 1970.
        now: u64,
    },
    /// The nonce has been used with the same timestamp.
    #[error("`oauth_nonce` is `{0}`, which has been used before")]
    Used(String),
    /// As many nonces as fit are remembered.
    #[error("more requests than can be told apart from replays; try again later")]
    Full,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamped(timestamp: u64, nonce: &str) -> Authorization {
        let header = format!(
            "OAuth oauth_consumer_key=\"k\", oauth_signature_method=\"HMAC-SHA1\", oauth_signature=\"s\", \
             oauth_timestamp=\"{timestamp}\", oauth_nonce=\"{nonce}\""
        );
        Authorization::parse(header.as_bytes()).unwrap()
    }

    #[test]
    fn a_timestamp_passes_within_the_window_on_either_side() {
        let mut guard = ReplayGuard::new(300, 10);
        let now = 1000;
        for timestamp in [700, 1000, 1300] {
            assert_eq!(guard.check(now, &stamped(timestamp, "n")), Ok(()));
        }
        for timestamp in [0, 699, 1301, u64::MAX] {
            let stale = Err(Replay::Stale { timestamp, now });
            assert_eq!(guard.check(now, &stamped(timestamp, "n")), stale);
        }
    }

    #[test]
    fn a_nonce_passes_once_with_the_same_timestamp() {
        let mut guard = ReplayGuard::new(300, 10);
        let used = Err(Replay::Used("n".to_owned()));
        assert_eq!(guard.check(1000, &stamped(1000, "n")), Ok(()));
        assert_eq!(guard.check(1000, &stamped(1000, "n")), used);
        assert_eq!(guard.check(1300, &stamped(1000, "n")), used);
        assert_eq!(guard.check(1000, &stamped(1001, "n")), Ok(()));
        assert_eq!(guard.check(1000, &stamped(1000, "m")), Ok(()));
    }

    #[test]
    fn it_is_full_until_the_oldest_have_left_the_window() {
        let mut guard = ReplayGuard::new(300, 2);
        assert_eq!(guard.check(1000, &stamped(1000, "a")), Ok(()));
        assert_eq!(guard.check(1000, &stamped(1001, "b")), Ok(()));
        assert_eq!(guard.check(1300, &stamped(1300, "c")), Err(Replay::Full));
        assert_eq!(guard.check(1301, &stamped(1300, "c")), Ok(()));
        assert_eq!(guard.seen.len(), 2);
    }

    #[test]
    fn plaintext_without_a_stamp_passes() {
        let header = b"OAuth oauth_consumer_key=\"k\", oauth_signature_method=\"PLAINTEXT\", oauth_signature=\"s\"";
        let authorization = Authorization::parse(header).unwrap();
        let mut guard = ReplayGuard::new(300, 0);
        assert_eq!(guard.check(1000, &authorization), Ok(()));
    }
}

//! What makes each signature its own (RFC 5849 §3.3), which the pure core is given: the time and a nonce.

use std::time::SystemTime;

use crate::oauth::Nonce;

/// The wall clock, in seconds since 1970. It is read for each attempt, as it may have been set meanwhile.
pub(crate) fn seconds_since_epoch() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// A nonce that nobody can predict.
pub(crate) fn fresh_nonce() -> Nonce<'static> {
    Nonce::from_bits(rand::random())
}

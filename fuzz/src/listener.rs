//! The target `listener`: whatever arrives at a proxy's listener, nothing that leaves the proxy is ambiguous.
//!
//! The server is the real one, on loopback sockets. What the upstream gets and what the client gets is compared with
//! what a second, strict reader of HTTP/1 ([`request`](crate::request)) finds in the bytes that were sent.

mod answered;
mod forwarded;
mod input;
mod stage;
mod upstream;

pub use self::input::{Answer, Input, Kind};
use self::stage::Stage;
use crate::request::Request;

thread_local! {
    /// One for all inputs: to start it takes longer than to use it.
    static STAGE: Stage = Stage::new();
}

/// Checks everything that must hold when a client sends this.
pub fn check(bytes: &[u8]) {
    if let Some(input) = Input::decode(bytes) {
        play(&input);
    }
}

/// Does so, and returns how many whole requests have reached the upstream.
pub fn play(input: &Input<'_>) -> usize {
    STAGE.with(|stage| {
        let outcome = stage.play(input);
        let (sent, _) = Request::read_all(input.bytes);
        let relayed = answered::check(input, &sent, &outcome);
        forwarded::check(
            input.proxy,
            stage.origin,
            &sent,
            &outcome.arrivals,
            &relayed,
        );
        let requests = outcome
            .arrivals
            .iter()
            .filter_map(|arrival| arrival.request.as_ref().ok());
        requests.filter(|request| request.is_whole()).count()
    })
}

//! One request of our own, prepared, signed and sent as an exchange would, to see what the upstream makes of it.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    Proxy, Refusal,
    prepare::Prepared,
    record::{date, hint_for_refused_signature, oauth_problem},
};
use crate::{
    stamp::{fresh_nonce, seconds_since_epoch},
    upstream::{Content, Link, SendTimeouts},
    wire::{Fields, Framing, RequestHead, Version},
};

/// What a client that nobody has told otherwise sends.
const FIELDS: &str = concat!(
    "User-Agent: undersign/",
    env!("CARGO_PKG_VERSION"),
    "\r\nAccept: */*\r\n"
);

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) struct Probed {
    /// The status of the answer.
    pub(crate) status: u16,
    /// How long the answer took to begin.
    pub(crate) took: Duration,
    /// How far the upstream's clock is ahead of ours, in seconds, if it tells its time.
    pub(crate) clock_ahead_s: Option<f64>,
    /// What the upstream calls the problem.
    pub(crate) oauth_problem: Option<String>,
    /// What to check, where a 401 says that the signature is refused.
    pub(crate) hint: Option<&'static str>,
}

/// Sends a signed GET of `target` over a connection of its own.
///
/// # Errors
/// What a client would be told.
pub(crate) async fn probe(proxy: &Proxy, link: &mut Link, target: &str) -> Result<Probed, Refusal> {
    let config = &proxy.config;
    let prepared = Prepared::new(get(target), config)?;
    prepared.check_parameters(None)?;
    let role = prepared.content_role(config)?;
    let signed_content = prepared.read_content(role, Bytes::new(), config)?;
    let (timestamp, nonce) = (seconds_since_epoch(), fresh_nonce());
    let signed = prepared.sign(
        &proxy.signer,
        timestamp,
        nonce,
        &proxy.host,
        &signed_content,
    );
    let timeouts = SendTimeouts::from(&config.timeouts);
    let (sent, started) = (SystemTime::now(), Instant::now());
    let answer = link
        .send(
            signed.head,
            signed.to_head,
            &Content::none(),
            timeouts,
            |_| (),
        )
        .await?;
    let head = answer.head;
    let took = answer.at.saturating_duration_since(started);
    let clock_ahead_s = date(&head).map(|date| clock_ahead_s(date, sent, took));
    // A hint needs no more than the seconds.
    let skew = clock_ahead_s.map(|ahead| ahead as i64);
    let query = target.split_once('?').map(|(_, query)| query.as_bytes());
    let problem = oauth_problem(&head);
    let hint = hint_for_refused_signature(skew, problem.as_deref(), query);
    Ok(Probed {
        status: head.status,
        took,
        clock_ahead_s,
        oauth_problem: problem,
        hint: (head.status == 401).then_some(hint),
    })
}

fn get(target: &str) -> RequestHead {
    RequestHead {
        method: Bytes::from_static(b"GET"),
        target: Bytes::copy_from_slice(target.as_bytes()),
        authority: None,
        version: Version::Http11,
        // They are well-formed.
        fields: Fields::parse(Bytes::from_static(FIELDS.as_bytes())).unwrap_or_default(),
        framing: Framing::None,
        expects_continue: false,
    }
}

/// How far a clock that showed `date` while the answer was on its way is ahead of ours. The answer is taken to have been
/// made halfway between sending and receiving, and in the middle of the second that `date` names.
fn clock_ahead_s(date: SystemTime, sent: SystemTime, took: Duration) -> f64 {
    let theirs = date + Duration::from_millis(500);
    let ours = sent + took / 2;
    match theirs.duration_since(ours) {
        Ok(ahead) => ahead.as_secs_f64(),
        Err(behind) => -behind.duration().as_secs_f64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_compared_halfway_through_the_exchange() {
        let at = |milliseconds| SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds);
        let check = |date, sent, took, expected: f64| {
            let ahead = clock_ahead_s(at(date), at(sent), Duration::from_millis(took));
            assert!((ahead - expected).abs() < 1e-6, "{ahead} {expected}");
        };
        check(100_000, 100_500, 0, 0.0);
        check(100_000, 98_500, 4_000, 0.0);
        check(160_000, 100_500, 0, 60.0);
        check(40_000, 100_000, 1_000, -60.0);
    }

    #[test]
    fn what_is_sent_beside_the_signature_is_well_formed() {
        assert_eq!(get("/").fields.iter().count(), 2);
    }
}

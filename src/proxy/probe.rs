//! One request of our own, prepared, signed and sent as an exchange would, to see what the upstream makes of it.

use std::{
    future::poll_fn,
    pin::Pin,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout};

use super::{
    Proxy, Refusal,
    prepare::Prepared,
    problem::{Search, hint_for_refused_signature, in_fields, may_refuse_signature},
    record::date,
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

/// How long content that may name the problem is waited for.
const CONTENT_LIMIT: Duration = Duration::from_secs(2);

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
    /// What to check, where a 401 or the problem says that the signature is refused.
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
    let mut problem = in_fields(&head);
    if problem.is_none() && may_refuse_signature(head.status) {
        let found = find(answer.content, link, Search::begin(&head));
        problem = timeout(CONTENT_LIMIT, found).await.unwrap_or_default();
    }
    let hint = hint_for_refused_signature(skew, problem.as_deref(), query);
    Ok(Probed {
        status: head.status,
        took,
        clock_ahead_s,
        hint: (head.status == 401 || problem.is_some()).then_some(hint),
        oauth_problem: problem,
    })
}

/// Looks for the problem in an answer's content, of which it reads no more than that takes.
async fn find(mut content: Incoming, link: &mut Link, mut search: Search) -> Option<String> {
    while !search.is_over() {
        let frame = poll_fn(|cx| {
            let frame = Pin::new(&mut content).poll_frame(cx);
            if frame.is_ready() {
                return frame;
            }
            // What the connection brings in now may be what was asked for.
            link.drive(cx);
            Pin::new(&mut content).poll_frame(cx)
        });
        match frame.await {
            Some(Ok(frame)) => {
                let problem = frame.data_ref().and_then(|data| search.see(data));
                if problem.is_some() {
                    return problem;
                }
            }
            Some(Err(_)) => return None,
            None => return search.end(),
        }
    }
    None
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

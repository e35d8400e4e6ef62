//! What the upstream gets is what a client has sent, as far as it may be passed on, and nothing else.

#![expect(clippy::expect_used, reason = "this is how a check fails")]

use std::{collections::HashSet, net::SocketAddr};

use super::{
    input::Kind,
    stage::{CREDENTIALS, TOKEN},
    upstream::Arrival,
};
use crate::{
    digest::{self, base64},
    header::Header,
    message::{Field, Stop},
    oracle::{self, Method},
    request::Request,
};

/// Fields of one connection only (RFC 9110 §7.6.1).
const HOP_BY_HOP: [&str; 7] = [
    "Connection",
    "HTTP2-Settings",
    "Keep-Alive",
    "Proxy-Authorization",
    "Proxy-Connection",
    "TE",
    "Upgrade",
];

/// Fields that frame, route or authorise, so that they may not come last (RFC 9110 §6.5.1).
const NEVER_TRAILERS: [&str; 6] = [
    "Authorization",
    "Content-Length",
    "Content-Type",
    "Cookie",
    "Host",
    "Transfer-Encoding",
];

/// Checks all that has arrived; `relayed` says which of the requests each answer has gone to.
pub(super) fn check(
    kind: Kind,
    origin: SocketAddr,
    sent: &[Request],
    arrivals: &[Arrival],
    relayed: &[usize],
) {
    let mut next = 0;
    let mut nonces = HashSet::new();
    for arrival in arrivals {
        let text = arrival.bytes.escape_ascii();
        let request = match &arrival.request {
            Ok(request) => request,
            // A head that broke off.
            Err(Stop::End) => continue,
            Err(Stop::Fault(fault)) => panic!("{fault}: {text}"),
        };
        is_unambiguous(request, origin);
        // What is refused is left out, but nothing comes twice or in another order.
        let relayed = arrival.answer.and_then(|number| relayed.get(number));
        let index = (next..sent.len())
            .filter(|index| relayed.is_none_or(|relayed| relayed == index))
            .find(|&index| stands_for(request, &sent[index], kind, origin))
            .unwrap_or_else(|| panic!("nobody has sent this: {text}"));
        next = index + 1;
        if is_signed(&sent[index], kind) {
            let nonce = check_signature(request, &sent[index], kind, origin);
            assert!(nonces.insert(nonce), "a nonce was used twice");
        }
    }
    let answers = arrivals.iter().filter(|arrival| arrival.answer.is_some());
    assert!(relayed.len() <= answers.count(), "an answer was made up");
}

/// Whatever a client has sent, nobody reads this in another way.
fn is_unambiguous(request: &Request, origin: SocketAddr) {
    let message = &request.message;
    assert!(!request.is_http10);
    assert!(request.target.starts_with(b"/"));
    assert!(!message.has_extensions);
    assert!(!matches!(message.broken, Some(Stop::Fault(_))));
    assert_eq!(message.all("host"), [origin.to_string().as_bytes()]);
    assert!(message.all("authorization").len() <= 1);
    let is_one_of = |field: &Field, names: &[&str]| names.iter().any(|name| field.is(name));
    assert!(
        !message
            .fields
            .iter()
            .any(|field| is_one_of(field, &HOP_BY_HOP))
    );
    assert!(
        !message
            .trailers
            .iter()
            .any(|field| is_one_of(field, &HOP_BY_HOP))
    );
    assert!(
        !message
            .trailers
            .iter()
            .any(|field| is_one_of(field, &NEVER_TRAILERS))
    );
}

/// Whether one is what has to become of the other.
fn stands_for(request: &Request, original: &Request, kind: Kind, origin: SocketAddr) -> bool {
    let mut lines = lines(&request.message.fields);
    if is_signed(original, kind) {
        // Checked by itself.
        lines.pop();
    }
    let has_content = if request.is_whole() {
        original.is_whole() && original.message.content == request.message.content
    } else {
        original
            .message
            .content
            .starts_with(&request.message.content)
    };
    let named = original.message.members("connection");
    let is_named = |field: &Field| named.contains(&field.name.to_ascii_lowercase());
    let mut trailers = original.message.trailers.iter();
    request.method == original.method
        && Some(&request.target) == original.origin_form().as_ref()
        && lines == passed_on(original, kind, origin)
        && has_content
        && request
            .message
            .trailers
            .iter()
            .all(|passed| !is_named(passed) && trailers.any(|sent| sent == passed))
}

fn lines(fields: &[Field]) -> Vec<Vec<u8>> {
    fields.iter().map(|field| field.line.clone()).collect()
}

/// The lines that a request has to have, but for its signature.
fn passed_on(original: &Request, kind: Kind, origin: SocketAddr) -> Vec<Vec<u8>> {
    let mut fields = end_to_end(original);
    if is_signed(original, kind) {
        fields.retain(|field| !field.is("authorization"));
    }
    let mut passed = lines(&fields);
    match fields.iter().position(|field| field.is("host")) {
        Some(at) => passed[at] = [&fields[at].name, format!(": {origin}").as_bytes()].concat(),
        None => passed.insert(0, format!("Host: {origin}").into_bytes()),
    }
    passed
}

/// The fields that are not for one connection only.
fn end_to_end(original: &Request) -> Vec<Field> {
    let named = original.message.members("connection");
    let mut fields = original.message.fields.clone();
    fields.retain(|field| {
        // What a message can't do without stays, whatever Connection says.
        let is_needed = ["Host", "Content-Length", "Transfer-Encoding"]
            .iter()
            .any(|name| field.is(name));
        let is_named = named.contains(&field.name.to_ascii_lowercase());
        let is_hop_by_hop = HOP_BY_HOP.iter().any(|name| field.is(name));
        !is_hop_by_hop && (is_needed || !is_named)
    });
    fields
}

fn is_signed(original: &Request, kind: Kind) -> bool {
    let is_bypass = |field: &Field| field.is("authorization") || field.is(Kind::PASSTHROUGH);
    kind != Kind::Keep || !end_to_end(original).iter().any(is_bypass)
}

/// Checks the signature, which stands in the last field, and returns its nonce.
fn check_signature(
    request: &Request,
    original: &Request,
    kind: Kind,
    origin: SocketAddr,
) -> String {
    let last = request.message.fields.last().expect("a signature");
    assert!(last.is("authorization"), "a request is unsigned");
    let header = Header::read(&last.value).expect("a header as RFC 5849 §3.5.1 has it");
    let content = &original.message.content;
    let form = original.is_form().then_some(&content[..]);
    assert!(
        form.is_none() || original.is_whole(),
        "half a form was signed"
    );
    let (consumer_key, consumer_secret, token_secret) = CREDENTIALS;
    let method = match kind {
        Kind::Keep => Method::HmacSha256,
        Kind::Plain | Kind::Hash => Method::HmacSha1,
    };
    let hashes_content = kind == Kind::Hash && form.is_none();
    let hash = hashes_content.then(|| base64(&digest::SHA1.of(content)));
    for (name, value) in [
        ("oauth_consumer_key", Some(consumer_key)),
        ("oauth_token", Some(TOKEN)),
        ("oauth_signature_method", Some(method.name())),
        ("oauth_version", Some("1.0")),
        ("oauth_body_hash", hash.as_deref()),
    ] {
        assert_eq!(header.get(name), value, "{name}");
    }
    let base_string = oracle::Request {
        method: &request.method,
        https: false,
        host: &origin.ip().to_string(),
        port: origin.port(),
        target: &request.target,
        form,
        plus_is_space: true,
        protocol: header.signed(),
    };
    assert_eq!(
        base_string.protocol_parameter(),
        None,
        "a protocol parameter is misplaced"
    );
    let signature = method.sign(consumer_secret, token_secret, &base_string.base_string());
    assert_eq!(header.get("oauth_signature"), Some(&signature[..]));
    header.get("oauth_nonce").expect("a nonce").to_owned()
}

//! What a client gets is an answer to each of its requests, in their order.

use std::mem;

use super::input::{Answer, Input};
use super::stage::Outcome;
use crate::{
    message::{Message, Reader, Stop},
    request::Request,
    response::Response,
};

/// The statuses of refusals that a client can bring about while the upstream is well.
const REFUSALS: [u16; 10] = [400, 403, 405, 413, 414, 415, 417, 421, 431, 501];

/// Checks all that the client has got, and returns which of the requests each of the upstream's answers has gone to.
pub(super) fn check(input: &Input<'_>, sent: &[Request], outcome: &Outcome) -> Vec<usize> {
    let mut reader = Reader {
        rest: &outcome.received,
    };
    let (mut index, mut relayed, mut is_closed) = (0, Vec::new(), false);
    let mut is_hinted = false;
    let may_hold_head = input.bytes.windows(5).any(|bytes| bytes == b"HEAD ");
    while !reader.rest.is_empty() {
        assert!(!is_closed, "there is more behind the last response");
        assert!(index <= sent.len(), "a response to nothing");
        let request = sent.get(index);
        let to_head = match request {
            Some(request) => request.method == "HEAD",
            // What is refused as a whole may have been one; then its answer's head is the last that comes.
            None => may_hold_head && reader.rest.ends_with(b"\r\n\r\n"),
        };
        let response = match Response::read(&mut reader, to_head) {
            Ok(response) if response.message.broken != Some(Stop::End) => response,
            Err(Stop::Fault(fault)) => panic!("{fault}: {}", outcome.received.escape_ascii()),
            _ => {
                // A response that breaks off must not look like one that ended.
                assert!(!outcome.ended_in_order, "half a response passes for one");
                return relayed;
            }
        };
        assert_eq!(response.message.broken, None);
        if response.status == 100 {
            let expects = |request: &Request| !request.message.all("expect").is_empty();
            assert!(request.is_some_and(|request| expects(request) && !request.is_http10));
            continue;
        }
        let may_be_hinted =
            input.answer == Answer::Interim && !request.is_some_and(|request| request.is_http10);
        if response.status < 200 {
            assert!(may_be_hinted && !is_hinted, "{response:?}");
            check_hint(&response, relayed.len());
            is_hinted = true;
            continue;
        }
        is_closed = closes(&response.message, request);
        let is_refusal = response.message.all("answer").is_empty();
        assert_eq!(mem::take(&mut is_hinted), may_be_hinted && !is_refusal);
        if is_refusal {
            check_refusal(&response, to_head);
        } else {
            check_relayed(&response, relayed.len(), input.answer, to_head);
            relayed.push(index);
        }
        index += 1;
    }
    let whole = sent.iter().filter(|request| request.is_whole()).count();
    assert!(
        is_closed || !outcome.ended_in_order || index >= whole,
        "a request was swallowed"
    );
    relayed
}

/// Whether the connection ends with this response (RFC 9112 §9.3).
fn closes(response: &Message, request: Option<&Request>) -> bool {
    let options = response.members("connection");
    let says = |option: &[u8]| options.iter().any(|said| said == option);
    says(b"close") || (request.is_some_and(|request| request.is_http10) && !says(b"keep-alive"))
}

/// A problem document (RFC 9457).
fn check_refusal(response: &Response, to_head: bool) {
    assert!(REFUSALS.contains(&response.status), "{response:?}");
    let message = &response.message;
    assert_eq!(message.all("content-type"), [b"application/problem+json"]);
    let text = String::from_utf8_lossy(&message.content);
    let is_document = text.starts_with('{') && text.ends_with("}\n");
    let tells_status = text.contains(&format!("\"status\":{}", response.status));
    assert!(
        (to_head && text.is_empty()) || (is_document && tells_status),
        "{text}"
    );
}

/// The upstream's interim response, without what was for the proxy alone and what frames nothing.
fn check_hint(response: &Response, number: usize) {
    assert_eq!(response.status, 103);
    let lines = response.message.fields.iter().map(|field| &field.line[..]);
    assert_eq!(
        lines.collect::<Vec<_>>(),
        [format!("Hint: {number}").as_bytes()]
    );
}

/// The upstream's answer, without what was for the proxy alone.
fn check_relayed(response: &Response, number: usize, answer: Answer, to_head: bool) {
    let message = &response.message;
    let status = if answer == Answer::NoContent {
        204
    } else {
        200
    };
    assert_eq!(response.status, status);
    assert_eq!(message.all("answer"), [number.to_string().as_bytes()]);
    let content = if to_head || status == 204 {
        String::new()
    } else {
        Answer::content(number)
    };
    assert_eq!(message.content, content.as_bytes());
    for name in ["x-hop", "keep-alive", "hint"] {
        assert!(message.all(name).is_empty(), "{name} was passed on");
    }
    for trailer in &message.trailers {
        assert_eq!(trailer.line, format!("Sum: {number}").as_bytes());
    }
}

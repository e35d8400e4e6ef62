//! Interim answers (1xx): which reach the client, and what may go wrong behind them.

mod faults;
mod passed_on;
#[path = "../support/mod.rs"]
mod support;

const HINTS: &[u8] = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n";
const PROCESSING: &[u8] = b"HTTP/1.1 102 Processing\r\n\r\n";
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A request whose client waits for 100.
const EXPECTING: &[u8] =
    b"POST /thing HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";

/// The most that pass before one final answer.
const MOST: usize = 100;

//! A daemon between a raw client and a recording upstream, and what has to hold on all three sides of an exchange.

use std::cell::Cell;

use serde_json::Value;
use undersign::oauth::{Authorization, BaseUri, RequestToSign, Verifier};

use super::{
    client::{Client, End, Response},
    daemon::Daemon,
    log::exchanges,
    recorder::{ANSWER, Recorded, Recorder},
    setup::Setup,
};

/// A daemon with a recording upstream behind it. Its exchanges are made one after the other.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) daemon: Daemon,
    pub(crate) upstream: Recorder,
    /// Exchanges so far.
    exchanges: Cell<usize>,
    /// Requests that the upstream should have got so far.
    forwarded: Cell<usize>,
}

/// An exchange that went through to the upstream, from its three sides.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) response: Response,
    pub(crate) request: Recorded,
    pub(crate) record: Value,
}

/// An exchange that ended with an answer of the daemon's own.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) response: Response,
    pub(crate) problem: Value,
    pub(crate) record: Value,
}

/// Whether the client's connection has to be usable after a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// It is closed.
    Close,
    /// It can be used on.
    Keep,
    /// Whichever of the two the answer says.
    AsItSays,
}

/// A request without any fault, whose `Host` is the listener's.
pub(crate) const GOOD: &[u8] = b"GET /good HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// The error type of a request that is wrong in itself.
pub(crate) const MALFORMED: &str = "http_request_error";

/// The error type of a request that this client may not make.
pub(crate) const DENIED: &str = "http_request_denied";

impl Bench {
    /// With the defaults.
    #[track_caller]
    pub(crate) fn new() -> Self {
        Self::with(|setup| setup)
    }

    /// With a daemon that is set up otherwise.
    #[track_caller]
    pub(crate) fn with(set_up: impl FnOnce(Setup) -> Setup) -> Self {
        let upstream = Recorder::start();
        let daemon = set_up(Setup::new(upstream.url())).start();
        Self {
            daemon,
            upstream,
            exchanges: Cell::new(0),
            forwarded: Cell::new(0),
        }
    }

    /// Sends `input` on a connection of its own, and checks that it reaches the upstream, whose answer comes back.
    #[track_caller]
    pub(crate) fn forwarded(&self, input: impl AsRef<[u8]>) -> Exchange {
        let mut client = self.daemon.connect();
        client.send(&input);
        self.answered(&mut client, input.as_ref().starts_with(b"HEAD "))
    }

    /// Reads an answer on a connection on which a request has been sent, and checks all three sides.
    #[track_caller]
    pub(crate) fn answered(&self, client: &mut Client, to_head: bool) -> Exchange {
        let response = if to_head {
            client.response_to_head()
        } else {
            client.response()
        };
        let seen = String::from_utf8_lossy(&response.body).into_owned();
        let is_upstreams = !response.head.has("proxy-status");
        assert!(is_upstreams, "refused: {:?} {seen}", response.head);
        if response.status == 200 && !to_head {
            assert_eq!(response.body, ANSWER);
        }
        let record = self.record();
        let request = self.upstream.request(self.forwarded.get());
        self.forwarded.set(self.forwarded.get() + 1);
        assert_eq!(request.head.only("host"), self.upstream.authority());
        assert_eq!(record["http.response.status_code"], response.status);
        assert_eq!(record["error.type"], Value::Null, "{record:#}");
        assert_eq!(record["http.request.method"], request.method());
        assert_eq!(record["http.request.body.size"], request.body.len());
        assert_eq!(record["http.response.body.size"], response.body.len());
        assert_eq!(record["upstream.attempts"], 1);
        if record["oauth.signed"] == true {
            self.verify(&request);
        }
        Exchange {
            response,
            request,
            record,
        }
    }

    /// Sends `input` on a connection of its own, and checks that it is refused, and nothing of it forwarded.
    #[track_caller]
    pub(crate) fn refused(
        &self,
        input: impl AsRef<[u8]>,
        status: u16,
        error: &str,
        then: Then,
    ) -> Refused {
        let mut client = self.daemon.connect();
        client.send(&input);
        let to_head = input.as_ref().starts_with(b"HEAD ");
        let refused = self.refusal(&mut client, to_head, status, error, then);
        let count = self.upstream.begun();
        assert_eq!(count, self.forwarded.get(), "something was forwarded");
        refused
    }

    /// Reads a refusal on a connection on which a request has been sent.
    #[track_caller]
    pub(crate) fn refusal(
        &self,
        client: &mut Client,
        to_head: bool,
        status: u16,
        error: &str,
        then: Then,
    ) -> Refused {
        let response = if to_head {
            client.response_to_head()
        } else {
            client.response()
        };
        let problem = check_problem(&response, status, error, to_head);
        let record = self.record();
        assert_eq!(record["http.response.status_code"], status, "{record:#}");
        assert_eq!(record["error.type"], error, "{record:#}");
        assert_eq!(record["level"], "WARN");
        assert_eq!(record["http.response.body.size"], response.body.len());
        if !to_head {
            assert_eq!(record["exchange.id"], problem["exchange_id"]);
        }
        let says_close = response.head.connection_says("close");
        let then = match then {
            Then::AsItSays if says_close => Then::Close,
            Then::AsItSays => Then::Keep,
            then => then,
        };
        match then {
            Then::Close => {
                let is_old = response.head.first_line().starts_with(b"HTTP/1.0");
                let says_so = is_old || says_close;
                assert!(says_so, "{:?}", response.head);
                client.expect_close();
            }
            Then::Keep | Then::AsItSays => {
                assert!(!says_close, "{:?}", response.head);
                client.send(GOOD);
                self.answered(client, false);
            }
        }
        Refused {
            response,
            problem,
            record,
        }
    }

    /// Sends `input`, and checks that the connection is closed without an answer, since it is no HTTP/1.
    #[track_caller]
    pub(crate) fn hung_up_on(&self, input: impl AsRef<[u8]>) {
        let mut client = self.daemon.connect();
        client.send(input);
        let (answer, end) = client.rest();
        assert_eq!(answer.escape_ascii().to_string(), "");
        assert_eq!(end, End::Closed);
        assert_eq!(self.upstream.begun(), self.forwarded.get());
    }

    /// The record of the exchange that has just ended.
    #[track_caller]
    pub(crate) fn record(&self) -> Value {
        let index = self.exchanges.get();
        self.exchanges.set(index + 1);
        self.daemon.log().exchange(index)
    }

    /// Takes note of a request that has reached the upstream apart from [`Bench::answered`].
    #[track_caller]
    pub(crate) fn reached_upstream(&self) -> Recorded {
        let index = self.forwarded.get();
        self.forwarded.set(index + 1);
        self.upstream.request(index)
    }

    /// Checks the signature of a request as a server would.
    #[track_caller]
    pub(crate) fn verify(&self, request: &Recorded) -> Authorization {
        let field = request.head.only("authorization");
        let authorization = Authorization::parse(field.as_bytes()).unwrap();
        let address = self.upstream.address();
        let origin = BaseUri::new(true, &address.ip().to_string(), address.port());
        let verifier = Verifier::new(self.daemon.credentials(), self.daemon.signing(), origin);
        let is_form = request
            .head
            .all("content-type")
            .first()
            .is_some_and(|value| {
                let essence = value.split(|byte| *byte == b';').next().unwrap_or_default();
                let essence = essence.trim_ascii().to_ascii_lowercase();
                essence == b"application/x-www-form-urlencoded"
            });
        let to_verify = RequestToSign {
            method: request.method(),
            target: request.target(),
            form: is_form.then_some(&request.body),
        };
        if let Err(mismatch) = verifier.verify(&to_verify, &authorization) {
            let mismatch: String = mismatch.to_string().chars().take(500).collect();
            panic!("{mismatch}: {request:?}");
        }
        authorization
    }

    /// Stops the daemon, and checks that it left one record for each exchange, and reached the upstream for none else.
    #[track_caller]
    pub(crate) fn finish(self) {
        let broken = self.finish_with_broken();
        assert!(broken.is_empty(), "{broken:#?}");
    }

    /// The same, and returns the requests that broke off.
    #[track_caller]
    pub(crate) fn finish_with_broken(self) -> Vec<Recorded> {
        let (code, lines) = self.daemon.stop();
        assert_eq!(code, Some(0), "{lines:#?}");
        assert_eq!(exchanges(&lines).len(), self.exchanges.get());
        let broken = self.upstream.broken();
        assert_eq!(self.upstream.requests().len(), self.forwarded.get());
        broken
    }
}

/// Checks that an answer is a problem document of the daemon's own; returns it.
#[track_caller]
pub(crate) fn check_problem(response: &Response, status: u16, error: &str, to_head: bool) -> Value {
    let head = &response.head;
    let body = String::from_utf8_lossy(&response.body);
    assert_eq!(response.status, status, "{head:?} {body}");
    assert_eq!(head.only("content-type"), "application/problem+json");
    assert!(head.only("date").ends_with(" GMT"));
    let proxy_status = head.only("proxy-status");
    let beginning = format!("undersign; error={error}; details=\"");
    assert!(proxy_status.starts_with(&beginning), "{proxy_status}");
    assert!(proxy_status.ends_with('"'), "{proxy_status}");
    if to_head {
        return Value::Null;
    }
    let problem: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(problem["status"], status);
    assert_eq!(problem["error_type"], error);
    for key in ["title", "detail", "exchange_id"] {
        let text = problem[key].as_str().unwrap_or_default();
        assert!(!text.is_empty(), "{key}: {problem:#}");
    }
    let line = std::str::from_utf8(head.first_line()).unwrap();
    let title = problem["title"].as_str().unwrap();
    assert_eq!(line[8..], format!(" {status} {title}"));
    problem
}

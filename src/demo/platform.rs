//! The demonstration's platform: TLS, signatures verified, replays refused, refusals explained.

use std::{
    convert::Infallible,
    fmt::Write as _,
    io::{self, Write as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE},
    http::request::Parts,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use super::resources::{Resources, Trouble};
use crate::{
    config::Origin,
    oauth::{
        Authorization, BaseUri, Credentials, Mismatch, Replay, ReplayGuard, RequestToSign,
        SigningOptions, Verifier,
    },
    stamp::seconds_since_epoch,
    upstream::Acceptor,
    wire::is_form,
};

/// How far a timestamp may be off, in seconds.
const WINDOW: u64 = 300;

/// Nonces remembered within the window.
const NONCES: usize = 1_000_000;

/// The largest body taken, in bytes.
const BODY: usize = 1024 * 1024;

/// A platform with its resources.
#[derive(Debug)]
pub(super) struct Platform {
    acceptor: Acceptor,
    verifier: Verifier,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    replays: ReplayGuard,
    resources: Resources,
}

/// Why a request is refused, in the words of the problem reporting extension of OAuth 1.0.
struct Denial {
    problem: &'static str,
    explanation: String,
}

impl Platform {
    pub(super) fn new(credentials: &Credentials, origin: &Origin, acceptor: Acceptor) -> Self {
        let base = BaseUri::new(origin.https, &origin.host, origin.port);
        Self {
            acceptor,
            verifier: Verifier::new(credentials, &SigningOptions::default(), base),
            state: Mutex::new(State {
                replays: ReplayGuard::new(WINDOW, NONCES),
                resources: Resources::new(),
            }),
        }
    }

    /// Accepts connections for as long as the future is polled.
    pub(super) async fn serve(self: Arc<Self>, socket: TcpListener) {
        loop {
            match socket.accept().await {
                Ok((stream, _)) => {
                    tokio::spawn(Arc::clone(&self).connection(stream));
                }
                // Out of descriptors, most likely: what is open will be closed.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let Ok(stream) = self.acceptor.accept(stream).await else {
            return;
        };
        let service = service_fn(|request| {
            let platform = Arc::clone(&self);
            async move { Ok::<_, Infallible>(platform.answer(request).await) }
        });
        // A client that breaks off has seen what it wanted.
        let _ = http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let target = head
            .uri
            .path_and_query()
            .map_or("/", |target| target.as_str());
        let outcome = match Limited::new(body, BODY).collect().await {
            Err(_) => Err(document(
                StatusCode::PAYLOAD_TOO_LARGE,
                &json!({ "message": "the body is broken or too long for this demonstration" }),
            )),
            Ok(body) => {
                let body = body.to_bytes();
                self.verify(&head, target, &body)
                    .map(|()| body)
                    .map_err(|denial| refuse(&denial))
            }
        };
        let (verdict, mut response) = match outcome {
            Err(response) => ("refused", response),
            Ok(body) => {
                let done = self.state().resources.perform(&head.method, target, &body);
                ("signature verified", respond(done))
            }
        };
        if let Some(transaction) = head.headers.get("aps-transaction-id") {
            let headers = response.headers_mut();
            headers.insert("aps-transaction-id", transaction.clone());
        }
        announce(&head, target, verdict, response.status());
        response
    }

    fn verify(&self, head: &Parts, target: &str, body: &[u8]) -> Result<(), Denial> {
        let mut fields = head.headers.get_all(AUTHORIZATION).iter();
        let (Some(field), None) = (fields.next(), fields.next()) else {
            return Err(Denial {
                problem: "parameter_absent",
                explanation:
                    "the request has no Authorization field, or more than one: it is not signed"
                        .to_owned(),
            });
        };
        let authorization = Authorization::parse(field.as_bytes()).map_err(|error| Denial {
            problem: "parameter_rejected",
            explanation: error.to_string(),
        })?;
        let content_type = head.headers.get(CONTENT_TYPE);
        let is_form = content_type.is_some_and(|value| is_form(value.as_bytes()));
        let request = RequestToSign {
            method: head.method.as_str(),
            target: target.as_bytes(),
            form: is_form.then_some(body),
        };
        self.verifier
            .verify(&request, &authorization)
            .map_err(|mismatch| Denial {
                problem: match mismatch {
                    Mismatch::SignatureMethod { .. } => "signature_method_rejected",
                    Mismatch::ConsumerKey { .. } => "consumer_key_unknown",
                    Mismatch::Token { .. } => "token_rejected",
                    Mismatch::Misplaced(_) => "parameter_rejected",
                    Mismatch::Signature { .. } | Mismatch::Secrets => "signature_invalid",
                },
                explanation: mismatch.to_string(),
            })?;
        let now = seconds_since_epoch();
        self.state()
            .replays
            .check(now, &authorization)
            .map_err(|replay| Denial {
                problem: match replay {
                    Replay::Stale { .. } => "timestamp_refused",
                    Replay::Used(_) => "nonce_used",
                    Replay::Full => "additional_authorization_required",
                },
                explanation: replay.to_string(),
            })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn respond(done: Result<(StatusCode, Value), Trouble>) -> Response<Full<Bytes>> {
    match done {
        Ok((status, body)) => document(status, &body),
        Err(trouble) => document(trouble.status(), &json!({ "message": trouble.to_string() })),
    }
}

fn refuse(denial: &Denial) -> Response<Full<Bytes>> {
    let mut response = document(
        StatusCode::UNAUTHORIZED,
        &json!({ "oauth_problem": denial.problem, "message": denial.explanation }),
    );
    let mut challenge = String::new();
    // Writing to a String can't fail.
    let _ = write!(
        challenge,
        "OAuth realm=\"demo\", oauth_problem=\"{}\"",
        denial.problem
    );
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

fn document(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(format!("{body:#}\n")));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// Shows what has arrived; standard output may be closed.
fn announce(head: &Parts, target: &str, verdict: &str, status: StatusCode) {
    let line = format!(
        "platform: {} {} - {verdict}, answered {}\n",
        head.method,
        target.escape_debug(),
        status.as_u16()
    );
    let _ = io::stdout().write_all(line.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::{Signer, Stamp};

    /// What the platform says of a request for `target` with this `Authorization`.
    fn problem(platform: &Platform, target: &str, authorization: &[u8]) -> Option<&'static str> {
        let request = Request::get(target).header(AUTHORIZATION, authorization);
        let (head, ()) = request.body(()).unwrap().into_parts();
        let verdict = platform.verify(&head, target, b"");
        verdict.err().map(|denial| denial.problem)
    }

    #[test]
    fn a_signature_is_taken_once_and_for_its_own_request_and_time_only() {
        let origin = Origin {
            https: true,
            host: "localhost".to_owned(),
            port: 8443,
        };
        let credentials = Credentials {
            consumer_key: "key".to_owned(),
            consumer_secret: "secret".into(),
            token: None,
            token_secret: "".into(),
        };
        let acceptor = Acceptor::self_signed(&["localhost"]).unwrap();
        let platform = Platform::new(&credentials, &origin, acceptor);
        let base = BaseUri::new(true, "localhost", 8443);
        let signer = Signer::new(&credentials, &SigningOptions::default(), base);
        let sign = |timestamp, nonce: &str| {
            let request = RequestToSign {
                method: "GET",
                target: b"/a?b=c",
                form: None,
            };
            let stamp = Stamp {
                timestamp,
                nonce: nonce.into(),
                extra: &[],
            };
            signer.sign(&request, stamp)
        };
        let now = seconds_since_epoch();
        let signed = sign(now, "one");
        assert_eq!(
            problem(&platform, "/a?b=d", &signed),
            Some("signature_invalid")
        );
        assert_eq!(problem(&platform, "/a?b=c", &signed), None);
        assert_eq!(problem(&platform, "/a?b=c", &signed), Some("nonce_used"));
        assert_eq!(problem(&platform, "/a?b=c", &sign(now, "two")), None);
        let stale = sign(now - 2 * WINDOW, "three");
        assert_eq!(
            problem(&platform, "/a?b=c", &stale),
            Some("timestamp_refused")
        );
    }
}

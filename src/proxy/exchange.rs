//! The path of one exchange, from top to bottom.

use std::{net::IpAddr, sync::Arc, time::SystemTime};

use bytes::Bytes;
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{CONNECTION, HeaderValue},
};

use super::{
    ErrorType, Proxy, Refusal, ReplyBody,
    admit::admit,
    prepare::{ContentRole, Prepared},
    record::Record,
    relay::{Relay, pass_on_interim},
    turns::is_long,
};
use crate::{
    config::ProxyConfig,
    stamp::{fresh_nonce, seconds_since_epoch},
    upstream::{Answer, CollectError, Content, Link, SendFault, SendTimeouts},
    wire::{Reply, RequestHead, ServerPort, strip_hop_by_hop},
};

/// A request goes out at most so often; more than once only while the upstream can't have seen any of it.
const MAX_ATTEMPTS: u32 = 2;

/// The peer of a connection, as far as the operating system knows it.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// Its address, as it is logged.
    pub(crate) address: String,
    /// The address of ours that it has connected to.
    pub(crate) local: Option<IpAddr>,
    /// Its user id, on a Unix socket.
    pub(crate) uid: Option<u32>,
    /// Whether there are more connections than there may be, so that this one is only told so.
    pub(crate) over_limit: bool,
}

/// Serves one request; whatever goes wrong becomes an answer, and each exchange leaves one record.
pub(crate) async fn exchange(
    proxy: Arc<Proxy>,
    client: Arc<Client>,
    port: ServerPort,
    id: String,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let mut record = Record::begin(Arc::clone(&proxy), port.clone(), id, client.address.clone());
    let mut to_head = false;
    let mut unread = false;
    let outcome = match port.take_request() {
        Some(Ok(head)) => {
            to_head = head.is_head();
            record.request(&head);
            let content = Content::new(request.into_body(), head.framing, port.clone());
            record.content(&content);
            let outcome = forward(&proxy, &client, head, content.clone(), &port, &mut record).await;
            // What comes next on the connection is the rest of this request, which nobody will read.
            unread = !content.progress().ended;
            outcome
        }
        Some(Err(refused)) => {
            // hyper has seen a placeholder in the place of this request.
            to_head = refused.method.as_deref() == Some(b"HEAD");
            record.refused_request(&refused);
            Err(refused.fault.into())
        }
        None => Err(Refusal::closing(
            500,
            ErrorType::ProxyInternalError,
            "a request arrived without its head",
        )),
    };
    match outcome {
        Ok(answered) => {
            let mut response = relay(&proxy, answered, port, to_head, unread, record);
            response.body_mut().settle().await;
            response
        }
        Err(refusal) => {
            // A fault in the content explains whatever it led to.
            let fault = port.take_content_fault().map(Refusal::from);
            let mut refusal = fault.unwrap_or(refusal);
            refusal.close |= unread;
            refusal.answer(record, &port, to_head)
        }
    }
}

/// An answer, and what its content still needs.
struct Answered {
    answer: Answer,
    link: Link,
    content: Content,
}

/// Admit, prepare, sign, send.
async fn forward(
    proxy: &Proxy,
    client: &Client,
    head: Box<RequestHead>,
    content: Content,
    port: &ServerPort,
    record: &mut Record,
) -> Result<Answered, Refusal> {
    let config = &proxy.config;
    if client.over_limit {
        return Err(Refusal::closing(
            503,
            ErrorType::ConnectionLimitReached,
            "there are too many connections (limits.connections)",
        ));
    }
    admit(&config.access, client, &head)?;

    let version = head.version;
    let prepared = Prepared::new(*head, config)?;
    let role = prepared.content_role(config)?;
    prepared.check_parameters(None)?;
    if role != ContentRole::None && content.is_announced_longer_than(config.limits.form_bytes) {
        return Err(too_long_to_hold(role, config));
    }
    let mut link = proxy.upstream.reuse().await;
    let mut signed_content = None;
    let mut attempts_left = MAX_ATTEMPTS;
    loop {
        attempts_left -= 1;
        let reused = link.is_some();
        let mut open = match link.take() {
            Some(link) => link,
            // What is rare is kept out of the exchange's own future, which is moved about.
            None => Box::pin(connect(proxy))
                .await
                .inspect_err(|_| record.attempt())?,
        };
        // Only now, so that a client that waits for 100 Continue gets it once there is somebody to send to.
        let signed_content = match &mut signed_content {
            Some(signed_content) => signed_content,
            unread => {
                let bytes = match role {
                    ContentRole::None => Bytes::new(),
                    _ => Box::pin(collect(&content, role, config, port)).await?,
                };
                let takes_long = is_long(&bytes);
                let read = || {
                    prepared.admit_content(&config.access, &bytes)?;
                    prepared.read_content(role, bytes, config)
                };
                unread.insert(proxy.turns.work(takes_long, read).await?)
            }
        };

        record.attempt();
        let sign = || {
            let (timestamp, nonce) = (seconds_since_epoch(), fresh_nonce());
            prepared.sign(&proxy.signer, timestamp, nonce, &proxy.host, signed_content)
        };
        record.signed(!prepared.is_unsigned());
        let is_slow = proxy.signs_slowly && !prepared.is_unsigned();
        let takes_long = is_slow || signed_content.is_long();
        let signed = proxy.turns.work(takes_long, sign).await;
        // The upstream may not have waited as long as the client took for its content, or as a turn took. One that had been kept
        // before is found dead below, and replaced.
        let has_waited = takes_long || role != ContentRole::None;
        if !reused && has_waited && !open.has_kept().await {
            open = Box::pin(connect(proxy)).await?;
        }
        let pass_on = |interim| pass_on_interim(interim, version, port);
        let timeouts = SendTimeouts::from(&config.timeouts);
        match open
            .send(signed.head, signed.to_head, &content, timeouts, pass_on)
            .await
        {
            Ok(answer) => {
                return Ok(Answered {
                    answer,
                    link: open,
                    content,
                });
            }
            Err(error) if reused && error.is_unseen() && attempts_left > 0 => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Passes an answer on: its head now, its content as it comes.
fn relay(
    proxy: &Proxy,
    answered: Answered,
    port: ServerPort,
    to_head: bool,
    close: bool,
    mut record: Record,
) -> Response<ReplyBody> {
    let Answered {
        answer,
        link,
        content,
    } = answered;
    let mut head = answer.head;
    record.answered(&head, answer.at, SystemTime::now());
    strip_hop_by_hop(&mut head.fields);
    let status = StatusCode::from_u16(head.status).unwrap_or(StatusCode::BAD_GATEWAY);
    port.reply(Reply {
        status: head.status,
        reason: head.reason,
        fields: head.fields,
        to_head,
    });
    let relay = Relay::new(
        answer.content,
        link,
        proxy.upstream.pool(),
        content,
        port,
        proxy.config.timeouts.idle,
        record,
    );
    let mut response = Response::new(ReplyBody::Relay(Box::new(relay)));
    *response.status_mut() = status;
    if close {
        close_after(&mut response);
    }
    response
}

/// Has hyper close the connection once the response is out, and say so.
pub(super) fn close_after(response: &mut Response<ReplyBody>) {
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
}

async fn connect(proxy: &Proxy) -> Result<Link, Refusal> {
    match proxy.upstream.connect(proxy.config.timeouts.connect).await {
        Ok(link) => {
            proxy.metrics.upstream_connected();
            Ok(link)
        }
        Err(error) => {
            let refusal = Refusal::from(error);
            proxy.metrics.upstream_failed(refusal.error.as_str());
            Err(refusal)
        }
    }
}

async fn collect(
    content: &Content,
    role: ContentRole,
    config: &ProxyConfig,
    port: &ServerPort,
) -> Result<Bytes, Refusal> {
    let collected = content
        .collect(config.limits.form_bytes, config.timeouts.idle)
        .await;
    collected.map_err(|error| match error {
        CollectError::Stalled => SendFault::ClientStalled.into(),
        CollectError::TooLong => too_long_to_hold(role, config),
        CollectError::Failed => match port.take_content_fault() {
            Some(fault) => fault.into(),
            None => SendFault::ClientFailed.into(),
        },
    })
}

fn too_long_to_hold(role: ContentRole, config: &ProxyConfig) -> Refusal {
    let why = match role {
        ContentRole::Hashed => "with body_hash = true each body is held in memory to be signed",
        ContentRole::Form | ContentRole::None => "forms are held in memory to be signed",
        ContentRole::Examined => {
            "with access.allow, what a server may take for a form is held in memory to be looked into: give it a Content-Type"
        }
    };
    let limit = config.limits.form_bytes;
    Refusal::closing(
        413,
        ErrorType::HttpRequestError,
        format!("the content is longer than {limit} bytes (limits.form_bytes), and {why}"),
    )
}

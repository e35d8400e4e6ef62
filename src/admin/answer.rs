//! What the admin listener answers, as a function of the request.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode, Version,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue},
    http::uri::Authority,
};

use super::{Admin, Phase, negotiation};
use crate::config::ListenAddress;

const TEXT: &str = "text/plain; charset=utf-8";

/// Answers any request; its body is of no interest.
pub(super) fn answer<B>(admin: &Admin, request: &Request<B>) -> Response<Full<Bytes>> {
    if let Some(refusal) = refuse_host(&admin.address, request) {
        return refusal;
    }
    let answer = match request.uri().path() {
        "/livez" => text(StatusCode::OK, "ok\n"),
        "/readyz" => match *admin.phase.borrow() {
            Phase::Starting => text(StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
            Phase::Ready => text(StatusCode::OK, "ok\n"),
            Phase::Draining => text(StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
        },
        "/metrics" => {
            let format = negotiation::format(request.headers());
            let text = admin.metrics.encode(format);
            of_type(format.media_type(), StatusCode::OK, text.into())
        }
        _ => return text(StatusCode::NOT_FOUND, "try /livez, /readyz or /metrics\n"),
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refusal = text(StatusCode::METHOD_NOT_ALLOWED, "GET and HEAD only\n");
        refusal
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refusal;
    }
    answer
}

fn text(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    of_type(TEXT, status, Bytes::from_static(text.as_bytes()))
}

fn of_type(media_type: &'static str, status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Refuses a request that does not name us by an address of ours or as `localhost`.
///
/// A web page can make its own host name resolve to 127.0.0.1, and would then be let by the browser to read
/// our answers; but the browser still sends that name.
fn refuse_host<B>(own: &ListenAddress, request: &Request<B>) -> Option<Response<Full<Bytes>>> {
    // No browser speaks to a Unix socket.
    let ListenAddress::Tcp(own) = own.bound() else {
        return None;
    };
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Authority::try_from(host.as_bytes()),
        // No browser speaks HTTP/1.0 either.
        (None, _) if request.version() == Version::HTTP_10 => return None,
        (None | Some(_), _) => {
            return Some(text(
                StatusCode::BAD_REQUEST,
                "exactly one Host field is needed\n",
            ));
        }
    };
    // A target in absolute form overrides the field (RFC 9112 §3.2.2); browsers send both alike.
    let target = request.uri().authority();
    let is_ours = target.is_none_or(|target| is_ours(own, target))
        && host.is_ok_and(|host| is_ours(own, &host));
    (!is_ours).then(|| {
        text(
            StatusCode::MISDIRECTED_REQUEST,
            "ask by address or as localhost\n",
        )
    })
}

/// Ports are not compared: a forwarded port differs from the one we listen on.
fn is_ours(own: SocketAddr, authority: &Authority) -> bool {
    let host = authority.host();
    let literal = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    match literal.parse::<IpAddr>() {
        Ok(ip) => {
            let ip = ip.to_canonical();
            // Listening on every address, any may be ours; and no name that could be rebound is involved.
            ip.is_loopback() || ip == own.ip().to_canonical() || own.ip().is_unspecified()
        }
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http_body_util::BodyExt;
    use hyper::header::ACCEPT;
    use tokio::sync::watch;

    use super::*;
    use crate::{log::Lost, metrics::Metrics};

    fn admin(address: &str, phase: Phase) -> Admin {
        let address = match address.strip_prefix("unix:") {
            Some(path) => ListenAddress::Unix(path.into()),
            None => ListenAddress::Tcp(address.parse().unwrap()),
        };
        Admin {
            address,
            phase: watch::channel(phase).1,
            metrics: Arc::new(Metrics::new(Lost::default())),
        }
    }

    fn request(method: &str, target: &str, hosts: &[&str]) -> Request<()> {
        let mut request = Request::builder().method(method).uri(target);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        request.body(()).unwrap()
    }

    #[tokio::test]
    async fn each_path_has_its_answer() {
        let cases = [
            ("GET", "/livez", Phase::Starting, 200, "ok\n"),
            ("GET", "/livez?verbose", Phase::Draining, 200, "ok\n"),
            ("GET", "/readyz", Phase::Starting, 503, "starting\n"),
            ("GET", "/readyz", Phase::Ready, 200, "ok\n"),
            ("HEAD", "/readyz", Phase::Ready, 200, "ok\n"),
            ("GET", "/readyz", Phase::Draining, 503, "draining\n"),
            ("POST", "/readyz", Phase::Ready, 405, "GET and HEAD only\n"),
            (
                "GET",
                "/",
                Phase::Ready,
                404,
                "try /livez, /readyz or /metrics\n",
            ),
            (
                "POST",
                "/",
                Phase::Ready,
                404,
                "try /livez, /readyz or /metrics\n",
            ),
        ];
        for (method, target, phase, status, body) in cases {
            let admin = admin("127.0.0.1:9464", phase);
            let answer = answer(&admin, &request(method, target, &["localhost"]));
            let case = format!("{method} {target} {phase:?}");
            assert_eq!(answer.status(), status, "{case}");
            let allow = answer.headers().get(ALLOW).map(HeaderValue::as_bytes);
            assert_eq!(
                allow,
                (status == 405).then_some(&b"GET, HEAD"[..]),
                "{case}"
            );
            let text = answer.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(text, body, "{case}");
        }
    }

    #[tokio::test]
    async fn metrics_are_prometheus_text_unless_openmetrics_is_asked_for() {
        let admin = admin("127.0.0.1:9464", Phase::Ready);
        let openmetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        for (accept, media_type, has_end) in [
            ("*/*", "text/plain; version=0.0.4; charset=utf-8", false),
            ("application/openmetrics-text", openmetrics, true),
        ] {
            let mut request = request("GET", "/metrics", &["localhost"]);
            let accepted = HeaderValue::from_static(accept);
            request.headers_mut().insert(ACCEPT, accepted);
            let answer = answer(&admin, &request);
            assert_eq!(answer.headers()[CONTENT_TYPE], media_type);
            let text = answer.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(text.ends_with(b"# EOF\n"), has_end, "{accept}");
        }
    }

    #[test]
    fn only_hosts_that_no_page_can_choose_are_answered() {
        const LOCAL: &str = "127.0.0.1:9464";
        const ANY: &str = "0.0.0.0:9464";
        let cases: &[(&str, &str, &[&str], u16)] = &[
            (LOCAL, "/livez", &["127.0.0.1:9464"], 200),
            (LOCAL, "/livez", &["127.0.0.1"], 200),
            (LOCAL, "/livez", &["[::1]:9464"], 200),
            (LOCAL, "/livez", &["[::ffff:127.0.0.1]"], 200),
            (LOCAL, "/livez", &["LocalHost:1234"], 200),
            (LOCAL, "/livez", &[], 400),
            (LOCAL, "/livez", &["evil.example"], 421),
            (LOCAL, "/livez", &["localhost.evil.example:9464"], 421),
            (LOCAL, "/livez", &["127.0.0.1.evil.example"], 421),
            (LOCAL, "/livez", &["192.0.2.1:9464"], 421),
            (LOCAL, "/livez", &[""], 421),
            (LOCAL, "/livez", &["localhost", "evil.example"], 400),
            (LOCAL, "http://evil.example/livez", &["localhost"], 421),
            (LOCAL, "http://localhost/livez", &["localhost"], 200),
            ("192.0.2.1:9464", "/livez", &["192.0.2.1:9464"], 200),
            ("192.0.2.1:9464", "/livez", &["192.0.2.2:9464"], 421),
            (ANY, "/livez", &["192.0.2.1:9464"], 200),
            (ANY, "/livez", &["evil.example:9464"], 421),
            ("unix:/run/admin.sock", "/livez", &["anything"], 200),
        ];
        for (own, target, hosts, status) in cases {
            let answer = answer(&admin(own, Phase::Ready), &request("GET", target, hosts));
            assert_eq!(answer.status(), *status, "{own} {target} {hosts:?}");
        }
    }
}

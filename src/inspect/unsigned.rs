//! When a proxy would not sign a request as described.

use super::{content::Content, header::Header};
use crate::config::{InboundAuthorization, ProxyConfig};

/// What the proxy does with the request instead of signing it, for the reason that it finds first.
pub(super) fn instead_of_signing(
    proxy: &ProxyConfig,
    headers: &[Header<'_>],
    content: Option<&Content>,
) -> Option<String> {
    let name = &proxy.name;
    let forwards = |why| format!("the proxy {name} forwards such a request unsigned: {why}");
    let refuses =
        |status: u16, why| format!("the proxy {name} refuses such a request with {status}: {why}");
    // As with curl, a header without a value is not sent.
    let all = |name: &str| {
        let sent = headers.iter().filter(|header| !header.value.is_empty());
        let named = sent.filter(|header| header.name.eq_ignore_ascii_case(name));
        named.map(|header| header.value).collect::<Vec<_>>()
    };
    let inbound = Some(proxy.inbound_authorization).filter(|_| !all("Authorization").is_empty());
    let authorization = "it has an Authorization header, and inbound_authorization";
    if inbound == Some(InboundAuthorization::Reject) {
        return Some(refuses(403, format!("{authorization} = \"reject\"")));
    }
    let mut passing = proxy.passthrough_headers.iter();
    if let Some(header) = passing.find(|header| !all(header).is_empty()) {
        return Some(forwards(format!(
            "`{header}` is one of its passthrough_headers"
        )));
    }
    if inbound == Some(InboundAuthorization::Keep) {
        return Some(forwards(format!("{authorization} = \"keep\"")));
    }
    let content = content?;
    let codings = all("Content-Encoding").join(",");
    let mut codings = codings.split(',').map(str::trim);
    let is_coded =
        codings.any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"));
    if content.is_form && is_coded {
        let why = "it is a form with a Content-Encoding";
        return Some(refuses(415, why.to_owned()));
    }
    let (limit, length) = (proxy.limits.form_bytes, content.bytes.len());
    let is_held = content.is_form || proxy.signing.body_hash;
    (is_held && length > limit).then(|| {
        refuses(
            413,
            format!("its content has {length} bytes, and limits.form_bytes is {limit}"),
        )
    })
}

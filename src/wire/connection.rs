//! Fields that concern one connection only (RFC 9110 §7.6.1), in header and trailer sections.

use super::{
    fields::{Field, Fields},
    overrides::is_override,
};

/// Fields that concern one connection only, whether or not `Connection` names them.
const HOP_BY_HOP: [&str; 7] = [
    "connection",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "upgrade",
    "http2-settings",
];

/// Fields that `Connection` must not name: without them a message would mean something else.
const NEVER_HOP_BY_HOP: [&str; 3] = ["content-length", "host", "transfer-encoding"];

/// Fields that frame, route, authorise, or say how to take the rest, so that they must not come last (RFC 9110 §6.5.1).
const NEVER_TRAILING: [&str; 27] = [
    "aps-token",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "cookie2",
    "expect",
    "forwarded",
    "host",
    "max-forwards",
    "origin",
    "proxy-authenticate",
    "range",
    "set-cookie",
    "trailer",
    "transfer-encoding",
    "via",
    "www-authenticate",
    "x-api-key",
    "x-auth-token",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
];

/// What the `Connection` fields of a message name.
#[derive(Debug, Default)]
pub(super) struct ConnectionOptions(Vec<Vec<u8>>);

impl ConnectionOptions {
    pub(super) fn of(fields: &Fields) -> Self {
        Self(fields.members("connection").map(<[u8]>::to_vec).collect())
    }

    /// Takes out of the trailer section of the same message what must not be passed on.
    pub(super) fn strip_trailers(&self, trailers: &mut Fields) {
        trailers.retain(|field| {
            !(self.concern(field) || is_one_of(field, &NEVER_TRAILING) || is_override(field.name))
        });
    }

    /// Whether a field is for this connection alone.
    fn concern(&self, field: &Field<'_>) -> bool {
        let mut names = self.0.iter();
        is_one_of(field, &HOP_BY_HOP) || names.any(|name| name.eq_ignore_ascii_case(field.name))
    }
}

/// Takes out what concerns one connection only.
pub(crate) fn strip_hop_by_hop(fields: &mut Fields) {
    let options = ConnectionOptions::of(fields);
    fields.retain(|field| is_one_of(field, &NEVER_HOP_BY_HOP) || !options.concern(field));
}

fn is_one_of(field: &Field<'_>, names: &[&str]) -> bool {
    names.iter().any(|name| field.is(name))
}

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};

    use super::*;

    fn strip(section: &'static str) -> String {
        let mut fields = Fields::parse(Bytes::from_static(section.as_bytes())).unwrap();
        strip_hop_by_hop(&mut fields);
        let mut out = BytesMut::new();
        fields.write_to(&mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn what_connection_names_goes_and_nothing_else() {
        let table = [
            ("Connection: close\r\nA: 1\r\n", "A: 1\r\n"),
            (
                "A: 1\r\nconnection: a , b\r\nConnection: C\r\nB: 2\r\nc: 3\r\nD: 4\r\n",
                "D: 4\r\n",
            ),
            (
                "Connection: content-length, host, transfer-encoding\r\nHost: a\r\nContent-Length: 1\r\n",
                "Host: a\r\nContent-Length: 1\r\n",
            ),
            (
                "Keep-Alive: 5\r\nProxy-Authorization: x\r\nProxy-Connection: y\r\nTE: trailers\r\nUpgrade: h2c\r\nHTTP2-Settings: z\r\nTrailer: t\r\n",
                "Trailer: t\r\n",
            ),
            (
                "Connection: authorization\r\nAuthorization: Basic eA==\r\n",
                "",
            ),
        ];
        for (section, left) in table {
            assert_eq!(strip(section), left, "{section:?}");
        }
    }
    #[test]
    fn no_trailer_frames_routes_authorises_or_concerns_one_connection() {
        let table = [
            (
                "",
                "X-Sum: 1\r\nHost: a\r\nX-Sum: 2\r\n",
                "X-Sum: 1\r\nX-Sum: 2\r\n",
            ),
            ("", "HTTP2-Settings: AA\r\ntE: trailers\r\n", ""),
            (
                "Connection: close, X-Hop\r\n",
                "x-hop: 1\r\nX: 2\r\n",
                "X: 2\r\n",
            ),
        ];
        for (section, trailers, left) in table {
            let parse = |text: &'static str| Fields::parse(Bytes::from_static(text.as_bytes()));
            let options = ConnectionOptions::of(&parse(section).unwrap());
            let mut trailers = parse(trailers).unwrap();
            options.strip_trailers(&mut trailers);
            let mut out = BytesMut::new();
            trailers.write_to(&mut out);
            assert_eq!(out, left.as_bytes(), "{section:?}");
        }
    }
}

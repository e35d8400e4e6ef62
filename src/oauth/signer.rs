//! The client's side: requests go in, `Authorization` headers come out.

use super::base::{self, BaseUri, RequestToSign};
use super::codes::{ONCE, TWICE};
use super::key::Key;
use super::parameters::Parameters;
use super::percent;
use super::sink::{Gather, Sink};
use super::{Credentials, Nonce, QueryPlus, Realm, SigningOptions, header};

/// The protocol parameters of one attempt (RFC 5849 §3.3). No two attempts may share timestamp and nonce.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// `oauth_timestamp`, in seconds since 1970-01-01T00:00:00Z.
    pub timestamp: u64,
    /// `oauth_nonce`, not encoded.
    pub nonce: Nonce<'a>,
    /// Names and values, not encoded, of protocol parameters beside the signer's own: `oauth_body_hash`,
    /// `oauth_callback`, `oauth_verifier`.
    pub extra: &'a [(&'a str, &'a str)],
}

/// Signs requests to one upstream with one set of credentials.
///
/// What does not depend on the request is made in advance: the keyed state of the signature method, and the
/// constant parts of base string and header.
#[derive(Clone, Debug)]
pub struct Signer {
    key: Key,
    origin: BaseUri,
    query_plus: QueryPlus,
    realm_is_uri: bool,
    sends_version: bool,
    /// The constant parameters' names and values, not encoded.
    constants: Vec<(&'static str, String)>,
    /// How each header starts: the scheme, and the realm if it is the same for each.
    scheme: Vec<u8>,
    /// The constant parameters as they stand in a header, up to the timestamp's value.
    header: Vec<u8>,
    row: Row,
}

impl Signer {
    /// A signer for requests to `origin`.
    pub fn new(credentials: &Credentials, options: &SigningOptions, origin: BaseUri) -> Self {
        let mut scheme = b"OAuth ".to_vec();
        if let Realm::Fixed(realm) = &options.realm {
            header::write_realm(&mut scheme, &[realm.as_bytes()]);
            scheme.write(COMMA);
        }
        let consumer_key = ("oauth_consumer_key", credentials.consumer_key.clone());
        let token = credentials.token.clone();
        let token = token.map(|token| ("oauth_token", token));
        let method = (
            "oauth_signature_method",
            options.method.signature_method().name().to_owned(),
        );
        let constants = [Some(consumer_key), token, Some(method)];
        let constants: Vec<_> = constants.into_iter().flatten().collect();
        let mut header = Vec::new();
        for (name, value) in &constants {
            header::write_parameter(&mut header, name, value.as_bytes());
            header.write(COMMA);
        }
        header.write(b"oauth_timestamp=\"");
        Self {
            key: Key::new(&options.method, credentials),
            origin,
            query_plus: options.query_plus,
            realm_is_uri: options.realm == Realm::Uri,
            sends_version: true,
            constants,
            scheme,
            header,
            row: Row::new(credentials, options),
        }
    }

    /// Leaves out `oauth_version`, which is optional (RFC 5849 §3.1).
    #[must_use]
    pub fn without_version(mut self) -> Self {
        self.sends_version = false;
        self
    }

    /// The value of the request's `Authorization` field: `OAuth oauth_consumer_key="…", …`, in printable ASCII.
    pub fn sign(&self, request: &RequestToSign<'_>, stamp: Stamp<'_>) -> Vec<u8> {
        let mut digits = itoa::Buffer::new();
        let timestamp = digits.format(stamp.timestamp).as_bytes();
        // Allocated once: the base string is gathered in it first.
        let mut value = Vec::with_capacity(base::GATHERED);
        let signature = self.key.sign(|sink| {
            let gather = Gather::new(&mut value, sink);
            self.write_base_string(request, stamp, timestamp, gather);
        });
        value.clear();
        value.write(&self.scheme);
        if self.realm_is_uri {
            let origin = self.origin.as_str().as_bytes();
            header::write_realm(&mut value, &[origin, request.path()]);
            value.write(COMMA);
        }
        value.write(&self.header);
        value.write(timestamp);
        value.write(b"\", oauth_nonce=\"");
        stamp.nonce.write_encoded(&mut value, &ONCE);
        if self.sends_version {
            value.write(b"\", oauth_version=\"1.0");
        }
        value.write(b"\"");
        for (name, extra) in stamp.extra {
            value.write(COMMA);
            header::write_parameter(&mut value, name, extra.as_bytes());
        }
        value.write(b", oauth_signature=\"");
        signature.write_encoded(&mut value);
        value.write(b"\"");
        value
    }

    /// The base string that [`sign`](Self::sign) signs (RFC 5849 §3.4.1), made by the same code.
    pub fn signature_base_string(&self, request: &RequestToSign<'_>, stamp: Stamp<'_>) -> String {
        let mut digits = itoa::Buffer::new();
        let timestamp = digits.format(stamp.timestamp).as_bytes();
        base::to_string(|gather| self.write_base_string(request, stamp, timestamp, gather))
    }

    fn write_base_string(
        &self,
        request: &RequestToSign<'_>,
        stamp: Stamp<'_>,
        timestamp: &[u8],
        mut gather: Gather<'_>,
    ) {
        let mut parameters = Parameters::default();
        request.push_parameters(&mut parameters, self.query_plus);
        base::write_start(&mut gather, request, &self.origin);
        if stamp.extra.is_empty() && !parameters.has_protocol_name() {
            parameters.write_sorted_around(&mut gather, |gather| {
                self.row
                    .write(gather, stamp.nonce, timestamp, self.sends_version);
            });
        } else {
            self.push_each(stamp, timestamp, &mut parameters);
            parameters.write_sorted(&mut gather);
        }
        gather.finish();
    }

    /// Adds the protocol parameters one by one.
    fn push_each(&self, stamp: Stamp<'_>, timestamp: &[u8], parameters: &mut Parameters) {
        for (name, value) in &self.constants {
            parameters.push(name, value.as_bytes());
        }
        parameters.push("oauth_timestamp", timestamp);
        parameters.push("oauth_nonce", stamp.nonce.as_bytes());
        if self.sends_version {
            parameters.push("oauth_version", b"1.0");
        }
        for (name, value) in stamp.extra {
            parameters.push(name, value.as_bytes());
        }
    }
}

/// What separates the parameters of a header.
const COMMA: &[u8] = b", ";

/// The protocol parameters as they stand in a base string if there is no other between them: what is constant of them.
#[derive(Clone, Debug)]
struct Row {
    before_nonce: Vec<u8>,
    before_timestamp: Vec<u8>,
    after_timestamp: Vec<u8>,
}

impl Row {
    fn new(credentials: &Credentials, options: &SigningOptions) -> Self {
        let encoded = |text: &str| {
            let mut out = Vec::new();
            percent::encode(&mut out, text.as_bytes(), &TWICE);
            out
        };
        let key = encoded(&credentials.consumer_key);
        let method = options.method.signature_method().name().as_bytes();
        let token = credentials.token.as_deref();
        let token = token.map(|token| [b"%26oauth_token%3D", encoded(token).as_slice()].concat());
        Self {
            before_nonce: [b"oauth_consumer_key%3D", &*key, b"%26oauth_nonce%3D"].concat(),
            before_timestamp: [
                b"%26oauth_signature_method%3D",
                method,
                b"%26oauth_timestamp%3D",
            ]
            .concat(),
            after_timestamp: token.unwrap_or_default(),
        }
    }

    fn write(&self, sink: &mut impl Sink, nonce: Nonce<'_>, timestamp: &[u8], sends_version: bool) {
        sink.write(&self.before_nonce);
        nonce.write_encoded(sink, &TWICE);
        sink.write(&self.before_timestamp);
        sink.write(timestamp);
        sink.write(&self.after_timestamp);
        if sends_version {
            sink.write(b"%26oauth_version%3D1.0");
        }
    }
}

#[cfg(test)]
mod tests;

//! The client's side: requests go in, `Authorization` headers come out.

use smallvec::SmallVec;

use super::base::{self, BaseUri, RequestToSign};
use super::key::Key;
use super::parameters::Parameters;
use super::percent::Writer;
use super::{Credentials, QueryPlus, Realm, SigningOptions, header};

/// The protocol parameters of one attempt (RFC 5849 §3.3). No two attempts may share timestamp and nonce.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// `oauth_timestamp`, in seconds since 1970-01-01T00:00:00Z.
    pub timestamp: u64,
    /// `oauth_nonce`.
    pub nonce: &'a str,
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
    /// How each header starts: the scheme, and the realm if it is the same for each.
    scheme: Vec<u8>,
    realm_is_uri: bool,
    sends_version: bool,
    /// The constant parameters, as they stand in a header.
    header: Vec<u8>,
    /// The same, as they stand in a base string.
    parameters: Parameters,
}

impl Signer {
    /// A signer for requests to `origin`.
    pub fn new(credentials: &Credentials, options: &SigningOptions, origin: BaseUri) -> Self {
        let mut scheme = b"OAuth ".to_vec();
        if let Realm::Fixed(realm) = &options.realm {
            let sink = |piece: &[u8]| scheme.extend_from_slice(piece);
            Writer::run(sink, |writer| {
                header::write_realm(writer, &[realm.as_bytes()]);
                writer.raw(COMMA);
            });
        }
        let mut header = Vec::new();
        let mut parameters = Parameters::default();
        let consumer_key = Some(("oauth_consumer_key", credentials.consumer_key.as_str()));
        let token = credentials
            .token
            .as_deref()
            .map(|token| ("oauth_token", token));
        let method = Some((
            "oauth_signature_method",
            options.method.signature_method().name(),
        ));
        let sink = |piece: &[u8]| header.extend_from_slice(piece);
        Writer::run(sink, |writer| {
            for (name, value) in [consumer_key, token, method].into_iter().flatten() {
                header::write_parameter(writer, name, value.as_bytes());
                writer.raw(COMMA);
                parameters.push(name, value.as_bytes());
            }
        });
        Self {
            key: Key::new(&options.method, credentials),
            origin,
            query_plus: options.query_plus,
            scheme,
            realm_is_uri: options.realm == Realm::Uri,
            sends_version: true,
            header,
            parameters,
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
        let signature = self
            .key
            .sign(|sink| self.write_base_string(request, stamp, sink));
        // Put together on the stack, so that the value is allocated once and at its exact size.
        let mut value = SmallVec::<[u8; 1024]>::new();
        let sink = |piece: &[u8]| value.extend_from_slice(piece);
        Writer::run(sink, |writer| {
            writer.raw(&self.scheme);
            if self.realm_is_uri {
                header::write_realm(writer, &[self.origin.as_str().as_bytes(), request.path()]);
                writer.raw(COMMA);
            }
            writer.raw(&self.header);
            self.for_each_variable(stamp, |name, value| {
                header::write_parameter(writer, name, value);
                writer.raw(COMMA);
            });
            header::write_parameter(writer, "oauth_signature", &signature);
        });
        value.to_vec()
    }

    /// The base string that [`sign`](Self::sign) signs (RFC 5849 §3.4.1), made by the same code.
    pub fn signature_base_string(&self, request: &RequestToSign<'_>, stamp: Stamp<'_>) -> String {
        base::to_string(|sink| self.write_base_string(request, stamp, sink))
    }

    fn write_base_string(
        &self,
        request: &RequestToSign<'_>,
        stamp: Stamp<'_>,
        sink: &mut dyn FnMut(&[u8]),
    ) {
        let mut parameters = self.parameters.clone();
        self.for_each_variable(stamp, |name, value| parameters.push(name, value));
        base::write_base_string(request, &self.origin, self.query_plus, parameters, sink);
    }

    /// Calls back with the parameters that are not constant, in the header's order.
    fn for_each_variable(&self, stamp: Stamp<'_>, mut each: impl FnMut(&str, &[u8])) {
        each("oauth_timestamp", &decimal(stamp.timestamp));
        each("oauth_nonce", stamp.nonce.as_bytes());
        if self.sends_version {
            each("oauth_version", b"1.0");
        }
        for (name, value) in stamp.extra {
            each(name, value.as_bytes());
        }
    }
}

/// What separates the parameters of a header.
const COMMA: &[u8] = b", ";

fn decimal(mut number: u64) -> SmallVec<[u8; 20]> {
    // `u64::MAX` has twenty digits.
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return SmallVec::from_slice(&digits[start..]);
        }
    }
}

#[cfg(test)]
mod tests;

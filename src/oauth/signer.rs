//! The client's side: requests go in, `Authorization` headers come out.

use std::mem;

use super::base::{self, BaseUri, RequestToSign};
use super::codes::{Encoding, ONCE, TWICE};
use super::key::Key;
use super::parameters::Parameters;
use super::percent::{self, AMPERSAND, EQUALS};
use super::sink::{PassOn, Sink};
use super::stamp::{Stamp, StampTexts};
use super::template::Template;
use super::{Credentials, QueryPlus, Realm, SigningOptions, header};

/// Signs requests to one upstream with one set of credentials.
///
/// What does not depend on the request is made in advance: the keyed state of the signature method, and the
/// constant parts of base string and header.
#[derive(Clone, Debug)]
pub struct Signer {
    key: Key,
    origin: BaseUri,
    query_plus: QueryPlus,
    realm: Realm,
    /// In the order of the header, which what a stamp adds follows.
    parameters: Vec<ProtocolParameter>,
    header: Template,
    row: Template,
}

/// A protocol parameter's name and value (RFC 5849 §3.1).
type ProtocolParameter = (&'static str, Value);

/// The value of a protocol parameter, not encoded.
#[derive(Clone, Debug)]
enum Value {
    Constant(String),
    Timestamp,
    Nonce,
}

impl Signer {
    /// A signer for requests to `origin`.
    pub fn new(credentials: &Credentials, options: &SigningOptions, origin: BaseUri) -> Self {
        Self {
            key: Key::new(&options.method, credentials),
            origin,
            query_plus: options.query_plus,
            realm: options.realm.clone(),
            parameters: Vec::new(),
            header: Template::default(),
            row: Template::default(),
        }
        .sending(protocol_parameters(credentials, options))
    }

    /// Leaves out `oauth_version`, which is optional (RFC 5849 §3.1).
    #[must_use]
    pub fn without_version(mut self) -> Self {
        let mut parameters = mem::take(&mut self.parameters);
        parameters.retain(|(name, _)| *name != VERSION);
        self.sending(parameters)
    }

    /// The same signer with other protocol parameters.
    fn sending(self, parameters: Vec<ProtocolParameter>) -> Self {
        Self {
            header: header_template(&parameters, &self.realm),
            row: row_template(&parameters),
            parameters,
            ..self
        }
    }

    /// The value of the request's `Authorization` field: `OAuth oauth_consumer_key="…", …`, in printable ASCII.
    pub fn sign(&self, request: &RequestToSign<'_>, stamp: Stamp<'_>) -> Vec<u8> {
        let mut digits = itoa::Buffer::new();
        let stamp = stamp.texts(&mut digits);
        // One allocation, unless more comes than fits: the base string is gathered in it first.
        let mut value = base::memory_for(request);
        let signature = self.key.sign(|pass_on| {
            self.write_base_string(request, &stamp, &mut value, pass_on);
        });
        value.clear();
        if self.realm == Realm::Uri {
            value.write(SCHEME);
            let origin = self.origin.as_str().as_bytes();
            header::write_realm(&mut value, &[origin, request.path()]);
            value.write(COMMA);
        }
        self.header.write(&mut value, &stamp, &ONCE);
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
        let stamp = stamp.texts(&mut digits);
        base::to_string(request, |memory, pass_on| {
            self.write_base_string(request, &stamp, memory, pass_on);
        })
    }

    fn write_base_string(
        &self,
        request: &RequestToSign<'_>,
        stamp: &StampTexts<'_>,
        memory: &mut Vec<u8>,
        pass_on: PassOn<'_>,
    ) {
        let mut parameters = Parameters::new(memory);
        request.push_parameters(&mut parameters, self.query_plus);
        // Nothing sorts between them then, so that they are copied ready-made.
        let in_a_row = stamp.extra.is_empty() && !parameters.has_protocol_name();
        if !in_a_row {
            self.push_each(stamp, &mut parameters);
        }
        let mut sorted = parameters.sort(pass_on);
        base::write_start(&mut sorted.base_string, request, &self.origin);
        if in_a_row {
            sorted.write_around(|base_string| self.row.write(base_string, stamp, &TWICE));
        } else {
            sorted.write();
        }
    }

    /// Adds the protocol parameters one by one.
    fn push_each(&self, stamp: &StampTexts<'_>, parameters: &mut Parameters<'_>) {
        for (name, value) in &self.parameters {
            let value = match value {
                Value::Constant(value) => value.as_bytes(),
                Value::Timestamp => stamp.timestamp,
                Value::Nonce => stamp.nonce.as_bytes(),
            };
            parameters.push(name, value);
        }
        for (name, value) in stamp.extra {
            parameters.push(name, value.as_bytes());
        }
    }
}

/// What a header begins with.
const SCHEME: &[u8] = b"OAuth ";

/// What separates the parameters of a header.
const COMMA: &[u8] = b", ";

/// The one parameter that can be left out.
const VERSION: &str = "oauth_version";

/// The parameters that each request has.
fn protocol_parameters(
    credentials: &Credentials,
    options: &SigningOptions,
) -> Vec<ProtocolParameter> {
    let constant = |name, value: &str| (name, Value::Constant(value.to_owned()));
    let method = options.method.signature_method();
    let token = credentials.token.as_deref();
    [
        Some(constant("oauth_consumer_key", &credentials.consumer_key)),
        token.map(|token| constant("oauth_token", token)),
        Some(constant("oauth_signature_method", method.name())),
        Some(("oauth_timestamp", Value::Timestamp)),
        Some(("oauth_nonce", Value::Nonce)),
        Some(constant(VERSION, "1.0")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A header up to what a stamp adds. Where the realm is the request's URI, it starts behind that.
fn header_template(parameters: &[ProtocolParameter], realm: &Realm) -> Template {
    let mut template = Template::default();
    let text = template.text();
    match realm {
        Realm::None => text.write(SCHEME),
        Realm::Fixed(realm) => {
            text.write(SCHEME);
            header::write_realm(text, &[realm.as_bytes()]);
            text.write(COMMA);
        }
        Realm::Uri => {}
    }
    for (index, (name, value)) in parameters.iter().enumerate() {
        if index > 0 {
            template.text().write(COMMA);
        }
        template.text().write(name.as_bytes());
        template.text().write(b"=\"");
        write_value(&mut template, value, &ONCE);
        template.text().write(b"\"");
    }
    template
}

/// The protocol parameters as they stand in a base string if there is no other between them.
fn row_template(parameters: &[ProtocolParameter]) -> Template {
    let mut sorted: Vec<_> = parameters.iter().collect();
    sorted.sort_by_key(|(name, _)| *name);
    let mut template = Template::default();
    for (index, (name, value)) in sorted.into_iter().enumerate() {
        if index > 0 {
            template.text().write(AMPERSAND);
        }
        template.text().write(name.as_bytes());
        template.text().write(EQUALS);
        write_value(&mut template, value, &TWICE);
    }
    template
}

fn write_value(template: &mut Template, value: &Value, encoding: &Encoding) {
    match value {
        Value::Constant(value) => percent::encode(template.text(), value.as_bytes(), encoding),
        Value::Timestamp => template.timestamp_here(),
        Value::Nonce => template.nonce_here(),
    }
}

#[cfg(test)]
mod tests;

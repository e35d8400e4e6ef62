//! The signature base string (RFC 5849 §3.4.1): method, base string URI and parameters.

use memchr::memchr;

use super::QueryPlus;
use super::codes::ONCE;
use super::names;
use super::parameters::Parameters;
use super::percent;
use super::sink::{PassOn, Sink};

/// Scheme and authority of a base string URI (RFC 5849 §3.4.1.2): in lower case, without a default port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUri {
    plain: String,
    /// The same as it stands in a base string, between the ampersand after the method and the path.
    encoded: Vec<u8>,
}

impl BaseUri {
    /// The base URI of an upstream. `host` is a name or an address, an IPv6 address with or without brackets.
    pub fn new(https: bool, host: &str, port: u16) -> Self {
        let scheme = if https { "https" } else { "http" };
        let host = host.to_ascii_lowercase();
        let mut plain = if host.contains(':') && !host.starts_with('[') {
            format!("{scheme}://[{host}]")
        } else {
            format!("{scheme}://{host}")
        };
        if port != default_port(https) {
            plain.push_str(&format!(":{port}"));
        }
        let mut encoded = vec![b'&'];
        percent::encode(&mut encoded, plain.as_bytes(), &ONCE);
        Self { plain, encoded }
    }

    /// As in `https://example.com`.
    pub fn as_str(&self) -> &str {
        &self.plain
    }
}

/// The port that a scheme has by default (RFC 5849 §3.4.1.2).
pub(crate) fn default_port(https: bool) -> u16 {
    if https { 443 } else { 80 }
}

/// What of a request is signed.
#[derive(Clone, Copy, Debug)]
pub struct RequestToSign<'a> {
    /// The method; signed in upper case, whatever it is on the wire.
    pub method: &'a str,
    /// The request target in origin form (RFC 9112 §3.2.1), exactly as on the wire; it may hold any byte.
    pub target: &'a [u8],
    /// The body, if it is a single-part form (RFC 5849 §3.4.1.3.1), and `None` otherwise.
    pub form: Option<&'a [u8]>,
}

impl<'a> RequestToSign<'a> {
    /// Path and query as they stand in the target, without the `?` between them; only the first `?` separates the two.
    pub fn path_and_query(&self) -> (&'a [u8], &'a [u8]) {
        match memchr(b'?', self.target) {
            Some(at) => (&self.target[..at], &self.target[at + 1..]),
            None => (self.target, b""),
        }
    }

    /// The first parameter of query and form whose decoded name starts with `oauth_`.
    ///
    /// In a request that is to be signed it would be a duplicate of the header's own (RFC 5849 §3.1), or be taken
    /// for one.
    pub fn protocol_parameter(&self) -> Option<String> {
        names::protocol_parameter_in(self.query())
            .or_else(|| names::protocol_parameter_in(self.form.unwrap_or_default()))
    }

    /// The path of the base string URI: exactly as sent, and `/` where there is none.
    pub(super) fn path(&self) -> &'a [u8] {
        match self.path_and_query().0 {
            // `OPTIONS *` is about the server as a whole, and its URI has no path either (RFC 9110 §7.1).
            b"" | b"*" => b"/",
            path => path,
        }
    }

    /// Adds the parameters of query and form.
    pub(super) fn push_parameters(&self, parameters: &mut Parameters<'_>, query_plus: QueryPlus) {
        parameters.push_form_encoded(self.query(), query_plus);
        // In a form a `+` has never meant anything but a space.
        parameters.push_form_encoded(self.form.unwrap_or_default(), QueryPlus::Space);
    }

    /// The query, without its `?`; empty where there is none.
    pub(super) fn query(&self) -> &'a [u8] {
        self.path_and_query().1
    }
}

/// Writes a request's base string up to its parameters.
pub(super) fn write_start(sink: &mut impl Sink, request: &RequestToSign<'_>, origin: &BaseUri) {
    if request.method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        sink.write(request.method.as_bytes());
    } else {
        let method = request.method.to_ascii_uppercase();
        percent::encode(sink, method.as_bytes(), &ONCE);
    }
    sink.write(&origin.encoded);
    percent::encode(sink, request.path(), &ONCE);
    sink.write(b"&");
}

/// Memory in which most base strings can be gathered as a whole before a MAC or a digest gets them, behind the text of
/// their parameters.
pub(super) fn memory_for(request: &RequestToSign<'_>) -> Vec<u8> {
    let length = request.target.len() + request.form.map_or(0, <[u8]>::len);
    // Most text grows by a third or a half when it is encoded, and is there twice: as it came, and in order. The rest takes
    // about 400 bytes. What is longer grows as it comes, and a MAC gets it in pieces.
    Vec::with_capacity((3 * length + 512).clamp(1024, 16 * 1024))
}

/// The base string that the closure writes, as text.
pub(super) fn to_string(
    request: &RequestToSign<'_>,
    write_base_string: impl FnOnce(&mut Vec<u8>, PassOn<'_>),
) -> String {
    let mut text = String::new();
    // All of it is ASCII: whatever else there was has been encoded.
    let mut pass_on = |piece: &[u8]| text.extend(piece.iter().map(|&byte| char::from(byte)));
    write_base_string(&mut memory_for(request), &mut pass_on);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base_string(method: &str, origin: &BaseUri, target: &[u8], form: Option<&[u8]>) -> String {
        let request = RequestToSign {
            method,
            target,
            form,
        };
        to_string(&request, |memory, pass_on| {
            let mut parameters = Parameters::new(memory);
            request.push_parameters(&mut parameters, QueryPlus::Space);
            let mut sorted = parameters.sort(pass_on);
            write_start(&mut sorted.base_string, &request, origin);
            sorted.write();
        })
    }

    #[test]
    fn the_authority_is_in_lower_case_and_without_a_default_port() {
        let check = |https, host, port, expected| {
            assert_eq!(BaseUri::new(https, host, port).as_str(), expected);
        };
        check(true, "Example.COM", 443, "https://example.com");
        check(true, "example.com", 80, "https://example.com:80");
        check(true, "example.com", 8443, "https://example.com:8443");
        check(false, "example.com", 80, "http://example.com");
        check(false, "example.com", 443, "http://example.com:443");
        check(true, "2001:DB8::1", 443, "https://[2001:db8::1]");
        check(true, "[2001:db8::1]", 8443, "https://[2001:db8::1]:8443");
    }

    #[test]
    fn the_path_is_signed_exactly_as_sent() {
        let origin = BaseUri::new(true, "h", 443);
        let check = |target: &[u8], expected: &str| {
            let expected = format!("GET&https%3A%2F%2Fh{expected}");
            assert_eq!(base_string("GET", &origin, target, None), expected);
        };
        check(b"", "%2F&");
        check(b"/", "%2F&");
        check(b"*", "%2F&");
        check(b"/?", "%2F&");
        check(b"?a=1", "%2F&a%3D1");
        check(b"/aps/2/resources/?", "%2Faps%2F2%2Fresources%2F&");
        check(b"//a/../b", "%2F%2Fa%2F..%2Fb&");
        check(b"/%2F%c3%7E", "%2F%252F%25c3%257E&");
        check(b"/a(b)+!*'", "%2Fa%28b%29%2B%21%2A%27&");
        check(b"/\xc3\xa9\xff", "%2F%C3%A9%FF&");
        check(b"/p?a=1?b", "%2Fp&a%3D1%253Fb");
        check(b"/p?\x80=\xff", "%2Fp&%2580%3D%25FF");
    }

    #[test]
    fn the_method_is_in_upper_case_and_encoded() {
        let origin = BaseUri::new(true, "h", 443);
        let check = |method: &str, expected: &str| {
            let expected = format!("{expected}&https%3A%2F%2Fh%2F&");
            assert_eq!(base_string(method, &origin, b"/", None), expected);
        };
        check("GET", "GET");
        check("patch", "PATCH");
        check("M-SEARCH", "M-SEARCH");
        check("x!y", "X%21Y");
    }

    #[test]
    fn form_and_query_are_one_list_of_parameters() {
        let origin = BaseUri::new(true, "h", 443);
        assert_eq!(
            base_string("POST", &origin, b"/p?b=2&a=2", Some(b"a=1+&c=&b=%2B")),
            "POST&https%3A%2F%2Fh%2Fp&a%3D1%2520%26a%3D2%26b%3D%252B%26b%3D2%26c%3D"
        );
    }

    #[test]
    fn protocol_parameters_are_found_in_query_and_form_but_not_in_a_path() {
        let check = |target: &[u8], form: Option<&[u8]>, expected: Option<&str>| {
            let request = RequestToSign {
                method: "POST",
                target,
                form,
            };
            assert_eq!(request.protocol_parameter().as_deref(), expected);
        };
        check(b"/?a&oauth%5Fnonce=1", None, Some("oauth_nonce"));
        check(b"/", Some(b"a=b&oauth_token=x"), Some("oauth_token"));
        check(b"/oauth_nonce&oauth_token?a=b", Some(b"c"), None);
        check(b"/??oauth_nonce", None, None);
    }
}

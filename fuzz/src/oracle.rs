//! RFC 5849 §3.4 and §3.6, word by word: slow, and obviously right. Nothing here is shared with `undersign`.

use crate::digest::{self, Hash, base64, hmac};

/// The name and the value of a parameter, decoded.
pub type Pair = (Vec<u8>, Vec<u8>);

/// What a signature is made of, but for the secrets.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The request method.
    pub method: &'a str,
    /// Whether the scheme is `https`, not `http`.
    pub https: bool,
    /// The host, an IPv6 address with or without brackets.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// Path and query, as sent.
    pub target: &'a [u8],
    /// The body, if it is a form.
    pub form: Option<&'a [u8]>,
    /// Whether `+` in a query means a space.
    pub plus_is_space: bool,
    /// The parameters of the `Authorization` header, without `realm` and `oauth_signature`.
    pub protocol: Vec<Pair>,
}

impl Request<'_> {
    /// The signature base string (§3.4.1.1).
    pub fn base_string(&self) -> String {
        let method = self.method.to_ascii_uppercase();
        [
            encode(method.as_bytes()),
            encode(&self.base_string_uri()),
            encode(normalized(&self.parameters()).as_bytes()),
        ]
        .join("&")
    }

    /// The base string URI (§3.4.1.2), with the path as sent.
    pub fn base_string_uri(&self) -> Vec<u8> {
        let (scheme, default_port) = if self.https {
            ("https", 443)
        } else {
            ("http", 80)
        };
        let mut host = self.host.to_ascii_lowercase();
        // RFC 3986 §3.2.2: a colon in a host is that of an IPv6 address, which stands in brackets.
        if host.contains(':') && !host.starts_with('[') {
            host = format!("[{host}]");
        }
        let port = if self.port == default_port {
            String::new()
        } else {
            format!(":{}", self.port)
        };
        let (path, _) = self.path_and_query();
        // An empty path is sent as `/`; the asterisk form has no path either.
        let path = if path.is_empty() || path == b"*" {
            b"/"
        } else {
            path
        };
        [format!("{scheme}://{host}{port}").as_bytes(), path].concat()
    }

    /// All parameters (§3.4.1.3.1): those of the query, of the header and of the form.
    pub fn parameters(&self) -> Vec<Pair> {
        let (_, query) = self.path_and_query();
        [
            form_pairs(query, self.plus_is_space),
            self.protocol.clone(),
            form_pairs(self.form.unwrap_or_default(), true),
        ]
        .concat()
    }

    /// The first parameter of query and form whose name starts with `oauth_`.
    pub fn protocol_parameter(&self) -> Option<String> {
        let (_, query) = self.path_and_query();
        let pairs = [
            form_pairs(query, true),
            form_pairs(self.form.unwrap_or_default(), true),
        ]
        .concat();
        pairs
            .into_iter()
            .find(|(name, _)| name.starts_with(b"oauth_"))
            .map(|(name, _)| String::from_utf8_lossy(&name).into_owned())
    }

    fn path_and_query(&self) -> (&[u8], &[u8]) {
        split_at_first(self.target, b'?')
    }
}

/// `oauth_signature_method` (§3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `HMAC-SHA1` (§3.4.2).
    HmacSha1,
    /// The same with SHA-256.
    HmacSha256,
    /// The same with SHA-512.
    HmacSha512,
    /// `PLAINTEXT` (§3.4.4).
    Plaintext,
}

impl Method {
    /// The name, as it stands in a header.
    pub fn name(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha256 => "HMAC-SHA256",
            Self::HmacSha512 => "HMAC-SHA512",
            Self::Plaintext => "PLAINTEXT",
        }
    }

    /// The value of `oauth_signature`, decoded, of a base string.
    pub fn sign(self, consumer_secret: &str, token_secret: &str, base_string: &str) -> String {
        let secrets = [consumer_secret, token_secret];
        let key = secrets.map(|secret| encode(secret.as_bytes())).join("&");
        let with = |hash: Hash| base64(&hmac(hash, key.as_bytes(), base_string.as_bytes()));
        match self {
            Self::HmacSha1 => with(digest::SHA1),
            Self::HmacSha256 => with(digest::SHA256),
            Self::HmacSha512 => with(digest::SHA512),
            Self::Plaintext => key,
        }
    }
}

/// Percent-encodes (§3.6).
pub fn encode(bytes: &[u8]) -> String {
    let mut encoded = String::new();
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Undoes [`encode`], with digits of either case; `None` if there is a byte that had to be encoded.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if let Some(byte) = escape_at(text, at) {
            decoded.push(byte);
            at += 3;
        } else if encode(&[text[at]]).len() == 1 {
            decoded.push(text[at]);
            at += 1;
        } else {
            return None;
        }
    }
    Some(decoded)
}

/// The parameters of `application/x-www-form-urlencoded` text (§3.4.1.3.1). The RFC is silent about text that is not
/// well-formed: nothing between two `&` is no parameter, and a `%` that starts no escape stands for itself.
pub fn form_pairs(text: &[u8], plus_is_space: bool) -> Vec<Pair> {
    text.split(|&byte| byte == b'&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = split_at_first(part, b'=');
            (
                decode_form(name, plus_is_space),
                decode_form(value, plus_is_space),
            )
        })
        .collect()
}

/// Encodes, sorts and joins (§3.4.1.3.2).
pub fn normalized(parameters: &[Pair]) -> String {
    let mut encoded: Vec<(String, String)> = parameters
        .iter()
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    encoded.sort();
    let joined: Vec<String> = encoded
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    joined.join("&")
}

/// Undoes [`Request::base_string`]: the method, the base string URI and the parameters; `None` for another text.
pub fn decode_base_string(text: &str) -> Option<(Vec<u8>, Vec<u8>, Vec<Pair>)> {
    let [method, uri, parameters] = text.split('&').collect::<Vec<_>>().try_into().ok()?;
    let parameters = decode(parameters.as_bytes())?;
    let mut pairs = Vec::new();
    for pair in parameters.split(|&byte| byte == b'&') {
        let (name, value) = split_at_first(pair, b'=');
        pairs.push((decode(name)?, decode(value)?));
    }
    Some((decode(method.as_bytes())?, decode(uri.as_bytes())?, pairs))
}

/// What stands before the first such byte, and what after it; the latter is empty without one.
pub fn split_at_first(text: &[u8], byte: u8) -> (&[u8], &[u8]) {
    let mut parts = text.splitn(2, |&other| other == byte);
    (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    )
}

fn decode_form(text: &[u8], plus_is_space: bool) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if let Some(byte) = escape_at(text, at) {
            decoded.push(byte);
            at += 3;
        } else {
            let is_space = text[at] == b'+' && plus_is_space;
            decoded.push(if is_space { b' ' } else { text[at] });
            at += 1;
        }
    }
    decoded
}

/// The byte that the three bytes at this place stand for, if they are an escape (RFC 3986 §2.1).
fn escape_at(text: &[u8], at: usize) -> Option<u8> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    match text.get(at..at + 3)? {
        [b'%', high, low] => Some(digit(*high)? * 16 + digit(*low)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

//! `Authorization` headers (RFC 5849 §3.5.1), read and written anew.

use crate::oracle::{Pair, decode, encode, split_at_first};

/// The parameters of a header, decoded and in its order. The realm is not among the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The value of `realm`, whatever the case of its name.
    pub realm: Option<String>,
    /// All others; names and values are UTF-8.
    pub parameters: Vec<(String, String)>,
}

impl Header {
    /// Reads a header; `None` if it is not written as the RFC says, or has a parameter twice.
    pub fn read(value: &[u8]) -> Option<Self> {
        let (scheme, list) = value.split_at_checked(b"OAuth ".len())?;
        if !scheme.eq_ignore_ascii_case(b"OAuth ") {
            return None;
        }
        let mut header = Self {
            realm: None,
            parameters: Vec::new(),
        };
        for item in split_outside_quotes(list) {
            let (name, quoted) = split_at_first(trim(item), b'=');
            let name = String::from_utf8(decode(name)?).ok()?;
            let text = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
            if name.is_empty() || header.get(&name).is_some() {
                return None;
            }
            if name.eq_ignore_ascii_case("realm") {
                if header.realm.is_some() {
                    return None;
                }
                header.realm = Some(String::from_utf8(unquote(text)?).ok()?);
            } else {
                let value = String::from_utf8(decode(text)?).ok()?;
                header.parameters.push((name, value));
            }
        }
        Some(header)
    }

    /// Writes a header that is read as this one.
    pub fn write(&self) -> Vec<u8> {
        let realm = self.realm.iter().map(|realm| {
            let escaped = realm.replace('\\', "\\\\").replace('"', "\\\"");
            format!("realm=\"{escaped}\"")
        });
        let parameters = self.parameters.iter().map(|(name, value)| {
            format!(
                "{}=\"{}\"",
                encode(name.as_bytes()),
                encode(value.as_bytes())
            )
        });
        let items: Vec<String> = realm.chain(parameters).collect();
        format!("OAuth {}", items.join(", ")).into_bytes()
    }

    /// The value of the parameter of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The parameters that are signed, which are all but the signature.
    pub fn signed(&self) -> Vec<Pair> {
        self.parameters
            .iter()
            .filter(|(name, _)| name != "oauth_signature")
            .map(|(name, value)| (name.clone().into_bytes(), value.clone().into_bytes()))
            .collect()
    }
}

/// Splits at commas that are in no quoted string (RFC 9110 §5.6.4).
fn split_outside_quotes(list: &[u8]) -> Vec<&[u8]> {
    let (mut items, mut start, mut at) = (Vec::new(), 0, 0);
    let mut is_quoted = false;
    while at < list.len() {
        match list[at] {
            // In quotes, the byte behind a backslash ends nothing.
            b'\\' if is_quoted => at += 1,
            b'"' => is_quoted = !is_quoted,
            b',' if !is_quoted => {
                items.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    items.push(&list[start..]);
    items
}

/// Optional whitespace (RFC 9110 §5.6.3) taken off at both ends.
fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// The text of a quoted string; `None` if it ends early or not at all.
fn unquote(text: &[u8]) -> Option<Vec<u8>> {
    let mut unquoted = Vec::new();
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        (rest, unquoted) = match (byte, tail) {
            (b'"', _) | (b'\\', []) => return None,
            (b'\\', [escaped, tail @ ..]) => (tail, [unquoted, vec![*escaped]].concat()),
            _ => (tail, [unquoted, vec![*byte]].concat()),
        };
    }
    Some(unquoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headers_of_the_rfc_are_read() {
        // RFC 5849 §3.5.1.
        let value = b"OAuth realm=\"Example\",\
            oauth_consumer_key=\"0685bd9184jfhq22\", oauth_token=\"ad180jjd733klru7\",\
            oauth_signature_method=\"HMAC-SHA1\",  oauth_signature=\"wOJIO9A2W5mFwDgiDvZbTSMK%2FPY%3D\"";
        let header = Header::read(value).unwrap();
        assert_eq!(header.realm.as_deref(), Some("Example"));
        assert_eq!(header.parameters.len(), 4);
        assert_eq!(header.get("oauth_token"), Some("ad180jjd733klru7"));
        assert_eq!(
            header.get("oauth_signature"),
            Some("wOJIO9A2W5mFwDgiDvZbTSMK/PY=")
        );
        assert_eq!(header.signed().len(), 3);
        assert_eq!(Header::read(&header.write()), Some(header));
    }

    #[test]
    fn a_realm_may_hold_anything_and_is_written_back() {
        let header = Header::read(b"oauth ReAlM=\"a, \\\"b\\\\=\\c\" , a=\"%2C\"\t").unwrap();
        assert_eq!(header.realm.as_deref(), Some("a, \"b\\=c"));
        assert_eq!(header.parameters, [("a".to_owned(), ",".to_owned())]);
        assert_eq!(Header::read(&header.write()), Some(header));
    }

    #[test]
    fn what_the_rfc_does_not_allow_is_not_read() {
        for value in [
            "",
            "OAuth",
            "OAuth ",
            "Bearer a=\"b\"",
            "OAuth a=b",
            "OAuth a=\"b",
            "OAuth a=\"b\",",
            "OAuth a=\"b\" c=\"d\"",
            "OAuth a =\"b\"",
            "OAuth =\"b\"",
            "OAuth a=\"b+c\"",
            "OAuth a=\"%FF\"",
            "OAuth a=\"b\\\"\"",
            "OAuth realm=\"b\\\"",
            "OAuth a=\"\", %61=\"\"",
            "OAuth realm=\"\", REALM=\"\"",
        ] {
            assert_eq!(Header::read(value.as_bytes()), None, "{value}");
        }
    }
}

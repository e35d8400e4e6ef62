//! Protocol parameters that are transmitted outside of a header (RFC 5849 §3.5.2, §3.5.3).

use std::collections::HashSet;

use super::form::FormBytes;
use super::{Authorization, QueryPlus, RequestToSign, names};

impl Authorization {
    /// Takes the protocol parameters out of a query or a form (RFC 5849 §3.5.2, §3.5.3), and returns what is left of it
    /// beside them. `None` if there is no `oauth_signature`, if what there is makes no whole set, or if one is there twice.
    pub fn take_from(encoded: &[u8]) -> Option<(Self, Vec<u8>)> {
        let is_protocol = |pair: &&[u8]| names::protocol_parameter_in(pair).is_some();
        let (protocol, rest): (Vec<&[u8]>, Vec<&[u8]>) =
            encoded.split(|byte| *byte == b'&').partition(is_protocol);
        let decode = |text: &[u8]| {
            let bytes: Vec<u8> = FormBytes::new(text, QueryPlus::Space).collect();
            String::from_utf8(bytes).ok()
        };
        let parameters: Option<Vec<_>> = protocol
            .into_iter()
            .map(|pair| {
                let mut parts = pair.splitn(2, |byte| *byte == b'=');
                let [name, value] = [parts.next(), parts.next()].map(Option::unwrap_or_default);
                Some((decode(name)?, decode(value)?))
            })
            .collect();
        let parameters = parameters?;
        let mut names = HashSet::new();
        if !parameters.iter().all(|(name, _)| names.insert(name)) {
            return None;
        }
        let authorization = Self::from_parameters(None, parameters).ok()?;
        Some((authorization, rest.join(&b'&')))
    }
}

impl RequestToSign<'_> {
    /// Whether query or form have an `oauth_signature` of their own.
    pub fn is_signed_without_header(&self) -> bool {
        [self.query(), self.form.unwrap_or_default()]
            .into_iter()
            .flat_map(names::parameter_names)
            .any(|name| name == "oauth_signature")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocol_parameters_are_taken_out_of_a_query() {
        let query = b"a=1&oauth_consumer_key=k&oauth_signature_method=HMAC-SHA1&oauth_timestamp=1\
            &oauth_nonce=n&oauth_signature=a%2Fb%2B%3D&b";
        let (authorization, rest) = Authorization::take_from(query).unwrap();
        assert_eq!(authorization.signature, "a/b+=");
        assert_eq!(rest, b"a=1&b");
        assert!(Authorization::take_from(b"a=1&oauth_signature=x").is_none());
        let twice = [&query[..], b"&%6fauth_nonce=m"].concat();
        assert!(Authorization::take_from(&twice).is_none());
    }
}

//! `oauth_body_hash`, which signs a body that is not a form (the OAuth Request Body Hash extension).

use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha512};

use super::SignatureMethod;

/// The parameter's name.
pub const BODY_HASH: &str = "oauth_body_hash";

/// The value of `oauth_body_hash` for a body: its digest by the hash of the signature method, in base64.
///
/// `PLAINTEXT` names no hash; the extension has it use SHA-1.
pub fn body_hash(method: SignatureMethod, body: &[u8]) -> String {
    match method {
        SignatureMethod::HmacSha1 | SignatureMethod::RsaSha1 | SignatureMethod::Plaintext => {
            BASE64_STANDARD.encode(Sha1::digest(body))
        }
        SignatureMethod::HmacSha256 | SignatureMethod::RsaSha256 => {
            BASE64_STANDARD.encode(Sha256::digest(body))
        }
        SignatureMethod::HmacSha512 | SignatureMethod::RsaSha512 => {
            BASE64_STANDARD.encode(Sha512::digest(body))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_hashes_come_out() {
        let check = |method, body: &str, expected: &str| {
            assert_eq!(body_hash(method, body.as_bytes()), expected);
        };
        let sha1 = SignatureMethod::HmacSha1;
        check(sha1, "Hello World!", "Lve95gjOVATpfV8EL5X4nxwjKHE=");
        check(sha1, "", "2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
        let sha256 = SignatureMethod::HmacSha256;
        check(sha256, "", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }
}

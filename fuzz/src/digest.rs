//! HMAC (RFC 2104) and base64 (RFC 4648), by the textbook.

use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha512};

/// A hash function, with what HMAC has to know of it.
#[derive(Clone, Copy, Debug)]
pub struct Hash {
    digest: fn(&[u8]) -> Vec<u8>,
    /// The size of the blocks that it works on, in bytes.
    block: usize,
}

impl Hash {
    /// The digest of a text.
    pub fn of(self, text: &[u8]) -> Vec<u8> {
        (self.digest)(text)
    }
}

/// SHA-1 (RFC 3174).
pub const SHA1: Hash = Hash {
    digest: |text| Sha1::digest(text).to_vec(),
    block: 64,
};

/// SHA-256 (RFC 6234).
pub const SHA256: Hash = Hash {
    digest: |text| Sha256::digest(text).to_vec(),
    block: 64,
};

/// SHA-512 (RFC 6234).
pub const SHA512: Hash = Hash {
    digest: |text| Sha512::digest(text).to_vec(),
    block: 128,
};

/// `H(K XOR opad, H(K XOR ipad, text))` (RFC 2104 §2).
pub fn hmac(hash: Hash, key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = if key.len() > hash.block {
        (hash.digest)(key)
    } else {
        key.to_vec()
    };
    block.resize(hash.block, 0);
    let padded = |pad: u8| block.iter().map(|byte| byte ^ pad).collect::<Vec<u8>>();
    let inner = (hash.digest)(&[padded(0x36), text.to_vec()].concat());
    (hash.digest)(&[padded(0x5c), inner].concat())
}

/// Six bits a character, most significant first, filled up with `=` to a multiple of four (RFC 4648 §4).
pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<bool> = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1))
        .collect();
    let mut text: String = bits
        .chunks(6)
        .map(|six| {
            let number = (0..6).fold(0, |number, at| {
                number * 2 + usize::from(six.get(at).copied().unwrap_or(false))
            });
            char::from(ALPHABET[number])
        })
        .collect();
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_macs_of_the_rfcs_come_out() {
        let check = |hash, key: &[u8], text: &[u8], expected: &str| {
            assert_eq!(hex(&hmac(hash, key, text)), expected);
        };
        // RFC 2202 §3, cases 1, 2 and 6; the last one's key is longer than a block.
        check(
            SHA1,
            &[0x0b; 20],
            b"Hi There",
            "b617318655057264e28bc0b6fb378c8ef146be00",
        );
        check(
            SHA1,
            b"Jefe",
            b"what do ya want for nothing?",
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
        );
        check(
            SHA1,
            &[0xaa; 80],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "aa4ae5e15272d00e95705637ce8a3b55ed402112",
        );
        // RFC 4231 §4.3.
        check(
            SHA256,
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        );
        check(
            SHA512,
            b"Jefe",
            b"what do ya want for nothing?",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
             9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        );
    }

    #[test]
    fn the_base64_of_the_rfc_comes_out() {
        let check = |bytes: &str, expected: &str| assert_eq!(base64(bytes.as_bytes()), expected);
        // RFC 4648 §10.
        check("", "");
        check("f", "Zg==");
        check("fo", "Zm8=");
        check("foo", "Zm9v");
        check("foob", "Zm9vYg==");
        check("fooba", "Zm9vYmE=");
        check("foobar", "Zm9vYmFy");
    }
}

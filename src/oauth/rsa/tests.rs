//! Signatures are compared with what the other library verifies, and with OpenSSL's in the interoperability tests.

use aws_lc_rs::signature::{
    RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA512, RsaParameters, UnparsedPublicKey,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use rsa::pkcs1::EncodeRsaPrivateKey as _;

use super::*;

const METHODS: [(RsaHash, SignatureMethod, &RsaParameters); 3] = [
    (
        RsaHash::Sha1,
        SignatureMethod::RsaSha1,
        &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
    ),
    (
        RsaHash::Sha256,
        SignatureMethod::RsaSha256,
        &RSA_PKCS1_2048_8192_SHA256,
    ),
    (
        RsaHash::Sha512,
        SignatureMethod::RsaSha512,
        &RSA_PKCS1_2048_8192_SHA512,
    ),
];

/// A new key.
struct Generated {
    /// As `RSAPublicKey`.
    public: Vec<u8>,
    pkcs1: Vec<u8>,
    pkcs8: Vec<u8>,
}

fn generate() -> Generated {
    let size = rcgen::RsaKeySize::_2048;
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size).unwrap();
    let pkcs8 = key.serialize_der();
    let info = PrivateKeyInfoRef::try_from(&pkcs8[..]).unwrap();
    Generated {
        public: key.public_key_raw().to_vec(),
        pkcs1: info.private_key.as_bytes().to_vec(),
        pkcs8,
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    let lines = lines.join("\n");
    format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n")
}

#[test]
fn each_method_signs_with_a_key_in_either_format() {
    let Generated {
        public,
        pkcs1,
        pkcs8,
    } = generate();
    for (hash, method, parameters) in METHODS {
        let files = [
            pem("RSA PRIVATE KEY", &pkcs1),
            pem("PRIVATE KEY", &pkcs8),
            // With what OpenSSL may write before it, and other line ends.
            format!(
                "Bag Attributes\n    friendlyName: a\n{}",
                pem("PRIVATE KEY", &pkcs8)
            ),
            pem("RSA PRIVATE KEY", &pkcs1).replace('\n', "\r\n"),
            format!("\u{feff}{}", pem("PRIVATE KEY", &pkcs8)),
            format!(
                "{}{}",
                pem("CERTIFICATE", b"any"),
                pem("PRIVATE KEY", &pkcs8)
            ),
        ];
        for file in files {
            let key = RsaKey::from_pem(hash, file.as_bytes()).unwrap();
            assert_eq!(key.signature_method(), method);
            let signature = key.sign(|sink| {
                sink(b"GET&");
                sink(b"text");
            });
            UnparsedPublicKey::new(parameters, &public)
                .verify(b"GET&text", &signature)
                .unwrap();
            assert_eq!(signature, key.sign(|sink| sink(b"GET&text")));
            assert_eq!(signature.len(), key.signature_length());
            assert_eq!(key.open(&signature), Some(hash.digest_info(b"GET&text")));
        }
    }
}

#[test]
fn what_another_key_has_signed_is_not_opened() {
    let [key, other] = [(); 2].map(|()| {
        let file = pem("RSA PRIVATE KEY", &generate().pkcs1);
        RsaKey::from_pem(RsaHash::Sha256, file.as_bytes()).unwrap()
    });
    let signature = key.sign(|sink| sink(b"text"));
    assert_eq!(other.open(&signature), None);
    for text in [
        &signature[1..],
        &[&signature[..], b"\0"].concat(),
        b"",
        &[0xff; 256],
        &[0; 256],
    ] {
        assert_eq!(key.open(text), None, "{text:?}");
    }
}

#[test]
fn what_is_no_key_to_sign_with_is_told_apart() {
    let check = |file: &str, expected: RsaKeyError| {
        for hash in [RsaHash::Sha1, RsaHash::Sha256, RsaHash::Sha512] {
            let error = RsaKey::from_pem(hash, file.as_bytes()).unwrap_err();
            assert_eq!(error, expected, "{hash:?}");
        }
    };
    let Generated { pkcs1, pkcs8, .. } = generate();
    check("", RsaKeyError::NotPem);
    check("S3NTINEL", RsaKeyError::NotPem);
    check(&BASE64_STANDARD.encode(&pkcs8), RsaKeyError::NotPem);
    check(
        &pem("ENCRYPTED PRIVATE KEY", &pkcs8),
        RsaKeyError::Encrypted,
    );
    let legacy = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    check(legacy, RsaKeyError::Encrypted);
    check(
        &pem("EC PRIVATE KEY", &pkcs1),
        RsaKeyError::OtherKind("an elliptic curve key"),
    );
    check(&pem("OPENSSH PRIVATE KEY", &pkcs1), RsaKeyError::OpenSsh);
    check(
        &pem("PUBLIC KEY", &pkcs1),
        RsaKeyError::Public("a public key"),
    );
    check(
        &pem("CERTIFICATE", &pkcs1),
        RsaKeyError::Public("a certificate"),
    );
    let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
    check(&other, RsaKeyError::OtherKind("a key of another kind"));

    // The right label over the wrong content, a key cut short, a key with a wrong number in it.
    check(&pem("PRIVATE KEY", &pkcs1), RsaKeyError::Malformed);
    check(&pem("RSA PRIVATE KEY", &pkcs8), RsaKeyError::Malformed);
    check(
        &pem("RSA PRIVATE KEY", &pkcs1[..pkcs1.len() - 9]),
        RsaKeyError::Malformed,
    );
    let mut changed = pkcs1.clone();
    changed[20] ^= 1;
    check(&pem("RSA PRIVATE KEY", &changed), RsaKeyError::Malformed);
    let cut = pem("RSA PRIVATE KEY", &pkcs1);
    check(&cut[..cut.len() / 2], RsaKeyError::Malformed);
}

#[test]
fn a_short_key_is_taken_for_sha1_only() {
    let key = PrivateKey::new(&mut rand::rng(), 1024).unwrap();
    let file = pem("RSA PRIVATE KEY", key.to_pkcs1_der().unwrap().as_bytes());
    assert!(RsaKey::from_pem(RsaHash::Sha1, file.as_bytes()).is_ok());
    for hash in [RsaHash::Sha256, RsaHash::Sha512] {
        assert_eq!(
            RsaKey::from_pem(hash, file.as_bytes()).unwrap_err(),
            RsaKeyError::Length {
                bits: 1024,
                minimum: 2048
            }
        );
    }
}

#[test]
fn debug_output_holds_no_key() {
    let Generated { pkcs1, .. } = generate();
    let file = pem("RSA PRIVATE KEY", &pkcs1);
    let key = RsaKey::from_pem(RsaHash::Sha256, file.as_bytes()).unwrap();
    assert_eq!(format!("{key:?}"), "RsaKey(RSA-SHA256, [REDACTED])");
}

//! `undersign verify` as a black box: what is right, what is not and why.

#![expect(
    clippy::unwrap_used,
    reason = "clippy allows it in functions marked as tests alone"
)]

mod headers;
mod mistakes;
#[path = "../support/mod.rs"]
mod support;

use std::{fs, path::Path};

use support::{
    certificates::rsa_key,
    command::{Ended, undersign, undersign_reading},
    setup::write_secret,
};
use tempfile::TempDir;

const SECRET: &str = "S3NTINEL-consumer-secret";
const URL: &str = "https://h.example/r?sort(+a)&b=c";

/// What is signed right for a GET of the URL, in 2026.
const STAMP: [&str; 4] = ["--timestamp=1790000000", "--nonce=n", "GET", URL];

fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    write_secret(directory.path(), "secret", SECRET);
    directory
}

fn run(directory: &Path, command: &str, words: &[&str], input: &[u8]) -> Ended {
    let words = [&[command, "--consumer-secret-file=secret"], words].concat();
    let variables = [("UNDERSIGN_CONSUMER_KEY", "key")];
    let ended = undersign_reading(directory, &words, &variables, input);
    assert!(!format!("{ended:?}").contains("S3NTINEL"), "{ended:?}");
    ended
}

/// The header that `sign` prints.
fn header(words: &[&str]) -> String {
    let ended = run(directory().path(), "sign", words, b"");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.stdout
}

fn verify(words: &[&str], authorization: &str) -> Ended {
    let words = [words, &["--authorization", authorization]].concat();
    run(directory().path(), "verify", &words, b"")
}

#[track_caller]
fn check(words: &[&str], authorization: &str, code: i32, expected: &str) {
    let ended = verify(words, authorization);
    assert_eq!(ended.code, Some(code), "{ended:?}");
    let output = ended.stdout + &ended.stderr;
    assert!(output.contains(expected), "{expected}: {output}");
}

#[test]
fn what_sign_prints_is_right() {
    let requests: [&[&str]; 5] = [
        &["GET", URL],
        &["POST", URL, "--data", "a=1+2&b"],
        &[
            "POST",
            URL,
            "--data",
            "{}",
            "--header",
            "Content-Type: application/json",
        ],
        &["PATCH", "http://H.example:8080//a/../%2f?", "--token", ""],
        &["GET", "https://192.0.2.1/", "--header", "Host: h.example"],
    ];
    for request in requests {
        let header = header(request);
        let ended = verify(request, &header);
        let printed = (ended.code, &*ended.stdout, &*ended.stderr);
        assert_eq!(printed, (Some(0), "the signature is right", ""), "{header}");
    }
}

#[test]
fn an_rsa_signature_is_judged_likewise() {
    let directory = directory();
    write_secret(directory.path(), "key.pem", &rsa_key());
    write_secret(directory.path(), "other.pem", &rsa_key());
    let toml = "[proxy.p]\nupstream = 'https://h.example'\nconsumer_key = 'key'\n\
                signature_method = 'RSA-SHA256'\nprivate_key_file = 'key.pem'\n";
    fs::write(directory.path().join("undersign.toml"), toml).unwrap();
    let run =
        |words: &[&str], variables: &[(&str, &str)]| undersign(directory.path(), words, variables);
    let sign = |variables: &[(&str, &str)]| run(&["sign", "GET", "/r?a=x(y&b=/"], variables).stdout;
    let check = |url: &str, header: &str, code: i32, expected: &str| {
        let ended = run(&["verify", "GET", url, "--authorization", header], &[]);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stdout.contains(expected), "{expected}: {ended:?}");
    };
    let header = sign(&[]);
    check("/r?a=x(y&b=/", &header, 0, "the signature is right");
    check("/r?a=x(y&b=/&c=2", &header, 1, "the parameter `c`");
    // Two mistakes together.
    check("/r?a=x(y&b=/&c=2&d=3", &header, 1, "the parameter `d`");
    check(
        "/r?a=other",
        &header,
        1,
        "the private key is the right one, but the request is not the one that was signed",
    );
    let with_other_key = sign(&[("UNDERSIGN_PROXY__P__PRIVATE_KEY_FILE", "other.pem")]);
    check(
        "/r?a=x(y&b=/",
        &with_other_key,
        1,
        "made with another private key",
    );
    check(
        "/r?a=x(y&b=/",
        &header.replace("%3D%3D\"", "\""),
        1,
        "has lost its `=`",
    );
    let cut = format!("{}\"", &header[..header.len() - 40]);
    check("/r?a=x(y&b=/", &cut, 1, "is not 256 bytes in base64");
    // The name of one method, and the hash of another.
    let with_sha1 = sign(&[("UNDERSIGN_PROXY__P__SIGNATURE_METHOD", "RSA-SHA1")]);
    check(
        "/r?a=x(y&b=/",
        &with_sha1,
        1,
        "`oauth_signature_method` is `RSA-SHA1`; expected `RSA-SHA256`\napart from that, the signature is right",
    );
    let hmac = header.replace("RSA-SHA256", "HMAC-SHA1");
    check(
        "/r?a=x(y&b=/",
        &hmac,
        1,
        "there is no key here for the header's method, but for RSA-SHA256",
    );
    let explained = run(&["sign", "GET", "/r?a=1", "--explain"], &[]).stdout;
    assert!(
        explained.contains("Key (§3.4.3): the private key\n"),
        "{explained}"
    );
}

#[test]
fn an_old_timestamp_is_worth_a_warning() {
    let request = ["GET", URL, "--timestamp", "1500000000"];
    let ended = verify(&["GET", URL], &header(&request));
    assert_eq!(
        (ended.code, &*ended.stdout),
        (Some(0), "the signature is right")
    );
    assert!(
        ended.stderr.contains("old by this machine's clock"),
        "{ended:?}"
    );
}

#[test]
fn a_plaintext_signature_is_never_shown() {
    let header = |signature: &str| {
        format!(
            "OAuth oauth_consumer_key=\"key\", oauth_signature_method=\"PLAINTEXT\", oauth_signature=\"{signature}\""
        )
    };
    for (signature, expected) in [
        (
            "S3NTINEL-consumer-secret%26",
            "apart from that, the signature is right",
        ),
        ("S3NTINEL-consumer-secret", "the key has no `&`"),
        ("S3NTINEL-other", "these are others"),
    ] {
        let expected_method = "`oauth_signature_method` is `PLAINTEXT`; expected `HMAC-SHA1`";
        check(&["GET", URL], &header(signature), 1, expected);
        check(&["GET", URL], &header(signature), 1, expected_method);
        let words = ["GET", URL, "--base-string", "GET&any"];
        check(&words, &header(signature), 1, "whatever the base string");
    }
}

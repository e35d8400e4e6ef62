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
    let toml = "[proxy.p]\nupstream = 'https://h.example'\nconsumer_key = 'key'\n\
                signature_method = 'RSA-SHA256'\nprivate_key_file = 'key.pem'\n";
    fs::write(directory.path().join("undersign.toml"), toml).unwrap();
    let run = |words: &[&str]| undersign(directory.path(), words, &[]);
    let header = run(&["sign", "GET", "/r?a=1"]).stdout;
    let verify = |url: &str| run(&["verify", "GET", url, "--authorization", &header]);
    let ended = verify("/r?a=1");
    assert_eq!(
        (ended.code, &*ended.stdout),
        (Some(0), "the signature is right")
    );
    let ended = verify("/r?a=1&b=2");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("the parameter `b`"), "{ended:?}");
    let explained = run(&["sign", "GET", "/r?a=1", "--explain"]).stdout;
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
    }
}

//! `undersign verify` as a black box: right and wrong signatures, and headers that make no sense.

#![expect(
    clippy::unwrap_used,
    reason = "clippy allows it in functions marked as tests alone"
)]

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
fn the_header_comes_from_a_flag_a_header_or_standard_input() {
    let directory = directory();
    let line = header(&["GET", URL]);
    let value = line.strip_prefix("Authorization: ").unwrap();
    check(&["GET", URL], value, 0, "the signature is right");
    let check = |words: &[&str], input: &str| {
        let words = [&["GET", URL], words].concat();
        let ended = run(directory.path(), "verify", &words, input.as_bytes());
        assert_eq!(ended.code, Some(0), "{ended:?}");
    };
    check(&[], &line);
    check(&[], &format!("{value}\n"));
    check(&["--header", &line], "");
}

#[test]
fn what_differs_in_the_request_is_named() {
    let header = header(&STAMP);
    let check = |words: &[&str], expected: &str| check(words, &header, 1, expected);
    check(&["POST", URL], "the method signed is GET");
    check(
        &["GET", "http://h.example/r?sort(+a)&b=c"],
        "http and https",
    );
    check(
        &["GET", "https://h.example/r?sort(%2Ba)&b=c"],
        "are decoded twice",
    );
    check(&["GET", "https://h.example/other"], "no known mistake");
    check(
        &["GET", "https://h.example/r?sort(+a)&b=c&d=e"],
        "the parameter `d`",
    );
    check(
        &["GET", "https://h.example/r/?sort(+a)&b=c"],
        "without the `/` at its end",
    );
    check(
        &["GET", URL, "--data", "f=1"],
        "the form in the body is not signed",
    );
    check(
        &["GET", URL, "--token", ""],
        "`oauth_token` is absent; expected ``",
    );
    check(
        &["GET", URL, "--token", "t"],
        "apart from that, the signature is right",
    );
    check(
        &["GET", URL, "--consumer-key", "other"],
        "`oauth_consumer_key` is `key`; expected `other`",
    );
}

#[test]
fn a_client_that_signs_for_the_proxy_is_told_so() {
    let header = header(&["GET", "http://127.0.0.1:8080/a"]);
    let words = ["GET", "/a", "--upstream", "https://up.example"];
    check(
        &words,
        &header,
        1,
        "the URI signed begins with http://127.0.0.1:8080",
    );
}

/// A header as several libraries write it.
fn header_of_client(signature: &str) -> String {
    format!(
        "OAuth oauth_consumer_key=\"key\", oauth_nonce=\"n\", oauth_signature=\"{signature}\", \
         oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"1790000000\", oauth_version=\"1.0\""
    )
}

/// Each signature has been made by the library named, for a GET of this query.
#[test]
fn what_other_libraries_do_is_recognised() {
    let check = |query: &str, signature: &str, expected: &str| {
        let url = format!("https://h.example/r?{query}");
        check(&["GET", &url], &header_of_client(signature), 1, expected);
    };
    // oauth-1.0a 2.2.6 (npm).
    check(
        "a=1;b=2",
        "0gXTMMPIA6le9oJQZnixScqf0Xw%3D",
        "cut off at its first `=`",
    );
    check(
        "a=b=c&d=x+y&&e",
        "3ycJO10XqTEobU1Dgx4I0Oo6ZWk%3D",
        "an empty parameter is signed",
    );
    // OAuth 0.5.4 (Ruby), Net::OAuth 0.28 and WWW::OAuth 1.000 (Perl).
    let semicolon = "a `;` separates parameters";
    check("a=1;b=2", "MzDXG9meVubu4Y4WfYzVxy4xCkQ%3D", semicolon);
    let twice = "bytes are taken for characters of ISO-8859-1";
    check("a=%FF", "9Z8vdn4FMGCobWyvkIT4jx7tTWE%3D", twice);
    check(
        "sort(+a)",
        "SJZq0cE6%2BYlHgyW9fTb8wcBuzQ4%3D",
        "the query is not signed",
    );
    // Net::OAuth 0.28.
    check(
        "a=2&a=1",
        "Nwg2XSqk8yG4BPbQzQ45Wua%2Fzhs%3D",
        "only the first is signed",
    );
    check(
        "a=2&a-b=1",
        "E%2Fl7g5JCQ2FMKjYsRmmX%2BqMOl1I%3D",
        "sorted as whole texts",
    );
    // oauthlib 4.0.1 (Python).
    check("a=%FF", "u8dr3LPh%2BjHy97J145quhFFdAKI%3D", "U+FFFD");
    let authority = |url: &str, signature: &str, expected: &str| {
        let header = header_of_client(signature);
        let ended = verify(&["GET", url], &header);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stdout.contains(expected), "{ended:?}");
    };
    // Net::OAuth, WWW::OAuth and oauth-1.0a; then oauth-1.0a alone.
    authority(
        "https://h.example:443/r?q=%7E(*)",
        "Xo6u89Fr68GWUV2lvuXZvUYUSpI%3D",
        "signed with its default port",
    );
    authority(
        "https://H.example/r?x",
        "fMVT6a7QeMtsuzI9xstYrmLxVjw%3D",
        "the host is not signed in lower case",
    );
}

#[test]
fn an_explanation_says_what_the_rfc_says_and_what_to_do() {
    let header = header_of_client("w7mIohlfXAnEzUsbZHnykKJBqo4%3D");
    let ended = verify(&["GET", URL], &header);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for part in [
        "the signature is not right:\n  a `+` in the query is signed as a plus sign\n    RFC 5849 §3.4.1.3.1: ",
        "\n    to do: ",
        "\nthe base strings differ from byte 188 on, in the parameters, at `sort( a)`:\n  right   ",
        "\n  client  ",
    ] {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
}

#[test]
fn a_careless_header_is_told_from_a_wrong_signature() {
    let header = header(&STAMP);
    let (start, signature) = header.split_once("oauth_signature=").unwrap();
    let raw = signature
        .replace("%2B", "+")
        .replace("%2F", "/")
        .replace("%3D", "=");
    let at = start.len() + "oauth_signature=\"".len();
    for (sloppy, slip) in [
        (
            format!("{start}oauth_signature={raw}"),
            format!("at byte {at}, the value of `oauth_signature` is not percent-encoded"),
        ),
        (header.replace('"', "'"), "double quotes".to_owned()),
        (header.replace('"', ""), "double quotes".to_owned()),
        (header.replace("OAuth ", ""), "scheme".to_owned()),
        (
            header.replace(", oauth_nonce", " oauth_nonce"),
            "no comma".to_owned(),
        ),
    ] {
        let expected = "apart from that, the signature is right";
        check(&["GET", URL], &sloppy, 1, expected);
        check(&["GET", URL], &sloppy, 1, &slip);
    }
}

#[test]
fn a_header_that_makes_no_sense_exits_with_64_and_its_place() {
    let check = |header: &str, expected: &str| check(&["GET", URL], header, 64, expected);
    check("", "--authorization, byte 0: ");
    check("Bearer S3NTINEL", "--authorization, byte 0: ");
    check("OAuth a=\"S3NTINEL", "--authorization, byte 17: ");
    check(
        "Authorization: OAuth a=\"1\", a=\"S3NTINEL\"",
        "--authorization, byte 28: ",
    );
    check(
        "OAuth oauth_consumer_key=\"key\"",
        "byte 30: `oauth_signature_method` is missing",
    );
    check(
        "Authorization: OAuth a=\"1\" b",
        "byte 28: the Authorization header breaks off here",
    );
    let long = format!("OAuth a=\"{}\"", "x".repeat(64 * 1024));
    check(&long, "--authorization, byte 65536: ");
    let directory = directory();
    let ended = run(directory.path(), "verify", &["GET", URL], b"");
    assert_eq!(ended.code, Some(64), "{ended:?}");
    let expected = "standard input, byte 0: there is no header";
    assert!(ended.stderr.contains(expected), "{ended:?}");
    let both = ["POST", URL, "--data", "@-"];
    let ended = run(directory.path(), "verify", &both, b"a");
    assert_eq!(ended.code, Some(64), "{ended:?}");
}

#[test]
fn a_header_that_is_there_twice_exits_with_64() {
    let line = header(&STAMP);
    let directory = directory();
    for words in [
        ["-H", &line, "-H", &line],
        ["-H", &line, "--authorization", &line],
        ["-H", "Host: h.example", "-H", "host: S3NTINEL"],
    ] {
        let words = [&["GET", URL][..], &words].concat();
        let ended = run(directory.path(), "verify", &words, line.as_bytes());
        assert_eq!(ended.code, Some(64), "{ended:?}");
        assert!(!ended.stderr.contains("oauth_"), "{ended:?}");
    }
}

#[test]
fn what_a_header_says_can_do_nothing_to_a_terminal() {
    let line = header(&STAMP);
    for (added, code) in [
        (" e%1b%5b2J%0aforged=1", 1),
        (", e%1b%5b2J%0aforged=\"+\"", 1),
        (", e%1b=\"1\", e%1b=\"1\"", 64),
        (", e%C2%9b%0a=\"%ff\"", 64),
        (", oauth_token=\"%1b%0aforged\"", 1),
    ] {
        let ended = verify(&["GET", URL], &format!("{line}{added}"));
        assert_eq!(ended.code, Some(code), "{ended:?}");
        let output = ended.stdout + &ended.stderr;
        let is_control = |c: char| c.is_control() && c != '\n';
        assert!(!output.contains(is_control), "{output:?}");
        assert!(!output.contains("\nforged"), "{output:?}");
    }
}

#[test]
fn protocol_parameters_in_query_or_form_are_found_and_explained() {
    let line = header(&["POST", "https://h.example/?a=1"]);
    let (_, parameters) = line.split_once("OAuth ").unwrap();
    let parameters = parameters.replace('"', "").replace(", ", "&");
    let directory = directory();
    let verify = |words: &[&str]| run(directory.path(), "verify", words, b"");
    let url = format!("https://h.example/?a=1&{parameters}");
    let ended = verify(&["POST", &url]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended
            .stdout
            .contains("are in the query, which RFC 5849 §3.5.3 allows")
    );
    assert!(ended.stdout.contains("the signature is right"));
    let ended = verify(&["POST", "https://h.example/?a=1", "--data", &parameters]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended
            .stdout
            .contains("are in the form, which RFC 5849 §3.5.2 allows")
    );
    // Beside a header, they are one set too many.
    check(&["POST", &url], &line, 1, "would be a duplicate");
    for url in [
        "https://h.example/?oauth_signature=x",
        &format!("{url}&oauth_nonce=x"),
    ] {
        let ended = verify(&["POST", url]);
        assert_eq!(ended.code, Some(64), "{ended:?}");
    }
}

#[test]
fn a_base_string_of_the_client_is_compared() {
    let ours = "GET&https%3A%2F%2Fh.example%2Fr&b%3Dc%26oauth_consumer_key%3Dkey%26oauth_nonce%3Dn\
        %26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D1790000000%26oauth_version%3D1.0\
        %26sort%2528%2520a%2529%3D";
    let header = header(&STAMP);
    let check = |url: &str, base_string: &str, expected: &str| {
        check(
            &["GET", url, "--base-string", base_string],
            &header,
            1,
            expected,
        );
    };
    let right = "the signature is made of the base string given, with the right secrets";
    check("https://h.example/other", ours, right);
    check(
        "https://h.example/other",
        ours,
        "differ from byte 30 on, in the URI",
    );
    check(
        "https://h.example/other",
        "GET",
        "the signature is not made of the base string",
    );
}

#[test]
fn a_hash_of_another_body_is_named() {
    let header = "OAuth oauth_body_hash=\"2jmj7l5rSw0yVb%2FvlWAYkK%2FYBwk%3D\", oauth_consumer_key=\"key\", \
        oauth_nonce=\"n\", oauth_signature=\"x\", oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"1\"";
    let plain = ["-H", "Content-Type: text/plain", "-d", "Hello World!"];
    let expected = "`oauth_body_hash` is `2jmj7l5rSw0yVb/vlWAYkK/YBwk=`; expected `Lve95gjOVATpfV8EL5X4nxwjKHE=`";
    check(&[&["POST", URL], &plain[..]].concat(), header, 1, expected);
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

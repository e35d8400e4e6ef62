//! `undersign sign` as a black box: what it prints.

#![expect(
    clippy::unwrap_used,
    reason = "clippy allows it in functions marked as tests alone"
)]

mod refused;
#[path = "../support/mod.rs"]
mod support;
mod upstream;

use std::{fs, path::Path};

use support::{
    command::{Ended, undersign, undersign_reading},
    setup::write_secret,
};
use tempfile::TempDir;

const SECRET: &str = "S3NTINEL-consumer-secret";
const TOKEN_SECRET: &str = "S3NTINEL-token-secret";

/// The third request of RFC 5849 §1.2, but for its secrets.
const STAMP: [&str; 4] = ["--timestamp", "137131202", "--nonce", "chapoH"];

fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    write_secret(directory.path(), "secret", SECRET);
    write_secret(directory.path(), "token-secret", TOKEN_SECRET);
    directory
}

/// Signs with a key and its secret, and nothing else configured.
fn sign_in(directory: &Path, words: &[&str], input: &[u8]) -> Ended {
    let flags = ["--consumer-key", "key", "--consumer-secret-file", "secret"];
    let words = [&["sign"][..], &flags, words].concat();
    let ended = undersign_reading(directory, &words, &[], input);
    let output = format!("{ended:?}");
    assert!(!output.contains("S3NTINEL"), "{output}");
    ended
}

fn sign(words: &[&str]) -> Ended {
    sign_in(directory().path(), words, b"")
}

/// The base string that `--explain` shows.
#[track_caller]
fn base_string(ended: &Ended) -> String {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let mut lines = ended.stdout.lines();
    lines.find(|line| line.starts_with("Base string")).unwrap();
    lines.next().unwrap().trim().to_owned()
}

/// Signs and explains with a fixed stamp, and returns the middle of the base string up to `oauth_consumer_key`.
#[track_caller]
fn signed_part(words: &[&str]) -> String {
    let ended = sign(&[words, &STAMP, &["--explain"]].concat());
    let base_string = base_string(&ended);
    let (part, _) = base_string.split_once("oauth_consumer_key").unwrap();
    part.to_owned()
}

#[test]
fn the_line_of_the_header_is_printed() {
    let directory = tempfile::tempdir().unwrap();
    // RFC 5849 §1.2, with oauth_version, so with a signature of OAuth Core 1.0, appendix A.5.
    write_secret(directory.path(), "secret", "kd94hf93k423kf44");
    write_secret(directory.path(), "token-secret", "pfkkdhi9sl3r4s00");
    let words = [
        "sign",
        "GET",
        "http://photos.example.net/photos?file=vacation.jpg&size=original",
        "--consumer-key=dpf43f3p2l4k3l03",
        "--consumer-secret-file=secret",
        "--token=nnch734d00sl2jdk",
        "--token-secret-file=token-secret",
        "--timestamp=1191242096",
        "--nonce=kllo9940pd9333jh",
    ];
    let ended = undersign(directory.path(), &words, &[]);
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    assert_eq!(
        ended.stdout,
        "Authorization: OAuth oauth_consumer_key=\"dpf43f3p2l4k3l03\", oauth_token=\"nnch734d00sl2jdk\", \
         oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"1191242096\", oauth_nonce=\"kllo9940pd9333jh\", \
         oauth_version=\"1.0\", oauth_signature=\"tR3%2BTy81lMeYAr%2FFid0kMTYa%2FWM%3D\""
    );
}

#[test]
fn each_call_has_its_own_nonce() {
    let header = || sign(&["GET", "https://h.example/"]).stdout;
    assert_ne!(header(), header());
}

#[test]
fn the_url_is_signed_byte_for_byte() {
    assert_eq!(
        signed_part(&[
            "get",
            "HTTPS://H.Example:443//a/../(b)%2f%7E?sort(+a)&&b=c=d"
        ]),
        "GET&https%3A%2F%2Fh.example%2F%2Fa%2F..%2F%28b%29%252f%257E&b%3Dc%253Dd%26"
    );
    assert_eq!(
        signed_part(&["GET", "http://[2001:DB8::1]:8080"]),
        "GET&http%3A%2F%2F%5B2001%3Adb8%3A%3A1%5D%3A8080%2F&"
    );
    assert_eq!(
        signed_part(&["GET", "https://h.example/\u{e9}"]),
        "GET&https%3A%2F%2Fh.example%2F%C3%A9&"
    );
}

#[test]
fn data_is_signed_if_it_is_a_form() {
    let url = "https://h.example/";
    let form = "POST&https%3A%2F%2Fh.example%2F&a%3D1%2520%252B%26b%3D%26";
    let none = "POST&https%3A%2F%2Fh.example%2F&";
    let check = |words: &[&str], expected: &str| {
        let words = [&["POST", url], words].concat();
        assert_eq!(signed_part(&words), expected, "{words:?}");
    };
    check(&["--data", "a=1+%2B&b"], form);
    check(&["-d", "a=1+%2B", "-d", "b"], form);
    let typed = "content-type: Application/X-WWW-Form-URLencoded; charset=utf-8";
    check(&["-d", "b&a=1+%2B", "-H", typed], form);
    check(&["-d", "{}", "-H", "Content-Type: application/json"], none);
    check(&["-H", typed], none);
}

#[test]
fn data_comes_from_a_file_or_from_standard_input() {
    let directory = directory();
    fs::write(directory.path().join("form"), "a=1\r\n").unwrap();
    let check = |words: &[&str], input: &[u8], parameter: &str| {
        let words = [&["POST", "https://h.example/", "--explain"], words].concat();
        let ended = sign_in(directory.path(), &words, input);
        let expected = format!("&a%3D{parameter}%26oauth_consumer_key");
        assert!(base_string(&ended).contains(&expected), "{ended:?}");
    };
    check(&["--data", "@form"], b"", "1");
    check(&["--data-binary", "@form"], b"", "1%250D%250A");
    check(&["--data", "@-"], b"a=2\n", "2");
    check(&["--data-binary", "@-"], b"a=2\n", "2%250A");
    let missing = ["POST", "https://h.example/", "--data", "@missing"];
    let ended = sign_in(directory.path(), &missing, b"");
    assert_eq!((ended.code, &*ended.stdout), (Some(1), ""));
    assert!(ended.stderr.contains("missing"), "{ended:?}");
}

#[test]
fn explaining_shows_each_step_and_no_secret() {
    let words = [
        "POST",
        "https://h.example/?q=+%FF",
        "--data=f",
        "--token=",
        "--explain",
    ];
    let ended = sign(&[&words[..], &STAMP].concat());
    for part in [
        "  query   \"q\" = b\" \\xff\"\n",
        "  form    \"f\" = \"\"\n",
        "  header  \"oauth_token\" = \"\"\n",
        "  f=&oauth_consumer_key=key&oauth_nonce=chapoH&",
        "&q=%20%FF\n",
        "  POST&https%3A%2F%2Fh.example%2F&f%3D%26oauth_consumer_key%3Dkey%26",
        "  ********&\nAuthorization: OAuth oauth_consumer_key=\"key\"",
    ] {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
    let with_token = ["--token=t", "--token-secret-file=token-secret"];
    let ended = sign(&[&words[..3], &with_token, &["--explain"]].concat());
    assert!(ended.stdout.contains("  ********&********\n"), "{ended:?}");
}

#[test]
fn an_explanation_of_plaintext_holds_no_signature() {
    let directory = directory();
    let toml = "[proxy.p]\nupstream = 'https://up.example'\nconsumer_key = 'key'\n\
                consumer_secret_file = 'secret'\nsignature_method = 'PLAINTEXT'\n";
    fs::write(directory.path().join("undersign.toml"), toml).unwrap();
    let sign = |words: &[&str]| {
        undersign(
            directory.path(),
            &[&["sign", "GET", "/"], words].concat(),
            &[],
        )
        .stdout
    };
    assert!(sign(&[]).contains("oauth_signature=\"S3NTINEL-consumer-secret%26\""));
    let explained = sign(&["--explain"]);
    assert!(
        explained.contains("Authorization: not shown"),
        "{explained}"
    );
    assert!(!explained.contains("S3NTINEL"), "{explained}");
}

#[test]
fn a_body_that_is_no_form_is_hashed_where_the_proxy_says_so() {
    let directory = directory();
    let toml = "[proxy.p]\nupstream = 'https://up.example'\nconsumer_key = 'key'\n\
                consumer_secret_file = 'secret'\nbody_hash = true\n";
    fs::write(directory.path().join("undersign.toml"), toml).unwrap();
    let sign = |words: &[&str]| {
        let words = [&["sign", "POST", "/"], words].concat();
        undersign(directory.path(), &words, &[]).stdout
    };
    // Both are published with the extension.
    let empty = "oauth_body_hash=\"2jmj7l5rSw0yVb%2FvlWAYkK%2FYBwk%3D\"";
    let hello = "oauth_body_hash=\"Lve95gjOVATpfV8EL5X4nxwjKHE%3D\"";
    assert!(sign(&[]).contains(empty));
    assert!(sign(&["-d", "Hello World!", "-H", "Content-Type: text/plain"]).contains(hello));
    assert!(!sign(&["-d", "a=1"]).contains("oauth_body_hash"));
}

#[test]
fn of_several_proxies_one_is_chosen() {
    let directory = directory();
    let toml = "[proxy.a]\nlisten = '127.0.0.1:1'\nupstream = 'https://a.example'\nconsumer_key = 'key-a'\n\
                consumer_secret_file = 'secret'\n\
                [proxy.b]\nlisten = '127.0.0.1:2'\nupstream = 'https://b.example'\nconsumer_key = 'key-b'\n\
                consumer_secret_command = ['false']\n";
    fs::write(directory.path().join("undersign.toml"), toml).unwrap();
    let sign = |words: &[&str]| {
        let words = [&["sign", "GET", "/"], words].concat();
        undersign(directory.path(), &words, &[])
    };
    let ended = sign(&["--proxy", "a"]);
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{ended:?}");
    assert!(ended.stdout.contains("\"key-a\""));
    // Flags are about the one that is chosen; the other's secret is not asked for.
    let ended = sign(&["--proxy", "a", "--consumer-key", "other"]);
    assert!(ended.stdout.contains("\"other\""), "{ended:?}");
    for (words, part) in [
        (&[][..], "choose with --proxy NAME one of a, b"),
        (&["--proxy", "c"], "there is a, b"),
        (&["--proxy", "b"], "proxy.b.consumer_secret_command"),
    ] {
        let ended = sign(words);
        assert_eq!((ended.code, &*ended.stdout), (Some(78), ""), "{ended:?}");
        assert!(ended.stderr.contains(part), "{ended:?}");
    }
}

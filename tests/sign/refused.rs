//! What is refused, with its place.

use super::*;

#[test]
fn a_wrong_configuration_exits_with_78() {
    let directory = directory();
    for (words, part) in [
        (&["sign", "GET", "https://h.example/"][..], "--consumer-key"),
        (
            &[
                "sign",
                "GET",
                "/",
                "--consumer-key=k",
                "--consumer-secret-file=secret",
            ],
            "proxy.default.upstream",
        ),
        (
            &[
                "sign",
                "GET",
                "https://h.example/",
                "--consumer-key=k",
                "--consumer-secret-file=gone",
            ],
            "consumer_secret_file",
        ),
    ] {
        let ended = undersign(directory.path(), words, &[]);
        assert_eq!((ended.code, &*ended.stdout), (Some(78), ""), "{ended:?}");
        assert!(ended.stderr.contains(part), "{ended:?}");
    }
}

#[test]
fn a_wrong_command_line_exits_with_64_and_shows_the_place() {
    let url = "https://h.example/";
    let check = |words: &[&str], expected: &str| {
        let ended = sign(words);
        assert_eq!((ended.code, &*ended.stdout), (Some(64), ""), "{ended:?}");
        assert!(
            ended.stderr.contains(expected),
            "{expected}: {}",
            ended.stderr
        );
    };
    check(&["GE T", url], "METHOD, byte 2: ");
    check(&["", url], "METHOD, byte 0: ");
    check(
        &["GET", "https://h.example/a#b"],
        "URL, byte 19: a fragment is never sent: leave out `#` and what follows, or write it %23\n  \
         https://h.example/a#b\n                     ^",
    );
    check(&["GET", "h.example/"], "URL, byte 0: ");
    check(&["GET", "https://u:S3NTINEL@h.example/"], "URL, byte 18: ");
    check(
        &["GET", "https://h.example/?oauth_token=t"],
        "URL, byte 19: `oauth_token` is in the query",
    );
    check(
        &["POST", url, "-d", "a&oauth_nonce=S3NTINEL"],
        "--data, byte 2: `oauth_nonce` is in the query or the form",
    );
    for (url, at) in [
        ("https://a.example/?oauth%5Fnonce=S3NTINEL", 19),
        ("https://a.example/oauth_x?b=1&oauth_x=S3NTINEL", 30),
        ("https://h/?a=oauth_x&oauth_x=S3NTINEL", 21),
        ("https://h/?xoauth_x=1&oauth_x=S3NTINEL", 22),
        ("/a?&b=?&%6Fauth_x", 8),
    ] {
        check(
            &["GET", url, "--upstream=https://h"],
            &format!("URL, byte {at}: "),
        );
    }
    let form = "a=oauth_x&b=1&oauth%5fx=S3NTINEL";
    check(&["POST", url, "-d", form], "--data, byte 14: ");
    check(
        &["POST", url, "-d", "a=oauth_x&b=1", "-d", "oauth_x"],
        "--data, byte 14: ",
    );
    check(
        &["POST", url, "--data-binary", form],
        "--data-binary, byte 14: ",
    );
    check(
        &["POST", url, "-d", "a", "-d", "@"],
        "--data, byte 1: no file is named",
    );
    check(
        &["POST", url, "--data-binary=@"],
        "--data-binary, byte 1: no file is named",
    );
    check(&["GET", url, "-H", "S3NTINEL"], "--header, byte 8: ");
    check(&["GET", url, "-H", "Host: a b"], "--header, byte 6: ");
    check(&["GET", url, "-H", "Host: a:0"], "--header, byte 7: ");
    for host in [
        "[]",
        "[::g]",
        "[:::1]",
        "[1.2.3.4]",
        ".",
        "a..b",
        "a.",
        "1.2.3.4.5",
    ] {
        check(
            &["GET", &format!("https://{host}/")],
            "URL, byte 8: no host",
        );
    }
    for types in [
        "application/x-www-form-urlencoded, a/b",
        "a/b,application/x-www-form-urlencoded",
    ] {
        let header = format!("Content-Type: {types}");
        let expected = "--header, byte 14: there is more than one media type";
        check(&["POST", url, "-d", "a", "-H", &header], expected);
    }
    check(&["GET", url, "--timestamp", "1.5"], "--timestamp, byte 1: ");
    check(&["GET", url, "--timestamp", "-5"], "--timestamp, byte 0: ");
    check(&["GET", url, "--nonce", "a\nb"], "--nonce, byte 1: ");
    check(&["GET", url, "--nonce", ""], "--nonce, byte 0: ");
    check(&["GET"], "--help");
    check(&["GET", url, "--data=a", "--data-binary=b"], "--help");
}

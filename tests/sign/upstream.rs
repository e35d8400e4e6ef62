//! Which upstream a request is signed for, and what is said if it is not the proxy's, or if the proxy would not sign it.

use super::*;

#[test]
fn a_path_and_the_proxys_own_address_mean_the_upstream() {
    let upstream = [
        "--upstream",
        "https://up.example:8443",
        "--listen",
        "127.0.0.1:8099",
    ];
    let expected = "GET&https%3A%2F%2Fup.example%3A8443%2Fa&";
    let check = |url: &str, note: &str| {
        let words = [&["GET", url, "--explain"], &upstream[..]].concat();
        let ended = sign(&words);
        assert!(base_string(&ended).starts_with(expected), "{ended:?}");
        assert!(ended.stderr.contains(note), "{ended:?}");
        assert_eq!(ended.stderr.is_empty(), note.is_empty(), "{ended:?}");
    };
    check("/a", "");
    check("https://UP.example:8443/a", "");
    check("http://127.0.0.1:8099/a", "is the listener");
    check("http://localhost:8099/a", "is the listener");
    let other = [&["GET", "https://h.example/a", "--explain"], &upstream[..]].concat();
    let ended = sign(&other);
    assert!(base_string(&ended).starts_with("GET&https%3A%2F%2Fh.example%2Fa&"));
    assert!(ended.stderr.contains("is not the upstream"), "{ended:?}");
}

#[test]
fn what_is_not_signed_for_the_upstream_is_told() {
    let check = |url: &str, host: &str, signed: &str, note: &str| {
        let host = format!("Host: {host}");
        let words = [
            "GET",
            url,
            "-H",
            &host,
            "--upstream=https://a.example",
            "--listen=127.0.0.1:8099",
            "--explain",
        ];
        let ended = sign(&words);
        let start = format!(
            "GET&{}%2Fx&",
            signed.replace(':', "%3A").replace('/', "%2F")
        );
        assert!(base_string(&ended).starts_with(&start), "{ended:?}");
        assert!(ended.stderr.contains(note), "{note}: {ended:?}");
        assert_eq!(ended.stderr.is_empty(), note.is_empty(), "{ended:?}");
    };
    let upstream = "https://a.example";
    let evil = "is for https://evil.example, which is not the upstream of the proxy default, https://a.example";
    check("https://1.2.3.4/x", "A.example", upstream, "");
    check("https://1.2.3.4/x", "a.example:443", upstream, "");
    check("/x", "a.example", upstream, "");
    check(
        "https://a.example/x",
        "evil.example",
        "https://evil.example",
        evil,
    );
    check("/x", "evil.example", "https://evil.example", evil);
    check(
        "http://1.2.3.4/x",
        "a.example",
        "http://a.example",
        "is for http://a.example, ",
    );
    let listener = "http://127.0.0.1:8099 is the listener";
    check("http://127.0.0.1:8099/x", "a.example", upstream, listener);
    check(
        "http://127.0.0.1:8099/x",
        "localhost:8099",
        upstream,
        listener,
    );
    check(
        "http://127.0.0.1:8099/x",
        "evil.example",
        "https://evil.example",
        evil,
    );
}

#[test]
fn a_host_header_takes_the_place_of_the_urls_host() {
    assert_eq!(
        signed_part(&["GET", "https://192.0.2.1/a", "-H", "Host: H.example:8443"]),
        "GET&https%3A%2F%2Fh.example%3A8443%2Fa&"
    );
    let words = ["GET", "https://192.0.2.1/a", "-H", "Host: h.example"];
    assert_eq!(sign(&words).stderr, "");
}

#[test]
fn what_the_proxy_would_not_sign_is_told() {
    let directory = directory();
    let check = |keys: &str, words: &[&str], note: &str| {
        let toml = format!("[proxy.p]\nupstream = 'https://up.example'\n{keys}\n");
        fs::write(directory.path().join("undersign.toml"), toml).unwrap();
        let words = [&["POST", "/"], words].concat();
        let ended = sign_in(directory.path(), &words, b"");
        assert!(
            ended.stdout.starts_with("Authorization: OAuth "),
            "{ended:?}"
        );
        assert!(ended.stderr.contains(note), "{note}: {ended:?}");
        assert_eq!(ended.stderr.is_empty(), note.is_empty(), "{ended:?}");
    };
    let passthrough = "passthrough_headers = ['X-Other', 'APS-Token']";
    let unsigned = "the proxy p forwards such a request unsigned: ";
    let by_header = format!("{unsigned}`aps-token` is one of its passthrough_headers");
    check(passthrough, &["-H", "aps-TOKEN: S3NTINEL"], &by_header);
    check(passthrough, &["-H", "APS-Token:"], "");
    check(passthrough, &["-H", "APS-Tokens: 1"], "");
    let authorization = ["-H", "authorization: Basic S3NTINEL"];
    check("", &authorization, "");
    let keep = format!("{unsigned}it has an Authorization header");
    check("inbound_authorization = 'keep'", &authorization, &keep);
    check("inbound_authorization = 'keep'", &[], "");
    check(
        "inbound_authorization = 'reject'",
        &authorization,
        "refuses such a request with 403: ",
    );
    check(
        "",
        &["-d", "a", "-H", "Content-Encoding: identity, gzip"],
        "refuses such a request with 415: ",
    );
    check("", &["-d", "a", "-H", "Content-Encoding: identity"], "");
    let json = ["-H", "Content-Type: application/json"];
    check(
        "",
        &[&["-d", "a", "-H", "Content-Encoding: gzip"], &json[..]].concat(),
        "",
    );
    let limit = "limits.form_bytes = 4";
    let too_long =
        "refuses such a request with 413: its content has 5 bytes, and limits.form_bytes is 4";
    check(limit, &["-d", "abcde"], too_long);
    check(limit, &["-d", "abcd"], "");
    check(limit, &[&["-d", "abcde"], &json[..]].concat(), "");
    let hashed = format!("body_hash = true\n{limit}");
    check(&hashed, &[&["-d", "abcde"], &json[..]].concat(), too_long);
}

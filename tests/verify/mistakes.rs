//! What is said of a signature that is not right.

use super::{STAMP, URL, check, header, verify};

/// A header as several libraries write it.
fn header_of_client(signature: &str) -> String {
    format!(
        "OAuth oauth_consumer_key=\"key\", oauth_nonce=\"n\", oauth_signature=\"{signature}\", \
         oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"1790000000\", oauth_version=\"1.0\""
    )
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

/// Each signature has been made by the library named, for a GET of this query.
#[test]
fn what_other_libraries_do_is_recognised() {
    let check_url = |url: &str, signature: &str, expected: &str| {
        check(&["GET", url], &header_of_client(signature), 1, expected);
    };
    let check = |query: &str, signature: &str, expected: &str| {
        check_url(&format!("https://h.example/r?{query}"), signature, expected);
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
    // Net::OAuth, WWW::OAuth and oauth-1.0a; then oauth-1.0a alone.
    check_url(
        "https://h.example:443/r?q=%7E(*)",
        "Xo6u89Fr68GWUV2lvuXZvUYUSpI%3D",
        "signed with its default port",
    );
    check_url(
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

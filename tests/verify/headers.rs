//! Where a header is found, and what is said of one that is malformed.

use super::{STAMP, URL, check, directory, header, run, verify};

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
fn a_careless_header_is_told_from_a_wrong_signature() {
    let header = header(&STAMP);
    let (start, signature) = header.split_once("oauth_signature=").unwrap();
    let raw = signature
        .replace("%2B", "+")
        .replace("%2F", "/")
        .replace("%3D", "=");
    let at = start.len() + "oauth_signature=\"".len();
    let raw_at = at + raw[1..].find(['+', '/', '=']).unwrap();
    let raw_byte = raw.as_bytes()[1 + raw_at - at] as char;
    for (sloppy, slip) in [
        (
            format!("{start}oauth_signature={raw}"),
            format!(
                "at byte {raw_at}, `{raw_byte}` in the value of `oauth_signature` is not percent-encoded"
            ),
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

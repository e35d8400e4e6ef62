//! What the answer to the signed GET says of the clocks and the signature.

use super::{answering, check, dated, support::certificates::Certificate};

#[test]
fn clocks_that_differ_are_warned_of() {
    let certificate = Certificate::self_signed();
    let pin = format!("pin_sha256 = ['{}']", certificate.pin);
    for (seconds, verdict, direction) in [
        (0, "ok", ""),
        (-20, "ok", "behind ours"),
        (-40, "warning", "behind ours"),
        (3600, "warning", "ahead of ours"),
        (-3600, "warning", "behind ours"),
    ] {
        let upstream = answering(&certificate, &dated("200 OK", seconds, ""));
        let line = format!("{verdict} clock the platform's");
        let ended = check(&upstream.url(), &pin, &[], 0, &[&line]);
        assert!(ended.stdout.contains(direction), "{}", ended.stdout);
        let advised = ended.stdout.contains("timestamp_refused");
        assert_eq!(advised, verdict == "warning", "{}", ended.stdout);
    }
}

#[test]
fn a_refused_signature_is_explained_as_the_daemon_does() {
    let certificate = Certificate::self_signed();
    let pin = format!("pin_sha256 = ['{}']", certificate.pin);
    let problem = "WWW-Authenticate: OAuth realm=\"x\", oauth_problem=signature_invalid\r\n";
    let skewed = "set this machine's clock (NTP)";
    let plus = "set query_plus = \"literal\"";
    let plain = "check the consumer key and secret, the token";
    for (status, seconds, fields, path, expected, hint) in [
        ("401 Unauthorized", 0, "", "/", "FAILED GET /: 401,", plain),
        (
            "401 Unauthorized",
            0,
            problem,
            "/",
            "FAILED GET /: 401,",
            "oauth_problem=signature_invalid; ",
        ),
        (
            "401 Unauthorized",
            600,
            "",
            "/",
            "FAILED GET /: 401,",
            skewed,
        ),
        (
            "401 Unauthorized",
            0,
            "",
            "/?sort(+a)",
            "FAILED GET /?sort(+a): 401,",
            plus,
        ),
        (
            "403 Forbidden",
            0,
            "",
            "/",
            "FAILED GET /: 403,",
            "ask with --path",
        ),
        (
            "400 Bad Request",
            0,
            problem,
            "/",
            "FAILED GET /: 400,",
            "the signature is refused",
        ),
        (
            "503 Service Unavailable",
            0,
            "",
            "/",
            "FAILED GET /: 503,",
            "the platform itself",
        ),
    ] {
        let upstream = answering(&certificate, &dated(status, seconds, fields));
        let ended = check(
            &upstream.url(),
            &pin,
            &["--path", path],
            1,
            &["ok trust", expected],
        );
        assert!(ended.stdout.contains(hint), "{hint}: {}", ended.stdout);
    }
}

#[test]
fn the_problem_is_looked_for_in_the_content_too() {
    let certificate = Certificate::self_signed();
    let pin = format!("pin_sha256 = ['{}']", certificate.pin);
    let content = "oauth_problem=token_rejected";
    let length = content.len();
    for (status, body) in [
        ("401", format!("Content-Length: {length}\r\n\r\n{content}")),
        (
            "403",
            format!("Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{content}\r\n0\r\n\r\n"),
        ),
        // The rest of it never comes.
        ("400", format!("Content-Length: 999\r\n\r\n{content}&a")),
    ] {
        let upstream = answering(&certificate, &format!("HTTP/1.1 {status} No\r\n{body}"));
        let line = format!("FAILED GET /: {status},");
        let expected = [
            &line,
            "to do: the upstream refused the credentials or the signature",
        ];
        let ended = check(&upstream.url(), &pin, &[], 1, &expected);
        let told = "oauth_problem=token_rejected; the signature is refused";
        assert!(ended.stdout.contains(told), "{}", ended.stdout);
    }
}

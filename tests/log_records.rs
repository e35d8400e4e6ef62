//! The exchange log: what its records say, what they never say, and that nobody can forge one.

mod support;

use std::fs;

use serde_json::{Value, json};
use support::{
    bench::{
        Bench, GOOD,
        Then::{Close, Keep},
    },
    log::records,
    recorder::Recorder,
    setup::random_text,
    stage::{Stage, fine},
};
use undersign::oauth::{Method, SigningOptions};

/// A key with the type of its value.
type Typed = (&'static str, fn(&Value) -> bool);

/// Keys that each record of an exchange has.
const ALWAYS: [Typed; 13] = [
    ("timestamp", Value::is_string),
    ("level", Value::is_string),
    ("message", Value::is_string),
    ("exchange.id", Value::is_string),
    ("proxy", Value::is_string),
    ("client.address", Value::is_string),
    ("http.response.status_code", Value::is_u64),
    ("http.request.body.size", Value::is_u64),
    ("http.response.body.size", Value::is_u64),
    ("duration_ms", Value::is_f64),
    ("upstream.attempts", Value::is_u64),
    ("server.address", Value::is_string),
    ("oauth.signed", Value::is_boolean),
];

/// Keys that a record has where they apply.
const SOMETIMES: [&str; 10] = [
    "http.request.method",
    "url.path",
    "url.query",
    "error.type",
    "error.message",
    "upstream.first_byte_ms",
    "oauth.problem",
    "clock.skew_s",
    "hint",
    "aps.transaction_id",
];

#[track_caller]
fn check_keys(record: &Value, wanted: &[&str]) {
    let keys = record
        .as_object()
        .into_iter()
        .flat_map(|object| object.keys());
    let keys: Vec<&str> = keys.map(String::as_str).collect();
    for (key, is_typed) in ALWAYS {
        assert!(is_typed(&record[key]), "{key}: {record:#}");
    }
    for key in wanted {
        assert!(keys.contains(key), "{key}: {record:#}");
    }
    for key in keys {
        let is_known = ALWAYS.iter().any(|(known, _)| *known == key) || SOMETIMES.contains(&key);
        assert!(is_known, "{key}: {record:#}");
    }
}

#[test]
fn a_record_has_the_documented_keys_with_values_of_their_types() {
    let bench = Bench::new();
    let request = "POST /a/b?c=d&e HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\
                   APS-Transaction-ID: tx-1\r\n\r\nhello";
    let record = bench.forwarded(request).record;
    check_keys(
        &record,
        &[
            "http.request.method",
            "url.path",
            "url.query",
            "upstream.first_byte_ms",
            "aps.transaction_id",
        ],
    );
    let expected = json!({
        "message": "exchange", "level": "INFO", "proxy": "test", "client.address": "127.0.0.1",
        "http.request.method": "POST", "url.path": "/a/b", "url.query": "c=d&e",
        "http.response.status_code": 200, "http.request.body.size": 5, "http.response.body.size": 2,
        "upstream.attempts": 1, "server.address": "127.0.0.1", "oauth.signed": true,
        "aps.transaction_id": "tx-1",
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&record[key], value, "{key}");
    }
    let timestamp = record["timestamp"].as_str().unwrap();
    assert_eq!(timestamp.len(), "2026-11-23T17:46:34.123456Z".len());
    assert!(
        timestamp.ends_with('Z') && timestamp.as_bytes()[10] == b'T',
        "{timestamp}"
    );
    let id = record["exchange.id"].as_str().unwrap();
    assert!(
        id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{id}"
    );
    let (first, all) = (
        record["upstream.first_byte_ms"].as_f64(),
        record["duration_ms"].as_f64(),
    );
    assert!(first > Some(0.0) && first <= all);

    let record = bench.forwarded(GOOD).record;
    check_keys(&record, &["url.path"]);
    for key in [
        "url.query",
        "error.type",
        "hint",
        "oauth.problem",
        "aps.transaction_id",
        "clock.skew_s",
    ] {
        assert!(record.get(key).is_none(), "{key}: {record:#}");
    }
    // An empty query is there, and empty.
    let record = bench
        .forwarded("GET /? HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .record;
    assert_eq!(record["url.query"], "");

    let record = bench
        .refused(
            "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
            421,
            "http_request_denied",
            Keep,
        )
        .record;
    check_keys(&record, &["url.path", "error.type", "http.request.method"]);
    assert_eq!(record["upstream.attempts"], 0);
    assert_eq!(record["oauth.signed"], false);
    let body = bench.refused("GET * HTTP/1.1\r\n\r\n", 400, "http_request_error", Close);
    check_keys(&body.record, &["error.type"]);
    assert_eq!(
        body.record["http.response.body.size"],
        body.response.body.len()
    );
    bench.finish();
}

#[test]
fn a_refused_head_is_recorded_with_its_request_line() {
    let bench = Bench::new();
    let long = format!("/{}", "a".repeat(70_000));
    let many = "A: b\r\n".repeat(101);
    let line = "GET /a/b?c=d HTTP/1.1\r\n";
    let host = "Host: localhost\r\n";
    let known = ("GET", Some("/a/b"), Some("c=d"));
    let check =
        |head: String, status, (method, path, query): (&str, Option<&str>, Option<&str>)| {
            let refused = bench.refused(head.as_str(), status, "http_request_error", Close);
            let record = &refused.record;
            assert_eq!(record["http.request.method"], method, "{head:.60}");
            assert_eq!(
                record.get("url.path").and_then(Value::as_str),
                path,
                "{head:.60}"
            );
            assert_eq!(
                record.get("url.query").and_then(Value::as_str),
                query,
                "{head:.60}"
            );
        };
    check(format!("{line}\r\n"), 400, known);
    check(format!("{line}{host}{host}\r\n"), 400, known);
    check(format!("{line}Host: a b\r\n\r\n"), 400, known);
    check(format!("{line}{host}A : b\r\n\r\n"), 400, known);
    check(format!("{line}{host}A: b\n\r\n"), 400, known);
    check(format!("{line}{host}{many}\r\n"), 431, known);
    check(
        format!("{line}{host}A: {}\r\n\r\n", "b".repeat(70_000)),
        431,
        known,
    );
    check(
        format!("{line}{host}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        400,
        known,
    );
    check(
        format!("{line}{host}Transfer-Encoding: gzip\r\n\r\n"),
        501,
        known,
    );
    check(format!("{line}{host}Expect: x\r\n\r\n"), 417, known);
    check(
        format!("TRACE /a?oauth_signature=s&b HTTP/1.1\r\n{host}\r\n"),
        405,
        ("TRACE", Some("/a"), Some("oauth_signature=REDACTED&b")),
    );
    check(
        format!("GET /a#b HTTP/1.1\r\n{host}\r\n"),
        400,
        ("GET", Some("/a"), None),
    );
    check(
        format!("GET http://u@localhost/a HTTP/1.1\r\n{host}\r\n"),
        400,
        ("GET", None, None),
    );
    check(
        format!("{} /a HTTP/1.1\r\n{host}\r\n", "M".repeat(65)),
        400,
        (&"M".repeat(64), Some("/a"), None),
    );
    check(
        format!("GET {long} HTTP/1.1\r\n{host}\r\n"),
        414,
        ("GET", Some(&long[..65_536]), None),
    );
    bench.finish();
}

#[test]
fn a_record_in_text_is_one_line_of_pairs() {
    let upstream = Recorder::start();
    let daemon = support::setup::Setup::new(upstream.url())
        .log("format = 'text'")
        .start();
    for request in [
        "GET /a?b=c HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: localhost\r\nAPS-Transaction-ID: x y=\"z\" level=ERROR\r\n\r\n",
        "GET /\u{9b}31m\u{202e} HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        let mut client = daemon.connect();
        client.send(request);
        assert_eq!(client.response().status, 200);
    }
    let (code, lines) = daemon.stop();
    assert_eq!(code, Some(0));
    let exchanges: Vec<_> = lines
        .iter()
        .filter(|line| line.contains(" exchange "))
        .collect();
    let [plain, spaced, odd] = exchanges[..] else {
        panic!("{lines:#?}");
    };
    assert!(plain.contains(" INFO exchange exchange.id="), "{plain}");
    let wanted = "proxy=test client.address=127.0.0.1 http.request.method=GET url.path=/a url.query=\"b=c\" \
                  http.response.status_code=200 http.response.body.size=2 upstream.attempts=1 oauth.signed=true";
    for pair in wanted.split(' ') {
        assert!(
            plain.split(' ').any(|found| found == pair),
            "{pair}: {plain}"
        );
    }
    assert!(
        spaced.ends_with(r#" aps.transaction_id="x y=\"z\" level=ERROR""#),
        "{spaced}"
    );
    assert!(odd.contains(r#" url.path="/\u{9b}31m\u{202e}" "#), "{odd}");
}

#[test]
fn control_characters_are_escaped_so_that_no_record_can_be_forged() {
    let bench = Bench::new();
    let forged = "{\"message\":\"exchange\"}";
    for (request, key, value) in [
        ("/\u{85}\u{9b}2J", "url.path", "/\u{85}\u{9b}2J"),
        ("/?\u{9d}0;title\u{9c}", "url.query", "\u{9d}0;title\u{9c}"),
        ("/\\\\n\\u000a", "url.path", "/\\\\n\\u000a"),
        ("/{}%22,%22level%22:1", "url.path", "/{}%22,%22level%22:1"),
    ] {
        let exchange =
            bench.forwarded(format!("GET {request} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert_eq!(exchange.record[key], value);
    }
    for value in [
        "a\tb",
        "\u{9b}31m",
        forged,
        "\",\"level\":\"ERROR",
        "\\",
        "\\u000a",
        "caf\u{e9}",
    ] {
        let request =
            format!("GET / HTTP/1.1\r\nHost: localhost\r\nAPS-Transaction-ID: {value}\r\n\r\n");
        assert_eq!(bench.forwarded(request).record["aps.transaction_id"], value);
    }
    // Bytes that are no UTF-8 are replaced.
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nAPS-Transaction-ID: a\xff\xc3b\r\n\r\n";
    assert_eq!(
        bench.forwarded(request).record["aps.transaction_id"],
        "a\u{fffd}\u{fffd}b"
    );
    // What a detail quotes is decoded first.
    for name in [
        "oauth_%0a%0d%1b[2J",
        "oauth_%22%5c",
        "oauth_%c2%9b",
        "oauth_%00%7f%ff",
    ] {
        let request = format!("GET /?{name} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let refused = bench.refused(request, 400, "http_request_error", Close);
        let shown = [
            refused.response.head.only("proxy-status").to_owned(),
            refused.problem["detail"].as_str().unwrap().to_owned(),
            refused.record["error.message"].as_str().unwrap().to_owned(),
        ];
        for text in shown {
            assert!(!text.contains(|c: char| c.is_control()), "{text:?}");
        }
    }
    for line in bench.daemon.log().lines() {
        assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
    }
    bench.finish();
}

/// A text as it may appear when it is percent-encoded, quoted or in base64.
fn disguises(secret: &str) -> Vec<String> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let encoded: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let base64 = STANDARD.encode(secret);
    vec![
        secret.to_owned(),
        encoded,
        base64.trim_end_matches('=').to_owned(),
    ]
}

#[test]
fn secrets_signatures_credentials_and_cookies_stand_nowhere_in_the_log() {
    for method in [Method::HmacSha1, Method::Plaintext] {
        let token_secret = random_text(40);
        let client_token = random_text(40);
        let sentinel = format!("S3NTINEL{}", random_text(20));
        let options = SigningOptions {
            method,
            ..SigningOptions::default()
        };
        let bench = Bench::with(|setup| {
            let path = setup.secret_file("client-token", &client_token);
            setup
                .signing(options)
                .token("the-token", &token_secret)
                .table(
                    "access",
                    &format!("client_token_file = '{}'", path.display()),
                )
        });
        let fields = format!(
            "Proxy-Authorization: Bearer {client_token}\r\nAuthorization: Basic {sentinel}\r\n\
             Cookie: session={sentinel}\r\nX-Api-Key: {sentinel}\r\n"
        );
        let exchange = bench.forwarded(format!(
            "GET /a HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"
        ));
        let signature = bench.verify(&exchange.request).signature;
        let content = format!("password={sentinel}");
        bench.forwarded(format!(
            "POST /a HTTP/1.1\r\nHost: localhost\r\n{fields}Content-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{content}",
            content.len()
        ));
        for request in [
            format!("GET /a HTTP/1.1\r\nHost: {sentinel}@x\r\n\r\n"),
            format!("GET /a HTTP/1.1\r\nHost: localhost\r\n{fields}Bad : {sentinel}\r\n\r\n"),
            format!(
                "GET /a HTTP/1.1\r\nHost: localhost\r\n{fields}Content-Length: {sentinel}\r\n\r\n"
            ),
            format!("{sentinel}\0 / HTTP/1.1\r\n\r\n"),
        ] {
            let refused = bench.refused(request, 400, "http_request_error", Close);
            assert!(!refused.problem.to_string().contains(&sentinel));
        }
        let id = bench.daemon.process().id();
        let consumer_secret =
            fs::read_to_string(bench.daemon.process().directory().join("consumer-secret")).unwrap();
        let mut shown = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        shown.extend(fs::read(format!("/proc/{id}/environ")).unwrap_or_default());
        let log = bench.daemon.log().clone();
        bench.finish();
        shown.extend(log.lines().join("\n").into_bytes());
        let shown = String::from_utf8_lossy(&shown);
        for secret in [
            consumer_secret,
            token_secret,
            client_token,
            sentinel,
            signature,
        ] {
            for disguise in disguises(&secret) {
                assert!(!shown.contains(&disguise), "{disguise}: {shown}");
            }
        }
        for word in ["OAuth ", "oauth_signature=", "Bearer ", "Basic "] {
            assert!(!shown.contains(word), "{word}: {shown}");
        }
    }
}

/// Answers of a status, with a piece of the head and the content, and what is recorded of the problem.
const REFUSED: [(&str, &str, &str, Option<&str>); 12] = [
    (
        "401 No",
        "",
        "oauth_problem=signature_invalid&debug=a",
        Some("signature_invalid"),
    ),
    (
        "401 No",
        "",
        "oauth_problem=signature_invalid",
        Some("signature_invalid"),
    ),
    (
        "400 No",
        "",
        "{\"a\": \"oauth_problem=nonce_used\"}",
        Some("nonce_used"),
    ),
    (
        "403 No",
        "Content-Type: text/html\r\n",
        "<p>oauth_problem=token_rejected</p>",
        Some("token_rejected"),
    ),
    (
        "401 No",
        "",
        "oauth_problem=timestamp_refused&oauth_acceptable_timestamps=1-2",
        Some("timestamp_refused"),
    ),
    // The field is the upstream's first word.
    (
        "401 No",
        "WWW-Authenticate: OAuth oauth_problem=nonce_used\r\n",
        "oauth_problem=signature_invalid",
        Some("nonce_used"),
    ),
    (
        "400 No",
        "WWW-Authenticate: OAuth oauth_problem=nonce_used\r\n",
        "",
        Some("nonce_used"),
    ),
    (
        "401 No",
        "Content-Encoding: gzip\r\n",
        "oauth_problem=signature_invalid",
        None,
    ),
    ("401 No", "", "oauth_problem=aSignature%3D", None),
    ("401 No", "", "", None),
    ("403 No", "", "no", None),
    ("200 OK", "", "oauth_problem=signature_invalid", None),
];

#[test]
fn the_problem_of_a_refused_signature_is_found_in_content_that_passes_untouched() {
    for (status, fields, content, problem) in REFUSED {
        let code = status[..3].parse().unwrap();
        let fields = format!("HTTP/1.1 {status}\r\n{fields}");
        let length = content.len();
        let whole = format!("{fields}Content-Length: {length}\r\n\r\n{content}");
        let chunked = match length {
            0 => String::new(),
            _ => format!("{length:X}\r\n{content}\r\n"),
        };
        let chunked = format!("{fields}Transfer-Encoding: chunked\r\n\r\n{chunked}0\r\n\r\n");
        for answer in [whole, chunked] {
            let sent = answer.clone();
            let stage = Stage::with(
                |setup| setup.keys("passthrough_headers = ['X-Unsigned']"),
                move |peer| peer.answer_all(&sent),
            );
            let mut client = stage.ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
            assert_eq!(client.bytes(answer.len()), answer.as_bytes());
            client.send("GET / HTTP/1.1\r\nHost: localhost\r\nX-Unsigned: 1\r\n\r\n");
            client.bytes(answer.len());
            drop(client);
            let records = stage.finish(&[fine(code); 2]);
            assert_eq!(records[0]["oauth.problem"].as_str(), problem, "{answer}");
            let hint = records[0]["hint"].as_str().unwrap_or_default();
            let expected = match problem {
                Some("timestamp_refused") => "refused the timestamp",
                _ => "refused the credentials",
            };
            let has_hint = problem.is_some() || code == 401;
            assert_eq!(hint.contains(expected), has_hint, "{hint}: {answer}");
            // Without a signature there is none to be refused.
            for key in ["oauth.problem", "hint"] {
                assert!(records[1].get(key).is_none(), "{key}: {answer}");
            }
        }
    }
}

#[test]
fn the_log_goes_to_a_file_while_the_ready_line_stays_on_standard_error() {
    let upstream = Recorder::start();
    let daemon = support::setup::Setup::new(upstream.url())
        .log("format = 'json'\nfile = 'exchanges.log'")
        .start();
    let path = daemon.process().directory().join("exchanges.log");
    let mut client = daemon.connect();
    client.send(GOOD);
    assert_eq!(client.response().status, 200);
    drop(client);
    // The directory goes with the process.
    let kept = fs::File::open(&path).unwrap();
    let (code, lines) = daemon.stop();
    assert_eq!(code, Some(0));
    let messages = records(&lines).map(|record| record["message"].clone());
    assert_eq!(messages.collect::<Vec<_>>(), ["listening"]);
    let text = std::io::read_to_string(kept).unwrap();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(support::log::exchanges(&lines).len(), 1, "{text}");
}

//! The way to a platform from one end to the other, and where it can be blocked.

use super::{
    OK_WITHOUT_DATE, answer, answering, check, check_lines, dated, directory, doctor_in, proxy,
    support::{
        certificates::{Authority, Certificate},
        upstream::{FullQueue, Upstream, closed_address},
    },
};

#[test]
fn each_step_of_a_way_that_is_free_is_told() {
    let authority = Authority::new();
    let (_directory, ca) = authority.ca_file();
    let certificate = authority.issue_for_days(-1, 90);
    let upstream = answering(&certificate, &dated("200 OK", 0, ""));
    let expected = [
        "proxy test: https://127.0.0.1:",
        "ok DNS 127.0.0.1 is an address",
        "ok TCP 127.0.0.1:",
        "ok TLS TLS 1.3, TLS_AES_",
        "chain 1. subject",
        "ok name made out to 127.0.0.1;",
        "ok expiry 90 days left",
        "pin pin_sha256 =",
        "ok trust a root of tls.ca_file",
        "ok clock",
        "ok GET /aps/2?sort(+name): 200,",
    ];
    let words = ["--path", "/aps/2?sort(+name)"];
    let ended = check(&upstream.url(), &ca, &words, 0, &expected);
    assert!(!ended.stdout.contains("warning"), "{}", ended.stdout);
    let pin = format!("pin_sha256 = [\"sha256//{}\"]", certificate.pin);
    assert!(ended.stdout.contains(&pin), "{}", ended.stdout);
    let requests = upstream.requests();
    assert_eq!(upstream.connections(), 1);
    assert_eq!(requests.len(), 1);
    let line = requests[0].head.first_line();
    assert_eq!(line, b"GET /aps/2?sort(+name) HTTP/1.1");
    assert_eq!(
        requests[0].head.only("host"),
        upstream.address().to_string()
    );
    let authorization = requests[0].head.only("authorization").to_owned();
    assert!(
        authorization.contains("oauth_token=\"token\""),
        "{authorization}"
    );
}

#[test]
fn a_name_that_is_unknown_fails_at_dns() {
    let expected = [
        "FAILED DNS the name platform.invalid",
        "to do: check the name",
    ];
    let ended = check("https://platform.invalid", "", &[], 1, &expected);
    assert!(!ended.stdout.contains("TCP"), "{}", ended.stdout);
}

#[test]
fn an_address_that_refuses_or_does_not_answer_fails_at_tcp() {
    let closed = format!("https://{}", closed_address());
    let expected = [
        "ok DNS",
        "FAILED TCP could not connect to",
        "to do: nothing listens there",
    ];
    check(&closed, "", &[], 1, &expected);
    let full = FullQueue::new();
    let expected = [
        "ok DNS",
        "FAILED TCP no connection within 2000 ms",
        "to do:",
    ];
    check(
        &format!("https://{}", full.address()),
        "",
        &[],
        1,
        &expected,
    );
}

#[test]
fn what_is_no_tls_or_no_http_fails_with_the_daemons_words() {
    let silent = Upstream::plain(|peer| {
        peer.send(b"SSH-2.0-x\r\n")?;
        peer.until_end().map(drop)
    });
    let url = format!("https://{}", silent.address());
    check(
        &url,
        "",
        &[],
        1,
        &["ok TCP", "FAILED TLS no TLS with the upstream:", "to do:"],
    );
    let authority = Authority::new();
    let (_directory, ca) = authority.ca_file();
    let wants_more = Upstream::mutual_tls(&authority.issue(), &authority, answer);
    let ended = check(&wants_more.url(), &ca, &[], 1, &["ok trust", "FAILED GET"]);
    assert!(
        ended
            .stdout
            .contains("certificate_required (116); it wants a client certificate"),
        "{ended:#?}"
    );
    let certificate = Certificate::self_signed();
    let garbled = answering(&certificate, "HTTP/1.1 200 OK\nContent-Length: 2\n\nok");
    let pin = format!("pin_sha256 = ['{}']", certificate.pin);
    let ended = check(&garbled.url(), &pin, &[], 1, &["ok trust", "FAILED GET"]);
    assert!(ended.stdout.contains("(http_protocol_error)"), "{ended:#?}");
}

#[test]
fn a_platform_that_says_nothing_fails_at_tls_in_time() {
    let silent = Upstream::plain(|peer| peer.until_end().map(drop));
    let url = format!("https://{}", silent.address());
    let expected = [
        "ok TCP",
        "FAILED TLS no connection within 2000 ms (TLS handshake)",
        "to do: something accepts connections and does not speak TLS",
    ];
    check(&url, "", &[], 1, &expected);
}

#[test]
fn a_plaintext_upstream_is_examined_where_it_is_allowed() {
    let upstream = Upstream::plain(answer);
    let directory = directory(&proxy("test", &upstream.url(), ""));
    let ended = doctor_in(directory.path(), &["--allow-plaintext-upstream"]);
    check_lines(
        &ended,
        0,
        &["ok TCP", "warning TLS none:", "ok GET /: 200,"],
    );
    let ended = doctor_in(directory.path(), &[]);
    assert_eq!(ended.code, Some(78), "{ended:#?}");
}

#[test]
fn every_proxy_is_examined_and_one_failure_is_enough() {
    let certificate = Certificate::self_signed();
    let upstream = answering(&certificate, OK_WITHOUT_DATE);
    let pin = format!("pin_sha256 = ['{}']", certificate.pin);
    let closed = format!("https://{}", closed_address());
    let file = proxy("a", &closed, "") + &proxy("b", &upstream.url(), &pin);
    let directory = directory(&file);
    let ended = doctor_in(directory.path(), &[]);
    check_lines(&ended, 1, &["proxy a:", "FAILED TCP", "proxy b:", "ok GET"]);
    let ended = doctor_in(directory.path(), &["--proxy", "b"]);
    check_lines(&ended, 0, &["proxy b:", "ok GET"]);
    let ended = doctor_in(directory.path(), &["--proxy", "c"]);
    assert_eq!(ended.code, Some(78), "{ended:#?}");
}

#[test]
fn what_can_not_be_asked_for_or_used_is_refused_before_anything_is_sent() {
    let upstream = Upstream::plain(answer);
    let url = format!("https://{}", upstream.address());
    for path in ["", "a", "/a b", "/a#b", "https://h/", "/\n"] {
        check(&url, "", &["--path", path], 64, &[]);
    }
    check(&url, "ca_file = 'secret'", &[], 78, &[]);
    check(&url, "pin_sha256 = ['S3NTINEL']", &[], 78, &[]);
    assert_eq!(upstream.connections(), 0);
}

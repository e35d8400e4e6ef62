//! Heads of requests, accepted and refused.

use super::*;
use crate::wire::request_line::{MAX_TARGET_BYTES, parse_request_line};

fn parse(head: &str) -> Result<RequestHead, RequestFault> {
    let (line, _) = head.split_once("\r\n").unwrap();
    let section = head.len().min(line.len() + 2);
    let line = parse_request_line(line.as_bytes())?;
    let head = Bytes::copy_from_slice(head.as_bytes());
    parse_request(line, &head, head.slice(section..), 64 * 1024)
}

#[test]
fn a_target_is_kept_byte_for_byte() {
    let targets = [
        "/aps/2/resources?implementing(http://a.org/t/1.0),like(name,*a*),sort(+name),limit(0,10)",
        "//evil/x",
        "/a/../b/%2e%2e/%2F\\[]|{}\"",
        "/caf\u{e9}?q=\u{20ac}&[x]|`^",
        "/?",
        "/%zz?a?b??",
        "/a;b=c/*",
    ];
    for target in targets {
        let head = parse(&format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n")).unwrap();
        assert_eq!(head.target, target.as_bytes());
        assert_eq!(head.authority, None);
    }
}

#[test]
fn an_absolute_form_is_split_into_authority_and_origin_form() {
    let table = [
        ("http://127.0.0.1:8080/a?b", "127.0.0.1:8080", "/a?b"),
        ("HTTP://localhost", "localhost", "/"),
        ("http://localhost?x=/y", "localhost", "/?x=/y"),
        ("http://[::1]:80//x", "[::1]:80", "//x"),
    ];
    for (absolute, authority, target) in table {
        let head = parse(&format!("GET {absolute} HTTP/1.1\r\nHost: x\r\n")).unwrap();
        assert_eq!(head.authority.unwrap(), authority);
        assert_eq!(head.target, target);
    }
}

#[test]
fn malformed_request_lines_are_refused() {
    let table = [
        "GET  / HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET /a b HTTP/1.1",
        "G(T / HTTP/1.1",
        " / HTTP/1.1",
        "GET / http/1.1",
        "GET / HTTP/1.1x",
        "GET foo HTTP/1.1",
        "GET * HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "GET evil:443 HTTP/1.1",
        "GET https://localhost/ HTTP/1.1",
        "GET ftp://localhost/ HTTP/1.1",
        "GET http://u@localhost/ HTTP/1.1",
        "GET http:///x HTTP/1.1",
        "GET /a#b HTTP/1.1",
        "GET /<b> HTTP/1.1",
        "GET /?a=\"b\" HTTP/1.1",
        "GET /\u{1} HTTP/1.1",
        "GET /\t HTTP/1.1",
    ];
    for line in table {
        let fault = parse(&format!("{line}\r\nHost: localhost\r\n")).unwrap_err();
        let malformed = matches!(
            fault,
            RequestFault::RequestLine(_) | RequestFault::Target(_) | RequestFault::Host(_)
        );
        assert!(malformed, "{line:?}: {fault:?}");
    }
    assert_eq!(
        parse("CONNECT a:443 HTTP/1.1\r\n").unwrap_err(),
        RequestFault::Method
    );
}

#[test]
fn other_protocols_are_told_apart() {
    for line in [
        "GET /",
        "PRI * HTTP/2.0",
        "GET / HTTP/1.2",
        "GET / HTTP/0.9",
    ] {
        let fault = parse_request_line(line.as_bytes()).unwrap_err();
        assert!(matches!(fault, RequestFault::NotHttp1(_)), "{line:?}");
    }
}

#[test]
fn a_host_is_there_once_and_well_formed() {
    let good = [
        "localhost",
        "127.0.0.1:8080",
        "[::1]",
        "[::1]:8080",
        "a-b.example:",
    ];
    for host in good {
        assert!(
            parse(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n")).is_ok(),
            "{host}"
        );
    }
    let bad = [
        "a b", "u@a", "", "a:b", "a:70000", "[::1", "[x]", "[::1]x", "a/b", "a:1:2", "\u{e9}",
    ];
    for host in bad {
        let fault = parse(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n")).unwrap_err();
        assert!(
            matches!(fault, RequestFault::Host(_)),
            "{host:?}: {fault:?}"
        );
    }
    assert!(matches!(
        parse("GET / HTTP/1.1\r\n"),
        Err(RequestFault::Host(_))
    ));
    assert!(parse("GET / HTTP/1.0\r\n").is_ok());
    let twice = "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n";
    assert!(matches!(parse(twice), Err(RequestFault::Host(_))));
}

#[test]
fn the_framing_is_one_or_the_request_is_refused() {
    let good = [
        ("", Framing::None),
        ("Content-Length: 0\r\n", Framing::None),
        ("content-length: 007\r\n", Framing::Length(7)),
        ("Transfer-Encoding: Chunked\r\n", Framing::CHUNKED),
    ];
    for (fields, framing) in good {
        let head = parse(&format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}")).unwrap();
        assert_eq!(head.framing, framing, "{fields:?}");
    }
    let bad = [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: -5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 5 5\r\n",
        "Content-Length:\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length: 9223372036854775808\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding:\r\n",
    ];
    for fields in bad {
        let fault = parse(&format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}")).unwrap_err();
        assert!(
            matches!(fault, RequestFault::Framing(_)),
            "{fields:?}: {fault:?}"
        );
    }
    for coding in [
        "gzip, chunked",
        "chunked, chunked",
        ",chunked",
        "xchunked",
        "identity",
        "chunked;q=1",
    ] {
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {coding}\r\n");
        assert_eq!(
            parse(&head).unwrap_err(),
            RequestFault::TransferCoding,
            "{coding}"
        );
    }
    let old = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n";
    assert!(matches!(parse(old), Err(RequestFault::Framing(_))));
}

#[test]
fn only_100_continue_can_be_expected() {
    let head = |value: &str| {
        parse(&format!(
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: {value}\r\n"
        ))
    };
    assert!(head("100-Continue").unwrap().expects_continue);
    assert_eq!(head("200-ok").unwrap_err(), RequestFault::Expectation);
    assert_eq!(
        head("100-continue, x").unwrap_err(),
        RequestFault::Expectation
    );
    assert!(
        !parse("POST / HTTP/1.0\r\nExpect: 100-continue\r\n")
            .unwrap()
            .expects_continue
    );
}

#[test]
fn long_targets_and_sections_are_refused() {
    let longest = format!("/{}", "a".repeat(MAX_TARGET_BYTES - 1));
    assert!(parse(&format!("GET {longest} HTTP/1.1\r\nHost: a\r\n")).is_ok());
    let fault = parse(&format!("GET {longest}a HTTP/1.1\r\nHost: a\r\n")).unwrap_err();
    assert_eq!(fault, RequestFault::TargetTooLong(MAX_TARGET_BYTES));
    let long = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n",
        "a".repeat(64 * 1024)
    );
    assert!(matches!(parse(&long), Err(RequestFault::HeaderTooLong(_))));
}

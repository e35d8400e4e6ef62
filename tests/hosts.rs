//! `Host` and absolute targets: only what names this proxy is served.

mod support;

use support::{
    bench::{
        Bench, DENIED, MALFORMED,
        Then::{Close, Keep},
    },
    request::{get, get_from},
};

#[test]
fn a_host_that_is_missing_repeated_or_malformed_is_refused() {
    let bench = Bench::new();
    let port = bench.daemon.socket_address().port();
    let sections = [
        String::new(),
        "X: y\r\n".to_owned(),
        "Host: localhost\r\nHost: localhost\r\n".to_owned(),
        "Host: localhost\r\nhOST: evil.example\r\n".to_owned(),
        "Host: a b\r\n".to_owned(),
        "Host: u@localhost\r\n".to_owned(),
        format!("Host: u:p@127.0.0.1:{port}\r\n"),
        "Host:\r\n".to_owned(),
        "Host: \t \r\n".to_owned(),
        "Host: localhost, localhost\r\n".to_owned(),
        "Host: localhost/\r\n".to_owned(),
        "Host: localhost/../x\r\n".to_owned(),
        "Host: localhost?x\r\n".to_owned(),
        "Host: localhost#x\r\n".to_owned(),
        "Host: http://localhost\r\n".to_owned(),
        "Host: localhost:port\r\n".to_owned(),
        "Host: localhost:+80\r\n".to_owned(),
        "Host: localhost:65536\r\n".to_owned(),
        "Host: localhost:80:80\r\n".to_owned(),
        "Host: :80\r\n".to_owned(),
        "Host: [::1\r\n".to_owned(),
        "Host: ::1\r\n".to_owned(),
        "Host: [localhost]\r\n".to_owned(),
        "Host: [::1]x\r\n".to_owned(),
        "Host: [::1%25lo]\r\n".to_owned(),
        "Host: local\\host\r\n".to_owned(),
        "Host: caf\u{e9}\r\n".to_owned(),
        "Host: loc%zzalhost\r\n".to_owned(),
        "Host: localhost%2\r\n".to_owned(),
    ];
    for section in &sections {
        let request = format!("GET / HTTP/1.1\r\n{section}\r\n");
        let refused = bench.refused(request, 400, MALFORMED, Close);
        assert_eq!(refused.problem["title"], "Bad Request", "{section:?}");
    }
    bench.finish();
}

#[test]
fn a_host_that_is_not_the_proxys_own_is_misdirected() {
    let bench = Bench::with(|setup| {
        setup.table(
            "access",
            "allowed_hosts = ['proxy.lan', 'other.lan:8080', '[fd00::1]']",
        )
    });
    let upstream = bench.upstream.authority();
    let foreign = [
        "evil.example",
        "localhost.attacker.com",
        "localhost.attacker.com:80",
        "127.0.0.1.attacker.com",
        "xlocalhost",
        "localhost.",
        "0.0.0.0",
        "128.0.0.1",
        "192.0.2.1",
        "2130706433",
        "0x7f000001",
        "[::2]",
        "[fd00::2]",
        "proxy.lan.evil.example",
        "evilproxy.lan",
        "x.proxy.lan",
        "proxy%2elan",
        "other.lan",
        "other.lan:80",
    ];
    for host in foreign {
        bench.refused(get_from("/", host), 421, DENIED, Keep);
    }
    let own = [
        bench.daemon.address(),
        "localhost",
        "LocalHost",
        "localhost:1",
        "127.0.0.1",
        "127.1.2.3:65535",
        "[::1]",
        "[::1]:8080",
        "proxy.lan",
        "PROXY.lan:99",
        "other.lan:8080",
        // The upstream's address is one of loopback too.
        &upstream,
    ];
    for host in own {
        bench.forwarded(get_from("/", host));
    }
    // HTTP/1.0 has no Host, so that no browser sends one without it.
    bench.forwarded("GET / HTTP/1.0\r\n\r\n");
    bench.refused(
        "GET / HTTP/1.0\r\nHost: evil.example\r\n\r\n",
        421,
        DENIED,
        Close,
    );
    bench.finish();
}

#[test]
fn an_absolute_form_is_taken_for_an_origin_form_if_it_names_this_proxy() {
    let bench = Bench::with(|setup| setup.table("access", "allowed_hosts = ['proxy.lan']"));
    let own = bench.daemon.address().to_owned();
    let allowed = [
        (format!("http://{own}/a?b=c"), "/a?b=c"),
        ("http://localhost/".to_owned(), "/"),
        ("HTTP://LOCALHOST:80//x/../y?".to_owned(), "//x/../y?"),
        ("http://localhost".to_owned(), "/"),
        ("http://localhost?x=/y".to_owned(), "/?x=/y"),
        ("http://[::1]:80/x".to_owned(), "/x"),
        ("http://proxy.lan/a@b:80/".to_owned(), "/a@b:80/"),
        (
            "http://127.0.0.1/http://evil.example/".to_owned(),
            "/http://evil.example/",
        ),
    ];
    for (absolute, target) in allowed {
        let exchange = bench.forwarded(get(&absolute));
        assert_eq!(exchange.request.target(), target.as_bytes());
    }
    let refused = [
        "http://evil.example/",
        "http://localhost.attacker.com/",
        "http://localhost@evil.example/",
        "http://u@localhost/",
        "http://u:p@localhost/",
        "http:///x",
        "http://",
        "http:/localhost/",
        "http:localhost",
        "http://localhost:x/",
        "http://localhost\\@evil.example/",
        "https://localhost/",
        "https://evil.example/",
        "ftp://localhost/",
        "ws://localhost/",
        "file:///etc/passwd",
        "javascript:1",
        "unix:/x",
    ];
    for target in refused {
        bench.refused(get(target), 400, MALFORMED, Close);
    }
    // The target's authority and Host must both be this proxy's.
    let refused = bench.refused(
        get_from("http://localhost/", "evil.example"),
        421,
        "http_request_denied",
        Keep,
    );
    assert_eq!(refused.record["url.path"], "/");
    bench.finish();
}

#[test]
fn no_header_changes_where_a_request_goes() {
    let bench = Bench::new();
    let lines = [
        "X-Forwarded-Host: evil.example",
        "X-Forwarded-Server: evil.example",
        "X-Forwarded-Proto: http",
        "X-Forwarded-For: 192.0.2.1",
        "X-Forwarded-Port: 80",
        "X-Host: evil.example",
        "X-Original-URL: /evil",
        "X-Rewrite-URL: /evil",
        "Forwarded: host=evil.example;proto=http",
        "X-HTTP-Method-Override: DELETE",
        "Authority: evil.example",
        "Referer: http://evil.example/",
        "Via: 1.1 evil.example",
    ];
    for line in lines {
        let request = format!("GET /a HTTP/1.1\r\nHost: localhost\r\n{line}\r\n\r\n");
        let exchange = bench.forwarded(request);
        assert_eq!(exchange.request.head.first_line(), b"GET /a HTTP/1.1");
        assert!(
            exchange
                .request
                .head
                .field_lines()
                .contains(&line.as_bytes())
        );
    }
    bench.finish();
}

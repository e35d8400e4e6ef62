//! Request lines and targets: what is forwarded byte for byte, and what is refused.

mod support;

use support::{
    bench::{Bench, GOOD, MALFORMED, Then::Close},
    request::get,
    stage::{OK, Stage, fine},
};

#[test]
fn a_target_in_another_form_is_refused() {
    let bench = Bench::new();
    for target in [
        "foo",
        "*",
        "evil:443",
        "evil.example",
        "127.0.0.1:80",
        "?x",
        "#",
        "@evil/",
        "",
    ] {
        for method in ["GET", "OPTIONS", "POST"] {
            let request = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n\r\n");
            bench.refused(request, 400, MALFORMED, Close);
        }
    }
    bench.finish();
}

#[test]
fn a_tunnel_and_a_trace_are_refused() {
    let bench = Bench::new();
    for target in ["evil:443", "localhost:80", "/", "*", "http://localhost/"] {
        let request = format!("CONNECT {target} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let refused = bench.refused(request, 405, MALFORMED, Close);
        assert!(!refused.response.head.only("allow").contains("CONNECT"));
    }
    // Its answer would show the signature.
    for target in ["/", "/a?b", "http://localhost/", "*"] {
        for fields in ["", "Max-Forwards: 0\r\n"] {
            let request = format!("TRACE {target} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n");
            let refused = bench.refused(request, 405, MALFORMED, Close);
            assert!(!refused.response.head.only("allow").contains("TRACE"));
        }
    }
    bench.finish();
}

#[test]
fn whatever_stands_in_a_path_or_query_reaches_the_same_upstream_as_it_was_sent() {
    let bench = Bench::new();
    let targets = [
        "/",
        "//evil/x",
        "//evil.example:443/x",
        "///",
        "/http://evil.example/",
        "/@evil.example/",
        "/:80/",
        "/a/../b",
        "/../../../etc/passwd",
        "/./a/.",
        "/%2e%2e/a",
        "/%2E%2e%2f%2F",
        "/a%2Fb%2fc",
        "/a\\b\\..\\c",
        "/a%5Cb",
        "/[a]",
        "/a|b",
        "/{a}^~",
        "/caf\u{e9}",
        "/\u{20ac}?\u{e9}=\u{20ac}",
        "/%",
        "/%zz",
        "/%c3%A9%C3",
        "/%00",
        "/%0d%0aX:%20y",
        "/;a=b;c",
        "/a,b!$&'()*+=:@",
        "/?",
        "/a?",
        "/a??",
        "/a?b?c",
        "/?%zz",
        "/?%",
        "/?a&&b=&=c&=",
        "/?a=b=c",
        "/?a;b",
        "/?a=+&b=%20&c=%2B",
        "/?[x]={y}|z^`\\",
        "/?http://evil.example/",
        "/aps/2/resources?implementing(http://aps-standard.org/types/core/resource/1.0),like(name,*abc*),sort(+name),limit(0,10)",
        "/aps/2/resources/?implementing(T)&id=1000017",
    ];
    for target in targets {
        let exchange = bench.forwarded(get(target));
        assert_eq!(exchange.request.target(), target.as_bytes(), "{target}");
        assert_eq!(exchange.record["oauth.signed"], true);
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        assert_eq!(exchange.record["url.path"], path);
        assert_eq!(exchange.record["url.query"].as_str(), query, "{target}");
    }
    bench.finish();
}

#[test]
fn a_target_that_no_parser_agrees_on_is_refused() {
    let bench = Bench::new();
    let targets: [&[u8]; 15] = [
        b"/`",
        b"/a#b",
        b"/#",
        b"/?a#b",
        b"/<b>",
        b"/a b",
        b"/a\tb",
        b"/?a=\"b\"",
        b"/?<",
        b"/\x01",
        b"/\x7f",
        b"/\0",
        b"/\xff",
        b"/?\xc3",
        b"/\xed\xa0\x80",
    ];
    for target in targets {
        let request = [b"GET ", target, b" HTTP/1.1\r\nHost: localhost\r\n\r\n"].concat();
        bench.refused(request, 400, MALFORMED, Close);
    }
    let lines = [
        "GET  / HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET /  HTTP/1.1",
        " GET / HTTP/1.1",
        "GET\t/\tHTTP/1.1",
        "G(T / HTTP/1.1",
        "G\u{e9}T / HTTP/1.1",
        ": / HTTP/1.1",
        "GET / http/1.1",
        "GET / HTTP/1.1x",
        "GET / HTTP/11",
        "GET / HTTP/1.",
        "GET / HTTP 1.1",
        "GET / HTTPS/1.1",
        "GET / ICY/1.1",
    ];
    for line in lines {
        let request = format!("{line}\r\nHost: localhost\r\n\r\n");
        bench.refused(request, 400, MALFORMED, Close);
    }
    let method = "A".repeat(1000);
    bench.refused(
        format!("{method} / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        400,
        MALFORMED,
        Close,
    );
    bench.finish();
}

#[test]
fn a_protocol_parameter_in_query_or_form_is_refused() {
    let bench = Bench::new();
    for query in [
        "oauth_token=x",
        "oauth_signature=x",
        "oauth_consumer_key",
        "a=b&oauth_nonce=x",
        "oauth_",
        "oauth_anything=x",
        "oauth%5fversion=1.0",
        "%6Fauth_token=x",
        "a&&%6f%61%75%74%68%5F=",
    ] {
        bench.refused(get(&format!("/?{query}")), 400, MALFORMED, Close);
        let request = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{query}",
            query.len()
        );
        let refused = bench.refused(request, 400, MALFORMED, Close);
        assert_eq!(refused.record["oauth.signed"], false);
    }
    for target in [
        "/oauth_token=x",
        "/?xoauth_token=x",
        "/?a=oauth_token",
        "/?a=oauth_token=x",
        "/?a;oauth_token=x",
        "/?Oauth_token=x",
        "/?oauth=x",
        "/?%256fauth_token=x",
    ] {
        bench.forwarded(get(target));
    }
    bench.finish();
}

#[test]
fn what_is_too_long_is_refused_by_the_status_for_it() {
    let bench = Bench::new();
    let longest = "/".to_owned() + &"a".repeat(64 * 1024 - 1);
    bench.forwarded(get(&longest));
    for target in [
        longest.clone() + "a",
        "/?".to_owned() + &"a".repeat(64 * 1024),
        "/".to_owned() + &"a".repeat(200 * 1024),
        "/".to_owned() + &"a".repeat(5 * 1024 * 1024),
        format!("http://localhost{longest}a"),
    ] {
        bench.refused(get(&target), 414, MALFORMED, Close);
    }
    // Not even a line.
    bench.refused(
        "GET /".to_owned() + &"a".repeat(200 * 1024),
        414,
        MALFORMED,
        Close,
    );

    let with_fields = |count: usize, line: &str| {
        let lines = line.repeat(count);
        format!("GET / HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n")
    };
    bench.forwarded(with_fields(99, "A: b\r\n"));
    let long = format!("A: {}\r\n", "b".repeat(60 * 1024));
    bench.forwarded(with_fields(1, &long));
    for request in [
        with_fields(100, "A: b\r\n"),
        with_fields(10_000, "A: b\r\n"),
        with_fields(2, &long),
        with_fields(1, &format!("A: {}\r\n", "b".repeat(64 * 1024))),
        with_fields(1, &format!("{}: b\r\n", "a".repeat(1024 * 1024))),
    ] {
        bench.refused(request, 431, MALFORMED, Close);
    }
    bench.finish();
}

#[test]
fn the_limit_of_the_header_section_can_be_set() {
    let bench = Bench::with(|setup| setup.table("limits", "header_bytes = '8KiB'"));
    let with_field = |length: usize| {
        let value = "b".repeat(length);
        format!("GET / HTTP/1.1\r\nHost: localhost\r\nA: {value}\r\n\r\n")
    };
    bench.forwarded(with_field(8000));
    bench.refused(with_field(8192), 431, MALFORMED, Close);
    bench.finish();
}

#[test]
fn what_is_not_http_1_is_closed_without_an_answer() {
    let bench = Bench::new();
    let hello = b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03".as_slice();
    let inputs: [&[u8]; 10] = [
        b"GET /\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/0.9\r\n\r\n",
        b"GET / HTTP/1.2\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\x04\0\0\0\0\0",
        hello,
        b"\x16",
    ];
    for input in inputs {
        bench.hung_up_on(input);
    }
    bench.forwarded(GOOD);
    bench.finish();
}

#[test]
fn a_client_that_leaves_before_or_within_a_head_leaves_no_trace() {
    let bench = Bench::new();
    for input in [
        "",
        "\r\n",
        "G",
        "GET / HTTP/1.1",
        "GET / HTTP/1.1\r\nHost: localhost\r\n",
    ] {
        let mut client = bench.daemon.connect();
        client.send(input);
        client.finish();
        client.expect_close();
    }
    bench.forwarded(GOOD);
    bench.finish();
}

#[test]
fn what_is_not_http_1_behind_a_request_does_not_harm_its_answer() {
    let inputs: [&[u8]; 5] = [
        b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03",
        b"\x16",
        b"GET / HTTP/2.0\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\x04\0\0\0\0\0",
    ];
    let bench = Bench::new();
    for input in inputs {
        let mut client = bench.daemon.connect();
        client.send([GOOD, input].concat());
        bench.answered(&mut client, false);
        client.expect_close();
    }
    bench.finish();

    let stage = Stage::new(|peer| {
        loop {
            peer.request()?;
            peer.pause()?;
            peer.send(OK)?;
        }
    });
    for (number, input) in inputs.iter().enumerate() {
        let mut client = stage.ask(GOOD);
        stage
            .upstream
            .wait("a request", |seen| seen.requests.len() == number + 1);
        client.send(input);
        stage.upstream.go_on();
        let response = client.response();
        assert_eq!((response.status, &*response.body), (200, &b"ok"[..]));
        client.expect_close();
    }
    stage.finish(&[fine(200); 5]);
}

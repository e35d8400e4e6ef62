//! Message framing: what delimits content is one thing for everybody, or the request is refused.

mod support;

use support::{
    bench::{Bench, GOOD, MALFORMED, Then::Close},
    request::{SMUGGLED, post_raw},
};

#[test]
fn lengths_that_contradict_each_other_or_are_no_number_are_refused() {
    let bench = Bench::new();
    let sections = [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
        "content-length: 5\r\nTRANSFER-ENCODING: CHUNKED\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: gzip\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\ncontent-length: 0\r\n",
        "Content-Length: 5, 6\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: -5\r\n",
        "Content-Length: -0\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 5h\r\n",
        "Content-Length: F\r\n",
        "Content-Length: 5.0\r\n",
        "Content-Length: 5e0\r\n",
        "Content-Length: 5 5\r\n",
        "Content-Length: 5;\r\n",
        "Content-Length: \"5\"\r\n",
        "Content-Length: '5'\r\n",
        "Content-Length: 1_0\r\n",
        "Content-Length:\r\n",
        "Content-Length: \t\r\n",
        "Content-Length: ,\r\n",
        "Content-Length: \u{ff15}\r\n",
        "Content-Length: 9223372036854775808\r\n",
        "Content-Length: 18446744073709551615\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Content-Length: 99999999999999999999999999999999\r\n",
    ];
    for section in sections {
        bench.refused(post_raw(section, SMUGGLED), 400, MALFORMED, Close);
    }
    bench.finish();
}

#[test]
fn a_transfer_coding_other_than_chunked_once_is_refused() {
    let bench = Bench::new();
    let content = format!("0\r\n\r\n{SMUGGLED}");
    for coding in [
        "gzip, chunked",
        "gzip",
        "chunked, gzip",
        "chunked, chunked",
        "chunked,",
        ",chunked",
        ", chunked",
        "xchunked",
        "chunkedx",
        "x chunked",
        "\"chunked\"",
        "chunked;q=1",
        "chunked; a=b",
        "identity",
        "identity, chunked",
        "chun ked",
        "\u{e7}hunked",
    ] {
        let request = post_raw(&format!("Transfer-Encoding: {coding}\r\n"), &content);
        bench.refused(request, 501, MALFORMED, Close);
    }
    for section in [
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\ntransfer-encoding: x\r\n",
        "Transfer-Encoding:\r\n",
        "Transfer-Encoding: \t\r\n",
        "Transfer-Encoding : chunked\r\n",
        " Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding:\x0bchunked\r\n",
        "Transfer-Encoding: chunked\x0c\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "X: y\rTransfer-Encoding: chunked\r\n",
        "X: y\nTransfer-Encoding: chunked\r\n",
        "Transfer_Encoding\0: chunked\r\n",
    ] {
        bench.refused(post_raw(section, &content), 400, MALFORMED, Close);
    }
    for fields in [
        "Transfer-Encoding: chunked\r\n",
        "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n",
    ] {
        let request = format!("POST / HTTP/1.0\r\nHost: localhost\r\n{fields}\r\n{content}");
        bench.refused(request, 400, MALFORMED, Close);
    }
    bench.finish();
}

#[test]
fn a_field_line_that_is_malformed_is_refused() {
    let bench = Bench::new();
    let mut lines: Vec<Vec<u8>> = [
        "A : b",
        "A\t: b",
        "A: b\r\n folded",
        "A: b\r\n\tfolded",
        "A:\r\n b",
        " A: b",
        "\tA: b",
        ": b",
        ":",
        " : b",
        "no colon",
        "A",
        "A(b): c",
        "A{b}: c",
        "A,B: c",
        "A;B: c",
        "A\"B: c",
        "A/B: c",
        "A[0]: c",
        "A@B: c",
        "A\\B: c",
        "\u{e9}: c",
        "A: b\nC: d",
        "A: b\rC: d",
        "A: b\r\r",
        "\r",
    ]
    .iter()
    .map(|line| line.as_bytes().to_vec())
    .collect();
    for control in (0x00..=0x1f).chain([0x7f]) {
        // A tab may stand in a value; CR and LF end the line, each in its own way, and are in the list above.
        if !matches!(control, b'\t' | b'\r' | b'\n') {
            lines.push([b"A: b", &[control][..], b"c"].concat());
            lines.push([b"A", &[control][..], b"b: c"].concat());
        }
    }
    for line in lines {
        let request = [
            b"GET / HTTP/1.1\r\nHost: localhost\r\n",
            &line[..],
            b"\r\nB: c\r\n\r\n",
        ]
        .concat();
        bench.refused(request, 400, MALFORMED, Close);
    }
    bench.finish();
}

#[test]
fn a_line_that_ends_in_a_bare_lf_is_refused() {
    let bench = Bench::new();
    for request in [
        "GET / HTTP/1.1\nHost: localhost\n\n",
        "GET / HTTP/1.1\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\n\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nA: b\nC: d\r\n\r\n",
        "\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        bench.refused(request, 400, MALFORMED, Close);
    }
    bench.finish();
}

#[test]
fn empty_lines_before_a_request_are_passed_over() {
    let bench = Bench::new();
    bench.forwarded([b"\r\n", GOOD].concat());
    let mut client = bench.daemon.connect();
    // Some clients send one behind the content of a form.
    client.send(post_raw("Content-Length: 5\r\n", "hello\r\n"));
    bench.answered(&mut client, false);
    client.send(GOOD);
    bench.answered(&mut client, false);
    bench.finish();
}

#[test]
fn a_head_is_read_however_it_is_cut() {
    let bench = Bench::new();
    let request = post_raw("A: b\r\nContent-Length: 5\r\n", "hello");
    let mut client = bench.daemon.connect();
    for byte in request.as_bytes() {
        client.send([*byte]);
    }
    bench.answered(&mut client, false);
    for cut in 1..request.len() {
        let (first, rest) = request.split_at(cut);
        client.send(first);
        client.send(rest);
        assert_eq!(bench.answered(&mut client, false).request.body, b"hello");
    }
    bench.finish();
}

#[test]
fn content_of_any_method_is_framed_as_it_came() {
    let bench = Bench::new();
    for method in [
        "GET",
        "DELETE",
        "OPTIONS",
        "PUT",
        "PATCH",
        "POST",
        "PROPFIND",
        "x-custom!",
    ] {
        let request =
            format!("{method} /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello");
        let exchange = bench.forwarded(request);
        assert_eq!(exchange.request.body, b"hello", "{method}");
        assert_eq!(exchange.request.head.only("content-length"), "5");
        assert_eq!(exchange.request.method(), method);
    }
    let request = "HEAD /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello";
    assert_eq!(bench.forwarded(request).request.body, b"hello");
    let empty = bench.forwarded(post_raw("Content-Length: 0\r\n", ""));
    assert_eq!(empty.request.head.only("content-length"), "0");
    let none = bench.forwarded(GOOD);
    assert!(!none.request.head.has("content-length") && !none.request.head.is_chunked());
    bench.finish();
}

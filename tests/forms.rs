//! Forms, whose parameters are signed, and other content, which streams.

mod support;

use support::{
    bench::{Bench, MALFORMED, Then::Close},
    request::{FORM, post},
};

#[test]
fn the_parameters_of_a_form_are_signed_whatever_the_spelling_of_its_media_type() {
    let bench = Bench::new();
    for content_type in [
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=UTF-8",
        "application/x-www-form-urlencoded;charset=iso-8859-1",
        "application/x-www-form-urlencoded ; x",
        "Application/X-WWW-Form-URLEncoded",
        "APPLICATION/X-WWW-FORM-URLENCODED;a=b;c=d",
        "application/x-www-form-urlencoded;",
        "application/x-www-form-urlencoded; x=\"a,b\"",
        "application/x-www-form-urlencoded; x=\"\\\", application/json\"",
    ] {
        for content in [
            "a=b&c=d+e&f=%20",
            "",
            "a",
            "&&",
            "=&=",
            "caf\u{e9}=1;2",
            "%zz=%",
        ] {
            let exchange =
                bench.forwarded(post(&format!("Content-Type: {content_type}\r\n"), content));
            assert_eq!(exchange.request.body, content.as_bytes());
            let content_types = exchange.request.head.all("content-type");
            assert_eq!(content_types, [content_type.as_bytes()]);
        }
    }
    // Chunked ones as well, and with any method.
    for method in ["POST", "PUT", "GET", "DELETE"] {
        let request = format!(
            "{method} /a HTTP/1.1\r\nHost: localhost\r\n{FORM}Transfer-Encoding: chunked\r\n\r\n2\r\na=\r\n1\r\nb\r\n0\r\n\r\n"
        );
        assert_eq!(bench.forwarded(request).request.body, b"a=b");
    }
    bench.finish();
}

#[test]
fn content_that_is_no_form_streams_and_takes_no_part_in_the_signature() {
    let bench = Bench::new();
    let binary: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
    for fields in [
        "",
        "Content-Type: application/json\r\n",
        "Content-Type: application/octet-stream\r\nContent-Encoding: gzip\r\n",
        "Content-Type: multipart/form-data; boundary=x\r\n",
        "Content-Type: multipart/mixed; boundary=\"application/x-www-form-urlencoded\"\r\n",
        "Content-Type: application/x-www-form-urlencoded2\r\n",
        "Content-Type: text/plain; application/x-www-form-urlencoded\r\n",
        "Content-Type: text/plain; x=\", application/x-www-form-urlencoded\"\r\n",
        "Content-Type: application/json, text/plain\r\n",
        "Content-Type:\r\n",
    ] {
        let head = format!(
            "POST /a HTTP/1.1\r\nHost: localhost\r\n{fields}Content-Length: {}\r\n\r\n",
            binary.len()
        );
        let mut request = head.into_bytes();
        request.extend_from_slice(&binary);
        // Bench verifies the signature without the content unless the type begins like a form's.
        let mut client = bench.daemon.connect();
        client.send(&request);
        let exchange = bench.answered(&mut client, false);
        assert!(exchange.request.body == binary, "{fields:?}");
    }
    bench.finish();
}

#[test]
fn a_form_that_can_not_be_read_or_held_is_refused() {
    let bench = Bench::with(|setup| setup.table("limits", "form_bytes = '1KiB'"));
    for coding in [
        "gzip",
        "GZIP",
        "br",
        "deflate",
        "x-unknown",
        "identity, gzip",
        "gzip, identity",
    ] {
        let fields = format!("{FORM}Content-Encoding: {coding}\r\n");
        bench.refused(post(&fields, "a=b"), 415, MALFORMED, Close);
    }
    for fields in [
        format!("{FORM}Content-Encoding: identity\r\n"),
        format!("{FORM}Content-Encoding:\r\n"),
        format!("{FORM}Content-Language: gzip\r\n"),
    ] {
        bench.forwarded(post(&fields, "a=b"));
    }
    let fits = "a".repeat(1024);
    bench.forwarded(post(FORM, &fits));
    for content in [
        "a".repeat(1025),
        "a".repeat(100_000),
        "a=b&".repeat(1_000_000),
    ] {
        let refused = bench.refused(post(FORM, &content), 413, MALFORMED, Close);
        assert!(
            refused.problem["detail"]
                .as_str()
                .unwrap()
                .contains("form_bytes")
        );
    }
    let chunked =
        format!("POST /a HTTP/1.1\r\nHost: localhost\r\n{FORM}Transfer-Encoding: chunked\r\n\r\n");
    bench.forwarded(format!("{chunked}400\r\n{fits}\r\n0\r\n\r\n"));
    let refused = bench.refused(
        format!("{chunked}401\r\n{fits}a\r\n0\r\n\r\n"),
        413,
        MALFORMED,
        Close,
    );
    assert_eq!(refused.record["upstream.attempts"], 0);
    bench.refused(
        format!("{chunked}FFFFFFFFFFFF\r\n{}", "a".repeat(100_000)),
        413,
        MALFORMED,
        Close,
    );
    for types in [
        format!("{FORM}Content-Type: application/json\r\n"),
        format!("Content-Type: text/plain\r\n{FORM}"),
        format!("{FORM}{FORM}"),
        "Content-Type: application/x-www-form-urlencoded, application/json\r\n".to_owned(),
        "Content-Type: application/json;x=\"a\",application/x-www-form-urlencoded\r\n".to_owned(),
        "Content-Type: application/x-www-form-urlencoded,\r\n".to_owned(),
    ] {
        bench.refused(post(&types, "a=b"), 400, MALFORMED, Close);
    }
    // No form, no limit.
    bench.forwarded(post("Content-Type: text/plain\r\n", &"a".repeat(100_000)));
    bench.finish();
}

#[test]
fn long_content_is_signed_and_checked_like_any_other() {
    let long = "a=b&c=d+e&".repeat(100_000);
    for body_hash in [false, true] {
        let bench = Bench::with(|setup| setup.keys(&format!("body_hash = {body_hash}")));
        for fields in [FORM, "Content-Type: application/json\r\n"] {
            let exchange = bench.forwarded(post(fields, &long));
            assert!(exchange.request.body == long.as_bytes(), "{fields:?}");
        }
        let signed_already = format!("{long}oauth_token=t");
        bench.refused(post(FORM, &signed_already), 400, MALFORMED, Close);
        bench.finish();
    }
}

//! Seeds of the target `listener`.

use crate::listener::{Answer, Input, Kind};

/// Their names, the inputs, and how many of their requests reach the upstream whole.
pub fn listener() -> Vec<(&'static str, Input<'static>, usize)> {
    let requests = REQUESTS.iter().map(|&(name, forwarded, text)| {
        let input = Input {
            proxy: Kind::Plain,
            answer: Answer::Length,
            cuts: [0, 0],
            bytes: text.as_bytes(),
        };
        (name, input, forwarded)
    });
    let situations = SITUATIONS
        .iter()
        .map(|&(name, forwarded, proxy, answer, text)| {
            let input = Input {
                proxy,
                answer,
                cuts: [77, 133],
                bytes: text.as_bytes(),
            };
            (name, input, forwarded)
        });
    requests.chain(situations).collect()
}

/// What a client may send to a proxy with the usual settings.
const REQUESTS: &[(&str, usize, &str)] = &[
    (
        "get",
        1,
        "GET /aps/2/resources HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    (
        "get_query",
        1,
        "GET /a?b=c&d=%7e+x HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAccept: */*\r\n\r\n",
    ),
    ("head", 1, "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    (
        "head_refused",
        1,
        "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\nHEAD / HTTP/1.1\r\n\r\n",
    ),
    (
        "head_expectation",
        0,
        "HEAD / HTTP/1.1\r\nHost: localhost\r\nExpect: x\r\n\r\n",
    ),
    (
        "delete_length_zero",
        1,
        "DELETE /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
    ),
    (
        "post",
        1,
        "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
    ),
    (
        "get_with_content",
        1,
        "GET /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
    ),
    (
        "form",
        1,
        "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 11\r\n\r\na=b&c=%20+d",
    ),
    (
        "form_charset",
        1,
        "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Type: Application/X-WWW-Form-URLencoded ; charset=utf-8\r\nContent-Length: 3\r\n\r\nb=c",
    ),
    (
        "form_malformed_type",
        1,
        "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded + charset=utf-8\r\nContent-Length: 3\r\n\r\nb=c",
    ),
    (
        "form_chunked",
        1,
        "POST /a?x HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na=\r\n3\r\nb&c\r\n0\r\nT: 1\r\n\r\n",
    ),
    (
        "form_coded",
        0,
        "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nb=c",
    ),
    (
        "form_protocol_parameter",
        0,
        "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 13\r\n\r\noauth_nonce=1",
    ),
    (
        "query_protocol_parameter",
        0,
        "GET /a?oauth%5Ftoken=1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    (
        "two_content_types",
        0,
        "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\nb=c",
    ),
    (
        "chunked",
        1,
        "PUT /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n00A;x=\"y\"\r\n0123456789\r\n0\r\n\r\n",
    ),
    (
        "chunked_trailers",
        1,
        "PUT /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: Chunked\r\nTrailer: X-Sum\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\nHost: evil\r\nAuthorization: Basic eA==\r\nContent-Length: 3\r\nTransfer-Encoding: gzip\r\n\r\n",
    ),
    (
        "hop_by_hop_trailers",
        1,
        "PUT /a HTTP/1.1\r\nHost: localhost\r\nConnection: X-Hop\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\nX-Hop: 1\r\nHTTP2-Settings: AA\r\nTE: trailers\r\n\r\n",
    ),
    (
        "chunked_empty",
        1,
        "PUT /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "pipeline",
        3,
        "GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\nPOST /2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nab\r\nPUT /3 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    ),
    (
        "pipeline_head",
        2,
        "HEAD /1 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /2 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    (
        "pipeline_refused_between",
        2,
        "GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /2 HTTP/1.1\r\nHost: evil.example\r\n\r\nGET /3 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    (
        "pipeline_refused_twin",
        1,
        "GET /1 HTTP/1.1\r\nHost: evil.example\r\n\r\nGET /1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    (
        "pipeline_behind_unread_content",
        0,
        "POST /1 HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 38\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\nGET /2 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    (
        "pipeline_behind_close",
        1,
        "GET /1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    (
        "pipeline_garbage",
        1,
        "GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\n\u{0}\u{1}\r\n\r\n",
    ),
    (
        "blank_lines",
        1,
        "\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    (
        "expect",
        1,
        "POST /a HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab",
    ),
    (
        "expect_without_content",
        1,
        "GET /a HTTP/1.1\r\nHost: localhost\r\nExpect: 100-Continue\r\n\r\n",
    ),
    (
        "expect_other",
        0,
        "POST /a HTTP/1.1\r\nHost: localhost\r\nExpect: 200-ok\r\nContent-Length: 2\r\n\r\nab",
    ),
    ("http10", 1, "GET /a HTTP/1.0\r\n\r\n"),
    (
        "http10_keep_alive",
        2,
        "POST /a HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\naGET /b HTTP/1.0\r\n\r\n",
    ),
    (
        "http10_chunked",
        0,
        "POST /a HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    ("http12", 0, "GET /a HTTP/1.2\r\nHost: localhost\r\n\r\n"),
    ("http09", 0, "GET /a\r\n"),
    ("http2_preface", 0, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("tls_hello", 0, "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}"),
    (
        "absolute_form",
        1,
        "GET http://localhost/a?b HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    (
        "absolute_form_without_path",
        1,
        "GET HTTP://127.0.0.1?b HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    (
        "absolute_form_elsewhere",
        0,
        "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    (
        "authority_form",
        0,
        "CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    (
        "asterisk_form",
        0,
        "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    (
        "odd_paths",
        2,
        "GET //evil.example/x HTTP/1.1\r\nHost: localhost\r\n\r\nGET /a/../%2e%2e/%2F\\[]|{}?%zz? HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    (
        "fragment",
        0,
        "GET /a#b HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    ("no_host", 0, "GET / HTTP/1.1\r\n\r\n"),
    (
        "two_hosts",
        0,
        "GET / HTTP/1.1\r\nHost: localhost\r\nhost: localhost\r\n\r\n",
    ),
    (
        "host_user",
        0,
        "GET / HTTP/1.1\r\nHost: u@localhost\r\n\r\n",
    ),
    (
        "length_and_coding",
        0,
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    (
        "two_lengths",
        0,
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 40\r\n\r\nabcdGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    (
        "length_list",
        0,
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4, 4\r\n\r\nabcd",
    ),
    (
        "length_sign",
        0,
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: +4\r\n\r\nabcd",
    ),
    (
        "length_overflow",
        0,
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 18446744073709551620\r\n\r\nabcd",
    ),
    (
        "coding_list",
        0,
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "coding_twice",
        0,
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    ),
    (
        "coding_tab",
        0,
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: \u{b}chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "coding_space_before_colon",
        0,
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "folded",
        0,
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
    ),
    ("bare_lf", 0, "GET / HTTP/1.1\nHost: localhost\n\n"),
    (
        "bare_cr",
        0,
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\rTransfer-Encoding: chunked\r\n\r\n",
    ),
    (
        "chunk_size_prefix",
        0,
        "PUT / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
    ),
    (
        "chunk_size_overflow",
        0,
        "PUT / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\nabc\r\n0\r\n\r\n",
    ),
    (
        "chunk_terminator",
        0,
        "PUT / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n0\r\n\r\n",
    ),
    (
        "chunk_bare_lf",
        0,
        "PUT / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n",
    ),
    (
        "chunk_size_lf",
        0,
        "PUT / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n",
    ),
    (
        "chunk_extension_lf",
        0,
        "PUT / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3;a\nxx\r\nabc\r\n0\r\n\r\n",
    ),
    (
        "trailer_folded",
        0,
        "PUT / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: a\r\n b\r\n\r\n",
    ),
    (
        "cut_content",
        0,
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc",
    ),
    (
        "cut_chunks",
        0,
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ),
    ("cut_head", 0, "GET / HTTP/1.1\r\nHost: local"),
    (
        "hop_by_hop",
        1,
        "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: X-Hop, Authorization\r\nConnection: host\r\nX-Hop: 1\r\nTE: trailers\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\nKeep-Alive: 5\r\nProxy-Authorization: Basic eA==\r\nProxy-Connection: close\r\nX: 1\r\n\r\n",
    ),
    (
        "authorization_replaced",
        1,
        "GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic eA==\r\nauthorization: OAuth a=\"b\"\r\n\r\n",
    ),
    (
        "from_a_web_page",
        0,
        "GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nSec-Fetch-Site: cross-site\r\n\r\n",
    ),
];

const PIPELINE: &str = "GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\nPOST /2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nabcdHEAD /3 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /4 HTTP/1.0\r\nHost: localhost\r\n\r\n";

/// What depends on the proxy's settings and the upstream's answers; the bytes come in three pieces.
const SITUATIONS: &[(&str, usize, Kind, Answer, &str)] = &[
    ("answer_length", 4, Kind::Plain, Answer::Length, PIPELINE),
    ("answer_chunked", 4, Kind::Plain, Answer::Chunked, PIPELINE),
    (
        "answer_no_content",
        4,
        Kind::Plain,
        Answer::NoContent,
        PIPELINE,
    ),
    (
        "answer_until_close",
        4,
        Kind::Keep,
        Answer::UntilClose,
        PIPELINE,
    ),
    ("answer_close", 4, Kind::Keep, Answer::Close, PIPELINE),
    ("answer_early", 4, Kind::Keep, Answer::Early, PIPELINE),
    ("answer_interim", 4, Kind::Hash, Answer::Interim, PIPELINE),
    (
        "answer_hop_by_hop",
        4,
        Kind::Hash,
        Answer::HopByHop,
        PIPELINE,
    ),
    (
        "kept_authorization",
        1,
        Kind::Keep,
        Answer::Length,
        "GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic eA==\r\n\r\n",
    ),
    (
        "kept_authorization_twice",
        0,
        Kind::Keep,
        Answer::Length,
        "GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n",
    ),
    (
        "kept_authorization_named",
        1,
        Kind::Keep,
        Answer::Length,
        "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: authorization\r\nAuthorization: Basic eA==\r\n\r\n",
    ),
    (
        "passed_through",
        1,
        Kind::Keep,
        Answer::Chunked,
        "GET /?oauth_token=1 HTTP/1.1\r\nHost: localhost\r\nX-Unsigned: 1\r\n\r\n",
    ),
    (
        "rejected_authorization",
        0,
        Kind::Hash,
        Answer::Length,
        "GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic eA==\r\n\r\n",
    ),
    (
        "hashed_chunks",
        1,
        Kind::Hash,
        Answer::Chunked,
        "PUT / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n",
    ),
    (
        "hashed_too_long",
        0,
        Kind::Hash,
        Answer::Length,
        "PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65\r\nExpect: 100-continue\r\n\r\n01234567890123456789012345678901234567890123456789012345678901234",
    ),
    (
        "header_too_long",
        0,
        Kind::Hash,
        Answer::Length,
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\r\n\r\n",
    ),
    (
        "early_answer_to_cut_content",
        0,
        Kind::Plain,
        Answer::Early,
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc",
    ),
    (
        "early_answer_to_bad_chunk",
        0,
        Kind::Plain,
        Answer::Early,
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nz\r\n\r\n",
    ),
];

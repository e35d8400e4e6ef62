"""The requests, as raw bytes, in groups; each with what must become of it.

`wanted` is Undersign's cell of the table, word for word. What is only there to be
compared has the same bytes for every proxy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from judge import code

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
UNCHANGED = "unchanged"
MALFORMED = "**400**, closes"
CODING = "**501**, closes"
LONG = b"a" * 70_000
WEBSOCKET = (
    b"Connection: upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@dataclass(frozen=True)
class Request:
    group: str
    title: str
    raw: bytes
    wanted: str
    behind_continue: bytes = b""  # sent when the client has been told to go on


def listed(lines: bytes) -> str:
    """Header lines in one; a fold is no end of a line."""
    return code(re.sub(rb"\r\n(?![ \t])", b" + ", lines.removesuffix(b"\r\n")), 70)


def get(target: bytes = b"/a", fields: bytes = b"", method: bytes = b"GET") -> bytes:
    return method + b" " + target + b" HTTP/1.1\r\nHost: localhost\r\n" + fields + b"\r\n"


def post(fields: bytes, content: bytes = b"") -> bytes:
    return b"POST /a HTTP/1.1\r\nHost: localhost\r\n" + fields + b"\r\n" + content


def chunked(content: bytes, fields: bytes = b"") -> bytes:
    return post(b"Transfer-Encoding: chunked\r\n" + fields, content)


def hosts() -> list[Request]:
    def case(lines: bytes, wanted: str, title: str = "") -> Request:
        raw = b"GET /a HTTP/1.1\r\n" + lines + b"\r\n"
        return Request("Host", title or code(lines.removesuffix(b"\r\n")), raw, wanted)

    foreign = "**421**, stays open"
    return [
        case(b"Host: localhost\r\n", UNCHANGED, "an ordinary request"),
        case(b"", MALFORMED, "none"),
        case(b"Host: localhost\r\nHost: localhost\r\n", MALFORMED, "two alike"),
        case(b"Host: localhost\r\nhost: evil.example\r\n", MALFORMED, "two that differ"),
        case(b"Host: a b\r\n", MALFORMED),
        case(b"Host: u@localhost\r\n", MALFORMED),
        case(b"Host: localhost/x\r\n", MALFORMED),
        case(b"Host: localhost:99999\r\n", MALFORMED),
        case(b"Host: evil.example\r\n", foreign),
        case(b"Host: localhost.attacker.example\r\n", foreign),
        case(
            b"Host: localhost\r\nX-Forwarded-Host: evil.example\r\n",
            UNCHANGED,
            "`X-Forwarded-Host: evil.example`",
        ),
    ]


def targets() -> list[Request]:
    def case(target: bytes, wanted: str, title: str = "", method: bytes = b"GET") -> Request:
        raw = get(target, method=method)
        return Request("Target", title or code(method + b" " + target), raw, wanted)

    def to_origin_form(before: bytes, after: bytes) -> str:
        return f"{code(b'GET ' + before + b' HTTP/1.1')} → {code(b'GET ' + after + b' HTTP/1.1')}"

    kept = [
        b"//evil.example/x", b"/a/../b", b"/./a//b/.", b"/%2e%2e/a", b"/a%2Fb%2fc", b"/a\\b",
        b"/[a]{b}|c^", b"/caf\xc3\xa9", b"/a?", b"/a??b?c", b"/%zz", b"/%", b"/%00", b"/%41%7e~",
        b'/"a"', b"/a;v=1,b!$'()*+=:@", b"/?a=+&b=%20&&c",
        b"/aps/2/resources?like(name,*a*),sort(+name)", b"/?http://evil.example/",
    ]  # fmt: skip
    refused = [
        b"*", b"foo", b"?x", b"evil.example:443", b"/a#b", b"/?a#b", b"/<b>", b'/?"a"', b"/`",
        b"/a b", b"/a\tb", b"/\x01", b"/\x7f", b"/\x00", b"/\xff",
    ]  # fmt: skip
    return [
        *(case(target, UNCHANGED) for target in kept),
        case(b"http://localhost/a", to_origin_form(b"http://localhost/a", b"/a")),
        case(b"http://localhost", to_origin_form(b"http://localhost", b"/")),
        case(b"http://localhost?x", to_origin_form(b"http://localhost?x", b"/?x")),
        case(b"http://u@localhost/a", MALFORMED),
        case(b"http://evil.example/a", MALFORMED),
        case(b"https://localhost/a", MALFORMED),
        case(b"ftp://localhost/a", MALFORMED),
        *(case(target, MALFORMED) for target in refused),
        case(b"*", MALFORMED, method=b"OPTIONS"),
        case(b"evil.example:443", "**405**, closes", method=b"CONNECT"),
        case(b"/a", "**405**, closes", method=b"TRACE"),
        case(b"/a", MALFORMED, method=b"G(T"),
        case(b"/?oauth_token=x", MALFORMED),
        case(b"/" + LONG, "**414**, closes", "a target of 70,000 bytes"),
    ]


def versions() -> list[Request]:
    def case(raw: bytes, wanted: str, title: str = "") -> Request:
        title = title or code(raw.partition(b"\r\n")[0])
        return Request("Request line and version", title, raw, wanted)

    tls = b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03"
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"
    host = b"\r\nHost: localhost\r\n\r\n"
    return [
        case(b"GET /a\r\n\r\n", "**closes**", "`GET /a` (HTTP/0.9)"),
        case(b"GET /a HTTP/0.9" + host, "**closes**"),
        case(b"GET /a HTTP/1.0" + host, UNCHANGED),
        case(b"GET /a HTTP/1.2" + host, "**closes**"),
        case(b"GET /a HTTP/2.0" + host, "**closes**"),
        case(preface, "**closes**", "HTTP/2 preface"),
        case(tls, "**closes**", "TLS hello"),
        case(b"GET  /a HTTP/1.1" + host, MALFORMED),
        case(b"GET /a HTTP/1.1 " + host, MALFORMED, "`GET /a HTTP/1.1␠`"),
        case(b"get /a http/1.1" + host, MALFORMED),
        case(b"GET\t/a\tHTTP/1.1" + host, MALFORMED),
        case(b"\r\n" + get(), UNCHANGED, "an empty line before the request"),
    ]


def lengths() -> list[Request]:
    def case(fields: bytes, wanted: str = MALFORMED, content: bytes = b"hello") -> Request:
        raw = post(fields, content)
        title = listed(fields)
        return Request("Framing", title, raw, wanted)

    both = b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % (5 + len(SMUGGLED))
    end = b"0\r\n\r\n"
    lengths = [
        b"5, 6", b"5, 5", b"+5", b"-5", b"0x5", b"5.0", b"5 5", b"", b"18446744073709551621",
        b"\xef\xbc\x95",
    ]  # fmt: skip
    codings = [
        b"gzip, chunked", b"chunked, gzip", b"chunked, chunked", b",chunked", b"xchunked",
        b"chunked;q=1", b'"chunked"', b"identity",
    ]  # fmt: skip
    te = b"Transfer-Encoding"
    return [
        case(b"Content-Length: 5\r\n", UNCHANGED),
        case(te + b": chunked\r\n", UNCHANGED, b"5\r\nhello\r\n" + end),
        case(both, content=end + SMUGGLED),
        case(te + b": chunked\r\nContent-Length: 5\r\n", content=end),
        case(b"Content-Length: 5\r\nContent-Length: 6\r\n", content=b"hello!"),
        case(b"Content-Length: 5\r\nContent-Length: 5\r\n"),
        *(case(b"Content-Length: " + length + b"\r\n") for length in lengths),
        *(case(te + b": " + coding + b"\r\n", CODING, end) for coding in codings),
        case((te + b": chunked\r\n") * 2, content=end),
        case(te + b": chunked\r\n" + te + b": identity\r\n", content=end),
        case(te + b":\x0bchunked\r\n", content=end),
        case(te + b":\r\n chunked\r\n", content=end),
        Request(
            "Framing",
            "chunked in HTTP/1.0",
            chunked(end).replace(b"HTTP/1.1", b"HTTP/1.0"),
            MALFORMED,
        ),
    ]


def malformed_lines() -> list[Request]:
    def case(
        line: bytes, title: str = "", wanted: str = MALFORMED, content: bytes = b""
    ) -> Request:
        raw = b"POST /a HTTP/1.1\r\nHost: localhost\r\n" + line + b"\r\n\r\n" + content
        return Request("Malformed header lines", title or code(line), raw, wanted)

    lf = b"GET /a HTTP/1.1\nHost: localhost\nX-A: 1\n\n"
    return [
        case(b"X-A : 1"),
        case(b"Transfer-Encoding : chunked", content=b"0\r\n\r\n"),
        case(b"Content-Length : 5", content=b"hello"),
        case(b"X-A: 1\r\n folded"),
        case(b" X-A: 1"),
        case(b": 1"),
        case(b"no colon"),
        case(b"X(A): 1"),
        case(b"X\xe9: 1"),
        case(b"X-A: 1\r2"),
        case(b"X-A: 1\x002"),
        case(b"X-A: 1\x01\x1b2"),
        case(b"X-A: 1\x7f2"),
        case(b"X-A: 1\nX-B: 2"),
        Request("Malformed header lines", "bare LF throughout", lf, MALFORMED),
        case(b"A: b\r\n" * 101 + b"A: b", "102 lines", "**431**, closes"),
        case(b"A: " + LONG, "a value of 70,000 bytes", "**431**, closes"),
    ]


def chunks() -> list[Request]:
    def case(content: bytes, wanted: str = MALFORMED, title: str = "") -> Request:
        return Request("Chunks and trailers", title or code(content), chunked(content), wanted)

    def trailer(line: bytes, wanted: str) -> Request:
        title = f"trailer {code(line)}"
        return case(b"2\r\nhi\r\n0\r\n" + line + b"\r\n\r\n", wanted, title)

    end = b"0\r\n\r\n"
    bad = [
        b"0x2\r\nhi\r\n" + end, b"+2\r\nhi\r\n" + end, b"-2\r\nhi\r\n" + end, b"\r\nhi\r\n" + end,
        b"g\r\nhi\r\n" + end, b"2 2\r\nhi\r\n" + end, b"1" + b"0" * 16 + b"2\r\nhi\r\n" + end,
        b"2\r\nhi!!" + end, b"2\r\nhiX\n" + end, b"2\nhi\n0\n\n",
        b"2;a\nb\r\nhi\r\n" + end,
    ]  # fmt: skip
    # Trailers that would frame, route or authorise are taken out, and only those.
    dropped = [b"Content-Length: 9", b"Transfer-Encoding: gzip", b"Host: evil", b"Authorization: x"]
    return [
        *(case(content) for content in bad),
        case(b"2 \r\nhi\r\n" + end),
        case(b"0002\r\nhi\r\n" + end, UNCHANGED),
        case(b"2;a=b\r\nhi\r\n" + end, "chunk extension dropped"),
        trailer(b"X-Sum: 1", UNCHANGED),
        *(trailer(line, f"trailer: drops {code(line)}") for line in dropped),
        trailer(b"no colon", MALFORMED),
    ]


def expectations() -> list[Request]:
    def case(title: str, raw: bytes, wanted: str, behind_continue: bytes = b"") -> Request:
        return Request("Order of messages", title, raw, wanted, behind_continue)

    expect = post(b"Content-Length: 5\r\nExpect: 100-continue\r\n")
    first = get(b"/1")
    return [
        case("`Expect: 100-continue`", expect, UNCHANGED, b"hello"),
        case("`Expect: the-unexpected`", get(fields=b"Expect: x\r\n"), "**417**, closes"),
        case("`GET` with content", get(fields=b"Content-Length: 2\r\n") + b"hi", UNCHANGED),
        case("`HEAD`", get(method=b"HEAD"), UNCHANGED),
        case("two requests in one write", first + get(b"/2"), UNCHANGED),
        case(
            "a good one, then garbage",
            first + b"garb\x00age\r\n\r\n",
            "client gets 200, then 400; unchanged",
        ),
    ]


def headers() -> list[Request]:
    def case(lines: bytes, wanted: str = UNCHANGED, title: str = "") -> Request:
        shown = title or listed(lines)
        return Request("Header fields", shown, get(fields=lines), wanted)

    return [
        case(b"x-a: 1\r\nX-B: 2\r\nx-C: 3\r\nX_d: 4\r\n"),
        case(b"X-A: 1\r\nX-B: 2\r\nX-A: 3\r\nx-a: 4\r\n"),
        case(b"X-A:1\r\nX-B:  2\r\nX-C:\t3 \r\nX-D:\r\n", title="blanks and none around values"),
        case(b"X-A: caf\xe9 \x80\xff\r\n"),
        case(b"!#$%&'*+.^_`|~: 1\r\n"),
        case(b"X.A: 1\r\n"),
        case(b"Cookie: a=1\r\nCookie: b=2\r\n"),
        case(b"Accept-Encoding: gzip\r\nUser-Agent: x\r\n"),
        case(b"X-Forwarded-For: 192.0.2.1\r\nVia: 1.1 a\r\nForwarded: for=x\r\n"),
        case(b"Authorization: Basic eA==\r\n"),
        case(b"Authorization: Basic eA==\r\nauthorization: Basic eQ==\r\n"),
        case(b"Connection: authorization\r\nX-A: 1\r\n"),
        case(b"Connection: x-a\r\nX-A: 1\r\nX-B: 2\r\n"),
        case(b"Connection: x-a\r\nX-A: 1\r\nX-B: 2\r\nConnection: x-b\r\n"),
        case(b"Connection: content-length\r\nContent-Length: 0\r\n"),
        case(b"Keep-Alive: timeout=5\r\n"),
        case(b"TE: gzip\r\n"),
        case(b"Proxy-Authorization: Basic eA==\r\n"),
        case(b"Proxy-Connection: keep-alive\r\n"),
        case(WEBSOCKET),
        case(b"Upgrade: h2c\r\nHTTP2-Settings: AAMA\r\nConnection: upgrade, http2-settings\r\n"),
    ]


def forms() -> list[Request]:
    def case(content_type: bytes, content: bytes, wanted: str, title: str = "") -> Request:
        fields = b"Content-Type: " + content_type + b"\r\nContent-Length: %d\r\n" % len(content)
        shown = title or f"{code(content_type)}, {code(content)}"
        return Request("Forms", shown, post(fields, content), wanted)

    form = b"application/x-www-form-urlencoded"
    gzip = form + b"\r\nContent-Encoding: gzip"
    return [
        case(form, b"a=1&b=+%20&&a=%zz", UNCHANGED),
        case(b"Application/X-WWW-Form-Urlencoded; charset=UTF-8", b"a=1", UNCHANGED),
        case(form, b"oauth_token=x", MALFORMED),
        case(gzip, b"a=1", "**415**, closes", "a form with `Content-Encoding: gzip`"),
    ]


def requests() -> list[Request]:
    return [
        *hosts(),
        *targets(),
        *versions(),
        *lengths(),
        *malformed_lines(),
        *chunks(),
        *expectations(),
        *headers(),
        *forms(),
    ]

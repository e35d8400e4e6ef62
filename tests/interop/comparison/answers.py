"""What the upstream answers, as raw bytes; each with what the client must get."""

from __future__ import annotations

from dataclasses import dataclass

from inputs import UNCHANGED, get, listed
from judge import code

BAD = "**502**"
CUT = "cut off, and seen to be"
STRAY = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray"


@dataclass(frozen=True)
class Response:
    group: str
    title: str
    raw: bytes
    wanted: str
    request: bytes = get()
    keep: bool = False  # the upstream leaves the connection open behind it


def ok(fields: bytes = b"Content-Length: 2\r\n", content: bytes = b"ok") -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n" + content


def status_lines() -> list[Response]:
    def case(line: bytes, wanted: str = BAD) -> Response:
        raw = line + b"\r\nContent-Length: 2\r\n\r\nok"
        return Response("Status line", code(line), raw, wanted)

    switching = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    bad = [
        b"garbage", b"SSH-2.0-OpenSSH_9.9", b"http/1.1 200 OK", b"HTTP/1.2 200 OK",
        b"HTTP/2 200 OK", b"HTTP/1.1  200 OK", b"HTTP/1.1 99 Low", b"HTTP/1.1 099 Low",
        b"HTTP/1.1 600 High", b"HTTP/1.1 999 High", b"HTTP/1.1 2xx OK", b"HTTP/1.1 200 O\x01K",
    ]  # fmt: skip
    good = [
        b"HTTP/1.1 200 OK", b"HTTP/1.1 200 Sure, why not", b"HTTP/1.1 200 caf\xe9",
        b"HTTP/1.1 200 ", b"HTTP/1.0 200 OK", b"HTTP/1.1 299 Odd", b"HTTP/1.1 599 Last",
        b"HTTP/1.1 401 Unauthorized", b"HTTP/1.1 503 Busy",
    ]  # fmt: skip
    return [
        *(case(line, UNCHANGED) for line in good),
        *(case(line) for line in bad),
        Response("Status line", "101 that nobody asked for", switching, BAD, keep=True),
    ]


def framings() -> list[Response]:
    def case(title: str, raw: bytes, wanted: str, request: bytes = get()) -> Response:
        return Response("Framing of answers", title, raw, wanted, request)

    te = b"Transfer-Encoding: chunked\r\n"
    chunks = b"2\r\nok\r\n0\r\n\r\n"
    old = get().replace(b"HTTP/1.1", b"HTTP/1.0")
    no_content = b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"
    not_modified = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: x\r\n\r\n"
    both = ok(b"Content-Length: 99\r\n" + te, chunks)
    lengths = [b"2, 3", b"0x2", b"+2", b"-2", b"", b"99999999999999999999"]
    return [
        case("chunked", ok(te, chunks), UNCHANGED),
        case(
            "chunked, for a client of HTTP/1.0", ok(te, chunks), "the close instead of chunks", old
        ),
        case("neither; ended by the close", ok(b"X-A: 1\r\n"), UNCHANGED),
        case("both a length and chunked", both, "drops `Content-Length: 99`"),
        case(
            "`Content-Length: 2` and `3`",
            ok(b"Content-Length: 2\r\nContent-Length: 3\r\n", b"okk"),
            BAD,
        ),
        *(
            case(code(b"Content-Length: " + n), ok(b"Content-Length: " + n + b"\r\n"), BAD)
            for n in lengths
        ),
        case("`gzip, chunked`", ok(te.replace(b"chunked", b"gzip, chunked"), chunks), BAD),
        case("chunked twice", ok(te + te, chunks), BAD),
        case("chunked in HTTP/1.0", ok(te, chunks).replace(b"HTTP/1.1", b"HTTP/1.0"), BAD),
        case("8 of 10 bytes, then the close", ok(b"Content-Length: 10\r\n", b"x" * 8), CUT),
        case("chunks without the last, then the close", ok(te, b"2\r\nok\r\n"), CUT),
        case("the close within a chunk", ok(te, b"9\r\nok"), CUT),
        case("a chunk of size `0x2`", ok(te, b"2\r\nok\r\n0x2\r\nok\r\n0\r\n\r\n"), CUT),
        case("the close within the head", b"HTTP/1.1 200 OK\r\nX-A: 1\r\n", BAD),
        case("the close before the head", b"", BAD),
        case(
            "`HEAD` with `Content-Length: 5`",
            ok(b"Content-Length: 5\r\n", b""),
            UNCHANGED,
            get(method=b"HEAD"),
        ),
        case("204 with `Content-Length: 5`", no_content, "drops `Content-Length: 5`"),
        case("304 with `Content-Length: 5`", not_modified, UNCHANGED),
        case("trailer `X-Sum: 1`", ok(te, b"2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"), UNCHANGED),
        Response(
            "Framing of answers",
            "another answer behind the end",
            ok() + STRAY,
            UNCHANGED,
            keep=True,
        ),
    ]


def fields() -> list[Response]:
    def case(lines: bytes, wanted: str = UNCHANGED, title: str = "") -> Response:
        shown = title or listed(lines)
        return Response(
            "Header fields of answers", shown, ok(lines + b"Content-Length: 2\r\n"), wanted
        )

    return [
        case(b"Set-Cookie: a=1\r\nset-cookie: b=2\r\n"),
        case(b"x-a: 1\r\nX-B: 2\r\nX-a: 3\r\n"),
        case(b"X-A:1\r\nX-B:  2 \r\n", title="blanks and none around values"),
        case(b"X-A: caf\xe9\r\n"),
        case(b"Server: x\r\nDate: Mon, 01 Jan 2001 00:00:00 GMT\r\n"),
        case(b'Content-Encoding: gzip\r\nVary: Accept-Encoding\r\nETag: "1"\r\n'),
        case(b"Location: //evil.example/\r\n"),
        case(b'WWW-Authenticate: OAuth realm="x"\r\n'),
        case(b"X-Accel-Redirect: /secret\r\n"),
        case(b"Connection: x-a\r\nX-A: 1\r\nKeep-Alive: timeout=5\r\n"),
        case(b"Upgrade: h2c\r\nConnection: upgrade\r\n"),
        case(b"X-A : 1\r\n", BAD),
        case(b"X-A: 1\r\n folded\r\n", BAD),
        case(b"no colon\r\n", BAD),
        case(b"X-A: 1\x002\r\n", BAD),
        case(b"X-A: 1\r2\r\n", BAD),
        case(b"X-A: 1\nX-B: 2\r\n", BAD),
        case(b"A: b\r\n" * 101, title="102 lines"),
    ]


def interim() -> list[Response]:
    def case(title: str, raw: bytes, wanted: str) -> Response:
        return Response("Interim answers", title, raw, wanted)

    hints = b"HTTP/1.1 103 Early Hints"
    return [
        case(
            "100, then 200",
            b"HTTP/1.1 100 Continue\r\n\r\n" + ok(),
            "drops `HTTP/1.1 100 Continue`",
        ),
        case("103, then 200", hints + b"\r\nLink: </a>\r\n\r\n" + ok(), UNCHANGED),
        case(
            "102, then 199, then 200",
            b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 199 Odd\r\nX-A: 1\r\n\r\n" + ok(),
            UNCHANGED,
        ),
        case("1,000 times 102, then the close", b"HTTP/1.1 102 Processing\r\n\r\n" * 1000, BAD),
    ]


def responses() -> list[Response]:
    return [*status_lines(), *framings(), *fields(), *interim()]

"""What the soak's clients do when they keep to the rules, each kind a function."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable

from clients import Answer, Traffic
from messages import BLOCK, KIB, MIB, block_content, checksum, chunk

# Each must arrive as it was sent, and be signed as such.
QUERIES = [
    "",
    "?",
    "?implementing(http://aps-standard.org/types/core/resource/1.0),like(name,*abc*),sort(+name)",
    "?a=b=c&=x&&a&a=1&a=0&name10=1&name1=2",
    "?prop=eq=%FF&bad=%zz;semicolon=1&twice=?&plus=+%2B",
    "?tilde=%7E~&reserved=!*'()&brackets=[1]|{2}\\",
    "?naïve=Zürich",
]
FORMS = [
    b"",
    b"a=1&b=2+3&a=0",
    b"c2&a3=2+q&c%40=&b5=%3D%253D",
    b"status=Hello%20Ladies%20%2B%20Gentlemen%2C%20a%20signed%20OAuth%20request%21&=&&x=%FF%zz",
    b"long=" + b"x" * 40_000,
]
FORM_TYPES = [
    "application/x-www-form-urlencoded",
    "Application/X-WWW-Form-URLencoded; charset=UTF-8",
]
FORM_METHODS = ["POST", "PUT", "PATCH"]


def kept(traffic: Traffic) -> None:
    """Small requests over one connection, one after the other."""
    with traffic.connect() as client:
        for _ in range(random.randint(1, 20)):
            name = traffic.name()
            method = random.choice(["GET", "GET", "GET", "HEAD", "DELETE"])
            behaviour, number = random.choice(
                [("plain", random.randrange(8 * KIB)), ("chunks", random.randrange(8 * KIB))]
                + [("status", status) for status in (200, 201, 204, 302, 304, 404, 500)]
            )
            if method == "HEAD" and behaviour == "chunks":
                behaviour = "plain"
            wanted = number if behaviour == "status" else 200
            client.send(traffic.request(name, behaviour, number, method, random.choice(QUERIES)))
            traffic.answered("keep-alive", name, client.answer(method), wanted)
            if random.random() < 0.05:
                time.sleep(random.random())


def pipelined(traffic: Traffic) -> None:
    names = [traffic.name() for _ in range(random.randint(2, 8))]
    with traffic.connect() as client:
        requests = [traffic.request(name, "plain", 100, "GET", QUERIES[2]) for name in names]
        client.send(b"".join(requests))
        for name in names:
            traffic.answered("pipelined", name, client.answer(), 200)


def old_client(traffic: Traffic) -> None:
    """HTTP/1.0: the end of the connection is the end of an answer without a length."""
    name = traffic.name()
    request = traffic.request(name, random.choice(["plain", "chunks", "until_close"]), 5000)
    with traffic.connect() as client:
        client.send(request.replace(b"HTTP/1.1", b"HTTP/1.0"))
        traffic.answered("HTTP/1.0", name, client.answer(), 200)
        if not client.is_closed():
            traffic.wrong("HTTP/1.0", name, "the connection stays open")


def form(traffic: Traffic) -> None:
    with traffic.connect() as client:
        for _ in range(random.randint(1, 5)):
            name, content = traffic.name(), random.choice(FORMS)
            fields = f"Content-Type: {random.choice(FORM_TYPES)}\r\n"
            whole = random.random() < 0.7
            fields += (
                f"Content-Length: {len(content)}\r\n" if whole else "Transfer-Encoding: chunked\r\n"
            )
            method, query = random.choice(FORM_METHODS), random.choice(QUERIES)
            client.send(traffic.request(name, "echo", 0, method, query, fields))
            client.send(content if whole else (chunk(content) if content else b"") + chunk(b""))
            traffic.answered("form", name, client.answer(), 200)


def upload(traffic: Traffic) -> None:
    size = int(MIB * 50 ** random.random())
    with traffic.large:
        send_content(traffic, "upload", size, random.random() < 0.5)


def small_upload(traffic: Traffic) -> None:
    send_content(traffic, "small upload", random.randrange(64 * KIB), random.random() < 0.5)


def send_content(traffic: Traffic, kind: str, size: int, chunked: bool, pause: float = 0) -> None:
    name = traffic.name()
    fields = "Transfer-Encoding: chunked\r\n" if chunked else f"Content-Length: {size}\r\n"
    expects = random.random() < 0.3
    if expects:
        fields += "Expect: 100-continue\r\n"
    with traffic.connect() as client:
        client.send(traffic.request(name, "echo", 0, random.choice(["POST", "PUT"]), "", fields))
        if expects and not client.reader.more():
            traffic.wrong(kind, name, "the connection ended before 100 Continue")
        if client.reader.buffer.startswith(b"HTTP/1.1 502"):
            traffic.answered(kind, name, client.answer(), 200)
            return
        if pause:
            pieces = [memoryview(BLOCK)[at : at + 1] for at in range(size)]
        else:
            pieces = list(block_content(size))
        for piece in pieces:
            client.send(chunk(piece) if chunked else piece)
            time.sleep(pause)
        if chunked:
            client.send(b"0\r\nX-Trailer: 1\r\n\r\n")
        answer = client.answer()
    expected = b"%d %d" % (size, checksum(size))
    if traffic.answered(kind, name, answer, 200) and answer:
        if bytes(answer.content.beginning) != expected:
            traffic.wrong(kind, name, f"{expected!r} arrived as {answer.content.beginning!r}")


def trickle(traffic: Traffic) -> None:
    size, chunked = random.randint(5, 40), random.random() < 0.5
    send_content(traffic, "trickling upload", size, chunked, 0.1)


def download(traffic: Traffic) -> None:
    with traffic.large:
        receive_content(traffic, "download", int(MIB * 50 ** random.random()))


def slow_reader(traffic: Traffic) -> None:
    receive_content(traffic, "slow reader", 2 * MIB, 0.02, 64 * KIB)


def receive_content(
    traffic: Traffic, kind: str, size: int, pause: float = 0.0, receive_buffer: int = 0
) -> None:
    name = traffic.name()
    with traffic.connect(pause, receive_buffer) as client:
        client.send(traffic.request(name, random.choice(["plain", "chunks", "until_close"]), size))
        answer = client.answer()
    if traffic.answered(kind, name, answer, 200) and answer:
        if (answer.content.length, answer.content.checksum) != (size, checksum(size)):
            traffic.wrong(kind, name, f"{size} bytes arrived as {answer.content.length} or others")


def events(traffic: Traffic) -> None:
    """Each event is to come when it is sent, not when there are enough."""
    name, count = traffic.name(), random.randint(5, 60)
    with traffic.connect() as client:
        client.send(traffic.request(name, "events", count))
        # The first event, or else a refusal.
        while not re.search(b"data:|undersign", client.reader.buffer) and client.reader.more():
            pass
        # Two seconds pass between the first and the last of forty.
        if 40 < count == client.reader.buffer.count(b"data:"):
            traffic.wrong("events", name, "the first one was kept back for the last")
        answer = client.answer()
        traffic.answered("events", name, answer, 200)


def slow(traffic: Traffic) -> None:
    simple(traffic, "slow answer", "slow", random.randint(50, 3000), 200)


def hints(traffic: Traffic) -> None:
    simple(traffic, "interim answers", "hints", random.randint(1, 3), 200)


def early(traffic: Traffic) -> None:
    """The upstream answers while most of the content is still to come; the client stops then."""
    name = traffic.name()
    with traffic.connect() as client:
        fields = f"Content-Length: {5 * MIB}\r\n"
        client.send(traffic.request(name, "early", 0, "POST", "", fields) + BLOCK)
        traffic.answered("early answer", name, client.answer(), 200)


def simple(traffic: Traffic, kind: str, behaviour: str, number: int, *wanted: int) -> Answer | None:
    name = traffic.name()
    with traffic.connect() as client:
        client.send(traffic.request(name, behaviour, number))
        answer = client.answer()
        traffic.answered(kind, name, answer, *wanted)
    return answer


Kind = Callable[[Traffic], None]

WELL_BEHAVED: list[tuple[int, Kind]] = [
    (300, kept),
    (60, pipelined),
    (20, old_client),
    (80, form),
    (4, upload),
    (60, small_upload),
    (20, trickle),
    (4, download),
    (10, slow_reader),
    (20, events),
    (40, slow),
    (10, hints),
    (10, early),
]

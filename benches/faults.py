"""What goes wrong in the soak: clients leave, requests are refused, the upstream fails."""

from __future__ import annotations

import random
import time

from clients import Client, Traffic
from kinds import Kind
from ledger import Outcome, Sent
from messages import BLOCK, KIB, MIB

# Sections that make a request with this path unacceptable, and the status it gets. "HOST" is
# the field that it should have.
REFUSED: list[tuple[int, str]] = [
    (400, "POST PATH HTTP/1.1\r\n\r\n"),
    (400, "POST PATH HTTP/1.1\r\nHOST\r\nHost: other\r\n\r\n"),
    (400, "POST PATH HTTP/1.1\r\nHost: a b\r\n\r\n"),
    (400, "POST PATH HTTP/1.1\r\nHost: u@a\r\n\r\n"),
    (421, "POST PATH HTTP/1.1\r\nHost: localhost.attacker.example\r\n\r\n"),
    (400, "POST http://evil.examplePATH HTTP/1.1\r\nHOST\r\n\r\n"),
    (400, "POST gopher://evil.examplePATH HTTP/1.1\r\nHOST\r\n\r\n"),
    (405, "CONNECT evil.example:443 HTTP/1.1\r\nHOST\r\n\r\n"),
    (400, "OPTIONS * HTTP/1.1\r\nHOST\r\n\r\n"),
    (400, "POST PATH#fragment HTTP/1.1\r\nHOST\r\n\r\n"),
    (400, "POST PATH  HTTP/1.1\r\nHOST\r\n\r\n"),
    (400, "POST PATH?oauth_nonce=1 HTTP/1.1\r\nHOST\r\n\r\n"),
    (414, "POST PATH" + "x" * 70_000 + " HTTP/1.1\r\nHOST\r\n\r\n"),
    (431, "POST PATH HTTP/1.1\r\nHOST\r\n" + "X: " + "x" * 70_000 + "\r\n\r\n"),
    (431, "POST PATH HTTP/1.1\r\nHOST\r\n" + "X: x\r\n" * 110 + "\r\n"),
    (400, "POST PATH HTTP/1.1\r\nHOST\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
    (400, "POST PATH HTTP/1.1\r\nHOST\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"),
    (400, "POST PATH HTTP/1.1\r\nHOST\r\nContent-Length: -1\r\n\r\n"),
    (400, "POST PATH HTTP/1.1\r\nHOST\r\nContent-Length: 18446744073709551616\r\n\r\n"),
    (400, "POST PATH HTTP/1.0\r\nHOST\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (501, "POST PATH HTTP/1.1\r\nHOST\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    (400, "POST PATH HTTP/1.1\r\nHOST\r\nX : space before the colon\r\n\r\n"),
    (400, "POST PATH HTTP/1.1\r\nHOST\r\nX: folded\r\n line\r\n\r\n"),
    (400, "POST PATH HTTP/1.1\r\nHOST\r\nno colon\r\n\r\n"),
    (400, "POST PATH HTTP/1.1\r\nHOST\r\nX: \0\r\n\r\n"),
    (400, "POST PATH HTTP/1.1\r\nHOST\r\nX: bare LF\nY: y\r\n\r\n"),
    (417, "POST PATH HTTP/1.1\r\nHOST\r\nExpect: 200-ok\r\nContent-Length: 1\r\n\r\n"),
    (403, "POST PATH HTTP/1.1\r\nHOST\r\nOrigin: https://evil.example\r\n\r\n"),
    (415, "POST PATH HTTP/1.1\r\nHOST\r\nFORM\r\nContent-Encoding: gzip\r\n\r\n"),
    (413, f"POST PATH HTTP/1.1\r\nHOST\r\nFORM\r\nContent-Length: {2 * MIB}\r\n\r\n"),
    (400, "POST PATH HTTP/1.1\r\nHOST\r\nFORM\r\nContent-Length: 13\r\n\r\noauth_token=1"),
]
FORM = "Content-Type: application/x-www-form-urlencoded"

BAD_CHUNKS = [b"0x3\r\nabc\r\n", b"+3\r\nabc\r\n", b"\r\n", b"3\r\nabcd\r\n", b"f" * 17 + b"\r\n"]

NOT_HTTP = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET /\r\n",
    b"GET / HTTP/1.2\r\nHost: localhost\r\n\r\n",
]

# Behaviours of the upstream that are answered with 502, and those that break an answer off.
FAILING = [("closed", 0), ("reset", 0), ("garbage", 0), ("garbage", 1), ("conflicting", 0)]
BREAKING = ["short", "short_reset", "short_chunks", "bad_chunk"]


def refused(traffic: Traffic) -> None:
    name = traffic.name()
    status, text = random.choice(REFUSED)
    text = text.replace("PATH", f"/soak/{name}/refused/0")
    text = text.replace("HOST", f"Host: 127.0.0.1:{traffic.port}").replace("FORM", FORM)
    with traffic.connect() as client:
        client.send(text.encode())
        traffic.answered("refused", name, client.answer(), status)


def bad_chunks(traffic: Traffic) -> None:
    """The head is good, so that the upstream may have seen it."""
    name = traffic.name()
    fields = "Transfer-Encoding: chunked\r\n"
    with traffic.connect() as client:
        client.send(traffic.request(name, "echo", 0, "POST", "", fields) + b"3\r\nabc\r\n")
        client.send(random.choice(BAD_CHUNKS))
        traffic.answered("bad chunks", name, client.answer(), 400)


def slow_head(traffic: Traffic) -> None:
    name = traffic.name()
    with traffic.connect() as client:
        client.send(traffic.request(name, "plain")[:-2])
        traffic.answered("slow head", name, client.answer(), 408)


def not_http(traffic: Traffic) -> None:
    name = traffic.name()
    with traffic.connect() as client:
        client.send(random.choice(NOT_HTTP))
        if client.answer() is not None:
            traffic.wrong("no HTTP/1.1", name, "it was answered")
    traffic.ledger.add(Sent("no HTTP/1.1", name, Outcome.NOT_HTTP))


def failing_upstream(traffic: Traffic) -> None:
    name, (behaviour, number) = traffic.name(), random.choice(FAILING)
    content = random.choice([b"", BLOCK])
    with traffic.connect() as client:
        fields = f"Content-Length: {len(content)}\r\n"
        client.send(traffic.request(name, behaviour, number, "POST", "", fields) + content)
        traffic.answered("failing upstream", name, client.answer(), 502)


def breaking_upstream(traffic: Traffic) -> None:
    name, size = traffic.name(), random.randint(1, 64 * KIB)
    with traffic.connect() as client:
        client.send(traffic.request(name, random.choice(BREAKING), size))
        answer = client.answer()
        # Where the answer breaks off soon, the connection may be reset before its head is read.
        if answer is None:
            traffic.ledger.add(Sent("broken answer", name, Outcome.BROKEN, 200))
        else:
            traffic.answered("broken answer", name, answer, 200, whole=False)


def leave(traffic: Traffic, client: Client) -> None:
    if random.random() < 0.5:
        client.reset()


def leaves_in_head(traffic: Traffic) -> None:
    name = traffic.name()
    with traffic.connect() as client:
        request = traffic.request(name, "plain")
        client.send(request[: random.randrange(len(request))])
        leave(traffic, client)
    traffic.unread("left in the head", name)


def leaves_at_once(traffic: Traffic) -> None:
    """Nobody waits for these requests, but they have been read."""
    name = traffic.name()
    with traffic.connect() as client:
        client.send(traffic.request(name, "silent"))
    traffic.left("left at once", name)


def leaves_in_body(traffic: Traffic) -> None:
    name = traffic.name()
    fields = random.choice([f"Content-Length: {MIB}\r\n", "Transfer-Encoding: chunked\r\n"])
    request = traffic.request(name, "echo", 0, "POST", "", fields)
    with traffic.upstream.arrival(name) as arrived, traffic.connect() as client:
        client.send(request + b"8000\r\n" + BLOCK[: random.randrange(32 * KIB)])
        # A reset may overtake what was sent before it.
        if arrived.wait(10):
            leave(traffic, client)
    traffic.left("left in the content", name)


def leaves_in_form(traffic: Traffic) -> None:
    name = traffic.name()
    with traffic.connect() as client:
        fields = f"Content-Length: 1000\r\n{FORM}\r\n"
        client.send(traffic.request(name, "echo", 0, "POST", "", fields) + b"a=b&")
    traffic.left("left in a form", name)


def leaves_waiting(traffic: Traffic) -> None:
    """What is pipelined behind is never read."""
    name, behind = traffic.name(), traffic.name()
    with traffic.upstream.arrival(name) as arrived, traffic.connect() as client:
        client.send(traffic.request(name, "silent") + traffic.request(behind, "plain"))
        if not arrived.wait(10):
            traffic.wrong("left waiting", name, "the upstream got no request")
        time.sleep(random.random() / 5)
        leave(traffic, client)
    traffic.left("left waiting", name)
    traffic.unread("pipelined, left", behind)


def leaves_in_answer(traffic: Traffic) -> None:
    name = traffic.name()
    behaviour, size = random.choice([("plain", 32 * MIB), ("chunks", 32 * MIB), ("events", 200)])
    with traffic.connect(receive_buffer=64 * KIB) as client:
        client.send(traffic.request(name, behaviour, size))
        begun = client.reader.more()
        while begun and b"\r\n\r\n" not in client.reader.buffer:
            begun = client.reader.more()
        if client.reader.buffer.startswith(b"HTTP/1.1 502"):
            traffic.answered("left in the answer", name, client.answer(), 200)
            return
        leave(traffic, client)
    traffic.left("left in the answer", name)


def crowd(traffic: Traffic, permitted: int, others: int) -> int:
    """More connections than may be: returns how many were told so."""
    kind, inside, told = "over the limit", [], 0
    for _ in range(permitted):
        name, client = traffic.name(), Client(traffic.narrow_port)
        client.send(traffic.request(name, "events", 40))
        inside.append((name, client))
    for _, client in inside:
        # Once they are served, there is no room.
        while b"\r\n\r\n" not in client.reader.buffer and client.reader.more():
            pass
    outside = [(traffic.name(), Client(traffic.narrow_port)) for _ in range(others)]
    for name, client in outside:
        try:
            client.send(traffic.request(name, "plain"))
        except ConnectionError:
            pass
    for name, client in outside:
        with client:
            answer = client.answer()
        if answer is None:
            # Too many even to be told.
            traffic.unread(kind, name)
        else:
            told += answer.status == 503
            traffic.answered(kind, name, answer, 503)
    for name, client in inside:
        with client:
            traffic.answered(kind, name, client.answer(), 200)
    return told


FAULTY: list[tuple[int, Kind]] = [
    (60, refused),
    (10, bad_chunks),
    (4, slow_head),
    (10, not_http),
    (20, failing_upstream),
    (20, breaking_upstream),
    (20, leaves_in_head),
    (20, leaves_at_once),
    (10, leaves_in_body),
    (10, leaves_in_form),
    (10, leaves_waiting),
    (5, leaves_in_answer),
]

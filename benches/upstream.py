"""The soak's upstream: verifies each signature, and answers as the path asks, well or badly.

Paths are /soak/NAME/BEHAVIOUR/NUMBER, where NAME is a request's own and never used twice.
"""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator

from messages import BLOCK, Content, Reader, block_content, chunk
from verifier import Refused, Verifier

# One connection in so many is closed soon after it has become idle.
CLOSES_SOON = 8
SECONDS_BETWEEN_EVENTS = 0.05


class Upstream:
    """Serves until the process ends, and remembers what it has seen."""

    def __init__(self, tls: ssl.SSLContext, key: str, secret: str) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self.listener.getsockname()[1]
        self.tls = tls
        self.verifier = Verifier(f"127.0.0.1:{self.port}", key, secret)
        self.lock = threading.Lock()
        self.seen: Counter[str] = Counter()
        self.refused: list[str] = []
        self.idle_closed = 0
        self.not_cancelled: list[str] = []
        self.arrivals: dict[str, threading.Event] = {}
        threading.Thread(target=self.accept, daemon=True).start()

    @contextlib.contextmanager
    def arrival(self, name: str) -> Iterator[threading.Event]:
        """An event that is set once the head of the request `name` is here."""
        event = self.arrivals[name] = threading.Event()
        yield event
        del self.arrivals[name]

    def accept(self) -> None:
        while True:
            raw, _ = self.listener.accept()
            threading.Thread(target=self.connection, args=(raw,), daemon=True).start()

    def connection(self, raw: socket.socket) -> None:
        raw.settimeout(30)
        with contextlib.suppress(OSError), self.tls.wrap_socket(raw, server_side=True) as peer:
            reader = Reader(peer)
            patience = 0.3 if random.randrange(CLOSES_SOON) == 0 else 30.0
            while True:
                peer.settimeout(patience)
                try:
                    if not reader.buffer and not reader.more():
                        return
                except TimeoutError:
                    with self.lock:
                        self.idle_closed += 1
                    return
                peer.settimeout(30)
                if not Exchange(self, reader).serve():
                    return


class Exchange:
    """One request and what becomes of it."""

    def __init__(self, upstream: Upstream, reader: Reader) -> None:
        self.upstream = upstream
        self.reader = reader
        self.peer = reader.peer
        first, self.fields = reader.head()
        self.method, self.target, _ = first.split(b" ")
        _, _, self.name, self.behaviour, number = self.target.decode().split("?")[0].split("/")
        self.number = int(number)

    def serve(self) -> bool:
        """Returns whether the connection goes on."""
        with self.upstream.lock:
            self.upstream.seen[self.name] += 1
        if arrival := self.upstream.arrivals.get(self.name):
            arrival.set()
        values = dict(self.fields)
        if self.behaviour == "early":
            self.answer(b"200 Early", b"no need to go on")
            # To close at once would be a reset, which overtakes the answer.
            self.reader.content(self.fields, until_close=False)
            return False
        if values.get(b"expect") == b"100-continue":
            self.peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        content = self.reader.content(self.fields, until_close=False)
        if not content.complete:
            return False
        is_form = b"x-www-form-urlencoded" in values.get(b"content-type", b"").lower()
        try:
            form = bytes(content.beginning) if is_form else b""
            self.upstream.verifier.verify(self.method, self.target, self.fields, form)
        except (Refused, LookupError, ValueError) as error:
            with self.upstream.lock:
                self.upstream.refused.append(f"{self.target!r}: {error!r}")
            self.answer(b"401 Unauthorized", b"")
            return True
        return bool(getattr(self, self.behaviour)(content))

    def head(self, status: bytes, *lines: bytes) -> None:
        names = (b"X-Soak: " + self.name.encode(), *lines)
        self.peer.sendall(b"HTTP/1.1 " + status + b"\r\n" + b"\r\n".join(names) + b"\r\n\r\n")

    def answer(self, status: bytes, text: bytes) -> None:
        self.head(status, b"Content-Length: %d" % len(text))
        if self.method != b"HEAD":
            self.peer.sendall(text)

    def reset(self, _: Content | None = None) -> None:
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    # Behaviours that end well.

    def echo(self, content: Content) -> bool:
        self.answer(b"200 OK", b"%d %d" % (content.length, content.checksum))
        return True

    def status(self, _: Content) -> bool:
        if self.number in (204, 304):
            self.head(b"%d Bare" % self.number)
        else:
            self.answer(b"%d Some Reason" % self.number, b"text")
        return True

    def plain(self, _: Content) -> bool:
        self.head(b"200 OK", b"Content-Length: %d" % self.number)
        if self.method != b"HEAD":
            for piece in block_content(self.number):
                self.peer.sendall(piece)
        return True

    def chunks(self, _: Content) -> bool:
        self.head(b"200 OK", b"Transfer-Encoding: chunked")
        for piece in block_content(self.number):
            self.peer.sendall(chunk(piece))
        self.peer.sendall(chunk(b""))
        return True

    def events(self, _: Content) -> bool:
        self.head(b"200 OK", b"Content-Type: text/event-stream", b"Transfer-Encoding: chunked")
        for number in range(self.number):
            self.peer.sendall(chunk(b"data: %08.3f %d\n\n" % (time.time() % 1000, number)))
            time.sleep(SECONDS_BETWEEN_EVENTS)
        self.peer.sendall(chunk(b""))
        return True

    def slow(self, content: Content) -> bool:
        time.sleep(self.number / 1000)
        return self.echo(content)

    def hints(self, content: Content) -> bool:
        self.peer.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </style>\r\n\r\n" * self.number)
        return self.echo(content)

    def until_close(self, _: Content) -> bool:
        self.head(b"200 OK", b"Connection: close")
        for piece in block_content(self.number):
            self.peer.sendall(piece)
        # TLS has an end of its own, without which this would be a truncated answer.
        self.peer.settimeout(1)
        with contextlib.suppress(OSError):
            self.peer.unwrap()
        return False

    # Behaviours that do not.

    def silent(self, _: Content) -> bool:
        """Waits for the proxy to give the request up, as it must when the client leaves."""
        self.peer.settimeout(10)
        try:
            self.peer.recv(1)
        except TimeoutError:
            self.upstream.not_cancelled.append(self.name)
        return False

    def closed(self, _: Content) -> bool:
        return False

    def garbage(self, _: Content) -> bool:
        self.peer.sendall([b"\x00\xff garbage\r\n\r\n", b"HTTP/1.1 999 No\r\n\r\n"][self.number])
        return False

    def conflicting(self, _: Content) -> bool:
        self.head(b"200 OK", b"Content-Length: 5", b"Content-Length: 6")
        return False

    def short(self, _: Content) -> None:
        self.head(b"200 OK", b"Content-Length: %d" % (2 * self.number))
        self.peer.sendall(BLOCK[: self.number])

    def short_reset(self, _: Content) -> None:
        self.short(_)
        self.reset()

    def short_chunks(self, _: Content) -> None:
        self.head(b"200 OK", b"Transfer-Encoding: chunked")
        self.peer.sendall(chunk(BLOCK[: self.number]))

    def bad_chunk(self, _: Content) -> None:
        self.short_chunks(_)
        self.peer.sendall(b"0x3\r\nabc\r\n")

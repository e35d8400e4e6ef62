"""The soak's clients: one at a time over a socket of its own, and what it does with it."""

from __future__ import annotations

import itertools
import json
import socket
import struct
import threading
from dataclasses import dataclass

from ledger import Ledger, Outcome, Sent
from messages import Content, Reader
from upstream import Upstream

PATIENCE = 60.0


@dataclass
class Answer:
    status: int
    fields: dict[bytes, bytes]
    content: Content

    def own(self) -> str | None:
        """The exchange's identifier, where undersign has answered itself; HEAD is not told it."""
        if b"proxy-status" not in self.fields:
            return None
        if not self.content.beginning:
            return ""
        return str(json.loads(bytes(self.content.beginning))["exchange_id"])


class Client:
    """A connection to the proxy."""

    def __init__(self, port: int, pause: float = 0.0, receive_buffer: int = 0) -> None:
        self.peer = socket.socket()
        self.peer.settimeout(PATIENCE)
        if receive_buffer:
            self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.peer.connect(("127.0.0.1", port))
        self.peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.send = self.peer.sendall
        self.reader = Reader(self.peer, pause)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.peer.close()

    def reset(self) -> None:
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.peer.close()

    def answer(self, method: str = "GET") -> Answer | None:
        """The next final answer; none if the connection ends instead."""
        try:
            while True:
                first, fields = self.reader.head()
                status = int(first.split(b" ")[1])
                if status >= 200:
                    break
        except ConnectionError:
            return None
        bare = method == "HEAD" or status in (204, 304)
        content = Content(complete=True) if bare else self.reader.content(fields, True)
        return Answer(status, dict(fields), content)

    def is_closed(self) -> bool:
        try:
            return not self.reader.buffer and not self.peer.recv(1)
        except ConnectionError:
            return True


class Traffic:
    """Where clients connect to, and the ledger that they write into."""

    def __init__(self, port: int, narrow_port: int, upstream: Upstream, ledger: Ledger) -> None:
        self.port = port
        # A second proxy that lets few connections in.
        self.narrow_port = narrow_port
        self.upstream = upstream
        self.ledger = ledger
        self.numbers = itertools.count()
        # Large transfers at once; more would only be the machine's own limit.
        self.large = threading.Semaphore(4)

    def name(self) -> str:
        return f"{next(self.numbers):x}"

    def connect(self, pause: float = 0.0, receive_buffer: int = 0) -> Client:
        return Client(self.port, pause, receive_buffer)

    def request(
        self,
        name: str,
        behaviour: str,
        number: int = 0,
        method: str = "GET",
        query: str = "",
        fields: str = "",
    ) -> bytes:
        target = f"/soak/{name}/{behaviour}/{number}{query}"
        return f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{fields}\r\n".encode()

    def left(self, kind: str, name: str) -> None:
        self.ledger.add(Sent(kind, name, Outcome.LEFT))

    def unread(self, kind: str, name: str) -> None:
        self.ledger.add(Sent(kind, name, Outcome.UNREAD))

    def answered(
        self, kind: str, name: str, answer: Answer | None, *wanted: int, whole: bool = True
    ) -> bool:
        """Enters an answer; returns whether the upstream has answered as wanted."""
        if answer is None:
            # Its record can't be told, but that there is one can.
            self.ledger.surprise(f"{kind} {name}: no answer")
            self.left(kind, name)
            return False
        own = answer.own()
        complete = answer.content.complete
        outcome = Outcome.WHOLE if complete else Outcome.BROKEN
        length = answer.content.length
        self.ledger.add(Sent(kind, name, outcome, answer.status, length, own))
        # An upstream that closes an idle connection may do so just when a request is sent. The
        # soak compares their number with that of connections closed.
        unlucky = own is not None and answer.status == 502
        if not unlucky and (answer.status not in wanted or complete != whole):
            text = bytes(answer.content.beginning[:300])
            self.ledger.surprise(f"{kind} {name}: {answer.status}, complete: {complete}, {text!r}")
        if own is None and answer.fields.get(b"x-soak") != name.encode():
            self.ledger.surprise(f"{kind} {name}: it got another one's answer, {answer.fields}")
        return own is None and complete

    def wrong(self, kind: str, name: str, what: str) -> None:
        self.ledger.surprise(f"{kind} {name}: {what}")

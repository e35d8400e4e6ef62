"""The upstream that all proxies have: it keeps the bytes that reach it, and answers as told."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field

import message

# Nothing here takes long; what takes this long is not going to happen.
PATIENCE = 5.0


@dataclass
class Answer:
    """What the upstream sends on one request; by default the target it was asked for."""

    raw: bytes | None = None
    keep: bool = False  # leave the connection open behind it


@dataclass
class Connection:
    received: bytearray = field(default_factory=bytearray)
    # A request has been answered, and unless it is kept the connection shut; or it has ended.
    settled: threading.Event = field(default_factory=threading.Event)


class Upstream:
    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self.listener.getsockname()[1]
        self.answer = Answer()
        self.connections: list[Connection] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.listener.close()

    def take(self) -> list[bytes]:
        """What has reached it since it was last asked, a connection each. Those that are in the
        middle of a request are waited for: either it goes on, or it is given up."""
        taken, self.connections = self.connections, []
        for connection in taken:
            if connection.received:
                connection.settled.wait(PATIENCE)
        return [bytes(c.received) for c in taken if c.received]

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self.listener.accept()
                connection = Connection()
                self.connections.append(connection)
                threading.Thread(target=self._serve, args=(peer, connection), daemon=True).start()

    def _serve(self, peer: socket.socket, connection: Connection) -> None:
        peer.settimeout(PATIENCE)
        with contextlib.suppress(OSError), peer:
            self._exchange(peer, connection)
        connection.settled.set()

    def _exchange(self, peer: socket.socket, connection: Connection) -> None:
        begin = 0
        continued = shut = False
        while piece := peer.recv(65536):
            connection.received += piece
            found = message.read(bytes(connection.received[begin:]), answer=False)
            if found is None or shut:
                continue
            request, rest = found
            if request.values(b"expect") == [b"100-continue"] and not continued:
                continued = True
                peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            if not request.complete:
                continue
            # The next request gets the usual answer, which tells it from the first.
            answer, self.answer = self.answer, Answer()
            peer.sendall(answer.raw if answer.raw is not None else echo(request))
            if not answer.keep:
                peer.shutdown(socket.SHUT_WR)
            connection.settled.set()
            shut = not answer.keep
            begin = len(connection.received) - len(rest)


def echo(request: message.Message) -> bytes:
    words = request.start.split(b" ")
    target = words[1] if len(words) > 1 else b""
    content = b"" if words[0] == b"HEAD" else target
    return (
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(target)
    ) + content

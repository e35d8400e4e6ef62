"""Reads HTTP/1.1 messages off a socket, on either side, and makes content to send."""

from __future__ import annotations

import random
import socket
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

KIB = 1 << 10
MIB = 1 << 20

# Content repeats this block, so that both sides know what it must be.
BLOCK = random.Random(5849).randbytes(64 * KIB)


class Ended(ConnectionError):
    """The stream ended within a message."""


@dataclass
class Content:
    """What was read of a message's content: its end, its length and its checksum."""

    complete: bool = False
    length: int = 0
    checksum: int = 0
    # Only so much is kept.
    beginning: bytearray = field(default_factory=bytearray)

    def add(self, piece: memoryview) -> None:
        self.length += len(piece)
        self.checksum = zlib.crc32(piece, self.checksum)
        self.beginning += piece[: 64 * KIB - len(self.beginning)]


def block_content(length: int) -> Iterator[memoryview]:
    block = memoryview(BLOCK)
    for begin in range(0, length, len(block)):
        yield block[: length - begin]


def checksum(length: int) -> int:
    value = 0
    for piece in block_content(length):
        value = zlib.crc32(piece, value)
    return value


def chunk(piece: bytes | memoryview) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece)


class Reader:
    """A socket and what has been read from it but not yet used."""

    def __init__(self, peer: socket.socket, pause: float = 0.0) -> None:
        self.peer = peer
        self.buffer = bytearray()
        # Seconds between two reads: a slow reader.
        self.pause = pause

    def more(self) -> bool:
        if self.pause:
            time.sleep(self.pause)
        piece = self.peer.recv(64 * KIB)
        self.buffer += piece
        return bool(piece)

    def until(self, end: bytes) -> bytes:
        """What comes before `end`, which is taken as well."""
        start = 0
        while (found := self.buffer.find(end, start)) < 0:
            start = max(0, len(self.buffer) - len(end))
            if not self.more():
                raise Ended
        taken = bytes(self.buffer[:found])
        del self.buffer[: found + len(end)]
        return taken

    def head(self) -> tuple[bytes, list[tuple[bytes, bytes]]]:
        """The first line, and the fields with their names in lower case."""
        first, *lines = self.until(b"\r\n\r\n").split(b"\r\n")
        fields = []
        for line in lines:
            name, _, value = line.partition(b":")
            fields.append((name.lower(), value.strip()))
        return first, fields

    def content(self, fields: list[tuple[bytes, bytes]], until_close: bool) -> Content:
        """Reads content; one that breaks off is not `complete`."""
        content = Content()
        values = dict(fields)
        try:
            if b"chunked" in values.get(b"transfer-encoding", b""):
                while size := int(self.until(b"\r\n").split(b";")[0], 16):
                    self.take(size, content)
                    self.until(b"\r\n")
                while self.until(b"\r\n"):
                    pass
            elif b"content-length" in values:
                self.take(int(values[b"content-length"]), content)
            elif until_close:
                self.take(len(self.buffer), content)
                while self.more():
                    self.take(len(self.buffer), content)
            content.complete = True
        except (ConnectionError, ValueError):
            pass
        return content

    def take(self, size: int, content: Content) -> None:
        while size:
            if not self.buffer and not self.more():
                raise Ended
            length = min(size, len(self.buffer))
            with memoryview(self.buffer) as view:
                content.add(view[:length])
            del self.buffer[:length]
            size -= length

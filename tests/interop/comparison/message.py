"""HTTP/1 messages as this comparison reads them: leniently, since it must describe whatever
a proxy lets through."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

HEAD_END = re.compile(rb"\r?\n\r?\n")


@dataclass
class Message:
    start: bytes
    lines: list[bytes]  # header lines, without their ends
    content: bytes = b""
    chunked: bool = False
    extensions: list[bytes] = field(default_factory=list)
    trailers: list[bytes] = field(default_factory=list)
    complete: bool = True
    bare_lf: bool = False  # a line of the head ends without CR

    def values(self, name: bytes) -> list[bytes]:
        return [value(line) for line in self.lines if name_of(line) == name]

    @property
    def status(self) -> str:
        return self.start[9:12].decode("latin-1")

    @property
    def interim(self) -> bool:
        return self.status[:1] == "1" and self.status != "101"

    @property
    def ambiguous(self) -> bool:
        """Where its content ends is what the reader believes."""
        lengths, codings = self.values(b"content-length"), self.values(b"transfer-encoding")
        if lengths and codings:
            return True
        return len(lengths + codings) > 1 or not all(
            re.fullmatch(rb"[0-9]{1,12}|chunked", v) for v in lengths + codings
        )


def name_of(line: bytes) -> bytes:
    return line.partition(b":")[0].strip().lower()


def value(line: bytes) -> bytes:
    return line.partition(b":")[2].strip()


def split_lines(section: bytes) -> list[bytes]:
    """Header lines; a folded one stays one, with the fold in it."""
    lines: list[bytes] = []
    for line in section.split(b"\n") if section else []:
        if line[:1] in (b" ", b"\t") and lines:
            lines[-1] += b"\r\n" + line.removesuffix(b"\r")
        else:
            lines.append(line.removesuffix(b"\r"))
    return lines


def read(data: bytes, *, answer: bool, bodiless: bool = False, ended: bool = False):
    """One message at the beginning of the bytes, and what is behind it; None if there is no
    whole head yet. `ended` says that no more will come."""
    end = HEAD_END.search(data)
    if end is None:
        return None
    start, _, section = data[: end.start()].partition(b"\n")
    message = Message(start.removesuffix(b"\r"), split_lines(section))
    message.bare_lf = re.search(rb"(?<!\r)\n", data[: end.end()]) is not None
    rest = data[end.end() :]
    lengths = message.values(b"content-length")
    message.chunked = any(b"chunked" in v.lower() for v in message.values(b"transfer-encoding"))
    if answer and (bodiless or message.status in ("204", "304") or message.status[:1] == "1"):
        return message, rest
    if message.chunked:
        return message, read_chunks(message, rest)
    if lengths and re.fullmatch(rb"[0-9]{1,12}", lengths[0]):
        length = int(lengths[0])
        message.content, rest = rest[:length], rest[length:]
        message.complete = len(message.content) == length
    elif answer:
        message.content, rest = rest, b""
        message.complete = ended
    return message, rest


def read_chunks(message: Message, rest: bytes) -> bytes:
    message.complete = False
    while True:
        line, found, behind = rest.partition(b"\n")
        size, _, extension = line.removesuffix(b"\r").partition(b";")
        if not found or not re.fullmatch(rb"[0-9a-fA-F]{1,12}([ \t].*)?", size):
            return rest
        if extension:
            message.extensions.append(extension)
        length = int(size.split()[0], 16)
        if length == 0:
            break
        message.content += behind[:length]
        if len(behind) < length + 2:
            return b""
        rest = behind[length:].removeprefix(b"\r").removeprefix(b"\n")
    rest = behind
    while True:
        line, found, rest = rest.partition(b"\n")
        if not found:
            return b""
        line = line.removesuffix(b"\r")
        if not line:
            message.complete = True
            return rest
        message.trailers.append(line)

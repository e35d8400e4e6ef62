"""One client's connection to a proxy: raw bytes out, and what came back."""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import dataclass, field

import message

# How long a proxy may be silent before we say that it waits for more. Those that answer do so
# within milliseconds, and those that wait would do it for much longer.
SILENCE = 4.0
PROBE = b"GET /probe HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclass
class Outcome:
    answers: list[message.Message] = field(default_factory=list)  # final ones, in their order
    interim: list[message.Message] = field(default_factory=list)
    stray: bytes = b""  # what is no answer of HTTP/1
    closed: bool = False
    cut: bool = False  # the last answer ended before its end
    probed: message.Message | None = None


def send(port: int, raw: bytes, behind_continue: bytes = b"", probe: bool = True) -> Outcome:
    """Sends it, and when it has been answered asks for something more on the same connection:
    whether that is still served tells more than any waiting could. Without a probe, the
    first answer is all."""
    outcome = Outcome()
    bodiless = raw.startswith(b"HEAD ")
    received = b""
    asked = False
    with socket.create_connection(("127.0.0.1", port), SILENCE) as peer:
        try_to_send(peer, raw)
        deadline = time.monotonic() + SILENCE
        while not outcome.closed and outcome.probed is None and time.monotonic() < deadline:
            try:
                piece = peer.recv(65536)
            except TimeoutError:
                break
            except OSError:
                piece = b""
            outcome.closed = not piece
            received += piece
            while received:
                found = message.read(received, answer=True, bodiless=bodiless, ended=not piece)
                if found is None or not found[0].start.startswith(b"HTTP/1."):
                    break
                answer, rest = found
                if not answer.complete and not outcome.closed:
                    break
                received = rest
                if answer.interim:
                    outcome.interim.append(answer)
                    try_to_send(peer, behind_continue)
                    behind_continue = b""
                    continue
                outcome.cut = not answer.complete
                if answer.content == b"/probe":
                    outcome.probed = answer
                else:
                    outcome.answers.append(answer)
                bodiless = False
                deadline = time.monotonic() + SILENCE
                if probe and not asked:
                    asked = True
                    try_to_send(peer, PROBE)
            if outcome.answers and not probe:
                break
    outcome.stray = received
    return outcome


def try_to_send(peer: socket.socket, raw: bytes) -> None:
    # A proxy that has seen enough may hang up before it has all of it.
    with contextlib.suppress(OSError):
        peer.sendall(raw)

#!/usr/bin/env python3
"""Prints the memory that clients cost who keep a connection, or an answer, waiting.

    cargo build --release --locked && python3 benches/connections.py [--connections 10000]

Needs Python's standard library, and openssl for a certificate. Where nginx is installed, it
is measured in the same way, as a plain TLS reverse proxy to the same upstream. Twice as many
descriptors as connections must be allowed (`ulimit -Hn`).
"""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import tempfile
import time
from pathlib import Path

from figures import upstream
from programs import (
    Command,
    Running,
    arguments,
    find_nginx,
    nginx,
    parse,
    running,
    self_signed,
    undersign,
)

KIB = 1 << 10
MIB = 1 << 20

READERS = 200
ANSWER = 100 * MIB

# Until memory is looked at. For readers, what can be sent has been sent by then.
REST = 3.0

# Connections from one source address; the system has about 28,000 ports for each.
PER_ADDRESS = 5_000

LIMITS = """
[proxy.bench.limits]
connections = {connections}
"""


def connect(program: Running, number: int, target: str) -> socket.socket:
    peer = socket.socket()
    peer.settimeout(60)
    peer.bind((f"127.0.0.{1 + number // PER_ADDRESS}", 0))
    peer.connect(("127.0.0.1", program.port))
    peer.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{program.port}\r\n\r\n".encode())
    return peer


def memory(program: Running) -> tuple[float, float]:
    """VmRSS and Pss, in KiB."""
    time.sleep(REST)
    rss, pss = program.memory("status", "VmRSS"), program.memory("smaps_rollup", "Pss")
    return rss * KIB, pss * KIB


def idle(program: Running, count: int, open_peers: contextlib.ExitStack) -> None:
    """Each connection has had a request, and may have another."""
    for number in range(count):
        peer = open_peers.enter_context(connect(program, number, "/"))
        if not peer.recv(4 * KIB).startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"connection {number} was not served")


def waiting(program: Running, count: int, open_peers: contextlib.ExitStack) -> None:
    """Each has a large answer coming, of which it reads nothing."""
    for number in range(count):
        open_peers.enter_context(connect(program, number, f"/download/{ANSWER}"))


def measure(command: Command, connections: int) -> list[float]:
    figures = []
    for crowd, count in ((idle, connections), (waiting, READERS)):
        with running(command) as (program, _), contextlib.ExitStack() as open_peers:
            idle(program, 1, open_peers)
            before = memory(program)
            crowd(program, count, open_peers)
            after = memory(program)
            figures += [after[0] / KIB, *((b - a) / count for a, b in zip(before, after))]
    return figures


# In the order in which measure() returns them.
ROWS = [
    ("{connections} idle connections, VmRSS", "MiB", "each after one request, {rest} s at rest"),
    ("an idle connection, VmRSS", "KiB", "what was added, by their number"),
    ("an idle connection, Pss", "KiB", "likewise"),
    ("{readers} clients that do not read, VmRSS", "MiB", "an answer of {answer} MiB for each"),
    ("a client that does not read, VmRSS", "KiB", "what was added, by their number"),
    ("a client that does not read, Pss", "KiB", "likewise"),
]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    options = parse(parser)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Those of the program, which inherits this, and those of its clients in this process.
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    limit = options.connections + READERS

    with tempfile.TemporaryDirectory() as name:
        port = upstream(self_signed(Path(name)))
        ours = measure(
            undersign(options.binary, port, LIMITS.format(connections=limit)), options.connections
        )
        web_server = find_nginx()
        theirs = (
            measure(nginx(web_server, port, 2 * limit), options.connections) if web_server else None
        )

    print(f"{os.cpu_count()} processors, {os.uname().sysname} {os.uname().release}")
    print("| figure | undersign | nginx | ratio | unit | how |")
    print("| --- | ---: | ---: | ---: | --- | --- |")
    for row, (title, unit, how) in enumerate(ROWS):
        other = f"{theirs[row]:.1f} | {ours[row] / theirs[row]:.2f}" if theirs else "- | -"
        words = {
            "connections": options.connections,
            "readers": READERS,
            "answer": ANSWER // MIB,
            "rest": REST,
        }
        title, how = title.format(**words), how.format(**words)
        print(f"| {title} | {ours[row]:.1f} | {other} | {unit} | {how} |")
    print()
    print("nginx sets memory aside for all the connections that it may have when it starts, and")
    print("little more when they come; the first row has both.")


if __name__ == "__main__":
    main()

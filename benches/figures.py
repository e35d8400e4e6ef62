#!/usr/bin/env python3
"""Prints how long the release binary takes to start, and the memory it needs.

    cargo build --release --locked && python3 benches/figures.py [--quick]

Needs Python's standard library, curl, and openssl for a certificate. Where nginx is
installed, it is measured in the same way, as a plain TLS reverse proxy to the same
upstream. The figures are to be looked at, not tested: they depend on the machine.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from programs import Command, arguments, find_nginx, nginx, parse, running, self_signed, undersign

MIB = 1 << 20


# The upstream: swallows what it is sent, and answers /download/BYTES with zeros.


def upstream(tls: ssl.SSLContext) -> int:
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def accept() -> None:
        while True:
            raw, _ = listener.accept()
            threading.Thread(target=connection, args=(raw,), daemon=True).start()

    def connection(raw: socket.socket) -> None:
        with contextlib.suppress(OSError), tls.wrap_socket(raw, server_side=True) as peer:
            while serve(peer):
                pass

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def serve(peer: ssl.SSLSocket) -> bool:
    """One request; a body always comes with its length here."""
    received = bytearray()
    while b"\r\n\r\n" not in received:
        piece = peer.recv(65536)
        if not piece:
            return False
        received += piece
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    left = int(fields.get(b"content-length", b"0")) - len(body)
    if fields.get(b"expect") == b"100-continue":
        peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    buffer = bytearray(256 * 1024)
    while left > 0:
        count = peer.recv_into(buffer)
        if not count:
            return False
        left -= count

    target = head.split(b" ")[1]
    size = int(target.rsplit(b"/", 1)[1]) if target.startswith(b"/download/") else 0
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    zeros = memoryview(bytes(MIB))
    for sent in range(0, size, MIB):
        peer.sendall(zeros[: min(MIB, size - sent)])
    return True


def curl(*arguments: str) -> float:
    """Seconds that the transfer took."""
    begin = time.perf_counter()
    subprocess.run(
        ["curl", "-q", "-sSfk", "--noproxy", "*", "--http1.1", "-o", "/dev/null", *arguments],
        check=True,
    )
    return time.perf_counter() - begin


# In the order in which measure() returns them.
ROWS = [
    ("start to listening", "ms", "median of {starts} starts; fork to first accepted connection"),
    ("idle memory, VmRSS", "MiB", "/proc/PID/status, after one request and {idle} s at rest"),
    ("idle memory, Pss", "MiB", "/proc/PID/smaps_rollup, at the same moment"),
    ("peak memory, upload", "MiB", "VmHWM after a PUT of {size} MiB (curl -T, sparse file)"),
    ("peak memory, download", "MiB", "VmHWM after a GET of {size} MiB, in a new process"),
    ("upload", "MiB/s", "{size} MiB, wall clock of curl"),
    ("download", "MiB/s", "{size} MiB, wall clock of curl"),
    ("CPU, upload", "s/GiB", "utime + stime of the proxy alone"),
    ("CPU, download", "s/GiB", "utime + stime of the proxy alone"),
]


def measure(command: Command, size: int, starts: int, idle: float, file: Path) -> list[float]:
    times = []
    for _ in range(starts):
        with running(command) as (_, seconds):
            times.append(seconds * 1000)

    def transfer(target: str, *arguments: str) -> tuple[float, float, float]:
        with running(command) as (program, _):
            curl(f"{program.url}/")
            before = program.cpu_seconds()
            seconds = curl(program.url + target, *arguments)
            cpu = (program.cpu_seconds() - before) / (size / 1024)
            return program.memory("status", "VmHWM"), size / seconds, cpu

    with running(command) as (program, _):
        curl(f"{program.url}/")
        time.sleep(idle)
        rss = program.memory("status", "VmRSS")
        pss = program.memory("smaps_rollup", "Pss")
    up_peak, up_rate, up_cpu = transfer("/upload", "-T", str(file))
    down_peak, down_rate, down_cpu = transfer(f"/download/{size * MIB}")
    start = statistics.median(times)
    return [start, rss, pss, up_peak, down_peak, up_rate, down_rate, up_cpu, down_cpu]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--quick", action="store_true", help="64 MiB and 5 starts")
    options = parse(parser)
    size, starts, idle = (64, 5, 0.5) if options.quick else (1024, 20, 2.0)

    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        port = upstream(self_signed(directory))
        file = directory / "sparse"
        with file.open("wb") as sparse:
            sparse.truncate(size * MIB)
        # Its first reader waits for the system to set memory aside.
        with file.open("rb") as sparse:
            while sparse.read(MIB):
                pass

        ours = measure(undersign(options.binary, port), size, starts, idle, file)
        web_server = find_nginx()
        theirs = measure(nginx(web_server, port), size, starts, idle, file) if web_server else None
        direct = f"https://127.0.0.1:{port}"
        up = size / curl(f"{direct}/upload", "-T", str(file))
        down = size / curl(f"{direct}/download/{size * MIB}")

    print(f"{os.cpu_count()} processors, {os.uname().sysname} {os.uname().release}")
    print("| figure | undersign | nginx | ratio | unit | how |")
    print("| --- | ---: | ---: | ---: | --- | --- |")
    for row, (title, unit, how) in enumerate(ROWS):
        digits = 2 if unit == "s/GiB" else 1
        other = "- | -"
        if theirs:
            other = f"{theirs[row]:.{digits}f} | {ours[row] / theirs[row]:.2f}"
        how = how.format(size=size, starts=starts, idle=idle)
        print(f"| {title} | {ours[row]:.{digits}f} | {other} | {unit} | {how} |")
    print()
    if theirs is None:
        print("nginx is not installed, so there is nothing to compare with.")
    else:
        print("nginx: a plain TLS reverse proxy to the same upstream, buffering off, memory")
        print("summed over its processes (Pss is the fair one there: they share pages).")
    print(
        f"The ceiling: curl to the upstream without a proxy, {up:.0f} MiB/s up and {down:.0f} MiB/s"
    )
    print("down. The upstream is a Python program; it, curl and the proxy share the processors,")
    print("so the rates say less than the CPU seconds, which are the proxy's own.")


if __name__ == "__main__":
    main()

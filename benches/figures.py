#!/usr/bin/env python3
"""Prints how long the release binary takes to start, and the memory it needs.

    cargo build --release --locked && python3 benches/figures.py [--quick]

Needs Python's standard library, curl, and openssl for a certificate. Where nginx is
installed, it is measured in the same way, as a plain TLS reverse proxy to the same
upstream. The figures are to be looked at, not tested: they depend on the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MIB = 1 << 20

CONFIGURATION = """\
[log]
format = "json"
file = "{directory}/exchanges.log"

[proxy.figures]
listen = "127.0.0.1:{port}"
upstream = "https://127.0.0.1:{upstream}"
consumer_key = "ug7nnV3aq4VwGQQzyiFRDSGwa7QZY0YE"
consumer_secret_file = "{directory}/secret"

[proxy.figures.tls]
trust = "self-signed"
"""

# Nothing but what it takes to forward the same: no buffering to disk, which would make
# the memory small and the comparison pointless, and kept upstream connections.
NGINX = """\
daemon off;
worker_processes auto;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log {directory}/access.log;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    client_max_body_size 0;
    upstream platform {{ server 127.0.0.1:{upstream}; keepalive 16; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass https://platform;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_request_buffering off;
            proxy_buffering off;
        }}
    }}
}}
"""


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


def self_signed(directory: Path) -> ssl.SSLContext:
    certificate, key = directory / "upstream.pem", directory / "upstream.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        + ["-nodes", "-days", "2", "-subj", "/CN=upstream.test"]
        + ["-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


# What is measured. A program is its process and those it has started (nginx's workers).


@dataclass
class Running:
    process: subprocess.Popen[bytes]
    url: str

    def pids(self) -> list[int]:
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def memory(self, file: str, key: str) -> float:
        """A key of /proc/PID/FILE, in MiB, summed over the processes."""
        kib = 0
        for pid in self.pids():
            for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
                if line.startswith(key + ":"):
                    kib += int(line.split()[1])
        return kib / 1024

    def cpu_seconds(self) -> float:
        ticks = 0
        for pid in self.pids():
            # After the name in parentheses, which may contain blanks.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


Command = Callable[[Path, int], list[str]]


@contextlib.contextmanager
def running(command: Command) -> Iterator[tuple[Running, float]]:
    """Starts it; says how many seconds passed until a connection was accepted."""
    with tempfile.TemporaryDirectory() as name:
        port = free_port()
        arguments = command(Path(name), port)
        begin = time.perf_counter()
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={k: v for k, v in os.environ.items() if not k.startswith("UNDERSIGN_")},
        )
        try:
            while True:
                with contextlib.suppress(ConnectionRefusedError):
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                if process.poll() is not None or time.perf_counter() - begin > 10:
                    process.kill()
                    raise SystemExit(f"{arguments[0]}: {process.communicate()[1].decode()}")
                time.sleep(0.0002)
            started = time.perf_counter() - begin
            yield Running(process, f"http://127.0.0.1:{port}"), started
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate()


def undersign(binary: Path, upstream_port: int) -> Command:
    def command(directory: Path, port: int) -> list[str]:
        secret = directory / "secret"
        secret.touch(mode=0o600)
        secret.write_text("cccMHKhIIVupWAEWtYeQmg9DVe0DSP1x")
        configuration = directory / "undersign.toml"
        configuration.write_text(
            CONFIGURATION.format(directory=directory, port=port, upstream=upstream_port)
        )
        return [str(binary), "run", "--config", str(configuration)]

    return command


def nginx(binary: str, upstream_port: int) -> Command:
    def command(directory: Path, port: int) -> list[str]:
        configuration = directory / "nginx.conf"
        configuration.write_text(
            NGINX.format(directory=directory, port=port, upstream=upstream_port)
        )
        # Without -e, it first opens the log of the system's own nginx.
        return [binary, "-e", str(directory / "error.log"), "-c", str(configuration)]

    return command


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
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--binary", type=Path, default=ROOT / "target/release/undersign")
    arguments.add_argument("--quick", action="store_true", help="64 MiB and 5 starts")
    options = arguments.parse_args()
    if not options.binary.is_file():
        arguments.error(f"{options.binary} is not built: cargo build --release --locked")
    size, starts, idle = (64, 5, 0.5) if options.quick else (1024, 20, 2.0)

    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        port = upstream(self_signed(directory))
        file = directory / "sparse"
        with file.open("wb") as sparse:
            sparse.truncate(size * MIB)

        ours = measure(undersign(options.binary, port), size, starts, idle, file)
        web_server = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
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

"""Starts undersign, and nginx for comparison, and looks at them while they run."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BINARY = ROOT / "target/release/undersign"

KEY = "ug7nnV3aq4VwGQQzyiFRDSGwa7QZY0YE"
SECRET = "cccMHKhIIVupWAEWtYeQmg9DVe0DSP1x"

CONFIGURATION = """\
[log]
format = "json"
file = "{directory}/exchanges.log"

[proxy.bench]
listen = "127.0.0.1:{port}"
upstream = "https://127.0.0.1:{upstream}"
consumer_key = "{key}"
consumer_secret_file = "{directory}/secret"

[proxy.bench.tls]
trust = "self-signed"
"""

# Nothing but what it takes to forward the same: no buffering to disk, which would make
# the memory small and the comparison pointless, and kept upstream connections.
NGINX = """\
daemon off;
worker_processes auto;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
worker_rlimit_nofile {descriptors};
events {{ worker_connections {connections}; }}
http {{
    access_log {directory}/access.log;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    client_max_body_size 0;
    upstream platform {{ server 127.0.0.1:{upstream}; keepalive 64; }}
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
    port: int
    directory: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def pids(self) -> list[int]:
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def stop(self) -> tuple[int, str]:
        """The exit code after TERM, and what stood on standard error."""
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate(timeout=40)
        return self.process.returncode, errors.decode()

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
            yield Running(process, port, Path(name)), started
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                process.communicate()


def undersign(binary: Path, upstream_port: int, more: str = "") -> Command:
    """Undersign with the settings in `more` behind those of the proxy `bench`."""

    def command(directory: Path, port: int) -> list[str]:
        secret = directory / "secret"
        secret.touch(mode=0o600)
        secret.write_text(SECRET)
        configuration = directory / "undersign.toml"
        configuration.write_text(
            (CONFIGURATION + more).format(
                directory=directory, port=port, upstream=upstream_port, key=KEY
            )
        )
        return [str(binary), "run", "--config", str(configuration)]

    return command


def nginx(binary: str, upstream_port: int, connections: int = 1024) -> Command:
    def command(directory: Path, port: int) -> list[str]:
        configuration = directory / "nginx.conf"
        configuration.write_text(
            NGINX.format(
                directory=directory,
                port=port,
                upstream=upstream_port,
                connections=connections,
                descriptors=connections + 1024,
            )
        )
        # Without -e, it first opens the log of the system's own nginx.
        return [binary, "-e", str(directory / "error.log"), "-c", str(configuration)]

    return command


def find_program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin")


def find_nginx() -> str | None:
    return find_program("nginx")


def arguments(description: str) -> argparse.ArgumentParser:
    """What each of the scripts takes."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--binary", type=Path, default=BINARY)
    return parser


def parse(parser: argparse.ArgumentParser) -> argparse.Namespace:
    options = parser.parse_args()
    if not options.binary.is_file():
        parser.error(f"{options.binary} is not built: cargo build --release --locked")
    return options

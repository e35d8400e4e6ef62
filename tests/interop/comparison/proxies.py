"""The three proxies, each a plain reverse proxy to the recording upstream.

nginx and HAProxy are configured as their manuals' own examples have it: for nginx the one for
HTTP keep-alive connections in "ngx_http_upstream_module", for HAProxy the first in the
chapter "Examples". Nothing in them makes the two stricter or laxer than they are by default.
Undersign has its defaults as well, but for an upstream of plain HTTP.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from upstream import Upstream

ROOT = Path(__file__).resolve().parents[3]
BINARY = Path(
    os.environ.get("UNDERSIGN_BIN") or ROOT / "target" / "release" / "undersign"
).resolve()

UNDERSIGN = """\
[proxy.comparison]
listen = "127.0.0.1:{port}"
upstream = "http://127.0.0.1:{upstream}"
allow_plaintext_upstream = true
consumer_key = "ug7nnV3aq4VwGQQzyiFRDSGwa7QZY0YE"
consumer_secret_file = "{directory}/secret"
"""

NGINX = """\
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    upstream http_backend {{
        server 127.0.0.1:{upstream};
        keepalive 16;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://http_backend;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
}}
"""

HAPROXY = """\
global
    maxconn 256
defaults
    mode http
    timeout connect 5000ms
    timeout client 50000ms
    timeout server 50000ms
frontend http-in
    bind 127.0.0.1:{port}
    default_backend servers
backend servers
    server server1 127.0.0.1:{upstream} maxconn 32
"""

# Debian has them where only root's path leads.
ENVIRONMENT = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"}

# Name: configuration, its file's name, the command.
PROXIES = {
    "undersign": (UNDERSIGN, "undersign.toml", [str(BINARY), "run", "--config"]),
    "nginx": (NGINX, "nginx.conf", ["nginx", "-e", "/dev/null", "-c"]),
    "haproxy": (HAPROXY, "haproxy.cfg", ["haproxy", "-db", "-f"]),
}


@contextlib.contextmanager
def running(name: str, upstream: Upstream) -> Iterator[int]:
    """Starts it, and yields its port."""
    configuration, file_name, command = PROXIES[name]
    with tempfile.TemporaryDirectory(prefix="comparison-") as temporary:
        directory = Path(temporary)
        secret = directory / "secret"
        secret.touch(mode=0o600)
        secret.write_text("cccMHKhIIVupWAEWtYeQmg9DVe0DSP1x")
        port = free_port()
        file = directory / file_name
        file.write_text(
            configuration.format(directory=directory, port=port, upstream=upstream.port)
        )
        # Only what the file says: no variable of the caller's may change it.
        environment = {k: v for k, v in ENVIRONMENT.items() if not k.startswith("UNDERSIGN_")}
        with (directory / "output").open("wb") as output:
            process = subprocess.Popen(
                [*command, str(file)], stdout=output, stderr=output, env=environment, cwd=directory
            )
        try:
            wait_until_listening(port, process, directory / "output")
            yield port
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_until_listening(port: int, process: subprocess.Popen[bytes], output: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.01)
    raise RuntimeError(f"{process.args!r} does not listen: {output.read_text()}")


def version(name: str) -> str:
    """As the program says it, without the distribution's suffixes."""
    command = [PROXIES[name][2][0], "--version" if name == "undersign" else "-v"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
    except FileNotFoundError:
        raise SystemExit(
            f"{command[0]} is missing; on Debian: apt-get install nginx haproxy"
        ) from None
    found = re.search(r"\d+\.\d+\.\d+", done.stdout + done.stderr)
    return found[0] if found else "?"

#!/usr/bin/env python3
"""Prints what a small request costs: the proxy's CPU time, how long it takes, how many a second there are.

    cargo build --release --locked && python3 benches/requests.py [--seconds 5]

Needs Python's standard library, wrk, openssl for a certificate, and nginx: as the upstream, as
it is fast enough not to be what is measured, and for comparison, as a plain TLS reverse proxy
that signs nothing. Both proxies write an access log. They take turns, several rounds each.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from programs import (
    Command,
    Running,
    arguments,
    find_nginx,
    find_program,
    nginx,
    parse,
    running,
    self_signed,
    undersign,
)

ROUNDS = 5
TARGET = (
    "/aps/2/resources?implementing(http://aps-standard.org/types/core/resource/1.0),"
    "like(name,*abc*),sort(+name),limit(0,10)"
)
FIELDS = ["Accept: application/json", "APS-Transaction-ID: 5e4f0d8a-0c1b-4b7f-9d3e-2a6c8b1d0723"]
CONNECTIONS = [1, 16, 64]

UPSTREAM = """\
daemon off;
worker_processes 1;
pid {directory}/upstream.pid;
error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    keepalive_requests 1000000000;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {certificates}/upstream.pem;
        ssl_certificate_key {certificates}/upstream.key;
        location / {{
            default_type application/json;
            return 200 '[{body}]';
        }}
    }}
}}
"""


def upstream(binary: str, certificates: Path) -> Command:
    def command(directory: Path, port: int) -> list[str]:
        configuration = directory / "nginx.conf"
        body = ",".join('{"id":%d}' % number for number in range(50))
        configuration.write_text(
            UPSTREAM.format(directory=directory, certificates=certificates, port=port, body=body)
        )
        return [binary, "-e", str(directory / "error.log"), "-c", str(configuration)]

    return command


@dataclass
class Figures:
    """Of one round."""

    cpu: float
    """Microseconds a request, of the proxy alone."""
    median: float
    """Microseconds from request to answer."""
    slowest: float
    """The same, of the slowest request but one in a hundred."""
    rate: float
    """Requests a second."""


UNITS = {"us": 1, "ms": 1_000, "s": 1_000_000}


def load(wrk: str, program: Running, connections: int, seconds: int) -> Figures:
    fields = [word for field in FIELDS for word in ("-H", field)]
    before = program.cpu_seconds()
    report = subprocess.run(
        [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *fields]
        + [program.url + TARGET],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    cpu = program.cpu_seconds() - before
    if "Non-2xx" in report or "Socket errors" in report:
        raise SystemExit(f"not every request was served:\n{report}")

    def latency(percentile: str) -> float:
        number, unit = re.search(rf"^ +{percentile} +([0-9.]+)(us|ms|s)$", report, re.M).groups()
        return float(number) * UNITS[unit]

    requests = int(re.search(r"(\d+) requests in", report)[1])
    return Figures(cpu * 1e6 / requests, latency("50%"), latency("99%"), requests / seconds)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=int, default=5, help="for each round")
    options = parse(parser)
    wrk, web_server = find_program("wrk"), find_nginx()
    if not (wrk and web_server):
        parser.error("wrk and nginx must be installed")

    print(f"{os.cpu_count()} processors, {os.uname().sysname} {os.uname().release}")
    print("| connections | figure | undersign | nginx | ratio | unit |")
    print("| ---: | --- | ---: | ---: | ---: | --- |")
    with tempfile.TemporaryDirectory() as name:
        certificates = Path(name)
        self_signed(certificates)
        with (
            running(upstream(web_server, certificates)) as (platform, _),
            running(undersign(options.binary, platform.port)) as (ours, _),
            running(nginx(web_server, platform.port)) as (theirs, _),
        ):
            for connections in CONNECTIONS:
                rounds = [
                    [load(wrk, program, connections, options.seconds) for program in (ours, theirs)]
                    for _ in range(ROUNDS)
                ]
                for figure, title, unit in [
                    ("cpu", "CPU of the proxy", "us a request"),
                    ("median", "latency, median", "us"),
                    ("slowest", "latency, 99th percentile", "us"),
                    ("rate", "rate", "requests/s"),
                ]:
                    our, their = (
                        statistics.median(getattr(figures, figure) for figures in column)
                        for column in zip(*rounds)
                    )
                    digits = 0 if our > 100 else 1
                    print(
                        f"| {connections} | {title} | {our:.{digits}f} | {their:.{digits}f} "
                        f"| {our / their:.2f} | {unit} |"
                    )
    print(f"\nMedians of {ROUNDS} rounds of {options.seconds} s each, in which the two took turns.")
    print("Client, proxy and upstream share the processors. nginx signs nothing.")


if __name__ == "__main__":
    main()

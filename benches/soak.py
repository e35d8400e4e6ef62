#!/usr/bin/env python3
"""Sends the release binary mixed traffic for minutes, and checks that nothing is left behind.

    cargo build --release --locked && python3 benches/soak.py [--minutes 10]

Needs Python's standard library, and openssl for a certificate. The upstream verifies each
signature by itself. Afterwards memory, descriptors and threads must be what they were after
the warm-up, and the log must have one record for each exchange that says what its client
saw. Exits with 1 if anything is otherwise.
"""

from __future__ import annotations

import math
import os
import random
import signal
import sys
import tempfile
import threading
import time
import traceback
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import verifier
from clients import Traffic
from faults import FAILING, FAULTY, crowd
from kinds import WELL_BEHAVED
from ledger import Ledger, Outcome, Record, compare, read_log
from programs import (
    KEY,
    SECRET,
    Running,
    arguments,
    free_port,
    parse,
    running,
    self_signed,
    undersign,
)
from upstream import Upstream

KINDS = WELL_BEHAVED + FAULTY
FEWEST, MOST = 50, 200
PERMITTED, TURNED_AWAY = 20, 100

# Seconds without traffic before memory and descriptors are looked at; longer than pool_idle.
QUIET = 6
WARM_UP = 0.1

# Neither is logged as an exchange.
NO_EXCHANGE = (Outcome.UNREAD, Outcome.NOT_HTTP)
EXPECTED_TO_FAIL = [[behaviour] for behaviour, _ in FAILING]

# How much more memory than after the warm-up is no leak yet, in MiB.
MAX_GROWTH = 4.0

SETTINGS = """
[proxy.bench.timeouts]
connect = "20s"
request_headers = "2s"
pool_idle = "3s"

[proxy.narrow]
listen = "127.0.0.1:{narrow}"
upstream = "https://127.0.0.1:{{upstream}}"
consumer_key = "{{key}}"
consumer_secret_file = "{{directory}}/secret"
tls.trust = "self-signed"
timeouts.pool_idle = "3s"
limits.connections = {permitted}

[admin]
listen = "127.0.0.1:{admin}"
"""


class Soak:
    """Threads that are clients, and one that rotates the log."""

    def __init__(self, program: Running, traffic: Traffic) -> None:
        self.program = program
        self.traffic = traffic
        self.told = 0
        self.rotations = 0
        self.memory: list[float] = []

    def run(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        threads = [threading.Thread(target=self.client, args=(n, end)) for n in range(MOST)]
        threads += [
            threading.Thread(target=self.now_and_then, args=(end, 17, self.rotate)),
            threading.Thread(target=self.now_and_then, args=(end, 11, self.crowd)),
            threading.Thread(target=self.now_and_then, args=(end, 30, self.weigh)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def client(self, number: int, end: float) -> None:
        kinds = [kind for _, kind in KINDS]
        weights = [weight for weight, _ in KINDS]
        while (now := time.monotonic()) < end:
            # The crowd grows and shrinks.
            if number >= FEWEST + (MOST - FEWEST) * (1 + math.sin(now / 10)) / 2:
                time.sleep(0.5)
                continue
            kind = random.choices(kinds, weights)[0]
            try:
                kind(self.traffic)
            except Exception:
                self.traffic.wrong(kind.__name__, "", traceback.format_exc())

    def now_and_then(self, end: float, seconds: float, what: Callable[[], None]) -> None:
        while time.monotonic() + seconds < end:
            time.sleep(seconds)
            what()

    def rotate(self) -> None:
        self.rotations += 1
        log = self.program.directory / "exchanges.log"
        log.rename(log.with_name(f"exchanges.log.{self.rotations}"))
        self.program.process.send_signal(signal.SIGHUP)

    def weigh(self) -> None:
        self.memory.append(self.program.memory("status", "VmRSS"))

    def crowd(self) -> None:
        self.told += crowd(self.traffic, PERMITTED, TURNED_AWAY)


@dataclass
class Sample:
    """What the process holds at one moment."""

    rss: float
    pss: float
    descriptors: int
    threads: int

    @classmethod
    def of(cls, program: Running) -> Sample:
        process = Path(f"/proc/{program.process.pid}")
        return cls(
            program.memory("status", "VmRSS"),
            program.memory("smaps_rollup", "Pss"),
            len(list((process / "fd").iterdir())),
            len(list((process / "task").iterdir())),
        )


def metric(text: str, name: str) -> float:
    lines = (line.rpartition(" ") for line in text.splitlines())
    return sum(float(value) for key, _, value in lines if key.partition("{")[0] == name)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parse(parser)
    verifier.check()
    # Hundreds of threads share this interpreter; none is to wait long for its turn.
    sys.setswitchinterval(0.0005)
    with tempfile.TemporaryDirectory() as name:
        upstream = Upstream(self_signed(Path(name)), KEY, SECRET)
    narrow, admin = free_port(), free_port()
    settings = SETTINGS.format(narrow=narrow, admin=admin, permitted=PERMITTED)
    ledger = Ledger()
    with running(undersign(options.binary, upstream.port, settings)) as (program, _):
        soak = Soak(program, Traffic(program.port, narrow, upstream, ledger))
        start = rest(program)
        seconds = options.minutes * 60
        soak.run(seconds * WARM_UP)
        warm = rest(program)
        soak.run(seconds * (1 - WARM_UP))
        end = rest(program)
        peak = program.memory("status", "VmHWM")
        cpu = program.cpu_seconds()
        with urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics") as answer:
            metrics = answer.read().decode()
        code, stderr = program.stop()
        log = read_log(program.directory.glob("exchanges.log*"))

    faults = [
        *ledger.surprises,
        *compare(ledger.sent, log),
        *(f"the upstream refused {refused}" for refused in upstream.refused),
        *(f"the upstream saw {name} {n} times" for name, n in upstream.seen.items() if n > 1),
        *(f"{name} was not cancelled upstream" for name in upstream.not_cancelled),
        *(f"panicked: {line}" for line in [*log.panics, *stderr.splitlines()] if "panic" in line),
        *unseen_upstream(ledger, upstream),
    ]

    def must(holds: bool, what: str) -> None:
        if not holds:
            faults.append(what)

    must(end.rss <= warm.rss + MAX_GROWTH, f"VmRSS grew by more than {MAX_GROWTH} MiB")
    must(end.descriptors == warm.descriptors == start.descriptors, "descriptors are left open")
    must(end.threads <= warm.threads, "there are more threads than after the warm-up")
    must(code == 0, f"the exit code is {code}")
    unlucky = [record for record in log.records if is_unlucky(record)]
    must(len(unlucky) <= upstream.idle_closed, "more exchanges failed than connections were closed")
    must(soak.told > 0, "no connection was over the limit")
    for name, expected in {
        "undersign_exchanges_total": len(log.records),
        "undersign_client_connections": 0,
        "undersign_log_records_lost_total": 0,
    }.items():
        found = metric(metrics, name)
        must(found == expected, f"{name} is {found}, not {expected}")

    print(f"{os.cpu_count()} processors, {os.uname().sysname} {os.uname().release}")
    print_memory(start, warm, peak, end)
    print("VmRSS under way, every 30 s:", *(f"{rss:.1f}" for rss in soak.memory))
    print()
    print_kinds(ledger)
    records, seen = len(log.records), sum(upstream.seen.values())
    print(f"{records} exchanges recorded in {seconds:.0f} s, {records / seconds:.0f} per second")
    print(f"{seen} requests seen upstream, {len(upstream.refused)} signatures refused there")
    print(f"{upstream.idle_closed} idle connections closed by the upstream, for {len(unlucky)}")
    print("    exchanges when a part of the request had been sent (502)")
    print(f"{soak.told} connections turned away with 503, {soak.rotations} log files rotated away")
    print(f"{cpu:.1f} s of CPU, {cpu / records * 1000:.2f} ms an exchange")
    print(f"{len(faults)} faults")
    for fault in faults[:20]:
        print(f"    {fault}")
    raise SystemExit(1 if faults else 0)


def rest(program: Running) -> Sample:
    time.sleep(QUIET)
    return Sample.of(program)


def is_unlucky(record: Record) -> bool:
    behaviour = record.get("url.path", "").split("/")[3:4]
    return record.get("http.response.status_code") == 502 and behaviour not in EXPECTED_TO_FAIL


def unseen_upstream(ledger: Ledger, upstream: Upstream) -> list[str]:
    """What was refused here, or never read, has no business there."""
    return [
        f"the upstream saw {sent}"
        for sent in ledger.sent
        if (sent.outcome in NO_EXCHANGE or sent.kind == "refused") and upstream.seen[sent.name]
    ]


def print_memory(start: Sample, warm: Sample, peak: float, end: Sample) -> None:
    print("| held by the process | start | warm | peak | end |")
    print("| --- | ---: | ---: | ---: | ---: |")
    print(f"| VmRSS, MiB | {start.rss:.1f} | {warm.rss:.1f} | {peak:.1f} | {end.rss:.1f} |")
    print(f"| Pss, MiB | {start.pss:.1f} | {warm.pss:.1f} | - | {end.pss:.1f} |")
    print(f"| descriptors | {start.descriptors} | {warm.descriptors} | - | {end.descriptors} |")
    print(f"| threads | {start.threads} | {warm.threads} | - | {end.threads} |")
    print()


def print_kinds(ledger: Ledger) -> None:
    kinds = Counter(sent.kind for sent in ledger.sent)
    unread = Counter(sent.kind for sent in ledger.sent if sent.outcome in NO_EXCHANGE)
    print("| kind | requests | of them without an exchange |")
    print("| --- | ---: | ---: |")
    for kind, count in kinds.most_common():
        print(f"| {kind} | {count} | {unread[kind]} |")
    print(f"| all | {len(ledger.sent)} | {sum(unread.values())} |")
    print()


if __name__ == "__main__":
    main()

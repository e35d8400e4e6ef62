"""What the soak's clients did, held against the exchange log."""

from __future__ import annotations

import enum
import json
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class Outcome(enum.Enum):
    """How a request ended for its client, which is what its record must say."""

    WHOLE = "the answer came whole"
    BROKEN = "the answer broke off"
    LEFT = "the client left after the head"
    UNREAD = "no whole head was read, so that there is no exchange"
    NOT_HTTP = "closed without an answer, as it was no HTTP/1.1"


@dataclass(frozen=True)
class Sent:
    kind: str
    name: str
    outcome: Outcome
    status: int | None = None
    length: int = 0
    # Where the answer was undersign's own: its exchange's identifier, if it was told.
    own: str | None = None


class Ledger:
    """Everything that was sent, and what went otherwise than its sender expected."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.sent: list[Sent] = []
        self.surprises: list[str] = []

    def add(self, sent: Sent) -> None:
        with self.lock:
            self.sent.append(sent)

    def surprise(self, what: str) -> None:
        with self.lock:
            self.surprises.append(what)


@dataclass
class Log:
    """The log over all its rotated files."""

    records: list[Record]
    not_http: int
    panics: list[str]


def read_log(files: Iterable[Path]) -> Log:
    log = Log([], 0, [])
    for file in files:
        for text in file.read_text().splitlines():
            line = json.loads(text)
            if "panic" in text:
                log.panics.append(text)
            if line["message"] == "exchange":
                log.records.append(line)
            elif "does not speak HTTP/1.1" in line["message"]:
                log.not_http += 1
    return log


def name_of(record: Record) -> str | None:
    parts = record.get("url.path", "").split("/")
    return parts[2] if len(parts) > 2 and parts[1] == "soak" else None


def compare(sent: list[Sent], log: Log) -> list[str]:
    """Each exchange has one record, which says what its client saw; there is no other."""
    faults = []
    by_name: defaultdict[str | None, list[Record]] = defaultdict(list)
    by_id: defaultdict[str, list[Record]] = defaultdict(list)
    for record in log.records:
        by_name[name_of(record)].append(record)
        by_id[record["exchange.id"]].append(record)
    claimed: Counter[str] = Counter()
    for request in sent:
        # The record of a refused head has no path.
        found = by_id[request.own] if request.own else by_name[request.name]
        claimed.update(record["exchange.id"] for record in found)
        fault = disagreement(request, found)
        if fault:
            faults.append(f"{request}: {fault}; {found}")
    for identifier, records in by_id.items():
        if claimed[identifier] != 1 or len(records) != 1:
            faults.append(f"{claimed[identifier]} requests have the record(s) {records}")
    hung_up = sum(request.outcome is Outcome.NOT_HTTP for request in sent)
    if hung_up != log.not_http:
        faults.append(f"{hung_up} clients spoke no HTTP/1.1, {log.not_http} lines say so")
    return faults


def disagreement(request: Sent, found: list[Record]) -> str | None:
    if request.outcome in (Outcome.UNREAD, Outcome.NOT_HTTP):
        return "there must be no record" if found else None
    if len(found) != 1:
        return f"there are {len(found)} records"
    record = found[0]
    error = record.get("error.type")
    if request.outcome is Outcome.LEFT:
        gone = error in ("client_disconnected", "http_request_error")
        return None if gone else "the record does not say that the client left"
    if record.get("http.response.status_code") != request.status:
        return "the status is another one"
    if request.outcome is Outcome.BROKEN:
        broken = error not in (None, "client_disconnected")
        return None if broken else "the record does not say that the answer broke off"
    if (error is None) != (request.own is None):
        return "the error is wrong"
    if record["http.response.body.size"] != request.length:
        return "the size is another one"
    return None

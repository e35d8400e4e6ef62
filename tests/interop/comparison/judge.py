"""What became of a message, in words."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import message
from client import Outcome
from message import Message, name_of, value

# RFC 9110, section 7.6.1, and what RFC 9113 and practice add to it.
HOP_BY_HOP = {
    b"connection", b"keep-alive", b"proxy-authorization", b"proxy-connection", b"te",
    b"upgrade", b"http2-settings",
}  # fmt: skip
FRAMING = {b"content-length", b"transfer-encoding"}
# A gateway writes its own Host, and Undersign the one Authorization: neither is compared.
OWN = {b"host", b"authorization"}
# What stands in a Host that a proxy has written itself: the upstream's address or name.
OWN_HOSTS = (b"127.0.0.1:", b"http_backend")


class Kind(enum.Enum):
    REFUSED = "refused"
    UNCHANGED = "unchanged"
    ALTERED = "altered"
    CUT = "cut off"  # an answer without its end, which the client can tell
    OTHER = "other"  # it neither passed nor was it refused


@dataclass
class Verdict:
    kind: Kind
    text: str
    # What was altered; what a proxy does to every message is said once, not in each row.
    changes: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return self.kind not in (Kind.REFUSED, Kind.OTHER)

    def without(self, usual: list[str]) -> Verdict:
        changes = [c for c in self.changes if c.removeprefix("trailer: ") not in usual]
        if self.kind is not Kind.ALTERED:
            return Verdict(self.kind, self.text, changes)
        kind = Kind.ALTERED if changes else Kind.UNCHANGED
        return Verdict(kind, self.text, changes)

    def __str__(self) -> str:
        words = [self.text] if self.text else []
        if self.kind in (Kind.UNCHANGED, Kind.ALTERED):
            words.append(", ".join(self.changes) or "unchanged")
        return "; ".join(words)


def code(text: bytes, limit: int = 48) -> str:
    """Bytes as Markdown shows them within a table."""
    shown = "".join(chr(b) if 0x20 <= b < 0x7F else f"\\x{b:02x}" for b in text)
    shown = shown.replace("\\x0d", "\\r").replace("\\x0a", "\\n").replace("\\x09", "\\t")
    if len(shown) > limit:
        shown = shown[: limit - 1] + "…"
    shown = shown.replace("|", "\\|")
    return f"`` {shown} ``" if "`" in shown else f"`{shown}`"


def of_request(
    raw: bytes, outcome: Outcome, connections: list[bytes], *, signs: bool = False
) -> Verdict:
    """`signs` tells that each request must bear one signature, whatever it came with."""
    sent = messages(raw)
    arrived = [m for c in connections for m in messages(c) if m.complete]
    arrived = [m for m in arrived if not m.start.startswith(b"GET /probe ")]
    statuses = ", then ".join(a.status for a in outcome.answers)
    if not arrived:
        if not outcome.answers:
            return without_answer(outcome)
        end = "stays open" if outcome.probed else "closes" if outcome.closed else "waits"
        return Verdict(Kind.REFUSED, f"**{statuses}**, {end}")
    changes = [c for s, a in zip(sent, arrived, strict=False) for c in request_changes(s, a)]
    changes += [f"**then {code(a.start)}**" for a in arrived[len(sent) :]]
    texts = []
    if statuses != ", then ".join(["200"] * len(arrived)):
        texts.append(f"client gets {statuses or ('no head' if outcome.stray else 'no answer')}")
    hosts = [host for host in arrived[0].values(b"host") if not host.startswith(OWN_HOSTS)]
    if sent[0].values(b"host") != [b"localhost"]:
        texts += [f"upstream gets {code(b'Host: ' + host)}" for host in hosts]
        texts += ["upstream gets no Host"] if not arrived[0].values(b"host") else []
    if not re.search(rb"HTTP/1\.[01]$", sent[0].start):
        texts.append(f"upstream gets {code(arrived[0].start)}")
    if len(arrived[0].values(b"authorization")) > 1:
        texts.append("**upstream gets more than one `Authorization`**")
    if signs and not all(is_signed(m) for m in arrived):
        texts.append("**not signed**")
    kind = Kind.ALTERED if changes else Kind.UNCHANGED
    return Verdict(kind, ", ".join(texts), list(dict.fromkeys(changes)))


def is_signed(arrived: Message) -> bool:
    credentials = arrived.values(b"authorization")
    return len(credentials) == 1 and credentials[0].startswith(b"OAuth ")


def without_answer(outcome: Outcome) -> Verdict:
    if outcome.stray[3:4] == b"\x04":
        return Verdict(Kind.OTHER, "answers in HTTP/2")
    if outcome.stray:
        return Verdict(Kind.OTHER, f"**client gets {code(outcome.stray.splitlines()[0])}**")
    if outcome.closed:
        return Verdict(Kind.REFUSED, "**closes**")
    return Verdict(Kind.OTHER, "no answer")


def messages(raw: bytes) -> list[Message]:
    """The requests in it, one behind another."""
    found = []
    raw = raw.lstrip(b"\r\n")
    while raw and (one := message.read(raw, answer=False)) is not None:
        found.append(one[0])
        raw = one[1]
    return found


def request_changes(sent: Message, arrived: Message) -> list[str]:
    changes = []
    before, after = sent.start.split(b" "), arrived.start.split(b" ")
    if before[:2] != after[:2]:
        changes.append(f"{code(sent.start)} → {code(arrived.start)}")
    return changes + section_changes(sent, arrived) + content_changes(sent, arrived)


def section_changes(sent: Message, arrived: Message) -> list[str]:
    named = {
        name.strip().lower() for line in sent.values(b"connection") for name in line.split(b",")
    }
    ignored = OWN | FRAMING

    def wanted(line: bytes) -> bool:
        return name_of(line) not in ignored | HOP_BY_HOP | named

    # Connection itself is each proxy's own affair; what it named, and the others, must be gone.
    kept = [line for line in arrived.lines if name_of(line) not in ignored | {b"connection"}]
    left = [line for line in sent.lines if wanted(line)]
    changes = [f"keeps {code(line)}" for line in kept if not wanted(line)]
    kept = [line for line in kept if wanted(line)]
    changes += line_changes(left, kept)
    if sent.bare_lf:
        changes.append("**bare LF kept**" if arrived.bare_lf else "LF made CRLF")
    folded = [line for line in sent.lines if name_of(line) in FRAMING and b"\n" in line]
    if folded and not any(line in arrived.lines for line in folded):
        changes.append("folded line joined")
    for name in sorted(FRAMING):
        before, after = sent.values(name), arrived.values(name)
        if len(before) > len(after) and (after or not sent.chunked or name == b"content-length"):
            changes.append(f"drops {code(name.title() + b': ' + before[0])}")
        elif before[:1] != after[:1] and before and after:
            changes.append(f"{code(before[0])} → {code(after[0])}")
    return changes


# From the smallest difference between two lines to the largest.
LIKENESS: list[tuple[str, Callable[[bytes], object]]] = [
    ("", lambda line: line),
    ("names in lower case", lambda line: (name_of(line), line.partition(b":")[2])),
    ("blanks around values trimmed", lambda line: (line.partition(b":")[0], value(line))),
    ("names in lower case, blanks trimmed", lambda line: (name_of(line), value(line))),
]


def line_changes(sent: list[bytes], arrived: list[bytes]) -> list[str]:
    changes: list[str] = []
    left = dict(enumerate(sent))
    unmatched = []
    order = []
    for line in arrived:
        for change, key in LIKENESS:
            index = next((i for i, other in left.items() if key(other) == key(line)), None)
            if index is not None:
                del left[index]
                order.append(index)
                changes += change.split(", ") if change else []
                break
        else:
            unmatched.append(line)
    changes = list(dict.fromkeys(changes))
    if "blanks trimmed" in changes:
        changes[changes.index("blanks trimmed")] = "blanks around values trimmed"
    if order != sorted(order):
        changes.append("lines in another order")
    for line in unmatched:
        index = next((i for i, other in left.items() if name_of(other) == name_of(line)), None)
        if index is None:
            changes.append(f"adds `{line.partition(b':')[0].decode('latin-1')}`")
        elif name_of(line) in (b"date", b"server"):
            # Their values would be others tomorrow, and with the next version.
            changes.append(f"replaces {code(left.pop(index))}")
        else:
            changes.append(f"{code(left.pop(index))} → {code(line)}")
    return list(dict.fromkeys(changes + [f"drops {code(line)}" for line in left.values()]))


def content_changes(sent: Message, arrived: Message) -> list[str]:
    changes: list[str] = []
    if sent.ambiguous:
        return changes
    if sent.chunked and not arrived.chunked:
        changes.append(unchunked(arrived))
    elif arrived.chunked and not sent.chunked:
        changes.append("chunks instead of a length")
    if sent.content != arrived.content:
        changes.append(f"content {code(sent.content)} → {code(arrived.content)}")
    if sent.extensions and not arrived.extensions:
        changes.append("chunk extension dropped")
    changes += [f"trailer: {c}" for c in line_changes(sent.trailers, arrived.trailers)]
    return changes


def unchunked(arrived: Message) -> str:
    end = "a length" if arrived.values(b"content-length") else "the close"
    return f"{end} instead of chunks"


def of_answer(raw: bytes, outcome: Outcome, request: bytes) -> Verdict:
    """The same for what the upstream answered to this request."""
    bodiless = request.startswith(b"HEAD ")
    parsed = []
    rest = raw
    while rest and (one := message.read(rest, answer=True, bodiless=bodiless, ended=True)):
        parsed.append(one[0])
        rest = one[1]
        if not one[0].interim:
            break
    usable = [m for m in parsed if m.start.startswith(b"HTTP/1.")]
    final = usable[-1] if usable else None
    if final and not final.complete and (outcome.cut or (outcome.closed and not outcome.answers)):
        # Whether the head is still delivered when the end is missing is a matter of timing.
        return Verdict(Kind.CUT, "cut off, and seen to be")
    if not outcome.answers:
        if outcome.interim and not outcome.stray:
            return Verdict(Kind.OTHER, "**client gets interim answers only**")
        return without_answer(outcome)
    answer = outcome.answers[0]
    if answer.chunked and b" HTTP/1.0\r\n" in request:
        return Verdict(Kind.OTHER, "**client gets chunks, which it does not know**")
    tail = "**the next answer is the stray one**" if poisoned(outcome) else ""
    if answer.status[0] == "5" and (final is None or answer.status != final.status):
        return Verdict(Kind.REFUSED, f"**{answer.status}**")
    assert final is not None, (raw, outcome)
    changes = [tail] if tail else []
    before, after = final.start[9:], answer.start[9:]
    if before.rstrip() != after.rstrip():
        changes.append(f"{code(before)} → {code(after)}")
    for one in usable[:-1]:
        if one.start not in [i.start for i in outcome.interim]:
            changes.append(f"drops {code(one.start)}")
    changes += section_changes(final, answer)
    if not final.complete:
        return Verdict(Kind.OTHER, "**passed on as complete**")
    if final.content != answer.content:
        changes.append(f"content {code(final.content)} → {code(answer.content)}")
    if (
        final.chunked
        and not answer.chunked
        and answer.status not in ("204", "304")
        and not bodiless
    ):
        changes.append(unchunked(answer))
    changes += [f"trailer: {c}" for c in line_changes(final.trailers, answer.trailers)]
    return Verdict(Kind.ALTERED if changes else Kind.UNCHANGED, "", changes)


def poisoned(outcome: Outcome) -> bool:
    return any(a.content == b"stray" for a in outcome.answers[1:])

"""The results as a page of Markdown, and its cells read back."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

from answers import Response, responses
from inputs import Request, requests
from judge import Kind, Verdict
from stand import Stand

Row = tuple[Request | Response, list[Verdict]]
NAMES = {"undersign": "Undersign", "nginx": "nginx", "haproxy": "HAProxy"}

INTRODUCTION = """\
# The same bytes through Undersign, nginx and HAProxy

{count} raw inputs, {requests} requests and {answers} answers of an upstream, each sent through
Undersign {undersign}, nginx {nginx} and HAProxy {haproxy} (those two as Debian packages them) to
the same upstream, which keeps what reaches it. A script in `tests/interop/comparison/` writes
this page; beside it, `inputs.py` and `answers.py` have what is sent byte for byte, and
`proxies.py` the configurations:

    cargo build --release --locked
    python3 tests/interop/comparison            # writes this page
    python3 tests/interop/comparison --check    # whether Undersign's column still holds

nginx and HAProxy are configured as examples in their manuals have it. Both can be made stricter
than they are here, and more faithful. They serve purposes that Undersign does not have: they
stand before servers of all kinds, and must take what many clients send. Undersign
lends out credentials, has few clients, and can afford to refuse. Some of its refusals are no
matter of strictness but of its purpose: a foreign `Host`, or `oauth_*` in a query or form.

## How to read it

- **400**, closes: the status of a refusal, and what becomes of the client's connection
  (**closes** alone: without an answer). No whole request has reached the upstream.
- unchanged: what arrived is what was sent, byte for byte, but for the lines that concern one
  connection (RFC 9110, section 7.6.1), the position of framing lines, and the
  boundaries of chunks. `Host` and `Authorization` are not compared: Undersign must write
  them, and any gateway may write its own Host. That each request has exactly one signature
  is checked. Where a Host is what the row is about, it says which one the upstream
  gets, unless it is the proxy's own.
- Everything else says what was altered, or in bold what neither passed nor was refused.
"""


REASONS = """\
Of these, some are meant. A 204 has no Content-Length (RFC 9110, section 8.6); absolute-form is
turned into what an origin server expects; trailers that frame, route or authorise are taken
out (section 6.5.1); what is odd in a path is the upstream's affair. Other interim answers (1xx)
pass, but not 100: whoever waits for one has had it from Undersign (section 15.2).
"""


def page(stands: dict[str, Stand], versions: dict[str, str]) -> str:
    request_rows = rows(requests(), [s.requests for s in stands.values()])
    answer_rows = rows(responses(), [s.answers for s in stands.values()])
    counts = {
        "requests": len(request_rows),
        "answers": len(answer_rows),
        "count": len(request_rows) + len(answer_rows),
    }
    parts = [INTRODUCTION.format(**counts, **versions), usual(stands)]
    parts.append(summary(request_rows, answer_rows))
    parts.append(the_other_way_round(request_rows + answer_rows))
    parts += ["## Requests\n", *tables(request_rows, versions)]
    parts += ["## Answers\n", *tables(answer_rows, versions)]
    return "\n".join(parts)


def rows(cases, columns: list[list[Verdict]]) -> list[Row]:
    return [(case, list(verdicts)) for case, *verdicts in zip(cases, *columns, strict=True)]


def usual(stands: dict[str, Stand]) -> str:
    """What a proxy does to an ordinary message is not repeated for each."""
    lines = ["What they do to every message is not repeated in each row, nor counted:\n"]
    for name, stand in stands.items():
        request = ", ".join(stand.usual) or "nothing"
        answer = ", ".join(stand.usual_in_answers) or "nothing"
        lines.append(f"- {NAMES[name]}: to requests, {request}; to answers, {answer}.")
    return "\n".join(lines) + "\n"


# What is counted, of Undersign's verdict and another's.
COUNTED: list[tuple[str, Callable[[Verdict, Verdict], bool]]] = [
    ("Undersign refuses, the other lets it through", lambda u, o: refuses(u) and not refuses(o)),
    ("Undersign lets it through, the other refuses", lambda u, o: not refuses(u) and refuses(o)),
    ("Undersign leaves unchanged what the other alters", lambda u, o: alters(u, o)),
    ("Undersign alters what the other leaves unchanged", lambda u, o: alters(o, u)),
    ("both refuse", lambda u, o: refuses(u) and refuses(o)),
    ("both leave it unchanged", lambda u, o: u.kind is o.kind is Kind.UNCHANGED),
    ("both alter it, or cut it off", lambda u, o: both_alter(u, o)),
]


def refuses(verdict: Verdict) -> bool:
    return verdict.kind is Kind.REFUSED


def alters(one: Verdict, other: Verdict) -> bool:
    changed = (Kind.ALTERED, Kind.OTHER)
    return one.kind is Kind.UNCHANGED and other.kind in changed


def both_alter(one: Verdict, other: Verdict) -> bool:
    passed = not refuses(one) and not refuses(other)
    return passed and Kind.UNCHANGED not in (one.kind, other.kind)


def summary(request_rows: list[Row], answer_rows: list[Row]) -> str:
    lines = [
        "## Summary\n",
        "| compared | nginx, requests | HAProxy, requests | nginx, answers | HAProxy, answers |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for title, holds in COUNTED:
        counts = [
            sum(holds(verdicts[0], verdicts[other]) for _, verdicts in part)
            for part in (request_rows, answer_rows)
            for other in (1, 2)
        ]
        lines.append(f"| {title} | {' | '.join(map(str, counts))} |")
    return "\n".join(lines) + "\n"


def the_other_way_round(all_rows: list[Row]) -> str:
    """Where another one is stricter or leaves more alone: the rows, not only their number."""
    lines = ["The rows where another one is stricter than Undersign, or leaves more alone:\n"]
    (_, other_refuses), (_, undersign_alters) = COUNTED[1], COUNTED[3]
    for number, name in enumerate(list(NAMES.values())[1:], 1):
        for verb, holds in (("refuses", other_refuses), ("leaves unchanged", undersign_alters)):
            found = [case.title for case, v in all_rows if holds(v[0], v[number])]
            lines.append(f"- {name} {verb}: {'; '.join(found) or 'none'}.")
    return "\n".join([*lines, "", REASONS])


def tables(part: list[Row], versions: dict[str, str]) -> list[str]:
    header = " | ".join(f"{NAMES[name]} {version}" for name, version in versions.items())
    parts = []
    for group, members in itertools.groupby(part, lambda row: row[0].group):
        lines = [f"### {group}\n", f"| sent | {header} |", "| --- | --- | --- | --- |"]
        lines += [f"| {case.title} | {' | '.join(map(str, v))} |" for case, v in members]
        parts.append("\n".join(lines) + "\n")
    return parts


def undersigns_column(text: str) -> list[tuple[str, str]]:
    """What each input is and what becomes of it at Undersign, as the page has it."""
    cells = [re.split(r"(?<!\\) \| ", line[2:-2]) for line in text.splitlines() if line[:2] == "| "]
    # The summary's table has five columns.
    return [(c[0], c[1]) for c in cells if len(c) == 4 and c[0] not in ("sent", "---")]

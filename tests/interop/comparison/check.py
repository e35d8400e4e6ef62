"""Whether the page still says what Undersign does, and Undersign still does what it must."""

from __future__ import annotations

from pathlib import Path

import table
from answers import responses
from inputs import requests
from stand import Stand

PAGE = Path(__file__).resolve().parents[3] / "docs" / "comparison.md"


def unwanted(undersign: Stand) -> list[str]:
    """Where Undersign does something else than it must."""
    return [
        f"{case.group}: {case.title}: {verdict}; wanted: {case.wanted}"
        for case, verdict in zip(cases(), undersign.verdicts, strict=True)
        if str(verdict) != case.wanted
    ]


def out_of_date(page: str, undersign: Stand) -> list[str]:
    """Where Undersign does something else than the page says. The other columns belong to
    the versions that the page names; they are not looked at."""
    seen = [(c.title, str(v)) for c, v in zip(cases(), undersign.verdicts, strict=True)]
    said = table.undersigns_column(page)
    differences = [f"seen, but not on the page: {pair}" for pair in seen if pair not in said]
    differences += [f"on the page, but not seen: {pair}" for pair in said if pair not in seen]
    return differences


def cases():
    return [*requests(), *responses()]

#!/usr/bin/env python3
"""Sends the same raw inputs through Undersign, nginx and HAProxy, and writes docs/comparison.md.

    cargo build --release --locked && python3 tests/interop/comparison [--check]

Needs Python's standard library, and Debian's packages nginx and haproxy unless it only
checks: --check runs Undersign alone and compares its column with the page.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor

import proxies
import table
from check import PAGE, out_of_date, unwanted
from stand import Stand


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes docs/comparison.md.")
    parser.add_argument(
        "--check", action="store_true", help="check Undersign's column, write nothing"
    )
    if parser.parse_args().check:
        undersign = Stand("undersign")
        faults = out_of_date(PAGE.read_text(), undersign)
    else:
        versions = {name: proxies.version(name) for name in proxies.PROXIES}
        with ThreadPoolExecutor() as pool:
            stands = dict(zip(versions, pool.map(Stand, versions), strict=True))
        undersign = stands["undersign"]
        faults = []
        PAGE.write_text(table.page(stands, versions))
        print(f"{PAGE} is written")
    raise SystemExit("\n".join(faults + unwanted(undersign)) or 0)


if __name__ == "__main__":
    main()

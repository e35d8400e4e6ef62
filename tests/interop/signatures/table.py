"""Makes the table of signatures out of what the implementations answer, or checks it."""

from __future__ import annotations

import argparse
import difflib
import sys
import tomllib
from pathlib import Path

import document
from cases import PLAIN, all_cases
from implementations import IMPLEMENTATIONS, ask, installed_versions

DECISIONS = Path(__file__).parent / "decisions.toml"
TABLE = Path(__file__).parents[2] / "signatures.toml"
# With fewer of the versions that the table was made with, a check would not mean much.
FEWEST = 4


class Undecided(Exception):
    """What the decisions lack, or have in vain."""


def make_table(versions):
    """The table as a document, of what the implementations of these versions answer."""
    rules = tomllib.loads(DECISIONS.read_text())
    cases = all_cases()
    answers = ask(versions, cases)
    partial = len(versions) < len(IMPLEMENTATIONS)
    known = {case["id"] for case in cases}
    for name, rule in rules.items():
        if unknown := [request for request in rule["requests"] if request not in known]:
            raise Undecided(f"the rule {name} is about requests that there are not: {unknown}")
    rows, undecided = [], []
    for case in cases:
        given = {name: answers[name][case["id"]] for name in versions}
        applied = [rule for rule in rules.values() if case["id"] in rule["requests"]]
        try:
            row = make_row(case, given, applied, partial)
        except Undecided as reason:
            undecided.append(str(reason))
        else:
            rows += [row] if row else []
    if undecided:
        raise Undecided("\n".join(undecided))
    return {"implementations": versions, "plain": without_nulls(PLAIN), "requests": rows}


def make_row(case, given, rules, partial):
    signed = {name: answer for name, answer in given.items() if "signature" in answer}
    given_as = {name: what_is_signed(case, answer) for name, answer in signed.items()}
    found = set(given_as.values())
    follow = set(signed)
    if rules:
        follow = {name for rule in rules for name in rule["follow"]}
        if partial:
            follow &= signed.keys()
        if silent := sorted(follow - signed.keys()):
            raise Undecided(f"{case['id']}: {silent} are followed but have not answered")
        if len(found) == 1 and not partial:
            raise Undecided(f"{case['id']} is decided, but all agree")
        found = {given_as[name] for name in follow}
    if not found and partial:
        return None
    if len(found) != 1:
        raise Undecided(f"{case['id']} is not decided: {summary(signed, follow)}")
    expected = found.pop()
    agree = [name for name in signed if given_as[name] == expected]
    texts = {text for name in agree if (text := signed[name]["base_string"]) is not None}
    if len(texts) != 1:
        raise Undecided(f"{case['id']}: one signature of {len(texts)} base strings: {texts}")
    return {
        "id": case["id"],
        **{
            key: value
            for key, value in without_nulls(case).items()
            if key != "id" and value != PLAIN[key]
        },
        "base_string": texts.pop(),
        "signature": signed[agree[0]]["signature"],
        "agree": agree,
        "refuse": [name for name, answer in given.items() if "refusal" in answer],
        "unsupported": [name for name, answer in given.items() if "unsupported" in answer],
        "why": [rule["rule"] for rule in rules],
        "differ": group(signed, given_as, agree),
    }


def what_is_signed(case, answer):
    """What answers are compared by. The secrets alone make a signature of PLAINTEXT; any other
    depends on the base string, which php-oauth keeps to itself."""
    if case["signature_method"] == "PLAINTEXT":
        return answer["signature"], answer["base_string"]
    return answer["signature"]


def summary(signed, names):
    """Who signs what, to decide by; long base strings are cut."""
    lines = (f"\n  {name}: {str(signed[name]['base_string'])[:200]}" for name in sorted(names))
    return "".join(lines)


def group(signed, given_as, agree):
    """Those that sign something else, by what they sign."""
    groups = {}
    for name, answer in signed.items():
        if name not in agree:
            new = {"by": [], "signature": answer["signature"], "base_string": None}
            found = groups.setdefault(given_as[name], new)
            found["by"].append(name)
            found["base_string"] = found["base_string"] or answer["base_string"]
    return [without_nulls(found) for found in groups.values()]


def without_nulls(table):
    return {key: value for key, value in table.items() if value is not None}


def without(strangers, table, kept):
    """The table as if these implementations had not been asked, and of those that differ the
    names alone: what one of them signs may be known from a stranger only."""
    rows = []
    for row in table["requests"]:
        if row["id"] in kept:
            lists = {
                key: [name for name in row.get(key, []) if name not in strangers]
                for key in ("agree", "refuse", "unsupported")
            }
            groups = [set(found["by"]) - strangers for found in row.get("differ", [])]
            differ_by = sorted(sorted(group) for group in groups if group)
            rows.append(row | lists | {"differ": [], "differ_by": differ_by})
    recorded = table["implementations"]
    versions = {name: recorded[name] for name in recorded if name not in strangers}
    return table | {"implementations": versions, "requests": rows}


def check(text):
    """What of the table is not what the implementations say, as a difference of texts."""
    stored = tomllib.loads(text)
    recorded, versions = stored["implementations"], installed_versions()
    # Debian's next release has other versions, which may have other answers.
    strangers = {each.name for each in IMPLEMENTATIONS} - {
        name for name, version in versions.items() if recorded.get(name) == version
    }
    for name in sorted(strangers):
        print(f"not compared: {name} {versions.get(name)}, the table has {recorded.get(name)}")
    same = {name: version for name, version in versions.items() if name not in strangers}
    if len(same) < FEWEST:
        raise Undecided(f"only {sorted(same)} are here in the versions of the table")
    made = make_table(same)
    if strangers:
        kept = {row["id"] for row in made["requests"]}
        text = document.render(without(strangers, stored, kept))
        made = without(strangers, made, kept)
    print(f"compared: {len(made['requests'])} requests, {len(same)} implementations")
    lines = text.splitlines(), document.render(made).splitlines()
    return list(difflib.unified_diff(*lines, "the table", "the implementations", lineterm="", n=4))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    parser.add_argument("--table", type=Path, default=TABLE, help="not tests/signatures.toml")
    options = parser.parse_args()
    try:
        if options.check:
            difference = check(options.table.read_text())
            print("\n".join(difference[:200]), end="\n" if difference else "")
            return 1 if difference else 0
        versions = installed_versions()
        if absent := [each.name for each in IMPLEMENTATIONS if each.name not in versions]:
            raise Undecided(f"the table is made with all implementations; {absent} are missing")
        options.table.write_text(document.render(make_table(versions)))
    except Undecided as reason:
        sys.exit(f"table.py: {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

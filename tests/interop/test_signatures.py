"""The table of signatures is what the implementations that are installed here say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MAKER = HERE / "signatures/table.py"
TABLE = HERE.parent / "signatures.toml"


def check(table: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-B", MAKER, "--check", "--table", table]
    return subprocess.run(command, capture_output=True, text=True, timeout=90)


def test_the_table_is_what_the_implementations_say():
    checked = check(TABLE)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("printed", "changed"),
    [
        # The signature of RFC 5849 1.2, one of its base string's characters, who agrees, and a row.
        ("74KNZJeDHnMBp0EMJ9ZHt/XKycU=", "74KNZJeDHnMBp0EMJ9ZHt/XKycV="),
        ("wIjqoS%26oauth", "wIjqoT%26oauth"),
        ('agree = ["oauthlib", ', "agree = ["),
        ('id = "query-plus"', 'id = "query-minus"'),
    ],
)
def test_a_table_that_was_changed_is_found_out(tmp_path, printed, changed):
    text = TABLE.read_text()
    assert printed in text
    table = tmp_path / "signatures.toml"
    table.write_text(text.replace(printed, changed, 1))
    checked = check(table)
    assert checked.returncode == 1, checked.stdout + checked.stderr
    assert changed in checked.stdout

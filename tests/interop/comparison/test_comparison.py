"""Undersign's column of docs/comparison.md. What nginx and HAProxy do is for information."""

from __future__ import annotations

import pytest
from check import PAGE, out_of_date, unwanted
from stand import Stand


@pytest.fixture(scope="module")
def undersign() -> Stand:
    return Stand("undersign")


def test_undersign_does_with_each_raw_input_what_it_must(undersign):
    assert unwanted(undersign) == []


def test_the_page_says_what_undersign_does(undersign):
    assert out_of_date(PAGE.read_text(), undersign) == []

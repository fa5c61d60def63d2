"""Patterns that are compiled when they are used."""

from __future__ import annotations

import re

import pytest

from flowide.patterns import lazy


def test_a_lazy_pattern_finds_what_the_pattern_finds() -> None:
    pattern = lazy(r"(\d+)", re.ASCII)

    match = pattern.search("a 12")

    assert match is not None
    assert match[1] == "12"
    assert pattern.sub("n", "1 2") == "n n"
    assert pattern.pattern == r"(\d+)"


def test_bytes_have_patterns_too() -> None:
    assert lazy(rb"a+").findall(b"aab a") == [b"aa", b"a"]


def test_a_wrong_pattern_is_told_on_first_use() -> None:
    pattern = lazy("(")

    with pytest.raises(re.error, match="missing"):
        pattern.search("")

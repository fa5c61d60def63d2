"""Diffs are right, and cost little on any input."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowide.project.diffs import changed, counts, unified

LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "", "x\r\n", "same\n"]), max_size=30)


def apply(a: list[str], b: list[str]) -> list[str]:
    out, at = [], 0
    for a0, a1, b0, b1 in changed(a, b):
        out += a[at:a0] + b[b0:b1]
        at = a1
    return out + a[at:]


@given(LINES, LINES)
def test_applying_a_difference_gives_the_other_text(a: list[str], b: list[str]) -> None:
    assert apply(a, b) == b


@given(st.text("ab\n\r", max_size=40), st.text("ab\n\r", max_size=40))
def test_counts_agree_with_the_diff(before: str, after: str) -> None:
    body = unified(before.encode(), after.encode(), "a", "b").split("\n")[2:]

    assert counts(before.encode(), after.encode()) == (
        sum(line.startswith("+") for line in body),
        sum(line.startswith("-") for line in body),
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [("a\nb\nc\n", "a\nx\nc\n"), ("", "new\n"), ("old\n", ""), ("no end", "no end\n"), ("a\r\n", "a\n")],
)
def test_patch_applies_it(tmp_path: Path, before: str, after: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(before.encode())
    diff = unified(before.encode(), after.encode(), "a/file", "b/file")

    subprocess.run(["git", "apply", "--unidiff-zero"], input=diff.encode(), cwd=tmp_path, check=True)

    assert (file.read_bytes() if file.exists() else b"") == after.encode()


def test_what_is_no_text_is_just_different() -> None:
    assert unified(b"\xff", b"a", "x", "y") == "Binary files x and y differ\n"


@pytest.mark.parametrize("words", [1, 2, 50])
def test_long_texts_of_few_different_lines_are_compared(words: int) -> None:
    chance = random.Random(4)
    a = [f"{chance.randrange(words)}\n" for _ in range(20_000)]
    b = [f"{chance.randrange(words)}\n" for _ in range(20_000)]

    assert apply(a, b) == b


def test_long_texts_are_guided_by_their_unique_lines() -> None:
    a = [line for at in range(3000) for line in (f"{at}\n", "}\n", "\n")]
    b = [*a[:100], "new\n", *a[100:5000], *a[5003:]]

    assert sum(b1 - b0 + a1 - a0 for a0, a1, b0, b1 in changed(a, b)) == 4

"""Splices written down as tables: the base, the other source, what is taken, and what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent
from typing import Any

import pytest

from flowide.pieces import Language, Spliced, Take, splice


@dataclass(frozen=True)
class Case:
    """One promise about a splice; texts are dedented."""

    promise: str
    base: str
    source: str
    takes: str
    """Pieces, parted by commas; `f as g` gives a piece another name."""
    result: str
    warnings: tuple[str, ...] = ()


def table(*cases: Case) -> pytest.MarkDecorator:
    """Run a test once for each case."""
    params: list[Any] = [pytest.param(case, id=case.promise.replace(" ", "-")) for case in cases]
    return pytest.mark.parametrize("case", params)


def spliced(language: Language, base: str, source: str, takes: str) -> Spliced:
    """A splice of texts; takes as in `Case.takes`."""
    other = dedent(source).encode()
    found = []
    for take in takes.split(", "):
        piece, _, name = take.partition(" as ")
        found.append(Take(source=other, piece=piece, label="other", as_name=name or None))
    return splice(dedent(base).encode(), found, language)


def check(language: Language, case: Case) -> None:
    """The splice gives the result and warnings of the case."""
    made = spliced(language, case.base, case.source, case.takes)

    assert made.source.decode() == dedent(case.result)
    assert tuple(made.warnings) == case.warnings


def undone(base: bytes, made: Spliced) -> bytes:
    """The result with every change taken back."""
    text = made.source
    for change in sorted(made.changes, key=lambda change: change.start, reverse=True):
        text = text[: change.start] + base[change.base_start : change.base_end] + text[change.end :]
    return text

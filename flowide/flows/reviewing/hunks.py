"""Taking a change in parts: hunks, an answer that names them, and the text that comes of it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from msgspec import Struct

from flowide.errors import BadInput
from flowide.patterns import lazy
from flowide.project.diffs import Span, changed, split_lines

_NUMBERS = lazy(r"\d+(?:\s*-\s*\d+)?(?:[\s,]+(?:and\s+)?\d+(?:\s*-\s*\d+)?)*")
_RANGE = lazy(r"(\d+)\s*-\s*(\d+)|(\d+)")
_WHY = lazy(r"(\d+)\s*:\s*(\S.*)")


class Hunk(Struct, frozen=True):
    """One place where a proposal differs."""

    number: int
    """From 1, in the order of the text."""
    span: Span
    diff: str
    """Its lines with `-` and `+`, after a line that says where."""


class Taken(Struct, frozen=True):
    """What a person takes of a proposal."""

    numbers: frozenset[int]
    why: dict[int, str]
    """Reasons for what is refused, by number."""


def hunks_of(before: str, after: str) -> list[Hunk]:
    """The places where two texts differ, in order."""
    a, b = split_lines(before), split_lines(after)
    found = []
    for number, (a0, a1, b0, b1) in enumerate(changed(a, b), 1):
        removed = [f"-{line.rstrip(chr(10))}" for line in a[a0:a1]]
        added = [f"+{line.rstrip(chr(10))}" for line in b[b0:b1]]
        diff = "\n".join([f"@@ line {a0 + 1} @@", *removed, *added])
        found.append(Hunk(number, (a0, a1, b0, b1), diff))
    return found


def apply(before: str, after: str, numbers: Collection[int]) -> str:
    """The first text with some of the changes that lead to the second."""
    a, b = split_lines(before), split_lines(after)
    out: list[str] = []
    at = 0
    for hunk in hunks_of(before, after):
        a0, a1, b0, b1 = hunk.span
        out += a[at:a0]
        out += b[b0:b1] if hunk.number in numbers else a[a0:a1]
        at = a1
    out += a[at:]
    return "".join(out)


def read_answer(answer: str, reason: str | None, count: int) -> Taken:
    """Which of `count` hunks an answer takes: `all`, `none`, or `1,3-4; 2: changes the meaning`.

    `reason` is the reason for every refused one that has none of its own.

    Raises:
        BadInput: The answer names something else.
    """
    first, *rest = [part.strip() for part in answer.strip().split(";")]
    word = first.casefold().rstrip(".!")
    if word in {"all", "approve", "yes"}:
        numbers = frozenset(range(1, count + 1))
    elif word in {"none", "reject", "no"}:
        numbers = frozenset()
    elif _NUMBERS.fullmatch(first):
        numbers = frozenset(_numbers(first))
    else:
        raise BadInput(
            f"{answer[:100]!r} names no changes",
            hint="For example: all, none, or 1,3; 2: changes the meaning",
        )
    wrong = [number for number in numbers if not 1 <= number <= count]
    why: dict[int, str] = {}
    for part in filter(None, rest):
        match = _WHY.fullmatch(part)
        if match is None or not 1 <= int(match[1]) <= count:
            raise BadInput(f"{part[:100]!r} is no reason", hint="For example: 2: changes the meaning")
        why[int(match[1])] = match[2].strip()
    if wrong:
        raise BadInput(f"there is no change {wrong[0]}", hint=f"There are 1 to {count}.")
    default = (reason or "").strip()
    refused = set(range(1, count + 1)) - numbers
    return Taken(numbers, {each: why.get(each, default) for each in sorted(refused)})


def _numbers(text: str) -> list[int]:
    found: list[int] = []
    for low, high, one in _RANGE.findall(text):
        found += [int(one)] if one else range(int(low), min(int(high), int(low) + 10_000) + 1)
    return found


def refusals(hunks: Collection[Hunk], why: Mapping[int, str]) -> list[dict[str, Any]]:
    """What was refused, as a hand-over stores it and the agent is told it."""
    return [
        {"hunk": hunk.number, "diff": hunk.diff, "why": why[hunk.number]}
        for hunk in hunks
        if hunk.number in why
    ]

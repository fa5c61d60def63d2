"""What FlowIDE costs, against the least that does the same, measured in turns in one run.

`python -m benchmarks` runs all of them. A benchmark is a module of this package whose first docstring line says what
it compares, with one function:

    def run(quick: bool) -> list[Row]: ...

`quick` is the default and bounds the whole to minutes; False takes the sizes of the promise. Each row comes from
`row(...)`. A module that cannot measure here (no such program, no such library) raises `Skipped` with the reason.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import TypedDict


class Row(TypedDict):
    """One measured promise."""

    name: str
    value: float
    """What FlowIDE takes, in `unit`."""
    unit: str
    baseline: float
    """What the comparison takes, in `unit`; or the count that is promised."""
    ratio: float
    """value / baseline."""
    goal: str
    """The promise in words, such as `≤ 2 × raw sqlite3`."""
    met: bool


class Skipped(Exception):
    """The benchmark cannot run on this machine; the message says why."""


def row(
    name: str, value: float, unit: str, baseline: float, *, goal: str, at_most: float, plus: float = 0.0
) -> Row:
    """A row; met when value ≤ at_most × baseline + plus, `plus` in `unit`."""
    return {
        "name": name,
        "value": round(value, 2),
        "unit": unit,
        "baseline": round(baseline, 2),
        "ratio": round(value / baseline, 3) if baseline else float("inf"),
        "goal": goal,
        "met": value <= at_most * baseline + plus,
    }


def in_turns(*actions: Callable[[], object], rounds: int, warm: int = 1) -> list[float]:
    """Median seconds of each action, taken in turns so that a slow moment of the machine hits all of them."""
    seconds: list[list[float]] = [[] for _ in actions]
    for at in range(warm + rounds):
        for action, taken in zip(actions, seconds, strict=True):
            start = time.perf_counter()
            action()
            if at >= warm:
                taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in seconds]

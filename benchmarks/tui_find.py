"""Finding a file among 100,000 by parts of its name: what a search costs, off the loop that draws."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable

from benchmarks import Row, row
from flowide.tui.views.finding import find
from flowide.tui.views.tree import FileTree

FILES = 100_000


def paths() -> list[str]:
    """A tree of files as large projects have it."""
    chance = random.Random(7)
    words = [
        "cache",
        "store",
        "lock",
        "view",
        "test",
        "model",
        "agent",
        "flow",
        "piece",
        "space",
        "run",
        "log",
    ]
    return [
        f"src/{chance.choice(words)}/{chance.choice(words)}_{at % 97}/{chance.choice(words)}_{at}.py"
        for at in range(FILES)
    ]


def cpu_ms(action: Callable[[], object], rounds: int) -> float:
    """Milliseconds of CPU, the median of several."""
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        action()
        taken.append((time.process_time() - start) * 1000)
    return statistics.median(taken)


def run(quick: bool) -> list[Row]:
    """Measure."""
    rounds = 5 if quick else 20
    all_paths = paths()
    tree = FileTree()
    searched = cpu_ms(lambda: find("lock_mod 42", all_paths), rounds)
    filled = cpu_ms(lambda: tree.fill(all_paths), rounds)
    return [
        row("fuzzy open, 100,000 paths", searched, "ms CPU", 100, goal="≤ 100 ms", at_most=1),
        row("the tree of 100,000 files", filled, "ms CPU", 500, goal="≤ 500 ms", at_most=1),
    ]

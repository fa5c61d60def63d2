"""Finding a file among 100,000 by parts of its name: time of a search, off the loop that draws."""

from __future__ import annotations

import random

from benchmarks import Row, in_turns, row
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


def run(quick: bool) -> list[Row]:
    """Measure."""
    all_paths = paths()
    tree = FileTree()
    searched, filled = in_turns(
        lambda: find("lock_mod 42", all_paths), lambda: tree.fill(all_paths), rounds=5 if quick else 20
    )
    return [
        row("fuzzy open, 100,000 paths", searched * 1000, "ms", 100, goal="≤ 100 ms", at_most=1),
        row("the tree of 100,000 files", filled * 1000, "ms", 500, goal="≤ 500 ms", at_most=1),
    ]

"""Fuzzy search over paths."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

FOUND = 50
"""Most paths that are shown."""
AT_ONCE = 10_000
"""Paths that are scored in one call: no other thread runs meanwhile, so the screen would stand still."""


def find(typed: str, paths: Sequence[str]) -> list[str]:
    """The paths most like what was typed, best first; names count more than folders."""
    from rapidfuzz import fuzz, process, utils

    wanted = typed.strip().casefold()
    hits: list[tuple[str, float, int]] = []
    for start in range(0, len(paths), AT_ONCE):
        hits += process.extract(
            wanted,
            paths[start : start + AT_ONCE],
            scorer=fuzz.partial_ratio,
            processor=utils.default_process,
            limit=FOUND,
            score_cutoff=60,
        )
    hits = heapq.nlargest(FOUND, hits, key=lambda hit: hit[1])

    def demerit(hit: tuple[str, float, int]) -> tuple[bool, bool, bool, float, int]:
        path = hit[0].casefold()
        name = path.rpartition("/")[2]
        return (not name.startswith(wanted), wanted not in name, wanted not in path, -hit[1], len(path))

    return [path for path, _, _ in sorted(hits, key=demerit)]

"""Fuzzy search over paths."""

from __future__ import annotations

from collections.abc import Sequence

FOUND = 50
"""Most paths that are shown."""


def find(typed: str, paths: Sequence[str]) -> list[str]:
    """The paths most like what was typed, best first; names count more than folders."""
    from rapidfuzz import fuzz, process, utils

    wanted = typed.strip().casefold()
    hits = process.extract(
        wanted,
        paths,
        scorer=fuzz.partial_ratio,
        processor=utils.default_process,
        limit=FOUND,
        score_cutoff=60,
    )

    def demerit(hit: tuple[str, float, int]) -> tuple[bool, bool, bool, float, int]:
        path = hit[0].casefold()
        name = path.rpartition("/")[2]
        return (not name.startswith(wanted), wanted not in name, wanted not in path, -hit[1], len(path))

    return [path for path, _, _ in sorted(hits, key=demerit)]

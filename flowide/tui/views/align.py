"""Several texts in step with the one they start from: which line stands beside which."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct


class Change(Struct, frozen=True):
    """How one text differs from the base, line by line."""

    beside: tuple[int | None, ...]
    """Per base line: the line that stands beside it, None = gone."""
    extra: tuple[tuple[int, ...], ...]
    """Per gap (before base line i; the last one after all): lines that only this text has."""
    new: frozenset[int]
    """Lines that are not the base's."""
    added: int
    removed: int


class Aligned(Struct, frozen=True):
    """One row of the grid: a line index for the base and for each text, None where there is nothing."""

    base: int | None
    cells: tuple[int | None, ...]


def common_start(one: str | bytes, other: str | bytes) -> int:
    """Characters or bytes two texts share at their start; found by halving, so a long text costs little."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def compare_lines(base: Sequence[str], text: Sequence[str]) -> Change:
    """The difference between two texts, as lines; long texts with little in common cost little, too."""
    from flowide.project.diffs import changed

    beside: list[int | None] = [None] * len(base)
    extra: list[list[int]] = [[] for _ in range(len(base) + 1)]
    new: set[int] = set()
    removed = at_base = at_text = 0
    end = (len(base), len(base), len(text), len(text))
    for i1, i2, j1, j2 in [*changed(base, text), end]:
        for step in range(i1 - at_base):
            beside[at_base + step] = at_text + step
        new.update(range(j1, j2))
        removed += i2 - i1
        paired = min(i2 - i1, j2 - j1)
        for step in range(paired):
            beside[i1 + step] = j1 + step
        extra[i2].extend(range(j1 + paired, j2))
        at_base, at_text = i2, j2
    return Change(tuple(beside), tuple(map(tuple, extra)), frozenset(new), len(new), removed)


def align(base_lines: int, changes: Sequence[Change]) -> list[Aligned]:
    """Rows that keep all texts in step with the base; base lines that no text kept have no cells."""
    found: list[Aligned] = []
    for gap in range(base_lines + 1):
        depth = max((len(change.extra[gap]) for change in changes), default=0)
        for level in range(depth):
            cells = [
                change.extra[gap][level] if level < len(change.extra[gap]) else None for change in changes
            ]
            found.append(Aligned(None, tuple(cells)))
        if gap < base_lines:
            found.append(Aligned(gap, tuple(change.beside[gap] for change in changes)))
    return found


def side_by_side(lengths: Sequence[int]) -> list[Aligned]:
    """Rows of texts that have no common base: line n beside line n."""
    return [
        Aligned(None, tuple(row if row < length else None for length in lengths))
        for row in range(max(lengths, default=0))
    ]

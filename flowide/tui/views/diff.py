"""Two texts compared, as rows of a view: beside each other or below each other, whole or only what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

from msgspec import Struct

from flowide.project.comparing import Facing, Side, facing
from flowide.project.diffs import changed
from flowide.tui.views.spans import TAB, visible

CONTEXT = 3
"""Lines that are alike and shown around what changed."""

Old = Literal["same", "removed", "added", "gap"]


class Line(Struct, frozen=True):
    """One line of a comparison with the texts below each other."""

    kind: Old
    old: int | None = None
    """Number in the older text, from 1; None where it is not there."""
    new: int | None = None
    side: Side | None = None
    """None for a gap."""
    skipped: int = 0
    """Lines that a gap stands for."""


class Compared(Struct, frozen=True):
    """All lines of two texts, facing each other."""

    before: tuple[str, ...]
    """Lines without their ends."""
    after: tuple[str, ...]
    rows: tuple[Facing, ...]
    added: int
    removed: int
    line_ends: str = ""
    """What was done to line ends, when it was; it cannot be seen in the lines."""

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not (self.added or self.removed)


def compared(before: str, after: str) -> Compared:
    """Compare two texts; it takes a while for long ones."""
    rows = tuple(facing(before, after, context=None))
    added = sum(row.kind in {"added", "changed"} for row in rows)
    removed = sum(row.kind in {"removed", "changed"} for row in rows)
    return Compared(_lines(before), _lines(after), rows, added, removed, _line_ends(before, after))


def _lines(text: str) -> tuple[str, ...]:
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return tuple(line.removesuffix("\r") for line in lines)


def _line_ends(before: str, after: str) -> str:
    if not before or not after:
        return ""
    crlf = before.count("\r\n"), after.count("\r\n")
    if bool(crlf[0]) != bool(crlf[1]):
        return "line ends are CRLF now" if crlf[1] else "line ends are LF now"
    if before.endswith("\n") != after.endswith("\n"):
        return (
            "the last line ends with a line break now"
            if after.endswith("\n")
            else "no line break at the end now"
        )
    return ""


def folded(rows: Sequence[Facing], context: int = CONTEXT) -> list[Facing]:
    """The rows around changes; a gap stands for what is left out."""
    changed = [at for at, row in enumerate(rows) if row.kind != "same"]
    kept: list[Facing] = []
    at = 0
    for start, end in _windows(changed, context, len(rows)):
        if start > at:
            kept.append(Facing("gap", skipped=start - at))
        kept += rows[start:end]
        at = end
    if kept and at < len(rows):
        kept.append(Facing("gap", skipped=len(rows) - at))
    return kept


def _windows(places: Sequence[int], context: int, total: int) -> Iterator[tuple[int, int]]:
    """Ranges around places, joined where hiding would save no line."""
    start: int | None = None
    end = 0
    for place in places:
        if start is not None and place - context > end + 1:
            yield start, end
            start = None
        if start is None:
            start = max(0, place - context)
            start = 0 if start == 1 else start
        end = min(total, place + context + 1)
    if start is not None:
        yield start, total if end == total - 1 else end


def below(rows: Sequence[Facing]) -> list[Line]:
    """The same with the texts below each other: what was removed, then what was added."""
    lines: list[Line] = []
    taken: list[Line] = []
    put: list[Line] = []

    def flush() -> None:
        lines.extend(taken)
        lines.extend(put)
        taken.clear()
        put.clear()

    for row in rows:
        if row.kind in {"same", "gap"}:
            flush()
        if row.kind == "gap":
            lines.append(Line("gap", skipped=row.skipped))
        elif row.kind == "same":
            assert row.left is not None and row.right is not None
            lines.append(Line("same", row.left.number, row.right.number, row.right))
        else:
            if row.left is not None:
                taken.append(Line("removed", row.left.number, None, row.left))
            if row.right is not None:
                put.append(Line("added", None, row.right.number, row.right))
    flush()
    return lines


def change_starts(kinds: Sequence[str]) -> list[int]:
    """Where each run of changed rows begins."""
    changed = [kind not in {"same", "gap"} for kind in kinds]
    return [at for at, (before, here) in enumerate(pairwise([False, *changed])) if here and not before]


def shown(text: str) -> tuple[str, list[int] | None]:
    """A line as it is drawn, and where each of its characters (and its end) stands then; None = where it stood."""
    seen = visible(text)
    if "\t" not in seen:
        return seen, None
    places = []
    parts = []
    at = 0
    for character in seen:
        places.append(at)
        part = " " * (TAB - at % TAB) if character == "\t" else character
        parts.append(part)
        at += len(part)
    places.append(at)
    return "".join(parts), places


def line_origins(texts: Sequence[str]) -> list[int]:
    """For each line of the last text the index of the text in which it came, oldest first."""
    lines: tuple[str, ...] = ()
    since: list[int] = []
    for index, text in enumerate(texts):
        newer = _lines(text)
        for a0, a1, b0, b1 in reversed(changed(lines, newer)):
            since[a0:a1] = [index] * (b1 - b0)
        lines = newer
    return since

"""Two texts beside each other: which lines face which, and which words differ inside changed lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal

from msgspec import Struct

from flowide.patterns import lazy
from flowide.project.diffs import Span, changed, split_lines

_WORDS = lazy(r"\w+|\s+|[^\w\s]")
_LONGEST = 2000
"""Characters; longer lines are not looked into."""
_ALIKE = 0.35
"""Lines that share less of their words than this are different lines, not one that was changed."""
_MOST_PAIRED = 4_000_000
"""Removed characters times added ones of one place; above that lines are paired in order."""

Marks = tuple[tuple[int, int], ...]
"""Ranges of characters."""


class Side(Struct, frozen=True):
    """A line as it stands in one of the texts."""

    number: int
    """From 1."""
    text: str
    """Without its line break."""
    marks: Marks = ()
    """What is not in the other text, when the line is there in another form."""


class Facing(Struct, frozen=True):
    """One row of a comparison; a side is None where the other text has nothing to set against it."""

    kind: Literal["same", "changed", "removed", "added", "gap"]
    """`gap` stands for the lines, alike on both sides, that were left out."""
    left: Side | None = None
    right: Side | None = None
    skipped: int = 0
    """Lines that a gap stands for."""


def facing(before: str, after: str, *, context: int | None = 3) -> list[Facing]:
    """The rows of a comparison; with `context`, of what is alike only so many lines around changes."""
    a, b = split_lines(before), split_lines(after)
    rows: list[Facing] = []
    at_a = at_b = 0
    for span in changed(a, b):
        rows += _alike(a, at_a, span[0], at_b)
        rows += _changed(a, b, span)
        at_a, at_b = span[1], span[3]
    rows += _alike(a, at_a, len(a), at_b)
    return rows if context is None else _around(rows, context)


def word_marks(before: str, after: str) -> tuple[Marks, Marks] | None:
    """What differs between two lines, word by word, on either side; None when they have little in common."""
    if max(len(before), len(after)) > _LONGEST:
        return None
    a, b = _WORDS.findall(before), _WORDS.findall(after)
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    left: list[tuple[int, int]] = []
    right: list[tuple[int, int]] = []
    at_a = at_b = shared = 0
    for tag, i0, i1, j0, j1 in matcher.get_opcodes():
        end_a, end_b = at_a + sum(map(len, a[i0:i1])), at_b + sum(map(len, b[j0:j1]))
        if tag == "equal":
            shared += sum(len(word) for word in a[i0:i1] if not word.isspace())
        else:
            _mark(left, at_a, end_a)
            _mark(right, at_b, end_b)
        at_a, at_b = end_a, end_b
    most = max(len("".join(before.split())), len("".join(after.split())))
    if most and shared / most < _ALIKE:
        return None
    return tuple(left), tuple(right)


def side_by_side(
    rows: Sequence[Facing],
    width: int,
    *,
    removed: Callable[[str], str] = "[-{}-]".format,
    added: Callable[[str], str] = "{{+{}+}}".format,
) -> Iterator[str]:
    """The rows as lines of a terminal `width` cells wide.

    Between the sides stands `|` for changed, `<` for removed, `>` for added. Words that differ are passed
    through `removed` and `added`; what these add counts as no width when it is an escape sequence.
    """
    digits = len(str(max((side.number for row in rows for side in (row.left, row.right) if side), default=1)))
    cells = max(8, (width - 3) // 2)
    for row in rows:
        if row.kind == "gap":
            yield f"{'⋯':>{digits}} {row.skipped} lines alike"
            continue
        sign = {"same": " ", "changed": "|", "removed": "<", "added": ">"}[row.kind]
        left = _drawn(row.left, digits, cells, removed)
        yield f"{left} {sign} {_drawn(row.right, digits, cells, added)}".rstrip()


def _alike(a: Sequence[str], start: int, end: int, start_b: int) -> list[Facing]:
    return [
        Facing("same", Side(at + 1, _bare(a[at])), Side(start_b + at - start + 1, _bare(a[at])))
        for at in range(start, end)
    ]


def _changed(a: Sequence[str], b: Sequence[str], span: Span) -> Iterator[Facing]:
    a0, a1, b0, b1 = span
    at_a, at_b = a0, b0
    for index_a, index_b, marks in [*_pairs(a, b, span), (a1, b1, ((), ()))]:
        for at in range(at_a, index_a):
            yield Facing("removed", left=Side(at + 1, _bare(a[at])))
        for at in range(at_b, index_b):
            yield Facing("added", right=Side(at + 1, _bare(b[at])))
        if index_a < a1:
            left = Side(index_a + 1, _bare(a[index_a]), marks[0])
            yield Facing("changed", left, Side(index_b + 1, _bare(b[index_b]), marks[1]))
        at_a, at_b = index_a + 1, index_b + 1


def _pairs(a: Sequence[str], b: Sequence[str], span: Span) -> list[tuple[int, int, tuple[Marks, Marks]]]:
    """Which removed line became which added one: the choice, in order, under which most words stay."""
    a0, a1, b0, b1 = span
    if sum(map(len, a[a0:a1])) * sum(map(len, b[b0:b1])) > _MOST_PAIRED:
        in_order = zip(range(a0, a1), range(b0, b1), strict=False)
        found = [(at_a, at_b, word_marks(_bare(a[at_a]), _bare(b[at_b]))) for at_a, at_b in in_order]
        return [(at_a, at_b, marks) for at_a, at_b, marks in found if marks is not None]
    best: list[list[float]] = [[0.0] * (b1 - b0 + 1) for _ in range(a1 - a0 + 1)]
    marked: dict[tuple[int, int], tuple[Marks, Marks]] = {}
    for i in range(a1 - a0 - 1, -1, -1):
        for j in range(b1 - b0 - 1, -1, -1):
            best[i][j] = max(best[i + 1][j], best[i][j + 1])
            marks = word_marks(_bare(a[a0 + i]), _bare(b[b0 + j]))
            if marks is not None:
                marked[i, j] = marks
                best[i][j] = max(best[i][j], best[i + 1][j + 1] + _likeness(a[a0 + i], b[b0 + j], marks))
    chosen = []
    i = j = 0
    while i < a1 - a0 and j < b1 - b0:
        marks = marked.get((i, j))
        if marks is not None and best[i][j] == best[i + 1][j + 1] + _likeness(a[a0 + i], b[b0 + j], marks):
            chosen.append((a0 + i, b0 + j, marks))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return chosen


def _likeness(before: str, after: str, marks: tuple[Marks, Marks]) -> float:
    """Above 0, at most 1: the part of the longer line that stays."""
    differ = max(sum(end - start for start, end in side) for side in marks)
    return 1 - differ / (max(len(before), len(after)) + 1)


def _around(rows: Sequence[Facing], context: int) -> list[Facing]:
    near = [False] * len(rows)
    for at, row in enumerate(rows):
        if row.kind != "same":
            for close in range(max(0, at - context), min(len(rows), at + context + 1)):
                near[close] = True
    kept: list[Facing] = []
    skipped = 0
    for row, close in zip(rows, near, strict=True):
        if close:
            if skipped:
                kept.append(Facing("gap", skipped=skipped))
                skipped = 0
            kept.append(row)
        else:
            skipped += 1
    if skipped and kept:
        kept.append(Facing("gap", skipped=skipped))
    return kept


def _mark(marks: list[tuple[int, int]], start: int, end: int) -> None:
    if start == end:
        return
    if marks and marks[-1][1] == start:
        marks[-1] = (marks[-1][0], end)
    else:
        marks.append((start, end))


def _drawn(side: Side | None, digits: int, cells: int, mark: Callable[[str], str]) -> str:
    """A side, cut or filled to `cells`; cut ones end in an ellipsis."""
    from rich.cells import cell_len, set_cell_size

    from flowide.text import printable

    if side is None:
        return " " * cells
    room = cells - digits - 1
    drawn, at = f"{side.number:>{digits}} ", 0
    for start, end in [*side.marks, (len(side.text), len(side.text))]:
        for part, marked in ((side.text[at:start], False), (side.text[start:end], True)):
            plain = printable(part.expandtabs(4).replace("\n", ""))
            shown = mark(plain) if marked and plain else plain
            width = cell_len(printable(shown))
            if width > room:
                cut = set_cell_size(plain, max(0, room - 1 - (width - cell_len(plain)))) + "…"
                return drawn + (mark(cut) if marked else cut)
            drawn, room = drawn + shown, room - width
        at = end
    return drawn + " " * room


def _bare(line: str) -> str:
    return line.removesuffix("\n").removesuffix("\r")

"""A conflict card: mine, what both texts started from, and theirs, in step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from flowide.project.comparing import Marks, word_marks
from flowide.project.conflicts import Card
from flowide.project.diffs import Span as Changed
from flowide.project.diffs import changed, split_lines
from flowide.tui.views.hunk_lines import places
from flowide.tui.views.spans import Span, clean
from flowide.tui.views.words import clock_time, count

CONTEXT = 3
"""Lines that are alike and shown around a change."""
LEAST = 34
"""Cells of a column; where three do not fit, what both started from is left out, then one of the two."""
Kind = Literal["same", "mine", "theirs", "both", "clash", "gap"]
Column = Literal["mine", "base", "theirs"]


class Cell(Struct, frozen=True):
    """A line of one of the texts."""

    number: int
    text: str
    new: bool = False
    """It is not what both started from, or (in the base) it is gone on some side."""
    marks: Marks = ()


class Three(Struct, frozen=True):
    """One row of the comparison; None = the text has no line there."""

    kind: Kind
    mine: Cell | None = None
    base: Cell | None = None
    theirs: Cell | None = None
    skipped: int = 0
    """Lines that a gap stands for."""


class Conflicting(Struct, frozen=True, kw_only=True):
    """A card with its texts."""

    card: Card
    rows: tuple[Three, ...]
    version: int
    """The newest one."""
    problem: str = ""
    """Why the texts cannot be shown beside each other."""
    empty: bool = False
    """Nothing was written: there is nothing to keep."""

    def places(self, kind: Kind) -> int:
        """How many places are of a kind."""
        before: Kind = "same"
        found = 0
        for row in self.rows:
            found += row.kind == kind and before != kind
            before = row.kind
        return found


def three(base: str, mine: str, theirs: str) -> list[Three]:
    """All rows: lines that face each other stand beside each other."""
    a, m, t = split_lines(base), split_lines(mine), split_lines(theirs)
    of_mine, of_theirs = changed(a, m), changed(a, t)
    rows: list[Three] = []
    at = at_mine = at_theirs = 0
    for start, end in _regions([*of_mine, *of_theirs]):
        rows += _alike(a, at, start, at_mine - at, at_theirs - at)
        at_mine, at_theirs = at_mine + start - at, at_theirs + start - at
        end_mine = at_mine + _length(of_mine, start, end)
        end_theirs = at_theirs + _length(of_theirs, start, end)
        rows += _region(
            _numbered(a, start, end), _numbered(m, at_mine, end_mine), _numbered(t, at_theirs, end_theirs)
        )
        at, at_mine, at_theirs = end, end_mine, end_theirs
    return [*rows, *_alike(a, at, len(a), at_mine - at, at_theirs - at)]


def _regions(spans: Sequence[Changed]) -> list[tuple[int, int]]:
    """Ranges of the base that somebody changed, joined where they touch."""
    found: list[tuple[int, int]] = []
    for start, end in sorted((a0, a1) for a0, a1, _, _ in spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _length(spans: Sequence[Changed], start: int, end: int) -> int:
    """Lines that a side has in the place of a range of the base."""
    inside = [span for span in spans if start <= span[0] and span[1] <= end]
    return end - start + sum((b1 - b0) - (a1 - a0) for a0, a1, b0, b1 in inside)


def _numbered(lines: Sequence[str], start: int, end: int) -> list[tuple[int, str]]:
    return [(at + 1, _bare(lines[at])) for at in range(start, end)]


def _bare(line: str) -> str:
    return line.removesuffix("\n").removesuffix("\r")


def _alike(a: Sequence[str], start: int, end: int, of_mine: int, of_theirs: int) -> list[Three]:
    return [
        Three(
            "same",
            Cell(at + of_mine + 1, _bare(a[at])),
            Cell(at + 1, _bare(a[at])),
            Cell(at + of_theirs + 1, _bare(a[at])),
        )
        for at in range(start, end)
    ]


Lines = list[tuple[int, str]]


def _region(base: Lines, mine: Lines, theirs: Lines) -> list[Three]:
    texts = [[text for _, text in side] for side in (base, mine, theirs)]
    kind: Kind = "clash"
    if texts[1] == texts[2]:
        kind = "both"
    elif texts[1] == texts[0]:
        kind = "theirs"
    elif texts[2] == texts[0]:
        kind = "mine"
    high = max(len(base), len(mine), len(theirs))
    rows = []
    for at in range(high):
        rows.append(
            Three(
                kind,
                _cell(mine, base, at, new=kind != "theirs"),
                _cell(base, [], at, new=True),
                _cell(theirs, base, at, new=kind != "mine"),
            )
        )
    return rows


def _cell(side: Lines, base: Lines, at: int, *, new: bool) -> Cell | None:
    if at >= len(side):
        return None
    number, text = side[at]
    marks: Marks = ()
    if new and at < len(base) and len(base) == len(side):
        found = word_marks(base[at][1], text)
        marks = found[1] if found is not None else ()
        new = text != base[at][1]
    return Cell(number, text, new, marks)


def folded(rows: Sequence[Three], context: int = CONTEXT) -> list[Three]:
    """The rows around changes; a gap stands for what is left out."""
    near = [False] * len(rows)
    for at, row in enumerate(rows):
        if row.kind != "same":
            for close in range(max(0, at - context), min(len(rows), at + context + 1)):
                near[close] = True
    kept: list[Three] = []
    skipped = 0
    for row, close in zip(rows, near, strict=True):
        if not close:
            skipped += 1
            continue
        if skipped:
            kept.append(Three("gap", skipped=skipped))
        skipped = 0
        kept.append(row)
    return [*kept, Three("gap", skipped=skipped)] if skipped and kept else kept


def columns(width: int, at: Column) -> list[Column]:
    """Which texts are shown: all three, mine and theirs, or the one that was chosen."""
    if width >= 3 * LEAST + 2:
        return ["mine", "base", "theirs"]
    return ["mine", "theirs"] if width >= 2 * LEAST + 1 else [at]


def head(found: Conflicting, column: Column) -> list[Span]:
    """What a column is called, and where its text comes from."""
    card = found.card
    if column == "base":
        return [("BOTH STARTED FROM", "quiet b"), (f"  v{card.base}", "quiet")]
    if column == "mine":
        who = clean(card.holder) if card.holder else "the file on disk"
        return [("MINE" if card.holder else "THE FILE", "b"), (f"  {who}", "quiet")]
    theirs = "the file on disk" if card.shape == "editor" and card.theirs else f"v{found.version}"
    return [("THEIRS", "b"), (f"  {theirs}", "quiet")]


def cells(row: Three, column: Column, width: int, digits: int) -> list[list[tuple[str, str, str]]]:
    """A line of a column in rows of `width` cells: text, role, ground."""
    cell: Cell | None = getattr(row, column)
    if cell is None:
        return [[(" " * width, "", "")]]
    ground, role, sign = "", "quiet", " "
    if cell.new:
        ground, role, sign = {
            "mine": ("added", "add", "+"),
            "base": ("removed", "del", "\N{MINUS SIGN}"),
            "theirs": ("changed", "change", "+"),
        }[column]
        if row.kind == "clash" and column != "base":
            sign = "!"
    room = max(4, width - digits - 4)
    out = []
    for index, (start, end) in enumerate(places(cell.text, room)):
        number = str(cell.number) if index == 0 else ""
        spans = [
            (f"{number:>{digits}} ", "quiet", ground),
            (f"{sign if index == 0 else ' '} ", f"{role} b" if cell.new else "quiet", ground),
        ]
        for part, marked in _marked(cell.text, cell.marks, start, end):
            spans.append((clean(part), f"{role} b u" if marked else "" if cell.new else "quiet", ground))
        out.append(spans)
    return out


def _marked(text: str, marks: Marks, start: int, end: int) -> list[tuple[str, bool]]:
    found: list[tuple[str, bool]] = []
    at = start
    for low, high in marks:
        first, last = max(low, start), min(high, end)
        if first < last:
            found += [(text[at:first], False), (text[first:last], True)]
            at = last
    return [each for each in [*found, (text[at:end], False)] if each[0]]


def summary(found: Conflicting) -> list[Span]:
    """How the two texts differ, in words."""
    if found.problem:
        return [(" ! ", "warn"), (clean(found.problem), "warn")]
    if found.empty:
        return [(" nothing was written on this side: every answer lets theirs stand", "quiet")]
    mine, theirs = found.places("mine"), found.places("theirs")
    clash, both = found.places("clash"), found.places("both")
    parts: list[Span] = [(" ", "")]
    if mine:
        parts.append((f"{count(mine, 'place')} only mine   ", "add"))
    if theirs:
        parts.append((f"{count(theirs, 'place')} only theirs   ", "change"))
    if both:
        parts.append((f"{count(both, 'place')} the same on both sides   ", "quiet"))
    if clash:
        parts.append((f"! {count(clash, 'place')} where they differ", "bad b"))
    elif mine or theirs:
        parts.append(("they can be put together without a question", "good"))
    return parts


def title(found: Conflicting | None) -> tuple[list[Span], list[Span]]:
    """The top line."""
    if found is None:
        return [(" conflict", "warn b")], []
    card = found.card
    left: list[Span] = [(" conflict ", "warn b"), (clean(card.path), "b")]
    if card.status != "open":
        left.append((f"  settled: {clean(card.answer or card.status)}", "good"))
    return left, [(f"since {clock_time(card.ts)} ", "quiet")]


def question(text: str, path: str, width: int = 1000) -> list[Span]:
    """What is asked, in one line; the path stands above, and where there is little room only the last sentence is."""
    said = " ".join(text.split()).removeprefix(f"{path} ")
    if len(said) + 4 > width:
        said = said.rpartition(". ")[2]
    return [(" ? ", "warn b"), (clean(said[:1].upper() + said[1:]), "b")]

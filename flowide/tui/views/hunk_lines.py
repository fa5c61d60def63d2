"""The rows of a review: each change with its lines, below each other or side by side, with the words that differ."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from msgspec import Struct
from rich.cells import cell_len, get_character_cell_size

from flowide.flows.reviewing.hunks import Hunk
from flowide.project.comparing import Facing, facing
from flowide.project.comparing import Marks as Ranges
from flowide.project.diffs import split_lines
from flowide.tui.views.hunks import Marks
from flowide.tui.views.spans import clean

if TYPE_CHECKING:
    from flowide.tui.views.review import Reviewed

AROUND = 2
"""Lines that are alike and shown around a change."""

Part = tuple[str, str, str]
"""Text, role, ground."""


class Line(Struct, frozen=True):
    """One row of the view."""

    spans: tuple[Part, ...]
    """Text, role, ground; an empty ground is that of the view."""
    hunk: int | None = None
    """Number of the change the row belongs to."""
    ground: str = ""
    """Of what is left of the row."""


class Page(Struct, frozen=True):
    """How rows are laid out."""

    width: int
    digits: int
    """Cells of a line number."""
    beside: bool = False
    """The older text at the left, the newer one at the right of each row."""

    @property
    def half(self) -> int:
        """Cells of the left side."""
        return (self.width - 1) // 2


def lines_of(
    seen: Reviewed,
    marks: Marks,
    current: int,
    width: int,
    *,
    whole: bool = False,
    answers: bool = False,
    beside: bool = False,
) -> tuple[list[Line], dict[int, int]]:
    """The rows, and where each change begins.

    `whole` shows all of the text, `answers` the keys that answer the current change, `beside` both texts side by side.
    """
    before, after = split_lines(seen.before), split_lines(seen.after)
    page = Page(width, len(str(max(len(before), len(after), 1))), beside)
    found: list[Line] = []
    starts: dict[int, int] = {}
    at = 0
    for index, hunk in enumerate(seen.hunks):
        a0, a1, b0, b1 = hunk.span
        first = at if whole else max(at, a0 - AROUND)
        same = _alike(before, first, a0, b0 - a0)
        starts[hunk.number] = len(found)
        if whole:
            found += _same(same, page)
            starts[hunk.number] = len(found)
        place = seen.places[index] if index < len(seen.places) else ""
        found.append(_head(hunk, len(seen.hunks), place, marks, current, width, answers=answers))
        if not whole:
            found += _same(_trimmed(same, first=True), page)
        found += _changed(before[a0:a1], after[b0:b1], hunk, page)
        at = a1
        end = len(before) if whole and index == len(seen.hunks) - 1 else at
        if not whole:
            following = seen.hunks[index + 1].span[0] if index + 1 < len(seen.hunks) else len(before)
            end = min(at + AROUND, following)
        rest = _alike(before, at, end, b1 - a1)
        found += _same(rest if whole else _trimmed(rest, first=False), page)
        at = max(at, end)
        if not whole:
            found.append(Line(()))
    if not seen.hunks:
        found += _same(_alike(after, 0, len(after), 0), Page(width, page.digits))
    return found, starts


Alike = tuple[int, int, str]
"""A line of both texts: its number in the older one and in the newer one, from 1, and its text."""


def _alike(lines: Sequence[str], first: int, end: int, shift: int) -> list[Alike]:
    return [(at + 1, at + shift + 1, _bare(lines[at])) for at in range(first, end)]


def live_lines(text: str, width: int) -> list[Line]:
    """A text that is being written, wrapped, with the cursor at its end."""
    found = []
    for line in text.split("\n"):
        for start, end in places(line, max(8, width - 4)):
            found.append(Line(((f"  {clean(line[start:end])}", "", ""),)))
    if found:
        found[-1] = Line((*found[-1].spans, ("▍", "accent", "")))
    return found


def _head(
    hunk: Hunk, many: int, place: str, marks: Marks, current: int, width: int, *, answers: bool
) -> Line:
    here = hunk.number == current
    ground = "selected" if here else ""
    left: list[Part] = [
        (f" {'▸' if here else ' '} change {hunk.number} of {many}", "b" if here else "quiet", ground)
    ]
    a0, _, b0, b1 = hunk.span
    line = b0 + 1 if b1 > b0 else a0 + 1
    where = f"  {clean(place)} · line {line}" if place else f"  line {line}"
    left.append((where, "quiet", ground))
    right: list[Part] = []
    taken = marks.taken.get(hunk.number)
    if taken:
        right = [("✓ taken ", "good b", ground)]
    elif taken is False:
        said = marks.why.get(hunk.number)
        why = f" {clean(said.text)}" if said is not None else ""
        right = [("✗ refused", "bad b", ground), (f"{why} ", "", ground)]
    elif answers and here:
        right = [
            ("y ", "key", ground),
            ("take  ", "quiet", ground),
            ("r ", "key", ground),
            ("refuse ", "quiet", ground),
        ]
    room = width - sum(cell_len(text) for text, _, _ in left) - 2
    right = _cut(right, max(0, room))
    gap = width - sum(cell_len(text) for text, _, _ in (*left, *right))
    return Line((*left, (" " * max(1, gap), "", ground), *right), hunk.number, ground)


def _cut(spans: list[Part], width: int) -> list[Part]:
    out: list[Part] = []
    for text, role, ground in spans:
        if cell_len(text) > width:
            shown = ""
            for character in text:
                if cell_len(shown + character) >= width:
                    break
                shown += character
            return [*out, (shown + "…", role, ground)] if width > 1 else out
        out.append((text, role, ground))
        width -= cell_len(text)
    return out


def _trimmed(lines: list[Alike], *, first: bool) -> list[Alike]:
    """Without the empty lines at the far end of what stands around a change."""
    lines = list(lines)
    while lines and not lines[0 if first else -1][2].strip():
        lines.pop(0 if first else -1)
    return lines


def _same(lines: Sequence[Alike], page: Page) -> list[Line]:
    found = []
    for old, new, text in lines:
        right = _numbered(new, " ", text, (), page, "", "quiet")
        if page.beside:
            found += _beside(_numbered(old, " ", text, (), page, "", "quiet"), "", right, "", page, None)
        else:
            found += [Line(tuple(spans)) for spans in right]
    return found


def _changed(removed: Sequence[str], added: Sequence[str], hunk: Hunk, page: Page) -> list[Line]:
    rows = [
        row
        for row in facing("".join(_ended(removed)), "".join(_ended(added)), context=None)
        if row.kind != "gap"
    ]
    a0, _, b0, _ = hunk.span
    olds = [_of_side(row, "left", a0, page) for row in rows]
    news = [_of_side(row, "right", b0, page) for row in rows]
    if page.beside:
        return [
            line
            for old, new in zip(olds, news, strict=True)
            for line in _beside(old, "removed" if old else "", new, "added" if new else "", page, hunk.number)
        ]
    taken = [Line(tuple(spans), hunk.number, "removed") for old in olds for spans in old]
    return taken + [Line(tuple(spans), hunk.number, "added") for new in news for spans in new]


def _of_side(row: Facing, which: str, first: int, page: Page) -> list[list[Part]]:
    """The rows of one side of a change; none where it has nothing."""
    older = which == "left"
    side = row.left if older else row.right
    if side is None:
        return []
    marks = side.marks if row.kind == "changed" else ()
    sign, ground, role = ("\N{MINUS SIGN}", "removed", "del") if older else ("+", "added", "add")
    return _numbered(first + side.number, sign, side.text, marks, page, ground, role)


def _beside(
    left: Sequence[list[Part]],
    left_ground: str,
    right: Sequence[list[Part]],
    right_ground: str,
    page: Page,
    hunk: int | None,
) -> list[Line]:
    """Rows of both sides, the left one filled up to the line between them."""
    found = []
    for old, new in zip_longest(left, right):
        spans = list(old or ())
        filled = left_ground if left else "surface"
        spans.append((" " * (page.half - sum(cell_len(text) for text, _, _ in spans)), "", filled))
        spans.append(("│", "hairline", ""))
        ground = right_ground if right else "surface"
        found.append(Line((*spans, *(new or ())), hunk, ground))
    return found


def _ended(lines: Sequence[str]) -> list[str]:
    """Each with a line break, so that a last line without one is compared like the others."""
    return [line if line.endswith("\n") else line + "\n" for line in lines]


def _numbered(
    number: int, sign: str, text: str, marks: Ranges, page: Page, ground: str, role: str
) -> list[list[Part]]:
    """A line with its number and sign, wrapped; marked words stand out."""
    room = max(8, (page.half if page.beside else page.width) - page.digits - 5)
    found = []
    text_role = role if ground == "" else ""
    for index, (start, end) in enumerate(places(text, room)):
        head = str(number) if index == 0 else ""
        spans: list[Part] = [
            (f" {head:>{page.digits}} ", "quiet", ground),
            (f"{sign if index == 0 else ' '} ", f"{role} b" if ground else "quiet", ground),
        ]
        for part, marked in _parts(text, marks, start, end):
            spans.append(
                (clean(part), f"{role} b" if marked else text_role, f"{ground}-word" if marked else ground)
            )
        found.append(spans)
    return found


def _parts(text: str, marks: Ranges, start: int, end: int) -> list[tuple[str, bool]]:
    found: list[tuple[str, bool]] = []
    at = start
    for low, high in marks:
        first, last = max(low, start), min(high, end)
        if first >= last:
            continue
        if first > at:
            found.append((text[at:first], False))
        found.append((text[first:last], True))
        at = last
    if at < end:
        found.append((text[at:end], False))
    return found


def places(text: str, width: int) -> list[tuple[int, int]]:
    """Where a line is broken into parts of at most `width` cells: after spaces, else anywhere."""
    if cell_len(text) <= width:
        return [(0, len(text))]
    found = []
    start = at = size = 0
    space = -1
    while at < len(text):
        cells = 4 if text[at] == "\t" else get_character_cell_size(text[at])
        if size + cells > width and at > start:
            end = space + 1 if space >= start else at
            found.append((start, end))
            start, space = end, -1
            at, size = end, 0
            continue
        if text[at] == " ":
            space = at
        size += cells
        at += 1
    return [*found, (start, len(text))]


def _bare(line: str) -> str:
    return line.removesuffix("\n").removesuffix("\r")

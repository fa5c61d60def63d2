"""Two texts compared: beside each other or below each other, with the words that differ."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.strip import Strip

from flowide.project.comparing import Facing, Marks, Side
from flowide.tui.highlight import MOST_LINE, Highlighter, Runs
from flowide.tui.ink import Ink
from flowide.tui.views.diff import Compared, Line, below, change_starts, folded, shown
from flowide.tui.views.spans import Span
from flowide.tui.views.words import count
from flowide.tui.widgets.code import wrap_places
from flowide.tui.widgets.lines import LineWidget

BESIDE_FROM = 84
"""Cells from which texts can stand beside each other."""
_SIGNS = {"removed": "\N{MINUS SIGN}", "added": "+"}
_ROLES = {"removed": "del", "added": "add"}

Part = tuple[int, int] | None
"""The characters of a line that one row shows; None = nothing."""


class Entry(NamedTuple):
    """One row: a line of the comparison, and the parts of its sides."""

    line: int
    left: Part
    right: Part


class DiffView(LineWidget):
    """One comparison. Both texts have their colours; what differs has another ground, a sign, and marked words."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll(-1)", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown,space", "page(1)", show=False),
        Binding("home", "end(-1)", show=False),
        Binding("end", "end(1)", show=False),
        Binding("left", "aside(-8)", show=False),
        Binding("right", "aside(8)", show=False),
    ]

    head_lines = 1

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.beside = True
        """Texts beside each other where there is room."""
        self.whole = False
        """All lines, not just those around changes."""
        self.x = 0
        self.wraps = False
        self._compared: Compared | None = None
        self._colours: tuple[Highlighter | None, Highlighter | None] = (None, None)
        self._rows: Sequence[Facing] = ()
        self._lines: Sequence[Line] = ()
        self._entries: list[Entry] = []
        self._laid_out: tuple[bool, bool, int] | None = None
        self._title: tuple[Sequence[Span], Sequence[Span]] = ((), ())
        self._words: Sequence[Sequence[Span]] = ()

    # --- what is shown ------------------------------------------------------------------------------

    def show(
        self,
        found: Compared,
        colours: tuple[Highlighter | None, Highlighter | None],
        *,
        wraps: bool = False,
    ) -> None:
        """Draw another comparison, from its start."""
        self._compared, self._colours, self.wraps, self._words = found, colours, wraps, ()
        self._laid_out, self.top, self.x = None, 0, 0
        self.redraw()

    def say(self, lines: Sequence[Sequence[Span]]) -> None:
        """Draw words instead."""
        self._compared, self._words, self._laid_out, self.top = None, lines, None, 0
        self.redraw()

    def set_title(self, left: Sequence[Span], right: Sequence[Span]) -> None:
        """The line above the text."""
        if (left, right) != self._title:
            self._title = (left, right)
            self.redraw_head()

    @property
    def is_beside(self) -> bool:
        """Whether the texts stand beside each other now."""
        return self.beside and self.body_width >= BESIDE_FROM

    def set_layout(self, *, beside: bool | None = None, whole: bool | None = None) -> None:
        """Another layout; the place in the text stays."""
        at = self._number_at_top()
        self.beside = self.beside if beside is None else beside
        self.whole = self.whole if whole is None else whole
        self._laid_out = None
        self._lay_out()
        self.top = self._place_of(at)
        self.redraw()

    def _number_at_top(self) -> int:
        """Number of the newer text's line at the top."""
        for entry in self._entries[self.top :]:
            new = self._sides(entry.line)[1]
            if new is not None:
                return new.number
        return 0

    def _place_of(self, number: int) -> int:
        numbers: list[int] = []
        last = 0
        for entry in self._entries:
            new = self._sides(entry.line)[1]
            last = new.number if new is not None else last
            numbers.append(last)
        return bisect_left(numbers, number)

    def next_change(self, by: int) -> bool:
        """Scroll to the next or previous change; whether there is one."""
        self._lay_out()
        starts = change_starts([self._kind(entry.line) for entry in self._entries])
        here = self.top + min(2, self.top)
        at = bisect_right(starts, here) if by > 0 else bisect_left(starts, here) - 1
        if not 0 <= at < len(starts):
            return False
        before = self.top
        self.scroll_lines(max(0, starts[at] - 2) - self.top)
        return self.top != before

    # --- rows ---------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        key = (self.is_beside, self.whole, self.body_width)
        if self._compared is None or self._laid_out == key:
            return
        self._laid_out = key
        self._rows = self._compared.rows if self.whole else folded(self._compared.rows)
        self._lines = () if self.is_beside else below(self._rows)
        many = len(self._rows) if self.is_beside else len(self._lines)
        room = self._room()
        self._entries = []
        for at in range(many):
            left, right = self._sides(at)
            lefts, rights = self._parts(left, room), self._parts(right, room)
            for row in range(max(len(lefts), len(rights), 1)):
                self._entries.append(
                    Entry(
                        at,
                        lefts[row] if row < len(lefts) else None,
                        rights[row] if row < len(rights) else None,
                    )
                )

    def _room(self) -> int:
        """Cells for the text of one side."""
        if self.is_beside:
            return max(8, (self.body_width - 1) // 2 - self._digits - 3)
        return max(8, self.body_width - 2 * self._digits - 4)

    @property
    def _digits(self) -> int:
        found = self._compared
        return max(3, len(str(max(len(found.before), len(found.after), 1)))) if found is not None else 3

    def _parts(self, side: Side | None, room: int) -> list[tuple[int, int]]:
        if side is None:
            return []
        text, _ = shown(side.text)
        return wrap_places(text, room) if self.wraps else [(0, len(text))]

    def _sides(self, at: int) -> tuple[Side | None, Side | None]:
        if self._lines:
            line = self._lines[at]
            return (line.side, None) if line.kind == "removed" else (None, line.side)
        row = self._rows[at]
        return row.left, row.right

    def _kind(self, at: int) -> str:
        return self._lines[at].kind if self._lines else self._rows[at].kind

    def line_count(self) -> int:
        self._lay_out()
        return len(self._entries) if self._compared is not None else len(self._words)

    # --- drawing ------------------------------------------------------------------------------------

    def draw(self, index: int, width: int, ink: Ink) -> Strip:
        if self._compared is None:
            return ink.strip([("   ", ""), *self._words[index]], width, self.ground)
        self._lay_out()
        entry = self._entries[index]
        kind = self._kind(entry.line)
        if kind == "gap":
            many = self._lines[entry.line].skipped if self._lines else self._rows[entry.line].skipped
            lead = " " * (self._digits - 1) + "⋯ "
            return ink.strip([(lead, "quiet"), (f"{count(many, 'line')} alike", "quiet")], width, "surface")
        if self._lines:
            return Strip(self._below(entry, kind, width, ink), width)
        half = (width - 1) // 2
        row = self._rows[entry.line]
        changed = kind == "changed"
        left = self._side(row.left, entry.left, "removed" if changed else kind, 0, half, ink)
        right = self._side(row.right, entry.right, "added" if changed else kind, 1, width - 1 - half, ink)
        line = Segment(ink.sign("│"), ink.style("hairline", self.ground))
        return Strip([*left, line, *right], width)

    def _below(self, entry: Entry, kind: str, width: int, ink: Ink) -> list[Segment]:
        line = self._lines[entry.line]
        part = entry.left if kind == "removed" else entry.right
        ground = kind if kind in _SIGNS else self.ground
        first = part is not None and part[0] == 0
        numbers = "".join(
            f"{number if number is not None and first else '':>{self._digits}} "
            for number in (line.old, line.new)
        )
        lead = [
            Segment(numbers, ink.style("quiet", ground)),
            Segment(ink.sign(_SIGNS.get(kind, " ")) + " ", ink.style(_ROLES.get(kind, ""), ground)),
        ]
        room = max(1, width - len(numbers) - 2)
        return [*lead, *self._text(line.side, part, kind, 0 if kind == "removed" else 1, room, ink)]

    def _side(
        self, side: Side | None, part: Part, kind: str, which: int, width: int, ink: Ink
    ) -> list[Segment]:
        if side is None or part is None:
            ground = self.ground if side is not None or kind == "same" else "surface"
            ground = kind if side is not None and kind in _SIGNS else ground
            return [Segment(" " * width, ink.style("", ground))]
        ground = kind if kind in _SIGNS else self.ground
        number = f"{side.number:>{self._digits}} " if part[0] == 0 else " " * (self._digits + 1)
        lead = [
            Segment(number, ink.style("quiet", ground)),
            Segment(ink.sign(_SIGNS.get(kind, " ")) + " ", ink.style(_ROLES.get(kind, ""), ground)),
        ]
        room = max(1, width - self._digits - 3)
        return [*lead, *self._text(side, part, kind, which, room, ink)]

    def _text(
        self, side: Side | None, part: Part, kind: str, which: int, width: int, ink: Ink
    ) -> list[Segment]:
        ground = kind if kind in _SIGNS else self.ground
        blank = ink.style("", ground)
        if side is None or part is None:
            return [Segment(" " * width, blank)]
        colours = self._colours[which]
        runs = colours.line(side.number - 1) if colours is not None else ()
        pieces = marked_segments(side, runs, part, ink, ground)
        strip = Strip(pieces)
        x = 0 if self.wraps else self.x
        beyond = strip.cell_length > x + width
        if x or beyond:
            strip = strip.crop(x, x + width)
        if beyond and width > 1:
            strip = Strip([*strip.crop(0, width - 1), Segment(ink.sign("…"), ink.style("quiet", ground))])
        return list(strip.adjust_cell_length(width, blank))

    def draw_head(self, y: int, width: int, ink: Ink) -> Strip:
        return ink.spread([(" ", ""), *self._title[0]], self._title[1], width, self.ground)

    # --- keys ---------------------------------------------------------------------------------------

    def action_scroll(self, by: int) -> None:
        """Up or down."""
        self.scroll_lines(by)

    def action_page(self, by: int) -> None:
        """A page up or down."""
        self.scroll_lines(by * max(1, self.body_height - 2))

    def action_end(self, by: int) -> None:
        """To the start or the end."""
        self.scroll_lines(by * self.line_count())

    def action_aside(self, by: int) -> None:
        """To the left or right, where lines do not wrap."""
        if not self.wraps:
            self.x = max(0, self.x + by)
            self.redraw()


def marked_segments(side: Side, runs: Runs, part: tuple[int, int], ink: Ink, ground: str) -> list[Segment]:
    """The characters of a part of a line, in their colours, with the words that differ on a stronger ground."""
    text, places = shown(side.text)
    marks: Marks = side.marks
    if places is not None:
        last = len(places) - 1
        runs = tuple((places[min(a, last)], places[min(b, last)], role) for a, b, role in runs)
        marks = tuple((places[min(a, last)], places[min(b, last)]) for a, b in marks)
    start, end = part[0], min(part[1], part[0] + MOST_LINE)
    cuts = {
        start,
        end,
        *(place for run in runs for place in run[:2]),
        *(place for mark in marks for place in mark),
    }
    ordered = sorted(cut for cut in cuts if start <= cut <= end)
    segments: list[Segment] = []
    at_run = at_mark = 0
    for here, until in pairwise(ordered):
        while at_run < len(runs) and runs[at_run][1] <= here:
            at_run += 1
        while at_mark < len(marks) and marks[at_mark][1] <= here:
            at_mark += 1
        role = runs[at_run][2] if at_run < len(runs) and runs[at_run][0] <= here else ""
        marked = at_mark < len(marks) and marks[at_mark][0] <= here
        segments.append(Segment(text[here:until], _style(role, marked, ink, ground)))
    return segments


def _style(role: str, marked: bool, ink: Ink, ground: str) -> Style:
    if not marked or ground not in _SIGNS:
        return ink.style(role, ground)
    return ink.style("b", f"{ground}-word")

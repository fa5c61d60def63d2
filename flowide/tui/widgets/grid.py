"""The variation grid: one widget draws all columns, in step, from cached strips."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip

from flowide.tui.highlight import Highlighter
from flowide.tui.ink import Ink
from flowide.tui.views import grid as words
from flowide.tui.views.grid import Column
from flowide.tui.views.grid_state import GridState
from flowide.tui.views.spans import fit
from flowide.tui.widgets.code import code_segments
from flowide.tui.widgets.lines import LineWidget

HEAD = 4
"""Lines above the text: who, how large, checks, a rule; one more for critiques when there are any."""
LEAST_COLUMN = 38
"""Cells a column wants before another one is shown beside it."""


_HEADS = (words.stats, words.checks, words.remark)


class GridView(LineWidget):
    """Draws a `GridState`. Keys are the screen's; clicks are told as `Pointed`."""

    edge = False

    @dataclass
    class Pointed(Message):
        """A click on a line of a column."""

        row: int | None
        column: int

    def __init__(self, state: GridState, book: Mapping[str, str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.state = state
        self.book = book
        self.colours: dict[str, Highlighter] = {}
        """By column key; a column without an entry is drawn plain."""
        self.head_lines = 4
        self._first = 0
        self._rows: list[int] = []
        """Rows of the grid that are drawn: those in which a column in view has a line."""
        self._picked: dict[str, set[int]] = {}
        self._piece: tuple[int, int] | None = None

    # --- which columns ------------------------------------------------------------------------------

    @property
    def capacity(self) -> int:
        """Columns that fit beside each other: one below 100 cells, two from there, three from 120."""
        if self.size.width < 100:
            return 1
        return max(2, min(6, self.size.width // LEAST_COLUMN))

    def shown_columns(self) -> list[int]:
        """Indices of the columns that are drawn, from the left; the pinned one first."""
        columns = self.state.grid.columns
        total = len(columns)
        room = min(self.capacity, total)
        if room <= 0:
            return []
        pinned = self.state.grid.at(self.state.pinned) if self.state.pinned else None
        if pinned is not None and room > 1:
            others = [index for index in range(total) if index != pinned]
            focus = self.state.focus if self.state.focus != pinned else others[0]
            window = self._window(others, others.index(focus), room - 1)
            return [pinned, *window]
        return self._window(list(range(total)), min(self.state.focus, total - 1), room)

    def _window(self, indices: list[int], focus: int, room: int) -> list[int]:
        first = max(0, min(self._first, len(indices) - room))
        if focus < first:
            first = focus
        elif focus >= first + room:
            first = focus - room + 1
        self._first = first
        return indices[first : first + room]

    def _widths(self, count: int, width: int) -> list[int]:
        """Cells of each column, without the hairlines between them."""
        room = width - (count - 1)
        return [room // count + (1 if index < room % count else 0) for index in range(count)]

    # --- drawing ------------------------------------------------------------------------------------

    @property
    def body_width(self) -> int:
        return max(1, self.size.width - 1)

    def refresh_state(self) -> None:
        """The state has changed: draw it all again from what is cached."""
        state = self.state
        self._picked = {column.key: state.picked_lines(column) for column in state.grid.columns}
        piece = state.piece
        self._piece = None if piece is None else (piece.start_line - 1, piece.end_line - 1)
        remarks = any(words.remark(column) for column in state.grid.columns)
        self.head_lines = HEAD + (1 if remarks else 0)
        self._choose_rows()
        self.redraw()
        self.show_line(self.place)

    def _choose_rows(self) -> None:
        """Leave out rows that only columns out of view, or the base, have lines in."""
        shown, rows = self.shown_columns(), self.state.grid.rows
        self._rows = [
            index
            for index, row in enumerate(rows)
            if any(row.cells[column] is not None for column in shown)
            or (self.state.diff and row.base is not None)
        ]
        if self._rows:
            self.state.cursor = self._rows[self.place]

    @property
    def place(self) -> int:
        """Where the cursor's row, or the nearest one above that is drawn, stands among the drawn ones."""
        return max(0, bisect_right(self._rows, self.state.cursor) - 1)

    def show_piece(self) -> None:
        """Scroll so that the whole piece under the cursor is seen, as far as there is room."""
        if self._piece is None or not self._rows:
            return
        row = self.state.row_of(self._piece[1])
        if row is not None:
            self.show_line(max(0, bisect_right(self._rows, row) - 1))
        self.show_line(self.place)

    def move(self, by: int) -> None:
        """Move the cursor over drawn rows."""
        if self._rows:
            self.state.cursor = self._rows[max(0, min(len(self._rows) - 1, self.place + by))]

    def line_count(self) -> int:
        return len(self._rows)

    def draw(self, index: int, width: int, ink: Ink) -> Strip:
        shown = self.shown_columns()
        at = self._rows[index]
        row = self.state.grid.rows[at]
        segments: list[Segment] = []
        for place, (column_index, cells) in enumerate(
            zip(shown, self._widths(len(shown), width), strict=True)
        ):
            if place:
                segments.append(self._line_between(shown[place - 1], column_index, ink))
            column = self.state.grid.columns[column_index]
            segments += self._cell(column, column_index, at, row.cells[column_index], row.base, cells, ink)
        return Strip(segments, width)

    def _line_between(self, left: int, right: int, ink: Ink) -> Segment:
        return Segment(ink.sign("│"), ink.style("hairline", self.ground))

    def _cell(
        self, column: Column, index: int, row: int, line: int | None, base: int | None, width: int, ink: Ink
    ) -> list[Segment]:
        focused = index == self.state.focus
        here = focused and row == self.state.cursor
        removed = self.state.diff and base is not None and (line is None or line in column.change.new)
        if line is None:
            return self._blank(base, here, focused, removed, width, ink)
        new = line in column.change.new
        picked = line in self._picked.get(column.key, ())
        inside = focused and self._piece is not None and self._piece[0] <= line <= self._piece[1]
        ground = self._ground(picked, here, inside, new)
        bar = ("▌", "accent") if picked else ("▌", "accent") if here else (" ", "")
        gutter = len(str(max(1, len(column.lines))))
        sign = "+" if new else "▏" if column.streaming else " "
        segments = [
            Segment(ink.sign(bar[0]), ink.style(bar[1], ground)),
            Segment(f"{line + 1:>{gutter}}", ink.style("quiet", ground)),
            Segment(ink.sign(sign), ink.style("add", ground)),
        ]
        colours = self.colours.get(column.key)
        runs = colours.line(line) if colours is not None else ()
        text = column.lines[line]
        if column.streaming and not column.done and line == len(column.lines) - 1:
            text += "▍"
        dim = column.view is not None and column.view.variation.rejected
        return segments + code_segments(text, runs, max(1, width - gutter - 2), ink, ground, dim=dim)

    def _ground(self, picked: bool, here: bool, inside: bool, new: bool) -> str:
        if picked:
            return "picked"
        if here:
            return "selected"
        if new and self.state.diff:
            return "added"
        return "surface" if inside else self.ground

    def _blank(
        self, base: int | None, here: bool, focused: bool, removed: bool, width: int, ink: Ink
    ) -> list[Segment]:
        """Where a column has no line: nothing, or in the diff what the base has there."""
        if base is not None and removed:
            ground = "removed"
            text = self.state.grid.base_lines[base]
            lead = [
                Segment(ink.sign("▌") if here else " ", ink.style("accent", ground)),
                Segment(ink.sign("\N{MINUS SIGN}"), ink.style("del", ground)),
            ]
            return lead + code_segments(text, (), max(1, width - 2), ink, ground, dim=True)
        ground = "selected" if here else self.ground
        spans = [("▌", "accent")] if here else [(" ", "")]
        return [Segment(text, ink.style(role, ground)) for text, role in fit(spans, width)]

    def draw_head(self, y: int, width: int, ink: Ink) -> Strip:
        shown = self.shown_columns()
        segments: list[Segment] = []
        for place, (index, cells) in enumerate(zip(shown, self._widths(len(shown), width), strict=True)):
            if place:
                sign = "│" if y < self.head_lines - 1 else "┼"
                segments.append(Segment(ink.sign(sign), ink.style("hairline", self.ground)))
            segments += self._head_cell(y, index, cells, ink)
        return Strip(segments, width) if segments else ink.strip([], width, self.ground)

    def _head_cell(self, y: int, index: int, width: int, ink: Ink) -> list[Segment]:
        column = self.state.grid.columns[index]
        focused = index == self.state.focus
        if y == self.head_lines - 1:
            line = "━" if focused else "─"
            return [
                Segment(ink.sign(line) * width, ink.style("accent" if focused else "hairline", self.ground))
            ]
        spans = [words.title(column, self.book), *(part(column) for part in _HEADS)][y]
        if y == 0 and column.key == self.state.pinned:
            spans = [*spans, ("  pinned", "quiet")]
        if y == 0 and column.number is not None and column.number == self.state.base:
            spans = [*spans, ("  base", "accent")]
        lead = ("▌", "accent") if focused else (" ", "")
        ground = "surface" if focused else self.ground
        return ink.segments(fit([lead, *spans], width), ground)

    # --- mouse --------------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        """Tell which line of which column was meant."""
        shown = self.shown_columns()
        x = event.x
        for index, cells in zip(shown, self._widths(len(shown), self.body_width), strict=True):
            if x <= cells:
                place = self.line_at(event.y)
                self.post_message(self.Pointed(None if place is None else self._rows[place], index))
                return
            x -= cells + 1

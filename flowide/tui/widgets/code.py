"""Read-only code and text: line numbers, colours, a cursor line."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual._wrap import compute_wrap_offsets
from textual.binding import Binding, BindingType
from textual.strip import Strip

from flowide.tui import commands
from flowide.tui.highlight import MOST_LINE, Highlighter, Runs
from flowide.tui.ink import Ink
from flowide.tui.views.spans import Span
from flowide.tui.views.words import count
from flowide.tui.widgets.lines import LineWidget


def code_segments(
    text: str, runs: Runs, width: int, ink: Ink, ground: str, *, x: int = 0, dim: bool = False
) -> list[Segment]:
    """A line of code in exactly `width` cells, from cell `x` on."""
    if len(text) > MOST_LINE:
        text = text[: MOST_LINE - 1] + "…"
    segments: list[Segment] = []
    at = 0
    plain = ink.style("quiet" if dim else "", ground)
    for start, end, role in runs:
        if start > at:
            segments.append(Segment(text[at:start], plain))
        segments.append(Segment(text[start:end], plain if dim else ink.style(role, ground)))
        at = max(at, end)
    if at < len(text):
        segments.append(Segment(text[at:], plain))
    strip = Strip(segments)
    if x or strip.cell_length > width:
        beyond = strip.cell_length > x + width
        strip = strip.crop(x, x + width)
        if beyond and width > 1:
            strip = Strip([*strip.crop(0, width - 1), Segment(ink.sign("…"), ink.style("quiet", ground))])
    return list(strip.adjust_cell_length(width, plain))


def wrap_places(line: str, width: int) -> list[tuple[int, int]]:
    """Where a line is broken so that no part is wider than `width` cells: at spaces, else anywhere."""
    if len(line) <= width and cell_len(line) <= width:
        return [(0, len(line))]
    ends = [0, *compute_wrap_offsets(line, width, 4), len(line)]
    return list(pairwise(ends))


class CodeView(LineWidget):
    """One text. What is shown is replaced as a whole; the place in it stays."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll(-1)", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown,space", "page(1)", show=False),
        Binding("home", "end(-1)", show=False),
        Binding("end", "end(1)", show=False),
        Binding("left", "aside(-8)", show=False),
        Binding("right", "aside(8)", show=False),
        Binding("shift+down,J", "select(1)", show=False),
        Binding("shift+up,K", "select(-1)", show=False),
        Binding("escape", "select_nothing", show=False),
        *commands.bindings("text"),
    ]

    head_lines = 1

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.lines: Sequence[str] = ()
        self._anchor: int | None = None
        """Line at which the selection began, from 0; None = nothing is selected."""
        self._reach = 0
        """Line up to which it goes."""
        self._dragging = False
        self.new: frozenset[int] = frozenset()
        """Lines that a live draft changed."""
        self.lit: int | None = None
        """A line that is marked, from 0."""
        self.x = 0
        self.wraps = False
        """Long lines go on in the next row, as documents are read."""
        self._parts: list[tuple[int, int, int]] = []
        """Line, first and last character of each row, while lines wrap."""
        self._parts_of: tuple[int, int] = (0, 0)
        self._colours: Highlighter | None = None
        self._title: tuple[Sequence[Span], Sequence[Span]] = ((), ())
        self._empty: Sequence[Sequence[Span]] = ()

    def show(
        self,
        lines: Sequence[str],
        colours: Highlighter | None,
        new: frozenset[int] = frozenset(),
        *,
        wraps: bool = False,
        lit: int | None = None,
    ) -> None:
        """Draw a text. The line at the top stays there; with `lit`, that line (from 0) is marked and in view."""
        line = self.top_line
        self.lines, self._colours, self.new, self._empty = lines, colours, new, ()
        self.wraps, self._parts_of = wraps, (0, 0)
        self.lit = lit
        self._anchor = None if self._anchor is None or self._reach >= len(lines) else self._anchor
        self.top = self._row_of(line if lit is None else max(0, lit - self.body_height // 3))
        self.redraw()

    def show_empty(self, lines: Sequence[Sequence[Span]]) -> None:
        """Draw words instead of a text: what to do here."""
        self.lines, self._colours, self.new, self._empty = (), None, frozenset(), lines
        self._anchor = None
        self.top = self.x = 0
        self.redraw()

    def set_title(self, left: Sequence[Span], right: Sequence[Span]) -> None:
        """The line above the text."""
        if (left, right) != self._title:
            self._title = (left, right)
            self.redraw_head()

    def go_to(self, line: int) -> None:
        """Have a line (from 0) at the top of the next text that is shown."""
        self.lines, self.top, self.x, self.wraps, self._anchor = (), line, 0, False, None

    @property
    def top_line(self) -> int:
        """The line at the top, from 0."""
        parts = self._rows()
        return parts[min(self.top, len(parts) - 1)][0] if parts else self.top

    def _row_of(self, line: int) -> int:
        parts = self._rows()
        return bisect_left(parts, (line, 0, 0)) if parts else line

    def _rows(self) -> list[tuple[int, int, int]]:
        """The rows of a text that wraps; empty while lines are rows."""
        if not self.wraps or not self.lines:
            return []
        width = max(8, self.body_width - self._gutter - 2)
        if self._parts_of != (id(self.lines), width):
            self._parts_of = (id(self.lines), width)
            self._parts = [
                (index, start, end)
                for index, line in enumerate(self.lines)
                for start, end in wrap_places(line, width)
            ]
        return self._parts

    @property
    def _gutter(self) -> int:
        return max(3, len(str(len(self.lines)))) + 1

    def line_count(self) -> int:
        return len(self._rows()) or len(self.lines) or len(self._empty)

    def draw(self, index: int, width: int, ink: Ink) -> Strip:
        if not self.lines:
            return ink.strip([("   ", ""), *self._empty[index]], width, self.ground)
        parts = self._rows()
        line, start, end = parts[index] if parts else (index, 0, len(self.lines[index]))
        gutter = self._gutter
        changed = line in self.new
        ground = "added" if changed else "selected" if line == self.lit else self.ground
        if line in self.selected:
            ground = "picked"
        number = f"{line + 1:>{gutter}}" if start == 0 else " " * gutter
        mark = Segment("+ " if changed else "  ", ink.style("add", ground))
        runs = self._colours.line(line) if self._colours is not None else ()
        if parts:
            runs = tuple(
                (max(0, a - start), min(end, b) - start, role) for a, b, role in runs if a < end and b > start
            )
        code = code_segments(
            self.lines[line][start:end],
            runs,
            max(1, width - gutter - 2),
            ink,
            ground,
            x=0 if parts else self.x,
        )
        return Strip([Segment(number, ink.style("quiet", ground)), mark, *code], width)

    def draw_head(self, y: int, width: int, ink: Ink) -> Strip:
        right = self._title[1]
        if self.selected:
            many = count(len(self.selected), "line")
            right = [
                (f"{many} selected", "accent b"),
                ("  y", "key"),
                (" copy  ", "quiet"),
                ("esc", "key"),
                (" none", "quiet"),
            ]
        return ink.spread([(" ", ""), *self._title[0]], right, width, self.ground)

    # --- selection ----------------------------------------------------------------------------------

    @property
    def selected(self) -> range:
        """The selected lines, from 0."""
        if self._anchor is None:
            return range(0)
        return range(min(self._anchor, self._reach), max(self._anchor, self._reach) + 1)

    def _select(self, anchor: int | None, reach: int) -> None:
        before = self.selected
        self._anchor, self._reach = anchor, reach
        if self.selected != before:
            self._strips.clear()
            self.refresh()

    def action_select(self, by: int) -> None:
        """One line more or less, from the first in view."""
        if not self.lines:
            return
        if self._anchor is None:
            self._select(self.top_line, self.top_line)
        else:
            self._select(self._anchor, max(0, min(len(self.lines) - 1, self._reach + by)))
        self.show_line(self._row_of(self._reach))

    def action_select_nothing(self) -> None:
        """The lines are not selected any more."""
        self._select(None, 0)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """esc means this only while something is selected."""
        return self._anchor is not None if action == "select_nothing" else True

    def _line_under(self, y: int) -> int | None:
        index = self.line_at(y)
        if index is None or not self.lines:
            return None
        parts = self._rows()
        return parts[index][0] if parts else index

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Dragging selects whole lines; a click selects nothing."""
        line = self._line_under(event.y)
        self._select(None, 0)
        if event.button == 1 and line is not None:
            self._dragging, self._reach = True, line
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Up to the line under the mouse; beyond the edge the text scrolls."""
        if not self._dragging:
            return
        if event.y < self.head_lines:
            self.scroll_lines(-1)
        elif event.y >= self.size.height:
            self.scroll_lines(1)
        line = self._line_under(max(self.head_lines, min(self.size.height - 1, event.y)))
        if line is not None and (self._anchor is not None or line != self._reach):
            self._select(self._reach if self._anchor is None else self._anchor, line)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """What is selected stays so."""
        if self._dragging:
            self._dragging = False
            self.release_mouse()

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
        """To the left or right."""
        self.x = max(0, self.x + by)
        self.redraw()

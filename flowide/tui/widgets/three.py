"""Three texts beside each other, in step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from flowide.tui.ink import Ink
from flowide.tui.views.conflict import Column, Conflicting, cells, columns, folded, head
from flowide.tui.views.spans import fit
from flowide.tui.views.words import count
from flowide.tui.widgets.lines import LineWidget

Drawn = list[list[tuple[str, str, str]]]
"""Of each column, the spans of one row."""


class ThreeView(LineWidget):
    """Mine, what both started from, theirs; as many of them as fit."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll(-1)", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown,space", "page(1)", show=False),
        Binding("home", "end(-1)", show=False),
        Binding("end", "end(1)", show=False),
    ]
    head_lines = 1

    @dataclass
    class Resized(Message):
        """Other columns fit."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.found: Conflicting | None = None
        self.whole = False
        self.at: Column = "mine"
        """The text that is shown where only one fits."""
        self._rows: Sequence[Drawn] = ()
        self._starts: list[int] = []

    def show(self, found: Conflicting) -> None:
        """Draw another comparison."""
        self.found = found
        self.lay_out()

    def lay_out(self) -> None:
        """Break the lines for the present width."""
        self._rows, self._starts = (), []
        if self.found is not None:
            rows = self.found.rows if self.whole else folded(self.found.rows)
            numbers = [cell.number for row in rows for cell in (row.mine, row.base, row.theirs) if cell]
            digits = len(str(max(numbers, default=1)))
            shown, width = self._shown(), self._column_width()
            drawn: list[Drawn] = []
            before = "same"
            for row in rows:
                if row.kind not in {"same", "gap"} and row.kind != before:
                    self._starts.append(len(drawn))
                before = row.kind
                if row.kind == "gap":
                    words = f"{'⋯':>{digits}}  {count(row.skipped, 'line')} alike"
                    drawn.append([[(words, "quiet", "")], *[[("", "", "")]] * (len(shown) - 1)])
                    continue
                parts = [cells(row, column, width, digits) for column in shown]
                high = max(map(len, parts))
                drawn += [[part[at] if at < len(part) else [] for part in parts] for at in range(high)]
            self._rows = drawn
        self.redraw()

    def _shown(self) -> list[Column]:
        return columns(self.body_width, self.at)

    def _column_width(self) -> int:
        many = len(self._shown())
        return (self.body_width - (many - 1)) // many

    def line_count(self) -> int:
        return len(self._rows)

    def draw(self, index: int, width: int, ink: Ink) -> Strip:
        column = self._column_width()
        strips: list[Segment] = []
        for at, spans in enumerate(self._rows[index]):
            ground = next((ground for _, _, ground in spans if ground), "") or self.ground
            segments = [
                Segment(ink.sign(text), ink.style(role, each or self.ground)) for text, role, each in spans
            ]
            strips += Strip(segments).adjust_cell_length(column, ink.style("", ground))
            if at < len(self._rows[index]) - 1:
                strips.append(Segment(ink.sign("│"), ink.style("hairline", self.ground)))
        return Strip(strips).adjust_cell_length(width, ink.style("", self.ground))

    def draw_head(self, y: int, width: int, ink: Ink) -> Strip:
        if self.found is None:
            return ink.strip([], width, self.ground)
        column = self._column_width()
        segments: list[Segment] = []
        shown = self._shown()
        for at, name in enumerate(shown):
            segments += ink.segments(fit([(" ", ""), *head(self.found, name)], column), self.ground)
            if at < len(shown) - 1:
                segments.append(Segment(ink.sign("│"), ink.style("hairline", self.ground)))
        return Strip(segments).adjust_cell_length(width, ink.style("", self.ground))

    def next_place(self, by: int) -> bool:
        """Scroll to the next or previous place; whether there is one."""
        later = [at for at in self._starts if at > self.top + 1]
        earlier = [at for at in self._starts if at < self.top]
        found = later[:1] if by > 0 else earlier[-1:]
        if found:
            self.scroll_lines(max(0, found[0] - 1) - self.top)
        return bool(found)

    def other_column(self) -> bool:
        """Where only one text fits, show the next one; whether that made a difference."""
        if len(self._shown()) > 1:
            return False
        order: list[Column] = ["mine", "base", "theirs"]
        self.at = order[(order.index(self.at) + 1) % 3]
        self.lay_out()
        return True

    def action_scroll(self, by: int) -> None:
        """Up or down."""
        self.scroll_lines(by)

    def action_page(self, by: int) -> None:
        """A page up or down."""
        self.scroll_lines(by * max(1, self.body_height - 2))

    def action_end(self, by: int) -> None:
        """The start or the end."""
        self.scroll_lines(by * self.line_count())

    def on_resize(self) -> None:
        """Other columns fit."""
        self.lay_out()

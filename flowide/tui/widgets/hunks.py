"""The changes of a review, one below the other, with the one that is spoken of lit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from flowide.tui.ink import Ink
from flowide.tui.views.hunk_lines import Line
from flowide.tui.widgets.lines import LineWidget


class HunksView(LineWidget):
    """Rows made by `views.hunk_lines.lines_of`. It scrolls; which change is current is told to it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll(-1)", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown,space", "page(1)", show=False),
        Binding("home", "end(-1)", show=False),
        Binding("end", "end(1)", show=False),
    ]

    @dataclass
    class Pointed(Message):
        """A change was clicked."""

        number: int

    @dataclass
    class Resized(Message):
        """Lines break elsewhere."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.lines: Sequence[Line] = ()
        self.starts: dict[int, int] = {}

    def show(self, lines: Sequence[Line], starts: dict[int, int]) -> None:
        """Draw other rows; the place stays."""
        if lines != self.lines:
            self.lines, self.starts = lines, starts
            self.redraw()

    def show_change(self, number: int) -> None:
        """Have a change in view: from its head, as far as there is room."""
        start = self.starts.get(number)
        if start is None:
            return
        later = [at for at in self.starts.values() if at > start]
        end = min(later, default=len(self.lines)) - 1
        top = self.top
        if start < top or end >= top + self.body_height:
            top = start if end - start >= self.body_height or start < top else end - self.body_height + 1
        self.scroll_lines(min(top, start) - self.top)

    def line_count(self) -> int:
        return len(self.lines)

    def draw(self, index: int, width: int, ink: Ink) -> Strip:
        line = self.lines[index]
        segments = [
            Segment(ink.sign(text), ink.style(role, ground or self.ground))
            for text, role, ground in line.spans
        ]
        return Strip(segments).adjust_cell_length(width, ink.style("", line.ground or self.ground))

    def action_scroll(self, by: int) -> None:
        """Up or down."""
        self.scroll_lines(by)

    def action_page(self, by: int) -> None:
        """A page up or down."""
        self.scroll_lines(by * max(1, self.body_height - 2))

    def action_end(self, by: int) -> None:
        """The start or the end."""
        self.scroll_lines(by * len(self.lines))

    def on_resize(self) -> None:
        """Lines break elsewhere."""
        self.redraw()
        self.post_message(self.Resized())

    def on_click(self, event: events.Click) -> None:
        """The change that was clicked."""
        index = self.line_at(event.y)
        if index is not None and self.lines[index].hunk is not None:
            self.post_message(self.Pointed(self.lines[index].hunk or 0))

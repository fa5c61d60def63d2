"""Lines to read that scroll."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.strip import Strip

from flowide.tui.ink import Ink
from flowide.tui.views.spans import Span
from flowide.tui.widgets.lines import LineWidget


class Page(LineWidget):
    """A page of text with roles; nothing in it can be chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll(-1)", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown,space", "page(1)", show=False),
        Binding("home", "scroll(-1000000)", show=False),
        Binding("end", "scroll(1000000)", show=False),
    ]

    edge = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[Sequence[Span]] = ()

    def show(self, lines: Sequence[Sequence[Span]]) -> None:
        """Draw other lines; the place stays."""
        self._lines = lines
        self.redraw()

    def line_count(self) -> int:
        return len(self._lines)

    def draw(self, index: int, width: int, ink: Ink) -> Strip:
        return ink.strip([("  ", ""), *self._lines[index]], width, self.ground)

    def action_scroll(self, by: int) -> None:
        """Up or down."""
        self.scroll_lines(by)

    def action_page(self, by: int) -> None:
        """A page up or down."""
        self.scroll_lines(by * max(1, self.body_height - 2))

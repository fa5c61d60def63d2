"""Read-only code and text: line numbers, colours, a cursor line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.strip import Strip

from flowide.tui.highlight import MOST_LINE, Highlighter, Runs
from flowide.tui.ink import Ink
from flowide.tui.views.spans import Span
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
            strip = Strip([*strip.crop(0, width - 1), Segment("…", ink.style("quiet", ground))])
    return list(strip.adjust_cell_length(width, plain))


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
    ]

    head_lines = 1

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.lines: Sequence[str] = ()
        self.new: frozenset[int] = frozenset()
        """Lines that a live draft changed."""
        self.x = 0
        self._colours: Highlighter | None = None
        self._title: tuple[Sequence[Span], Sequence[Span]] = ((), ())
        self._empty: Sequence[Sequence[Span]] = ()

    def show(
        self, lines: Sequence[str], colours: Highlighter | None, new: frozenset[int] = frozenset()
    ) -> None:
        """Draw a text."""
        self.lines, self._colours, self.new, self._empty = lines, colours, new, ()
        self.redraw()

    def show_empty(self, lines: Sequence[Sequence[Span]]) -> None:
        """Draw words instead of a text: what to do here."""
        self.lines, self._colours, self.new, self._empty = (), None, frozenset(), lines
        self.top = self.x = 0
        self.redraw()

    def set_title(self, left: Sequence[Span], right: Sequence[Span]) -> None:
        """The line above the text."""
        if (left, right) != self._title:
            self._title = (left, right)
            self.redraw_head()

    def go_to(self, line: int) -> None:
        """Have a line (from 0) at the top of the next text that is shown."""
        self.top, self.x = line, 0

    def line_count(self) -> int:
        return len(self.lines) or len(self._empty)

    def draw(self, index: int, width: int, ink: Ink) -> Strip:
        if not self.lines:
            return ink.strip([("   ", ""), *self._empty[index]], width, self.ground)
        gutter = max(3, len(str(len(self.lines)))) + 1
        changed = index in self.new
        ground = "added" if changed else self.ground
        number = Segment(f"{index + 1:>{gutter}}", ink.style("quiet", ground))
        mark = Segment("+ " if changed else "  ", ink.style("add", ground))
        runs = self._colours.line(index) if self._colours is not None else ()
        code = code_segments(self.lines[index], runs, max(1, width - gutter - 2), ink, ground, x=self.x)
        return Strip([number, mark, *code], width)

    def draw_head(self, y: int, width: int, ink: Ink) -> Strip:
        return ink.spread([(" ", ""), *self._title[0]], self._title[1], width, self.ground)

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

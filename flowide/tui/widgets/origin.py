"""A text with the origin of its lines beside it: who wrote them, and what they came with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from flowide.tui.highlight import Highlighter
from flowide.tui.ink import Ink
from flowide.tui.views.actors import colour_of
from flowide.tui.views.history import origin_words, same_origin
from flowide.tui.views.spans import Span, clean, fit
from flowide.tui.widgets.code import code_segments
from flowide.tui.widgets.lines import LineWidget

if TYPE_CHECKING:
    from flowide.project.blame import Blame

MARGIN = (18, 34)
"""Fewest and most cells for the origin of a piece."""


class OriginView(LineWidget):
    """Lines with a cursor; the margin says where each comes from."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "line(-1)", show=False),
        Binding("down,j", "line(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown,space", "page(1)", show=False),
        Binding("home", "line(-1000000)", show=False),
        Binding("end", "line(1000000)", show=False),
        Binding("enter", "choose", show=False),
    ]

    head_lines = 1

    @dataclass
    class Moved(Message):
        """The cursor went to another line."""

    @dataclass
    class Chosen(Message):
        """Enter, or a second click: what the line under the cursor came with."""

        origin: Blame

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.lines: Sequence[str] = ()
        self.cursor = 0
        """Line, from 0."""
        self.book: Mapping[str, str] = {}
        self._colours: Highlighter | None = None
        self._since: Sequence[Blame] = ()
        """What each line came with."""
        self._around: Sequence[Blame | None] = ()
        """The innermost piece of each line."""
        self._named: frozenset[int] = frozenset()
        """Lines beside which an origin is written out."""
        self._title: tuple[Sequence[Span], Sequence[Span]] = ((), ())
        self._words: Sequence[Sequence[Span]] = ()

    def show(
        self,
        lines: Sequence[str],
        colours: Highlighter | None,
        since: Sequence[Blame],
        around: Sequence[Blame | None],
        book: Mapping[str, str],
    ) -> None:
        """Draw another text with an origin for each line; the cursor stays on its line."""
        self.lines, self._colours, self.book, self._words = lines, colours, book, ()
        self._since, self._around = since, around
        self._named = named(lines, since)
        self.cursor = max(0, min(self.cursor, len(lines) - 1))
        self.redraw()
        self.post_message(self.Moved())

    def say(self, lines: Sequence[Sequence[Span]]) -> None:
        """Draw words instead."""
        self.lines, self._since, self._words, self.top, self.cursor = (), (), lines, 0, 0
        self.redraw()

    def set_title(self, left: Sequence[Span], right: Sequence[Span]) -> None:
        """The line above the text."""
        if (left, right) != self._title:
            self._title = (left, right)
            self.redraw_head()

    @property
    def came_with(self) -> Blame | None:
        """What the line under the cursor came with."""
        return self._since[self.cursor] if self.cursor < len(self._since) else None

    @property
    def around(self) -> Blame | None:
        """The piece that the line under the cursor is in."""
        return self._around[self.cursor] if self.cursor < len(self._around) else None

    # --- drawing ------------------------------------------------------------------------------------

    def line_count(self) -> int:
        return len(self.lines) or len(self._words)

    def draw(self, index: int, width: int, ink: Ink) -> Strip:
        if not self.lines:
            return ink.strip([("   ", ""), *self._words[index]], width, self.ground)
        here = index == self.cursor and self.has_focus
        ground = "selected" if here else self.ground
        margin = max(MARGIN[0], min(MARGIN[1], width // 3))
        digits = max(3, len(str(len(self.lines))))
        lead = ink.segments(fit(self._margin(index), margin), ground)
        number = Segment(f"{index + 1:>{digits}}  ", ink.style("quiet", ground))
        runs = self._colours.line(index) if self._colours is not None else ()
        room = max(1, width - margin - digits - 2)
        return Strip([*lead, number, *code_segments(self.lines[index], runs, room, ink, ground)], width)

    def _margin(self, index: int) -> list[Span]:
        owner = self._since[index]
        colour = colour_of(self.book, owner.actor)
        if index not in self._named:
            return [(" ▎", colour)]
        return [(" ▎", colour), (clean(owner.actor), f"{colour} b"), (f" {origin_words(owner)}", "quiet")]

    def draw_head(self, y: int, width: int, ink: Ink) -> Strip:
        return ink.spread([(" ", ""), *self._title[0]], self._title[1], width, self.ground)

    # --- keys and mouse -----------------------------------------------------------------------------

    def go_to(self, line: int) -> None:
        """Put the cursor on a line, from 0."""
        line = max(0, min(line, len(self.lines) - 1))
        if line != self.cursor:
            self.cursor = line
            self.redraw()
            self.post_message(self.Moved())
        self.show_line(line)

    def next_origin(self, by: int) -> bool:
        """To the next or previous lines of another origin; whether there are any."""
        starts = sorted(self._named)
        ahead = [at for at in starts if (at > self.cursor if by > 0 else at < self.cursor)]
        if ahead:
            self.go_to(ahead[0] if by > 0 else ahead[-1])
        return bool(ahead)

    def action_line(self, by: int) -> None:
        """Up or down."""
        self.go_to(self.cursor + by)

    def action_page(self, by: int) -> None:
        """A page up or down."""
        self.go_to(self.cursor + by * max(1, self.body_height - 2))

    def action_choose(self) -> None:
        """What the line came with."""
        if self.came_with is not None:
            self.post_message(self.Chosen(self.came_with))

    def on_click(self, event: events.Click) -> None:
        """A click goes there, a second one opens what the line came with."""
        line = self.line_at(event.y)
        if line is not None and self.lines:
            if line == self.cursor:
                self.action_choose()
            self.go_to(line)


def named(lines: Sequence[str], since: Sequence[Blame]) -> frozenset[int]:
    """Lines that have another origin than what is above them; blank lines are passed over."""
    found: set[int] = set()
    last: Blame | None = None
    for at, (line, each) in enumerate(zip(lines, since, strict=True)):
        if line.strip() and not same_origin(last, each):
            found.add(at)
            last = each
    return frozenset(found)

"""A list of rows with a cursor: the file tree, the side pane, the steps of a run."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from flowide.tui.ink import Ink
from flowide.tui.views.spans import Row, Span
from flowide.tui.widgets.lines import LineWidget


class RowsPane(LineWidget):
    """Shows rows; the cursor rests on rows that have a key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "end(-1)", show=False),
        Binding("end", "end(1)", show=False),
        Binding("enter", "choose", show=False),
    ]

    @dataclass
    class Chosen(Message):
        """Enter or a click on a row."""

        pane: RowsPane
        key: Hashable

        @property
        def control(self) -> RowsPane:
            """The pane."""
            return self.pane

    @dataclass
    class Moved(Message):
        """The cursor went to another row."""

        pane: RowsPane
        key: Hashable

        @property
        def control(self) -> RowsPane:
            """The pane."""
            return self.pane

    @dataclass
    class Resized(Message):
        """There is more or less room: texts wrap elsewhere."""

        pane: RowsPane

        @property
        def control(self) -> RowsPane:
            """The pane."""
            return self.pane

    def __init__(self, *, id: str | None = None, ground: str = "surface", edge: bool = True) -> None:
        super().__init__(id=id)
        self.ground = ground
        self.edge = edge
        self.rows: tuple[Row, ...] = ()
        self.cursor = 0
        self.always_lit = False
        """Show the cursor although another widget has the keys."""
        self._title: tuple[tuple[Span, ...], tuple[Span, ...]] = ((), ())

    def on_resize(self) -> None:
        """Whoever gives the rows may wrap them anew."""
        self.post_message(self.Resized(self))

    # --- content ------------------------------------------------------------------------------------

    def show(self, rows: Sequence[Row]) -> None:
        """Draw other rows; the cursor stays on its key."""
        new = tuple(rows)
        if new == self.rows:
            return
        key, grew = self.current, len(new) - len(self.rows)
        self.rows = new
        self.cursor = self._place_of(key, grew)
        self.redraw()

    def _place_of(self, key: Hashable, grew: int) -> int:
        """Where the cursor goes: to its key, tried first where it stood, counted from either end."""
        if key is not None:
            for index in (self.cursor, self.cursor + grew):
                if 0 <= index < len(self.rows) and self.rows[index].key == key:
                    return index
            for index, row in enumerate(self.rows):
                if row.key == key:
                    return index
        return self._nearest(min(self.cursor, max(0, len(self.rows) - 1)), 1)

    def set_title(self, left: Sequence[Span], right: Sequence[Span] = ()) -> None:
        """A line that does not scroll."""
        new = (tuple(left), tuple(right))
        if new != self._title:
            self._title = new
            self.head_lines = 1 if left or right else 0
            self.refresh()

    @property
    def current(self) -> Hashable:
        """Key under the cursor; None when there is none."""
        return self.rows[self.cursor].key if 0 <= self.cursor < len(self.rows) else None

    def move_to(self, key: Hashable) -> None:
        """Put the cursor on a key, when there is such a row."""
        for index, row in enumerate(self.rows):
            if row.key == key:
                self._go(index)
                return

    # --- drawing ------------------------------------------------------------------------------------

    def line_count(self) -> int:
        return len(self.rows)

    def draw(self, index: int, width: int, ink: Ink) -> Strip:
        row = self.rows[index]
        here = index == self.cursor and row.key is not None
        lit = here and (self.has_focus or self.always_lit)
        ground = "selected" if lit else self.ground
        left = [(" ", ""), *row.left]
        if lit and ink.theme.ansi:
            left[0] = ("\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}", "")
        return ink.spread(left, row.right, width, ground)

    def draw_head(self, y: int, width: int, ink: Ink) -> Strip:
        return ink.spread([(" ", ""), *self._title[0]], self._title[1], width, self.ground)

    # --- moving -------------------------------------------------------------------------------------

    def _nearest(self, index: int, step: int) -> int:
        """The next row with a key from here on, else the one before."""
        for ahead in (step, -step):
            at = index
            while 0 <= at < len(self.rows):
                if self.rows[at].key is not None:
                    return at
                at += ahead
        return index

    def _go(self, index: int) -> None:
        old = self.cursor
        self.cursor = index
        if old != index:
            self.redraw_lines(old, index)
        self.show_line(index)
        if index <= 2:
            self.show_line(0)
        if old != index:
            self.post_message(self.Moved(self, self.current))

    @property
    def at_first(self) -> bool:
        """Whether no row above the cursor can be chosen."""
        return all(row.key is None for row in self.rows[: self.cursor])

    def action_move(self, by: int) -> None:
        """One row up or down, over headings."""
        at = self.cursor + by
        while 0 <= at < len(self.rows):
            if self.rows[at].key is not None:
                self._go(at)
                return
            at += by
        self.scroll_lines(by)

    def action_page(self, by: int) -> None:
        """A page up or down."""
        aim = max(0, min(len(self.rows) - 1, self.cursor + by * (self.body_height - 1)))
        self._go(self._nearest(aim, by))

    def action_end(self, by: int) -> None:
        """The first or last row."""
        self._go(self._nearest(0 if by < 0 else len(self.rows) - 1, -by))

    def action_choose(self) -> None:
        """Open what is under the cursor."""
        if self.current is not None:
            self.post_message(self.Chosen(self, self.current))

    def on_click(self, event: events.Click) -> None:
        """A click moves there and opens it."""
        index = self.line_at(event.y)
        if index is not None and self.rows[index].key is not None:
            self._go(index)
            self.action_choose()

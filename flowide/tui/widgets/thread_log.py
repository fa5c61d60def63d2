"""The messages of a thread: rows that grow at the end, and at the start when earlier ones are read."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from textual.message import Message

from flowide.tui.views.spans import Row
from flowide.tui.widgets.rows import RowsPane


class ThreadLog(RowsPane):
    """The messages. Whoever reads the end stays at the end."""

    scroll_off = 0

    @dataclass
    class NearStart(Message):
        """The start is nearly reached: earlier messages may be wanted."""

    def show(self, rows: Sequence[Row]) -> None:
        """Draw other rows; at the end, follow it."""
        at_end = self.top >= self.line_count() - self.body_height
        from_end = self.line_count() - self.top
        grew_above = bool(self.rows) and bool(rows) and self.rows[0] != rows[0] and not at_end
        super().show(rows)
        if at_end:
            self.to_end()
        elif grew_above:
            self.top = max(0, self.line_count() - from_end)
            self.redraw()

    def to_end(self) -> None:
        """The newest words; the cursor goes along unless somebody uses it."""
        if not self.has_focus and self.rows:
            self.cursor = self._nearest(len(self.rows) - 1, -1)
        self.top = max(0, self.line_count() - self.body_height)
        self.redraw()

    def on_resize(self) -> None:
        """The end stays in view, as the prompt takes lines or gives them back."""
        self.to_end() if not self.has_focus else self.redraw()

    def show_from(self, key: Hashable) -> None:
        """Have a row at the top, and the cursor on it."""
        self.move_to(key)
        self.scroll_lines(self.cursor - self.top)

    def scroll_lines(self, by: int) -> None:
        super().scroll_lines(by)
        self._look_ahead(by)

    def show_line(self, index: int) -> None:
        before = self.top
        super().show_line(index)
        self._look_ahead(self.top - before)

    def _look_ahead(self, by: int) -> None:
        if by < 0 and self.top < 2 * self.body_height:
            self.post_message(self.NearStart())

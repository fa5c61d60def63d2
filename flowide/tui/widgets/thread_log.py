"""The messages of a thread: rows that grow at the end, and at the start when earlier ones are read."""

from __future__ import annotations

from collections.abc import Sequence

from flowide.tui.views.spans import Row
from flowide.tui.widgets.rows import RowsPane


class ThreadLog(RowsPane):
    """The messages. Whoever reads the end stays at the end."""

    scroll_off = 0

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
